"""The files that documents were read from, as a browser may have them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ingest.catalog import Catalog, catalog_path, require_collection
from ingest.config import StoreConfig
from ingest.errors import RagError, UsageError
from ingest.loaders.signature import format_of
from ingest.records import DocumentRecord

# Pictures that every browser shows. Others, and whatever could run a script, are saved instead of opened.
_SHOWN_IMAGES = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))
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
    """The file of that document in the collection. The type goes by the content, not by the name.

    Raises `UsageError` where the catalog knows no such collection or document, and `RagError` when the file has gone
    or changed since it was read.
    """
    require_collection(location)
    with closing(Catalog(catalog_path(location))) as catalog:
        record = catalog.document(document_id)
    if record is None:
        raise UsageError("This document has been removed from the collection.")
    check_unchanged(record)
    media_type = _shown_type(record.path)
    return Original(record.path, Path(record.source).name, media_type or SAVED, shown=bool(media_type))


def check_unchanged(record: DocumentRecord) -> None:
    """Raises `RagError` where the file is not there any more, or is not what was read."""
    try:
        status = record.path.stat()
    except OSError as error:
        raise RagError(f"The file {record.path} is not there any more ({error.strerror}). Ingest it again.") from error
    if (status.st_size, status.st_mtime_ns) != record.file.stamp or record.file.problem:
        raise RagError(f"The file {record.path} has changed since it was read. Ingest it again.")


def _shown_type(path: Path) -> str:
    """The type of a file that a browser may show; "" for all others."""
    match format_of(path):
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
