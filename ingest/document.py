"""What a loader returns, and the vocabulary of a chunk's metadata.

A file becomes a `Document` of `Page`s; a page is a list of `Block`s in reading order. Loaders decide what a
heading, a paragraph and a table are; `chunking` decides where a chunk begins and ends. Neither knows the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in points; the origin is the top left corner of the page as it is displayed."""

PageBox = tuple[int, float, float, float, float]
"""A `Box` with its 1-based physical page in front."""


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line. `box` is None where the format has no geometry (DOCX, HTML, Markdown, text)."""

    text: str
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph (or list item), or a table (its lines are Markdown rows).

    `level` is the depth of a heading, 1 for the highest, and 0 for everything else.
    """

    kind: Literal["heading", "text", "table"]
    lines: tuple[Line, ...]
    level: int = 0

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class Ocr:
    """That a page's text was recognised in its image: `confidence` (0 to 1, mean of its characters) and why."""

    confidence: float
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page: `number` is physical and 1-based, `label` is what is printed on it ("iv", "A-3", "17").

    Formats without pages have one page, labelled "". Width and height are points, 0 without geometry. `ocr` is None
    where the text is the file's own. `problem` says, in a sentence, why nothing or not everything of the page was
    read; empty when all is well.
    """

    number: int
    label: str
    blocks: tuple[Block, ...]
    width: float = 0.0
    height: float = 0.0
    ocr: Ocr | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file inside a file, which becomes a document of its own; `name` is a file name without folders."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Media:
    """What is known of an image or a video beside its text: "width", "duration", ... with values for people."""

    kind: Literal["image", "video"]
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A file as read: its title (from its metadata, else its first heading, else empty) and its pages."""

    title: str
    pages: tuple[Page, ...]
    attachments: tuple[Attachment, ...] = ()
    media: Media | None = None
