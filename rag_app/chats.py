"""Chats that outlive the process, in an SQLite file of the home. Each belongs to one visitor, and nobody else sees it.

An exchange is one row of JSON. It is written when its question is asked, as stopped, and again when its answer is
there: what was being answered when the process ended is found as stopped. Nothing is written in between.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from rag_app.answer import Answer
from rag_app.database import transaction

MOST_TITLE_CHARACTERS = 120

Reason = Literal["wrong-passage", "wrong-answer", "incomplete", "refused-wrongly", "other"]
"""What is wrong with an answer; see `feedback.training_pair` for what each of them tells about the passages."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a reader says of an answer; `reason` is None where it is good, or where none was named."""

    good: bool
    reason: Reason | None = None
    comment: str = ""


@dataclass(slots=True)
class Exchange:
    """A question and what came of it: nothing yet, the words so far, a finished answer or an error's sentence.

    `quoted` says whose words `text` holds: the documents' own, or a language model's. `instruction` is what the visitor
    chose when asking; None: automatic. `documents` are the titles of those that are read, by id; none: all. `id` tells
    this attempt at an answer from any other, which was there at `answered_at`; it takes the place of `replaces`.
    """

    question: str
    instruction: str | None = None
    documents: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    quoted: bool = False
    answer: Answer | None = None
    answered_at: datetime | None = None
    error: str | None = None
    stopped: bool = False
    opinion: Opinion | None = None
    replaces: str = ""
    id: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def waiting(self) -> bool:
        return self.answer is None and self.error is None and not self.stopped

    def again(self) -> Exchange:
        """The same question, to be answered anew."""
        return Exchange(self.question, self.instruction, self.documents, replaces=self.id)


EXCHANGES = TypeAdapter(list[Exchange])
"""Reads and writes exchanges as JSON; fields that it does not know are passed over, missing ones have their default."""

_EXCHANGE = TypeAdapter(Exchange)


@dataclass(frozen=True, slots=True)
class ChatEntry:
    """A chat in a list."""

    chat_id: str
    title: str


@dataclass(frozen=True, slots=True)
class SavedChat:
    """A chat as it was kept, its exchanges in order."""

    chat_id: str
    collection: str
    title: str
    exchanges: list[Exchange]


def new_chat_id() -> str:
    """A word that nobody guesses."""
    return secrets.token_urlsafe(12)


_SCHEMA = """
CREATE TABLE IF NOT EXISTS chats (
    chat_id TEXT PRIMARY KEY,
    visitor TEXT NOT NULL,
    collection TEXT NOT NULL,
    title TEXT NOT NULL,
    changed_at TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS chats_by_visitor ON chats (visitor, collection, changed_at);
CREATE TABLE IF NOT EXISTS exchanges (
    chat_id TEXT NOT NULL REFERENCES chats ON DELETE CASCADE,
    place INTEGER NOT NULL,
    attempt TEXT NOT NULL,
    question TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (chat_id, place)
) STRICT, WITHOUT ROWID;
"""

_UNREADABLE = (
    "This answer was kept by another version of the program and cannot be read by this one. Ask the question again."
)


