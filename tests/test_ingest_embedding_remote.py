"""Vectors from a server that speaks OpenAI's /v1/embeddings, against such a server on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rerank_server import Server, model_server

from ingest.config import EmbeddingConfig
from ingest.embedding.protocol import EmbeddingError
from ingest.embedding.remote import RemoteEncoder

TEXTS = ["bb", "dddd", "a", "ccc", "dddd"]


def vector_of(text: str) -> list[float]:
    """Points further to the right, the longer the text."""
    return [float(len(text)), 1.0, 2.0]


def item(index: object, embedding: object) -> dict[str, object]:
    return {"object": "embedding", "index": index, "embedding": embedding}


def openai(body: dict[str, Any]) -> dict[str, Any]:
    assert body["encoding_format"] == "float"
    data = [item(index, vector_of(text)[: body.get("dimensions")]) for index, text in enumerate(body["input"])]
    return {"object": "list", "data": data[::-1], "model": body["model"], "usage": {"total_tokens": 9}}


@pytest.fixture
def server() -> Iterator[Server]:
    with model_server("/v1/embeddings", openai) as running:
        yield running


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.server.FIRST_PAUSE_S", 0.01)


def ask(server: Server, texts: list[str], **options: Any) -> np.ndarray:
    encoder = RemoteEncoder(EmbeddingConfig("openai", "some-model", base_url=server.url, **options))
    try:
        return encoder.encode_documents(texts)
    finally:
        encoder.close()


def unit(texts: list[str]) -> np.ndarray:
    rows = np.asarray([vector_of(text) for text in texts])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_vectors_come_in_the_order_of_the_texts_with_length_one(server: Server) -> None:
    vectors = ask(server, TEXTS)

    assert vectors.dtype == np.float32
    assert vectors == pytest.approx(unit(TEXTS), abs=1e-6)
    assert {body["model"] for body in server.bodies} == {"some-model"}


def test_many_texts_go_in_batches(server: Server) -> None:
    texts = ["x" * length for length in range(1, 71)]
    vectors = ask(server, texts)

    assert vectors == pytest.approx(unit(texts), abs=1e-6)
    assert [len(body["input"]) for body in server.bodies] == [1, 32, 32, 6]  # the first tells the dimension


def test_any_order_of_the_vectors_is_restored(server: Server) -> None:
    encoder = RemoteEncoder(EmbeddingConfig("openai", "m", base_url=server.url))
    assert encoder.dimension == 3

    @settings(max_examples=30, deadline=None)
    @given(st.integers(1, 30).flatmap(lambda count: st.permutations(range(count))))
    def check(order: list[int]) -> None:
        server.always(200, {"data": [item(index, [index + 1.0, 0.0, 1.0]) for index in order]})
        vectors = encoder.encode_documents(["x"] * len(order))

        assert vectors[:, 0] / vectors[:, 2] == pytest.approx([index + 1.0 for index in range(len(order))])

    check()
    encoder.close()


def test_wanted_dimensions_are_asked_for_and_checked(server: Server) -> None:
    assert ask(server, TEXTS, dimensions=2).shape == (5, 2)
    assert server.bodies[0]["dimensions"] == 2
    with pytest.raises(EmbeddingError, match=r"vectors of 8 dimensions .* got 3"):
        ask(server, TEXTS, dimensions=8)


def test_a_server_that_changes_its_model_is_noticed(server: Server) -> None:
    encoder = RemoteEncoder(EmbeddingConfig("openai", "m", base_url=server.url))
    encoder.encode_documents(TEXTS)
    server.always(200, {"data": [item(0, [1.0, 2.0])]})

    with pytest.raises(EmbeddingError, match=r"vectors of 3 dimensions .* got 2"):
        encoder.encode_queries(["E07"])
    encoder.close()


def test_questions_are_sent_bare_or_behind_the_instruction(server: Server) -> None:
    for instruction in ("", "Find the clause"):
        config = EmbeddingConfig("openai", "m", base_url=server.url, dimensions=3, instruction=instruction)
        encoder = RemoteEncoder(config)
        encoder.encode_queries(["Who pays?"])
        encoder.close()

    assert [body["input"] for body in server.bodies] == [
        ["Who pays?"],
        ["Instruct: Find the clause\nQuery:Who pays?"],
    ]


def test_no_texts_give_no_vectors(server: Server) -> None:
    assert ask(server, [], dimensions=3).shape == (0, 3)
    assert server.bodies == []


def test_half_a_surrogate_pair_does_not_stop_an_ingest(server: Server) -> None:
    assert len(ask(server, ["broken \ud800", "故障代码"], dimensions=3)) == 2
    assert server.bodies[0]["input"] == ["broken ?", "故障代码"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_is_busy_or_fails_is_asked_again(server: Server, status: int) -> None:
    server.first = [(status, {}, b"busy"), (status, {"Retry_After": "0"}, b"busy")]

    assert len(ask(server, TEXTS, dimensions=3)) == len(TEXTS)
    assert len(server.bodies) == 3


@pytest.mark.usefixtures("quick")
def test_a_server_that_keeps_failing_is_an_error_with_its_words(server: Server) -> None:
    server.always(500, {"error": "CUDA out of memory"})

    with pytest.raises(EmbeddingError, match=r"4 attempts, status 500: .*CUDA out of memory"):
        ask(server, TEXTS)


def test_a_refusal_is_not_repeated_and_never_shows_the_key(server: Server) -> None:
    server.always(401, {"error": "no such key: sk-secret"})

    with pytest.raises(EmbeddingError, match=r"status 401: .*no such key: \*\*\*"):
        ask(server, TEXTS, api_key="sk-secret")
    assert len(server.bodies) == 1
    assert server.headers[0]["Authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in repr(EmbeddingConfig("openai", "m", base_url=server.url, api_key="sk-secret"))


def test_a_server_that_does_not_answer_in_time_is_an_error(server: Server) -> None:
    def slowly() -> tuple[int, dict[str, str], bytes]:
        time.sleep(0.5)
        return 200, {}, b"{}"

    server.first = [slowly]

    with pytest.raises(EmbeddingError, match=r"embedding server at .* did not answer within 0\.1 s"):
        ask(server, TEXTS, timeout_s=0.1)


def test_a_server_that_is_not_there_is_an_error_with_its_address() -> None:
    with pytest.raises(EmbeddingError, match=r"http://127\.0\.0\.1:1/v1/embeddings cannot be reached"):
        ask(Server(url="http://127.0.0.1:1/v1/"), TEXTS)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"<html>", "Expected JSON"),
        ({"embeddings": []}, 'data of "index"'),
        ([], 'data of "index"'),
        ({"data": [{"index": 0}, {"index": 1}]}, 'and "embedding"'),
        ({"data": [item(0, "AACAPw=="), item(1, "AACAPw==")]}, 'and "embedding"'),
        ({"data": [item(0, [1.0]), item("1", [1.0])]}, 'and "embedding"'),
        ({"data": [item(0, [1.0]), item(1, [True])]}, 'and "embedding"'),
        ({"data": [item(0, [1.0]), item(1, [10**400])]}, 'and "embedding"'),
        ({"data": [item(0, [1.0])]}, "each of 2 texts"),
        ({"data": [item(0, [1.0]), item(0, [1.0])]}, "each of 2 texts"),
        ({"data": [item(0, [1.0]), item(2, [1.0])]}, "each of 2 texts"),
        ({"data": [item(0, [1.0]), item(1, [1.0]), item(1, [1.0])]}, "each of 2 texts"),
        ({"data": [item(0, [1.0]), item(1, [1.0, 2.0])]}, "different dimensions"),
        ({"data": [item(0, [1.0]), item(1, [float("nan")])]}, "no direction"),
        ({"data": [item(0, [1.0]), item(1, [0.0])]}, "no direction"),
        ({"data": [item(0, []), item(1, [])]}, "no direction"),
    ],
)
def test_an_answer_of_another_shape_is_never_a_vector(server: Server, answer: object, sentence: str) -> None:
    server.always(200, answer)

    with pytest.raises(EmbeddingError, match=sentence):
        ask(server, ["a", "b"], dimensions=1)
