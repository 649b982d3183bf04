"""The assistant: a question in, a stream of events out, the last of them a cited answer."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from llama_index.core.schema import MetadataMode, NodeWithScore

from ingest.collection import Collection
from ingest.embedding import Encoder
from ingest.errors import UsageError
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
from rag_app.citations import check, cite, cited
from rag_app.closure import Closure, Evidence
from rag_app.context import Context, combine_passages, fit_passages, number_passages, source_label
from rag_app.conversation import standalone
from rag_app.gate import Gate, refusal
from rag_app.home import Home
from rag_app.library import Library
from rag_app.llm import LanguageModel
from rag_app.marks import clean_marks
from rag_app.models import open_models
from rag_app.prompts import answer_messages
from rag_app.quoting import quote_answer
from rag_app.ranking import candidates_of
from rag_app.rerankers import describe_reranker
from rag_app.reranking import Candidate, Contestant, contestants
from rag_app.settings import Profile, Settings
from rag_app.strict import Sieve
from retrievers.hybrid import (
    HybridRetriever,
    Strategy,
    Trace,
    check_question,
    embedded_reranker,
)
from retrievers.long_pass import LongPass
from retrievers.rerank.instructions import check_instruction, route
from retrievers.rerank.late_interaction import LateInteractionReranker
from retrievers.rerank.postprocessor import rank_by_score
from retrievers.rerank.protocol import Reranker

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage


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
class _Reply:
    """What is said, and from what; `left_out` and `reasoning` as in `Answer`."""

    cited: CitedText
    passages: tuple[Passage, ...]
    refused: bool = False
    left_out: int = 0
    reasoning: str = ""


class Assistant:
    """Answers questions from one collection. Safe to use from several threads."""

    def __init__(
        self,
        settings: Settings,
        collection: Collection,
        home: Home,
    ) -> None:
        """Over an open collection, whose vectors are those of the encoder of the models of this `home`."""
        self.settings = settings
        self.home = home
        self.models = models = home.models
        self.library = Library(settings, collection, models)
        self._collection = collection
        # Whatever ranks, this one chooses what is quoted: the constants there were fitted to it.
        self._late_interaction = embedded_reranker(collection, models.embedded)
        # So that a citation is judged alike in every collection, the rarity of words plays no part there.
        self._judge = LateInteractionReranker(models.embedded)
        model_of_gate = model_for(describe_reranker(settings), settings.location.home)
        self._gate = Gate(model_of_gate, self._late_interaction)
        self._closure = Closure(collection, lambda: self._ranks)

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
    def _long_pass(self) -> LongPass | None:
        """None where only chunks are ranked."""
        reranker = self._reranker
        if reranker is None or not self.settings.reads_sections:
            return None
        return LongPass(self._collection, reranker, section_tokens=self.settings.rerank_max_length)

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
            long_pass=self._long_pass,
        )

    @property
    def collection(self) -> str:
        return self.settings.collection

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
        today: date | None = None,
    ) -> Generator[Event, None, None]:
        """The answer as it is made: models that are loaded first, stages with their time, text, the finished answer.

        `instruction` is a name or a text; None takes the one that fits the question and the kind of the collection.
        Only these `documents` (ids or names) are searched, all where none are named; what amends them comes along all
        the same, and is in force or still to come on the day `today`, by default the day it is. Raises `UsageError`
        for an empty or endless question and for an unknown instruction or document, `LanguageModelError` and
        `RerankerError` when a model fails. Closing the iterator stops the work.
        """
        check_question(question)
        check_instruction(instruction)
        today = today or date.today()
        yield from map(Loading, self.models.load())
        trace = Trace()
        with trace.stage("standalone"):
            question = standalone(question, history, self._model)
        instruction = self._instruction(question, instruction)
        hits = self._retriever.search(question, instruction=instruction, documents=self._ids(documents), trace=trace)
        yield from (StageDone(stage, milliseconds) for stage, milliseconds in trace.milliseconds.items())
        with trace.stage("gate"):
            texts = [hit.node.get_content(MetadataMode.EMBED) for hit in hits]
            reading = self._gate.reading(question, number_passages(hits), texts, threshold=self.settings.gate)
            sufficiency = reading.probability if reading else 0.0
        yield StageDone("gate", trace.milliseconds["gate"])
        refused = not hits or sufficiency < self.settings.gate
        with trace.stage("closure"):
            found = Evidence(hits) if refused else self._closure.complete(question, hits, today, instruction)
            passages = combine_passages(found.nodes, found.links)
        yield StageDone("closure", trace.milliseconds["closure"])

        with trace.stage("answer"):
            if refused:
                reply = yield from self._refuse(question, passages, documents)
            else:
                reply = yield from self._reply(question, passages, documents, today)
        yield StageDone("answer", trace.milliseconds["answer"])
        yield Finished(
            Answer(
                question=question,
                text=reply.cited.text,
                refused=reply.refused,
                quoted=self._model is None and not reply.refused,
                citations=reply.cited.citations,
                passages=reply.passages,
                evidence=sufficiency,
                statements=reply.cited.statements,
                timings_ms=trace.milliseconds,
                instruction=instruction,
                candidates=trace.candidates,
                scored=trace.scored,
                left_out=reply.left_out,
                reasoning=reply.reasoning if self.settings.llm_thinking else "",
                ranking=candidates_of(question, trace.ranked, self._ranks, instruction),
                gate=reading,
            )
        )

    def _ids(self, documents: Sequence[str]) -> list[str]:
        return [self.library.document(name).document_id for name in documents]

    def _instruction(self, question: str, wanted: str | None) -> str | None:
        """The instruction to rank by, a name or a text; None where the reranker follows none."""
        if not self.follows_instructions:
            return None
        return wanted or self.library.catalog.instruction() or route(question, self.library.kind)

    def _refuse(
        self, question: str, passages: tuple[Passage, ...], documents: Sequence[str]
    ) -> Generator[Event, None, _Reply]:
        """A refusal that says what was searched: these documents, or all where none are named."""
        searched = len(documents) or self.library.document_count
        text = refusal(question, passages, collection=self.collection, documents=searched)
        yield Token(text)
        return _Reply(CitedText(text), passages, refused=True)

    def _reply(
        self, question: str, passages: tuple[Passage, ...], documents: Sequence[str], today: date
    ) -> Generator[Event, None, _Reply]:
        """Quotes, or what the language model writes; a refusal where nothing of that is borne out."""
        if self._model is None:
            quoted = quote_answer(question, passages, self._late_interaction.score, today)
            yield Token(quoted.text)
            return _Reply(quoted, passages)
        context = _fitting(self._model, question, passages, today)
        reasoning: list[str] = []
        messages = answer_messages(question, context, today)
        written = yield from self._generate(self._model, messages, context.shown, reasoning.append)
        reply = _Reply(
            written,
            context.shown,
            refused=not written.statements,
            left_out=len(context.left_out),
            reasoning="".join(reasoning).strip(),
        )
        if written.text:
            return reply
        refused = yield from self._refuse(question, context.shown, documents)
        return replace(reply, cited=refused.cited)

    def _generate(
        self,
        model: LanguageModel,
        messages: Sequence[BaseMessage],
        shown: tuple[Passage, ...],
        on_reasoning: Callable[[str], object],
    ) -> Generator[Event, None, CitedText]:
        """The model's words as they come, with only the marks that point to a passage; returns all of them, checked.

        With the setting `strict` only what is supported, which may be nothing.
        """
        judge = self._judge.score
        sieve = Sieve(lambda unit: check(unit, shown, judge)) if self.settings.strict else None
        pieces: list[str] = []
        reply = model.stream(messages, on_reasoning=on_reasoning)
        written = clean_marks(reply, len(shown))
        for piece in sieve.supported(written) if sieve else written:
            pieces.append(piece)
            yield Token(piece)
        text = "".join(pieces)
        return cited(text, sieve.checked, shown) if sieve else cite(text, shown, judge)

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
        nodes = self._collection.vectors.get_version(self.library.document(document).version)
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

    def close(self) -> None:
        """Stops what is being read and closes the collection."""
        self.library.close()


def build_assistant(settings: Settings, *, create: bool = False, writes: bool = True, load: bool = True) -> Assistant:
    """The assistant that the settings describe; the only place that wires the parts. Close its `home` at the end.

    With `create` the collection is made where there is none, else `UnknownCollectionError` is raised; without `writes`
    there is no language model, which a search does not need; without `load` large models wait until they are needed.
    Raises `RerankerError`, `EmbeddingError` or `LanguageModelError` where a model cannot be used; the collection is
    closed then.
    """
    home = Home(settings, open_models(settings, writes=writes), Assistant)
    with ExitStack() as undo:
        undo.callback(home.close)
        assistant = home.open(settings.collection, create=create)
        if load:
            for model in home.models.all:
                model.get()
        undo.pop_all()
    return assistant


def _fitting(model: LanguageModel, question: str, passages: Sequence[Passage], today: date) -> Context:
    """As many of the best passages as the model can read with this question."""
    return fit_passages(passages, lambda context: model.fits(answer_messages(question, context, today)))
