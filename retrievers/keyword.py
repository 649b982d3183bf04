"""Passages that share words with a question: BM25 in Tantivy."""

from __future__ import annotations

from collections.abc import Sequence

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle

from ingest.collection import Collection


class KeywordRetriever(BaseRetriever):
    """The `limit` passages with the highest BM25 score, best first; each shares at least one word.

    Of the documents with these ids, of all where none are named; raises `UsageError` for an id that is not there.
    """

    def __init__(self, collection: Collection, *, limit: int = 50, documents: Sequence[str] = ()) -> None:
        super().__init__()
        self._collection = collection
        self._limit = limit
        self._documents = documents

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        versions = self._collection.versions_of(self._documents) if self._documents else None
        hits = self._collection.keywords.search(query_bundle.query_str, self._collection.reach(self._limit), versions)
        nodes = self._collection.vectors.get([chunk_id for chunk_id, _ in hits])
        # A passage that only one index holds is a half-written version; `live` would not show it either.
        found = [NodeWithScore(node=nodes[chunk_id], score=score) for chunk_id, score in hits if chunk_id in nodes]
        return self._collection.live(found)[: self._limit]
