"""The page's behaviour without a browser, on an assistant whose answers are scripted."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import streamlit
from fake_assistant import (
    AGREEMENT,
    BROKEN,
    DOUBTFUL,
    HOSTILE,
    INSTRUCTED,
    MANUAL,
    PASSAGES,
    QUOTED,
    REFUSED,
    WRITTEN,
    FakeAssistant,
    answer_of,
    cite,
    passage,
    record,
)
from pages import ask, chip, html, labels, page, plain, read_whole
from streamlit.testing.v1 import AppTest

from ingest.errors import RagError, UsageError
from ingest.records import PageRecord
from rag_app.answer import Link, State, Turn
from retrievers.rerank.instructions import INSTRUCTIONS
from ui.state import Chat


def test_an_answer_shows_its_marks_and_a_chip_for_each_citation() -> None:
    app = ask(page(FakeAssistant()))

    assert '<sup class="mark">1</sup>' in html(app)
    assert "1 · hp-40-service-manual p. 7" in map(plain, labels(app))
    assert "2 · purchase-agreement 4 Delivery" in map(plain, labels(app))
    assert not app.exception


def test_a_quoted_answer_says_that_no_language_model_wrote_it() -> None:
    captions = [caption.value for caption in ask(page(FakeAssistant())).main.caption]

    assert "Quoted from the documents, no language model." in captions


def test_a_question_that_was_completed_shows_what_was_searched() -> None:
    app = ask(page(FakeAssistant(subject="HP-40")), "And how often?")

    assert "Understood as: And how often? HP-40" in [plain(caption.value) for caption in app.main.caption]


def test_a_written_answer_says_nothing_about_quoting_and_keeps_its_emphasis() -> None:
    app = ask(page(FakeAssistant(WRITTEN, language_model="qwen3-4b")))

    assert "<strong>45 Nm</strong>" in html(app)
    assert not app.main.caption


def test_hostile_text_of_documents_is_escaped_wherever_it_is_shown() -> None:
    hostile = record(f"{HOSTILE}.pdf", title=HOSTILE)
    cited = passage(1, hostile, section=HOSTILE, text=HOSTILE)
    answer = answer_of(f"{HOSTILE} [1]", citations=(cite(cited, HOSTILE),), passages=(cited,))

    app = ask(page(FakeAssistant(answer, [hostile])))
    chip(app, 1).click().run()

    assert "<script" not in html(app)
    shown = [element.value for element in (*app.markdown, *app.caption)] + labels(app)
    shown += [button.help or "" for button in app.button]
    assert not [text for text in shown if re.search(r"(?<!\\)(<script|!\[|:material)", text)]


def test_a_chip_opens_the_page_and_closing_takes_it_away() -> None:
    app = ask(page(FakeAssistant()))

    chip(app, 1).click().run()
    assert "Page 7 of 24" in [element.value for element in app.markdown]
    assert len(app.get("image")) == 1

    app.button(key="close-pane").click().run()
    assert not app.get("image")


def test_pages_can_be_turned_up_to_the_last() -> None:
    short = record("note.pdf", pages=2)
    app = page(FakeAssistant(records=[short]), "library")

    app.button(key=f"open-{short.document_id}").click().run()
    assert app.button(key="previous-page").disabled

    app.button(key="next-page").click().run()
    assert "Page 2 of 2" in [element.value for element in app.markdown]
    assert app.button(key="next-page").disabled


def test_a_printed_page_label_is_shown_beside_the_count() -> None:
    cited = passage(1, MANUAL, page=3, page_label="iii")
    assistant = FakeAssistant(answer_of("It is. [1]", citations=(cite(cited),), passages=(cited,)))
    printed = {3: "iii", 4: "iv", 5: "5"}
    assistant.catalog.make_live(MANUAL, [PageRecord(number, printed[number], 100, None, "") for number in printed])
    app = ask(page(assistant))

    chip(app, 1).click().run()
    assert "Page iii (3 of 24)" in [element.value for element in app.markdown]

    app.button(key="next-page").click().run()
    assert "Page iv (4 of 24)" in [element.value for element in app.markdown]
    app.button(key="next-page").click().run()
    assert "Page 5 of 24" in [element.value for element in app.markdown]


def test_a_format_without_pages_shows_the_passage_with_its_quote_highlighted() -> None:
    app = ask(page(FakeAssistant()))

    chip(app, 2).click().run()

    assert not app.get("image")
    assert "<mark>Tighten the head bolts to 45 Nm.</mark>" in html(app)


@pytest.mark.parametrize(
    ("state", "words"), [("weak", "agrees only in part"), ("unsupported", "does not say what the answer says")]
)
def test_a_quote_that_does_not_bear_the_answer_out_is_marked(state: State, words: str) -> None:
    answer = answer_of("It is so. [1]", citations=(cite(QUOTED.passages[0], state=state),))
    app = ask(page(FakeAssistant(answer)))

    chip(app, 1).click().run()

    assert words in app.warning[0].value


def test_statements_in_doubt_carry_signs_that_are_explained() -> None:
    app = ask(page(FakeAssistant(DOUBTFUL)))

    assert html(app).count('class="doubt unsupported"') == 2
    assert html(app).count('class="doubt weak"') == 1
    assert any("no cited passage says this" in caption.value for caption in app.caption)


def test_a_document_that_cannot_be_shown_is_a_sentence() -> None:
    assistant = FakeAssistant()
    app = ask(page(assistant))
    assistant.remove(MANUAL.document_id)

    chip(app, 1).click().run()

    assert "no longer in the collection" in app.error[0].value


def test_a_refusal_is_set_apart_and_its_nearest_passages_can_be_opened() -> None:
    app = ask(page(FakeAssistant(REFUSED)))

    assert '<div class="refusal">' in html(app)
    assert "HP-40 manual" not in html(app)
    chip(app, 3).click().run()
    assert "Page 9 of 24" in [element.value for element in app.markdown]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        pytest.param(UsageError("The question is empty. Type one."), "The question is empty", id="told"),
        pytest.param(ZeroDivisionError("secret detail"), "Something went wrong", id="unexpected"),
    ],
)
def test_a_failing_answer_is_a_sentence_and_the_next_question_works(error: Exception, sentence: str) -> None:
    assistant = FakeAssistant(error=error)
    app = ask(page(assistant))

    assert sentence in app.error[0].value
    assert "secret" not in app.error[0].value

    assistant.error = None
    assert '<sup class="mark">1</sup>' in html(ask(app))


def test_a_question_that_was_typed_ahead_is_answered_behind_the_one_before() -> None:
    assistant = FakeAssistant()
    app = page(assistant)
    app.session_state["chat"] = chat = Chat()
    chat.ask("How tight?")
    chat.ask("How often?")
    app.run()

    assert not app.exception
    assert assistant.asked == [("How tight?", ()), ("How often?", (Turn("How tight?", QUOTED.text),))]


def test_earlier_answers_are_the_history_and_failures_are_not() -> None:
    assistant = FakeAssistant(error=RagError("No."))
    app = ask(page(assistant), "First?")
    assistant.error = None
    ask(app, "Second?")
    ask(app, "Third?")

    assert [[turn.question for turn in history] for _, history in assistant.asked] == [[], [], ["Second?"]]


def test_a_question_is_kept_to_the_documents_that_were_chosen() -> None:
    assistant = FakeAssistant()
    app = ask(page(assistant))
    app.multiselect(key="documents-read").select(MANUAL.title).run()
    ask(app, "How tight?")

    assert assistant.documents_read == [(), (MANUAL.document_id,)]
    assert [plain(caption.value) for caption in app.main.caption].count(f"Searched only: {MANUAL.title}") == 1


def test_a_chosen_document_that_has_gone_is_not_asked() -> None:
    assistant = FakeAssistant(records=[MANUAL, AGREEMENT, record("third.pdf", title="Third")])
    app = page(assistant)
    app.multiselect(key="documents-read").select(MANUAL.title).select("Third").run()
    assistant.remove(MANUAL.document_id)
    app.run()
    ask(app, "How tight?")

    assert assistant.documents_read == [("id-third.pdf",)]
    assert not app.exception


def test_without_a_reranker_that_follows_instructions_there_is_no_choice_of_one() -> None:
    assistant = FakeAssistant()
    app = ask(page(assistant))

    assert not app.selectbox
    assert assistant.instructions == [None]
    assert not [caption for caption in app.main.caption if "instruction" in caption.value]


def test_a_question_goes_with_the_instruction_that_was_chosen() -> None:
    assistant = FakeAssistant(follows_instructions=True)
    app = ask(page(assistant))
    app.selectbox(key="instruction").select("clause").run()
    assert INSTRUCTIONS["clause"] in [plain(caption.value) for caption in app.sidebar.caption]
    ask(app, "And then?")
    app.selectbox(key="instruction").select("Automatic").run()
    ask(app, "And last?")

    assert assistant.instructions == [None, "clause", None]
    shown = [plain(caption.value) for caption in app.main.caption]
    assert [text for text in shown if "Ranked by the instruction “clause”." in text]
    assert len([text for text in shown if "Ranked by the instruction “fault-code”." in text]) == 2


def test_own_words_are_an_instruction_and_are_shown_as_text() -> None:
    assistant = FakeAssistant(follows_instructions=True)
    app = page(assistant)
    app.selectbox(key="instruction").select("Own words").run()
    ask(app, "Before any word?")
    app.text_area(key="own-instruction").set_value(f" {HOSTILE} ").run()
    ask(app)

    assert assistant.instructions == [None, HOSTILE]
    captions = [caption.value for caption in app.main.caption]
    assert not [text for text in captions if re.search(r"(?<!\\)(<script|!\[|:material)", text)]
    assert not app.exception


def test_what_a_budget_did_not_reach_is_counted() -> None:
    app = ask(page(FakeAssistant(INSTRUCTED)))

    assert "Only 22 of 30 candidates were scored" in app.main.caption[0].value


def test_what_the_model_had_no_room_for_and_what_it_reasoned_stand_apart_from_the_answer() -> None:
    answer = replace(WRITTEN, left_out=2, reasoning="The <b>bolts</b> ...")
    app = ask(page(FakeAssistant(answer, language_model="qwen3-4b")))

    assert "2 passages were found but not read" in app.main.caption[0].value
    assert [box.label for box in app.main.expander if "reasoned" in box.label] == ["What the language model reasoned"]
    assert "The <b>bolts</b> ..." in [text.value for text in app.main.text]


def test_an_assistant_that_could_not_be_built_is_its_sentence_on_the_page() -> None:
    def script(error: Exception) -> None:
        from ui.app import main

        def served() -> object:
            raise error

        main(served)

    app = AppTest.from_function(script, kwargs={"error": BROKEN}, default_timeout=20).run()

    assert plain(app.error[0].value) == str(BROKEN)
    assert "<b>" not in app.error[0].value
    assert not app.chat_input
    assert not app.exception


def test_a_click_asks_nothing_again() -> None:
    assistant = FakeAssistant()
    app = ask(page(assistant))

    chip(app, 1).click().run()

    assert len(assistant.asked) == 1
    assert assistant.closed == 1


def test_a_new_chat_forgets_the_conversation() -> None:
    assistant = FakeAssistant()
    app = ask(page(assistant))

    app.button(key="new-chat").click().run()

    assert app.title[0].value == "What would you like to know?"
    assert not app.chat_message


def test_a_suggested_question_is_asked_by_a_click() -> None:
    assistant = FakeAssistant(questions=["《液压机手册》中关于“螺栓”是怎么说明的？"])
    app = page(assistant)

    next(button for button in app.button if "《液压机手册》" in button.label).click().run()

    assert assistant.asked == [(assistant.questions[0], ())]


def test_an_empty_collection_asks_for_documents_and_takes_them() -> None:
    assistant = FakeAssistant(records=[])
    app = page(assistant)
    assert app.title[0].value == "Add your first documents"
    assert not app.chat_input

    app.file_uploader(key="files-0").set_value([("manual.pdf", b"%PDF", "application/pdf")]).run()
    read_whole(assistant)
    app.run()

    assert [known.source for known in assistant.documents()] == ["manual.pdf"]
    assert app.title[0].value == "What would you like to know?"


def test_another_collection_is_another_conversation() -> None:
    streamlit.cache_resource.clear()
    other = FakeAssistant(collection="contracts", records=[AGREEMENT])
    assistant = FakeAssistant(others=(other,))
    app = ask(page(assistant))

    app.selectbox[0].set_value("contracts").run()
    assert not app.chat_message
    ask(app, "Which law applies?")

    assert other.asked == [("Which law applies?", ())]


def test_a_written_answer_says_what_its_sources_are_to_each_other() -> None:
    links = (
        Link("amends", "9.1", 1, effective="1 *March* 2024"),
        Link("ends", "*", 1, effective="1 May 2030", standing="to come"),
        Link("amends", "4", 1, dated="2 May 2025", standing="unknown"),
        Link("drops", "5", 1),
    )
    amending = replace(WRITTEN.passages[1], links=links)
    answer = replace(WRITTEN, passages=(WRITTEN.passages[0], amending, *WRITTEN.passages[2:]))
    app = ask(page(FakeAssistant(answer, language_model="qwen3-4b")))
    notes = "\n".join(plain(caption.value) for caption in app.main.caption)

    assert "[2] amends clause 9.1 in [1] (effective 1 *March* 2024)." in notes
    assert "[2] ends the whole document in [1] (effective 1 May 2030), not yet in force." in notes
    assert "[2] is of a later version, which no longer has clause 5 of [1]." in notes
    assert "[2] amends clause 4 in [1] (dated 2 May 2025), whether it is in force is not known." in notes

    chip(app, 2).click().run()
    assert "link: [2] amends clause 9.1 in [1]" in "\n".join(plain(caption.value) for caption in app.main.caption)


def test_the_first_chip_is_what_the_answer_cites_first() -> None:
    answer = answer_of("“Second.” [2]\n\n“First.” [1]", citations=(cite(PASSAGES[1]), cite(PASSAGES[0])))
    app = ask(page(FakeAssistant(answer)))

    assert [label[:1] for label in map(plain, labels(app)) if " · " in label[:5]] == ["2", "1"]


def test_a_question_of_spaces_is_not_asked() -> None:
    assistant = FakeAssistant()
    app = ask(page(assistant), "   ")

    assert assistant.asked == []
    assert not app.chat_message
