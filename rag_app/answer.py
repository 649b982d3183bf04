"""What crosses the border to a person: passages, citations, answers, and the events of an answer being made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from ingest.amending import WHOLE as WHOLE  # the `target` of a link that concerns a whole document
from ingest.document import PageBox

Relation = Literal["defines", "holds", "amends", "ends", "revises", "drops"]
"""What a passage is to another one.

defines  it says what a term means that the other uses
holds    it is, or holds, the clause, table, attachment or page that the other points to
amends   it changes a clause of the other, which is in another document: what it says governs
ends     it ends a clause of the other, or all of it, and puts nothing in its place
revises  it has the same clause in other words, in a later version of the document: what it says governs
drops    it is of a later version of the document, which has neither a clause of the other nor its words
"""

GOVERNING: tuple[Relation, ...] = ("amends", "ends", "revises", "drops")
"""Where one of these leads from a passage to another, the first governs and not the other, once it is in force."""

Standing = Literal["in force", "to come", "unknown"]
"""Whether what governs by a link does so on the day of the question.

in force  its day has come, or it is a later version that names none
to come   its day is still to come: until then the other governs
unknown   it names no day, one that can be read as past or to come, or a condition
"""


@dataclass(frozen=True, slots=True)
class Link:
    """What a passage is to the one with this `number`, which is often why it came along.

    `target` is the term, or the number as in `Chunk.clauses` ("9.1", "Table 4"), of a page "p. 17". `effective` is
    the day from which an amendment holds, or its condition, `dated` the day of its document, both as written there, ""
    where none is.
    """

    relation: Relation
    target: str
    number: int
    effective: str = ""
    dated: str = ""
    standing: Standing = "in force"


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage given to the answer, numbered from 1, best first.

    `score` is the reranker's, None where its time did not reach this passage, `retrieval_score` the first stage's;
    `retrieval_rank` is the passage's place (from 1) before reranking, 0 where no search found it: it came along for
    its `links` to others. `clauses` are the numbers of what begins or goes on in it. `boxes` cover the lines of the
    text, in order; empty where the format has no geometry. `box_spans[i]` is the range of characters in `text` that
    `boxes[i]` covers. `ocr_confidence` (0 to 1) tells that the text was recognised in an image; None: it is the
    file's own.
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
    clauses: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


State = Literal["verified", "weak", "unsupported"]
"""How well the documents bear something out.

verified     every figure, date, name and code stands there, nothing is denied that is stated, and the words agree
weak         nothing speaks against it, but the words agree only in part; a reader should compare
unsupported  something is not there or is there otherwise, or nothing is cited
"""

STATES: tuple[State, ...] = get_args(State)
"""The best first."""


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a statement of the answer comes from.

    `number` is the mark `[n]` in the answer's text and the number of the passage. `quote` stands word for word in
    that passage; `state` is how well it bears out the statements that lean on it. `page` is where the quote begins,
    `boxes` cover it line by line. `ocr_confidence` is that of the passage.
    """

    number: int
    quote: str
    state: State
    source: str
    title: str
    page: int
    page_label: str
    section: str
    document_id: str
    chunk_id: str
    boxes: tuple[PageBox, ...] = ()
    ocr_confidence: float | None = None

    @property
    def verified(self) -> bool:
        return self.state == "verified"


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence, or a table, that states something: `text[start:end]` of the answer, its marks included.

    `numbers` are those of its marks, in order, once each; without any it is unsupported. Headings, questions and the
    words that introduce a list state nothing.
    """

    start: int
    end: int
    numbers: tuple[int, ...]
    state: State


@dataclass(frozen=True, slots=True)
class CitedText:
    """A text with marks, what it states and what it cites, both in order."""

    text: str
    statements: tuple[Statement, ...] = ()
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class RankedCandidate:
    """A passage that the reranker was given, in few words; `rank` and `retrieval_rank` are its places (from 1).

    `rank` is its place after reranking, `retrieval_rank` the one before; so are the scores, `score` None where the
    reranker's time did not reach it. The reranker read `tokens_kept` of its `tokens`; both are None where it does not
    count them.
    """

    chunk_id: str
    document_id: str
    source: str
    page: int
    page_label: str
    section: str
    excerpt: str
    rank: int
    retrieval_rank: int
    score: float | None
    retrieval_score: float
    tokens: int | None = None
    tokens_kept: int | None = None


@dataclass(frozen=True, slots=True)
class GateReading:
    """How the gate came to its probability that the passages suffice, which must reach the `threshold`.

    `features` maps the name of a feature to its value and `weights` the ones that were used to their weight.
    """

    probability: float
    threshold: float
    features: dict[str, float]
    weights: dict[str, float]


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished reply.

    `refused`: the documents do not say, `text` explains that and `passages` are the nearest ones.
    `statements` are the sentences of `text` that state something; a refusal has none.
    `quoted`: no language model was used, `text` is made of the passages' own sentences.
    `question` is the standalone form that was searched. `timings_ms` maps a stage to its milliseconds, in order.
    `instruction` is the name or the text of what the reranker was told, None where it follows no instructions.
    `scored` of the `candidates` were reached by the reranker in its time. `left_out` counts the best passages for which
    the language model had no room; they are not among the `passages`.
    `reasoning` is what the language model wrote before its answer; empty unless the setting `llm_thinking` shows it.
    `ranking` are all candidates, best first; `gate` is None where there was nothing to judge.
    """

    question: str
    text: str
    refused: bool
    quoted: bool
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    evidence: float
    statements: tuple[Statement, ...] = ()
    timings_ms: dict[str, float] = field(default_factory=dict)
    instruction: str | None = None
    candidates: int = 0
    scored: int = 0
    left_out: int = 0
    reasoning: str = ""
    ranking: tuple[RankedCandidate, ...] = ()
    gate: GateReading | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of a conversation, oldest first in a history."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Loading:
    """A model is being loaded before the question can be answered; comes again and again until it is."""

    model: str


@dataclass(frozen=True, slots=True)
class StageDone:
    """A stage of the pipeline has ended: "standalone", "dense", "keyword", "fuse", "rerank", "long",
    "gate", "closure", "answer"."""

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


Event = Loading | StageDone | Token | Finished
