"""Kept chats, opinions and the panel behind an answer, without a browser."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import streamlit
from fake_assistant import AGREEMENT, EXPLAINED, HOSTILE, MANUAL, QUOTED, REFUSED, FakeAssistant
from pages import ask, chip, html, labels, page, plain
from streamlit.testing.v1 import AppTest

from ingest.errors import RagError
from rag_app.answer import Token
from rag_app.answering import Words
from rag_app.chats import Exchange, new_chat_id
from rag_app.feedback import FeedbackStore
from retrievers.rerank.instructions import INSTRUCTIONS
from ui import history
from ui.state import Chat

ANNA, BERT = "a" * 24, "b" * 24


def kept(app: AppTest) -> list[str]:
    """The titles of the chats in the sidebar, in order."""
    return [plain(button.label) for button in app.sidebar.button if button.key.startswith("chat-")]


def address(app: AppTest) -> str:
    """The id of the chat that the address names."""
    value = app.query_params["chat"]
    return value if isinstance(value, str) else value[0]


def test_a_reload_shows_the_same_chat() -> None:
    assistant = FakeAssistant()
    app = ask(ask(page(assistant, visitor=ANNA)), "And how often?")

    again = page(assistant, visitor=ANNA, chat=address(app))

    assert [text.value for text in again.main.text] == ["How tight are the head bolts?", "And how often?"]
    assert html(again).count('<sup class="mark">1</sup>') == 2
    assert len(assistant.asked) == 2
    chip(again, 1).click().run()
    assert len(again.get("image")) == 1


def test_a_chat_that_goes_on_after_a_reload_knows_what_was_said() -> None:
    assistant = FakeAssistant()
    app = ask(page(assistant, visitor=ANNA))
    ask(page(assistant, visitor=ANNA, chat=address(app)), "And how often?")

    assert [turn.question for turn in assistant.asked[-1][1]] == ["How tight are the head bolts?"]
    assert len(assistant.chats.read(ANNA, address(app)).exchanges) == 2


def test_another_visitor_sees_nothing_of_a_chat() -> None:
    assistant = FakeAssistant()
    app = ask(page(assistant, visitor=ANNA))

    other = page(assistant, visitor=BERT, chat=address(app))

    assert not other.chat_message
    assert "no such chat" in other.warning[0].value
    assert kept(other) == []
    assert "chat" not in other.query_params


def test_without_a_cookie_nothing_is_kept() -> None:
    assistant = FakeAssistant()
    app = ask(page(assistant))

    assert "chat" not in app.query_params
    assert list(assistant.folder.iterdir()) == []


def test_chats_are_listed_the_newest_first_and_opened_by_a_click() -> None:
    assistant = FakeAssistant()
    app = ask(page(assistant, visitor=ANNA), "First?")
    app.button(key="new-chat").click().run()
    ask(app, f"Second {HOSTILE}?")
    assert [title.split()[0] for title in kept(app)] == ["Second", "First?"]
    assert not [label for label in labels(app) if re.search(r"(?<!\\)(<script|!\[|:material)", label)]

    next(button for button in app.sidebar.button if plain(button.label) == "First?").click().run()

    assert [text.value for text in app.main.text] == ["First?"]


def test_more_chats_than_the_list_shows_can_be_asked_for() -> None:
    assistant = FakeAssistant()
    for number in range(20):
        assistant.chats.begin(ANNA, new_chat_id(), "default", 0, Exchange(f"Question {number}?"))
    app = page(assistant, visitor=ANNA)
    assert len(kept(app)) == 15

    app.button(key="more-chats").click().run()
    assert len(kept(app)) == 20


def test_a_chat_is_renamed() -> None:
    assistant = FakeAssistant()
    app = ask(page(assistant, visitor=ANNA))

    app.sidebar.text_input[0].set_value("Torques of the HP-40").run()

    assert kept(app) == ["Torques of the HP-40"]
    assert assistant.chats.read(ANNA, address(app)).title == "Torques of the HP-40"


def test_a_chat_is_deleted_only_after_it_is_confirmed() -> None:
    assistant = FakeAssistant()
    app = ask(page(assistant, visitor=ANNA))
    chat_id = address(app)

    app.button(key="delete-chat").click().run()
    assert assistant.chats.read(ANNA, chat_id)

    app.button(key="confirm-deletion").click().run()
    assert assistant.chats.read(ANNA, chat_id) is None
    assert app.title[0].value == "What would you like to know?"
    assert kept(app) == []


@pytest.mark.parametrize(
    ("visitor", "before", "button"), [(ANNA, ["delete-chat"], "confirm-deletion"), ("", [], "new-chat")]
)
def test_an_answer_that_nobody_could_find_again_is_stopped(visitor: str, before: list[str], button: str) -> None:
    assistant = FakeAssistant()
    app = ask(page(assistant, visitor=visitor))
    for key in before:
        app.button(key=key).click().run()
    waiting, words = Exchange("And how often?"), Words(unexpected="", busy="")
    app.session_state["chat"].exchanges.append(waiting)
    endless = (Token("word ") for _ in iter(int, 1))
    assistant.answers.begin(waiting, endless, collection="default", words=words, when_over=lambda: None)

    app.button(key=button).click().run()

    assert waiting.stopped
    assert not app.chat_message


def test_only_the_chat_that_cannot_be_kept_says_so() -> None:
    assistant, chat = FakeAssistant(), Chat(chat_id="another")
    (assistant.folder / "chats.sqlite").write_bytes(b"no database" * 100)

    history.keep(assistant, chat, ANNA, "one", Exchange("How tight?"))
    assert chat.trouble == ""

    history.keep(assistant, chat, ANNA, "another", Exchange("How tight?"))
    assert "chats.sqlite" in chat.trouble


def test_a_chat_of_another_collection_opens_in_that_one() -> None:
    streamlit.cache_resource.clear()
    other = FakeAssistant(collection="contracts", records=[AGREEMENT])
    assistant = FakeAssistant(others=(other,))
    other.folder = assistant.folder
    assistant.chats.begin(ANNA, "one-chat", "contracts", 0, Exchange("Which law applies?"))

    app = page(assistant, visitor=ANNA, chat="one-chat")

    assert app.selectbox[0].value == "contracts"
    assert [text.value for text in app.main.text] == ["Which law applies?"]
    assert "Stopped before" in app.main.caption[-1].value


def test_another_collection_is_chosen_while_a_chat_is_open() -> None:
    streamlit.cache_resource.clear()
    other = FakeAssistant(collection="contracts", records=[AGREEMENT])
    assistant = FakeAssistant(others=(other,))
    other.folder = assistant.folder
    app = ask(page(assistant, visitor=ANNA))

    app.selectbox[0].set_value("contracts").run()

    assert app.selectbox[0].value == "contracts"
    assert "chat" not in app.query_params
    assert not app.chat_message
    assert not app.exception


def test_a_question_is_asked_again_in_place_of_its_answer() -> None:
    assistant = FakeAssistant(REFUSED)
    app = ask(page(assistant, visitor=ANNA))
    assistant.answer = QUOTED

    app.button(key="again-0").click().run()

    assert len(app.chat_message) == 2
    assert '<sup class="mark">1</sup>' in html(app)
    assert [history for _, history in assistant.asked] == [(), ()]
    assert assistant.chats.read(ANNA, address(app)).exchanges[0].answer.text == QUOTED.text


def test_only_the_last_question_can_be_asked_again() -> None:
    app = ask(ask(page(FakeAssistant()), "First?"), "Second?")

    assert [button.key for button in app.button if button.key.startswith("again-")] == ["again-1"]


def test_an_error_can_be_asked_again() -> None:
    assistant = FakeAssistant(error=RagError("The server does not answer."))
    app = ask(page(assistant))
    assistant.error = None

    app.button(key="again-0").click().run()

    assert not app.error
    assert '<sup class="mark">1</sup>' in html(app)


def test_a_thumb_down_asks_for_the_reason_and_is_kept_with_it() -> None:
    assistant = FakeAssistant()
    app = ask(page(assistant, visitor=ANNA))

    app.feedback[0].set_value(0).run()
    app.button_group[0].set_value("wrong-passage").run()
    app.main.text_input[0].set_value("This is the HP-60.").run()

    [told] = FeedbackStore(assistant.folder).all()
    assert (told.opinion.good, told.opinion.reason) == (False, "wrong-passage")
    assert told.opinion.comment == "This is the HP-60."
    assert (told.question, told.answer.passages) == ("How tight are the head bolts?", QUOTED.passages)
    again = page(assistant, visitor=ANNA, chat=address(app))
    assert again.feedback[0].value == 0
    assert again.main.text_input[0].value == "This is the HP-60."


def test_a_thumb_that_is_taken_back_is_forgotten() -> None:
    assistant = FakeAssistant()
    app = ask(page(assistant))
    app.feedback[0].set_value(1).run()
    assert FeedbackStore(assistant.folder).all()[0].opinion.good

    app.feedback[0].set_value(None).run()

    assert FeedbackStore(assistant.folder).all() == []


def panel(assistant: FakeAssistant) -> AppTest:
    """The panel by itself: AppTest draws no dialog a second time."""

    def script(assistant: object) -> None:
        from ui import why
        from ui.state import current_chat

        why.panel(assistant, current_chat(), assistant.answer)

    return AppTest.from_function(script, kwargs={"assistant": assistant}, default_timeout=20).run()


def test_the_panel_shows_stages_gate_instruction_and_every_candidate() -> None:
    app = panel(FakeAssistant(replace(EXPLAINED, instruction="clause")))
    shown = html(app)

    assert "search by meaning" in shown
    assert "412 ms" in shown
    assert "81%" in shown
    assert "Candidate 6" in shown
    assert "cut: 300 of 400 tokens read" in shown
    assert "not scored" in shown
    assert "<script" not in shown
    assert any(INSTRUCTIONS["clause"] in plain(element.value) for element in app.markdown)
    assert not app.exception


def test_a_passage_in_the_panel_opens_its_page() -> None:
    app = ask(page(FakeAssistant(EXPLAINED)))
    app.button(key="why-0").click().run()

    app.button(key="why-chip-4").click().run()

    assert "Page 10 of 24" in [element.value for element in app.markdown]


def test_another_instruction_is_tried_over_the_same_candidates() -> None:
    assistant = FakeAssistant(EXPLAINED, follows_instructions=True)
    app = panel(assistant)

    app.selectbox(key="why-instruction").select("deadline").run()
    app.button(key="rank-again").click().run()

    assert assistant.reranked == ["deadline"]
    assert assistant.asked == []
    assert 'aria-label="5 places higher" role="img">▲ 5</div>' in html(app)


def test_a_reranker_without_instructions_offers_no_other_one() -> None:
    app = panel(FakeAssistant(EXPLAINED))

    assert "rank-again" not in [button.key for button in app.button]
    assert any("follows no instructions" in caption.value for caption in app.caption)


def test_a_refusal_without_passages_has_a_panel_too() -> None:
    app = panel(FakeAssistant(replace(REFUSED, passages=()), follows_instructions=True))

    assert not app.exception
    assert "rank-again" not in [button.key for button in app.button]


@pytest.mark.parametrize("state", [None, 1.5, 2.0])
def test_the_page_is_enlarged_as_chosen(state: float | None) -> None:
    app = ask(page(FakeAssistant()))
    chip(app, 1).click().run()
    if state:
        app.button_group(key="zoom").set_value(state).run()

    assert not app.exception
    assert len(app.get("image")) == 1


def test_the_original_is_offered_at_the_page() -> None:
    app = ask(page(FakeAssistant()))
    chip(app, 1).click().run()

    [link] = app.get("link_button")
    assert link.proto.url == f"/api/documents/{MANUAL.document_id}/original?collection=default#page=7"
