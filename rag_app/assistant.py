"""The assistant: a question in, a stream of events out, the last of them a cited answer."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from llama_index.core.schema import MetadataMode, NodeWithScore

from ingest.catalog import Catalog, Kind, collection_names
from ingest.collection import Collection
from ingest.document import PageBox
from ingest.embedding import Encoder
from ingest.engines.local import LocalEngine
from ingest.errors import StorageError, UsageError
from ingest.loaders import SUPPORTED_SUFFIXES
from ingest.loaders.signature import format_of
from ingest.pipeline import Ingester, Progress
from ingest.reading import OnReading
from ingest.records import NEVER_READ, DocumentRecord, FileRecord
from ingest.report import IngestReport
from rag_app.answer import (
    Answer,
    CitedText,
    Event,
    Finished,
    Loading,
    Passage,
    RankedCandidate,
    StageDone,
    Token,
    Turn,
)
from rag_app.calibration import model_for
from rag_app.chats import Chats, Exchange
from rag_app.citations import check, cite, cited
from rag_app.context import Context, combine_passages, fit_passages, number_passages, source_label
from rag_app.conversation import standalone
from rag_app.evaluations import Evaluations
from rag_app.feedback import Feedback, FeedbackStore, ModelNames
from rag_app.gate import Gate, refusal
from rag_app.jobs import Jobs
from rag_app.library import find_document
from rag_app.llm import LanguageModel
from rag_app.marks import clean_marks
from rag_app.models import Models, open_models
from rag_app.originals import Original, check_unchanged, find_original
from rag_app.prompts import answer_messages
from rag_app.quoting import quote_answer
from rag_app.ranking import candidates_of
from rag_app.rerankers import describe_reranker
from rag_app.reranking import Candidate, Contestant, contestants
from rag_app.settings import Profile, Settings
from rag_app.siblings import Siblings, check_instruction
from rag_app.strict import Sieve
from rag_app.suggestions import suggested_questions
from retrievers.hybrid import (
    HybridRetriever,
    Strategy,
    Trace,
    check_question,
    embedded_reranker,
)
from retrievers.rerank.instructions import route
from retrievers.rerank.late_interaction import LateInteractionReranker
from retrievers.rerank.postprocessor import rank_by_score
from retrievers.rerank.protocol import Reranker

_UNSAFE_IN_NAMES = re.compile(r"[^\w.() -]+")
MAX_UPLOAD_NAME = 120
PAGE_WIDTH = 1000
"""Pixels of a page image that is not enlarged."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Ranked passages, best first, and the milliseconds each stage took.

    `instruction` is the name or the text of what the reranker was told, None where nothing followed one. `scored` of
    the `candidates` were reached by the reranker in its time; both are 0 where nothing was reranked.
    """

    query: str
    strategy: Strategy
    hits: list[NodeWithScore]
    timings_ms: dict[str, float]
    instruction: str | None
    candidates: int
    scored: int


@dataclass(frozen=True, slots=True)
class PageImage:
    """A page as PNG with its highlights drawn, so many pixels wide; its number from 1, and the document's pages."""

    png: bytes
    width: int
    page: int
    pages: int


