"""An assistant that honours the real one's protocol without any index: answers are scripted, documents are a list."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from PIL import Image, ImageDraw
from records import document
from word_reranker import WordReranker

from ingest.catalog import Catalog, Kind
from ingest.document import PageBox
from ingest.embedding import MiniLmEncoder
from ingest.errors import RagError, UsageError
from ingest.records import DocumentRecord
from ingest.report import DocumentReport, IngestReport
from rag_app.answer import (
    Answer,
    Citation,
    Event,
    Finished,
    GateReading,
    Loading,
    Passage,
    RankedCandidate,
    StageDone,
    State,
    Statement,
    Token,
    Turn,
)
from rag_app.answering import RunningAnswers
from rag_app.chats import Chats, Exchange
from rag_app.evaluations import Evaluations
from rag_app.feedback import Feedback, FeedbackStore, ModelNames
from rag_app.grids import Grids
from rag_app.jobs import Jobs
from rag_app.library import PageImage
from rag_app.models import Model, Models
from rag_app.originals import Original
from rag_app.reranking import Candidate, Contestant, contestants
from rag_app.settings import Settings, load_settings
from retrievers.rerank.errors import RerankerSelfTestError
from retrievers.rerank.late_interaction import LateInteractionReranker

HOSTILE = "<script>alert(1)</script> <|im_end|> # x ![](http://198.51.100.1/x.png) $x$ :material/home: :smile: **b**"

QUOTE = "Tighten the head bolts to 45 Nm."
TEXT = f"7.3 Head bolts\n{QUOTE} Repeat after the first ten hours of operation.\n\n{HOSTILE}"
TABLE = "| Code | Meaning |\n| --- | --- |\n| E07 | Oil pressure too low |\n| E08 | Guard open |"


def record(name: str, *, title: str = "", pages: int = 24, chunks: int = 61) -> DocumentRecord:
    return document(f"id-{name}", f"/documents/{name}", title=title or name, pages=pages, chunks=chunks)


MANUAL = record("hp-40-service-manual.pdf", title="HP-40 Hydraulic Press: Service Manual")
AGREEMENT = record("purchase-agreement.docx", title="Purchase Agreement", pages=1, chunks=18)


def passage(number: int, document: DocumentRecord, **values: object) -> Passage:
    """A passage of that document; `values` replace what it says by default."""
    default = Passage(
        number=number,
        text=TEXT,
        source=document.source,
        title=document.title,
        page=6 + number,
        page_label=str(6 + number),
        section="7 Maintenance > 7.3 Head bolts",
        document_id=document.document_id,
        chunk_id=f"chunk-{number}",
        score=0.93 - 0.17 * number,
        retrieval_score=0.02 + 0.004 * number,
        retrieval_rank=(4, 2, 1, 3)[number - 1],
        boxes=((6 + number, 72.0, 120.0, 400.0, 134.0),) if document.pages > 1 else (),
    )
    return replace(default, **values)


PASSAGES = (
    passage(1, MANUAL),
    passage(2, AGREEMENT, page=1, page_label="", section="4 Delivery", text=f"4.1 Delivery\n{QUOTE}\n\n{TABLE}"),
    passage(3, MANUAL, section=""),
    passage(4, MANUAL, section=HOSTILE),
)


def cite(cited: Passage, quote: str = QUOTE, state: State = "verified") -> Citation:
    return Citation(
        number=cited.number,
        quote=quote,
        state=state,
        source=cited.source,
        title=cited.title,
        page=cited.page,
        page_label=cited.page_label,
        section=cited.section,
        document_id=cited.document_id,
        chunk_id=cited.chunk_id,
        boxes=cited.boxes,
    )


def answer_of(text: str, **values: object) -> Answer:
    default = Answer(
        question="How tight are the head bolts?",
        text=text,
        refused=False,
        quoted=True,
        citations=(cite(PASSAGES[0]), cite(PASSAGES[1])),
        passages=PASSAGES,
        evidence=0.8,
        timings_ms={"dense": 14.0, "keyword": 3.0, "fuse": 0.4, "rerank": 412.0, "gate": 0.1, "answer": 21.0},
    )
    return replace(default, **values)


QUOTED = answer_of(f"“{QUOTE}” [1]\n\n“{HOSTILE}” [2]")
WRITTEN = answer_of(f"The bolts take **45 Nm** [1].\n\n- twice [2]\n\n{HOSTILE} [9]", quoted=False)
DOUBTFUL = answer_of(
    f"The bolts take 45 Nm [1]. They are <b>red</b> [2]. {HOSTILE}",
    quoted=False,
    statements=(
        Statement(0, 25, (1,), "weak"),
        Statement(26, 50, (2,), "unsupported"),
        Statement(51, 51 + len(HOSTILE), (), "unsupported"),
    ),
)
REFUSED = answer_of(
    "The documents do not seem to answer this question.\n\nThe nearest passages are:\n\n- HP-40 manual, p. 7 [1]",
    refused=True,
    quoted=False,
    citations=(),
)
RANKING = tuple(
    RankedCandidate(
        chunk_id=f"chunk-{rank}",
        document_id=PASSAGES[rank % 4].document_id,
        source=PASSAGES[rank % 4].source,
        page=6 + rank,
        page_label="",
        section=HOSTILE if rank == 4 else "7 Maintenance",
        excerpt=f"Candidate {rank}. {HOSTILE}",
        rank=rank,
        retrieval_rank=7 - rank,
        score=None if rank == 6 else 0.9 - 0.1 * rank,
        retrieval_score=0.02 + 0.001 * rank,
        tokens=400,
        tokens_kept=300 if rank == 2 else 400,
    )
    for rank in range(1, 7)
)
GATE = GateReading(0.81, 0.55, {"relevance": 1.1, "lead": 0.4, "missing": 0.0}, {"relevance": 1.356, "lead": 1.936})
EXPLAINED = answer_of(QUOTED.text, ranking=RANKING, gate=GATE, candidates=6, scored=5)
BROKEN = RerankerSelfTestError("The reranker <b>model</b> ranks known pairs wrongly. Load another one.")
INSTRUCTED = answer_of(
    QUOTED.text, candidates=30, scored=22, passages=(*PASSAGES[:3], replace(PASSAGES[3], score=None))
)


@cache
def small_models() -> Models:
    """The embedded model alone, as the embedded profile has it."""
    encoder = MiniLmEncoder()
    return Models(Model.ready("embedding", "all-MiniLM-L6-v2", encoder), encoder)


@dataclass
class FakeAssistant:
    """Answers every question with `answer` after adding `subject` to it, or raises `error`; records its questions."""

    answer: Answer = QUOTED
    records: list[DocumentRecord] = field(default_factory=lambda: [MANUAL, AGREEMENT])
    collection: str = "default"
    profile: str = "embedded"
    language_model: str | None = None
    error: Exception | None = None
    seconds_per_token: float = 0.0
    subject: str = ""
    kind: Kind = "general"
    follows_instructions: bool = False
    asked: list[tuple[str, tuple[Turn, ...]]] = field(default_factory=list)
    instructions: list[str | None] = field(default_factory=list)
    documents_read: list[tuple[str, ...]] = field(default_factory=list)
    closed: int = 0
    questions: list[str] = field(default_factory=lambda: ["What does HP-40 say about “Head bolts”?"])
    reranked: list[str] = field(default_factory=list)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="fake-home-")))
    others: tuple[FakeAssistant, ...] = ()
    models: Models = field(default_factory=lambda: small_models())
    settings: Settings = field(default_factory=lambda: load_settings(home=Path(tempfile.mkdtemp())))
    answers: RunningAnswers = field(default_factory=RunningAnswers)
    evaluations: Evaluations = field(default_factory=lambda: Evaluations(Path(tempfile.mkdtemp())))

    def __post_init__(self) -> None:
        self.catalog = Catalog(Path(":memory:"))
        for known in self.records:
            self.catalog.make_live(known)
        self.jobs = Jobs(self.catalog, self.ingest, lambda: None)

    @property
    def library(self) -> FakeAssistant:
        """It is its own library, and its own home."""
        return self

    home = library

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        instruction: str | None = None,
        documents: Sequence[str] = (),
    ) -> Iterator[Event]:
        self.asked.append((question, tuple(history)))
        self.instructions.append(instruction)
        self.documents_read.append(tuple(documents))
        try:
            if self.error:
                raise self.error
            yield from map(Loading, self.models.load())
            for stage, milliseconds in self.answer.timings_ms.items():
                yield StageDone(stage, milliseconds)
            for word in self.answer.text.split(" "):
                time.sleep(self.seconds_per_token)
                yield Token(word + " ")
            told = (instruction or "fault-code") if self.follows_instructions else None
            yield Finished(replace(self.answer, question=f"{question} {self.subject}".strip(), instruction=told))
        finally:
            self.closed += 1

    @property
    def chats(self) -> Chats:
        return Chats(self.folder)

    @property
    def grids(self) -> Grids:
        return Grids(self.folder)

    @property
    def document_count(self) -> int:
        return len(self.catalog.documents())

    def suggested_questions(self) -> list[str]:
        return list(self.questions)

    def rerank(self, answer: Answer, instruction: str) -> tuple[RankedCandidate, ...]:
        """The ranking upside down."""
        self.reranked.append(instruction)
        backwards = answer.ranking[::-1]
        return tuple(replace(candidate, rank=rank) for rank, candidate in enumerate(backwards, start=1))

    def note_opinion(self, exchange: Exchange, collection: str) -> None:
        store = FeedbackStore(self.folder)
        if exchange.opinion is None or exchange.answer is None:
            store.withdraw(exchange.id)
            return
        models = ModelNames("late interaction", "embedded", self.language_model)
        at = datetime(2026, 1, 2, tzinfo=UTC)
        opinion, question, answer = exchange.opinion, exchange.question, exchange.answer
        store.put(exchange.id, Feedback(opinion, question, answer, self.collection, models, at))

    def original(self, document_id: str, collection: str) -> Original:
        raise UsageError("This document has been removed from the collection.")

    def documents(self) -> list[DocumentRecord]:
        return self.catalog.documents()

    def search(self, query: str, *, top_k: int, documents: Sequence[str]) -> object:
        return SimpleNamespace(query=query, hits=[])

    def document(self, name: str) -> DocumentRecord:
        found = [known for known in self.records if name in (known.document_id, known.source)]
        if not found:
            raise UsageError(f"No document is called '{name}'.")
        return found[0]

    def contestants(self) -> list[Contestant]:
        late = LateInteractionReranker(self.models.embedded)
        found = contestants(self.models, self.profile, late, late)
        if self.follows_instructions:
            words = Model.ready("reranking", "Words", WordReranker())
            found.insert(0, Contestant("Words", "probability", words, follows_instructions=True))
        return found

    def candidates(self, document: str) -> list[Candidate]:
        return [Candidate(TEXT, "HP-40 manual, p. 7", PASSAGES[0])]

    def evaluate(self, question_set: str, strategies: Sequence[str], instructions: Sequence[str], limit: int) -> None:
        self.evaluations.start(question_set, strategies, instructions, limit, self.settings, self.models)

    def save_upload(self, name: str, content: bytes) -> Path:
        if not content:
            raise UsageError(f"The file {name} is empty. Choose one with text in it.")
        path = Path(tempfile.mkdtemp()) / name
        path.write_bytes(content)
        return path

    def ingest(self, paths: Sequence[Path], **callbacks: object) -> IngestReport:
        for path in paths:
            self.catalog.make_live(record(path.name))
        return IngestReport([DocumentReport(str(path), "added", pages=24) for path in paths])

    def remove(self, document_id: str) -> None:
        self.catalog.remove(document_id)

    def hide(self, document_id: str) -> None:
        self.catalog.hide(document_id, datetime.now(UTC))

    def restore(self, document_id: str) -> None:
        self.catalog.restore(document_id)

    def page_image(
        self, document_id: str, page: int, boxes: Sequence[PageBox], *, zoom: float = 1.0
    ) -> PageImage | None:
        document = self.catalog.document(document_id)
        if document is None:
            raise RagError("This document is no longer in the collection.")
        if document.pages == 1:
            return None
        # At double size the page has as many pixels more; the drawing stays where it is.
        image = Image.new("RGB", (round(595 * zoom), round(842 * zoom)), "white")
        draw = ImageDraw.Draw(image)
        draw.text((72, 60), f"Page {page}", fill="black")
        for y in range(120, 760, 18):
            draw.line((72, y, 520, y), fill="#c9ced3", width=6)
        for box_page, x0, y0, x1, y1 in boxes:
            if box_page == page:
                draw.rectangle((x0 - 4, y0 - 8, x1, y1), outline="#d18b00", width=2)
        stream = io.BytesIO()
        image.save(stream, "PNG")
        label = self.catalog.page_labels(document_id).get(page, "")
        return PageImage(stream.getvalue(), image.width, page, label, document.pages)

    def collections(self) -> list[str]:
        return [self.collection, *(other.collection for other in self.others)]

    def open(self, name: str) -> FakeAssistant:
        return next(other for other in (self, *self.others) if other.collection == name)
