"""Which engine ranks the passages: the only place that maps the settings to rerankers."""

from __future__ import annotations

from rag_app.settings import Settings
from retrievers.rerank.protocol import Reranker


def open_reranker(settings: Settings) -> Reranker | None:
    """The loaded reranker of these settings; None is the embedded one, which is made for each collection.

    Raises `RerankerError` where a model cannot be loaded or does not score as it must.
    """
    match settings.profile:
        case "embedded":  # it weighs words by their rarity in the collection
            return None
        case "qwen3":
            from retrievers.rerank.qwen3 import Qwen3Reranker

            return Qwen3Reranker.from_pretrained(
                settings.rerank_model,
                device=None if settings.rerank_device == "auto" else settings.rerank_device,
                dtype=None if settings.rerank_dtype == "auto" else settings.rerank_dtype,
                max_length=settings.rerank_max_length,
                self_test=settings.rerank_self_test,
            )
        case dialect:
            from retrievers.rerank.remote import RemoteReranker

            return RemoteReranker(
                dialect,
                settings.rerank_base_url,
                model=settings.rerank_model,
                api_key=settings.rerank_api_key.get_secret_value(),
                timeout_s=settings.rerank_timeout_s,
            )


def describe_reranker(settings: Settings) -> str:
    """What ranks the passages, for a person; nothing is loaded."""
    match settings.profile:
        case "embedded":
            return "late interaction"
        case "qwen3":
            return settings.rerank_model
        case dialect:
            return f"{settings.rerank_model} by {dialect} at {settings.rerank_base_url}"
