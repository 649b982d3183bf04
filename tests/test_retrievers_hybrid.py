"""The retriever over a real collection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore
from word_reranker import WordReranker

from ingest.collection import Collection
from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig
from ingest.embedding import MiniLmEncoder
from ingest.embedding.protocol import FloatMatrix
from ingest.engines.local import LocalEngine
from ingest.errors import IndexMismatchError, UnknownCollectionError, UsageError
from ingest.pipeline import Ingester
from retrievers import open_retriever
from retrievers.hybrid import STRATEGIES, HybridRetriever, Strategy, Trace, embedded_reranker, word_rarity
from retrievers.rerank.instructions import INSTRUCTIONS

MANUAL = """# {model} service manual

## Fault codes

E07 means that the {fault}. Reset the control afterwards.

E08 means that the door is open.

## Maintenance

Change the oil every 4000 hours.
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, encoder: MiniLmEncoder) -> Path:
    documents = tmp_path_factory.mktemp("documents")
    (documents / "hp-40.md").write_text(MANUAL.format(model="HP-40", fault="oil is too hot"), encoding="utf-8")
    (documents / "hp-60.md").write_text(MANUAL.format(model="HP-60", fault="water flow is low"), encoding="utf-8")
    (documents / "合同.md").write_text("# 采购合同\n\n卖方应当在十二月一日前交货。\n", encoding="utf-8")
    home = tmp_path_factory.mktemp("home")
    with Collection.create(StoreConfig(home), EmbeddingConfig(), ChunkingConfig()) as collection:
        Ingester(collection, LocalEngine(encoder, ChunkingConfig())).sync([documents])
    return home


@pytest.fixture
def collection(folder: Path) -> Iterator[Collection]:
    with Collection.open(StoreConfig(folder), EmbeddingConfig()) as opened:
        yield opened


@pytest.fixture
def retriever(collection: Collection, encoder: MiniLmEncoder) -> HybridRetriever:
    return HybridRetriever(collection, encoder, embedded_reranker(collection, encoder))


def test_open_retriever_is_a_llama_index_retriever(folder: Path) -> None:
    retriever = open_retriever(folder)
    hits = retriever.retrieve("What does E07 mean on the HP-60?")
    retriever.collection.close()

    assert isinstance(retriever, BaseRetriever)
    assert all(isinstance(hit, NodeWithScore) for hit in hits)
    assert "water flow is low" in hits[0].text


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_ranks_best_first(retriever: HybridRetriever, strategy: str) -> None:
    hits = retriever.search("When do I change the oil?", strategy=strategy, top_k=3)  # type: ignore[arg-type] # parametrised
    scores = [hit.score or 0.0 for hit in hits]

    assert 0 < len(hits) <= 3
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(("model", "fault"), [("HP-40", "oil is too hot"), ("HP-60", "water flow is low")])
def test_a_fault_code_finds_the_model_that_was_named(retriever: HybridRetriever, model: str, fault: str) -> None:
    assert fault in retriever.search(f"{model} E07")[0].text


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_only_the_documents_named_are_searched(
    retriever: HybridRetriever, collection: Collection, strategy: Strategy
) -> None:
    (asked,) = [record.document_id for record in collection.catalog.documents() if record.source == "hp-60.md"]

    hits = retriever.search("What does E07 mean on the HP-40?", strategy=strategy, documents=[asked])

    assert hits
    assert {hit.node.metadata["source"] for hit in hits} == {"hp-60.md"}
    everywhere = retriever.search("What does E07 mean on the HP-40?", strategy=strategy)
    assert {hit.node.metadata["source"] for hit in everywhere} >= {"hp-40.md", "hp-60.md"}


def test_a_document_that_is_not_there_is_named(retriever: HybridRetriever) -> None:
    with pytest.raises(UsageError, match="No document has the id 'hp-60'"):
        retriever.search("E07", documents=["hp-60"])


def test_chinese_questions_go_by_words(retriever: HybridRetriever) -> None:
    assert "十二月一日前交货" in retriever.search("卖方什么时候交货？")[0].text


def test_reranked_nodes_keep_their_first_place_and_score(retriever: HybridRetriever) -> None:
    fused = retriever.search("E07", strategy="hybrid", top_k=50)
    reranked = retriever.search("E07", top_k=50)

    assert sorted(hit.metadata["retrieval_rank"] for hit in reranked) == list(range(1, len(fused) + 1))
    assert {hit.metadata["retrieval_score"] for hit in reranked} == {hit.score for hit in fused}


def test_the_time_of_each_stage_is_noted_as_they_end(retriever: HybridRetriever) -> None:
    trace = Trace()
    retriever.search("E07", trace=trace)

    assert list(trace.milliseconds) == ["dense", "keyword", "fuse", "rerank"]


