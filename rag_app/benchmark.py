"""This product's own retrieval over question sets: indexed, and asked by every strategy, or to calibrate the gate."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from llama_index.core.schema import MetadataMode

import ingest
from ingest.collection import Collection
from ingest.config import StoreConfig
from ingest.document import Document, Page
from ingest.embedding import Encoder, MiniLmEncoder
from ingest.errors import UsageError
from ingest.loaders.text import text_blocks
from ingest.preparing import HashedFile, embed, make_entry
from ingest.records import FileRecord
from rag_app.calibration import Observation
from rag_app.context import number_passages
from rag_app.conversation import standalone
from rag_app.evaluation import Judge, Locator, RankedChunk, Report, Search, evaluate
from rag_app.gate import SHIPPED, Gate
from rag_app.metrics import DEPTH
from rag_app.models import Models, open_models
from rag_app.question_set import CorpusDocument, Query, QuestionSet, Sample
from rag_app.settings import Settings
from retrievers.hybrid import STRATEGIES, HybridRetriever, Strategy, embedded_reranker
from retrievers.rerank.instructions import resolve, route
from retrievers.rerank.protocol import Reranker, follows_instructions

OnProgress = Callable[[str, int, int], None]
"""Hears "indexing" or "asking", how much of it is done and how much there is; what it raises ends the work."""


def run_benchmark(
    folder: Path,
    names: Sequence[str],
    sample: Sample,
    settings: Settings,
    *,
    instructions: Sequence[str] = (),
    models: Models | None = None,
    on_progress: OnProgress = lambda stage, done, total: None,
) -> Report:
    """Measures the named strategies on the sample of a question set; the index is kept for the next run.

    With `instructions` the strategy "rerank" is measured once with each, as "rerank[manual]"; without, the reranker
    ranks by its own default. Follow-up questions are made to stand alone before they are searched, by rule; a sample of
    follow-ups only is also measured without that, as "rerank[as typed]". Raises `UsageError` for an unknown strategy or
    instruction, for instructions that nothing follows, and for a sample without a question. `models` are shared with
    whoever has opened them.
    """
    variants = _variants(names, instructions, as_typed=sample.follow_ups)
    question_set = QuestionSet.load(folder)
    queries = question_set.answerable(sample)
    if not queries:
        raise UsageError(
            f"No question of {folder} is left to ask: none has a relevant document and is of the kind asked for."
        )

    with ExitStack() as stack:
        engine = _Engine.of(models, settings)
        if instructions and not engine.follows_instructions:
            raise UsageError(
                f"The reranker '{settings.profile}' follows no instructions, so that there is nothing to compare. "
                "Set RAG_RERANKER to one that does, such as qwen3, or leave --instructions out."
            )
        indexes = {
            lang: stack.enter_context(_Index.build(question_set, lang, engine, on_progress))
            for lang in sorted({query.corpus_lang for query in queries})
        }
        judge = Judge(question_set, [chunk for index in indexes.values() for chunk in index.chunks.values()])
        searches = {name: _search(indexes, variant) for name, variant in variants.items()}
        for search in searches.values():
            search(queries[0])  # dictionaries and caches load at the first question; they are not what is measured
        asked = itertools.count(1)
        return evaluate(
            question_set,
            queries,
            judge,
            searches,
            on_query=lambda: on_progress("asking", next(asked), len(queries)),
        )


def observe(
    folders: Sequence[Path],
    sample: Sample,
    settings: Settings,
    *,
    on_progress: OnProgress = lambda stage, done, total: None,
) -> list[Observation]:
    """What the gate sees of the questions of these sets, as the assistant would ask them, with the labels.

    Of each set so many answerable and so many unanswerable questions are asked as the sample says. Every answerable one
    is asked a second time without the documents that answer it: what is asked of a library that lacks a document.
    """
    engine = _Engine.of(None, settings)
    observations: list[Observation] = []
    for question_set in [QuestionSet.load(folder) for folder in folders]:
        queries = [*question_set.answerable(sample), *question_set.unanswerable(sample)]
        for lang in sorted({query.corpus_lang for query in queries}):
            with _Index.build(question_set, lang, engine, on_progress) as index:
                judge = Judge(question_set, list(index.chunks.values()))
                asked = [query for query in queries if query.corpus_lang == lang]
                for number, query in enumerate(asked, start=1):
                    observations += index.observe(query, judge)
                    on_progress("asking", number, len(asked))
    return observations


@dataclass(frozen=True, slots=True)
class _Variant:
    """One way to search: `instruction` None is the reranker's own; `as_typed` leaves follow-ups as they are."""

    strategy: Strategy
    instruction: str | None = None
    as_typed: bool = False


def _variants(names: Sequence[str], instructions: Sequence[str], *, as_typed: bool) -> dict[str, _Variant]:
    """What is measured under which name."""
    strategies = [known for name in names for known in STRATEGIES if known == name]
    if len(strategies) != len(names) or not names:
        raise UsageError(f"Expected strategies of {', '.join(STRATEGIES)}; got '{', '.join(names)}'.")
    if instructions and "rerank" not in strategies:
        raise UsageError("Instructions change the strategy rerank only; name it in --strategies too.")
    for instruction in instructions:
        resolve(instruction)
    variants: dict[str, _Variant] = {}
    for strategy in strategies:
        if strategy == "rerank" and instructions:
            variants.update({f"rerank[{instruction}]": _Variant(strategy, instruction) for instruction in instructions})
        else:
            variants[strategy] = _Variant(strategy)
        if as_typed:
            variants[f"{strategy}[as typed]"] = _Variant(strategy, as_typed=True)
    return variants


