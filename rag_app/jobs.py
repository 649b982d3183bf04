"""Documents that are read beside the chat: a queue, one thread that reads, and what became of each file.

What waits is noted in the catalog before it stands in the queue, and a failure is noted there as well: both outlive the
process, `Jobs.resume` takes up the one and a person may retry the other.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from ingest.catalog import Catalog
from ingest.errors import RagError
from ingest.pipeline import Progress
from ingest.reading import OnReading
from ingest.records import FileRecord
from ingest.report import DocumentReport, IngestReport

State = Literal["waiting", "reading", "done", "failed"]
ACTIVE: tuple[State, ...] = ("waiting", "reading")

# So many files are read in one go: what was handed in later waits no longer than for these.
MOST_AT_ONCE = 32
# So often it is looked whether the time for an undo has passed.
SWEEP_SECONDS = 20.0
# Longer than a batch takes to embed and commit, which a stop waits for.
STOP_SECONDS = 30.0

GONE = "The file is not there: it was deleted, or not handed over whole. Add it again."
UNEXPECTED = "Something went wrong while reading. The log of the server says what; try again."

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A file on its way into the collection; `name` is for people.

    Of `pages` pages `page` is read now, 0 of 0 where nobody knows. `report` says what became of it, `reason` why it
    failed. With `again` it is read though it has failed before and not changed.
    """

    path: Path
    name: str
    state: State = "waiting"
    page: int = 0
    pages: int = 0
    report: DocumentReport | None = None
    reason: str = ""
    again: bool = False

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def fraction(self) -> float:
        """How much of it is done, from 0 to 1."""
        if not self.active:
            return 1.0
        return (self.page - 1) / self.pages if self.pages else 0.0


class Ingest(Protocol):
    """What reads files: `Library.ingest`."""

    def __call__(
        self,
        paths: Sequence[Path],
        *,
        retry_failed: bool,
        on_progress: Callable[[Progress], None],
        on_reading: OnReading,
        stop: Callable[[], bool],
    ) -> IngestReport: ...