def test_an_instruction_reaches_the_reranker_as_its_text(collection: Collection, encoder: MiniLmEncoder) -> None:
    reranker = WordReranker()
    retriever = HybridRetriever(collection, encoder, reranker)
    plain = retriever.search("E07")[0].text
    told = retriever.search("E07", instruction="passages on maintenance oil")[0].text
    retriever.search("E07", instruction="fault-code")

    assert reranker.instructions == [None, "passages on maintenance oil", INSTRUCTIONS["fault-code"]]
    assert "E07" in plain
    assert "Change the oil" in told


def test_what_a_budget_does_not_reach_stands_behind_in_the_first_order(
    collection: Collection, encoder: MiniLmEncoder
) -> None:
    retriever = HybridRetriever(collection, encoder, WordReranker(), budget_ms=1)
    trace = Trace()
    hits = retriever.search("E07", trace=trace)
    fused = retriever.search("E07", strategy="hybrid", top_k=50)

    assert [hit.score is None for hit in hits] == [False, True, True]
    assert [hit.node.node_id for hit in hits] == [hit.node.node_id for hit in fused]
    assert (trace.scored, trace.candidates) == (1, 3)


def test_a_budget_that_the_reranker_cannot_keep_is_a_sentence(collection: Collection, encoder: MiniLmEncoder) -> None:
    retriever = HybridRetriever(collection, encoder, embedded_reranker(collection, encoder), budget_ms=10)

    with pytest.raises(UsageError, match="cannot keep a budget of 10 ms"):
        retriever.search("E07")


class Backwards:
    """An encoder whose questions point away from the documents that the embedded model finds near."""

    identity = "backwards"

    def __init__(self, encoder: MiniLmEncoder) -> None:
        self.encode_documents, self.count_tokens = encoder.encode_documents, encoder.count_tokens
        self._encoder = encoder

    def encode_queries(self, texts: Sequence[str]) -> FloatMatrix:
        return -self._encoder.encode_queries(texts)

    def reads(self, text: str) -> bool:
        return True


def test_another_encoder_finds_and_the_embedded_one_ranks(collection: Collection, encoder: MiniLmEncoder) -> None:
    question = "What does E07 mean on the HP-60?"
    plain = HybridRetriever(collection, encoder, embedded_reranker(collection, encoder))
    other = HybridRetriever(collection, Backwards(encoder), embedded_reranker(collection, encoder))
    near, far = (
        [hit.node.node_id for hit in retriever.search(question, strategy="dense")] for retriever in (plain, other)
    )

    assert far == near[::-1]
    assert "water flow is low" in other.search(question)[0].text


def test_a_collection_of_another_embedder_is_refused(folder: Path) -> None:
    with pytest.raises(IndexMismatchError, match=r"embedder: all-MiniLM-L6-v2@.* in the index, multilingual-e5-small@"):
        open_retriever(folder, embedding=EmbeddingConfig("multilingual"))


def test_open_retriever_takes_another_reranker(folder: Path) -> None:
    reranker = WordReranker()
    retriever = open_retriever(folder, reranker=reranker)
    hits = retriever.retrieve("water flow")
    retriever.collection.close()

    assert reranker.instructions == [None]
    assert "water flow" in hits[0].text


@pytest.mark.parametrize("question", ["", "  \n", "x" * 100_000], ids=["empty", "blank", "endless"])
def test_a_question_that_is_none_is_refused_with_a_sentence(retriever: HybridRetriever, question: str) -> None:
    with pytest.raises(UsageError, match=r"question (is empty|has 100,000 characters)"):
        retriever.search(question)


def test_what_is_not_live_is_never_found(retriever: HybridRetriever, collection: Collection) -> None:
    """A half-written version is in both indexes; only the catalog shows documents."""
    record = next(record for record in collection.catalog.documents() if record.source == "hp-60.md")
    collection.catalog.remove(record.document_id)
    found = {hit.metadata["source"] for strategy in STRATEGIES for hit in retriever.search("E07", strategy=strategy)}
    collection.catalog.make_live(record)

    assert found
    assert "hp-60.md" not in found


def test_a_missing_collection_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UnknownCollectionError, match="rag-app ingest"):
        open_retriever(tmp_path)


def test_an_index_of_another_embedder_names_the_rebuild(folder: Path, collection: Collection) -> None:
    identity = collection.catalog.identity()
    collection.catalog.set_identity({**identity, "embedder": "another model"})
    try:
        with pytest.raises(IndexMismatchError, match="--rebuild"):
            open_retriever(folder)
    finally:
        collection.catalog.set_identity(identity)


def test_stop_words_and_unknown_words_weigh_little(collection: Collection) -> None:
    rarity = word_rarity(collection)

    assert rarity("water") > rarity("unheardof") > 0
    assert rarity("water") > 2 * rarity("when")
    assert rarity("?") == 0
