"""The models page without a browser."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from fake_assistant import BROKEN, FakeAssistant, small_models
from pages import ask, html, page, plain
from streamlit.testing.v1 import AppTest

from rag_app.models import Model
from retrievers.rerank.qwen3 import Qwen3Reranker


class Network:
    where = "cuda:0, bfloat16"


def opened(model: Model[object]) -> AppTest:
    models = replace(small_models(), reranker=model)
    return page(FakeAssistant(models=models, profile="qwen3"), "models")


def shown(app: AppTest) -> str:
    return "\n".join(plain(element.value) for element in (*app.main.markdown, *app.main.caption))


def test_small_models_are_ready_and_have_no_buttons() -> None:
    app = page(FakeAssistant(), "models")

    assert "all-MiniLM-L6-v2" in shown(app)
    assert "cpu, OpenVINO" in shown(app)
    assert [button.key for button in app.main.button] == ["models-examine"]
    assert app.metric[0].value.endswith(" GiB")
    assert not app.exception


def test_a_model_is_loaded_without_waiting_for_it_and_unloaded_again() -> None:
    begin = threading.Event()

    def load() -> Network:
        assert begin.wait(10)
        return Network()

    model = Model("reranking", "Qwen3-Reranker-0.6B", load)
    app = opened(model)
    assert "not loaded" in shown(app)
    app.button(key="load-1").click().run()
    assert ":orange-badge[loading]" in shown(app)
    assert app.button(key="load-1").disabled

    begin.set()
    model.get()
    app.run()
    assert "cuda:0, bfloat16" in shown(app)

    app.button(key="unload-1").click().run()
    assert model.state == "waiting"
    assert "not loaded" in shown(app)
    assert not app.exception


def test_a_model_that_fails_says_why_and_can_be_tried_again() -> None:
    def load() -> Network:
        raise BROKEN

    model = Model("reranking", "tiny", load)
    model.start().exception()
    app = opened(model)

    assert plain(app.error[0].value) == str(BROKEN)
    assert app.button(key="load-1").label == "Try again"


def test_a_self_test_that_was_passed_shows_what_was_asked(tested_qwen3_folder: Path) -> None:
    model = Model("reranking", "tiny", lambda: Qwen3Reranker.from_pretrained(tested_qwen3_folder, device="cpu"))
    waiting = shown(opened(model))
    model.get()
    app = opened(model)

    assert "It runs when the reranker is loaded" in waiting
    assert "Passed when it was loaded: “What is E07?”" in shown(app)
    assert html(app).count("<tr>") == 3
    assert "Error E07: oil pressure low." in html(app)
    assert "cpu, float32" in shown(app)


def test_what_is_installed_is_shown_on_demand() -> None:
    app = page(FakeAssistant(), "models")
    app.button(key="models-examine").click().run()

    assert "streamlit" in html(app)
    assert "gate" in html(app)


def test_a_question_loads_the_models_that_it_needs() -> None:
    model = Model("reranking", "tiny", Network)
    app = page(FakeAssistant(models=replace(small_models(), reranker=model), profile="qwen3"))
    ask(app)

    assert model.state == "loaded"
    assert '<sup class="mark">1</sup>' in html(app)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_drawn_in_both_languages(language: str) -> None:
    app = page(FakeAssistant(), "models")
    app.session_state["language"] = language
    app.run()

    assert not app.exception