class Chats:
    """The chats of a home. Safe to use from several threads and processes; the file is made with the first chat.

    Every method raises `StorageError` where the file cannot be used.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / "chats.sqlite"

    def entries(self, visitor: str, collection: str, limit: int) -> list[ChatEntry]:
        """The visitor's chats over this collection, the one changed last first."""
        if not self._path.exists():
            return []
        query = "SELECT chat_id, title FROM chats WHERE visitor = ? AND collection = ? ORDER BY changed_at DESC LIMIT ?"
        with transaction(self._path, _SCHEMA) as connection:
            rows = connection.execute(query, (visitor, collection, limit)).fetchall()
        return [ChatEntry(chat_id, title) for chat_id, title in rows]

    def read(self, visitor: str, chat_id: str) -> SavedChat | None:
        """The chat, if it is this visitor's. What cannot be read of it says so in place of an answer."""
        if not self._path.exists():
            return None
        with transaction(self._path, _SCHEMA) as connection:
            query = "SELECT collection, title FROM chats WHERE chat_id = ? AND visitor = ?"
            found = connection.execute(query, (chat_id, visitor)).fetchone()
            query = "SELECT question, content FROM exchanges WHERE chat_id = ? ORDER BY place"
            rows = connection.execute(query, (chat_id,)).fetchall()
        if found is None:
            return None
        collection, title = found
        return SavedChat(chat_id, collection, title, [_read(question, content) for question, content in rows])

    def begin(self, visitor: str, chat_id: str, collection: str, place: int, exchange: Exchange) -> None:
        """Notes a question as the one at this place (from 0) of the chat, which its first question makes and names.

        Where another one stands there, which was asked in another window, it comes behind all of them.
        """
        content = _EXCHANGE.dump_json(replace(exchange, stopped=True)).decode()
        title = " ".join(exchange.question.split())[:MOST_TITLE_CHARACTERS]
        with transaction(self._path, _SCHEMA) as connection:
            connection.execute(
                "INSERT INTO chats VALUES (?1, ?2, ?3, ?4, ?5) "
                "ON CONFLICT (chat_id) DO UPDATE SET changed_at = ?5 WHERE visitor = ?2",
                (chat_id, visitor, collection, title, _now()),
            )
            taken = connection.execute(
                "SELECT 1 FROM exchanges WHERE chat_id = ? AND place = ? AND attempt NOT IN (?, ?)",
                (chat_id, place, exchange.id, exchange.replaces),
            ).fetchone()
            if taken:
                query = "SELECT max(place) + 1 FROM exchanges WHERE chat_id = ?"
                [place] = connection.execute(query, (chat_id,)).fetchone()
            connection.execute(
                "INSERT OR REPLACE INTO exchanges SELECT chat_id, ?, ?, ?, ? FROM chats "
                "WHERE chat_id = ? AND visitor = ?",
                (place, exchange.id, exchange.question, content, chat_id, visitor),
            )

    def keep(self, visitor: str, chat_id: str, exchange: Exchange) -> None:
        """Keeps what has come of a question, unless it was asked again since, or its chat has gone."""
        with transaction(self._path, _SCHEMA) as connection:
            connection.execute(
                "UPDATE exchanges SET content = ? WHERE attempt = ? "
                "AND chat_id IN (SELECT chat_id FROM chats WHERE chat_id = ? AND visitor = ?)",
                (_EXCHANGE.dump_json(exchange).decode(), exchange.id, chat_id, visitor),
            )

    def rename(self, visitor: str, chat_id: str, title: str) -> None:
        """Gives the chat this name, cut to `MOST_TITLE_CHARACTERS`."""
        with transaction(self._path, _SCHEMA) as connection:
            connection.execute(
                "UPDATE chats SET title = ? WHERE chat_id = ? AND visitor = ?",
                (" ".join(title.split())[:MOST_TITLE_CHARACTERS], chat_id, visitor),
            )

    def delete(self, visitor: str, chat_id: str) -> None:
        """Deletes the chat with all that was said in it."""
        with transaction(self._path, _SCHEMA) as connection:
            connection.execute("DELETE FROM chats WHERE chat_id = ? AND visitor = ?", (chat_id, visitor))

    def forget_collection(self, collection: str) -> None:
        """Deletes everybody's chats over this collection, with the passages that they show."""
        if not self._path.exists():
            return
        with transaction(self._path, _SCHEMA) as connection:
            connection.execute("DELETE FROM chats WHERE collection = ?", (collection,))


def _read(question: str, content: str) -> Exchange:
    try:
        return _EXCHANGE.validate_json(content)
    except ValidationError:
        return Exchange(question, error=_UNREADABLE)


def _now() -> str:
    return datetime.now(UTC).isoformat()