def _search(indexes: dict[str, _Index], variant: _Variant) -> Search:
    def search(query: Query) -> Sequence[RankedChunk]:
        question = query.text if variant.as_typed else standalone(query.text, query.history)
        return indexes[query.corpus_lang].search(question, variant.strategy, variant.instruction)

    return search


@dataclass(frozen=True, slots=True)
class _Engine:
    """The models that all indexes share, loaded; without a reranker each index makes the embedded one."""

    encoder: Encoder
    embedded: MiniLmEncoder
    reranker: Reranker | None
    settings: Settings

    @classmethod
    def of(cls, models: Models | None, settings: Settings) -> _Engine:
        models = models or open_models(settings, writes=False)
        reranker = models.reranker.get() if models.reranker else None
        return cls(models.encoder.get(), models.embedded, reranker, settings)

    @property
    def follows_instructions(self) -> bool:
        return self.reranker is not None and follows_instructions(self.reranker)


class _Index:
    """A collection of a question set's documents, and where each of its passages stands in them."""

    def __init__(self, collection: Collection, documents: Sequence[CorpusDocument], engine: _Engine) -> None:
        late_interaction = embedded_reranker(collection, engine.embedded)
        self._collection = collection
        self._gate = Gate(SHIPPED, late_interaction)
        self._top_k = engine.settings.top_k
        self._candidates = engine.settings.candidates
        self._routed = engine.follows_instructions
        self._retriever = HybridRetriever(
            collection,
            engine.encoder,
            engine.reranker or late_interaction,
            candidates=engine.settings.candidates,
            budget_ms=engine.settings.rerank_budget_ms or None,
        )
        self.chunks = {chunk.chunk_id: chunk for document in documents for chunk in _locate(collection, document)}

    @classmethod
    def build(cls, question_set: QuestionSet, lang: str, engine: _Engine, on_progress: OnProgress) -> _Index:
        """The index of the documents in this language ("": all), made anew when anything about it has changed."""
        settings = engine.settings
        documents = [document for document in question_set.documents if lang in ("", document.lang)]
        identity = f"{_code_of_ingest()} {settings.chunking} {settings.embedder.identity} {documents}"
        digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
        home = platformdirs.user_cache_path("rag-app") / "eval" / f"{question_set.name}-{digest}"
        with ExitStack() as undo:
            collection = undo.enter_context(Collection.create(StoreConfig(home), settings.embedder, settings.chunking))
            known = {str(path) for path in collection.catalog.files()}
            missing = [document for document in documents if document.id not in known]
            for number, document in enumerate(missing, start=1):
                entry = make_entry(
                    _as_file(document), _as_read(document), settings.chunking, engine.encoder.count_tokens
                )
                embed([entry], engine.encoder)
                collection.put([entry])
                on_progress("indexing", number, len(missing))
            undo.pop_all()
        return cls(collection, documents, engine)

    def search(self, question: str, strategy: Strategy, instruction: str | None) -> list[RankedChunk]:
        hits = self._retriever.search(question, strategy=strategy, top_k=DEPTH, instruction=instruction)
        return [self.chunks[hit.node.node_id] for hit in hits]

    def observe(self, query: Query, judge: Judge) -> Iterator[Observation]:
        """The question as it is and, where it is answerable, with its documents left out."""
        question = standalone(query.text, query.history)
        instruction = route(question, self._collection.catalog.kind()) if self._routed else None
        hits = self._retriever.search(question, top_k=self._candidates, instruction=instruction)
        documents = judge.documents(query)
        others = [hit for hit in hits if self.chunks[hit.node.node_id].document_id not in documents]
        for found, left_out in ((hits, False), (others, True)):
            shown = found[: self._top_k]
            if not shown or (left_out and not documents):
                continue
            ranked = [self.chunks[hit.node.node_id] for hit in shown]
            texts = [hit.node.get_content(MetadataMode.EMBED) for hit in shown]
            yield Observation(
                judge.name,
                group=min(documents, default=query.id),
                features=self._gate.features(question, number_passages(shown), texts),
                answerable=bool(documents),
                sufficient=bool(documents) and not judge.relevant(query).keys().isdisjoint(judge.items(query, ranked)),
                left_out=left_out,
            )

    def __enter__(self) -> _Index:
        return self

    def __exit__(self, *exception: object) -> None:
        self._collection.close()


def _code_of_ingest() -> str:
    """A digest of the package that makes the index: while it is worked on, its version number lags behind."""
    modules = sorted(Path(ingest.__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(module.read_bytes() for module in modules)).hexdigest()


def _as_file(document: CorpusDocument) -> HashedFile:
    """The document as if it lay in a file of its own; two with the same text stay two."""
    content_hash = hashlib.sha256(f"{document.id}\0{document.text}".encode()).hexdigest()
    return HashedFile(FileRecord(Path(document.id), document.id, len(document.text), 0), content_hash)


def _as_read(document: CorpusDocument) -> Document:
    return Document(document.title, (Page(1, "", tuple(text_blocks(document.text))),))


def _locate(collection: Collection, document: CorpusDocument) -> list[RankedChunk]:
    record = collection.catalog.document(_as_file(document).document_id)
    if record is None:
        return []
    locator = Locator(document.text)
    return [
        RankedChunk(node.node_id, document.id, locator.ranges(node.get_content()), node.get_content())
        for node in collection.vectors.get_version(record.version)
    ]
