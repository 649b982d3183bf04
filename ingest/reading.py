"""Files read in processes of their own: a file that hangs, crashes or swells takes its reader with it, nothing else."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar

import ingest
from ingest.config import ReadingConfig
from ingest.document import Document
from ingest.errors import RagError
from ingest.loaders.codec import document_from_json
from ingest.loaders.errors import LockedFileError, UnreadableFileError, UnsupportedFileError

MEMORY_BYTES = 4 * 2**30
# The longest silence of a reader. It speaks before each page; other formats are read in one go, so that large files
# take longer, and so does the work that a document ends with.
PAGE_SECONDS = 60.0
SECONDS_PER_MEGABYTE = 2.0
SECONDS_PER_PAGE_AT_END = 0.2
# A file with more pages than this that cannot be read is given up.
MOST_BAD_PAGES = 5
START_SECONDS = 60.0
# Files that may be read ahead: a reader never waits for whoever takes its documents, nor do they fill the memory.
MOST_WAITING = 16

REFUSALS: dict[str, type[UnreadableFileError | UnsupportedFileError]] = {
    error.__name__: error for error in (UnreadableFileError, LockedFileError, UnsupportedFileError)
}

Key = TypeVar("Key")

OnPage = Callable[[int, int], None]
"""Hears the number of the page that is read next, from 1, and how many there are."""
OnReading = Callable[[Path, int, int], None]
"""The same of one file among several; page 0 of 0 when its reading begins."""

# So often a reading that is waited for is asked whether it shall stop.
STOP_SECONDS = 0.5


class _ReaderDied(Exception):
    """The process ended or was ended while it read `page` (0: before the first)."""

    def __init__(self, page: int, reason: str) -> None:
        super().__init__(reason)
        self.page = page
        self.reason = reason


class Reader:
    """One worker process, started when it is first needed and anew after it was killed. For one thread."""

    def __init__(
        self, config: ReadingConfig, *, page_seconds: float = PAGE_SECONDS, memory: int = MEMORY_BYTES
    ) -> None:
        self._config = config
        self._page_seconds = page_seconds
        self._memory = memory
        self._worker: _Worker | None = None
        self._closed = False

    def read(self, path: Path, on_page: OnPage = lambda page, pages: None) -> Document:
        """The file as a document. A page that breaks the reader is left out and named in its `problem`.

        `on_page` hears of each page before it is read. Raises `UnreadableFileError` or `UnsupportedFileError`, also
        where the file breaks the reader again and again.
        """
        skipped: dict[int, str] = {}
        while True:
            try:
                return self._read_once(path, skipped, on_page)
            except _ReaderDied as death:
                if self._closed:
                    raise UnreadableFileError("The file was not read: reading was stopped.") from death
                if death.page == 0 or death.page in skipped or len(skipped) == MOST_BAD_PAGES:
                    raise UnreadableFileError(f"The file cannot be read: {death.reason}.") from death
                skipped[death.page] = f"The page cannot be read: {death.reason}."

    def _read_once(self, path: Path, skipped: dict[int, str], on_page: OnPage) -> Document:
        patience = self._page_seconds + SECONDS_PER_MEGABYTE * _megabytes(path)
        page = pages = 0
        try:
            if self._worker is None:
                self._worker = _Worker(self._memory)
                if self._closed:  # by another thread, which found nothing to end
                    raise _Death("reading was stopped")
                self._worker.hear(START_SECONDS)  # that it is ready
            worker = self._worker
            worker.tell(
                {
                    "path": str(path),
                    "passwords": self._config.passwords,
                    "ocr": self._config.ocr,
                    "skip_pages": list(skipped.items()),
                }
            )
            while True:
                answer = worker.hear(patience + (SECONDS_PER_PAGE_AT_END * pages if page == pages else 0.0))
                if "page" in answer:
                    page, pages = int(answer["page"]), int(answer["pages"])
                    on_page(page, pages)
                elif "document" in answer:
                    return document_from_json(answer["document"])
                elif answer["refused"] == MemoryError.__name__:
                    raise _Death(_too_large(self._memory))  # what it holds by now is anybody's guess
                else:
                    raise REFUSALS.get(answer["refused"], UnreadableFileError)(str(answer["reason"]))
        except _Death as death:
            self._end()
            raise _ReaderDied(page, str(death)) from death
        except (KeyError, TypeError, ValueError) as error:  # nothing that a sound reader says
            self._end()
            raise _ReaderDied(page, "its reader answered with nonsense") from error

    def close(self) -> None:
        """Ends the process for good, whatever it does; another thread's `read` then raises `UnreadableFileError`."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()


