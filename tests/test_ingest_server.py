"""A collection whose vectors live on a Chroma server finds what one in its own folder finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.collection import Collection
from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig
from ingest.embedding import MiniLmEncoder
from ingest.engines.local import LocalEngine
from ingest.pipeline import Ingester
from ingest.repair import find_damage
from retrievers.hybrid import HybridRetriever, embedded_reranker

QUESTIONS = ["How often is the oil changed?", "What does E07 mean?", "Who pays for the delivery?"]
TEXTS = {
    "press.md": "# Press HP-40\n\nChange the oil every month.\n\n## Faults\n\nE07: the oil pressure is low.\n",
    "pump.md": "# Pump P-7\n\nClose the valve before the pump is opened.\n\nGrease the bearing each week.\n",
    "contract.txt": "4.1 The Seller shall deliver in May.\n\n4.2 The Buyer pays the freight within 30 days.\n",
}
Hits = list[tuple[str, float]]


def found(store: StoreConfig, folder: Path, encoder: MiniLmEncoder) -> list[Hits]:
    """The hits of each question, dense, by words and fused, before and after one file has changed."""
    hits = []
    with Collection.create(store, EmbeddingConfig(), ChunkingConfig()) as collection:
        ingester = Ingester(collection, LocalEngine(encoder, ChunkingConfig()))
        retriever = HybridRetriever(collection, encoder, embedded_reranker(collection, encoder), top_k=20)
        for pump in (TEXTS["pump.md"], "# Pump P-7\n\nChange the oil every year.\n"):
            (folder / "pump.md").write_text(pump, encoding="utf-8")
            ingester.sync([folder])
            assert not find_damage(collection)
            for question in QUESTIONS:
                for strategy in ("dense", "bm25", "hybrid"):
                    ranked = retriever.search(question, strategy=strategy)  # type: ignore[arg-type] # a literal each
                    hits.append([(hit.node.get_content(), hit.get_score()) for hit in ranked])
    return hits


def test_a_server_finds_what_the_folder_finds(tmp_path: Path, encoder: MiniLmEncoder, chroma_server: str) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")

    embedded = found(StoreConfig(tmp_path / "embedded"), folder, encoder)
    served = found(StoreConfig(tmp_path / "served", server=chroma_server), folder, encoder)

    assert any(text == "Change the oil every year." for text, _ in embedded[-len(QUESTIONS) * 3])
    # The order by words, and with it that of both together, also depends on how the documents were batched.
    assert [{text for text, _ in hits} for hits in served] == [{text for text, _ in hits} for hits in embedded]
    for one, other in zip(served[::3], embedded[::3], strict=True):
        assert [text for text, _ in one] == [text for text, _ in other]
        assert [score for _, score in one] == pytest.approx([score for _, score in other], abs=1e-5)
    assert not (tmp_path / "served" / "collections" / "default" / "chroma").exists()
