"""The files that documents were read from, as a browser may have them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ingest.catalog import Catalog, catalog_path, require_collection
from ingest.config import StoreConfig
from ingest.errors import RagError, UsageError
from ingest.loaders import SUPPORTED_SUFFIXES
from ingest.loaders.signature import Format, format_of
from ingest.records import DocumentRecord

# Pictures that every browser shows. Others, and whatever could run a script, are saved instead of opened.
_SHOWN_IMAGES = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))
# What has one of these suffixes is opened by a program that reads nothing else. Texts look alike.
_BINARY = frozenset((".pdf", ".docx", ".pptx", ".xlsx", ".odt"))
PLAIN_TEXT = "text/plain"
SAVED = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Original:
    """A file of the catalog: its name for people, and its type; `shown` tells that a browser may open it in place."""

    path: Path
    name: str
    media_type: str
    shown: bool


def find_original(location: StoreConfig, document_id: str) -> Original:
    """The file of that document in the collection. Its type goes by the content; a name that says another is mended.

    Raises `UsageError` where the catalog knows no such collection or document, and `RagError` when the file has gone
    or changed since it was read.
    """
    require_collection(location)
    with closing(Catalog(catalog_path(location))) as catalog:
        record = catalog.document(document_id)
    if record is None:
        raise UsageError("This document has been removed from the collection.")
    check_unchanged(record)
    found = format_of(record.path)
    media_type = _shown_type(record.path, found)
    name = _name(Path(record.source).name, found)
    return Original(record.path, name, media_type or SAVED, shown=bool(media_type))


def check_unchanged(record: DocumentRecord) -> None:
    """Raises `RagError` where the file is not there any more, or is not what was read."""
    try:
        status = record.path.stat()
    except OSError as error:
        raise RagError(f"The file {record.path} is not there any more ({error.strerror}). Ingest it again.") from error
    if (status.st_size, status.st_mtime_ns) != record.file.stamp or record.file.problem:
        raise RagError(f"The file {record.path} has changed since it was read. Ingest it again.")


def _name(name: str, found: Format) -> str:
    """The name, with the suffix of the format behind it where its own is that of another one."""
    own = f".{found}"
    suffix = Path(name).suffix.lower()
    wrong = suffix != own and suffix in SUPPORTED_SUFFIXES and not _BINARY.isdisjoint((suffix, own))
    return name + own if wrong and own in SUPPORTED_SUFFIXES else name


def _shown_type(path: Path, found: Format) -> str:
    """The type of a file that a browser may show; "" for all others."""
    match found:
        case "pdf":
            return "application/pdf"
        case "text":
            return PLAIN_TEXT
        case "image":
            with path.open("rb") as file:
                head = file.read(8)
            return next((shown for start, shown in _SHOWN_IMAGES if head.startswith(start)), "")
        case _:
            return ""
