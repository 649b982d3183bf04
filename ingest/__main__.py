"""`python -m ingest PATH...`: fills a collection with the default settings. `rag-app ingest` reads all settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import platformdirs
import typer

from ingest.cli import (
    IngestRequest,
    JsonOption,
    KindOption,
    PasswordOption,
    PathsArgument,
    PruneOption,
    RebuildOption,
    run_ingest,
)
from ingest.config import ChunkingConfig, StoreConfig
from ingest.errors import RagError


def ingest(
    paths: PathsArgument,
    home: Annotated[Path | None, typer.Option(envvar="RAG_HOME", help="Where the collections live.")] = None,
    collection: Annotated[str, typer.Option(envvar="RAG_COLLECTION", help="The collection to fill.")] = "default",
    prune: PruneOption = False,
    rebuild: RebuildOption = False,
    kind: KindOption = None,
    password: PasswordOption = None,
    json: JsonOption = False,
) -> None:
    """Read files and folders into a collection."""
    request = IngestRequest(paths, prune, rebuild, tuple(password or ()), kind)
    store = StoreConfig(home or platformdirs.user_data_path("rag-app"), collection)
    try:
        code = run_ingest(request, store, ChunkingConfig(), as_json=json)
    except RagError as error:
        typer.echo(f"rag-app: {error}", err=True)
        raise typer.Exit(error.exit_code) from error
    raise typer.Exit(code)


if __name__ == "__main__":
    typer.run(ingest)
