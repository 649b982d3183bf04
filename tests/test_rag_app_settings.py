"""Settings from options, environment and file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingest.config import EmbeddingConfig
from ingest.errors import UsageError
from rag_app.settings import load_settings


def test_options_win_over_environment_and_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    file.write_text("top_k = 3\ncandidates = 10\nport = 1234\n", encoding="utf-8")
    monkeypatch.setenv("RAG_CONFIG", str(file))
    monkeypatch.setenv("RAG_CANDIDATES", "20")
    monkeypatch.setenv("RAG_PORT", "2345")
    settings = load_settings(port=3456, host=None)

    assert (settings.top_k, settings.candidates, settings.port) == (3, 20, 3456)


def test_a_mistyped_variable_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_LLM_MODLE", "qwen3")

    with pytest.raises(UsageError, match="RAG_LLM_MODLE"):
        load_settings()


@pytest.mark.parametrize(
    ("content", "named"),
    [("topk = 3", "topk"), ("top_k = 0", "top_k"), ("top_k = ", "TOML")],
    ids=["unknown", "out of range", "no TOML"],
)
def test_a_wrong_file_is_an_error_that_names_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, named: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(content, encoding="utf-8")
    monkeypatch.setenv("RAG_CONFIG", str(file))

    with pytest.raises(UsageError, match=named):
        load_settings()


def test_a_named_file_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_CONFIG", str(tmp_path / "none.toml"))

    with pytest.raises(UsageError, match=r"none\.toml"):
        load_settings()


def test_the_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_LLM_API_KEY", "sk-secret")
    monkeypatch.setenv("RAG_RERANK_API_KEY", "sk-secret-too")
    monkeypatch.setenv("RAG_EMBEDDING_API_KEY", "sk-secret-three")
    settings = load_settings()

    assert settings.llm_api_key.get_secret_value() == "sk-secret"
    assert settings.rerank_api_key.get_secret_value() == "sk-secret-too"
    assert settings.embedder.api_key == "sk-secret-three"
    assert "sk-secret" not in settings.model_dump_json() + repr(settings) + repr(settings.embedder)


def test_a_base_url_alone_chooses_the_server() -> None:
    assert load_settings().writer is None
    assert load_settings(llm="qwen3").llm_name == "Qwen/Qwen3-4B-Instruct-2507"
    assert load_settings(llm_base_url="http://localhost/v1", llm_model="qwen3").writer == "openai"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"llm_model": "qwen3"}, "RAG_LLM_BASE_URL", id="a model and no address"),
        pytest.param({"llm_base_url": "http://localhost/v1"}, "llm_model", id="an address and no model"),
        pytest.param({"llm": "openai"}, "llm_base_url and llm_model", id="neither"),
        pytest.param({"llm": "openvino"}, "a GGUF file or a folder", id="no file"),
        pytest.param({"llm": "qwen3", "llm_base_url": "http://localhost/v1"}, "takes no llm_base_url", id="two places"),
    ],
)
def test_half_a_language_model_is_an_error(options: dict[str, str], expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        load_settings(**options)


def test_the_embedder_is_told_its_settings() -> None:
    assert load_settings().embedder == EmbeddingConfig()
    assert load_settings(embedding="qwen3").embedder.identity == "Qwen/Qwen3-Embedding-0.6B"
    assert load_settings(
        embedding="openai",
        embedding_model="bge-m3",
        embedding_dimensions=256,
        embedding_instruction="Find the clause",
        embedding_base_url="http://localhost:8000/v1",
        embedding_timeout_s=5,
    ).embedder == EmbeddingConfig("openai", "bge-m3", 256, "Find the clause", "http://localhost:8000/v1", "", 5.0)


def test_embedding_settings_that_do_not_fit_together_are_named() -> None:
    with pytest.raises(UsageError, match="'openai' needs embedding_base_url"):
        load_settings(embedding="openai")
    for embedding in ("embedded", "multilingual"):
        with pytest.raises(UsageError, match=f"'{embedding}' cannot be cut to embedding_dimensions"):
            load_settings(embedding=embedding, embedding_dimensions=256)


def test_a_server_needs_its_address() -> None:
    with pytest.raises(UsageError, match="'tei' needs rerank_base_url"):
        load_settings(reranker="tei")

    assert load_settings(reranker="tei", rerank_base_url="http://localhost:8000").profile == "tei"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("embedding", "bert"),
        ("embedding_model", ""),
        ("embedding_dimensions", -1),
        ("embedding_base_url", "localhost:8000"),
        ("embedding_timeout_s", 0),
        ("reranker", "qwen"),
        ("rerank_base_url", "localhost:8000"),
        ("rerank_base_url", "file:///etc/passwd"),
        ("rerank_device", "gpu"),
        ("rerank_dtype", "int8"),
        ("rerank_max_length", 40_000),
        ("rerank_model", ""),
        ("rerank_budget_ms", -1),
        ("rerank_timeout_s", 0),
    ],
)
def test_a_model_setting_out_of_its_range_is_named(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=name):
        load_settings(**{name: value})


def test_a_budget_needs_a_reranker_that_can_keep_it() -> None:
    with pytest.raises(UsageError, match="'embedded' cannot keep a rerank_budget_ms"):
        load_settings(reranker="embedded", rerank_budget_ms=100)


def test_auto_is_settled_by_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.delenv("RAG_RERANKER")
    assert load_settings().reranker == "auto"
    assert load_settings().profile == ("qwen3" if torch.cuda.is_available() else "embedded")
    assert load_settings(reranker="qwen3").profile == "qwen3"


@pytest.mark.parametrize(
    ("options", "reads"),
    [
        ({"reranker": "embedded"}, False),
        ({"reranker": "qwen3", "rerank_device": "cpu"}, False),
        ({"reranker": "qwen3", "rerank_device": "cpu", "rerank_long": "on"}, True),
        ({"reranker": "qwen3", "rerank_device": "cuda"}, True),
        ({"reranker": "qwen3", "rerank_device": "cuda", "rerank_long": "off"}, False),
        ({"reranker": "qwen3", "rerank_device": "cuda", "rerank_budget_ms": 200.0}, False),
    ],
)
def test_whole_sections_are_read_where_a_gpu_does_it(options: dict[str, Any], reads: bool) -> None:
    assert load_settings(**options).reads_sections is reads


def test_the_embedded_reranker_reads_no_whole_sections() -> None:
    with pytest.raises(UsageError, match="no whole sections"):
        load_settings(reranker="embedded", rerank_long="on")