class _Death(Exception):
    """A worker cannot be waited for any longer; the message says why, as a part of a sentence."""


class _Worker:
    """The process and its two pipes."""

    def __init__(self, memory: int) -> None:
        # The package may lie anywhere: the process finds it where it was found here.
        package = str(Path(ingest.__file__).parent.parent)
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        self._memory = memory
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ingest.loaders.worker", str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        """Hands over every line, and an empty one at the end; a thread, because a pipe's line has no timeout."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put(b"")

    def tell(self, request: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._broken() from None

    def hear(self, seconds: float) -> dict[str, Any]:
        """The next message. Raises `_Death` when none comes in that time, or none will."""
        try:
            line = self._answers.get(timeout=seconds)
        except queue.Empty:
            raise _Death(f"it takes longer than {seconds:.0f} seconds") from None
        if not line:
            raise self._broken()
        message: dict[str, Any] = json.loads(line)
        return message

    def _broken(self) -> _Death:
        code = self._process.wait()
        ending = f"signal {-code}" if code < 0 else f"exit code {code}"
        return _Death(f"its reader broke down ({ending}), or {_too_large(self._memory)}")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._listener.join()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):  # what it was not told any more
                stream.close()


@dataclass(frozen=True, slots=True)
class ReadFile(Generic[Key]):
    """A file that was read, or why it could not be, and the seconds that it took."""

    key: Key
    result: Document | RagError
    seconds: float


class ReaderPool:
    """Several readers at work side by side. Use it as a context; leaving it ends them all."""

    def __init__(
        self,
        config: ReadingConfig,
        workers: int | None = None,
        *,
        on_reading: OnReading = lambda path, page, pages: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """`on_reading` is called from several threads; `stop` ends a `read` also while files are being read."""
        self.workers = workers or default_workers()
        self._on_reading = on_reading
        self._stop = stop
        self._idle: queue.SimpleQueue[Reader] = queue.SimpleQueue()
        self._readers = [Reader(config) for _ in range(self.workers)]
        for reader in self._readers:
            self._idle.put(reader)
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="reader")
        self._running: set[Future[ReadFile[Any]]] = set()

    def read(self, files: Iterable[tuple[Key, Path]]) -> Iterator[ReadFile[Key]]:
        """Each file as soon as it is read, in any order; `files` is drawn from as readers become free."""
        files = iter(files)
        while True:
            for key, path in islice(files, self.workers + MOST_WAITING - len(self._running)):
                self._running.add(self._threads.submit(self._read, key, path))
            if not self._running:
                return
            done: set[Future[ReadFile[Key]]] = set()
            while not done:
                if self._stop():
                    return
                done = wait(self._running, STOP_SECONDS, return_when=FIRST_COMPLETED).done
            future = done.pop()
            self._running.remove(future)
            yield future.result()

    def ready(self, seconds: float) -> bool:
        """Waits for the next file, so long at most; whether it can be had now."""
        return bool(wait(self._running, seconds, return_when=FIRST_COMPLETED).done)

    def _read(self, key: Key, path: Path) -> ReadFile[Key]:
        started = time.perf_counter()
        reader = self._idle.get()
        try:
            self._on_reading(path, 0, 0)
            result: Document | RagError = reader.read(path, partial(self._on_reading, path))
        except RagError as error:
            result = error
        finally:
            self._idle.put(reader)
        return ReadFile(key, result, time.perf_counter() - started)

    def __enter__(self) -> ReaderPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for reader in self._readers:
            reader.close()
        self._threads.shutdown(wait=True)


def default_workers() -> int:
    """Half of the processors: the others are for the embedding of what was read."""
    return max(1, (os.cpu_count() or 2) // 2)


def _megabytes(path: Path) -> float:
    try:
        return path.stat().st_size / 2**20
    except OSError:  # the reader will say so
        return 0.0


def _too_large(memory: int) -> str:
    return f"it needs more than {memory / 2**30:.1f} GB of memory"
