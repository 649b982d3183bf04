"""The language model that answers: any LangChain chat model, opened by URL, reasoning kept out of what it says.

[leaf: langchain_openai]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
)
from openai import OpenAIError

from ingest.errors import RagError
from rag_app.prompts import answer_messages

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

    from rag_app.context import Context

_REASONING_TAG = re.compile(r"<(/?)(?:think|thinking|reasoning)>")
# The end of a text that may become a tag when more text follows.
_TAG_BEGINNING = re.compile(r"</?[a-z]{0,9}\Z")

# What the person can do about it, by what the server said; the first that fits.
_REMEDIES: tuple[tuple[type[Exception], str], ...] = (
    (ModelTimeoutError, "did not answer in time. Check that it is not overloaded, or raise the time limit"),
    (ModelConnectionError, "cannot be reached. Check the address and that the server is running"),
    (ModelAuthenticationError, "rejected the API key. Check the key"),
    (ModelPermissionDeniedError, "refuses this key the model. Check what the key may use"),
    (ModelNotFoundError, "does not know the model or the address. Check both; the address usually ends in /v1"),
    (ModelRateLimitError, "receives too many requests or the quota is used up. Wait, or check the account"),
    (ContextOverflowError, "cannot read so long a prompt. Allow fewer passages, or use a model with a longer context"),
)


class LanguageModelError(RagError):
    """The language model did not answer; the message names the model, the address and what to do."""


class LanguageModel:
    """A chat model whose replies are plain text without reasoning.

    Some templates open the reasoning themselves, so that a reply begins inside it and only `</think>` is seen. Whether
    a model does so is learned from its first reply, which is therefore held back until it ends or the tag comes; later
    replies stream at once.
    """

    def __init__(self, chat_model: BaseChatModel, *, name: str, address: str = "this process") -> None:
        self._chat_model = chat_model
        self._begins_inside: bool | None = None
        self.name = name
        self.address = address

    def __repr__(self) -> str:
        return f"LanguageModel(name={self.name!r}, address={self.address!r})"

    def stream(self, messages: Sequence[BaseMessage]) -> Iterator[str]:
        """The reply in pieces as they come. Raises LanguageModelError on failure and for a reply without words."""
        splitter = ReasoningSplitter(begins_inside=self._begins_inside)
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
        try:
            for chunk in self._chat_model.stream(list(messages)):
                yield chunk.text
                if chunk.response_metadata.get("finish_reason") == "length":
                    raise LanguageModelError(
                        f'The language model "{self.name}" at {self.address} stopped at its token limit before the '
                        "answer was complete. Raise the limit of the server, or allow fewer passages."
                    )
        except (ModelError, OpenAIError) as error:
            raise self._explained(error) from error
        except ValueError as error:
            # What LangChain and the client raise for a reply that is no chat completion: bad JSON, no choices.
            raise LanguageModelError(
                f'Expected a chat completion from the language model "{self.name}" at {self.address}, got something '
                "else. Check that the address is that of an OpenAI-compatible API; it usually ends in /v1."
            ) from error

    def _explained(self, error: Exception) -> LanguageModelError:
        for kind, remedy in _REMEDIES:
            if isinstance(error, kind):
                return LanguageModelError(f'The language model "{self.name}" at {self.address} {remedy}.')
        status = getattr(error, "status_code", None)
        reported = f"status {status}" if status else type(error).__name__
        return LanguageModelError(
            f'The language model "{self.name}" at {self.address} failed ({reported}). Look at the server\'s log.'
        )


class ReasoningSplitter:
    """Keeps reasoning out of one reply; `began_inside` tells afterwards whether the reply began within it."""

    def __init__(self, *, begins_inside: bool | None) -> None:
        self.began_inside = begins_inside
        self._inside = begins_inside is True
        self._opened = False

    def visible(self, pieces: Iterable[str]) -> Iterator[str]:
        """What stands outside the tags. With `begins_inside` None nothing comes before a tag or the end decides."""
        waiting = ""
        for piece in pieces:
            waiting += piece
            while tag := _REASONING_TAG.search(waiting):
                before, waiting = waiting[: tag.start()], waiting[tag.end() :]
                if self._shows_before(closing=bool(tag.group(1))):
                    yield before
            if self.began_inside is None:
                continue
            beginning = _TAG_BEGINNING.search(waiting)
            decided = beginning.start() if beginning else len(waiting)
            if not self._inside:
                yield waiting[:decided]
            waiting = waiting[decided:]
        if not self._inside:
            yield waiting
        if self._inside and not self._opened:
            # Reasoning that never ends, or a model that reasons only sometimes: learn again.
            self.began_inside = None
        elif self.began_inside is None:
            self.began_inside = False

    def _shows_before(self, *, closing: bool) -> bool:
        """Takes note of a tag; says whether the text since the last one is part of the answer."""
        shows = not self._inside
        if closing and not self._opened:
            self.began_inside = True
            shows = False
        if not closing and self.began_inside is None:
            self.began_inside = False
        self._opened = True
        self._inside = not closing
        return shows


def open_model(base_url: str, model: str, *, api_key: str = "", timeout_s: float = 60.0) -> LanguageModel:
    """A model behind an OpenAI-compatible API (vLLM, Ollama, llama.cpp, DashScope); nothing is sent yet.

    `timeout_s` bounds the wait for the connection and between two pieces of a reply.
    """
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    chat_model = ChatOpenAI(
        base_url=base_url,
        model=model,
        # Without a key of its own the client would send OPENAI_API_KEY from the environment to this address.
        api_key=SecretStr(api_key or "none"),
        timeout=timeout_s,
        max_retries=1,
        temperature=0,
    )
    return LanguageModel(chat_model, name=model, address=base_url)


def stream_answer(model: LanguageModel, question: str, context: Context) -> Iterator[str]:
    """The model's answer from the context, in pieces; its marks are as the model wrote them."""
    return model.stream(answer_messages(question, context))
