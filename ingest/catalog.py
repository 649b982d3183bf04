"""Which documents a collection holds, in SQLite; the transaction that makes a new version visible.

Chroma and the keyword index follow the catalog. A version is written to them first, then made live here, then the
version before it is deleted from them. `stale` lists the versions that they may still hold without being live: it is
written before they are touched, so that whatever a crash leaves behind is known and removed by the next run.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from ingest.config import StoreConfig
from ingest.document import Ocr
from ingest.errors import IndexMismatchError, RagError, StorageError, UnknownCollectionError, UsageError
from ingest.listing import Listing
from ingest.records import NEVER_READ, DocumentRecord, FileRecord, HiddenDocument, PageRecord
from ingest.revisions import Sketch, bands
from ingest.schema import PROPERTIES, SCHEMA, check_schema, document_of, document_row, file_of, file_row, page_row

Kind = Literal["general", "manual", "contract"]
"""What the documents of a collection are; it decides what counts as relevant where a question does not say."""

KINDS: tuple[Kind, ...] = get_args(Kind)
DEFAULT_KIND: Kind = "general"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
MOST_TAG_CHARACTERS = 40


class Catalog:
    """The documents of one collection. Safe to use from several threads; every method is one transaction."""

    def __init__(self, path: Path, *, any_version: bool = False) -> None:
        """Opens or makes it. With `any_version` one of another version of this program is opened too, for its kind.

        Raises `IndexMismatchError` for one of another version, and `RagError` for a file that is no catalog.
        """
        self._path = path
        try:
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._connection.create_function("casefold", 1, str.casefold, deterministic=True)
            if not any_version:
                check_schema(self._connection)
                self._connection.executescript(SCHEMA)
            self._connection.execute(PROPERTIES)
        except IndexMismatchError:
            self._connection.close()
            raise
        except sqlite3.DatabaseError as error:
            raise RagError(
                f"The catalog {path} cannot be opened ({error}). Restore it, or remove its folder and ingest again."
            ) from error
        self._lock = threading.RLock()
        self._sources: dict[str, str] | None = None
        self._generation = 0

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except sqlite3.OperationalError as error:
                raise StorageError(f"The catalog {self._path} cannot be written ({error}).") from error
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """A transaction that may change which documents are live, or what they are called."""
        with self._transaction() as connection:
            yield connection
            # Before others can look: the lock is held until after the commit.
            self._sources = None
            self._generation += 1

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    @property
    def generation(self) -> int:
        """Grows with every change of the live documents: two equal values mean that none came or went between."""
        return self._generation

    # What the collection is

    def identity(self) -> dict[str, str]:
        """What the collection was made with; empty for a new one."""
        return dict(self._rows("SELECT key, value FROM identity"))

    def set_identity(self, identity: Mapping[str, str]) -> None:
        with self._transaction() as connection:
            connection.execute("DELETE FROM identity")
            connection.executemany("INSERT INTO identity VALUES (?, ?)", identity.items())

    def kind(self) -> Kind:
        """What the documents are; the default where nobody said. Raises `RagError` for a kind of a later version."""
        rows = self._rows("SELECT value FROM properties WHERE key = 'kind'")
        stored = rows[0][0] if rows else DEFAULT_KIND
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

    def instruction(self) -> str | None:
        """What counts as relevant where a question does not say, a name or a text; None where nobody said."""
        rows = self._rows("SELECT value FROM properties WHERE key = 'instruction'")
        return str(rows[0][0]) if rows else None

    def set_instruction(self, instruction: str | None) -> None:
        with self._transaction() as connection:
            connection.execute("DELETE FROM properties WHERE key = 'instruction'")
            if instruction is not None:
                connection.execute("INSERT INTO properties VALUES ('instruction', ?)", (instruction,))

    def identifier(self) -> str:
        """A random word that tells this collection from any other, the same as long as it lives."""
        with self._transaction() as connection:
            made = ("identifier", secrets.token_hex(8))
            connection.execute("INSERT OR IGNORE INTO properties VALUES (?, ?)", made)
            rows = connection.execute("SELECT value FROM properties WHERE key = 'identifier'").fetchall()
        return str(rows[0][0])

    # What it holds

    def documents(self, *, hidden: bool = False) -> list[DocumentRecord]:
        """All live documents by source name; with `hidden` also those out of sight."""
        records = self._documents("documents" if hidden else "live", "")
        return sorted(records, key=lambda record: (record.source, str(record.path)))

    def newest(self, limit: int) -> list[DocumentRecord]:
        """The live documents that were stored last, the last one first."""
        with self._lock:
            rows = self._rows("SELECT document_id FROM live ORDER BY ingested_at DESC LIMIT ?", limit)
            return [record for (document_id,) in rows if (record := self.document(document_id))]

    def document(self, document_id: str) -> DocumentRecord | None:
        """The live document of that id."""
        records = self._documents("live", "WHERE document_id = ?", document_id)
        return records[0] if records else None

    def count(self, listing: Listing | None = None) -> int:
        """How many live documents there are, or how many of them `listing` wants."""
        where, values = (listing or Listing()).where()
        return int(self._rows(f"SELECT count(*) FROM live {where}", *values)[0][0])

    def listed(self, listing: Listing, limit: int, offset: int = 0) -> list[DocumentRecord]:
        """The live documents that `listing` wants in its order, so many of them after the first `offset`."""
        where, values = listing.where()
        query = f"SELECT document_id FROM live {where} ORDER BY {listing.ordering()} LIMIT ? OFFSET ?"
        with self._lock:
            ids = [document_id for (document_id,) in self._rows(query, *values, limit, offset)]
            records = {record.document_id: record for record in self._records("live", ids)}
        return [records[document_id] for document_id in ids]

    def _records(self, table: Literal["live", "documents"], ids: Sequence[str]) -> list[DocumentRecord]:
        return self._documents(table, f"WHERE document_id IN ({', '.join('?' * len(ids))})", *ids)

    def _documents(self, table: Literal["live", "documents"], where: str, *values: object) -> list[DocumentRecord]:
        with self._lock:
            rows = self._rows(f"SELECT * FROM {table} {where}", *values)
            files: dict[str, list[FileRecord]] = {}
            for row in self._rows(f"SELECT * FROM files {where} ORDER BY path", *values):
                file = file_of(row)
                files.setdefault(file.document_id or "", []).append(file)
            tags: dict[str, list[str]] = {}
            for document_id, tag in self._rows(f"SELECT * FROM tags {where} ORDER BY tag", *values):
                tags.setdefault(document_id, []).append(tag)
        return [document_of(row, files[row[0]], tags.get(row[0], ())) for row in rows]

    def revisions_of(self, document_id: str) -> list[DocumentRecord]:
        """The live documents that are revisions of this one."""
        return self._documents(
            "live", "WHERE document_id IN (SELECT document_id FROM live WHERE revision_of = ?)", document_id
        )

    def tags(self) -> dict[str, int]:
        """Every tag that live documents have, in order, with the number of those documents."""
        return dict(self._rows("SELECT tag, count(*) FROM tags JOIN live USING (document_id) GROUP BY tag"))

    def hidden(self) -> list[HiddenDocument]:
        """The documents that were hidden themselves, the last one first; not those that went with them."""
        with self._lock:
            rows = self._rows(
                "SELECT document_id, hidden_at FROM hidden WHERE document_id = origin ORDER BY hidden_at DESC"
            )
            records = {record.document_id: record for record in self._records("documents", [row[0] for row in rows])}
        return [HiddenDocument(records[document_id], datetime.fromisoformat(at)) for document_id, at in rows]

    def hidden_passages(self) -> int:
        """How many passages of hidden documents the indexes hold."""
        rows = self._rows("SELECT total(chunks) FROM documents JOIN hidden USING (document_id)")
        return int(rows[0][0])

    def holds(self, document_id: str) -> bool:
        """Whether there is a document of that id, live or hidden."""
        return bool(self._rows("SELECT 1 FROM documents WHERE document_id = ?", document_id))

    def failed_files(self) -> list[FileRecord]:
        """The files that could not be read as they are now, by path."""
        return [file_of(row) for row in self._rows("SELECT * FROM files WHERE problem <> '' ORDER BY path")]

    def waiting_files(self) -> list[FileRecord]:
        """The files that were handed in and not read yet, by path; not attachments, which come with their document."""
        query = (
            "SELECT * FROM files WHERE (size, modified_ns) = (?, ?) AND problem = '' AND container = '' ORDER BY path"
        )
        return [file_of(row) for row in self._rows(query, *NEVER_READ)]

    def files(self) -> dict[Path, FileRecord]:
        """Every file that was looked at, attachments too, by path in order."""
        return {file.path: file for file in map(file_of, self._rows("SELECT * FROM files ORDER BY path"))}

    def file(self, path: Path) -> FileRecord | None:
        rows = self._rows("SELECT * FROM files WHERE path = ?", str(path))
        return file_of(rows[0]) if rows else None

    def files_of(self, document_id: str) -> list[Path]:
        """The files that hold a document, live or hidden."""
        return [Path(path) for (path,) in self._rows("SELECT path FROM files WHERE document_id = ?", document_id)]

    def pages(self, document_id: str) -> list[PageRecord]:
        """How each page of a document was read, in order."""
        rows = self._rows("SELECT * FROM pages WHERE document_id = ? ORDER BY number", document_id)
        return [
            PageRecord(number, label, characters, None if sure is None else Ocr(sure, reason), problem)
            for _, number, label, characters, sure, reason, problem in rows
        ]

    def page_labels(self, document_id: str) -> dict[int, str]:
        """What is printed for each page of a document, by its number."""
        return dict(self._rows("SELECT number, label FROM pages WHERE document_id = ?", document_id))

    def troubled_documents(self) -> set[str]:
        """The documents with a page that could not be read whole."""
        return {row[0] for row in self._rows("SELECT DISTINCT document_id FROM pages WHERE problem <> ''")}

    def sources(self) -> dict[str, str]:
        """The live versions, each with the name of its document's first file. Not to be changed by the caller."""
        with self._lock:
            if self._sources is None:
                self._sources = dict(
                    self._rows("SELECT version, source FROM live JOIN files USING (document_id) ORDER BY path DESC")
                )
            return self._sources

    # How it changes

    def begin(self, versions: Iterable[str]) -> None:
        """Notes that the indexes are about to receive versions that are not live yet; live ones are not noted."""
        with self._transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO stale SELECT ?1 WHERE ?1 NOT IN (SELECT version FROM documents)",
                [(version,) for version in versions],
            )

    def make_live(
        self,
        record: DocumentRecord,
        pages: Sequence[PageRecord] = (),
        sketch: Sketch | None = None,
        attachments: Sequence[FileRecord] = (),
    ) -> None:
        """Shows this version of the document in place of the one before it, which becomes stale.

        Its files now hold this document; a document that they held before, and that no other file holds, goes. Its tags
        are the new one's: a revision is filed where the text before was. A hidden document is shown again.
        """
        with self._change() as connection:
            before = connection.execute(
                "SELECT version FROM documents WHERE document_id = ? AND version <> ?",
                (record.document_id, record.version),
            ).fetchall()
            connection.executemany("INSERT OR IGNORE INTO stale VALUES (?)", before)
            connection.execute("DELETE FROM stale WHERE version = ?", (record.version,))
            connection.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (document_id) DO UPDATE SET version = excluded.version, "
                "content_hash = excluded.content_hash, title = excluded.title, "
                "titled_by_name = excluded.titled_by_name, pages = excluded.pages, ocr_pages = excluded.ocr_pages, "
                "chunks = excluded.chunks, media = excluded.media, ingested_at = excluded.ingested_at, "
                "revision_of = NULL",
                document_row(record),
            )
            for table in ("pages", "sketches", "bands"):
                connection.execute(f"DELETE FROM {table} WHERE document_id = ?", (record.document_id,))
            connection.execute("DELETE FROM hidden WHERE ? IN (document_id, origin)", (record.document_id,))
            connection.executemany(
                "INSERT OR IGNORE INTO tags SELECT ?, tag FROM tags WHERE document_id = ?",
                [(record.document_id, held) for held in _held_by(connection, [file.path for file in record.files])],
            )
            connection.executemany(
                "INSERT INTO pages VALUES (?, ?, ?, ?, ?, ?, ?)", [page_row(record, page) for page in pages]
            )
            if sketch is not None:
                _put_sketch(connection, record.document_id, sketch)
            _put_files(connection, record.files)
            # Those that a version before has left are what they were: the content is the same.
            connection.executemany(
                "INSERT OR IGNORE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)",
                map(file_row, attachments),
            )

    def put_files(self, files: Sequence[FileRecord]) -> None:
        """Remembers these files as they are; a document that no file holds any more becomes stale."""
        with self._change() as connection:
            _put_files(connection, files)

    def note_waiting(self, path: Path) -> None:
        """Remembers the file as one that is to be read; what it held before stays until then."""
        with self._change() as connection:
            connection.execute(
                "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE "
                "SET size = excluded.size, modified_ns = excluded.modified_ns, problem = excluded.problem",
                file_row(FileRecord(path, path.name, *NEVER_READ)),
            )

    def forget_files(self, paths: Sequence[Path]) -> None:
        """Forgets these files, and with the last file of a document the document, which becomes stale."""
        with self._change() as connection:
            held = _held_by(connection, paths)
            connection.executemany("DELETE FROM files WHERE path = ?", [(str(path),) for path in paths])
            _drop_orphans(connection, held)

    def hide(self, document_id: str, at: datetime) -> None:
        """Takes the document, and what came inside of it, out of sight until it is restored or removed."""
        with self._change() as connection:
            _hide(connection, document_id, at.astimezone(UTC).isoformat(), origin=document_id)

    def restore(self, document_id: str) -> None:
        """Shows a hidden document again, and what was hidden with it; earlier revisions are to be looked for anew."""
        with self._change() as connection:
            connection.execute(
                "UPDATE documents SET revision_of = NULL "
                "WHERE document_id IN (SELECT document_id FROM hidden WHERE origin = ?)",
                (document_id,),
            )
            connection.execute("DELETE FROM hidden WHERE origin = ?", (document_id,))

    def tag(self, document_id: str, tag: str) -> None:
        """Adds a tag to a document. Raises `UsageError` for what is no tag."""
        check_tag(tag)
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO tags VALUES (?, ?)", (document_id, tag))

    def untag(self, document_id: str, tag: str) -> None:
        with self._transaction() as connection:
            connection.execute("DELETE FROM tags WHERE document_id = ? AND tag = ?", (document_id, tag))

    def remove(self, document_id: str) -> None:
        """Removes the document and forgets its files; its version becomes stale."""
        with self._change() as connection:
            connection.execute("DELETE FROM files WHERE document_id = ?", (document_id,))
            _drop_orphans(connection, {document_id})

    def unlinked(self) -> list[str]:
        """The documents for which no earlier revision was looked for since they were stored, or whose one has gone."""
        rows = self._rows(
            "SELECT document_id FROM live WHERE revision_of IS NULL "
            "OR (revision_of <> '' AND revision_of NOT IN (SELECT document_id FROM documents))"
        )
        return [document_id for (document_id,) in rows]

    def set_revisions(self, revisions: Mapping[str, str]) -> None:
        """Notes for each of these documents the one that it is a revision of, "" for none."""
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE documents SET revision_of = ? WHERE document_id = ?",
                [(earlier, document_id) for document_id, earlier in revisions.items()],
            )

    def revisions(self) -> dict[str, str]:
        """The live documents that are likely revisions of others, each with the one that it is a revision of."""
        return dict(self._rows("SELECT document_id, revision_of FROM live WHERE revision_of <> ''"))

    def alike(self, document_id: str, limit: int) -> dict[str, Sketch]:
        """The sketches of the live documents that share most bands with this one, itself included, by document id.

        Of a band that very many have, as copies of a form do, only the first `limit` by id are looked at.
        """
        own = self._rows("SELECT band FROM bands WHERE document_id = ?", document_id)
        query = "SELECT document_id FROM bands WHERE band = ? ORDER BY document_id LIMIT ?"
        shared = Counter(other for (band,) in own for (other,) in self._rows(query, band, limit))
        shared[document_id] = len(own) + 1
        best = sorted(shared, key=lambda other: (-shared[other], other))[:limit]
        query = "SELECT document_id, sketch FROM sketches JOIN live USING (document_id) WHERE document_id IN"
        rows = self._rows(f"{query} ({', '.join('?' * len(best))})", *best)
        return {other: np.frombuffer(blob, dtype="<u4").astype(np.uint32) for other, blob in rows if own}

    def stale(self) -> list[str]:
        """Versions that the indexes may hold though they are not live."""
        return [version for (version,) in self._rows("SELECT version FROM stale")]

    def forget_stale(self, versions: Iterable[str]) -> None:
        with self._transaction() as connection:
            connection.executemany("DELETE FROM stale WHERE version = ?", [(version,) for version in versions])

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def _put_files(connection: sqlite3.Connection, files: Sequence[FileRecord]) -> None:
    held = _held_by(connection, [file.path for file in files])
    connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)", map(file_row, files))
    _drop_orphans(connection, held)


