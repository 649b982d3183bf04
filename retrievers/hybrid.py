"""From a question to ranked evidence: dense and keyword candidates, fused, then reranked."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, get_args

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle

from ingest.collection import Collection
from ingest.embedding import Encoder, MiniLmEncoder
from ingest.embedding.adapter import EncoderEmbedding
from ingest.errors import UsageError
from ingest.segmentation import STOP_WORDS, segment
from retrievers.dense import DenseRetriever
from retrievers.fusion import reciprocal_rank_fusion
from retrievers.keyword import KeywordRetriever
from retrievers.long_pass import LongPass, close_leaders
from retrievers.rerank.late_interaction import LateInteractionReranker
from retrievers.rerank.postprocessor import RerankPostprocessor
from retrievers.rerank.protocol import Reranker

Strategy = Literal["bm25", "dense", "hybrid", "rerank"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)

FIRST_STAGE_LIMIT = 50
MAX_QUESTION_CHARACTERS = 4000
STOP_WORD_WEIGHT = 0.25
MOST_ATTEMPTS = 5


@dataclass(slots=True)
class Trace:
    """What a search did: milliseconds a stage, in the order in which the stages ended, and what was reranked.

    `scored` of the `candidates` were reached by the reranker; `ranked` are all of them, best first, also those beyond
    the `top_k`.
    """

    milliseconds: dict[str, float] = field(default_factory=dict)
    candidates: int = 0
    scored: int = 0
    ranked: list[NodeWithScore] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.milliseconds[name] = (time.perf_counter() - started) * 1000


class HybridRetriever(BaseRetriever):
    """The `top_k` best passages of a collection.

    `candidates` of the fused list are reranked, in `budget_ms` as far as that time goes: what it does not reach stands
    behind, with the score None. A `long_pass` settles the order of close leaders. Every node returned is a copy whose
    metadata holds `retrieval_rank` and `retrieval_score`: its place and score in the fused list.
    """

    def __init__(
        self,
        collection: Collection,
        encoder: Encoder,
        reranker: Reranker,
        *,
        top_k: int = 8,
        candidates: int = 30,
        budget_ms: float | None = None,
        long_pass: LongPass | None = None,
    ) -> None:
        super().__init__()
        self._embedding = EncoderEmbedding(encoder)
        self._encoder = encoder
        self._reranker = reranker
        self._candidates = candidates
        self._budget_ms = budget_ms
        self._long_pass = long_pass
        self.collection = collection
        self.top_k = top_k

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return self.search(query_bundle.query_str)

    def search(
        self,
        question: str,
        *,
        strategy: Strategy = "rerank",
        top_k: int | None = None,
        instruction: str | None = None,
        documents: Sequence[str] = (),
        trace: Trace | None = None,
    ) -> list[NodeWithScore]:
        """The best passages by one strategy, best first; `instruction` is a name or a text, for the reranking.

        Only the documents with these ids are searched, all where none are named. Raises `UsageError` for an empty or
        endless question, for an unknown instruction or document, and for a budget where the reranker cannot keep one.
        """
        check_question(question)
        trace = trace or Trace()
        top_k = top_k or self.top_k

        dense, keyword = self._first_stage(question, strategy, documents, trace)
        if strategy == "dense":
            return dense[:top_k]
        if strategy == "bm25":
            return keyword[:top_k]

        with trace.stage("fuse"):
            # Where the embedder cannot read the question, its ranking is noise that would push good passages out.
            fused = fuse(dense, keyword) if self._encoder.reads(question) or not keyword else fuse(keyword)
        if strategy == "hybrid":
            return fused[:top_k]

        return self.rerank(question, fused[: max(self._candidates, top_k)], instruction=instruction, trace=trace)[
            :top_k
        ]

    def rerank(
        self, question: str, candidates: Sequence[NodeWithScore], *, instruction: str | None, trace: Trace
    ) -> list[NodeWithScore]:
        """The candidates, given as the first stage ranks them, in the reranker's order; all of them.

        Raises `UsageError` as `search` does.
        """
        with trace.stage("rerank"):
            rerank = RerankPostprocessor(
                reranker=self._reranker,
                top_n=max(1, len(candidates)),
                instruction=instruction,
                budget_ms=self._budget_ms,
            )
            ranked = rerank.postprocess_nodes(list(candidates), query_str=question)
        trace.candidates, trace.scored = len(ranked), sum(hit.score is not None for hit in ranked)
        if self._long_pass and len(close_leaders(ranked)) > 1:
            with trace.stage("long"):
                ranked = self._long_pass.settle(question, ranked, instruction)
        trace.ranked = ranked
        return ranked

    def _first_stage(
        self, question: str, strategy: Strategy, documents: Sequence[str], trace: Trace
    ) -> tuple[list[NodeWithScore], list[NodeWithScore]]:
        """The dense and the keyword ranking, each empty where the strategy does not want it.

        Both show the documents of one moment: they are made anew when a document came or went in between, else a
        question would meet the old version in one ranking and the new one in the other.
        """
        by_meaning = DenseRetriever(self.collection, self._embedding, limit=FIRST_STAGE_LIMIT, documents=documents)
        by_words = KeywordRetriever(self.collection, limit=FIRST_STAGE_LIMIT, documents=documents)
        for _ in range(MOST_ATTEMPTS):
            moment = self.collection.catalog.generation
            dense: list[NodeWithScore] = []
            keyword: list[NodeWithScore] = []
            if strategy != "bm25":
                with trace.stage("dense"):
                    dense = by_meaning.retrieve(question)
            if strategy != "dense":
                with trace.stage("keyword"):
                    keyword = by_words.retrieve(question)
            if self.collection.catalog.generation == moment:
                return dense, keyword
        # Documents come and go faster than this search: what is live now is whole, what has just come may be missing.
        return self.collection.live(dense), self.collection.live(keyword)


def fuse(*rankings: list[NodeWithScore]) -> list[NodeWithScore]:
    """The nodes of several rankings once each, by reciprocal rank fusion, as new `NodeWithScore` objects."""
    nodes = {hit.node.node_id: hit.node for ranking in rankings for hit in ranking}
    fused = reciprocal_rank_fusion([[hit.node.node_id for hit in ranking] for ranking in rankings])
    return [NodeWithScore(node=nodes[node_id], score=score) for node_id, score in fused]


def check_question(question: str) -> None:
    """Raises `UsageError` for a question without a word or beyond `MAX_QUESTION_CHARACTERS`."""
    if not question.strip():
        raise UsageError("The question is empty. Write what you want to know.")
    if len(question) > MAX_QUESTION_CHARACTERS:
        raise UsageError(
            f"The question has {len(question):,} characters; at most {MAX_QUESTION_CHARACTERS:,} are read. Shorten it."
        )


def word_rarity(collection: Collection) -> Callable[[str], float]:
    """Inverse document frequency of words in the collection, as BM25 weighs them; 0 for what is no word.

    A word that the collection does not hold can only be matched by a similar one: it counts half of the rarest. In a
    small collection "when" may be rare; stop words count a quarter.
    """

    def rarity(word: str) -> float:
        words = segment(word)
        if not words:
            return 0.0
        total = len(collection.keywords)
        frequency = collection.keywords.document_frequency(words[0])
        idf = math.log(1 + (total - frequency + 0.5) / (frequency + 0.5)) if frequency else 0.5 * math.log(1 + total)
        return idf * STOP_WORD_WEIGHT if words[0] in STOP_WORDS else idf

    return rarity


def embedded_reranker(collection: Collection, encoder: MiniLmEncoder) -> LateInteractionReranker:
    """The reranker of the embedded profile, which weighs words by their rarity in this collection."""
    return LateInteractionReranker(encoder, rarity=word_rarity(collection))