class Assistant:
    """Answers questions from one collection, and keeps the collection. Safe to use from several threads."""

    def __init__(
        self,
        settings: Settings,
        collection: Collection,
        models: Models,
        *,
        evaluations: Evaluations | None = None,
        siblings: Siblings | None = None,
    ) -> None:
        """Over an open collection, whose vectors are those of the encoder of these `models`.

        `evaluations` and `siblings` are those of the home, where another assistant has them already.
        """
        self.settings = settings
        self.models = models
        self._collection = collection
        # Whatever ranks, this one chooses what is quoted: the constants there were fitted to it.
        self._late_interaction = embedded_reranker(collection, models.embedded)
        # So that a citation is judged alike in every collection, the rarity of words plays no part there.
        self._judge = LateInteractionReranker(models.embedded)
        model_of_gate = model_for(describe_reranker(settings), settings.location.home)
        self._gate = Gate(model_of_gate, self._late_interaction)
        self._writing = threading.Lock()
        self.evaluations = evaluations or Evaluations(settings.location.home)
        self.chats = Chats(settings.location.home)
        self._feedback = FeedbackStore(settings.location.home)
        self._siblings = siblings or Siblings(self)
        self.jobs = Jobs(collection.catalog, self.ingest, self._sweep)

    @property
    def _encoder(self) -> Encoder:
        return self.models.encoder.get()

    @property
    def _reranker(self) -> Reranker | None:
        return self.models.reranker.get() if self.models.reranker else None

    @property
    def _model(self) -> LanguageModel | None:
        return self.models.writer.get() if self.models.writer else None

    @property
    def _ranks(self) -> Reranker:
        return self._reranker or self._late_interaction

    @property
    def _retriever(self) -> HybridRetriever:
        """Made anew for each search: it would keep a model alive that is to be unloaded."""
        return HybridRetriever(
            self._collection,
            self._encoder,
            self._ranks,
            top_k=self.settings.top_k,
            candidates=self.settings.candidates,
            budget_ms=self.settings.rerank_budget_ms or None,
        )

    @property
    def collection(self) -> str:
        return self.settings.collection

    @property
    def catalog(self) -> Catalog:
        """What the collection is and what it holds: documents, tags, files that failed."""
        return self._collection.catalog

    @property
    def kind(self) -> Kind:
        """What the documents of the collection are."""
        return self._collection.catalog.kind()

    @property
    def profile(self) -> Profile:
        return self.settings.profile

    @property
    def follows_instructions(self) -> bool:
        """Whether an instruction changes the ranking."""
        return self.models.follows_instructions

    @property
    def language_model(self) -> str | None:
        """The language model's name; None: answers quote the passages."""
        return self.models.writer.name if self.models.writer else None

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        instruction: str | None = None,
        documents: Sequence[str] = (),
    ) -> Generator[Event, None, None]:
        """The answer as it is made: models that are loaded first, stages with their time, text, the finished answer.

        `instruction` is a name or a text; None takes the one that fits the question and the kind of the collection.
        Only these `documents` (ids or names) are read, all where none are named. Raises `UsageError` for an empty
        or endless question and for an unknown instruction or document, `LanguageModelError` and `RerankerError` when a
        model fails. Closing the iterator stops the work.
        """
        check_question(question)
        check_instruction(instruction)
        yield from map(Loading, self.models.load())
        trace = Trace()
        with trace.stage("standalone"):
            question = standalone(question, history, self._model)
        instruction = self._instruction(question, instruction)
        hits = self._retriever.search(question, instruction=instruction, documents=self._ids(documents), trace=trace)
        with trace.stage("gate"):
            texts = [hit.node.get_content(MetadataMode.EMBED) for hit in hits]
            reading = self._gate.reading(question, number_passages(hits), texts, threshold=self.settings.gate)
            sufficiency = reading.probability if reading else 0.0
        passages = combine_passages(hits)
        yield from (StageDone(stage, milliseconds) for stage, milliseconds in trace.milliseconds.items())

        refused = sufficiency < self.settings.gate
        left_out = 0
        reasoning: list[str] = []
        with trace.stage("answer"):
            if refused or not passages:
                reply = CitedText(self._refusal(question, passages, documents))
                yield Token(reply.text)
            elif self._model is None:
                reply = quote_answer(question, passages, self._late_interaction.score)
                yield Token(reply.text)
            else:
                context = _fitting(self._model, question, passages)
                passages, left_out = context.shown, len(context.left_out)
                reply = yield from self._generate(self._model, question, context, reasoning.append)
                refused = not reply.statements
                if not reply.text:  # nothing of it was borne out
                    reply = CitedText(self._refusal(question, passages, documents))
                    yield Token(reply.text)
        yield StageDone("answer", trace.milliseconds["answer"])
        yield Finished(
            Answer(
                question=question,
                text=reply.text,
                refused=refused,
                quoted=self._model is None and not refused,
                citations=reply.citations,
                passages=passages,
                evidence=sufficiency,
                statements=reply.statements,
                timings_ms=trace.milliseconds,
                instruction=instruction,
                candidates=trace.candidates,
                scored=trace.scored,
                left_out=left_out,
                reasoning="".join(reasoning).strip() if self.settings.llm_thinking else "",
                ranking=candidates_of(question, trace.ranked, self._ranks, instruction),
                gate=reading,
            )
        )

    def _instruction(self, question: str, wanted: str | None) -> str | None:
        """The instruction to rank by, a name or a text; None where the reranker follows none."""
        if not self.follows_instructions:
            return None
        return wanted or self.catalog.instruction() or route(question, self.kind)

    def _refusal(self, question: str, passages: Sequence[Passage], documents: Sequence[str]) -> str:
        """A refusal that says what was searched: these documents, or all where none are named."""
        searched = len(documents) or self.document_count
        return refusal(question, passages, collection=self.collection, documents=searched)

    def _generate(
        self, model: LanguageModel, question: str, context: Context, on_reasoning: Callable[[str], object]
    ) -> Generator[Event, None, CitedText]:
        """The model's words as they come, with only the marks that point to a passage; returns all of them, checked.

        With the setting `strict` only what is supported, which may be nothing.
        """
        judge = self._judge.score
        sieve = Sieve(lambda unit: check(unit, context.shown, judge)) if self.settings.strict else None
        pieces: list[str] = []
        reply = model.stream(answer_messages(question, context), on_reasoning=on_reasoning)
        written = clean_marks(reply, len(context.shown))
        for piece in sieve.supported(written) if sieve else written:
            pieces.append(piece)
            yield Token(piece)
        text = "".join(pieces)
        return cited(text, sieve.checked, context.shown) if sieve else cite(text, context.shown, judge)

    def search(
        self,
        query: str,
        *,
        strategy: Strategy = "rerank",
        top_k: int = 8,
        instruction: str | None = None,
        documents: Sequence[str] = (),
    ) -> SearchResult:
        """The best passages for a query by one strategy, without an answer; the others as in `ask`."""
        check_instruction(instruction)
        instruction = self._instruction(query, instruction) if strategy == "rerank" else None
        trace = Trace()
        hits = self._retriever.search(
            query,
            strategy=strategy,
            top_k=top_k,
            instruction=instruction,
            documents=self._ids(documents),
            trace=trace,
        )
        return SearchResult(query, strategy, hits, trace.milliseconds, instruction, trace.candidates, trace.scored)

    def contestants(self) -> list[Contestant]:
        """What the rerank workbench can rank by: first what ranks in the chat, then late interaction otherwise."""
        return contestants(self.models, self.profile, self._late_interaction, self._judge)

    def candidates(self, document: str) -> list[Candidate]:
        """The passages of a document, in reading order, as a reranker reads them."""
        nodes = self._collection.vectors.get_version(self.document(document).version)
        hits = rank_by_score([NodeWithScore(node=node, score=0.0) for node in nodes], [])
        return [
            Candidate(hit.node.get_content(MetadataMode.EMBED), source_label(passage), passage)
            for hit, passage in zip(hits, number_passages(hits), strict=True)
        ]

    def rerank(self, answer: Answer, instruction: str) -> tuple[RankedCandidate, ...]:
        """The candidates of an answer as another instruction ranks them, best first, without those removed since.

        Nothing else is asked again. Raises `UsageError` for an unknown instruction or where the reranker follows none.
        """
        if not self.follows_instructions:
            raise UsageError("What ranks the passages here follows no instructions: another one would change nothing.")
        nodes = self._collection.vectors.get([candidate.chunk_id for candidate in answer.ranking])
        before = sorted(answer.ranking, key=lambda candidate: candidate.retrieval_rank)
        hits = [
            NodeWithScore(node=nodes[candidate.chunk_id], score=candidate.retrieval_score)
            for candidate in before
            if candidate.chunk_id in nodes
        ]
        live = self._collection.live(hits)
        ranked = self._retriever.rerank(answer.question, live, instruction=instruction, trace=Trace())
        return candidates_of(answer.question, ranked, self._ranks, instruction)

    def suggested_questions(self) -> list[str]:
        """A few questions that the newest documents answer, made from their headings; none for an empty collection."""
        return suggested_questions(self._collection)

    def note_opinion(self, exchange: Exchange) -> None:
        """Keeps what a reader says of an answered exchange, or forgets it where the opinion was taken back."""
        if exchange.opinion is None or exchange.answer is None:
            self._feedback.withdraw(exchange.id)
            return
        models = ModelNames(describe_reranker(self.settings), self._encoder.identity, self.language_model)
        at = datetime.now(UTC)
        told = Feedback(exchange.opinion, exchange.question, exchange.answer, self.collection, models, at)
        self._feedback.put(exchange.id, told)

    @property
    def document_count(self) -> int:
        """How many documents there are; quick, also for very many."""
        return len(self._collection.catalog.sources())

    def documents(self) -> list[DocumentRecord]:
        return self._collection.catalog.documents()

    def document(self, name: str) -> DocumentRecord:
        """The document of that id or source name. Raises `UsageError` where none or several match."""
        return find_document(self._collection.catalog, name)

    def _ids(self, documents: Sequence[str]) -> list[str]:
        return [self.document(name).document_id for name in documents]

    def ingest(
        self,
        paths: Sequence[Path],
        *,
        retry_failed: bool = False,
        on_progress: Callable[[Progress], None] = lambda progress: None,
        on_reading: OnReading = lambda path, page, pages: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> IngestReport:
        """Reads files and folders into the collection; one ingest at a time, others wait. See `Ingester.sync`.

        `on_reading` is called from several threads, before each page.
        """
        engine = LocalEngine(self._encoder, self.settings.chunking, on_reading=on_reading, stop=stop)
        with self._writing:
            return Ingester(self._collection, engine).sync(
                paths, retry_failed=retry_failed, on_progress=on_progress, stop=stop
            )

    def remove(self, document_id: str) -> None:
        """Removes a document for good. Raises `UsageError` where there is none of that id."""
        with self._writing:
            self._collection.remove(document_id)

    def hide(self, document_id: str) -> None:
        """Removes a document from every answer at once, for good after a while; until then `restore` undoes it.

        Unlike `remove` it does not wait for an ingest. Raises `UsageError` where there is no document of that id.
        """
        self._collection.hide(document_id)
        self.jobs.wake()

    def restore(self, document_id: str) -> None:
        """Raises `UsageError` where the document has been removed for good."""
        self._collection.restore(document_id)

    def forget_failed(self, path: Path) -> None:
        """Forgets a file that could not be read, so that it is not spoken of any more; an upload is deleted."""
        self._collection.forget_failed(path)

    def _sweep(self) -> None:
        with self._writing:
            self._collection.sweep()

    def save_upload(self, name: str, content: bytes) -> Path:
        """Keeps an uploaded file below the home under a safe form of its name; the same name replaces it.

        It is noted as waiting, so that it is read even if the process ends before `jobs` have come to it.
        Raises `UsageError` for a type that is not supported and for an empty file.
        """
        plain = _UNSAFE_IN_NAMES.sub("_", Path(name.replace("\\", "/")).name).strip(". ")
        stem, suffix = Path(plain).stem[:MAX_UPLOAD_NAME], Path(plain).suffix
        if not stem or suffix.lower() not in SUPPORTED_SUFFIXES:
            kinds = ", ".join(sorted(SUPPORTED_SUFFIXES))
            raise UsageError(f"'{name[:MAX_UPLOAD_NAME]}' is of a type that cannot be read. Expected one of {kinds}.")
        path = self.settings.location.uploads.resolve() / f"{stem}{suffix}"
        unfinished = path.with_name(f".{path.name}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(content)
            known = self.catalog.file(path)
            held = known.document_id if known else None
            self.catalog.put_files([FileRecord(path, path.name, *NEVER_READ, document_id=held)])
            unfinished.replace(path)
        except OSError as error:
            raise StorageError(f"The file {path} cannot be written ({error.strerror}).") from error
        return path

    def original(self, document_id: str, collection: str = "") -> Original:
        """The file that a document of this collection, or of another one of this home, was read from.

        Raises `UsageError` for what the catalog does not know, `RagError` when the file has gone or changed.
        """
        location = replace(self.settings.location, collection=collection or self.collection)
        return find_original(location, document_id)

    def page_image(
        self, document_id: str, page: int, boxes: Sequence[PageBox] = (), *, zoom: float = 1.0
    ) -> PageImage | None:
        """A page with these boxes highlighted (those of other pages are left out); None for formats without pages.

        It is `zoom` times `PAGE_WIDTH` pixels wide. Raises `RagError` when the file has gone or changed since it was
        read: its boxes would lie.
        """
        record = self._collection.catalog.document(document_id)
        if record is None:
            raise UsageError("This document has been removed from the collection.")
        check_unchanged(record)
        if format_of(record.path) != "pdf":
            return None
        from ingest.loaders.pdf import render_page

        shown = [box[1:] for box in boxes if box[0] == page]
        width = round(zoom * PAGE_WIDTH)
        return PageImage(render_page(record.path, page, boxes=shown, width=width), width, page, record.pages)

    def collections(self) -> list[str]:
        return collection_names(self.settings.location.home)

    def open_collection(self, name: str) -> Assistant:
        """The assistant over another collection of this home, one for all who ask; it shares the models."""
        return self._siblings.opened(name, lambda: self._open(name))

    def _open(self, name: str) -> Assistant:
        settings = self._settings_of(name)
        collection = Collection.open(settings.location, settings.embedder, settings.chunking)
        opened = Assistant(settings, collection, self.models, evaluations=self.evaluations, siblings=self._siblings)
        opened.jobs.resume()
        return opened

    def create_collection(self, name: str, kind: Kind, instruction: str | None = None) -> None:
        """Makes an empty collection in this home. Raises `UsageError` where there is one, and for what is no name."""
        self._siblings.create(self._settings_of(name), kind, instruction)

    def delete_collection(self, name: str) -> None:
        """Deletes a collection with its index and its uploads. Raises `UsageError` for the one that is served."""
        self._siblings.delete(self._settings_of(name))

    def _settings_of(self, name: str) -> Settings:
        return self.settings.model_copy(update={"collection": name})

    def evaluate(self, question_set: str, strategies: Sequence[str], instructions: Sequence[str], limit: int) -> None:
        """Begins an evaluation beside the chat, with the same models; see `Evaluations.start`."""
        self.evaluations.start(question_set, strategies, instructions, limit, self.settings, self.models)

    def close(self) -> None:
        """Stops what is being read or evaluated, closes the collection and, with the first assistant, the others."""
        self.jobs.close()
        self.evaluations.close()
        self._siblings.close_with(self)
        self._collection.close()


def build_assistant(settings: Settings, *, create: bool = False, writes: bool = True, load: bool = True) -> Assistant:
    """The assistant that the settings describe; the only place that wires the parts.

    With `create` the collection is made where there is none, else `UnknownCollectionError` is raised; without `writes`
    there is no language model, which a search does not need; without `load` large models wait until they are needed.
    Raises `RerankerError`, `EmbeddingError` or `LanguageModelError` where a model cannot be used; the collection is
    closed then.
    """
    opening = Collection.create if create else Collection.open
    collection = opening(settings.location, settings.embedder, settings.chunking)
    with ExitStack() as undo:
        undo.callback(collection.close)
        assistant = Assistant(settings, collection, open_models(settings, writes=writes))
        if load:
            for model in assistant.models.all:
                model.get()
        undo.pop_all()
    return assistant


def _fitting(model: LanguageModel, question: str, passages: Sequence[Passage]) -> Context:
    """As many of the best passages as the model can read with this question."""
    return fit_passages(passages, lambda context: model.fits(answer_messages(question, context)))
