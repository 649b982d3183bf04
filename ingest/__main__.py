"""`python -m ingest PATH...`: fills a collection with the default settings. `rag-app ingest` reads all settings."""

from __future__ import annotations

import sys
from pathlib import Path

import platformdirs
import typer

from ingest.cli import IngestRequest, ingest_command, run_ingest
from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig
from ingest.errors import RagError


def run(request: IngestRequest, home: Path | None, collection: str | None, as_json: bool) -> int:
    store = StoreConfig(home or platformdirs.user_data_path("rag-app"), collection or "default")
    return run_ingest(request, store, EmbeddingConfig(), ChunkingConfig(), as_json=as_json)


def main() -> None:
    """Runs the command line; errors written for people are printed as one sentence, without a traceback."""
    try:
        typer.run(ingest_command(run))
    except RagError as error:
        typer.echo(f"rag-app: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
