"""Which engine does the work of an ingest: the only place that maps the command line to engines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from ingest.config import ChunkingConfig, EmbeddingConfig, ReadingConfig

if TYPE_CHECKING:
    from ingest.engines.protocol import Engine

EngineName = Literal["local", "ray"]


@contextmanager
def open_engine(
    name: EngineName, address: str | None, embedding: EmbeddingConfig, chunking: ChunkingConfig, reading: ReadingConfig
) -> Iterator[Engine]:
    """The engine, ready to run; `address` is that of a Ray cluster.

    Raises `EmbeddingError` or `UsageError` where it cannot be had.
    """
    # Each imports what is heavy of its own.
    if name == "ray":
        from ingest.engines.ray import RayEngine

        with RayEngine(embedding, chunking, reading, address) as engine:
            yield engine
    else:
        from ingest.embedding import open_encoder
        from ingest.engines.local import LocalEngine

        yield LocalEngine(open_encoder(embedding), chunking, reading)
