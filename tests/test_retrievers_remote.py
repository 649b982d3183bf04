"""Rerankers behind HTTP, against servers on this machine that answer in exactly those shapes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rerank_server import Server, rerank_server, score_of

from ingest.errors import UsageError
from retrievers.rerank.errors import RerankerError
from retrievers.rerank.protocol import Reranker, follows_instructions
from retrievers.rerank.remote import DIALECTS, Dialect, RemoteReranker

DOCUMENTS = ["bb", "dddd", "a", "ccc", "dddd"]


@pytest.fixture
def vllm() -> Iterator[Server]:
    with rerank_server("vllm") as server:
        yield server


def ask(server: Server, documents: list[str] | None = None, **options: Any) -> list[float]:
    reranker = RemoteReranker("vllm", server.url, model="m", **options)
    try:
        return reranker.score("query", DOCUMENTS if documents is None else documents)
    finally:
        reranker.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.server.FIRST_PAUSE_S", 0.01)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_scores_come_in_the_order_of_the_documents(dialect: Dialect) -> None:
    with rerank_server(dialect) as server:
        reranker = RemoteReranker(dialect, server.url, model="some-model")

        assert isinstance(reranker, Reranker)
        assert reranker.score("query", DOCUMENTS, instruction="Find it") == [score_of(text) for text in DOCUMENTS]
        told = server.bodies[0].get("instruction")
        assert told == ("Find it" if follows_instructions(reranker) else None)
        reranker.close()


def test_only_vllm_is_told_an_instruction() -> None:
    followers = [dialect for dialect in DIALECTS if RemoteReranker(dialect, "http://localhost").follows_instructions]

    assert followers == ["vllm", "vllm-score"]


@pytest.mark.parametrize("ending", ["", "/", "//", "/v1", "/v1/", "/v2"])
def test_an_address_may_end_in_a_version(vllm: Server, ending: str) -> None:
    vllm.url += ending

    assert len(ask(vllm)) == len(DOCUMENTS)
    assert vllm.paths == ["/v1/rerank"]


def test_a_path_before_the_version_is_kept() -> None:
    assert RemoteReranker("cohere", "https://host/proxy/v2").url == "https://host/proxy/v2/rerank"


def test_many_texts_go_to_tei_in_batches() -> None:
    texts = ["x" * length for length in range(70)]
    with rerank_server("tei") as server:
        reranker = RemoteReranker("tei", server.url)

        assert reranker.score("query", texts) == [score_of(text) for text in texts]
        assert [len(body["texts"]) for body in server.bodies] == [32, 32, 6]
        reranker.close()


def test_any_order_of_the_results_is_restored() -> None:
    with rerank_server("vllm") as server:
        reranker = RemoteReranker("vllm", server.url)

        @settings(max_examples=40, deadline=None)
        @given(st.integers(1, 40).flatmap(lambda count: st.permutations(range(count))))
        def check(order: list[int]) -> None:
            server.always(200, {"results": [result(index, index / 7) for index in order]})

            assert reranker.score("q", ["x"] * len(order)) == [index / 7 for index in range(len(order))]

        check()
        reranker.close()


def test_half_a_surrogate_pair_does_not_stop_the_ranking(vllm: Server) -> None:
    assert len(ask(vllm, documents=["broken \ud800", "故障代码"])) == 2
    assert vllm.bodies[0]["documents"] == ["broken ?", "故障代码"]


def test_no_documents_need_no_request(vllm: Server) -> None:
    assert ask(vllm, documents=[]) == []
    assert vllm.bodies == []


def test_the_key_is_sent_and_never_shown(vllm: Server) -> None:
    vllm.always(401, {"detail": "bad key"})

    with pytest.raises(RerankerError, match=r"status 401: .*bad key") as raised:
        ask(vllm, api_key="sk-secret")

    assert vllm.headers[0]["Authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in str(raised.value) + repr(RemoteReranker("vllm", vllm.url, api_key="sk-secret"))


def test_a_key_that_the_server_repeats_is_not_shown(vllm: Server) -> None:
    vllm.always(401, {"detail": "no such key: sk-secret"})

    with pytest.raises(RerankerError, match=r"no such key: \*\*\*"):
        ask(vllm, api_key="sk-secret")


@pytest.mark.parametrize("key", ["sk-secret\n", " sk-secret", "sk-\rsecret", "sk-secret-ключ"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(UsageError, match="API key") as raised:
        RemoteReranker("vllm", "http://localhost", api_key=key)

    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan"), float("inf")])
def test_a_timeout_that_is_no_time_is_refused(timeout_s: float) -> None:
    with pytest.raises(UsageError, match="timeout"):
        RemoteReranker("vllm", "http://localhost", timeout_s=timeout_s)


def test_an_answer_that_cannot_be_unpacked_is_an_error(vllm: Server) -> None:
    vllm.always(200, b"no gzip", Content_Encoding="gzip")

    with pytest.raises(RerankerError, match="broke off its answer"):
        ask(vllm)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(vllm: Server, status: int) -> None:
    vllm.first = [(status, {}, b"busy"), (status, {"Retry_After": "0"}, b"busy")]

    assert len(ask(vllm)) == len(DOCUMENTS)
    assert len(vllm.bodies) == 3


@pytest.mark.usefixtures("quick")
def test_a_server_that_stays_busy_is_an_error(vllm: Server) -> None:
    vllm.always(503, b"overloaded")

    with pytest.raises(RerankerError, match="is busy: 4 attempts, status 503"):
        ask(vllm)


def test_a_pause_longer_than_the_timeout_is_not_waited_for(vllm: Server) -> None:
    vllm.always(429, b"", Retry_After="3600")

    with pytest.raises(RerankerError, match="1 attempts"):
        ask(vllm, timeout_s=5)


def test_other_failures_are_not_repeated(vllm: Server) -> None:
    vllm.always(500, b"Traceback\n\x1b[31mred" + b"x" * 5000)

    with pytest.raises(RerankerError, match="status 500") as raised:
        ask(vllm)

    assert len(vllm.bodies) == 1
    assert len(str(raised.value)) < 400
    assert "\x1b" not in str(raised.value)


def test_a_server_that_does_not_answer_in_time_is_an_error(vllm: Server) -> None:
    def slowly() -> tuple[int, dict[str, str], bytes]:
        time.sleep(0.5)
        return 200, {}, b"{}"

    vllm.first = [slowly]

    with pytest.raises(RerankerError, match=r"did not answer within 0\.1 s"):
        ask(vllm, timeout_s=0.1)


def test_a_server_that_is_not_there_is_an_error_with_its_address() -> None:
    with pytest.raises(RerankerError, match=r"http://127\.0\.0\.1:1/v1/rerank cannot be reached"):
        RemoteReranker("vllm", "http://127.0.0.1:1").score("query", DOCUMENTS)


def result(index: object, score: object) -> dict[str, object]:
    return {"index": index, "relevance_score": score}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"<html>", "Expected JSON"),
        (b"[" * 100_000, "Expected JSON"),
        ({"data": []}, 'results of "index"'),
        ([], 'results of "index"'),
        ({"results": [{"index": 0, "score": 1.0}]}, 'and "relevance_score"'),
        ({"results": [result(0, 1.0)]}, "each of 2 documents once"),
        ({"results": [result(0, 1.0), result(0, 1.0)]}, "each of 2 documents once"),
        ({"results": [result(0, 1.0), result(2, 1.0)]}, "each of 2 documents once"),
        ({"results": [result(0, 1.0), result(1, 0.5), result(1, 0.5)]}, "each of 2 documents once"),
        ({"results": [result(0, 1.0), result(-1, 0.5)]}, "each of 2 documents once"),
        ({"results": [result(0, 1.0), result(1, float("nan"))]}, "no number"),
        ({"results": [result(0, 1.0), result(1, 10**400)]}, "results of"),
        ({"results": [result(0, 1.0), result(1, None)]}, "results of"),
        ({"results": [result(0, 1.0), result("1", 0.5)]}, "results of"),
        ({"results": [result(0, 1.0), result(True, 0.5)]}, "results of"),
    ],
)
def test_an_answer_of_another_shape_is_never_a_score(vllm: Server, answer: object, sentence: str) -> None:
    vllm.always(200, answer)

    with pytest.raises(RerankerError, match=sentence):
        ask(vllm, documents=["a", "b"])


def test_an_answer_without_end_is_not_read(vllm: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.server.MAX_ANSWER_BYTES", 100)
    vllm.always(200, b"x" * 10_000)

    with pytest.raises(RerankerError, match="longer than"):
        ask(vllm)


def test_threads_share_one_reranker(vllm: Server) -> None:
    reranker = RemoteReranker("vllm", vllm.url, model="m")

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: reranker.score("q", ["x" * number, "y"]), range(12)))

    assert found == [[score_of("x" * number), score_of("y")] for number in range(12)]
    reranker.close()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost:8000",
        "ftp://host",
        "http://",
        "http://:80",
        "http:// host",
        "http://host:abc",
        "http://[::zz]",
        "http://host?key=1",
        "http://host#part",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="address"):
        RemoteReranker("vllm", address)


def test_a_password_in_the_address_is_refused_without_showing_it() -> None:
    with pytest.raises(UsageError, match="without name and password") as raised:
        RemoteReranker("vllm", "http://user:sk-secret@host")

    assert "sk-secret" not in str(raised.value)


def test_an_unknown_kind_of_server_is_refused() -> None:
    with pytest.raises(UsageError, match="vllm-score"):
        RemoteReranker("openai", "http://localhost")  # type: ignore[arg-type]
