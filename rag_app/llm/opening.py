"""Which language model writes the answers: the only place that maps the settings to language models."""

from __future__ import annotations

from pathlib import Path

from rag_app.llm.model import CONTEXT_TOKENS, LanguageModel
from rag_app.settings import Settings


def open_language_model(settings: Settings) -> LanguageModel | None:
    """The model of these settings, loaded where it runs in this process; None: answers quote the passages.

    Raises `LanguageModelError` where it cannot be had.
    """
    match settings.writer:
        case None:
            return None
        case "openai":
            from rag_app.llm.remote import open_remote

            return open_remote(
                settings.llm_base_url,
                settings.llm_name,
                api_key=settings.llm_api_key.get_secret_value(),
                timeout_s=settings.llm_timeout_s,
                context_tokens=settings.llm_context_tokens or CONTEXT_TOKENS,
                answer_tokens=settings.llm_answer_tokens,
            )
        case "qwen3":
            from rag_app.llm.local import open_local
            from rag_app.llm.qwen3 import Qwen3Engine

            qwen3 = Qwen3Engine(settings.llm_name, context_tokens=settings.llm_context_tokens)
            return open_local(qwen3, thinking=settings.llm_thinking, answer_tokens=settings.llm_answer_tokens)
        case "openvino":
            from rag_app.llm.local import open_local
            from rag_app.llm.openvino import OpenVinoEngine

            path = Path(settings.llm_name).expanduser()
            openvino = OpenVinoEngine(path, context_tokens=settings.llm_context_tokens)
            return open_local(openvino, thinking=settings.llm_thinking, answer_tokens=settings.llm_answer_tokens)


def describe_language_model(settings: Settings) -> str:
    """What writes the answers, for a person, "" where nothing does; nothing is loaded."""
    match settings.writer:
        case None:
            return ""
        case "openai":
            return f"{settings.llm_name} at {settings.llm_base_url}"
        case "qwen3" | "openvino":
            return f"{settings.llm_name} in this process"
