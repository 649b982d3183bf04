"""How well the passages are ranked: a question set in, quality and time of each strategy out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.markup import escape
from rich.table import Table

from rag_app.metrics import METRICS
from rag_app.question_set import Query, QuestionSet, Span

Range = tuple[int, int]

# A chunk holds a piece of evidence when it overlaps so many of its characters, or this share of them.
OVERLAP_CHARACTERS = 60
OVERLAP_SHARE = 0.6

PASSAGES_KEPT = 3
"""Of each strategy and question, for whoever wants to see what came first."""
EXCERPT_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class RankedChunk:
    """A passage as a strategy ranked it: its document, and the characters of the document's text that it covers."""

    chunk_id: str
    document_id: str
    ranges: tuple[Range, ...]
    text: str = ""


Search = Callable[[Query], Sequence[RankedChunk]]


@dataclass(slots=True)
class StrategyResult:
    """One strategy's metrics, averaged over the questions asked, and its mean milliseconds a question."""

    values: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in METRICS})
    seconds: list[float] = field(default_factory=list)

    def as_dict(self) -> dict[str, float]:
        means = {name: sum(values) / len(values) for name, values in self.values.items()}
        return {**means, "ms_per_query": 1000 * sum(self.seconds) / len(self.seconds)}


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Words of a document, which may be none."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a strategy found: the rank of the first relevant item, None where it is not among the first `DEPTH`.

    `passages` are the ids of those that it ranked first.
    """

    rank: int | None
    passages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """A question, what answers it, and what each strategy found."""

    id: str
    text: str
    expected: tuple[Excerpt, ...]
    found: dict[str, Found]


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured. `queries` were asked of each strategy.

    `without_evidence` of them have evidence that stands in no chunk: it was cut apart, no ranking can find it, and
    they count as zero. `media` questions of the set are about an image or a video and were not asked. `passages` are
    those that the `questions` name, by id.
    """

    dataset: str
    queries: int
    without_evidence: int
    media: int
    strategies: dict[str, StrategyResult]
    questions: tuple[QuestionResult, ...] = ()
    passages: dict[str, Excerpt] = field(default_factory=dict)

    def as_dict(self, *, details: bool = False) -> dict[str, Any]:
        """The averages; with `details` also every question and the passages that came first."""
        averages = {
            "dataset": self.dataset,
            "queries": self.queries,
            "without_evidence": self.without_evidence,
            "media": self.media,
            "strategies": {name: result.as_dict() for name, result in self.strategies.items()},
        }
        if not details:
            return averages
        return averages | {
            "questions": [asdict(question) for question in self.questions],
            "passages": {chunk_id: asdict(passage) for chunk_id, passage in self.passages.items()},
        }


class Judge:
    """The relevance of chunks to questions: by place where the question has spans, else by document."""

    def __init__(self, question_set: QuestionSet, chunks: Sequence[RankedChunk]) -> None:
        self._set = question_set
        self._documents = {document.id: document for document in question_set.documents}
        self._by_document: dict[str, list[RankedChunk]] = {}
        for chunk in chunks:
            self._by_document.setdefault(chunk.document_id, []).append(chunk)

    @property
    def name(self) -> str:
        """The question set's name."""
        return self._set.name

    def documents(self, query: Query) -> frozenset[str]:
        """The ids of the documents that answer; empty for an unanswerable question."""
        return frozenset(self._set.grades.get(query.id, ()))

    def relevant(self, query: Query) -> dict[str, float]:
        """The grade of everything relevant: chunk ids where the question has spans, else document ids."""
        spans = self._set.spans.get(query.id)
        if not spans:
            return self._set.grades[query.id]
        return {
            chunk.chunk_id: 1.0
            for span in spans
            for chunk in self._by_document.get(span.document_id, ())
            if holds(chunk.ranges, span)
        }

    def expected(self, query: Query) -> tuple[Excerpt, ...]:
        """What answers the question: the places where the question has spans, else the titles of the documents."""
        spans = self._set.spans.get(query.id)
        if not spans:
            return tuple(Excerpt(self.title(document), "") for document in self._set.grades[query.id])
        return tuple(Excerpt(self.title(span.document_id), self._words(span)) for span in spans)

    def title(self, document_id: str) -> str:
        document = self._documents.get(document_id)
        return document.title if document else document_id

    def _words(self, span: Span) -> str:
        document = self._documents.get(span.document_id)
        return document.text[span.start : span.end][:EXCERPT_CHARACTERS] if document else ""

    def items(self, query: Query, ranked: Sequence[RankedChunk]) -> list[str]:
        """The ranking in the terms of `relevant`: chunk ids, or each document once at its first chunk's place."""
        if self._set.spans.get(query.id):
            return [chunk.chunk_id for chunk in ranked]
        return list(dict.fromkeys(chunk.document_id for chunk in ranked))


