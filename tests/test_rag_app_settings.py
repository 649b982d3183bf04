"""Settings from options, environment and file."""

from __future__ import annotations

from pathlib import Path

import pytest

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
    settings = load_settings()

    assert settings.llm_api_key.get_secret_value() == "sk-secret"
    assert "sk-secret" not in settings.model_dump_json() + repr(settings)
