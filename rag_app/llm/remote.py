"""A language model behind an OpenAI-compatible API: vLLM, Ollama, llama.cpp, DashScope.      [leaf: langchain_openai]

Such an API tells neither the model's tokenizer nor how much it reads. So prompts are counted by an estimate that is
too high rather than too low, against the setting `llm_context_tokens`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from httpx import URL, TransportError
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
from langchain_openai import ChatOpenAI
from openai import OpenAIError
from pydantic import SecretStr

from ingest.errors import UsageError
from rag_app.llm.errors import LanguageModelError
from rag_app.llm.model import ANSWER_TOKENS, CONTEXT_TOKENS, LanguageModel

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk, BaseMessage

# What the person can do about it, by what the server said; the first that fits.
_REMEDIES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (ModelTimeoutError, "did not answer in time. Check that it is not overloaded, or raise the time limit"),
    ((ModelConnectionError, TransportError), "cannot be reached. Check the address and that the server is running"),
    (ModelAuthenticationError, "rejected the API key. Check the key"),
    (ModelPermissionDeniedError, "refuses this key the model. Check what the key may use"),
    (ModelNotFoundError, "does not know the model or the address. Check both; the address usually ends in /v1"),
    (ModelRateLimitError, "receives too many requests or the quota is used up. Wait, or check the account"),
)

# What LangChain knows as a ContextOverflowError, and what vLLM and llama.cpp write.
_TOO_LONG = re.compile(r"context[_ ](?:length|size|window)")


class RemoteLanguageModel(LanguageModel):
    """A model on a server, whose failures are explained in sentences."""

    def _chunks(self, messages: Sequence[BaseMessage]) -> Iterator[AIMessageChunk]:
        begun = finished = False
        try:
            for chunk in super()._chunks(messages):
                yield chunk
                begun = True
                finished = finished or bool(chunk.response_metadata.get("finish_reason"))
        except (ModelConnectionError, TransportError) as error:
            raise self._broken_off() if begun else self._explained(error) from error
        except (ModelError, OpenAIError) as error:
            raise self._explained(error) from error
        except ValueError as error:
            # What LangChain and the client raise for a reply that is no chat completion: bad JSON, no choices.
            raise LanguageModelError(
                f'Expected a chat completion from the language model "{self.name}" at {self.address}, got something '
                "else. Check that the address is that of an OpenAI-compatible API; it usually ends in /v1."
            ) from error
        if not finished:  # a connection that breaks can look like the end of the reply
            raise self._broken_off()

    def _broken_off(self) -> LanguageModelError:
        return LanguageModelError(
            f'The language model "{self.name}" at {self.address} broke off in the middle of its reply. Ask again; if '
            "it happens again, look at the server's log."
        )

    def _explained(self, error: Exception) -> LanguageModelError:
        if isinstance(error, ContextOverflowError) or _TOO_LONG.search(_reported(error)):
            return LanguageModelError(
                f'The language model "{self.name}" at {self.address} cannot read so long a prompt. Set '
                "llm_context_tokens to less than it reads, or let the server read more."
            )
        for kind, remedy in _REMEDIES:
            if isinstance(error, kind):
                return LanguageModelError(f'The language model "{self.name}" at {self.address} {remedy}.')
        status = getattr(error, "status_code", None)
        reported = f"status {status}" if status else type(error).__name__
        return LanguageModelError(
            f'The language model "{self.name}" at {self.address} failed ({reported}). Look at the server\'s log.'
        )


def _reported(error: Exception) -> str:
    """What the server said: its message and its code."""
    return f"{error} {getattr(error, 'code', '')}"


def open_remote(
    base_url: str,
    model: str,
    *,
    api_key: str = "",
    timeout_s: float = 60.0,
    context_tokens: int = CONTEXT_TOKENS,
    answer_tokens: int = ANSWER_TOKENS,
) -> LanguageModel:
    """The model of that name on the server at `base_url`; nothing is sent yet.

    `timeout_s` bounds the wait for the connection and between two pieces of a reply. Raises `UsageError` for an address
    with a password: errors and descriptions show it.
    """
    if URL(base_url).userinfo:
        raise UsageError(
            "Expected the address of the language model (llm_base_url) without name and password; set llm_api_key."
        )
    chat_model = ChatOpenAI(
        base_url=base_url,
        model=model,
        # Without a key of its own the client would send OPENAI_API_KEY from the environment to this address.
        api_key=SecretStr(api_key or "none"),
        timeout=timeout_s,
        max_retries=1,
        temperature=0,
    )
    return RemoteLanguageModel(
        chat_model,
        name=model,
        address=base_url,
        context_tokens=context_tokens,
        answer_tokens=answer_tokens,
    )