class Jobs:
    """What is read into one collection. Any thread may hand in files and look; nothing runs before something waits."""

    def __init__(self, catalog: Catalog, ingest: Ingest, sweep: Callable[[], None]) -> None:
        """`sweep` is called now and then while nothing waits: it removes documents that were hidden long ago."""
        self._catalog = catalog
        self._ingest = ingest
        self._sweep = sweep
        self._jobs: dict[str, Job] = {}  # by path, as an ingest reports it
        self._at_hand: set[str] = set()  # those of them, and of no others, that the ingest which runs now was given
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def all(self) -> list[Job]:
        """The files of the queue in their order, and those that were finished since it was last empty."""
        with self._changed:
            return list(self._jobs.values())

    @property
    def busy(self) -> bool:
        return any(job.active for job in self.all())

    def add(self, paths: Iterable[Path]) -> None:
        """Queues these files; one that is being read is read once more, for it has changed."""
        self._queue(Job(path.resolve(), path.name) for path in paths)

    def retry(self, files: Iterable[FileRecord]) -> None:
        """Queues files that failed; one that came inside another is read again with that."""
        outermost = {self._outermost(file) for file in files}
        self._queue(Job(path, path.name, again=True) for path in sorted(outermost))

    def resume(self) -> None:
        """Queues what was waiting when the process before ended, and sees to it that hidden documents go in time."""
        self._queue(Job(file.path, file.source) for file in self._catalog.waiting_files())

    def wake(self) -> None:
        """Tells the thread that a document was hidden."""
        self._queue(())

    def forget(self, path: Path) -> None:
        """Forgets what became of a file, unless it is waiting or being read."""
        with self._changed:
            if str(path) in self._jobs and not self._jobs[str(path)].active:
                del self._jobs[str(path)]
                self._at_hand.discard(str(path))

    def forget_finished(self) -> None:
        with self._changed:
            self._jobs = {key: job for key, job in self._jobs.items() if job.active}
            self._at_hand.intersection_update(self._jobs)

    def close(self) -> None:
        """Stops after the documents at hand are stored; what has not been read waits for the next process."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(STOP_SECONDS)

    def _outermost(self, file: FileRecord) -> Path:
        while file.container and (around := self._catalog.file(self._catalog.files_of(file.container)[0])):
            file = around
        return file.path

    def _queue(self, jobs: Iterable[Job]) -> None:
        with self._changed:
            if not any(job.active for job in self._jobs.values()):
                self._jobs.clear()
                self._at_hand.clear()
            for job in jobs:
                self._jobs.pop(str(job.path), None)
                self._jobs[str(job.path)] = job
                self._at_hand.discard(str(job.path))
            if not (self._thread and self._thread.is_alive()) and not self._stopping.is_set():
                if not (self._jobs or self._catalog.hidden()):
                    return
                # A process must be able to end although a file hangs.
                self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _work(self) -> None:
        while not self._stopping.is_set():
            batch = self._next_batch()
            try:
                if batch:
                    self._read(batch)
                elif not self._stopping.is_set():
                    self._sweep()
            except RagError as error:
                _logger.warning("Reading documents failed: %s", error)
                self._give_up(batch, str(error))
            except Exception:  # The edge of the thread: without it everything that waits would wait for ever.
                _logger.exception("Reading documents failed.")
                self._give_up(batch, UNEXPECTED)
            finally:
                with self._changed:
                    self._at_hand.clear()

    def _next_batch(self) -> list[Job]:
        """Waits for files; none when it is time to look after hidden documents, or to stop."""
        with self._changed:
            if not (self._stopping.is_set() or self._waiting()):
                self._changed.wait(SWEEP_SECONDS)
            waiting = self._waiting()
            batch = [job for job in waiting if job.again == waiting[0].again][:MOST_AT_ONCE]
            self._at_hand = {str(job.path) for job in batch}
            return batch

    def _waiting(self) -> list[Job]:
        return [job for job in self._jobs.values() if job.state == "waiting"]

    def _read(self, batch: Sequence[Job]) -> None:
        gone = [job for job in batch if not job.path.is_file()]
        self._give_up(gone, GONE)
        nothing = {file.path for file in self._catalog.waiting_files() if file.document_id is None}
        self._catalog.forget_files([job.path for job in gone if job.path in nothing])
        there = [job.path for job in batch if job not in gone]
        if there:
            report = self._ingest(
                there,
                retry_failed=batch[0].again,
                on_progress=self._show_progress,
                on_reading=self._show_page,
                stop=self._stopping.is_set,
            )
            with self._changed:
                for document in report.documents:
                    if document.path in self._at_hand:  # others were told of as they came, or are forgotten by now
                        self._finish(document)
            if not report.stopped:
                self._give_up(batch, UNEXPECTED)

    def _show_page(self, path: Path, page: int, pages: int) -> None:
        with self._changed:
            if str(path) in self._at_hand:
                self._jobs[str(path)] = replace(self._jobs[str(path)], state="reading", page=page, pages=pages)

    def _show_progress(self, progress: Progress) -> None:
        if progress.last:
            self._finish(progress.last)

    def _finish(self, document: DocumentReport) -> None:
        path = Path(document.path)
        with self._changed:
            job = self._jobs.get(document.path, Job(path, path.name))  # unknown are those that came inside of others
            if job.active and document.path in self._jobs and document.path not in self._at_hand:
                return
            state: State = "failed" if document.outcome == "failed" else "done"
            self._jobs[document.path] = replace(job, state=state, report=document, reason=document.reason)

    def _give_up(self, jobs: Sequence[Job], reason: str) -> None:
        """These jobs have failed for this reason, but for those that were finished before it came."""
        with self._changed:
            for key in self._at_hand.intersection(str(job.path) for job in jobs):
                if self._jobs[key].active:
                    self._jobs[key] = replace(self._jobs[key], state="failed", reason=reason)
