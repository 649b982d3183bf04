"""The tables of the catalog in SQLite, and records as their rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.document import Media
from ingest.errors import IndexMismatchError
from ingest.records import DocumentRecord, FileRecord, PageRecord

_VERSION = 3
# Of these nothing but tables is missing.
_EXTENSIBLE = (2,)
# The same in every version of this program; the first had none.
PROPERTIES = "CREATE TABLE IF NOT EXISTS properties (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT"
SCHEMA = """
CREATE TABLE IF NOT EXISTS identity (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS documents (
    document_id TEXT PRIMARY KEY,
    version TEXT NOT NULL UNIQUE,
    content_hash TEXT NOT NULL,
    title TEXT NOT NULL,
    titled_by_name INTEGER NOT NULL,
    pages INTEGER NOT NULL,
    ocr_pages INTEGER NOT NULL,
    chunks INTEGER NOT NULL,
    media TEXT NOT NULL,
    ingested_at TEXT NOT NULL,
    revision_of TEXT -- NULL until it was looked for
) STRICT;
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    size INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    document_id TEXT REFERENCES documents,
    problem TEXT NOT NULL,
    container TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS files_by_document ON files (document_id);
CREATE INDEX IF NOT EXISTS files_by_container ON files (container);
CREATE TABLE IF NOT EXISTS pages (
    document_id TEXT NOT NULL REFERENCES documents ON DELETE CASCADE,
    number INTEGER NOT NULL,
    label TEXT NOT NULL,
    characters INTEGER NOT NULL,
    ocr_confidence REAL,
    ocr_reason TEXT NOT NULL,
    problem TEXT NOT NULL,
    PRIMARY KEY (document_id, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sketches (
    document_id TEXT PRIMARY KEY REFERENCES documents ON DELETE CASCADE,
    sketch BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS bands (
    band INTEGER NOT NULL,
    document_id TEXT NOT NULL REFERENCES documents ON DELETE CASCADE,
    PRIMARY KEY (band, document_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS bands_by_document ON bands (document_id);
CREATE TABLE IF NOT EXISTS stale (version TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS tags (
    document_id TEXT NOT NULL REFERENCES documents ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (document_id, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tags_by_tag ON tags (tag);
CREATE INDEX IF NOT EXISTS failed_files ON files (path) WHERE problem <> '';
CREATE INDEX IF NOT EXISTS documents_by_earlier ON documents (revision_of);
CREATE TABLE IF NOT EXISTS hidden (
    document_id TEXT PRIMARY KEY REFERENCES documents ON DELETE CASCADE,
    hidden_at TEXT NOT NULL,
    origin TEXT NOT NULL -- the document with which it was hidden: itself, or the one that it came inside of
) STRICT;
CREATE VIEW IF NOT EXISTS live AS
    SELECT * FROM documents WHERE document_id NOT IN (SELECT document_id FROM hidden);
"""


def check_schema(connection: sqlite3.Connection) -> None:
    """Raises `IndexMismatchError` for a catalog of an earlier version, whose tables are others."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and version not in (*_EXTENSIBLE, _VERSION):
        raise IndexMismatchError(
            "The collection was made by another version of this program. Rebuild it: rag-app ingest --rebuild PATH."
        )
    connection.execute(f"PRAGMA user_version = {_VERSION}")


def file_row(file: FileRecord) -> tuple[object, ...]:
    """In the order of the columns, as the rows below."""
    return (
        str(file.path),
        file.source,
        file.size,
        file.modified_ns,
        file.document_id,
        file.problem,
        file.container,
    )


def document_row(record: DocumentRecord) -> tuple[object, ...]:
    return (
        record.document_id,
        record.version,
        record.content_hash,
        record.title,
        record.titled_by_name,
        record.pages,
        record.ocr_pages,
        record.chunks,
        _media_to_json(record.media),
        record.ingested_at.astimezone(UTC).isoformat(),
        None,
    )


def _media_to_json(media: Media | None) -> str:
    return json.dumps(media and {"kind": media.kind, "facts": media.facts}, ensure_ascii=False)


def _media_from_json(text: str) -> Media | None:
    values = json.loads(text)
    return values and Media(values["kind"], tuple((name, value) for name, value in values["facts"]))


def file_of(row: Any) -> FileRecord:
    path, *others = row
    return FileRecord(Path(path), *others)


def document_of(row: Any, files: Sequence[FileRecord], tags: Sequence[str]) -> DocumentRecord:
    document_id, version, content_hash, title, named, pages, ocr_pages, chunks, media, at, revision_of = row
    return DocumentRecord(
        document_id,
        version,
        content_hash,
        title,
        bool(named),
        pages,
        ocr_pages,
        chunks,
        _media_from_json(media),
        datetime.fromisoformat(at),
        tuple(files),
        revision_of or "",
        tuple(tags),
    )


def page_row(record: DocumentRecord, page: PageRecord) -> tuple[object, ...]:
    sure, reason = (page.ocr.confidence, page.ocr.reason) if page.ocr else (None, "")
    return record.document_id, page.number, page.label, page.characters, sure, reason, page.problem
