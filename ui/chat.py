"""The conversation: questions, answers as they are written, and what can be done with them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from rag_app.answer import Event, Loading, StageDone, Token, Turn
from rag_app.answering import MOST_ANSWERS, RunningAnswer, Words
from rag_app.chats import Exchange
from ui import history
from ui.choosing import choose_documents, choose_instruction
from ui.markup import escape_label
from ui.reply import draw_reply, partial_html
from ui.sources import document_pane
from ui.state import Chat, current_chat
from ui.text import say
from ui.uploading import empty_collection

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

# What goes on once a stage has ended, by its name in the catalogue of words.
_AFTER_STAGE = {"rerank": "checking", "gate": "writing"}


def page(assistant: Assistant, chat: Chat) -> None:
    """The conversation, and the document pane beside it."""
    history.follow_address(assistant, chat)
    _begin(assistant, chat)
    with st.sidebar:
        _sidebar(assistant, chat)
    if not assistant.library.document_count:
        empty_collection(assistant, chat)
        return
    # The input is drawn first, and the pane before the conversation: while an answer is written both are in place.
    st.chat_input(say("chat.question"), key="question", on_submit=_ask_typed_question)
    # Lines of an answer stay readable when alone; with a page beside it, all the width is used.
    st.set_page_config(layout="wide" if chat.opened else "centered")
    beside = st.container()
    if chat.opened:
        beside, pane = st.columns(2, gap="medium")
        with pane:
            document_pane(assistant, chat, chat.opened)
    with beside:
        if chat.exchanges:
            conversation(assistant, chat)
        else:
            welcome(assistant, chat)
        if chat.trouble:
            st.warning(escape_label(chat.trouble))


def _ask_typed_question() -> None:
    if question := st.session_state["question"].strip():
        current_chat().ask(question)


def _sidebar(assistant: Assistant, chat: Chat) -> None:
    history.chat_list(assistant, chat)
    if assistant.follows_instructions:
        chat.instruction = choose_instruction("instruction")
    if assistant.library.document_count > 1:
        chat.documents = choose_documents(
            assistant,
            say("chat.documents"),
            key="documents-read",
            placeholder=say("chat.all-documents"),
            tip=say("chat.documents-help"),
        )


def conversation(assistant: Assistant, chat: Chat) -> None:
    """All exchanges of the chat; whichever is being answered is followed here."""
    for index, exchange in enumerate(chat.exchanges):
        with st.chat_message("user", avatar=":material/person:"):
            st.text(exchange.question, width="stretch")
        with st.chat_message("assistant", avatar=":material/menu_book:"):
            reply = st.empty()
            if exchange.waiting and (running := assistant.home.answers.of(exchange)):
                with reply.container(key=f"answering-{index}"):
                    _follow(running, key=f"stop-{index}")
            with reply.container():
                draw_reply(assistant, chat, exchange, key=str(index))


def welcome(assistant: Assistant, chat: Chat) -> None:
    """What a visitor sees before the first question."""
    if chat.suggestions is None:
        chat.suggestions = assistant.library.suggested_questions()
    with st.container(key="welcome"):
        st.title(say("chat.welcome"), anchor=False)
        st.markdown(say("chat.promise"))
        for question in chat.suggestions:
            st.button(
                escape_label(question),
                key=f"suggestion-{question}",
                icon=":material/arrow_outward:",
                on_click=chat.ask,
                args=(question,),
            )


def _follow(running: RunningAnswer, key: str) -> None:
    """Shows the answer as it is written; `key` is that of the button which stops it.

    A click elsewhere ends this run of the script at the next thing shown; the next run follows from the beginning.
    """
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        activity = st.empty()
        st.button(say("chat.stop"), icon=":material/stop_circle:", key=key, type="tertiary", on_click=running.stop)
    words = st.empty()
    now = f"{say('chat.searching')} …"
    for events in running.follow():
        for event in events:
            now = _doing(event) or now
        # Also when nothing has happened: what is shown is where a click is noticed.
        activity.markdown(f":gray[{now}]", width="stretch")
        if any(isinstance(event, Token) for event in events):
            words.html(partial_html(running.exchange))


def _doing(event: Event) -> str:
    """What goes on after this event; "" for the same as before."""
    match event:
        case Loading(model=model):
            return say("models.loading", name=escape_label(model))
        case StageDone(stage=stage) if stage in _AFTER_STAGE:
            return f"{say(f'chat.{_AFTER_STAGE[stage]}')} …"
    return ""


def _begin(assistant: Assistant, chat: Chat) -> None:
    """Begins to answer the questions of the chat that wait for it, one after the other."""
    answers = assistant.home.answers
    words = Words(unexpected=say("chat.unexpected"), busy=say("chat.busy", most=MOST_ANSWERS))
    for place, exchange in enumerate(chat.exchanges):
        # In this order: what is not on its way and still waits was not answered in between.
        if answers.of(exchange) or not exchange.waiting:
            continue
        history.note(assistant, chat, place)
        exchange.quoted = assistant.language_model is None
        keep = partial(history.keep, assistant, chat, history.visitor(), chat.chat_id, exchange)
        events = _events(assistant, exchange, chat.exchanges[:place])
        answers.begin(exchange, events, collection=assistant.collection, words=words, when_over=keep)


def _events(assistant: Assistant, exchange: Exchange, before: Sequence[Exchange]) -> Generator[Event, None, None]:
    """The answer, which begins when those before it have ended: it may lean on them."""
    for running in filter(None, map(assistant.home.answers.of, before)):
        for _ in running.follow():
            if not exchange.waiting:
                return
    turns = [Turn(one.question, one.text) for one in before if one.answer]
    yield from assistant.ask(
        exchange.question, turns, instruction=exchange.instruction, documents=list(exchange.documents)
    )