def _held_by(connection: sqlite3.Connection, paths: Sequence[Path]) -> set[str]:
    """The documents that these files hold."""
    query = "SELECT document_id FROM files WHERE path = ? AND document_id IS NOT NULL"
    return {row[0] for path in paths for row in connection.execute(query, (str(path),))}


def _drop_orphans(connection: sqlite3.Connection, document_ids: set[str]) -> None:
    """Drops those of the documents that no file holds, and what was attached to them."""
    for document_id in document_ids:
        if connection.execute("SELECT 1 FROM files WHERE document_id = ? LIMIT 1", (document_id,)).fetchone():
            continue
        connection.execute(
            "INSERT OR IGNORE INTO stale SELECT version FROM documents WHERE document_id = ?", (document_id,)
        )
        connection.execute("DELETE FROM documents WHERE document_id = ?", (document_id,))
        query = "SELECT path FROM files WHERE container = ?"
        attached = [Path(path) for (path,) in connection.execute(query, (document_id,))]
        held = _held_by(connection, attached)
        connection.execute("DELETE FROM files WHERE container = ?", (document_id,))
        _drop_orphans(connection, held)


def _hide(connection: sqlite3.Connection, document_id: str, at: str, origin: str) -> None:
    connection.execute("INSERT OR IGNORE INTO hidden VALUES (?, ?, ?)", (document_id, at, origin))
    # What came inside of it goes with it, but where another file holds the same.
    attached = connection.execute(
        "SELECT DISTINCT document_id FROM files AS inside WHERE container = ? AND document_id NOT IN ("
        "SELECT document_id FROM hidden) AND NOT EXISTS (SELECT 1 FROM files WHERE document_id = inside.document_id "
        "AND container NOT IN (SELECT document_id FROM hidden))",
        (document_id,),
    ).fetchall()
    for (inside,) in attached:
        _hide(connection, inside, at, origin)


def _put_sketch(connection: sqlite3.Connection, document_id: str, sketch: Sketch) -> None:
    connection.execute("INSERT INTO sketches VALUES (?, ?)", (document_id, sketch.astype("<u4").tobytes()))
    keys = [(band, document_id) for band in bands(sketch)]
    connection.executemany("INSERT OR IGNORE INTO bands VALUES (?, ?)", keys)


def check_name(name: str) -> None:
    """Raises `UsageError` unless the name can be a folder and reads as one word."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"A collection's name has 1 to 63 letters, digits, dots, dashes or underscores; got '{name[:80]}'."
        )


def check_tag(tag: str) -> None:
    """Raises `UsageError` unless it is a word or a few, on one line, without space around."""
    if not tag or len(tag) > MOST_TAG_CHARACTERS or not tag.isprintable() or tag != tag.strip():
        raise UsageError(f"A tag has 1 to {MOST_TAG_CHARACTERS} characters on one line; got '{tag[:80]}'.")


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
