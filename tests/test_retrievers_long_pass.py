"""Close scores settled by whole sections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from llama_index.core.schema import NodeWithScore, TextNode

from ingest.collection import Collection
from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig
from ingest.embedding import MiniLmEncoder
from ingest.engines.local import LocalEngine
from ingest.pipeline import Ingester
from retrievers.hybrid import HybridRetriever, Trace
from retrievers.long_pass import LongPass, close_leaders
from retrievers.rerank.qwen3 import Qwen3Reranker

SMALL = ChunkingConfig(max_tokens=32, small_tokens=16)
MANUAL = """# Press manual

## Cooling

The filter of the press is cleaned once a week with warm water and with a brush that is soft enough for it.

The filter of the press is never cleaned with petrol, because this melts its cover and then its inner parts too.

## Hydraulics

The filter of the press is changed after two thousand hours, when the oil has been drained and the tank is clean.

It belongs to the model HP-60 alone, which has a second pump; other models have a strainer there in its place.
"""
QUESTION = "filter of the press on the HP-60"


class SectionReranker:
    """Passages get nearly the same score; of longer texts those that name the HP-60 are better. Keeps what it read."""

    def __init__(self) -> None:
        self.read: list[list[str]] = []

    def score(self, query: str, documents: Sequence[str], *, instruction: str | None = None) -> list[float]:
        self.read.append(list(documents))
        if len(self.read) == 1:
            return [0.9 if "weekly" in text or "once a week" in text else 0.85 for text in documents]
        return [0.7 if "HP-60" in text else 0.1 for text in documents]


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory, encoder: MiniLmEncoder) -> Iterator[Collection]:
    documents = tmp_path_factory.mktemp("documents")
    (documents / "press.md").write_text(MANUAL, encoding="utf-8")
    with Collection.create(StoreConfig(tmp_path_factory.mktemp("home")), EmbeddingConfig(), SMALL) as opened:
        Ingester(opened, LocalEngine(encoder, SMALL)).sync([documents])
        yield opened


def hit(score: float | None, name: str = "x") -> NodeWithScore:
    return NodeWithScore(node=TextNode(id_=name, text=name), score=score)


@pytest.mark.parametrize(
    ("scores", "close"),
    [
        ([0.9, 0.85, 0.8, 0.5], 3),
        ([0.9999, 0.999, 0.99], 1),
        ([1.0, 1.0, 0.99], 2),
        ([0.5], 1),
        ([0.9, None], 1),
        ([None], 0),
        ([], 0),
        ([0.5] * 20, 6),
    ],
)
def test_scores_are_close_by_their_odds(scores: list[float | None], close: int) -> None:
    assert len(close_leaders([hit(score) for score in scores])) == close


def test_the_close_ones_take_the_order_of_their_sections(collection: Collection, encoder: MiniLmEncoder) -> None:
    reranker = SectionReranker()
    retriever = HybridRetriever(collection, encoder, reranker, long_pass=LongPass(collection, reranker))
    trace = Trace()

    hits = retriever.search(QUESTION, trace=trace)

    _, sections = reranker.read
    assert len(sections) == 2
    assert all(text.startswith("Press manual\nPress manual > ") for text in sections)
    assert any("two thousand" in text and "HP-60 alone" in text for text in sections)
    assert "Hydraulics" in hits[0].node.metadata["section"]
    assert {one.score for one in hits} == {0.9, 0.85}  # those of the first pass
    assert list(trace.milliseconds) == ["dense", "keyword", "fuse", "rerank", "long"]


def test_a_clear_leader_is_not_looked_at_again(collection: Collection, encoder: MiniLmEncoder) -> None:
    class Clear(SectionReranker):
        def score(self, query: str, documents: Sequence[str], *, instruction: str | None = None) -> list[float]:
            self.read.append(list(documents))
            return [0.99 if "petrol" in text else 0.2 for text in documents]

    reranker, trace = Clear(), Trace()
    HybridRetriever(collection, encoder, reranker, long_pass=LongPass(collection, reranker)).search(
        QUESTION, trace=trace
    )

    assert len(reranker.read) == 1
    assert "long" not in trace.milliseconds


def test_a_section_too_long_is_read_around_its_passage(collection: Collection) -> None:
    nodes = collection.vectors.get_version(next(iter(collection.catalog.sources())))
    leaders = [NodeWithScore(node=node, score=0.9) for node in (nodes[0], nodes[-1])]
    reranker = SectionReranker()
    reranker.read.append([])

    LongPass(collection, reranker, section_tokens=10).settle(QUESTION, leaders, None)

    _, texts = reranker.read
    assert [text.split("\n\n", 1)[1] for text in texts] == [nodes[0].get_content(), nodes[-1].get_content()]


def test_a_document_that_has_gone_is_judged_by_its_passage(collection: Collection) -> None:
    nodes = collection.vectors.get_version(next(iter(collection.catalog.sources())))
    gone = nodes[0].model_copy(update={"metadata": {**nodes[0].metadata, "version": "gone"}})
    reranker = SectionReranker()
    reranker.read.append([])

    LongPass(collection, reranker).settle(QUESTION, [NodeWithScore(node=gone, score=0.9)], None)

    assert reranker.read[1][0].endswith(nodes[0].get_content())


def test_qwen3_settles_the_order_as_it_scores_the_sections(
    collection: Collection, encoder: MiniLmEncoder, qwen3_folder: Path
) -> None:
    class Recording:
        def score(self, query: str, documents: Sequence[str], *, instruction: str | None = None) -> list[float]:
            self.scores = dict(zip(documents, qwen3.score(query, documents, instruction=instruction), strict=True))
            return list(self.scores.values())

    qwen3, recording = Qwen3Reranker.from_pretrained(qwen3_folder, device="cpu", self_test=False), Recording()
    ranked = HybridRetriever(collection, encoder, qwen3).search(QUESTION, instruction="manual")
    tied = [NodeWithScore(node=one.node, score=0.5) for one in ranked]

    settled = LongPass(collection, recording).settle(QUESTION, tied, "manual")

    best_first = sorted(recording.scores, key=lambda text: -recording.scores[text])
    sections = list(dict.fromkeys(one.node.metadata["section"] for one in settled))
    assert len(best_first) == len(sections) >= 2
    assert [text.split("\n")[1] for text in best_first] == sections
    assert {one.node.node_id for one in settled} == {one.node.node_id for one in ranked}
