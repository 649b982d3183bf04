"""The assistants of one process, by collection: two over one would not see each other's documents."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ingest.catalog import Kind, catalog_path, require_collection
from ingest.collection import Collection, drop_collection
from ingest.errors import UsageError
from retrievers.rerank.instructions import resolve

if TYPE_CHECKING:
    from rag_app.assistant import Assistant
    from rag_app.settings import Settings


class Siblings:
    """The first assistant of a process, and those that were opened from it for other collections of its home."""

    def __init__(self, first: Assistant) -> None:
        self._first = first
        self._others: dict[str, Assistant] = {}
        self._lock = threading.RLock()

    def opened(self, name: str, opening: Callable[[], Assistant]) -> Assistant:
        """The assistant over the collection of that name; opened when it is first wanted."""
        if name == self._first.collection:
            return self._first
        with self._lock:
            if name not in self._others:
                self._others[name] = opening()
            return self._others[name]

    def create(self, settings: Settings, kind: Kind, instruction: str | None) -> None:
        """Makes the collection of these settings. Raises `UsageError` where there is one, or for a bad name."""
        check_instruction(instruction)
        with self._lock:
            if catalog_path(settings.location).exists():
                raise UsageError(f"There is a collection '{settings.collection}' already. Choose another name.")
            with Collection.create(settings.location, settings.embedder, settings.chunking) as made:
                made.catalog.set_kind(kind)
                made.catalog.set_instruction(instruction)

    def delete(self, settings: Settings) -> None:
        """Deletes the collection of these settings, with its index and what was uploaded to it.

        Raises `UsageError` where there is none, and for the first one, which the process was started with.
        """
        name = settings.collection
        require_collection(settings.location)
        if name == self._first.collection:
            raise UsageError(
                f"The chat was started with the collection '{name}'. Start it with another one to delete this one."
            )
        with self._lock:
            if name in self._others:
                self._others.pop(name).close()
            drop_collection(settings.location)
            shutil.rmtree(settings.location.uploads, ignore_errors=True)

    def close_with(self, assistant: Assistant) -> None:
        """Closes the others when the first one is closed."""
        with self._lock:
            while assistant is self._first and self._others:
                self._others.popitem()[1].close()


def check_instruction(instruction: str | None) -> None:
    """Raises `UsageError` for a mistyped one, also where the reranker would not read it."""
    if instruction is not None:
        resolve(instruction)
