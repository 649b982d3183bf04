"""A real language model in OpenVINO: SmolLM2 writes real words, stops, and keeps its budget."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage
from qwen3_checkpoint import smollm2_file

from rag_app.answer import Token
from rag_app.assistant import Assistant
from rag_app.home import Home
from rag_app.llm import LanguageModelError
from rag_app.llm.local import open_local
from rag_app.llm.openvino import OpenVinoEngine
from rag_app.models import Models, open_models
from rag_app.settings import load_settings

CAPITAL = [HumanMessage("What is the capital of France?")]
STORY = [HumanMessage("Write a very long story about a pump.")]


SETTINGS = {"llm": "openvino", "llm_model": str(smollm2_file())}


@pytest.fixture(scope="module")
def models() -> Models:
    """Those of the settings, loaded once."""
    return open_models(load_settings(**SETTINGS))


@pytest.fixture(scope="module")
def engine(models: Models) -> OpenVinoEngine:
    assert models.writer
    engine: OpenVinoEngine = models.writer.get()._chat_model.engine
    return engine


def test_real_words_stream(engine: OpenVinoEngine) -> None:
    pieces = list(open_local(engine).stream(CAPITAL))

    assert "".join(pieces).strip() == "The capital of France is Paris."
    assert len(pieces) > 3


def test_closing_the_stream_stops_the_model(engine: OpenVinoEngine) -> None:
    before = threading.active_count()
    with closing(open_local(engine, answer_tokens=4000).stream(STORY)) as pieces:
        next(pieces)

    assert threading.active_count() == before
    assert "Paris" in open_local(engine).complete(CAPITAL)


def test_a_reply_at_its_limit_is_an_error(engine: OpenVinoEngine) -> None:
    with pytest.raises(LanguageModelError, match="token limit"):
        open_local(engine, answer_tokens=10).complete(STORY)


def test_the_budget_is_the_models_own_and_is_obeyed(engine: OpenVinoEngine) -> None:
    model = open_local(engine, answer_tokens=1000)

    assert engine.context_tokens == 8192
    assert model.fits([HumanMessage("torque " * 3000)])
    assert not model.fits([HumanMessage("torque " * 8000)])
    with pytest.raises(LanguageModelError, match="given at most 7,192"):
        model.complete([HumanMessage("torque " * 8000)])


def test_control_tokens_are_counted_as_one(engine: OpenVinoEngine) -> None:
    prompt = engine.prompt([{"role": "user", "content": "Hello"}], thinking=False)

    assert prompt.endswith("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n")
    assert engine.count_tokens("<|im_start|>user\nHello<|im_end|>") == 5


def test_the_chain_streams_real_words_about_a_document_until_nobody_reads_on(models: Models, tmp_path: Path) -> None:
    manual = tmp_path / "hp-60.md"
    manual.write_text("# E07\n\nE07 on the HP-60 means that the cooling water flow is too low.", encoding="utf-8")
    settings = load_settings(home=tmp_path / "home", **SETTINGS)
    assistant = Home(settings, models, Assistant).open(settings.collection, create=True)
    assistant.library.ingest([manual])
    before = threading.active_count()
    with closing(assistant.ask("What does E07 mean on the HP-60?")) as events:
        words = list(islice((event.text for event in events if isinstance(event, Token)), 8))
    after = threading.active_count()
    assistant.close()

    assert assistant.language_model == "SmolLM2-135M-Instruct.Q4_1"
    assert "E07" in "".join(words)
    assert after == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("none.gguf", None, id="no file"),
        pytest.param("notes.txt", b"Hello", id="no model"),
        pytest.param("broken.gguf", b"GGUF" + b"\x03\0\0\0" + b"\0" * 16, id="no fields"),
        pytest.param("", b"", id="a folder without a model"),
    ],
)
def test_what_cannot_be_loaded_is_said(tmp_path: Path, name: str, content: bytes | None) -> None:
    if name and content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(LanguageModelError, match="Expected a GGUF file"):
        OpenVinoEngine(tmp_path / name)


def test_nothing_is_reported_to_anybody() -> None:
    program = "import sys, rag_app.llm.openvino; print(sys.modules['openvino_telemetry'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "None\n"
