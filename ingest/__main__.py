"""`python -m ingest PATH...`: fills a collection with the default settings. `rag-app ingest` reads all settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import platformdirs
import typer

from ingest.cli import (
    AddressOption,
    EngineOption,
    IngestRequest,
    JsonOption,
    KindOption,
    OcrOption,
    PasswordOption,
    PasswordsOption,
    PathsArgument,
    PruneOption,
    RebuildOption,
    ReportOption,
    RetryOption,
    WatchOption,
    reading_config,
    run_ingest,
)
from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig
from ingest.errors import RagError


def ingest(
    paths: PathsArgument,
    home: Annotated[Path | None, typer.Option(envvar="RAG_HOME", help="Where the collections live.")] = None,
    collection: Annotated[str, typer.Option(envvar="RAG_COLLECTION", help="The collection to fill.")] = "default",
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
) -> None:
    """Read files and folders into a collection."""
    store = StoreConfig(home or platformdirs.user_data_path("rag-app"), collection)
    try:
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
        code = run_ingest(request, store, EmbeddingConfig(), ChunkingConfig(), as_json=json)
    except RagError as error:
        typer.echo(f"rag-app: {error}", err=True)
        raise typer.Exit(error.exit_code) from error
    raise typer.Exit(code)


if __name__ == "__main__":
    typer.run(ingest)
