"""From a file to a `Document`: one module a family of formats, chosen by suffix and checked by content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ingest.document import Document
from ingest.loaders.errors import UnreadableFileError, UnsupportedFileError
from ingest.loaders.reading import Reading

__all__ = ["SUPPORTED_SUFFIXES", "Reading", "UnreadableFileError", "UnsupportedFileError", "load"]

MAX_FILE_BYTES = 512 * 2**20


def _pdf(path: Path, reading: Reading) -> Document:
    from ingest.loaders.pdf import load_pdf

    return load_pdf(path, reading)


def _docx(path: Path, reading: Reading) -> Document:
    from ingest.loaders.office import load_docx

    return load_docx(path)


def _html(path: Path, reading: Reading) -> Document:
    from ingest.loaders.web import load_html

    return load_html(path)


def _markdown(path: Path, reading: Reading) -> Document:
    from ingest.loaders.text import load_markdown

    return load_markdown(path)


def _text(path: Path, reading: Reading) -> Document:
    from ingest.loaders.text import load_text

    return load_text(path)


_LOADERS: dict[str, Callable[[Path, Reading], Document]] = {
    ".pdf": _pdf,
    ".docx": _docx,
    ".html": _html,
    ".htm": _html,
    ".md": _markdown,
    ".markdown": _markdown,
    ".txt": _text,
}
SUPPORTED_SUFFIXES = frozenset(_LOADERS)


def load(path: Path, reading: Reading | None = None) -> Document:
    """The file as a document with at least one word of text.

    Raises `UnsupportedFileError` for a type that is not known and `UnreadableFileError` for a file that is damaged,
    locked, empty or not what its name says.
    """
    loader = _LOADERS.get(path.suffix.lower())
    if loader is None:
        kinds = ", ".join(sorted(SUPPORTED_SUFFIXES))
        raise UnsupportedFileError(f"Files of type '{path.suffix}' cannot be read. Expected one of {kinds}.")
    size = path.stat().st_size
    if size == 0:
        raise UnreadableFileError("The file is empty.")
    if size > MAX_FILE_BYTES:
        raise UnreadableFileError(
            f"The file has {size >> 20} MB; at most {MAX_FILE_BYTES >> 20} MB are read. Split it."
        )
    document = loader(path, reading or Reading())
    if not any(block.text.strip() for page in document.pages for block in page.blocks):
        raise UnreadableFileError("The file holds no text.")
    return document
