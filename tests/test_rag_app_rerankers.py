"""Which engine the settings name."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag_app.rerankers import describe_reranker, open_reranker
from rag_app.settings import Settings, load_settings
from retrievers.rerank.errors import RerankerError
from retrievers.rerank.protocol import follows_instructions

SERVERS = ("vllm", "vllm-score", "tei", "cohere", "jina")


def server(name: str) -> Settings:
    """A server that nobody runs: the port is reserved."""
    return load_settings(reranker=name, rerank_base_url="http://127.0.0.1:1", rerank_timeout_s=0.2)


def test_the_embedded_reranker_is_made_for_each_collection() -> None:
    assert open_reranker(load_settings(reranker="embedded")) is None


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_does_not_answer_is_a_sentence_with_its_address(name: str) -> None:
    reranker = open_reranker(server(name))

    assert reranker is not None
    with pytest.raises(RerankerError, match=r"http://127\.0\.0\.1:1"):
        reranker.score("Which pump?", ["The blue one."])


def test_tei_reads_no_instructions() -> None:
    reranker = open_reranker(server("tei"))

    assert reranker is not None
    assert not follows_instructions(reranker)


def test_a_model_that_is_not_there_is_a_sentence_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(RerankerError, match="no model"):
        open_reranker(load_settings(reranker="qwen3", rerank_model=str(tmp_path / "no model")))


@pytest.mark.parametrize(
    ("options", "description"),
    [
        ({"reranker": "embedded"}, "late interaction"),
        ({"reranker": "qwen3", "rerank_model": "models/4b"}, "models/4b"),
        (
            {"reranker": "vllm", "rerank_base_url": "http://127.0.0.1:1"},
            "Qwen/Qwen3-Reranker-0.6B by vllm at http://127.0.0.1:1",
        ),
    ],
    ids=["embedded", "qwen3", "server"],
)
def test_what_ranks_is_described_without_loading_it(options: dict[str, str], description: str) -> None:
    assert describe_reranker(load_settings(**options)) == description
