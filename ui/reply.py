"""One reply: the answer or what came in its place, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import streamlit as st

from ingest.errors import StorageError
from rag_app.answer import Answer
from rag_app.chats import Exchange, Opinion, Reason
from ui import history, why
from ui.copying import copy_button
from ui.markup import answer_html, escape_label, quoted_html, shorten, written_html
from ui.sources import chips, link_words
from ui.state import Chat, answer_sources
from ui.text import say
from ui.transcript import answer_text, file_name

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

_TITLE_LENGTH = 60
_MOST_COMMENT = 1000
_DOWN, _UP = 0, 1

# While words still arrive, nobody knows which passages will be cited: any short number may be a mark.
_POSSIBLE_MARKS = range(1, 100)


def draw_reply(assistant: Assistant, chat: Chat, exchange: Exchange, key: str) -> None:
    """The reply as it is now; `key` tells it from the others of the chat."""
    if exchange.error:
        st.error(escape_label(exchange.error), icon=":material/error:")
    elif exchange.answer:
        _answer(chat, exchange, exchange.answer, key)
    else:
        if exchange.text:
            st.html(partial_html(exchange))
        st.caption(say("chat.stopped"))
    _actions(assistant, chat, exchange, key)


def partial_html(exchange: Exchange) -> str:
    """The words so far."""
    to_html = quoted_html if exchange.quoted else written_html
    return to_html(exchange.text, _POSSIBLE_MARKS)


def _answer(chat: Chat, exchange: Exchange, answer: Answer, key: str) -> None:
    if answer.question != exchange.question:
        st.caption(say("chat.understood", question=escape_label(answer.question)))
    if exchange.documents:
        titles = ", ".join(shorten(title, _TITLE_LENGTH) for title in exchange.documents.values())
        st.caption(say("chat.read-only", titles=escape_label(titles)))
    with st.container(border=True, key=f"refusal-{key}") if answer.refused else st.container():
        st.html(answer_html(answer))
        chips(chat, answer_sources(answer), key)
    _notes(answer)
    if answer.reasoning:
        with st.expander(say("chat.reasoning")):
            st.text(answer.reasoning, width="stretch")


def _notes(answer: Answer) -> None:
    """Whose words these are, what the signs in them mean, what the ranking looked for, and how far it came."""
    notes = []
    if answer.quoted:
        notes.append(say("chat.quoted"))
    for state in dict.fromkeys(statement.state for statement in answer.statements if statement.state != "verified"):
        notes.append(say("chat.sign", sign=say(f"markup.{state}"), meaning=say(f"markup.{state}-meaning")))
    if not answer.quoted:  # a quoted answer says it in its text
        cited = {citation.number for citation in answer.citations}
        for passage in answer.passages:
            notes += [
                f"{link_words(passage.number, link)}."
                for link in passage.links
                if {passage.number, link.number} <= cited
            ]
    if answer.instruction is not None:
        notes.append(say("chat.ranked-by", instruction=escape_label(answer.instruction)))
    if answer.scored < answer.candidates:
        notes.append(say("chat.scored", scored=answer.scored, candidates=answer.candidates))
    if answer.left_out:
        notes.append(say("chat.left-out", count=answer.left_out))
    if notes:
        st.caption(" ".join(notes))


def _actions(assistant: Assistant, chat: Chat, exchange: Exchange, key: str) -> None:
    """Copy, ask again, judge, look behind it; only the last question can be asked again."""
    is_last = exchange is chat.exchanges[-1]
    if not exchange.answer and not is_last:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"actions-{key}"):
        if exchange.answer:
            copy_button(answer_text(exchange.answer), key=f"copy-{key}")
        if is_last:
            st.button(
                say("chat.ask-again"),
                icon=":material/refresh:",
                key=f"again-{key}",
                type="tertiary",
                on_click=chat.ask_again,
            )
        if exchange.answer:
            name = say("why.title")
            if st.button(name, icon=":material/troubleshoot:", key=f"why-{key}", type="tertiary"):
                st.dialog(name, width="large")(why.panel)(assistant, chat, exchange.answer)
            _evidence(assistant, exchange, exchange.answer, key)
            _thumbs(assistant, chat, exchange)
    if exchange.opinion and not exchange.opinion.good:
        _reason(assistant, chat, exchange)


def _evidence(assistant: Assistant, exchange: Exchange, answer: Answer, key: str) -> None:
    """The answer with all that it rests on, to be filed; made at the click."""

    def pack() -> bytes:
        from rag_app.evidence_pack import evidence_pack
        from rag_app.evidence_pdf import as_pdf

        searched, at = list(exchange.documents.values()), exchange.answered_at
        return as_pdf(evidence_pack(assistant, answer, asked=exchange.question, answered_at=at, searched=searched))

    st.download_button(
        say("chat.evidence"),
        pack,
        file_name=file_name(exchange.question, ".pdf"),
        mime="application/pdf",
        help=say("chat.evidence-help"),
        icon=":material/picture_as_pdf:",
        key=f"evidence-{key}",
        type="tertiary",
        on_click="ignore",
    )


def _thumbs(assistant: Assistant, chat: Chat, exchange: Exchange) -> None:
    opinion = exchange.opinion
    st.feedback(
        "thumbs",
        key=f"feedback-{exchange.id}",
        default=None if opinion is None else _UP if opinion.good else _DOWN,
        on_change=_judge,
        args=(assistant, chat, exchange),
    )


def _reason(assistant: Assistant, chat: Chat, exchange: Exchange) -> None:
    """What is wrong with the answer, of the reasons that can apply to it, and in the reader's own words."""
    refused = exchange.answer is not None and exchange.answer.refused
    wrong_only_there = "refused-wrongly" if not refused else "wrong-passage"
    opinion = exchange.opinion or Opinion(good=False)
    with st.container(key=f"reason-{exchange.id}", border=True):
        st.pills(
            say("feedback.what"),
            [reason for reason in get_args(Reason) if reason != wrong_only_there],
            format_func=lambda reason: say(f"feedback.{reason}"),
            default=opinion.reason,
            key=f"reason-of-{exchange.id}",
            on_change=_judge,
            args=(assistant, chat, exchange),
        )
        st.text_input(
            say("feedback.comment"),
            value=opinion.comment,
            max_chars=_MOST_COMMENT,
            key=f"comment-{exchange.id}",
            on_change=_judge,
            args=(assistant, chat, exchange),
        )
        st.caption(say("feedback.kept"))


def _judge(assistant: Assistant, chat: Chat, exchange: Exchange) -> None:
    """Keeps what the widgets say of the answer."""
    state = st.session_state
    thumb = state[f"feedback-{exchange.id}"]
    if thumb is None:
        exchange.opinion = None
    elif thumb == _UP:
        exchange.opinion = Opinion(good=True)
    else:
        comment = str(state.get(f"comment-{exchange.id}") or "")
        exchange.opinion = Opinion(good=False, reason=state.get(f"reason-of-{exchange.id}"), comment=comment)
    try:
        assistant.home.note_opinion(exchange, assistant.collection)
    except StorageError as error:
        chat.trouble = str(error)
    history.keep(assistant, chat, history.visitor(), chat.chat_id, exchange)
