"""The ingest command, as `python -m ingest` and as `rag-app ingest`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from ingest.catalog import Kind
from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig

if TYPE_CHECKING:
    from ingest.pipeline import IngestReport
    from ingest.pipeline import Progress as IngestProgress

MAX_REASONS_SHOWN = 50

# The options that `python -m ingest` and `rag-app ingest` share.
PathsArgument = Annotated[list[Path], typer.Argument(help="Files and folders.", show_default=False)]
PruneOption = Annotated[bool, typer.Option("--prune", help="Remove documents below PATH whose file is gone.")]
RebuildOption = Annotated[bool, typer.Option("--rebuild", help="Drop the collection's index first.")]
KindOption = Annotated[
    Kind | None,
    typer.Option("--kind", help="What the documents are, which decides what counts as relevant; kept when not given."),
]
PasswordOption = Annotated[
    list[str] | None, typer.Option("--password", help="Tried on encrypted files; may be given several times.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, and nothing else there.")]


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """What the command line asks for."""

    paths: list[Path]
    prune: bool = False
    rebuild: bool = False
    passwords: tuple[str, ...] = ()
    kind: Kind | None = None


def run_ingest(request: IngestRequest, store: StoreConfig, chunking: ChunkingConfig, *, as_json: bool) -> int:
    """Ingests, prints the report and returns the exit code: 0, or 1 when a file failed.

    Progress goes to stderr; stdout carries the report alone.
    """
    # The models load here, not when the command line is read.
    from ingest.collection import Collection, drop_collection, stored_kind
    from ingest.embedding import MiniLmEncoder
    from ingest.pipeline import Ingester, find_files

    embedding = EmbeddingConfig()
    find_files(request.paths, known=request.prune)  # a mistyped path is known before anything is dropped or made
    kind = request.kind
    if request.rebuild:
        kind = kind or stored_kind(store)  # it was told by a person and is not made from the documents
        drop_collection(store)
    with Collection.create(store, embedding, chunking) as collection:
        if kind:
            collection.catalog.set_kind(kind)
        ingester = Ingester(collection, MiniLmEncoder(embedding), chunking, passwords=request.passwords)
        with progress_bar() as on_progress:
            report = ingester.sync(request.paths, prune=request.prune, on_progress=on_progress)
    if as_json:
        typer.echo(json.dumps(asdict(report), ensure_ascii=False))
    else:
        print_report(report, Console())
    return 1 if report.failed else 0


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


def print_report(report: IngestReport, console: Console) -> None:
    counts = ", ".join(
        f"{getattr(report, name)} {name}"
        for name in ("added", "updated", "unchanged", "deleted")
        if getattr(report, name)
    )
    console.print(
        f"{counts or 'nothing changed'}: {report.pages} pages, {report.chunks} passages in {report.seconds:.1f} s",
        highlight=False,
    )
    if report.skipped:
        console.print(f"{len(report.skipped)} files of other types were left out.", highlight=False)
    for failure in report.failed[:MAX_REASONS_SHOWN]:
        console.print(f"failed: {failure.path}: {failure.reason}", highlight=False, markup=False, style="red")
    if len(report.failed) > MAX_REASONS_SHOWN:
        console.print(f"... and {len(report.failed) - MAX_REASONS_SHOWN} more failed; --json lists all.", style="red")
