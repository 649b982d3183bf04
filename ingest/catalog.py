"""Which documents a collection holds, in SQLite; the transaction that makes a new version visible.

Chroma and the keyword index follow the catalog. A version is written to them first, then made live here, then the
version before it is deleted from them. `stale` lists the versions that they may still hold without being live: it is
written before they are touched, so that whatever a crash leaves behind is known and removed by the next run.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from ingest.config import StoreConfig
from ingest.errors import RagError, UnknownCollectionError, UsageError

Kind = Literal["general", "manual", "contract"]
"""What the documents of a collection are; it decides what counts as relevant where a question does not say."""

KINDS: tuple[Kind, ...] = get_args(Kind)
DEFAULT_KIND: Kind = "general"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS identity (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS properties (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS documents (
    document_id TEXT PRIMARY KEY,
    content_hash TEXT NOT NULL,
    path TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    title TEXT NOT NULL,
    pages INTEGER NOT NULL,
    chunks INTEGER NOT NULL,
    size INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    ingested_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS stale (version TEXT PRIMARY KEY) STRICT;
"""


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """One live document. `source` is the name shown to people, `path` the file it was read from."""

    document_id: str
    content_hash: str
    path: Path
    source: str
    title: str
    pages: int
    chunks: int
    size: int
    modified_ns: int
    ingested_at: datetime

    @property
    def version(self) -> str:
        return version_of(self.document_id, self.content_hash)


def version_of(document_id: str, content_hash: str) -> str:
    """The name under which the indexes hold this content of this document."""
    return f"{document_id}-{content_hash[:16]}"


class Catalog:
    """The documents of one collection. Safe to use from several threads; every method is one transaction."""

    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise RagError(
                f"The catalog {path} cannot be opened ({error}). Restore it, or remove its folder and ingest again."
            ) from error
        self._lock = threading.RLock()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def identity(self) -> dict[str, str]:
        """What the collection was made with; empty for a new one."""
        with self._lock:
            return dict(self._connection.execute("SELECT key, value FROM identity"))

    def set_identity(self, identity: dict[str, str]) -> None:
        with self._transaction() as connection:
            connection.execute("DELETE FROM identity")
            connection.executemany("INSERT INTO identity VALUES (?, ?)", identity.items())

    def kind(self) -> Kind:
        """What the documents are; the default where nobody said. Raises `RagError` for a kind of a later version."""
        with self._lock:
            row = self._connection.execute("SELECT value FROM properties WHERE key = 'kind'").fetchone()
        stored = DEFAULT_KIND if row is None else row[0]
        for kind in KINDS:
            if kind == stored:
                return kind
        raise RagError(
            f"The collection is of the kind '{stored}', which this version does not know. "
            f"Set one of {', '.join(KINDS)} with rag-app ingest --kind."
        )

    def set_kind(self, kind: Kind) -> None:
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO properties VALUES ('kind', ?)", (kind,))

    def documents(self) -> list[DocumentRecord]:
        """All live documents by source name."""
        with self._lock:
            rows = self._connection.execute("SELECT * FROM documents ORDER BY source, path").fetchall()
        return [_record(row) for row in rows]

    def document(self, document_id: str) -> DocumentRecord | None:
        with self._lock:
            row = self._connection.execute("SELECT * FROM documents WHERE document_id = ?", (document_id,)).fetchone()
        return None if row is None else _record(row)

    def live_versions(self) -> set[str]:
        with self._lock:
            rows = self._connection.execute("SELECT document_id, content_hash FROM documents").fetchall()
        return {version_of(*row) for row in rows}

    def begin(self, version: str) -> None:
        """Notes that the indexes are about to receive a version that is not live yet; a live one is not noted."""
        with self._transaction() as connection:
            if version in self.live_versions():  # noted, it would be swept after a crash
                return
            connection.execute("INSERT OR IGNORE INTO stale VALUES (?)", (version,))

    def make_live(self, record: DocumentRecord) -> None:
        """Shows this version of the document in place of the one before it, which becomes stale."""
        with self._transaction() as connection:
            self._mark_stale(connection, record.document_id)
            connection.execute("DELETE FROM stale WHERE version = ?", (record.version,))
            connection.execute(
                "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    record.document_id,
                    record.content_hash,
                    str(record.path),
                    record.source,
                    record.title,
                    record.pages,
                    record.chunks,
                    record.size,
                    record.modified_ns,
                    record.ingested_at.astimezone(UTC).isoformat(),
                ),
            )

    def touch(self, document_id: str, *, size: int, modified_ns: int) -> None:
        """Remembers the file's new time stamp; its content is the same."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE documents SET size = ?, modified_ns = ? WHERE document_id = ?",
                (size, modified_ns, document_id),
            )

    def remove(self, document_id: str) -> None:
        """Hides the document; its version becomes stale."""
        with self._transaction() as connection:
            self._mark_stale(connection, document_id)
            connection.execute("DELETE FROM documents WHERE document_id = ?", (document_id,))

    def stale(self) -> list[str]:
        """Versions that the indexes may hold though they are not live."""
        with self._lock:
            return [version for (version,) in self._connection.execute("SELECT version FROM stale")]

    def forget_stale(self, version: str) -> None:
        with self._transaction() as connection:
            connection.execute("DELETE FROM stale WHERE version = ?", (version,))

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @staticmethod
    def _mark_stale(connection: sqlite3.Connection, document_id: str) -> None:
        rows = connection.execute(
            "SELECT document_id, content_hash FROM documents WHERE document_id = ?", (document_id,)
        ).fetchall()
        connection.executemany("INSERT OR IGNORE INTO stale VALUES (?)", [(version_of(*row),) for row in rows])


def _record(row: tuple[str, str, str, str, str, int, int, int, int, str]) -> DocumentRecord:
    document_id, content_hash, path, source, title, pages, chunks, size, modified_ns, ingested_at = row
    return DocumentRecord(
        document_id,
        content_hash,
        Path(path),
        source,
        title,
        pages,
        chunks,
        size,
        modified_ns,
        datetime.fromisoformat(ingested_at),
    )


def check_name(name: str) -> None:
    """Raises `UsageError` unless the name can be a folder and reads as one word."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"A collection's name has 1 to 63 letters, digits, dots, dashes or underscores; got '{name[:80]}'."
        )


def catalog_path(config: StoreConfig) -> Path:
    return config.folder / "catalog.sqlite"


def collection_names(home: Path) -> list[str]:
    """The names of the collections in this home, sorted."""
    return sorted(path.parent.name for path in (home / "collections").glob("*/catalog.sqlite"))


def require_collection(config: StoreConfig) -> None:
    """Raises `UnknownCollectionError` unless the collection exists."""
    check_name(config.collection)
    if catalog_path(config).exists():
        return
    names = collection_names(config.home)
    known = f"Known ones: {', '.join(names)}." if names else "There is no index yet: rag-app ingest PATH makes one."
    raise UnknownCollectionError(f"No collection '{config.collection}' in {config.home}. {known}")
