"""What readers say of answers, kept in an SQLite file of the home, and what of it a reranker can be trained on.

What is kept holds the whole answer with the passages that were shown, so that it stays true when chat or documents go;
it does not hold who said it. It goes with the collection.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ingest.errors import StorageError, UsageError
from rag_app.answer import Answer, Passage
from rag_app.chats import Opinion
from rag_app.database import transaction
from retrievers.rerank.instructions import resolve


@dataclass(frozen=True, slots=True)
class ModelNames:
    """What made an answer, by name; `language_model` is None where the answer quotes."""

    reranker: str
    embedder: str
    language_model: str | None


@dataclass(frozen=True, slots=True)
class Feedback:
    """An opinion, and what it is about. `question` is as typed; `answer.question` is what was searched."""

    opinion: Opinion
    question: str
    answer: Answer
    collection: str
    models: ModelNames
    at: datetime


@dataclass(frozen=True, slots=True)
class TrainingPair:
    """A query with passages that do or do not answer it, as far as a reader has said so."""

    query: str
    instruction: str | None
    positives: tuple[Passage, ...]
    negatives: tuple[Passage, ...]


_FEEDBACK = TypeAdapter(Feedback)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS feedback (
    attempt TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    content TEXT NOT NULL
) STRICT;
"""


class FeedbackStore:
    """The feedback of a home. Safe to use from several threads and processes; the file is made with the first.

    Every method raises `StorageError` where the file cannot be used.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / "feedback.sqlite"

    def put(self, attempt: str, feedback: Feedback) -> None:
        """Keeps the feedback on this attempt at an answer, in place of any before."""
        row = (attempt, feedback.at.isoformat(), _FEEDBACK.dump_json(feedback).decode())
        with transaction(self._path, _SCHEMA) as connection:
            connection.execute("INSERT OR REPLACE INTO feedback VALUES (?, ?, ?)", row)

    def withdraw(self, attempt: str) -> None:
        """Forgets what was said of this attempt."""
        with transaction(self._path, _SCHEMA) as connection:
            connection.execute("DELETE FROM feedback WHERE attempt = ?", (attempt,))

    def forget_collection(self, collection: str) -> None:
        """Deletes all feedback on answers from this collection, with the passages that they show."""
        if not self._path.exists():
            return
        with transaction(self._path, _SCHEMA) as connection:
            connection.execute("DELETE FROM feedback WHERE json_extract(content, '$.collection') = ?", (collection,))

    def all(self) -> list[Feedback]:
        """All feedback, oldest first. Raises `StorageError` also for what another version of this program kept."""
        if not self._path.exists():
            return []
        with transaction(self._path, _SCHEMA) as connection:
            rows = connection.execute("SELECT content FROM feedback ORDER BY at").fetchall()
        try:
            return [_FEEDBACK.validate_json(content) for (content,) in rows]
        except ValidationError as error:
            raise StorageError(
                f"{self._path} holds feedback of another version of this program ({error.errors()[0]['msg']}). "
                "Export it with that version."
            ) from error


def training_pair(feedback: Feedback) -> TrainingPair:
    """What the opinion tells about single passages, and nothing beyond.

    An answer that is good was borne out by the passages that it cites, except where the check found that they do not
    say it: these are positives. "wrong-passage" says that the cited ones do not answer the question: negatives. No
    other reason blames a passage, for the words may be wrong while the passage is right. Of what was shown but not
    cited, and of the passages beside a refusal, nobody has said anything.
    """
    answer, opinion = feedback.answer, feedback.opinion
    borne_out = {citation.number for citation in answer.citations if citation.state != "unsupported"}
    named = {citation.number for citation in answer.citations}
    positive = borne_out if opinion.good and not answer.refused else set()
    negative = named if opinion.reason == "wrong-passage" and not opinion.good else set()
    return TrainingPair(
        answer.question,
        None if answer.instruction is None else resolve(answer.instruction),
        tuple(passage for passage in answer.passages if passage.number in positive),
        tuple(passage for passage in answer.passages if passage.number in negative),
    )


def export_pairs(feedback: Sequence[Feedback], path: Path) -> int:
    """Writes the training pairs as JSON lines and says how many; feedback that labels no passage has none.

    Raises `UsageError` where the file cannot be written.
    """
    lines = list(_lines(feedback))
    try:
        path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}). Name a file in a folder that exists."
        ) from error
    return len(lines)


def _lines(feedback: Sequence[Feedback]) -> Iterator[dict[str, Any]]:
    for one in feedback:
        pair = training_pair(one)
        if pair.positives or pair.negatives:
            yield {
                "query": pair.query,
                "instruction": pair.instruction,
                "positives": [_passage(passage) for passage in pair.positives],
                "negatives": [_passage(passage) for passage in pair.negatives],
                "comment": one.opinion.comment,
                "collection": one.collection,
                "reranker": one.models.reranker,
                "at": one.at.isoformat(),
            }


def _passage(passage: Passage) -> dict[str, Any]:
    """Title and section stand apart from the text; a reranker reads them before it."""
    keys = ("text", "title", "section", "source", "page", "document_id", "chunk_id", "score", "retrieval_score")
    return {key: getattr(passage, key) for key in keys}
