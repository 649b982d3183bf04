"""The grids that were asked last on the page, in an SQLite file of the home: one of each visitor for each collection.

A cell is one row of JSON, written when it is answered. What an answer was chosen from is left out: no grid shows it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection

from pydantic import TypeAdapter, ValidationError

from rag_app.answer import Answer
from rag_app.database import transaction

MOST_CELLS = 20_000
"""Kept of all grids of a home together, at about 20 KB each; a grid itself counts as one. The oldest grids go first."""

Place = tuple[str, str]
"""Where a cell stands: the id of its document, and its question."""


@dataclass(frozen=True, slots=True)
class SavedGrid:
    """What was asked of which documents, by id, and the answers that were there."""

    grid_id: str
    questions: tuple[str, ...]
    documents: tuple[str, ...]
    answers: dict[Place, Answer] = field(default_factory=dict)


_ANSWER = TypeAdapter(Answer)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS grids (
    grid_id TEXT PRIMARY KEY,
    visitor TEXT NOT NULL,
    collection TEXT NOT NULL,
    questions TEXT NOT NULL,
    documents TEXT NOT NULL,
    size INTEGER NOT NULL,
    begun_at TEXT NOT NULL,
    UNIQUE (visitor, collection)
) STRICT;
CREATE TABLE IF NOT EXISTS cells (
    grid_id TEXT NOT NULL REFERENCES grids ON DELETE CASCADE,
    document_id TEXT NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (grid_id, document_id, question)
) STRICT, WITHOUT ROWID;
"""


class Grids:
    """The grids of a home. Safe to use from several threads and processes; the file is made with the first grid.

    Every method raises `StorageError` where the file cannot be used.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / "grids.sqlite"

    def begin(self, visitor: str, collection: str, questions: Sequence[str], documents: Sequence[str]) -> str:
        """Notes what is asked, in place of what this visitor asked of the collection before; the id of the grid."""
        grid_id = secrets.token_urlsafe(12)
        row = (grid_id, visitor, collection, json.dumps(questions), json.dumps(documents), 1, _now())
        with transaction(self._path, _SCHEMA) as connection:
            connection.execute("DELETE FROM grids WHERE (visitor, collection) = (?, ?)", (visitor, collection))
            connection.execute("INSERT INTO grids VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            _make_room(connection, grid_id)
        return grid_id

    def keep(self, grid_id: str, place: Place, answer: Answer) -> None:
        """Keeps the answer of a cell, unless another grid has taken the place of this one."""
        content = _ANSWER.dump_json(replace(answer, ranking=(), gate=None)).decode()
        with transaction(self._path, _SCHEMA) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO cells SELECT grid_id, ?, ?, ? FROM grids WHERE grid_id = ?",
                (*place, content, grid_id),
            )
            # Kept with the grid: to count the cells of all grids would read them all at every answer.
            connection.execute(
                "UPDATE grids SET size = 1 + (SELECT count(*) FROM cells WHERE grid_id = ?1) WHERE grid_id = ?1",
                (grid_id,),
            )
            _make_room(connection, grid_id)

    def read(self, visitor: str, collection: str) -> SavedGrid | None:
        """What this visitor asked last of the collection; without the cells that another version has kept."""
        if not self._path.exists():
            return None
        with transaction(self._path, _SCHEMA) as connection:
            query = "SELECT grid_id, questions, documents FROM grids WHERE (visitor, collection) = (?, ?)"
            found = connection.execute(query, (visitor, collection)).fetchone()
            if found is None:
                return None
            grid_id, questions, documents = found
            query = "SELECT document_id, question, answer FROM cells WHERE grid_id = ?"
            rows = connection.execute(query, (grid_id,)).fetchall()
        answers = {(document, question): answer for document, question, text in rows if (answer := _read(text))}
        return SavedGrid(grid_id, tuple(json.loads(questions)), tuple(json.loads(documents)), answers)

    def forget_collection(self, collection: str) -> None:
        """Deletes everybody's grid over this collection, with the passages that it shows."""
        if not self._path.exists():
            return
        with transaction(self._path, _SCHEMA) as connection:
            connection.execute("DELETE FROM grids WHERE collection = ?", (collection,))


def _make_room(connection: Connection, grid_id: str) -> None:
    """Deletes the oldest grids beyond `MOST_CELLS`, but not this one."""
    connection.execute(
        "DELETE FROM grids WHERE grid_id IN (SELECT grid_id FROM "
        "(SELECT grid_id, sum(size) OVER (ORDER BY begun_at DESC, grid_id) AS so_far FROM grids) "
        "WHERE so_far > ?) AND grid_id <> ?",
        (MOST_CELLS, grid_id),
    )


def _read(content: str) -> Answer | None:
    try:
        return _ANSWER.validate_json(content)
    except ValidationError:
        return None


def _now() -> str:
    return datetime.now(UTC).isoformat()
