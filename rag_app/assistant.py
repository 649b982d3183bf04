"""The assistant: a question in, a stream of events out, the last of them a cited answer."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llama_index.core.schema import NodeWithScore

from ingest.catalog import DocumentRecord, collection_names
from ingest.collection import Collection
from ingest.document import PageBox
from ingest.embedding import MiniLmEncoder
from ingest.errors import RagError, UsageError
from ingest.loaders import SUPPORTED_SUFFIXES
from ingest.pipeline import Ingester, IngestReport, Progress
from rag_app.answer import Answer, Citation, Event, Finished, StageDone, Token, Turn
from rag_app.citations import cite
from rag_app.context import Context, format_passages, number_passages
from rag_app.conversation import standalone
from rag_app.gate import evidence, refusal
from rag_app.marks import clean_marks
from rag_app.prompts import says_no_answer
from rag_app.quoting import quote_answer
from rag_app.settings import Settings
from retrievers.hybrid import (
    HybridRetriever,
    Strategy,
    Timings,
    check_question,
    embedded_reranker,
    word_rarity,
)

if TYPE_CHECKING:
    from rag_app.llm import LanguageModel

logger = logging.getLogger(__name__)

_UNSAFE_IN_NAMES = re.compile(r"[^\w.() -]+")
MAX_UPLOAD_NAME = 120


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Ranked passages, best first, and the milliseconds each stage took."""

    query: str
    strategy: Strategy
    hits: list[NodeWithScore]
    timings_ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class PageImage:
    """A page as PNG with its highlights drawn, its number from 1, and how many pages its document has."""

    png: bytes
    page: int
    pages: int


