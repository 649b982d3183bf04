"""A language model in this process as a LangChain chat model: streamed from a thread, stopped when nobody reads on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage, convert_to_openai_messages
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr, SkipValidation

from rag_app.llm.model import ANSWER_TOKENS, LanguageModel

if TYPE_CHECKING:
    from collections.abc import Generator

OPENING_TAG = "<think>"


class Engine(Protocol):
    """What a library must do to write a reply; `context_tokens` bounds prompt and reply together."""

    name: str
    where: str
    context_tokens: int

    def prompt(self, messages: Sequence[dict[str, str]], *, thinking: bool) -> str:
        """The messages as the model's own template writes them, up to where the reply begins."""
        ...

    def count_tokens(self, prompt: str) -> int: ...

    def write(self, prompt: str, most_tokens: int, draft: Draft) -> bool:
        """Puts the reply into the draft piece by piece; ends early when the draft is `stopped`.

        Says whether the reply came to its end. Raises LanguageModelError where it cannot be written.
        """
        ...


class Draft:
    """A reply that one thread writes and another reads: iterating gives its pieces as they come.

    Closing the iterator tells the writer to stop, and waits until it has. After the last piece `cut_off` says whether
    the reply was not at its end.
    """

    def __init__(self, write: Callable[[Draft], bool]) -> None:
        self._write = write
        self._pieces: SimpleQueue[str | None] = SimpleQueue()
        self._stopped = threading.Event()
        self.cut_off = False

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def put(self, piece: str) -> None:
        self._pieces.put(piece)

    def __iter__(self) -> Generator[str, None, None]:
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="language-model") as pool:
            writing = pool.submit(self._write, self)
            writing.add_done_callback(lambda _: self._pieces.put(None))
            try:
                while (piece := self._pieces.get()) is not None:
                    yield piece
            finally:
                self._stopped.set()
            self.cut_off = not writing.result()


class LocalChatModel(BaseChatModel):
    """An engine as a chat model; several threads take turns.

    With `thinking`, a model that can reason before it answers does so, between `<think>` and `</think>`. Sampling
    follows the model's own generation settings. `answer_tokens` bounds a reply; whoever asks sees to it that prompt and
    reply fit into the engine's `context_tokens`, as `LanguageModel` does.
    """

    engine: SkipValidation[Engine]
    answer_tokens: int = ANSWER_TOKENS
    thinking: bool = False
    _turn: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    @property
    def _llm_type(self) -> str:
        return "in-process"

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        """The tokens of the whole prompt, as the model reads it."""
        return self.engine.count_tokens(self._prompt(messages))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        prompt = self._prompt(messages)
        if prompt.rstrip().endswith(OPENING_TAG):  # some templates open the reasoning; the reader must see that too
            yield ChatGenerationChunk(message=AIMessageChunk(content=OPENING_TAG))
        draft = Draft(lambda draft: self._write(prompt, draft))
        with closing(iter(draft)) as pieces:
            for piece in up_to_stop(pieces, stop or ()):
                chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
                if run_manager:
                    run_manager.on_llm_new_token(piece, chunk=chunk)
                yield chunk
        reason = "length" if draft.cut_off else "stop"
        yield ChatGenerationChunk(message=AIMessageChunk(content="", response_metadata={"finish_reason": reason}))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def _prompt(self, messages: list[BaseMessage]) -> str:
        return self.engine.prompt(convert_to_openai_messages(messages), thinking=self.thinking)

    def _write(self, prompt: str, draft: Draft) -> bool:
        with self._turn:
            return self.engine.write(prompt, self.answer_tokens, draft)


def up_to_stop(pieces: Iterable[str], stops: Sequence[str]) -> Iterator[str]:
    """The pieces up to the first of the stop texts, which may be spread over several; a beginning of one waits."""
    waiting = ""
    for piece in pieces:
        waiting += piece
        found = [waiting.index(stop) for stop in stops if stop in waiting]
        if found:
            yield waiting[: min(found)]
            return
        begun = (length for stop in stops for length in range(1, len(stop)) if waiting.endswith(stop[:length]))
        decided = len(waiting) - max(begun, default=0)
        if decided:
            yield waiting[:decided]
        waiting = waiting[decided:]
    yield waiting


def open_local(engine: Engine, *, thinking: bool = False, answer_tokens: int = ANSWER_TOKENS) -> LanguageModel:
    """The engine as the product asks it, its prompts counted by its own tokenizer."""
    chat_model = LocalChatModel(engine=engine, answer_tokens=answer_tokens, thinking=thinking)
    return LanguageModel(
        chat_model,
        name=engine.name,
        where=engine.where,
        context_tokens=engine.context_tokens,
        answer_tokens=answer_tokens,
        count_tokens=chat_model.get_num_tokens_from_messages,
        begins_inside=False,
    )
