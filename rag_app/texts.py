"""The words of whole documents, by which amendments and versions are known."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from llama_index.core.schema import BaseNode

from ingest.collection import Collection
from ingest.outline import Outline
from ingest.revisions import Runs, runs_of
from rag_app.openings import Opening

OPENING_PASSAGES = 2
MOST_READ = 60
"""Passages of an amendment that are read for the day from which it holds."""
CACHED_OPENINGS = 512
CACHED_WHOLE = 16


class Texts:
    """Reads versions of documents in one collection, and keeps what it has read: a version never changes."""

    def __init__(self, collection: Collection, outline: Callable[[str], Outline]) -> None:
        """`outline` gives that of a version of a document."""
        self._collection = collection
        self._outline = outline
        self.opening = lru_cache(CACHED_OPENINGS)(self._opening)
        self.beginning = lru_cache(CACHED_OPENINGS)(self._beginning)
        self.whole = lru_cache(CACHED_WHOLE)(self._whole)
        self.runs = lru_cache(CACHED_WHOLE)(self._runs)

    def _opening(self, version: str) -> Opening:
        passages = self._first(version, OPENING_PASSAGES)
        title = passages[0].metadata["title"] if passages else ""
        headings = [passage.metadata["section"] for passage in passages[:1]]
        return Opening(title, "\n".join([*headings, *(passage.get_content() for passage in passages)]))

    def _beginning(self, version: str) -> str:
        """All of a short document, such as an amendment is."""
        return "\n".join(passage.get_content() for passage in self._first(version, MOST_READ))

    def _whole(self, version: str) -> str:
        return "\n".join(passage.get_content() for passage in self._first(version, None))

    def _runs(self, version: str) -> Runs:
        return runs_of(self.whole(version))

    def _first(self, version: str, count: int | None) -> list[BaseNode]:
        """The first passages of a version, in reading order."""
        first = self._outline(version).order[:count]
        nodes = self._collection.vectors.get(first)
        return [nodes[chunk_id] for chunk_id in first if chunk_id in nodes]
