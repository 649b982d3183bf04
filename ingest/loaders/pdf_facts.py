"""What pypdf knows of a PDF beside its text: title, printed page labels, outline."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdf
from pypdf.errors import PyPdfError

from ingest.loaders.layout import title_key

_LOG = logging.getLogger(__name__)


PYPDF_DAMAGE = (
    *(PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError),
    *(RecursionError, NotImplementedError, OSError),
)
"""What pypdf raises for damaged files; it checks little of what it reads."""


@dataclass(frozen=True, slots=True)
class PdfFacts:
    """The title (empty without one), a printed label for each page, and the outline's titles with their level."""

    title: str
    labels: list[str]
    outline: dict[str, int]


def read_facts(source: Path | bytes, password: str | None, pages: int) -> PdfFacts:
    """Plain page numbers and no outline where pypdf cannot read what pdfium could."""
    numbers = [str(number) for number in range(1, pages + 1)]
    # pypdf warns about every oddity that it mends; pdfium has read the text already.
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        reader = pypdf.PdfReader(io.BytesIO(source) if isinstance(source, bytes) else source)
        if reader.is_encrypted and not reader.decrypt(password or ""):
            return PdfFacts("", numbers, {})
        title = (reader.metadata.title or "") if reader.metadata else ""
        labels = list(reader.page_labels)
        outline = dict(_outline_levels(reader.outline, 1))
    # A damaged file makes pypdf fail in any of these ways; its text is worth having without the rest.
    except PYPDF_DAMAGE as error:
        name = source if isinstance(source, Path) else "A repaired PDF"
        _LOG.warning("%s: outline and page labels cannot be read: %r", name, error)
        return PdfFacts("", numbers, {})
    return PdfFacts(title, labels if len(labels) == pages else numbers, outline)


def _outline_levels(entries: Sequence[Any], level: int) -> Iterator[tuple[str, int]]:
    for entry in entries:
        if isinstance(entry, list):
            yield from _outline_levels(entry, level + 1)
        elif title := str(entry.title or "").strip():
            yield title_key(title), level
