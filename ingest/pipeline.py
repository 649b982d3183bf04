"""From paths to a collection: `sync` brings a collection in step with files and folders."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.collection import Collection
from ingest.engines.protocol import Engine, Prepared
from ingest.errors import RagError
from ingest.linking import link_revisions
from ingest.loaders import SUPPORTED_SUFFIXES
from ingest.loaders.errors import LockedFileError
from ingest.preparing import HashedFile
from ingest.records import NEVER_READ, Entry, FileRecord
from ingest.report import DocumentReport, IngestReport, Outcome
from ingest.scanning import find_files, hash_file, look_at

# Attachments of attachments of attachments are read; what lies deeper is named, not read.
DEEPEST_ATTACHMENT = 4
ODD_NAME = "The file's name, or that of its folder, is not valid UTF-8. Rename it."


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is: `fraction` (0 to 1) is of bytes, the best guess of the time that large files take.

    `current` is the file that was finished last, "" before the first; `last` says what became of it.
    """

    files_done: int
    files_total: int
    pages_done: int
    fraction: float
    current: str
    last: DocumentReport | None = None


class Ingester:
    """Keeps one collection in step with files."""

    def __init__(self, collection: Collection, engine: Engine) -> None:
        self.collection = collection
        self._engine = engine

    def sync(
        self,
        paths: Sequence[Path],
        *,
        prune: bool = False,
        retry_failed: bool = False,
        leave_out: Sequence[Path] = (),
        on_progress: Callable[[Progress], None] = lambda progress: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> IngestReport:
        """Brings the collection in step with these files and folders; what fails is reported and does not stop it.

        With `prune`, documents below `paths` whose file is gone are removed; with `retry_failed`, files and pages that
        failed before are read again though they have not changed. What lies at or below `leave_out`, and the index
        itself, is not read. `stop` is asked after each commit.
        Raises `UsageError` for a path that does not exist, `RagError` when there is nothing to read at all, and
        `StorageError` when the index cannot be written: what was committed until then stays.
        """
        started = time.perf_counter()
        self.collection.check_space()
        self.collection.sweep()
        scan = find_files(paths, missing_ok=prune, leave_out=[*leave_out, self.collection.config.folder])
        run = _Run(self.collection, self._engine, IngestReport(skipped=list(scan.skipped)), on_progress, stop)
        if prune:
            run.remove_gone(paths)
        if not scan.files and not run.report.deleted:
            raise RagError(_nothing_to_read(paths, scan.skipped))
        run.read(run.changed(scan.files, retry_failed))
        run.read_attachments(retry_failed)
        run.read_renamed()
        link_revisions(self.collection.catalog)
        run.report.seconds = time.perf_counter() - started
        return run.report


class _Run:
    """One run of an ingest: what it has done so far."""

    def __init__(
        self,
        collection: Collection,
        engine: Engine,
        report: IngestReport,
        on_progress: Callable[[Progress], None],
        stop: Callable[[], bool],
    ) -> None:
        self.report = report
        self._collection = collection
        self._catalog = collection.catalog
        self._engine = engine
        self._on_progress = on_progress
        self._stop = stop
        self._known: dict[Path, FileRecord] = {}  # as the files were when a round of reading began
        self._files_total = self._files_done = self._pages_done = 0
        self._bytes_total = self._bytes_done = 0

    def remove_gone(self, paths: Sequence[Path]) -> None:
        """Forgets the files below `paths` that are not there any more."""
        roots = [path.expanduser().resolve() for path in paths]
        gone = [
            file.path
            for file in self._catalog.files().values()
            if not file.container and any(file.path.is_relative_to(root) for root in roots) and not file.path.exists()
        ]
        self._catalog.forget_files(gone)
        self._collection.sweep()
        for path in gone:
            self.report.documents.append(DocumentReport(str(path), "deleted"))

    def changed(self, files: Iterable[FileRecord], retry_failed: bool) -> list[FileRecord]:
        """The files that are new, have changed, or shall be tried again; the others are reported as they are."""
        troubled = self._catalog.troubled_documents() if retry_failed else set()
        records = self._catalog.files()
        changed = []
        for file in files:
            if not _is_text(str(file.path)):
                self.report.documents.append(DocumentReport(str(file.path), "failed", reason=ODD_NAME))
                continue
            known = records.get(file.path)
            again = known and retry_failed and (known.problem or known.document_id in troubled)
            if known is None or known.stamp != file.stamp or again:
                changed.append(file)
            elif known.problem:
                self.report.documents.append(DocumentReport(str(file.path), "failed", reason=known.problem))
            else:
                self.report.documents.append(DocumentReport(str(file.path), "unchanged"))
        return changed

    def read_attachments(self, retry_failed: bool) -> None:
        """Reads the files that came inside others, and those inside them."""
        for _ in range(DEEPEST_ATTACHMENT):
            waiting = self._waiting_attachments(retry_failed)
            if not waiting or self.report.stopped:
                return
            self.read(waiting)
            retry_failed = False
        for file in self._waiting_attachments(retry_failed):
            self._fail(file, RagError(f"Attachments are read {DEEPEST_ATTACHMENT} levels deep; this one lies deeper."))

    def _waiting_attachments(self, retry_failed: bool) -> list[FileRecord]:
        return [
            look_at(file.path, file.source, file.container) or file
            for file in self._catalog.files().values()
            if file.container and (file.stamp == NEVER_READ or (retry_failed and file.problem))
        ]

    def read_renamed(self) -> None:
        """Reads documents again whose title is their file's name, when that has become another one."""
        renamed = [
            record.file
            for record in self._catalog.documents()
            if record.titled_by_name and record.title != record.path.stem and record.path.exists()
        ]
        if renamed and not self.report.stopped:
            self.read(renamed)

    def read(self, files: Sequence[FileRecord]) -> None:
        """Reads these files and commits them, batch by batch."""
        self._known = self._catalog.files()
        self._files_total += len(files)
        self._bytes_total += sum(file.size for file in files)
        self._show()
        twins: list[HashedFile] = []
        with closing(self._engine.run(self._to_read(files, twins))) as batches:
            for batch in batches:
                self._commit(batch)
                if self._stop():
                    break
        if self._stop():
            self.report.stopped = True
            return
        for twin in twins:
            self._note_twin(twin)

    def _to_read(self, files: Iterable[FileRecord], twins: list[HashedFile]) -> Iterator[HashedFile]:
        """The files with a content that is to be read. Copies of known documents are noted; `twins` get the others."""
        reading: set[str] = set()
        for file in files:
            if self._stop():
                return
            try:
                hashed = HashedFile(file, hash_file(file.path))
            except OSError as error:
                self._fail(file, RagError(f"The file cannot be read: {error.strerror}."))
                continue
            known = self._known.get(file.path)
            # A file that comes here though it has not changed is to be read again.
            if hashed.document_id in reading:
                twins.append(hashed)
            elif (known is None or known.stamp != file.stamp) and self._catalog.document(hashed.document_id):
                self._note_copy(hashed)
            else:
                reading.add(hashed.document_id)
                yield hashed

    def _commit(self, batch: Sequence[Prepared]) -> None:
        entries = [prepared.result for prepared in batch if isinstance(prepared.result, Entry)]
        self._collection.put(entries)
        for prepared in batch:
            if isinstance(prepared.result, Entry):
                self._report_entry(prepared.hashed.file, prepared.result, prepared.seconds)
            else:
                self._fail(prepared.hashed.file, prepared.result, prepared.seconds)

    def _note_copy(self, hashed: HashedFile) -> None:
        """The file holds a document that is there already: the one that it held before, or one of another file."""
        record = self._catalog.document(hashed.document_id)
        others = [other.path for other in record.files if other.path != hashed.file.path] if record else []
        gone = [path for path in others if not path.exists()]
        self._catalog.put_files([replace(hashed.file, document_id=hashed.document_id)])
        if gone:  # moved to where the file is now
            self._catalog.forget_files(gone)
        self._collection.sweep()
        known = self._known.get(hashed.file.path)
        same = known is not None and known.document_id == hashed.document_id
        notes = [f"Moved from {path}." for path in gone] or [f"The same content as {path}." for path in others[:1]]
        outcome: Outcome = "unchanged" if same or len(gone) == len(others) else "duplicate"
        self._done(hashed.file, DocumentReport(_shown(hashed.file), outcome, notes=tuple(notes)))

    def _note_twin(self, twin: HashedFile) -> None:
        """The file has the content of one that was read in this run."""
        if self._catalog.document(twin.document_id):
            self._note_copy(twin)
        else:
            self._fail(twin.file, RagError("The same file under another name could not be read."))

    def _report_entry(self, file: FileRecord, entry: Entry, seconds: float) -> None:
        before = self._known.get(file.path)
        outcome: Outcome = "updated" if before and before.document_id else "added"
        record = entry.record
        problems = [f"Page {page.number}: {page.problem}" for page in entry.pages if page.problem]
        self._done(
            file,
            DocumentReport(
                _shown(file),
                outcome,
                record.pages,
                record.ocr_pages,
                record.chunks,
                seconds,
                len(problems),
                notes=tuple(problems),
            ),
        )

    def _fail(self, file: FileRecord, error: RagError, seconds: float = 0.0) -> None:
        """Remembers that the file cannot be read; what it held before stays, a file may be half copied."""
        before = self._known.get(file.path)
        failed = replace(file, document_id=before.document_id if before else None, problem=str(error))
        # A locked file is tried whenever it is met: there may be a password the next time.
        self._catalog.put_files([failed.unread() if isinstance(error, LockedFileError) else failed])
        self._done(file, DocumentReport(_shown(file), "failed", seconds=seconds, reason=str(error)))

    def _done(self, file: FileRecord, outcome: DocumentReport) -> None:
        self.report.documents.append(outcome)
        self._files_done += 1
        self._pages_done += outcome.pages
        self._bytes_done += file.size
        self._show(file.source, outcome)

    def _show(self, current: str = "", last: DocumentReport | None = None) -> None:
        fraction = self._bytes_done / self._bytes_total if self._bytes_total else 1.0
        self._on_progress(Progress(self._files_done, self._files_total, self._pages_done, fraction, current, last))


def _shown(file: FileRecord) -> str:
    """What a report calls it: an attachment by the file that it came in, not by where it is kept."""
    return file.source if file.container else str(file.path)


def _is_text(name: str) -> bool:
    """Whether a name is valid text; file systems take any bytes, the catalog and the answers do not."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _nothing_to_read(paths: Sequence[Path], skipped: Sequence[str]) -> str:
    names = ", ".join(str(path) for path in paths)
    others = f" ({len(skipped)} files of other types are there)" if skipped else ""
    kinds = ", ".join(sorted(SUPPORTED_SUFFIXES))
    return f"Nothing to ingest in {names}{others}. Expected files of these types: {kinds}."
