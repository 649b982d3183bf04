"""The retriever of an existing collection, in one call."""

from __future__ import annotations

from pathlib import Path

from ingest.collection import Collection
from ingest.config import EmbeddingConfig, StoreConfig
from ingest.embedding import embedded_encoder, open_encoder
from retrievers.hybrid import HybridRetriever, embedded_reranker
from retrievers.rerank.protocol import Reranker


def open_retriever(
    home: str | Path,
    collection: str = "default",
    *,
    top_k: int = 8,
    embedding: EmbeddingConfig | None = None,
    reranker: Reranker | None = None,
) -> HybridRetriever:
    """The retriever over a collection that `rag-app ingest` has made in this home; it owns the home while it lives.

    `embedding` is the model that the collection was made with, without it the embedded one. Without a `reranker` the
    embedded one ranks.
    Raises `UnknownCollectionError` where there is none, `IndexMismatchError` when it was made with other settings.
    """
    embedding = embedding or EmbeddingConfig()
    opened = Collection.open(StoreConfig(Path(home), collection), embedding)
    encoder = open_encoder(embedding)
    reranker = reranker or embedded_reranker(opened, embedded_encoder(encoder))
    return HybridRetriever(opened, encoder, reranker, top_k=top_k)
