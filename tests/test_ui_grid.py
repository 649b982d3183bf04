"""The clause grid without a browser, on an assistant whose answers are scripted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from fake_assistant import (
    AGREEMENT,
    DOUBTFUL,
    HOSTILE,
    MANUAL,
    QUOTED,
    REFUSED,
    TABLE,
    FakeAssistant,
    answer_of,
    cite,
    passage,
    record,
)
from pages import html, labels, page, plain, visit
from streamlit.testing.v1 import AppTest

from rag_app.answer import Answer, Event
from retrievers.rerank.errors import RerankerError
from ui.grid import MAX_CELLS, MAX_QUESTIONS

TIGHT, OIL = "How tight?", "Which oil?"
ANNA, BERT = "a" * 24, "b" * 24


@dataclass
class Forgetful(FakeAssistant):
    """Fails from the cell of that number on, until `fails_from` is moved."""

    fails_from: int = 2

    def ask(self, question: str, *values: Any, **options: Any) -> Iterator[Event]:
        if len(self.asked) >= self.fails_from:
            raise RerankerError("The <b>reranker</b> does not answer. Start it again.")
        return super().ask(question, *values, **options)


def asked(assistant: FakeAssistant, *questions: str, documents: Sequence[str] = (), visitor: str = "") -> AppTest:
    app = page(assistant, "grid", visitor=visitor)
    app.text_area(key="grid-questions-default").set_value("\n".join(questions))
    app.multiselect(key="grid-documents-default").set_value(list(documents))
    return app.button(key="grid-ask").click().run()


def cells(app: AppTest) -> list[Any]:
    return [button for button in app.button if re.match("grid-cell-", button.key or "")]


@pytest.mark.parametrize(
    ("answer", "beginning"),
    [(QUOTED, "**“” quoted** · p. 7"), (DOUBTFUL, "**? doubtful** · p. 7"), (REFUSED, "**– not told**")],
)
def test_every_document_has_a_cell_for_every_question_that_tells_its_state(answer: Answer, beginning: str) -> None:
    assistant = FakeAssistant(answer)

    app = asked(assistant, TIGHT, OIL, TIGHT)

    assert len(cells(app)) == 4
    assert all(plain(cell.label).startswith(beginning) for cell in cells(app))
    assert [question for question, _ in assistant.asked] == [TIGHT, OIL] * 2
    assert assistant.documents_read == [(MANUAL.document_id,)] * 2 + [(AGREEMENT.document_id,)] * 2
    assert not app.exception


def test_only_the_documents_that_were_chosen_are_asked() -> None:
    assistant = FakeAssistant()

    asked(assistant, TIGHT, documents=[AGREEMENT.document_id])

    assert assistant.documents_read == [(AGREEMENT.document_id,)]


def test_a_cell_opens_its_answer_and_the_page_of_its_citation() -> None:
    app = asked(FakeAssistant(), TIGHT)

    cells(app)[0].click().run()
    assert '<sup class="mark">1</sup>' in html(app)
    assert len(app.get("image")) == 1

    app.button(key="grid-close").click().run()
    assert not app.get("image")
    assert "answer" not in html(app)


def test_a_refused_cell_opens_the_nearest_passages() -> None:
    app = asked(FakeAssistant(REFUSED), TIGHT)

    cells(app)[0].click().run()

    assert "do not seem to answer" in html(app)
    assert sum(plain(label).startswith(("1 · ", "2 · ", "3 · ", "4 · ")) for label in labels(app)) == 3


def test_a_table_in_an_answer_is_told_in_words() -> None:
    app = asked(FakeAssistant(answer_of(f"{TABLE} [1]")), TIGHT)

    assert "E07 · Oil pressure too low · E08 · Guard open" in plain(" ".join(cells(app)[0].label.split()))
    assert "---" not in plain(cells(app)[0].label)


@pytest.mark.parametrize(
    ("questions", "sentence"),
    [
        ([" "], "There is no question yet"),
        ([f"Question {number}?" for number in range(MAX_QUESTIONS + 1)], f"these are {MAX_QUESTIONS + 1}"),
    ],
)
def test_none_and_too_many_questions_are_a_sentence(questions: list[str], sentence: str) -> None:
    assistant = FakeAssistant()

    app = asked(assistant, *questions)

    assert sentence in app.error[0].value
    assert assistant.asked == []


def test_more_cells_than_the_page_holds_are_a_sentence() -> None:
    many = [record(f"{number}.pdf") for number in range(MAX_CELLS // MAX_QUESTIONS + 1)]
    assistant = FakeAssistant(records=many)

    app = asked(assistant, *(f"Question {number}?" for number in range(MAX_QUESTIONS)))

    assert f"more than the {MAX_CELLS} cells" in app.error[0].value
    assert assistant.asked == []


def test_a_failure_keeps_the_cells_so_far_and_the_rest_can_be_asked() -> None:
    assistant = Forgetful()
    app = asked(assistant, TIGHT, OIL)

    assert plain(app.error[0].value) == "The <b>reranker</b> does not answer. Start it again."
    assert len(cells(app)) == 2
    assert [caption.value for caption in app.main.caption if "2 of 4 cells" in caption.value]

    assistant.fails_from = 99
    app.button(key="grid-resume").click().run()

    assert not app.error
    assert len(cells(app)) == 4
    assert len(assistant.asked) == 4


def test_the_result_is_there_after_a_look_at_another_page() -> None:
    assistant = FakeAssistant()
    app = asked(assistant, TIGHT, OIL)

    visit(visit(app, "chat"), "grid")

    assert len(cells(app)) == 4
    assert app.text_area(key="grid-questions-default").value == f"{TIGHT}\n{OIL}"
    assert len(assistant.asked) == 4


def test_the_browser_finds_its_grid_again_and_goes_on_with_it() -> None:
    assistant = Forgetful(fails_from=3)
    before = cells(asked(assistant, TIGHT, OIL, visitor=ANNA))
    assert len(before) == 3
    assistant.fails_from = 99

    again = page(assistant, "grid", visitor=ANNA)
    assert [cell.label for cell in cells(again)] == [cell.label for cell in before]
    assert again.text_area(key="grid-questions-default").value == f"{TIGHT}\n{OIL}"
    cells(again)[0].click().run()
    assert '<sup class="mark">1</sup>' in html(again)
    again.button(key="grid-resume").click().run()

    assert len(cells(again)) == len(cells(page(assistant, "grid", visitor=ANNA))) == 4
    assert len(assistant.asked) == 4
    assert cells(page(assistant, "grid", visitor=BERT)) == []


def test_a_document_that_has_gone_has_no_row_in_the_grid_that_was_kept() -> None:
    assistant = FakeAssistant()
    asked(assistant, TIGHT, visitor=ANNA)

    assistant.catalog.remove(MANUAL.document_id)

    [cell] = cells(page(assistant, "grid", visitor=ANNA))
    assert AGREEMENT.document_id in cell.key
    assistant.catalog.remove(AGREEMENT.document_id)
    assert not page(assistant, "grid", visitor=ANNA).exception


def test_a_grid_that_cannot_be_kept_is_asked_and_says_so() -> None:
    assistant = FakeAssistant()
    (assistant.folder / "grids.sqlite").write_bytes(b"no database" * 100)

    app = asked(assistant, TIGHT, visitor=ANNA)

    assert len(cells(app)) == 2
    assert "grids.sqlite cannot be used" in plain(app.main.warning[0].value)


def test_another_collection_has_a_grid_of_its_own() -> None:
    other = FakeAssistant(collection="contracts", records=[AGREEMENT])
    app = asked(FakeAssistant(others=(other,)), TIGHT)
    assert len(cells(app)) == 2

    app.selectbox[0].set_value("contracts").run()

    assert cells(app) == []
    assert app.text_area(key="grid-questions-contracts").value == ""
    app.selectbox[0].set_value("default").run()
    assert app.text_area(key="grid-questions-default").value == TIGHT


def test_the_documents_that_were_asked_are_chosen_again_after_a_reload() -> None:
    assistant = FakeAssistant()
    asked(assistant, TIGHT, documents=[AGREEMENT.title], visitor=ANNA)

    again = page(assistant, "grid", visitor=ANNA)
    assert again.multiselect(key="grid-documents-default").value == [AGREEMENT.document_id]

    again.multiselect(key="grid-documents-default").set_value([])
    again.button(key="grid-ask").click().run()
    assert len(cells(again)) == 2


def test_many_documents_are_shown_in_pages_and_all_are_asked() -> None:
    assistant = FakeAssistant(records=[record(f"manual-{number:02}.pdf") for number in range(25)])

    app = asked(assistant, TIGHT)

    assert len(cells(app)) == 20
    assert len(assistant.asked) == 25
    assert app.main.markdown[1].value == "“” 25 quoted"


def test_hostile_text_of_questions_and_documents_is_escaped() -> None:
    hostile = record(f"{HOSTILE}.pdf", title=HOSTILE)
    cited = passage(1, hostile, section=HOSTILE, text=HOSTILE)
    answer = replace(answer_of(f"{HOSTILE} [1]", citations=(cite(cited, HOSTILE),), passages=(cited,)), quoted=False)

    app = asked(FakeAssistant(answer, [hostile]), HOSTILE)
    cells(app)[0].click().run()

    assert "<script" not in html(app)
    shown = [element.value for element in (*app.markdown, *app.caption)] + labels(app)
    shown += [button.help or "" for button in app.button]
    assert not [text for text in shown if re.search(r"(?<!\\)(<script|!\[|:material)", text)]
    assert not app.exception
