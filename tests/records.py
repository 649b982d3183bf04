"""Documents of a catalog, as the tests need them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ingest.records import DocumentRecord, FileRecord


def document(
    document_id: str = "d1",
    *paths: str,
    version: str = "",
    title: str = "Press HP-40",
    pages: int = 12,
    chunks: int = 30,
    stamp: tuple[int, int] = (1000, 1_700_000_000_123_456_789),
) -> DocumentRecord:
    """A document read from these files, each shown by its name."""
    files = tuple(
        FileRecord(Path(path), Path(path).name, *stamp, document_id=document_id)
        for path in paths or ("/docs/press.pdf",)
    )
    return DocumentRecord(
        document_id=document_id,
        version=version or f"{document_id}-1",
        content_hash="a" * 64,
        title=title,
        titled_by_name=False,
        pages=pages,
        ocr_pages=0,
        chunks=chunks,
        media=None,
        ingested_at=datetime(2025, 5, 1, 12, 30, tzinfo=UTC),
        files=files,
    )
