"""The HTTP API over a real collection, and over an assistant that could not be built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from fake_assistant import BROKEN, FakeAssistant, small_models
from fastapi.testclient import TestClient

from rag_app.api import create_api
from rag_app.assistant import build_assistant
from rag_app.models import Model
from rag_app.settings import load_settings
from retrievers.rerank.errors import RerankerSelfTestError


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    note: Path = tmp_path_factory.mktemp("documents") / "note.txt"
    note.write_text("The warranty of the pump lasts thirty months.", encoding="utf-8")
    assistant = build_assistant(load_settings(home=tmp_path_factory.mktemp("home")), create=True)
    assistant.library.ingest([note])
    yield TestClient(create_api(lambda: assistant))
    assistant.close()


def test_health_names_the_collection_and_counts_its_documents() -> None:
    response = TestClient(create_api(lambda: FakeAssistant(collection="contracts"))).get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"status": "ok", "collection": "contracts", "documents": 2}


def test_a_question_is_answered_as_on_the_command_line(client: TestClient) -> None:
    response = client.post("/ask", json={"question": "How long does the warranty last?"})

    assert response.status_code == 200
    assert "thirty months" in response.json()["answer"]
    assert response.json()["citations"][0]["source"] == "note.txt"
    assert response.json()["instruction"] is None


def test_an_instruction_goes_with_its_question() -> None:
    assistant = FakeAssistant(follows_instructions=True)
    api = TestClient(create_api(lambda: assistant))

    assert api.post("/ask", json={"question": "Why?", "instruction": "code"}).json()["instruction"] == "code"
    assert api.post("/ask", json={"question": "Why?"}).json()["instruction"] == "fault-code"
    assert assistant.instructions == ["code", None]


def test_only_the_documents_named_are_read(client: TestClient) -> None:
    everything = client.post("/search", json={"query": "warranty"}).json()["results"]
    chosen = client.post("/search", json={"query": "warranty", "documents": ["note.txt"]}).json()["results"]
    nobody = client.post("/ask", json={"question": "Why?", "documents": ["nobody.txt"]})

    assert {result["source"] for result in chosen} == {"note.txt"} <= {result["source"] for result in everything}
    assert (nobody.status_code, "nobody.txt" in nobody.json()["detail"]) == (400, True)


def test_a_search_takes_the_options_of_the_command_line(client: TestClient) -> None:
    response = client.post("/search", json={"query": "warranty", "strategy": "bm25", "top_k": 1})

    assert response.status_code == 200
    assert response.json()["strategy"] == "bm25"
    assert [result["source"] for result in response.json()["results"]] == ["note.txt"]


@pytest.mark.parametrize(
    ("path", "body", "status", "sentence"),
    [
        ("/ask", {"question": " "}, 400, "The question is empty"),
        ("/ask", {"question": "x" * 5000}, 400, "5,000 characters"),
        ("/ask", {"question": "Why?", "instruction": "manul"}, 400, "no instruction 'manul'"),
        ("/search", {"query": "x", "instruction": "y" * 5000}, 400, "5,000 characters"),
        ("/ask", {"question": "x" * 50_000}, 422, "20000"),
        ("/ask", {"question": 1}, 422, "string"),
        ("/ask", {}, 422, "required"),
        ("/ask", {"question": "Why?", "answer": "Because."}, 422, "Extra"),
        ("/search", {"query": "x", "top_k": "8"}, 422, "integer"),
        ("/search", {"query": "x", "top_k": 0}, 422, "greater"),
        ("/search", {"query": "x", "top_k": 10_000}, 422, "200"),
        ("/search", {"query": "x", "strategy": "best"}, 422, "hybrid"),
    ],
)
def test_a_request_that_cannot_be_met_says_why(
    client: TestClient, path: str, body: dict[str, object], status: int, sentence: str
) -> None:
    response = client.post(path, json=body)

    assert response.status_code == status
    assert sentence in response.text


def test_an_assistant_that_could_not_be_built_is_503_with_its_sentence_everywhere() -> None:
    def broken() -> NoReturn:
        raise RerankerSelfTestError("It ranks wrongly.")

    client = TestClient(create_api(broken))
    responses = [
        client.get("/healthz"),
        client.post("/ask", json={"question": "Why?"}),
        client.post("/search", json={"query": "x"}),
    ]

    assert [response.status_code for response in responses] == [503] * 3
    assert {response.json()["detail"] for response in responses} == {"It ranks wrongly."}


def test_a_model_that_could_not_be_loaded_is_no_health() -> None:
    def load() -> object:
        raise BROKEN

    reranker = Model("reranking", "tiny", load)
    assert isinstance(reranker.start().exception(), type(BROKEN))
    assistant = FakeAssistant(models=replace(small_models(), reranker=reranker))
    response = TestClient(create_api(lambda: assistant)).get("/healthz")

    assert response.status_code == 503
    assert response.json() == {"detail": str(BROKEN)}
