"""Assistants over a real collection, with the models that a test hands in."""

from __future__ import annotations

from ingest.embedding import MiniLmEncoder
from rag_app.assistant import Assistant
from rag_app.home import Home
from rag_app.llm import LanguageModel
from rag_app.models import Model, Models
from rag_app.settings import Settings
from retrievers.rerank.protocol import Reranker


def assistant_with(
    settings: Settings,
    encoder: MiniLmEncoder,
    *,
    reranker: Reranker | None = None,
    model: LanguageModel | None = None,
    create: bool = False,
) -> Assistant:
    """An assistant over the collection of these settings; a second one over the same collection may be opened so."""
    models = Models(
        Model.ready("embedding", "MiniLM", encoder),
        encoder,
        reranker=Model.ready("reranking", "reranker", reranker) if reranker else None,
        writer=Model.ready("writing", model.name, model) if model else None,
    )
    return Home(settings, models, Assistant).open(settings.collection, create=create)