def holds(ranges: Sequence[Range], span: Span) -> bool:
    """Whether these characters overlap the span by 60 characters or by 60 % of it."""
    overlap = sum(max(0, min(end, span.end) - max(start, span.start)) for start, end in ranges)
    return overlap >= min(OVERLAP_CHARACTERS, OVERLAP_SHARE * (span.end - span.start)) and overlap > 0


def evaluate(
    question_set: QuestionSet,
    queries: Sequence[Query],
    judge: Judge,
    strategies: Mapping[str, Search],
    *,
    on_query: Callable[[], None] = lambda: None,
) -> Report:
    """Asks every strategy every question; `on_query` is called after each."""
    results = {name: StrategyResult() for name in strategies}
    questions: list[QuestionResult] = []
    passages: dict[str, Excerpt] = {}
    without_evidence = 0
    for query in queries:
        relevant = judge.relevant(query)
        without_evidence += not relevant
        found: dict[str, Found] = {}
        for name, search in strategies.items():
            started = time.perf_counter()
            ranked = search(query)
            results[name].seconds.append(time.perf_counter() - started)
            grades = [relevant.get(item, 0.0) for item in judge.items(query, ranked)]
            for metric, compute in METRICS.items():
                results[name].values[metric].append(compute(grades, list(relevant.values())))
            first = ranked[:PASSAGES_KEPT]
            passages.update((chunk.chunk_id, Excerpt(judge.title(chunk.document_id), chunk.text)) for chunk in first)
            rank = next((rank for rank, grade in enumerate(grades, start=1) if grade > 0), None)
            found[name] = Found(rank, tuple(chunk.chunk_id for chunk in first))
        questions.append(QuestionResult(query.id, query.text, judge.expected(query), found))
        on_query()
    media = sum(query.media for query in question_set.queries)
    return Report(question_set.name, len(queries), without_evidence, media, results, tuple(questions), passages)


def report_table(report: Report) -> Table:
    """The report for a terminal, a strategy a row, the best value of each column in bold."""
    table = Table(title=escape(f"{report.dataset}: {report.queries} questions"), caption=_left_out(report))
    columns = [*METRICS, "ms_per_query"]
    table.add_column("strategy")
    for column in columns:
        table.add_column(column.replace("ms_per_query", "ms/query"), justify="right")
    rows = {name: result.as_dict() for name, result in report.strategies.items()}
    best = {
        column: (min if column == "ms_per_query" else max)(row[column] for row in rows.values()) for column in columns
    }
    for name, row in rows.items():
        cells = []
        for column in columns:
            text = f"{row[column]:.1f}" if column == "ms_per_query" else f"{row[column]:.3f}"
            cells.append(f"[bold]{text}[/bold]" if row[column] == best[column] else text)
        table.add_row(escape(name), *cells)
    return table


def _left_out(report: Report) -> str | None:
    notes = []
    if report.without_evidence:
        notes.append(f"{report.without_evidence} of them count as zero: no single passage holds their evidence.")
    if report.media:
        notes.append(f"{report.media} more about images and videos were not asked.")
    return "\n".join(notes) or None


class Locator:
    """Finds passages in the text they were cut from, though white space and line-end hyphens have changed."""

    def __init__(self, text: str) -> None:
        self._places = [place for place, character in enumerate(text) if _counts(character)]
        self._squeezed = "".join(text[place] for place in self._places)
        self._cursor = 0

    def ranges(self, passage: str) -> tuple[Range, ...]:
        """The character range of each line of the passage that stands in the text.

        Passages are asked for in reading order: a line that stands there twice is taken after the one before.
        """
        found = (self._find(line) for line in passage.split("\n"))
        return tuple(place for place in found if place is not None)

    def _find(self, line: str) -> Range | None:
        wanted = "".join(character for character in line if _counts(character))
        if not wanted:
            return None
        at = self._squeezed.find(wanted, self._cursor)
        if at < 0:
            at = self._squeezed.find(wanted)
        if at < 0:
            return None
        self._cursor = at + len(wanted)
        return self._places[at], self._places[self._cursor - 1] + 1


def _counts(character: str) -> bool:
    return not character.isspace() and character != "-"
