"""The evaluation page without a browser, over real evaluations of a tiny question set."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from fake_assistant import HOSTILE, FakeAssistant
from pages import html, page, plain
from streamlit.testing.v1 import AppTest

from rag_app.evaluation import Excerpt, Found, QuestionResult, Report, StrategyResult
from rag_app.evaluations import Evaluations
from rag_app.metrics import METRICS

FILES = [
    ("corpus.jsonl", b'{"id": "e07", "title": "Flow", "text": "E07 means low flow."}\n', "text/plain"),
    ("queries.jsonl", b'{"id": "q1", "text": "What does E07 mean?"}\n', "text/plain"),
    ("qrels.tsv", b"q1\te07\t1\n", "text/plain"),
]


def measured(quality: float, milliseconds: float) -> StrategyResult:
    return StrategyResult({name: [quality] for name in METRICS}, [milliseconds / 1000])


def report(*, details: bool = True) -> bytes:
    missed = QuestionResult(
        "q1",
        f"How tight are the bolts? {HOSTILE}",
        (Excerpt("HP-40 manual", "Tighten the bolts to 45 Nm."),),
        {"bm25": Found(None, ()), "rerank": Found(3, ("c1",))},
    )
    first = Found(1, ())
    known = QuestionResult("q2", "What is E07?", (Excerpt(HOSTILE, ""),), {"bm25": first, "rerank": first})
    passages = {"c1": Excerpt(f"HP-60 {HOSTILE}", f"The bolts of the HP-60. {HOSTILE}")}
    strategies = {"bm25": measured(0.41, 9.2), "rerank": measured(0.603, 180)}
    done = Report("faults", 2, 1, 0, strategies, (missed, known), passages)
    return json.dumps(done.as_dict(details=details)).encode()


@pytest.fixture
def evaluations(tmp_path: Path) -> Evaluations:
    return Evaluations(tmp_path / "home")


def opened(evaluations: Evaluations, **values: object) -> AppTest:
    return page(FakeAssistant(evaluations=evaluations, **values), "evaluation")


def test_a_finished_evaluation_shows_its_table_and_plot(evaluations: Evaluations) -> None:
    evaluations.add(report(), "report.json")
    app = opened(evaluations)

    assert '<th scope="row">rerank</th><td><b>0.603</b></td>' in html(app)
    assert "<td><b>9.2</b></td>" in html(app)
    assert len(app.get("vega_lite_chart")) == 1
    assert any("counts as zero" in caption.value for caption in app.main.caption)
    assert not app.exception


def test_the_questions_that_a_strategy_got_wrong_open_to_what_answers_them(evaluations: Evaluations) -> None:
    evaluations.add(report(), "report.json")
    app = opened(evaluations)
    first = html(app)
    [within] = [group for group in app.get("button_group") if group.key == "evaluation-within"]
    within.set_value(5).run()
    none_missed = html(app)
    app.main.selectbox[1].set_value("bm25").run()

    assert "the first relevant one stands at rank 3" in first
    assert "Tighten the <mark>bolts</mark> to 45 Nm." in first
    assert "What is E07" not in first
    assert "<script" not in first
    assert 'class="missed"' not in none_missed
    assert "nothing relevant was found" in html(app)


def test_an_evaluation_without_details_says_how_to_get_them(evaluations: Evaluations) -> None:
    evaluations.add(report(details=False), "report.json")

    assert any("--details" in caption.value for caption in opened(evaluations).main.caption)


def test_a_question_set_is_added_run_and_its_result_shown(evaluations: Evaluations) -> None:
    app = opened(evaluations)
    app.text_input(key="evaluation-set-name").set_value("Faults")
    app.file_uploader(key="evaluation-set-files").set_value(FILES)
    app.button(key="evaluation-add-set").click().run()
    app.button(key="evaluation-go").click().run()
    assert app.button(key="evaluation-stop") or evaluations.kept()
    deadline = time.monotonic() + 60
    while evaluations.run is None or evaluations.run.running:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    app.run()

    assert evaluations.run.failure is None
    assert '<th scope="row">rerank</th>' in html(app)
    app.button(key="evaluation-remove").click().run()
    assert evaluations.kept() == []
    assert not app.exception


def test_files_that_are_no_question_set_are_a_sentence(evaluations: Evaluations) -> None:
    app = opened(evaluations)
    app.text_input(key="evaluation-set-name").set_value("Faults")
    app.file_uploader(key="evaluation-set-files").set_value(FILES[:1])
    app.button(key="evaluation-add-set").click().run()

    assert "queries.jsonl, qrels.tsv is missing" in plain(app.error[0].value)


@pytest.mark.parametrize(("language", "sentence"), [("en", "No file is chosen yet."), ("zh", "尚未选择文件。")])
@pytest.mark.parametrize("button", ["evaluation-add-set", "evaluation-add-report"])
def test_adding_without_a_file_says_that_it_is_missing(
    evaluations: Evaluations, button: str, language: str, sentence: str
) -> None:
    app = opened(evaluations)
    app.session_state["language"] = language
    app.run()
    app.text_input(key="evaluation-set-name").set_value("Faults")
    app.button(key=button).click().run()

    assert app.error[0].value.startswith(sentence)


def test_a_question_set_without_a_name_says_that_it_is_missing(evaluations: Evaluations) -> None:
    app = opened(evaluations)
    app.file_uploader(key="evaluation-set-files").set_value(FILES)
    app.button(key="evaluation-add-set").click().run()

    assert app.error[0].value.startswith("The question set has no name yet.")


def test_a_file_that_is_no_evaluation_is_a_sentence(evaluations: Evaluations) -> None:
    app = opened(evaluations)
    app.file_uploader(key="evaluation-report-file").set_value(("x.json", b"{}", "application/json"))
    app.button(key="evaluation-add-report").click().run()

    assert "x.json is no evaluation" in plain(app.error[0].value)


def test_an_evaluation_that_is_added_is_shown_at_once(evaluations: Evaluations) -> None:
    evaluations.add(report(), "report.json")
    app = opened(evaluations)
    other = report().replace(b'"faults"', b'"leases"')
    app.file_uploader(key="evaluation-report-file").set_value(("x.json", other, "application/json"))
    app.button(key="evaluation-add-report").click().run()

    assert not app.exception
    assert len(evaluations.kept()) == 2
    assert "leases" in app.subheader[0].value


def test_instructions_are_offered_where_the_reranker_follows_them(evaluations: Evaluations) -> None:
    evaluations.keep_question_set("faults", {name: content for name, content, _ in FILES})

    assert [box.label for box in opened(evaluations).main.multiselect] == ["Strategies"]
    followed = opened(evaluations, follows_instructions=True)
    assert [box.label for box in followed.main.multiselect] == ["Strategies", "Instructions to compare"]


def test_strategies_that_cannot_run_are_the_failure_of_the_run(evaluations: Evaluations) -> None:
    evaluations.keep_question_set("faults", {name: content for name, content, _ in FILES})
    app = opened(evaluations)
    app.multiselect(key="evaluation-strategies").set_value([]).run()
    app.button(key="evaluation-go").click().run()
    while evaluations.run is None or evaluations.run.running:
        time.sleep(0.05)
    app.run()

    assert "Expected strategies of" in plain(app.error[0].value)
