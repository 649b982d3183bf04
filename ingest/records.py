"""What a collection keeps: documents, the files that they were read from, how each page was read, and passages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.document import Attachment, Media, Ocr, Page

if TYPE_CHECKING:
    import numpy as np
    from llama_index.core.schema import TextNode
    from numpy.typing import NDArray


def version_of(document_id: str, digest: str) -> str:
    """The name under which the indexes hold what `digest` stands for of this document."""
    return f"{document_id}-{digest}"


def document_of(version: str) -> str:
    """The id of the document that a version is of."""
    return version.rpartition("-")[0]


NEVER_READ = (0, 0)
"""The stamp of a file that is to be read whenever it is met: no real one has it."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file that was looked at. `source` is the name shown to people, `modified_ns` and `size` are of that time.

    `document_id` names the document that it holds, None while it holds none. `problem` is the sentence that says why
    the file as it is now could not be read; both can be set: then the document is from before the file was spoilt.
    A file with neither waits to be read. `container` is the id of the document that it is an attachment of, else "".
    """

    path: Path
    source: str
    size: int
    modified_ns: int
    document_id: str | None = None
    problem: str = ""
    container: str = ""

    @property
    def stamp(self) -> tuple[int, int]:
        return self.size, self.modified_ns

    def unread(self) -> FileRecord:
        """The same file, to be read whenever it is met."""
        size, modified_ns = NEVER_READ
        return replace(self, size=size, modified_ns=modified_ns)


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """One live document: a content, known under one file or several identical ones.

    `version` names what the indexes hold of it. `titled_by_name` tells that the content says no title and the first
    file's name stands in. `revision_of` is the id of the document that this one is most likely a revision of, else
    "". `media` is what is known of an image or a video. `tags` are what people file it under, in order.
    """

    document_id: str
    version: str
    content_hash: str
    title: str
    titled_by_name: bool
    pages: int
    ocr_pages: int
    chunks: int
    media: Media | None
    ingested_at: datetime
    files: tuple[FileRecord, ...]
    revision_of: str = ""
    tags: tuple[str, ...] = ()

    @property
    def file(self) -> FileRecord:
        """The first of its files by path: the one that it is called by."""
        return self.files[0]

    @property
    def path(self) -> Path:
        return self.file.path

    @property
    def source(self) -> str:
        return self.file.source


@dataclass(frozen=True, slots=True)
class HiddenDocument:
    """A document that a person deleted a short while ago, which can be restored until it is removed."""

    record: DocumentRecord
    hidden_at: datetime


@dataclass(frozen=True, slots=True)
class PageRecord:
    """How a page was read: its characters, by OCR or not, and what went wrong, in a sentence ("" for nothing)."""

    number: int
    label: str
    characters: int
    ocr: Ocr | None
    problem: str

    @classmethod
    def of(cls, page: Page) -> PageRecord:
        characters = sum(len(line.text) for block in page.blocks for line in block.lines)
        return cls(page.number, page.label, characters, page.ocr, page.problem)


@dataclass(frozen=True, slots=True)
class Entry:
    """A version of a document as it is put into a collection. Every node carries its vector in `embedding`.

    `sketch` tells near-identical texts: see `ingest.revisions`.
    """

    record: DocumentRecord
    nodes: Sequence[TextNode]
    pages: Sequence[PageRecord] = ()
    sketch: NDArray[np.uint32] | None = None
    attachments: Sequence[Attachment] = ()
