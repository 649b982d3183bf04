"""A question set on disk: documents, questions, and which documents or which places in them are relevant.

The files are `corpus.jsonl` (id, title, text), `queries.jsonl` (id, text), `qrels.tsv` (query, document, grade; no
header) and, where the evidence is a place, `spans.jsonl` (query_id, doc_id, start, end). A question without a row in
`qrels.tsv` is one that the documents do not answer. A question with a `history` follows earlier turns.
"""

from __future__ import annotations

import json
import math
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ingest.errors import UsageError
from rag_app.answer import Turn

MAX_FILE_BYTES = 512 * 2**20


@dataclass(frozen=True, slots=True)
class CorpusDocument:
    id: str
    title: str
    text: str
    lang: str


@dataclass(frozen=True, slots=True)
class Query:
    """`corpus_lang`: search only documents of this language ("": all). `media`: about an image or a video.

    `history` are the turns before a follow-up question, oldest first.
    """

    id: str
    text: str
    lang: str
    corpus_lang: str
    media: bool
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """The characters `start:end` of a document's text."""

    document_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Which questions are asked: those of a language, only follow-ups, and of these so many, drawn by a seed."""

    limit: int | None = None
    split_seed: int = 0
    lang: str | None = None
    follow_ups: bool = False


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Grades are per document; `spans` narrows them to places where the set has them."""

    name: str
    documents: tuple[CorpusDocument, ...]
    queries: tuple[Query, ...]
    grades: dict[str, dict[str, float]]
    spans: dict[str, tuple[Span, ...]]

    @classmethod
    def load(cls, folder: Path) -> QuestionSet:
        """Reads the set. Raises `UsageError` that names the file and line at fault."""
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}. Name one with corpus.jsonl, queries.jsonl and qrels.tsv.")
        documents = tuple(
            CorpusDocument(row["id"], str(row.get("title") or row["id"]), row["text"], str(row.get("lang") or ""))
            for row in _rows(folder / "corpus.jsonl", id=str, text=str)
        )
        queries = tuple(
            Query(
                row["id"],
                row["text"],
                str(row.get("lang") or ""),
                str(row.get("corpus_lang") or ""),
                media=bool(row.get("file")),
                history=_read_history(row.get("history") or [], f"{folder / 'queries.jsonl'}, question {row['id']}"),
            )
            for row in _rows(folder / "queries.jsonl", id=str, text=str)
        )
        return cls(
            folder.resolve().name,
            documents,
            queries,
            _read_grades(folder / "qrels.tsv"),
            _read_spans(folder / "spans.jsonl"),
        )

    def answerable(self, sample: Sample) -> list[Query]:
        """The questions of the sample that have a relevant document and are plain text, in a drawn order if limited."""
        return self._drawn(sample, answerable=True)

    def unanswerable(self, sample: Sample) -> list[Query]:
        """The questions of the sample that no document answers, drawn likewise."""
        return self._drawn(sample, answerable=False)

    def _drawn(self, sample: Sample, *, answerable: bool) -> list[Query]:
        queries = [
            query
            for query in self.queries
            if (query.id in self.grades) is answerable
            and not query.media
            and sample.lang in (None, query.lang)
            and (query.history or not sample.follow_ups)
        ]
        if sample.limit is None:
            return queries
        random.Random(sample.split_seed).shuffle(queries)
        return queries[: sample.limit]


def _read_history(messages: Any, place: str) -> tuple[Turn, ...]:
    """The turns of messages such as {"role": "user" or "assistant", "content": "..."}; an answer may be missing."""
    turns: list[Turn] = []
    try:
        for message in messages:
            role, said = message["role"], message["text"]
            if role not in ("user", "assistant") or not isinstance(said, str):
                raise ValueError(role)
            if role == "user":
                turns.append(Turn(said, ""))
            elif turns:
                turns[-1] = replace(turns[-1], answer=said)
    except (TypeError, KeyError, ValueError) as error:
        raise UsageError(
            f'{place}: expected a history of {{"role": "user" or "assistant", "text": "..."}}, got {messages!r:.200}.'
        ) from error
    return tuple(turns)


def _read_spans(path: Path) -> dict[str, tuple[Span, ...]]:
    """The evidence of each question; empty for a set without spans."""
    if not path.exists():
        return {}
    spans: defaultdict[str, list[Span]] = defaultdict(list)
    for row in _rows(path, query_id=str, doc_id=str, start=int, end=int):
        spans[row["query_id"]].append(Span(row["doc_id"], row["start"], row["end"]))
    return {query: tuple(places) for query, places in spans.items()}


def _read_grades(path: Path) -> dict[str, dict[str, float]]:
    """The documents of a positive grade of each question."""
    grades: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for number, line in _lines(path):
        try:
            query, document, grade = line.rstrip("\n").split("\t")
            value = float(grade)
            if not math.isfinite(value):
                raise ValueError(grade)
        except ValueError as error:
            raise UsageError(
                f"{path}, line {number}: expected query TAB document TAB grade, got {line[:200]!r}."
            ) from error
        if value > 0:
            grades[query][document] = value
    return dict(grades)


def _rows(path: Path, **required: type) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines. Each has the required keys, with values of these types."""
    for number, line in _lines(path):
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise UsageError(f"{path}, line {number} is not valid JSON: {error}.") from error
        if not isinstance(row, dict):
            raise UsageError(f"{path}, line {number}: expected a JSON object, got {line[:200]!r}.")
        for key, kind in required.items():
            if not isinstance(row.get(key), kind):
                seen = repr(row[key])[:200] if key in row else "nothing"
                raise UsageError(f"{path}, line {number}: expected '{key}' of type {kind.__name__}, got {seen}.")
        yield row


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers from 1."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(f"{path} is larger than {MAX_FILE_BYTES >> 20} MB. Split the set.")
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}. A question set has this file.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: {error.reason}. Save it as UTF-8.") from error
