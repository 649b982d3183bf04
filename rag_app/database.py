"""Small SQLite files in the home, beside the collections: chats, grids, and what readers said of answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ingest.errors import StorageError

# How long a writer waits for another one.
WAIT_SECONDS = 10.0


@contextmanager
def transaction(path: Path, schema: str) -> Iterator[sqlite3.Connection]:
    """A transaction over the file, which is made where there is none; `schema` must do no harm when it is run again.

    Each has a connection of its own, so any thread may ask. Raises `StorageError` where the file cannot be used.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=WAIT_SECONDS)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            # A power cut may cost the last words, never the file.
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.executescript(schema)
            with connection:
                yield connection
    except (sqlite3.Error, OSError) as error:
        raise StorageError(f"{path} cannot be used ({error}). Restore it, or remove it to begin anew.") from error
