"""The rerank workbench without a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fake_assistant import BROKEN, HOSTILE, TEXT, FakeAssistant, small_models
from pages import chip, html, page, plain
from streamlit.testing.v1 import AppTest

from rag_app.models import Model
from rag_app.reranking import MAX_CANDIDATES
from retrievers.rerank.qwen3 import Qwen3Reranker

TEXTS = "The invoice is due.\nThe pump is hot.\n\nWhy is the pump hot?"


def ranked(app: AppTest, query: str = "Why is the pump hot?", texts: str = TEXTS) -> AppTest:
    app.text_input(key="workbench-query").set_value(query)
    app.text_area(key="workbench-texts").set_value(texts)
    return app.button(key="workbench-go").click().run()


def test_texts_are_ranked_and_the_words_of_the_query_are_marked() -> None:
    app = ranked(page(FakeAssistant(), "workbench"))

    shown = html(app)
    assert shown.index("line 4") < shown.index("line 2") < shown.index("line 1")
    assert "The <mark>pump</mark> is <mark>hot</mark>." in shown
    assert any("no probabilities" in caption.value for caption in app.main.caption)
    assert not app.exception


def test_an_option_that_would_change_nothing_is_not_there() -> None:
    """Late interaction follows no instructions and has no batches."""
    app = page(FakeAssistant(), "workbench")

    assert [box.label for box in app.main.selectbox] == ["Reranker"]
    assert not app.main.select_slider
    assert any("follows no instructions" in caption.value for caption in app.main.caption)


def test_two_instructions_stand_side_by_side_with_the_places_that_texts_moved() -> None:
    app = page(FakeAssistant(follows_instructions=True), "workbench")
    app.toggle(key="workbench-compare").set_value(True).run()
    app.selectbox(key="workbench-instruction-1").select("own words").run()
    app.text_area(key="own-workbench-instruction-1").set_value("find the invoice that is due now").run()
    app = ranked(app)

    shown = html(app)
    assert shown.count('<table class="ranking ranked">') == 2
    assert 'aria-label="one place higher"' in shown
    assert [plain(text.value) for text in app.markdown if "Words" in text.value] == [
        "**Words · web**",
        "**Words · find the invoice that is due now**",
    ]


def test_two_rerankers_are_compared_where_no_instruction_is_followed() -> None:
    app = page(FakeAssistant(), "workbench")
    app.toggle(key="workbench-compare").set_value(True).run()
    chosen = [box.value for box in app.main.selectbox]
    app = ranked(app)

    assert chosen == [0, 1]
    assert html(app).count('<table class="ranking ranked">') == 2


@pytest.mark.parametrize(
    ("query", "texts", "sentence"),
    [
        ("", TEXTS, "The question is empty"),
        ("pump", "", "nothing to rank"),
        ("pump", "\n".join(map(str, range(MAX_CANDIDATES + 1))), "301 texts; at most 300"),
    ],
    ids=["no query", "no texts", "too many"],
)
def test_what_cannot_be_ranked_is_a_sentence(query: str, texts: str, sentence: str) -> None:
    app = ranked(page(FakeAssistant(), "workbench"), query, texts)

    assert sentence in plain(app.error[0].value)
    assert not html(app).count("ranked")


def test_files_are_ranked_with_what_was_typed_and_a_bad_one_is_a_sentence() -> None:
    app = page(FakeAssistant(), "workbench")
    app.file_uploader(key="workbench-files").set_value([("a.jsonl", b'{"text": "pump a"}', "text/plain")])
    shown = html(ranked(app))
    app.file_uploader(key="workbench-files").set_value([("b.jsonl", b'{"txt": "pump a"}', "text/plain")])
    ranked(app)

    assert "a.jsonl, line 1" in shown
    assert 'Line 1 of b.jsonl has no "text"' in plain(app.error[0].value)


def test_a_passage_of_the_collection_opens_its_page() -> None:
    assistant = FakeAssistant()
    app = page(assistant, "workbench")
    app.multiselect(key="workbench-documents").select(assistant.records[0].title).run()
    ranked(app, "head bolts", "")

    chip(app, 1).click().run()

    assert app.get("image")
    assert html(app).count("ranked")


def test_the_size_of_a_forward_pass_can_be_chosen_once_its_reranker_is_loaded(tested_qwen3_folder: Path) -> None:
    model = Model("reranking", "tiny", lambda: Qwen3Reranker.from_pretrained(tested_qwen3_folder, device="cpu"))
    assistant = FakeAssistant(models=replace(small_models(), reranker=model), profile="qwen3")
    app = page(assistant, "workbench")
    before = len(app.main.select_slider)
    ranked(app).run()
    [slider] = app.main.select_slider
    slider.set_value(256)
    ranked(app, texts=f"{TEXTS}\nAnother one.")

    assert before == 0
    assert slider.value == 256
    assert any("probabilities from 0 to 1" in caption.value for caption in app.main.caption)
    assert not app.exception
    assert not app.error


def test_hostile_texts_are_text() -> None:
    app = ranked(page(FakeAssistant(), "workbench"), "script", f"{HOSTILE}\n{TEXT.splitlines()[0]}")

    assert "<script" not in html(app)
    assert "&lt;" in html(app)


def test_a_reranker_that_cannot_be_loaded_is_a_sentence_and_others_still_rank() -> None:
    def load() -> object:
        raise BROKEN

    models = replace(small_models(), reranker=Model("reranking", "tiny", load))
    app = ranked(page(FakeAssistant(models=models, profile="qwen3"), "workbench"))
    failed = plain(app.error[0].value)
    app.selectbox(key="workbench-reranker-0").set_value(1)
    ranked(app)

    assert failed == str(BROKEN)
    assert html(app).count("ranked")
    assert not app.error
