"""Passages near a question by meaning: the vectors in Chroma."""

from __future__ import annotations

from collections.abc import Sequence

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.schema import NodeWithScore, QueryBundle

from ingest.collection import Collection


class DenseRetriever(BaseRetriever):
    """The `limit` passages with the highest cosine to the question, best first.

    Of the documents with these ids, of all where none are named; raises `UsageError` for an id that is not there.
    """

    def __init__(
        self, collection: Collection, embedding: BaseEmbedding, *, limit: int = 50, documents: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self._collection = collection
        self._embedding = embedding
        self._limit = limit
        self._documents = documents

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        vector = query_bundle.embedding or self._embedding.get_query_embedding(query_bundle.query_str)
        versions = self._collection.versions_of(self._documents) if self._documents else None
        hits = self._collection.vectors.nearest(vector, self._collection.reach(self._limit), versions)
        return self._collection.live(hits)[: self._limit]
