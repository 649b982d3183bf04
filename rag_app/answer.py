"""What crosses the border to a person: passages, citations, answers, and the events of an answer being made."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.document import PageBox


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage given to the answer, numbered from 1, best first.

    `score` is the reranker's, None where its time did not reach this passage, `retrieval_score` the first stage's;
    `retrieval_rank` is the passage's place (from 1) before reranking. `boxes` cover the lines of the text, in order;
    empty where the format has no geometry. `box_spans[i]` is the range of characters in `text` that `boxes[i]` covers.
    `ocr_confidence` (0 to 1) tells that the text was recognised in an image; None: it is the file's own.
    """

    number: int
    text: str
    source: str
    title: str
    page: int
    page_label: str
    section: str
    document_id: str
    chunk_id: str
    score: float | None
    retrieval_score: float
    retrieval_rank: int
    boxes: tuple[PageBox, ...] = ()
    box_spans: tuple[tuple[int, int], ...] = ()
    ocr_confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a statement of the answer comes from.

    `number` is the mark `[n]` in the answer's text and the number of the passage. `quote` stands word for word in
    that passage when `verified`; `page` is where the quote begins, `boxes` cover it line by line.
    `ocr_confidence` is that of the passage.
    """

    number: int
    quote: str
    verified: bool
    source: str
    title: str
    page: int
    page_label: str
    section: str
    document_id: str
    chunk_id: str
    boxes: tuple[PageBox, ...] = ()
    ocr_confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished reply.

    `refused`: the documents do not say, `text` explains that and `passages` are the nearest ones.
    `quoted`: no language model was used, `text` is made of the passages' own sentences.
    `question` is the standalone form that was searched. `timings_ms` maps a stage to its milliseconds, in order.
    `instruction` is the name or the text of what the reranker was told, None where it follows no instructions.
    `scored` of the `candidates` were reached by the reranker in its time. `left_out` counts the best passages for which
    the language model had no room; they are not among the `passages`.
    `reasoning` is what the language model wrote before its answer; empty unless the setting `llm_thinking` shows it.
    """

    question: str
    text: str
    refused: bool
    quoted: bool
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    evidence: float
    timings_ms: dict[str, float] = field(default_factory=dict)
    instruction: str | None = None
    candidates: int = 0
    scored: int = 0
    left_out: int = 0
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of a conversation, oldest first in a history."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class StageDone:
    """A stage of the pipeline has ended: "standalone", "dense", "keyword", "fuse", "rerank", "gate", "answer"."""

    stage: str
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the answer's text as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of every question."""

    answer: Answer


Event = StageDone | Token | Finished
