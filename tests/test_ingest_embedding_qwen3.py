"""Qwen3-Embedding against the official recipe, on a tiny model with random weights and the real tokenizer."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from qwen3_checkpoint import qwen3_tokenizer
from tokenizers.processors import TemplateProcessing
from torch import Tensor
from transformers import AutoModel, PreTrainedTokenizerFast

from ingest.config import EmbeddingConfig
from ingest.embedding import open_encoder
from ingest.embedding.protocol import EmbeddingError
from ingest.embedding.qwen3 import Qwen3Encoder

TASK = "Given a web search query, retrieve relevant passages that answer the query"
TEXTS = [
    "The capital of China is Beijing.",
    "Oil",
    "甲方应在收到货物之日起十日内付款。",
    "The Supplier shall deliver the Goods within thirty days after the order. " * 40,
    "",
    "12.3(b)\n\nE07",
]

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="on a GPU the encoder computes in bfloat16")


@cache
def published(folder: Path) -> tuple[Any, Any]:
    """Tokenizer and model as the model card has them: the tokenizer appends the end token, padding is on the left."""
    end = "<|endoftext|>"
    backend = qwen3_tokenizer().from_str(qwen3_tokenizer().to_str())
    backend.post_processor = TemplateProcessing(single=f"$A {end}", special_tokens=[(end, backend.token_to_id(end))])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, pad_token=end, padding_side="left")
    return tokenizer, AutoModel.from_pretrained(folder, dtype=torch.float32).eval()


def official(folder: Path, texts: list[str], max_length: int = 8192) -> np.ndarray:
    """The vectors that the transformers example of the model card gives."""
    tokenizer, model = published(folder)
    batch = tokenizer(texts, padding=True, truncation=True, max_length=max_length, return_tensors="pt")
    with torch.inference_mode():
        states = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    found: Tensor = F.normalize(last_token_pool(states, batch["attention_mask"]), p=2, dim=1)
    return found.numpy()


def last_token_pool(states: Tensor, attention_mask: Tensor) -> Tensor:
    if bool(attention_mask[:, -1].sum() == attention_mask.shape[0]):
        return states[:, -1]
    return states[torch.arange(states.shape[0]), attention_mask.sum(dim=1) - 1]


@pytest.fixture(scope="module")
def encoder(qwen3_folder: Path) -> Qwen3Encoder:
    return Qwen3Encoder(EmbeddingConfig("qwen3", str(qwen3_folder)))


def test_documents_are_embedded_as_in_the_official_recipe(encoder: Qwen3Encoder, qwen3_folder: Path) -> None:
    vectors = encoder.encode_documents(TEXTS)

    assert vectors.dtype == np.float32
    assert vectors == pytest.approx(official(qwen3_folder, TEXTS), abs=1e-5)


def test_questions_stand_behind_their_instruction(encoder: Qwen3Encoder, qwen3_folder: Path) -> None:
    queries = ["What is the capital of China?", "何时付款？"]
    expected = official(qwen3_folder, [f"Instruct: {TASK}\nQuery:{query}" for query in queries])

    assert encoder.encode_queries(queries) == pytest.approx(expected, abs=1e-5)


def test_an_instruction_of_ones_own_takes_its_place(qwen3_folder: Path) -> None:
    own = Qwen3Encoder(EmbeddingConfig("qwen3", str(qwen3_folder), instruction="Find the clause"))
    expected = official(qwen3_folder, ["Instruct: Find the clause\nQuery:Who pays?"])

    assert own.encode_queries(["Who pays?"]) == pytest.approx(expected, abs=1e-5)


def test_a_vector_depends_on_its_text_alone(encoder: Qwen3Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = encoder.encode_documents(TEXTS)
    order = list(range(len(TEXTS)))
    for seed, budget in enumerate((1, 40, 5000)):
        random.Random(seed).shuffle(order)
        monkeypatch.setattr("ingest.embedding.qwen3.CPU_BATCH_TOKENS", budget)
        found = encoder.encode_documents([TEXTS[index] for index in order])

        assert found == pytest.approx(expected[order], abs=1e-5)


def test_a_long_text_loses_its_end_and_not_its_last_token(qwen3_folder: Path) -> None:
    cutting = Qwen3Encoder(EmbeddingConfig("qwen3", str(qwen3_folder)), max_tokens=32)

    assert cutting.encode_documents(TEXTS) == pytest.approx(official(qwen3_folder, TEXTS, max_length=32), abs=1e-5)


def test_vectors_are_cut_to_fewer_dimensions_and_scaled_again(qwen3_folder: Path) -> None:
    config = EmbeddingConfig("qwen3", str(qwen3_folder), dimensions=64)
    encoder = open_encoder(config)
    vectors = encoder.encode_documents(TEXTS)
    expected = official(qwen3_folder, TEXTS)[:, :64]

    assert encoder.dimension == 64
    assert config.identity.endswith(", 64 dimensions")
    assert vectors == pytest.approx(expected / np.linalg.norm(expected, axis=1, keepdims=True), abs=1e-5)


@pytest.mark.parametrize("dimensions", [31, 129])
def test_dimensions_that_the_model_was_not_trained_for_are_refused(qwen3_folder: Path, dimensions: int) -> None:
    with pytest.raises(EmbeddingError, match=f"32 to 128 dimensions .* got {dimensions}"):
        Qwen3Encoder(EmbeddingConfig("qwen3", str(qwen3_folder), dimensions=dimensions))


def test_no_texts_give_no_vectors(encoder: Qwen3Encoder) -> None:
    assert encoder.encode_documents([]).shape == (0, 128)


def test_it_reads_every_script_and_counts_its_own_tokens(encoder: Qwen3Encoder) -> None:
    assert encoder.reads("清洁冷却器。")
    assert [encoder.count_tokens(text) for text in ("", "oil", "oil " * 20_000)] == [0, 1, 20_001]


@pytest.mark.parametrize("name", ["/no/such/folder", "./none"])
def test_a_folder_that_is_not_there_is_a_sentence(name: str) -> None:
    with pytest.raises(EmbeddingError, match=f"There is no folder {name}"):
        Qwen3Encoder(EmbeddingConfig("qwen3", name))


def test_a_folder_without_a_model_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match="cannot be loaded"):
        Qwen3Encoder(EmbeddingConfig("qwen3", str(tmp_path)))