class Assistant:
    """Answers questions from one collection, and keeps the collection. Safe to use from several threads."""

    def __init__(
        self,
        settings: Settings,
        collection: Collection,
        encoder: MiniLmEncoder,
        *,
        model: LanguageModel | None = None,
    ) -> None:
        self.settings = settings
        self._collection = collection
        self._encoder = encoder
        self._model = model
        self._reranker = embedded_reranker(collection, encoder)
        self._rarity = word_rarity(collection)
        self._retriever = HybridRetriever(
            collection, encoder, self._reranker, top_k=settings.top_k, candidates=settings.candidates
        )
        self._writing = threading.Lock()

    @property
    def collection(self) -> str:
        return self.settings.collection

    @property
    def profile(self) -> str:
        return self.settings.profile

    @property
    def language_model(self) -> str | None:
        """The language model's name; None: answers quote the passages."""
        return self.settings.llm_model or None

    def ask(
        self, question: str, history: Sequence[Turn] = (), *, instruction: str | None = None
    ) -> Generator[Event, None, None]:
        """The answer as it is made: stages with their time, pieces of text, at last the finished answer.

        Raises `UsageError` for an empty or endless question, `LanguageModelError` when the model fails. Closing the
        iterator stops the work.
        """
        check_question(question)
        timings = Timings()
        with timings.stage("standalone"):
            question = standalone(question, history, self._model)
        passages = number_passages(self._retriever.search(question, instruction=instruction, timings=timings))
        with timings.stage("gate"):
            sufficiency = evidence(question, passages, self._rarity)
        yield from (StageDone(stage, milliseconds) for stage, milliseconds in timings.milliseconds.items())

        refused = sufficiency < self.settings.gate
        citations: tuple[Citation, ...] = ()
        with timings.stage("answer"):
            if refused or not passages:
                text = refusal(question, passages)
                yield Token(text)
            elif self._model is None:
                text, citations = quote_answer(question, passages, self._reranker.score)
                yield Token(text)
            else:
                context = format_passages(passages, self.settings.context_characters)
                passages = context.shown
                text = yield from self._generate(self._model, question, context)
                refused = says_no_answer(text)
                citations = cite(text, passages)
        yield StageDone("answer", timings.milliseconds["answer"])
        yield Finished(
            Answer(
                question=question,
                text=text,
                refused=refused,
                quoted=self._model is None and not refused,
                citations=citations,
                passages=passages,
                evidence=sufficiency,
                timings_ms=timings.milliseconds,
            )
        )

    def _generate(self, model: LanguageModel, question: str, context: Context) -> Generator[Event, None, str]:
        """The model's words as they come, with only the marks that point to a passage; returns all of them."""
        from rag_app.llm import stream_answer

        if context.left_out:
            logger.warning(
                "%d of the best passages do not fit in context_characters=%d and were not shown to the language model.",
                len(context.left_out),
                self.settings.context_characters,
            )
        pieces: list[str] = []
        for piece in clean_marks(stream_answer(model, question, context), len(context.shown)):
            pieces.append(piece)
            yield Token(piece)
        return "".join(pieces)

    def search(
        self, query: str, *, strategy: Strategy = "rerank", top_k: int = 8, instruction: str | None = None
    ) -> SearchResult:
        """The best passages for a query by one strategy, without an answer."""
        timings = Timings()
        hits = self._retriever.search(query, strategy=strategy, top_k=top_k, instruction=instruction, timings=timings)
        return SearchResult(query, strategy, hits, timings.milliseconds)

    def documents(self) -> list[DocumentRecord]:
        return self._collection.catalog.documents()

    def ingest(
        self, paths: Sequence[Path], *, on_progress: Callable[[Progress], None] = lambda progress: None
    ) -> IngestReport:
        """Reads files and folders into the collection; one ingest at a time, others wait."""
        with self._writing:
            ingester = Ingester(self._collection, self._encoder, self.settings.chunking)
            return ingester.sync(paths, on_progress=on_progress)

    def remove(self, document_id: str) -> None:
        """Removes a document. Raises `UsageError` where there is none of that id."""
        with self._writing:
            self._collection.remove(document_id)

    def save_upload(self, name: str, content: bytes) -> Path:
        """Keeps an uploaded file below the home under a safe form of its name; the same name replaces it.

        Raises `UsageError` for a type that is not supported.
        """
        plain = _UNSAFE_IN_NAMES.sub("_", Path(name.replace("\\", "/")).name).strip(". ")
        stem, suffix = Path(plain).stem[:MAX_UPLOAD_NAME], Path(plain).suffix
        if not stem or suffix.lower() not in SUPPORTED_SUFFIXES:
            kinds = ", ".join(sorted(SUPPORTED_SUFFIXES))
            raise UsageError(f"'{name[:MAX_UPLOAD_NAME]}' is of a type that cannot be read. Expected one of {kinds}.")
        folder = self.settings.store.uploads
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{stem}{suffix}"
        path.write_bytes(content)
        return path

    def page_image(self, document_id: str, page: int, boxes: Sequence[PageBox] = ()) -> PageImage | None:
        """A page with these boxes highlighted (those of other pages are left out); None for formats without pages.

        Raises `RagError` when the file has gone or changed since it was read: its boxes would lie.
        """
        record = self._collection.catalog.document(document_id)
        if record is None:
            raise UsageError("This document has been removed from the collection.")
        if record.path.suffix.lower() != ".pdf":
            return None
        _check_unchanged(record)
        from ingest.loaders.pdf import render_page

        png = render_page(record.path, page, boxes=[box[1:] for box in boxes if box[0] == page])
        return PageImage(png, page, record.pages)

    def collections(self) -> list[str]:
        return collection_names(self.settings.store.home)

    def open_collection(self, name: str) -> Assistant:
        """An assistant over another collection of this home; it shares the loaded models."""
        settings = self.settings.model_copy(update={"collection": name})
        opened = Collection.open(settings.store, settings.embedding, settings.chunking)
        return Assistant(settings, opened, self._encoder, model=self._model)

    def close(self) -> None:
        self._collection.close()


def build_assistant(settings: Settings, *, create: bool = False) -> Assistant:
    """The assistant that the settings describe; the only place that wires the parts.

    With `create` the collection is made where there is none, else `UnknownCollectionError` is raised.
    """
    opening = Collection.create if create else Collection.open
    collection = opening(settings.store, settings.embedding, settings.chunking)
    return Assistant(settings, collection, MiniLmEncoder(settings.embedding), model=_language_model(settings))


def _language_model(settings: Settings) -> LanguageModel | None:
    if not settings.llm_model and not settings.llm_base_url:
        return None
    if not (settings.llm_model and settings.llm_base_url):
        raise UsageError("A language model needs both llm_base_url and llm_model (RAG_LLM_BASE_URL, RAG_LLM_MODEL).")
    from rag_app.llm import open_model

    return open_model(
        settings.llm_base_url,
        settings.llm_model,
        api_key=settings.llm_api_key.get_secret_value(),
        timeout_s=settings.llm_timeout_s,
    )


def _check_unchanged(record: DocumentRecord) -> None:
    try:
        status = record.path.stat()
    except OSError as error:
        raise RagError(f"The file {record.path} is not there any more ({error.strerror}). Ingest it again.") from error
    if (status.st_size, status.st_mtime_ns) != (record.size, record.modified_ns):
        raise RagError(f"The file {record.path} has changed since it was read. Ingest it again.")
