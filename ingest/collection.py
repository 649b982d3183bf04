"""One collection: its catalog, its vectors and its keyword index, kept in step.

A home belongs to one process at a time; opening a collection takes the home's lock and closing it gives it back.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout
from llama_index.core.schema import NodeWithScore

from ingest.catalog import Catalog, Kind, catalog_path, check_name, require_collection
from ingest.config import (
    CHUNKER_VERSION,
    SEGMENTATION_VERSION,
    ChunkingConfig,
    EmbeddingConfig,
    StoreConfig,
)
from ingest.errors import HomeLockedError, IndexMismatchError, RagError, StorageError, UsageError
from ingest.keyword import KeywordIndex
from ingest.linking import link_revisions
from ingest.records import NEVER_READ, DocumentRecord, Entry, FileRecord, document_of
from ingest.scanning import hash_file, look_at
from ingest.store import VectorStore, drop_store

LEAST_FREE_BYTES = 200 * 2**20
# Of a long document that was just deleted; a search should not become slow for its sake.
MOST_HIDDEN_HITS = 500
ATTACHED = " > "
"""Between the name of a document and that of a file that came with it."""
UNDO = timedelta(minutes=10)
"""So long a document that was hidden can be restored."""


class Collection:
    """The documents of one collection and everything that finds them. Use `create` or `open`, then `close`."""

    def __init__(self, config: StoreConfig, lock: FileLock) -> None:
        self.config = config
        self._lock = lock
        self._uploading = threading.Lock()  # so that no upload comes between looking at a file and deleting it
        self.catalog = Catalog(catalog_path(config))
        self.vectors = VectorStore(config, self.catalog.identifier())
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
        with ExitStack() as undo:
            undo.callback(lock.release)
            collection = cls(config, lock)
            undo.pop_all()
            undo.callback(collection.close)
            collection._check_identity(_identity(embedding, chunking))
            undo.pop_all()
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

    def check_space(self) -> None:
        """Raises `StorageError` where the disk is nearly full: better before an ingest than in its middle."""
        free = shutil.disk_usage(self.config.folder).free
        if free < LEAST_FREE_BYTES:
            raise StorageError(
                f"Only {free >> 20} MB are free for {self.config.folder}; an ingest wants {LEAST_FREE_BYTES >> 20} MB. "
                "Make room, or name another home with --home. What is indexed stays as it is."
            )

    def put(self, entries: Sequence[Entry]) -> None:
        """Shows these versions of documents in place of any before them; searches see one or the other, whole.

        Raises `StorageError` where they cannot be written; what was visible before stays so.
        """
        self.catalog.begin([entry.record.version for entry in entries])
        attached = [self._keep_attachments(entry) for entry in entries]
        self.vectors.add([node for entry in entries for node in entry.nodes])
        self.keywords.add({entry.record.version: entry.nodes for entry in entries})
        for entry, files in zip(entries, attached, strict=True):
            self.catalog.make_live(entry.record, entry.pages, entry.sketch, files)
        self.sweep()

    def _keep_attachments(self, entry: Entry) -> list[FileRecord]:
        """Writes what came with a document into a folder of its own; the files wait to be read."""
        folder = self.config.attachments / entry.record.document_id
        files = []
        for number, attachment in enumerate(entry.attachments, start=1):
            path = folder / str(number) / attachment.name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(attachment.content)
            except OSError as error:
                raise StorageError(f"The attachment {path} cannot be written ({error.strerror}).") from error
            source = f"{entry.record.source}{ATTACHED}{attachment.name}"
            files.append(FileRecord(path, source, *NEVER_READ, container=entry.record.document_id))
        return files

    def save_upload(self, name: str, content: bytes) -> Path:
        """Keeps an uploaded file of this name in place of any before, and notes it as waiting to be read.

        Raises `StorageError` where it cannot be written.
        """
        path = self.config.uploads.resolve() / name
        unfinished = path.with_name(f".{name}")
        try:
            with self._uploading:
                path.parent.mkdir(parents=True, exist_ok=True)
                unfinished.write_bytes(content)
                self.catalog.note_waiting(path)
                unfinished.replace(path)
        except OSError as error:
            raise StorageError(f"The file {path} cannot be written ({error.strerror}).") from error
        return path

    def hide(self, document_id: str) -> None:
        """Takes a document out of every search at once; `restore` undoes it until `UNDO` has passed and a sweep comes.

        Raises `UsageError` where there is none of that id.
        """
        self.catalog.hide(self._known(document_id).document_id, datetime.now(UTC))

    def restore(self, document_id: str) -> None:
        """Shows a hidden document again. Raises `UsageError` where it has been removed meanwhile."""
        if not self.catalog.holds(document_id):
            raise UsageError("The document has been removed for good. Add its file again.")
        self.catalog.restore(document_id)
        link_revisions(self.catalog)

    def remove(self, document_id: str) -> None:
        """Removes a document, live or hidden, for good. Raises `UsageError` where there is none of that id.

        Files that were uploaded are deleted with it; others belong to somebody else and stay. So does an upload that
        took the place of the document's file and is not read yet, or could not be: it is another document.
        """
        if not self.catalog.holds(document_id):
            raise _unknown(document_id)
        self._forget(document_id)
        self.sweep()

    def forget_failed(self, path: Path) -> None:
        """Forgets a file that could not be read, and deletes it where it was uploaded.

        A file whose version before is still a document stays known.
        """
        with self._uploading:
            known = self.catalog.file(path)
            if known and known.problem and known.document_id is None:
                self._delete_upload(path)
                self.catalog.forget_files([path])

    def _forget(self, document_id: str, hidden_at: datetime | None = None) -> None:
        with self._uploading:
            newer = []
            for path in self.catalog.files_of(document_id):
                file = self.catalog.file(path)
                if file and self._is_newer_upload(file, hidden_at):
                    newer.append(replace(file if file.problem else file.unread(), document_id=None))
                else:
                    self._delete_upload(path)
            self.catalog.put_files(newer)
            self.catalog.remove(document_id)

    def _is_newer_upload(self, file: FileRecord, hidden_at: datetime | None) -> bool:
        """Whether the uploaded file is not the one that the document was read from, but one that came after it.

        The same content again is one where it came after the document was hidden, and is still to be read.
        """
        there = look_at(file.path, file.source) if self._is_upload(file.path) else None
        if there is None or (there.stamp == file.stamp and not file.problem):
            return False
        if file.stamp == NEVER_READ and hidden_at and there.modified_ns > hidden_at.timestamp() * 1e9:
            return True  # somebody wants it back, also where it is the same
        # The same may have been uploaded twice, and the note of an upload is lost to an ingest that was at work when it
        # came. Of a home that was copied the times have changed, and the files are the same.
        try:
            return not hash_file(file.path).startswith(file.document_id or "")
        except OSError as error:
            raise StorageError(f"The upload {file.path} cannot be read ({error.strerror}).") from error

    def _is_upload(self, path: Path) -> bool:
        return path.is_relative_to(self.config.uploads.resolve())

    def _delete_upload(self, path: Path) -> None:
        """Before the catalog forgets it: a file that nothing knows any more would stay for ever."""
        if self._is_upload(path):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise StorageError(f"The upload {path} cannot be deleted ({error.strerror}).") from error

    def _known(self, document_id: str) -> DocumentRecord:
        record = self.catalog.document(document_id)
        if record is None:
            raise _unknown(document_id)
        return record

    def sweep(self) -> None:
        """Deletes what is not live: the versions before, what was hidden long ago, and what a crash left behind."""
        for hidden in self.catalog.hidden():
            if hidden.hidden_at + UNDO <= datetime.now(UTC):
                self._forget(hidden.record.document_id, hidden.hidden_at)
        stale = self.catalog.stale()
        if not stale:
            return
        self.vectors.delete_versions(stale)
        self.keywords.delete_versions(stale)
        for document_id in {document_of(version) for version in stale}:
            if not self.catalog.holds(document_id):
                shutil.rmtree(self.config.attachments / document_id, ignore_errors=True)
        self.catalog.forget_stale(stale)

    def versions_of(self, documents: Sequence[str]) -> list[str]:
        """The visible versions of these documents. Raises `UsageError` where there is none of an id."""
        return [self._known(document_id).version for document_id in documents]

    def reach(self, limit: int) -> int:
        """How many hits to ask an index for, so that `limit` are left without those of documents that are hidden."""
        return limit + min(self.catalog.hidden_passages(), MOST_HIDDEN_HITS)

    def live(self, hits: Sequence[NodeWithScore]) -> list[NodeWithScore]:
        """The hits whose document version is visible, in their order, under the name that the document has now."""
        sources = self.catalog.sources()
        return [_named(hit, sources[version]) for hit in hits if (version := hit.node.metadata["version"]) in sources]

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


def _unknown(document_id: str) -> UsageError:
    return UsageError(f"No document has the id '{document_id}'. List them: rag-app documents list.")


def _named(hit: NodeWithScore, source: str) -> NodeWithScore:
    """The hit with its document's present name: a file that was moved is not read again."""
    if hit.node.metadata["source"] == source:
        return hit
    node = hit.node.model_copy(update={"metadata": {**hit.node.metadata, "source": source}})
    return NodeWithScore(node=node, score=hit.score)


def drop_collection(config: StoreConfig) -> None:
    """Deletes the collection's index, not the documents it was made from: neither uploads nor files elsewhere."""
    check_name(config.collection)
    if config.folder.exists():
        with _acquire(config.home):
            if config.server and catalog_path(config).exists():
                with closing(Catalog(catalog_path(config), any_version=True)) as catalog:
                    drop_store(config, catalog.identifier())
            shutil.rmtree(config.folder)


def stored_kind(config: StoreConfig) -> Kind | None:
    """The kind of the collection; None where it does not exist."""
    check_name(config.collection)
    if not catalog_path(config).exists():
        return None
    with closing(Catalog(catalog_path(config), any_version=True)) as catalog:
        return catalog.kind()


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
