"""Passages near a question by meaning: the vectors in Chroma."""

from __future__ import annotations

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.schema import NodeWithScore, QueryBundle

from ingest.collection import Collection


class DenseRetriever(BaseRetriever):
    """The `limit` passages with the highest cosine to the question, best first."""

    def __init__(self, collection: Collection, embedding: BaseEmbedding, *, limit: int = 50) -> None:
        super().__init__()
        self._collection = collection
        self._embedding = embedding
        self._limit = limit

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        vector = query_bundle.embedding or self._embedding.get_query_embedding(query_bundle.query_str)
        return self._collection.live(self._collection.vectors.nearest(vector, self._limit))
