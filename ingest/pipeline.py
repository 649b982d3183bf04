"""From paths to a collection: `sync` brings a collection in step with files and folders."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from ingest.catalog import DocumentRecord
from ingest.chunking import chunk_document
from ingest.collection import Collection
from ingest.config import ChunkingConfig, ReadingConfig
from ingest.document import Document
from ingest.embedding import MiniLmEncoder, token_counter
from ingest.errors import RagError, UsageError
from ingest.loaders import SUPPORTED_SUFFIXES, Reading, UnreadableFileError, UnsupportedFileError, load
from ingest.nodes import embedded_text, node_from_chunk


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be ingested, and why, in a sentence."""

    path: str
    reason: str


@dataclass(slots=True)
class IngestReport:
    """What an ingest did. Counts are of documents, but for `pages` and `chunks`, which were read anew."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    failed: list[Failure] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    pages: int = 0
    ocr_pages: int = 0
    chunks: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is: `fraction` (0 to 1) is of bytes, the best guess of the time that large files take."""

    files_done: int
    files_total: int
    pages_done: int
    fraction: float
    current: str


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    source: str
    size: int
    modified_ns: int

    @property
    def document_id(self) -> str:
        return hashlib.sha256(str(self.path).encode()).hexdigest()[:16]


class Ingester:
    """Reads, chunks, embeds and stores files for one collection."""

    def __init__(
        self,
        collection: Collection,
        encoder: MiniLmEncoder,
        chunking: ChunkingConfig,
        *,
        passwords: Sequence[str] = (),
    ) -> None:
        self.collection = collection
        self._encoder = encoder
        self._chunking = chunking
        self._passwords = passwords

    def sync(
        self,
        paths: Sequence[Path],
        *,
        prune: bool = False,
        on_progress: Callable[[Progress], None] = lambda progress: None,
    ) -> IngestReport:
        """Brings the collection in step with these files and folders; what fails is reported and does not stop it.

        With `prune`, documents below `paths` whose file is gone are removed. Raises `UsageError` for a path that
        does not exist, and `RagError` when there is nothing to read at all.
        """
        started = time.perf_counter()
        report = IngestReport()
        self.collection.sweep()
        if prune:
            report.deleted = self._remove_gone(paths)
        files, report.skipped = find_files(paths, known=prune)
        if not files and not report.deleted:
            raise RagError(_nothing_to_read(paths, report.skipped))

        total_bytes = sum(file.size for file in files) or 1
        done_bytes = 0
        for number, file in enumerate(files):
            on_progress(Progress(number, len(files), report.pages, done_bytes / total_bytes, file.source))
            self._sync_file(file, report)
            done_bytes += file.size
        on_progress(Progress(len(files), len(files), report.pages, 1.0, ""))
        report.seconds = time.perf_counter() - started
        return report

    def _sync_file(self, file: _File, report: IngestReport) -> None:
        known = self.collection.catalog.document(file.document_id)
        if known and (known.size, known.modified_ns) == (file.size, file.modified_ns):
            report.unchanged += 1
            return
        try:
            content_hash = _hash_file(file.path)
            if known and known.content_hash == content_hash:
                self.collection.catalog.touch(known.document_id, size=file.size, modified_ns=file.modified_ns)
                report.unchanged += 1
                return
            document = load(file.path, Reading(ReadingConfig(tuple(self._passwords))))
        except (UnreadableFileError, UnsupportedFileError) as error:
            report.failed.append(Failure(str(file.path), str(error)))
            return
        except OSError as error:
            report.failed.append(Failure(str(file.path), f"The file cannot be read: {error.strerror}."))
            return

        stored = self.store(_new_record(file, content_hash, document), document)
        report.pages += stored.pages
        report.chunks += stored.chunks
        if known:
            report.updated += 1
        else:
            report.added += 1

    def store(self, record: DocumentRecord, document: Document) -> DocumentRecord:
        """Puts a document into the collection in place of its version before; the record with its chunks counted."""
        chunks = chunk_document(document, self._chunking, token_counter())
        record = replace(record, chunks=len(chunks))
        nodes = [node_from_chunk(chunk, position, record) for position, chunk in enumerate(chunks)]
        vectors = self._encoder.encode([embedded_text(node) for node in nodes])
        for node, vector in zip(nodes, vectors, strict=True):
            node.embedding = vector.tolist()
        self.collection.put(record, nodes)
        return record

    def _remove_gone(self, paths: Sequence[Path]) -> int:
        roots = [path.resolve() for path in paths]
        gone = [
            record.document_id
            for record in self.collection.catalog.documents()
            if not record.path.exists() and any(record.path.is_relative_to(root) for root in roots)
        ]
        for document_id in gone:
            self.collection.remove(document_id)
        return len(gone)


def find_files(paths: Iterable[Path], *, known: bool = False) -> tuple[list[_File], list[str]]:
    """The files to read below `paths`, in order of path, and what was left out because of its type.

    A file named itself is always tried, so that its failure is reported; hidden files are not looked at. With
    `known`, a path that does not exist is no error.
    """
    files: dict[Path, _File] = {}
    skipped: list[str] = []
    for given in paths:
        path = given.expanduser().resolve()
        if path.is_file():
            files.setdefault(path, _describe(path, path.name))
        elif path.is_dir():
            for found in _walk(path):
                source = found.relative_to(path).as_posix()
                # A link to nowhere and a pipe have names like files.
                if found.suffix.lower() in SUPPORTED_SUFFIXES and found.is_file():
                    files.setdefault(found, _describe(found, source))
                else:
                    skipped.append(str(found))
        elif not known:
            raise UsageError(f"There is no file or folder {given}. Check the path.")
    return list(files.values()), skipped


def _walk(folder: Path) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        raise RagError(f"The folder {error.filename} cannot be read: {error.strerror}.") from error

    for root, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            # ~$ marks the lock file that an office program leaves beside an open document.
            if not name.startswith((".", "~$")):
                yield Path(root) / name


def _describe(path: Path, source: str) -> _File:
    status = path.stat()
    return _File(path, source, status.st_size, status.st_mtime_ns)


def _new_record(file: _File, content_hash: str, document: Document) -> DocumentRecord:
    return DocumentRecord(
        document_id=file.document_id,
        content_hash=content_hash,
        path=file.path,
        source=file.source,
        title=document.title or file.path.stem,
        pages=len(document.pages),
        chunks=0,
        size=file.size,
        modified_ns=file.modified_ns,
        ingested_at=datetime.now(UTC),
    )


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _nothing_to_read(paths: Sequence[Path], skipped: Sequence[str]) -> str:
    names = ", ".join(str(path) for path in paths)
    others = f" ({len(skipped)} files of other types are there)" if skipped else ""
    kinds = ", ".join(sorted(SUPPORTED_SUFFIXES))
    return f"Nothing to ingest in {names}{others}. Expected files of these types: {kinds}."
