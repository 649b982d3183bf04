"""Any reranker inside LlamaIndex and LangChain."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.event_handlers import BaseEventHandler

from ingest.errors import UsageError
from retrievers import Qwen3Rerank, Qwen3RerankCompressor, RerankCompressor, RerankPostprocessor
from retrievers.rerank.instructions import INSTRUCTIONS


class ByLength:
    """A reranker whose scores are plain to see: the longer the document, the better."""

    def __init__(self) -> None:
        self.instructions: list[str | None] = []

    def score(self, query: str, documents: Sequence[str], *, instruction: str | None = None) -> list[float]:
        self.instructions.append(instruction)
        return [float(len(document)) for document in documents]


class Recorder(BaseEventHandler):
    events: list[Any] = []  # noqa: RUF012 - pydantic copies the default for each instance

    def handle(self, event: Any, **kwargs: Any) -> None:
        self.events.append(event)


def nodes(*texts: str) -> list[NodeWithScore]:
    return [NodeWithScore(node=TextNode(text=text), score=0.5) for text in texts]


def test_nodes_come_best_first_and_remember_their_place() -> None:
    given = nodes("a", "ccc", "bb")
    best = RerankPostprocessor(reranker=ByLength(), top_n=2).postprocess_nodes(given, query_str="?")

    assert [(node.text, node.score) for node in best] == [("ccc", 3.0), ("bb", 2.0)]
    assert [node.metadata["retrieval_rank"] for node in best] == [2, 3]
    assert [node.metadata["retrieval_score"] for node in best] == [0.5, 0.5]


def test_the_nodes_given_stay_as_they_were() -> None:
    given = nodes("a", "ccc")
    RerankPostprocessor(reranker=ByLength()).postprocess_nodes(given, query_str="?")

    assert [(node.score, node.metadata) for node in given] == [(0.5, {}), (0.5, {})]


def test_ties_keep_the_order_of_the_first_stage() -> None:
    best = RerankPostprocessor(reranker=ByLength()).postprocess_nodes(nodes("b", "a", "c"), query_str="?")

    assert [node.text for node in best] == ["b", "a", "c"]


def test_reranking_without_a_question_is_an_error() -> None:
    with pytest.raises(ValueError, match="query_str"):
        RerankPostprocessor(reranker=ByLength()).postprocess_nodes(nodes("a"))


def test_no_nodes_give_no_nodes() -> None:
    assert RerankPostprocessor(reranker=ByLength()).postprocess_nodes([], query_str="?") == []


def test_llama_index_hears_when_reranking_starts_and_ends() -> None:
    recorder = Recorder()
    dispatcher = get_dispatcher("retrievers.rerank.postprocessor")
    dispatcher.add_event_handler(recorder)
    RerankPostprocessor(reranker=ByLength(), top_n=1).postprocess_nodes(nodes("a", "bb"), query_str="why")
    dispatcher.event_handlers.remove(recorder)
    start, end = recorder.events

    assert isinstance(start, ReRankStartEvent)
    assert (start.top_n, start.model_name) == (1, "ByLength")
    assert isinstance(end, ReRankEndEvent)
    assert [node.text for node in end.nodes] == ["bb"]


def test_the_instruction_reaches_the_reranker() -> None:
    reranker = ByLength()
    RerankPostprocessor(reranker=reranker, instruction="about clauses").postprocess_nodes(nodes("a"), query_str="?")
    RerankCompressor(reranker=reranker, instruction="fault-code").compress_documents([Document("a")], "?")

    assert reranker.instructions == ["about clauses", INSTRUCTIONS["fault-code"]]


def test_langchain_documents_come_best_first_with_their_score() -> None:
    given = [Document("a", metadata={"page": 1}), Document("ccc"), Document("bb")]
    best = RerankCompressor(reranker=ByLength(), top_n=2).compress_documents(given, "?")

    assert [(document.page_content, document.metadata["relevance_score"]) for document in best] == [
        ("ccc", 3.0),
        ("bb", 2.0),
    ]
    assert given[0].metadata == {"page": 1}


def test_langchain_without_documents_gives_none() -> None:
    assert RerankCompressor(reranker=ByLength()).compress_documents([], "?") == []


class OutOfTime(ByLength):
    """Scores only the first documents, as a reranker does whose time is spent."""

    def score_within(
        self, query: str, documents: Sequence[str], budget_ms: float, *, instruction: str | None = None
    ) -> list[float]:
        return self.score(query, documents[:2], instruction=instruction)


def test_nodes_that_the_time_did_not_reach_stand_behind_in_their_order_without_a_score() -> None:
    rerank = RerankPostprocessor(reranker=OutOfTime(), top_n=4, budget_ms=50)

    best = rerank.postprocess_nodes(nodes("a", "bb", "dddd", "ccc"), query_str="?")

    assert [(node.text, node.score) for node in best] == [("bb", 2.0), ("a", 1.0), ("dddd", None), ("ccc", None)]
    assert [node.metadata["retrieval_rank"] for node in best] == [2, 1, 3, 4]


def test_a_budget_needs_a_reranker_that_can_stop() -> None:
    with pytest.raises(UsageError, match="ByLength scores all documents or none"):
        RerankPostprocessor(reranker=ByLength(), budget_ms=50)


PASSAGES = ("E07: oil pressure too low.", "The supplier bears the risk.", "Tighten the bolts to 40 N·m.", "Index")


def test_qwen3_rerank_works_in_a_plain_llamaindex_query_engine(qwen3_folder: Path) -> None:
    from llama_index.core import SummaryIndex
    from llama_index.core.llms import MockLLM

    rerank = Qwen3Rerank(str(qwen3_folder), top_n=2, instruction="fault-code", device="cpu", self_test=False)
    recorder = Recorder()
    get_dispatcher().add_event_handler(recorder)
    index = SummaryIndex([TextNode(text=text) for text in PASSAGES])

    found = index.as_query_engine(llm=MockLLM(), node_postprocessors=[rerank]).query("What is E07?")

    get_dispatcher().event_handlers.remove(recorder)
    expected = rerank.reranker.score("What is E07?", PASSAGES, instruction=INSTRUCTIONS["fault-code"])
    best = sorted(zip(expected, PASSAGES, strict=True), reverse=True)[:2]
    assert [(node.score, node.text) for node in found.source_nodes] == best
    start = next(event for event in recorder.events if isinstance(event, ReRankStartEvent))
    assert (start.model_name, start.top_n) == (str(qwen3_folder), 2)
    assert any(isinstance(event, ReRankEndEvent) for event in recorder.events)
    assert rerank.postprocess_nodes([], query_str="?") == []
    with pytest.raises(ValueError, match="query_str"):
        rerank.postprocess_nodes(nodes("a"))


def test_qwen3_compressor_works_in_langchains_contextual_compression_retriever(qwen3_folder: Path) -> None:
    from langchain_classic.retrievers import ContextualCompressionRetriever
    from langchain_core.embeddings import DeterministicFakeEmbedding
    from langchain_core.vectorstores import InMemoryVectorStore

    compressor = Qwen3RerankCompressor(str(qwen3_folder), top_n=2, device="cpu", self_test=False)
    store = InMemoryVectorStore.from_texts(list(PASSAGES), DeterministicFakeEmbedding(size=8))
    retriever = ContextualCompressionRetriever(base_compressor=compressor, base_retriever=store.as_retriever())

    found = retriever.invoke("What is E07?")

    expected = compressor.reranker.score("What is E07?", PASSAGES)
    best = sorted(zip(expected, PASSAGES, strict=True), reverse=True)[:2]
    assert [(document.metadata["relevance_score"], document.page_content) for document in found] == best
