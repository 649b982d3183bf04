"""What the pipeline asks of an engine."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest.errors import RagError
from ingest.preparing import HashedFile
from ingest.records import Entry


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file as it is to be stored, or why it could not be read, and the seconds that reading took."""

    hashed: HashedFile
    result: Entry | RagError
    seconds: float


class Engine(Protocol):
    """Reads, chunks and embeds files."""

    def run(self, files: Iterable[HashedFile]) -> Generator[Sequence[Prepared], None, None]:
        """The files in batches that are worth a commit, in any order; every file once.

        `files` is drawn from as the work goes on. Closing the iterator ends the work.
        """
        ...
