"""What the rest of the product asks: a chat model that keeps its budget of tokens and its reasoning to itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from rag_app.llm.errors import LanguageModelError
from rag_app.llm.reasoning import ReasoningSplitter

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk, BaseMessage

CONTEXT_TOKENS = 8192
"""What a model is taken to read where nothing says how much it does."""

ANSWER_TOKENS = 1024

BYTES_PER_TOKEN = 2
"""For texts whose tokenizer is unknown. English has four bytes a token, Chinese three; tables have fewer."""

TOKENS_PER_MESSAGE = 8


def estimate_tokens(messages: Sequence[BaseMessage]) -> int:
    """More tokens than a usual tokenizer makes of the messages; about twice as many for English."""
    text = "".join(message.text for message in messages)
    digits = sum(map(str.isdigit, text))  # Qwen3 makes a token of each
    return len(text.encode()) // BYTES_PER_TOKEN + digits + TOKENS_PER_MESSAGE * len(messages)


class LanguageModel:
    """A chat model whose replies are plain text without reasoning, and whose prompts always fit.

    A prompt may have `context_tokens` less the `answer_tokens` that the reply needs, as `count_tokens` counts them.

    Some templates open the reasoning themselves, so that a reply begins inside it and only `</think>` is seen. Where
    it is not known whether a model does so (`begins_inside` None), it is learned from its first reply, which is
    therefore held back until it ends or the tag comes; later replies stream at once.
    """

    def __init__(
        self,
        chat_model: BaseChatModel,
        *,
        name: str,
        address: str = "this process",
        where: str = "",
        context_tokens: int = CONTEXT_TOKENS,
        answer_tokens: int = ANSWER_TOKENS,
        count_tokens: Callable[[list[BaseMessage]], int] = estimate_tokens,
        begins_inside: bool | None = None,
    ) -> None:
        if answer_tokens >= context_tokens:
            raise LanguageModelError(
                f'The language model "{name}" reads {context_tokens:,} tokens, and llm_answer_tokens keeps '
                f"{answer_tokens:,} of them for the reply: none is left for a question. Lower llm_answer_tokens."
            )
        self._chat_model = chat_model
        self._count_tokens = count_tokens
        self._begins_inside = begins_inside
        self.name = name
        self.address = address
        self.where = where or address
        self.context_tokens = context_tokens
        self.prompt_tokens = context_tokens - answer_tokens

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, address={self.address!r})"

    def fits(self, messages: Sequence[BaseMessage]) -> bool:
        """Whether the model can read these messages and still has room for its reply."""
        return self._count_tokens(list(messages)) <= self.prompt_tokens

    def stream(
        self, messages: Sequence[BaseMessage], *, on_reasoning: Callable[[str], object] | None = None
    ) -> Iterator[str]:
        """The reply in pieces as they come; its reasoning goes to `on_reasoning`. Closing the iterator stops the model.

        Raises LanguageModelError on failure, for a prompt that does not fit and for a reply without words.
        """
        if not self.fits(messages):
            raise LanguageModelError(
                f"The prompt has {self._count_tokens(list(messages)):,} tokens, and the language model "
                f'"{self.name}" is given at most {self.prompt_tokens:,}. Ask a shorter question, or raise '
                "llm_context_tokens if the model reads more."
            )
        splitter = ReasoningSplitter(begins_inside=self._begins_inside, on_reasoning=on_reasoning)
        started = False
        for piece in splitter.visible(self._pieces(messages)):
            shown = piece if started else piece.lstrip()
            if shown:
                started = True
                yield shown
        self._begins_inside = splitter.began_inside
        if not started:
            raise LanguageModelError(
                f'The language model "{self.name}" at {self.address} sent a reply without an answer. '
                "Check that the address is that of a chat API and that the model may write enough tokens."
            )

    def complete(self, messages: Sequence[BaseMessage]) -> str:
        """The whole reply. Raises LanguageModelError like `stream`."""
        return "".join(self.stream(messages))

    def _pieces(self, messages: Sequence[BaseMessage]) -> Iterator[str]:
        for chunk in self._chunks(messages):
            # Half of a surrogate pair, as a cut emoji leaves it, cannot be stored; it becomes a question mark.
            yield chunk.text.encode(errors="replace").decode()
            if chunk.response_metadata.get("finish_reason") == "length":
                raise LanguageModelError(
                    f'The language model "{self.name}" at {self.address} stopped at its token limit before the '
                    "answer was complete. Raise llm_answer_tokens, or the limit of the server."
                )

    def _chunks(self, messages: Sequence[BaseMessage]) -> Iterator[AIMessageChunk]:
        yield from self._chat_model.stream(list(messages))
