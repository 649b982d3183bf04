"""The ingest command, as `python -m ingest` and as `rag-app ingest`."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from ingest.catalog import Kind
from ingest.config import ChunkingConfig, EmbeddingConfig, ReadingConfig, StoreConfig
from ingest.engines.opening import EngineName, open_engine
from ingest.errors import RagError, StorageError, UsageError
from ingest.report import IngestReport, check_report_path, write_report
from ingest.scanning import check_paths

if TYPE_CHECKING:
    from ingest.collection import Collection
    from ingest.pipeline import Progress as IngestProgress

MAX_REASONS_SHOWN = 50
INTERRUPTED = 130
"""The exit code of a program that Ctrl-C has ended."""

# The options of `python -m ingest` and `rag-app ingest`.
HomeOption = Annotated[
    Path | None, typer.Option("--home", envvar="RAG_HOME", help="Where the collections live.", show_default=False)
]
CollectionOption = Annotated[
    str | None,
    typer.Option("--collection", envvar="RAG_COLLECTION", help="The collection to fill.", show_default=False),
]
PathsArgument = Annotated[list[Path], typer.Argument(help="Files and folders.", show_default=False)]
PruneOption = Annotated[bool, typer.Option("--prune", help="Remove documents below PATH whose file is gone.")]
RebuildOption = Annotated[bool, typer.Option("--rebuild", help="Drop the collection's index first.")]
RetryOption = Annotated[
    bool, typer.Option("--retry-failed", help="Read files and pages again that failed before and have not changed.")
]
WatchOption = Annotated[bool, typer.Option("--watch", help="Stay, and read what changes, until Ctrl-C.")]
KindOption = Annotated[
    Kind | None,
    typer.Option("--kind", help="What the documents are, which decides what counts as relevant; kept when not given."),
]
PasswordOption = Annotated[
    list[str] | None, typer.Option("--password", help="Tried on encrypted files; may be given several times.")
]
PasswordsOption = Annotated[
    Path | None, typer.Option("--passwords", help="A file with more of them, one a line.", show_default=False)
]
OcrOption = Annotated[bool, typer.Option(help="Read pages without a usable text layer by OCR.")]
EngineOption = Annotated[
    EngineName,
    typer.Option("--engine", help="Where files are read and embedded: on this machine, or on a Ray cluster."),
]
AddressOption = Annotated[
    str | None, typer.Option("--address", help="The Ray cluster, as host:port; this machine alone when not given.")
]
ReportOption = Annotated[
    Path | None,
    typer.Option("--report", help="Write every document with its outcome to FILE.html or FILE.json.", metavar="FILE"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, and nothing else there.")]


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """What the command line asks for."""

    paths: list[Path]
    prune: bool = False
    rebuild: bool = False
    retry_failed: bool = False
    watch: bool = False
    kind: Kind | None = None
    reading: ReadingConfig = field(default_factory=ReadingConfig)
    engine: EngineName = "local"
    address: str | None = None
    report: Path | None = None

    def check(self) -> None:
        """Raises `UsageError` for what would fail later: nothing has been dropped or made yet."""
        if self.watch or not self.prune:  # a folder that is gone can be pruned
            check_paths(self.paths)
        if self.report:
            check_report_path(self.report)
        if self.address and self.engine != "ray":
            raise UsageError("An --address is that of a Ray cluster. Add --engine ray.")


Run = Callable[[IngestRequest, Path | None, str | None, bool], int]
"""What runs a request in a home (None: the usual one) and collection, prints JSON or not, and returns the exit code."""


def ingest_command(run: Run) -> Callable[..., None]:
    """The command with all its options; what differs between the programs that offer it is in `run`."""

    def ingest(
        paths: PathsArgument,
        prune: PruneOption = False,
        rebuild: RebuildOption = False,
        retry_failed: RetryOption = False,
        watch: WatchOption = False,
        kind: KindOption = None,
        password: PasswordOption = None,
        passwords: PasswordsOption = None,
        ocr: OcrOption = True,
        engine: EngineOption = "local",
        address: AddressOption = None,
        report: ReportOption = None,
        json: JsonOption = False,
        home: HomeOption = None,
        collection: CollectionOption = None,
    ) -> None:
        """Read files and folders into a collection. Running it again reads only what has changed."""
        request = IngestRequest(
            paths,
            prune=prune,
            rebuild=rebuild,
            retry_failed=retry_failed,
            watch=watch,
            kind=kind,
            reading=reading_config(password, passwords, ocr),
            engine=engine,
            address=address,
            report=report,
        )
        raise typer.Exit(run(request, home, collection, json))

    return ingest


def reading_config(password: list[str] | None, passwords: Path | None, ocr: bool) -> ReadingConfig:
    """How files are to be read. Raises `UsageError` for a file of passwords that cannot be read."""
    given = list(password or ())
    if passwords:
        try:
            given += [line for line in passwords.read_text(encoding="utf-8").splitlines() if line]
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"The passwords in {passwords} cannot be read ({error}).") from error
    return ReadingConfig(tuple(given), ocr)


def run_ingest(
    request: IngestRequest,
    store: StoreConfig,
    embedding: EmbeddingConfig,
    chunking: ChunkingConfig,
    *,
    as_json: bool,
) -> int:
    """Ingests, prints the report and returns the exit code: 0, 1 when a file failed, 130 after Ctrl-C.

    Progress goes to stderr; stdout carries the report alone. With `watch` it returns only after Ctrl-C.
    """
    request.check()  # before the models load: a mistyped path is told at once
    from ingest.pipeline import Ingester

    with (
        # First of all: nothing is dropped where it cannot be had, and Ray sets signal handlers of its own.
        open_engine(request.engine, request.address, embedding, chunking, request.reading) as engine,
        stopping() as stop,
        _open_collection(request, store, embedding, chunking) as collection,
    ):
        ours = [store.folder, *([request.report] if request.report else [])]
        ingester = Ingester(collection, engine)

        def sync(retry_failed: bool) -> IngestReport:
            with progress_bar() as on_progress:
                report = ingester.sync(
                    request.paths,
                    prune=request.prune,
                    retry_failed=retry_failed,
                    leave_out=ours,
                    on_progress=on_progress,
                    stop=stop.is_set,
                )
            if request.report:
                write_report(report, request.report)
            show_report(report, as_json=as_json)
            return report

        if request.watch:
            _watch(request.paths, ours, lambda: sync(False), stop)
            return INTERRUPTED
        report = sync(request.retry_failed)
    if report.stopped:
        typer.echo("Stopped. What was read is kept: the same command goes on from there.", err=True)
        return INTERRUPTED
    return 1 if report.failed else 0


def _open_collection(
    request: IngestRequest, store: StoreConfig, embedding: EmbeddingConfig, chunking: ChunkingConfig
) -> Collection:
    """The collection to fill, of the kind that was asked for; made anew to rebuild it."""
    from ingest.collection import Collection, drop_collection, stored_kind

    kind = request.kind
    if request.rebuild:
        kind = kind or stored_kind(store)  # it was told by a person and is not made from the documents
        drop_collection(store)
    collection = Collection.create(store, embedding, chunking)
    if kind:
        collection.catalog.set_kind(kind)
    return collection


def _watch(paths: Sequence[Path], leave_out: Sequence[Path], sync: Callable[[], object], stop: threading.Event) -> None:
    """Reads what is there, then whatever changes. What cannot be read at one time may be there at the next."""
    from ingest.watching import changes

    typer.echo("Watching; Ctrl-C stops.", err=True)
    for _ in chain([None], changes(paths, stop, leave_out=leave_out)):
        try:
            sync()
        except StorageError:
            raise
        except RagError as error:
            typer.echo(f"rag-app: {error}", err=True)
        if stop.is_set():
            return


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C or a polite kill sets; the second Ctrl-C interrupts at once."""
    stop = threading.Event()

    def ask(number: int, frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        typer.echo("\nStopping when the documents at hand are stored; Ctrl-C again stops at once.", err=True)

    if threading.current_thread() is not threading.main_thread():  # no other may set handlers
        yield stop
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def progress_bar() -> Iterator[Callable[[IngestProgress], None]]:
    """A progress bar on stderr, as a function to report to; it leaves nothing behind."""
    columns = (
        TextColumn("{task.fields[files]}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[pages]} pages"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.description}", markup=False),  # a file's name is text
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0, files="", pages=0)

        def show(progress: IngestProgress) -> None:
            bar.update(
                task,
                completed=progress.fraction,
                files=f"{progress.files_done}/{progress.files_total} files",
                pages=progress.pages_done,
                description=progress.current[-60:],
            )

        yield show


def show_report(report: IngestReport, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report.summary(), ensure_ascii=False))
    else:
        print_report(report, Console())


def print_report(report: IngestReport, console: Console) -> None:
    named = {"duplicate": "known under another name"}
    counts = ", ".join(
        f"{report.count(outcome)} {named.get(outcome, outcome)}"
        for outcome in ("added", "updated", "unchanged", "duplicate", "deleted")
        if report.count(outcome)
    )
    by_ocr = f" ({report.ocr_pages} by OCR)" if report.ocr_pages else ""
    console.print(
        f"{counts or 'nothing changed'}: {report.pages} pages{by_ocr}, {report.chunks} passages "
        f"in {report.seconds:.1f} s",
        highlight=False,
    )
    if report.skipped:
        console.print(f"{len(report.skipped)} files of other types were left out.", highlight=False)
    if report.problem_pages:
        console.print(f"{report.problem_pages} pages could not be read whole; --report names them.", style="yellow")
    for failure in report.failed[:MAX_REASONS_SHOWN]:
        console.print(f"failed: {failure.path}: {failure.reason}", highlight=False, markup=False, style="red")
    if len(report.failed) > MAX_REASONS_SHOWN:
        console.print(f"... and {len(report.failed) - MAX_REASONS_SHOWN} more failed; --report lists all.", style="red")
