"""From a file to a `Document`: one module a format, chosen by the file's content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ingest.document import Document
from ingest.loaders.errors import LockedFileError, UnreadableFileError, UnsupportedFileError
from ingest.loaders.reading import Reading
from ingest.loaders.signature import Format, format_of

__all__ = ["SUPPORTED_SUFFIXES", "LockedFileError", "Reading", "UnreadableFileError", "UnsupportedFileError", "load"]

MAX_FILE_BYTES = 512 * 2**20
# Nothing of a video but its head is read.
MAX_VIDEO_BYTES = 64 * 2**30

Loader = Callable[[Path, Reading], Document]


def _pdf(path: Path, reading: Reading) -> Document:
    from ingest.loaders.pdf import load_pdf

    return load_pdf(path, reading)


def _docx(path: Path, reading: Reading) -> Document:
    from ingest.loaders.word import load_docx

    return load_docx(path)


def _pptx(path: Path, reading: Reading) -> Document:
    from ingest.loaders.slides import load_pptx

    return load_pptx(path, reading)


def _xlsx(path: Path, reading: Reading) -> Document:
    from ingest.loaders.sheets import load_xlsx

    return load_xlsx(path, reading)


def _odt(path: Path, reading: Reading) -> Document:
    from ingest.loaders.opendocument import load_odt

    return load_odt(path)


def _html(path: Path, reading: Reading) -> Document:
    from ingest.loaders.web import load_html

    return load_html(path)


def _eml(path: Path, reading: Reading) -> Document:
    from ingest.loaders.mail import load_eml

    return load_eml(path)


def _markdown(path: Path, reading: Reading) -> Document:
    from ingest.loaders.text import load_markdown

    return load_markdown(path)


def _delimited(path: Path, reading: Reading) -> Document:
    from ingest.loaders.delimited import load_delimited

    return load_delimited(path)


def _text(path: Path, reading: Reading) -> Document:
    from ingest.loaders.text import load_text

    return load_text(path)


def _image(path: Path, reading: Reading) -> Document:
    from ingest.loaders.media import load_image

    return load_image(path, reading)


def _video(path: Path, reading: Reading) -> Document:
    from ingest.loaders.media import load_video

    return load_video(path, reading)


_LOADERS: dict[Format, Loader] = {
    "pdf": _pdf,
    "docx": _docx,
    "pptx": _pptx,
    "xlsx": _xlsx,
    "odt": _odt,
    "html": _html,
    "eml": _eml,
    "text": _text,
    "image": _image,
    "video": _video,
}
# Formats of text look alike: here the name decides, and the content where the name says nothing.
_TEXT_LOADERS: dict[str, Loader] = {
    ".html": _html,
    ".htm": _html,
    ".eml": _eml,
    ".md": _markdown,
    ".markdown": _markdown,
    ".csv": _delimited,
    ".tsv": _delimited,
    ".txt": _text,
}
_TEXT_FORMATS: tuple[Format, ...] = ("html", "eml", "text")

SUPPORTED_SUFFIXES = frozenset(_TEXT_LOADERS).union(
    (".pdf", ".docx", ".pptx", ".xlsx", ".odt"),
    (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".gif", ".bmp"),
    (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"),
)
"""What a folder is searched for. A file that is named itself is read whatever it is called."""


def load(path: Path, reading: Reading | None = None) -> Document:
    """The file as a document with at least one word of text, or with what is known of a picture or a video.

    Raises `UnsupportedFileError` for a format that is not read and `UnreadableFileError` for a file that is damaged,
    locked (`LockedFileError`) or empty.
    """
    size = path.stat().st_size
    if size == 0:
        raise UnreadableFileError("The file is empty.")
    found = format_of(path)
    limit = MAX_VIDEO_BYTES if found == "video" else MAX_FILE_BYTES
    if size > limit:
        raise UnreadableFileError(f"The file has {size >> 20} MB; at most {limit >> 20} MB are read. Split it.")
    document = _loader(path.suffix.lower(), found)(path, reading or Reading())
    text = any(block.text.strip() for page in document.pages for block in page.blocks)
    if not (text or document.media or document.attachments):
        raise UnreadableFileError("The file holds no text.")
    return document


def _loader(suffix: str, found: Format) -> Loader:
    if found == "unknown" and suffix in SUPPORTED_SUFFIXES:
        raise UnreadableFileError(f"The file is named '{suffix}', but its content is something else or damaged.")
    if found == "unknown":
        kinds = ", ".join(sorted(SUPPORTED_SUFFIXES))
        raise UnsupportedFileError(f"Files of type '{suffix}' cannot be read. Expected one of {kinds}.")
    return _TEXT_LOADERS.get(suffix, _LOADERS[found]) if found in _TEXT_FORMATS else _LOADERS[found]
