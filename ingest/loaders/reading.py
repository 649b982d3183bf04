"""What a loader is told about one reading of a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ingest.config import ReadingConfig


def _ignore(page: int, pages: int) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read, whom to tell, and what to leave out.

    `on_page(number, pages)` is called before each page (from 1) of a paged format: who waits for the worker measures
    a page's time from there. `skip_pages` are pages that broke a reading before, each with the sentence that
    becomes its `problem`.
    """

    config: ReadingConfig = field(default_factory=ReadingConfig)
    on_page: Callable[[int, int], None] = _ignore
    skip_pages: Mapping[int, str] = field(default_factory=dict)
