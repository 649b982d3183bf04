"""One collection: its catalog, its vectors and its keyword index, kept in step.

A home belongs to one process at a time; opening a collection takes the home's lock and closing it gives it back.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout
from llama_index.core.schema import NodeWithScore, TextNode

from ingest.catalog import Catalog, DocumentRecord, Kind, catalog_path, check_name, require_collection
from ingest.config import (
    CHUNKER_VERSION,
    SEGMENTATION_VERSION,
    ChunkingConfig,
    EmbeddingConfig,
    StoreConfig,
)
from ingest.errors import HomeLockedError, IndexMismatchError, RagError, UsageError
from ingest.keyword import KeywordIndex
from ingest.store import VectorStore


class Collection:
    """The documents of one collection and everything that finds them. Use `create` or `open`, then `close`."""

    def __init__(self, config: StoreConfig, lock: FileLock) -> None:
        self.config = config
        self._lock = lock
        self.catalog = Catalog(catalog_path(config))
        self.vectors = VectorStore(config.folder / "chroma")
        self.keywords = KeywordIndex(config.folder / "keywords")

    @classmethod
    def create(cls, config: StoreConfig, embedding: EmbeddingConfig, chunking: ChunkingConfig) -> Collection:
        """The collection of that name, made where there is none."""
        check_name(config.collection)
        try:
            config.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RagError(
                f"The home folder {config.home} cannot be written ({error.strerror}). Name another one with --home."
            ) from error
        return cls._checked(config, embedding, chunking)

    @classmethod
    def open(
        cls, config: StoreConfig, embedding: EmbeddingConfig, chunking: ChunkingConfig | None = None
    ) -> Collection:
        """The existing collection of that name; without `chunking` it is only to be searched, whatever its chunks.

        Raises `UnknownCollectionError`, `IndexMismatchError` when it was made with another embedder or chunker, and
        `HomeLockedError` while another process uses the home.
        """
        require_collection(config)
        return cls._checked(config, embedding, chunking)

    @classmethod
    def _checked(cls, config: StoreConfig, embedding: EmbeddingConfig, chunking: ChunkingConfig | None) -> Collection:
        lock = _acquire(config.home)
        try:
            collection = cls(config, lock)
        except BaseException:
            lock.release()
            raise
        try:
            collection._check_identity(_identity(embedding, chunking))
        except IndexMismatchError:
            collection.close()
            raise
        return collection

    def _check_identity(self, wanted: dict[str, str]) -> None:
        found = self.catalog.identity()
        if not found:
            self.catalog.set_identity(wanted)
            return
        differing = [key for key in wanted if found.get(key) != wanted[key]]
        if differing:
            details = "; ".join(f"{key}: {found.get(key)} in the index, {wanted[key]} now" for key in differing)
            raise IndexMismatchError(
                f"The collection '{self.config.collection}' was made with other settings ({details}). "
                f"Set them back, or rebuild it: rag-app ingest --rebuild --collection {self.config.collection} PATH."
            )

    def put(self, record: DocumentRecord, nodes: Sequence[TextNode]) -> None:
        """Shows this version of a document in place of any before it; searches see one or the other, whole.

        Every node carries its vector in `embedding`.
        """
        self.catalog.begin(record.version)
        self.vectors.add(nodes)
        self.keywords.add(record.version, nodes)
        self.catalog.make_live(record)
        self.sweep()

    def remove(self, document_id: str) -> None:
        """Removes a document. Raises `UsageError` where there is none of that id."""
        if self.catalog.document(document_id) is None:
            raise UsageError(f"No document has the id '{document_id}'. List them: rag-app documents list.")
        self.catalog.remove(document_id)
        self.sweep()

    def sweep(self) -> None:
        """Deletes from the indexes what is not live: the versions before, and what a crash left behind."""
        for version in self.catalog.stale():
            self.vectors.delete_version(version)
            self.keywords.delete_version(version)
            self.catalog.forget_stale(version)

    def live(self, hits: Sequence[NodeWithScore]) -> list[NodeWithScore]:
        """The hits whose document version is visible, in their order."""
        versions = self.catalog.live_versions()
        return [hit for hit in hits if hit.node.metadata["version"] in versions]

    def inconsistencies(self) -> list[str]:
        """What is wrong with the indexes, a sentence each; empty when all is well."""
        expected = sum(record.chunks for record in self.catalog.documents())
        found = [
            f"The {name} holds {count} passages, the catalog expects {expected}."
            for name, count in (("vector index", len(self.vectors)), ("keyword index", len(self.keywords)))
            if count != expected
        ]
        stale = self.catalog.stale()
        return found + (
            [f"{len(stale)} document versions wait for removal; the next ingest removes them."] if stale else []
        )

    def close(self) -> None:
        self.catalog.close()
        self.vectors.close()
        self._lock.release()

    def __enter__(self) -> Collection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def drop_collection(config: StoreConfig) -> None:
    """Deletes the collection's index, not the documents it was made from."""
    check_name(config.collection)
    if config.folder.exists():
        with _acquire(config.home):
            shutil.rmtree(config.folder)


def stored_kind(config: StoreConfig) -> Kind | None:
    """The kind of the collection; None where it does not exist."""
    check_name(config.collection)
    if not catalog_path(config).exists():
        return None
    catalog = Catalog(catalog_path(config))
    try:
        return catalog.kind()
    finally:
        catalog.close()


def _identity(embedding: EmbeddingConfig, chunking: ChunkingConfig | None) -> dict[str, str]:
    identity = {"embedder": embedding.identity, "segmentation": SEGMENTATION_VERSION}
    if chunking:
        identity["chunker"] = f"{CHUNKER_VERSION}, {chunking.max_tokens}/{chunking.small_tokens} tokens"
    return identity


def _acquire(home: Path) -> FileLock:
    # One lock object a process: a process may open several collections of its home.
    lock = FileLock(home / ".lock", timeout=0, is_singleton=True, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise HomeLockedError(
            f"Another process uses {home} (a running `rag-app serve` or ingest?). Stop it, or name another home "
            f"with --home."
        ) from error
    except OSError as error:
        raise RagError(
            f"The home folder {home} cannot be written ({error.strerror}). Name another one with --home."
        ) from error
    return lock
