"""The chats that are kept: which one is open, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ingest.errors import StorageError
from rag_app.chats import MOST_TITLE_CHARACTERS, Exchange
from rag_app.visitors import COOKIE, visitor_of
from ui.markup import escape_label, shorten
from ui.state import Chat
from ui.text import say
from ui.transcript import chat_json, chat_markdown, file_name

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

# What the address of a page calls the chat.
_PARAMETER = "chat"
_TITLE_LENGTH = 40
_ENTRIES = 15


def visitor() -> str:
    """Whose chats these are; "" for a browser that takes no cookies, whose chats are not kept."""
    return visitor_of(st.context.cookies.get(COOKIE, ""))


def follow_address(assistant: Assistant, chat: Chat) -> None:
    """Opens the chat that the address names, else names the open one there: a reload finds it again."""
    wanted = st.query_params.get(_PARAMETER, "")
    if not wanted or wanted == chat.chat_id:
        if chat.chat_id and visitor():
            st.query_params[_PARAMETER] = chat.chat_id
        return
    running = assistant.home.answers.all()
    saved = assistant.home.chats.read(visitor(), wanted)
    if saved is None or saved.collection not in assistant.home.collections():
        leave(assistant, chat)
        chat.trouble = say("history.unknown")
    elif saved.collection != assistant.collection:
        chat.switch(saved.collection)
        st.rerun()
    else:
        chat.resume(saved)
        # What is being answered is kept as stopped; the exchange that is written to takes its place.
        chat.exchanges = [running[kept.id].exchange if kept.id in running else kept for kept in chat.exchanges]


def note(assistant: Assistant, chat: Chat, place: int) -> None:
    """Keeps the question at this place (from 0), whose answer is about to begin."""
    if not visitor():
        return
    try:
        assistant.home.chats.begin(visitor(), chat.chat_id, assistant.collection, place, chat.exchanges[place])
    except StorageError as error:
        chat.trouble = str(error)


def keep(assistant: Assistant, chat: Chat, owner: str, chat_id: str, exchange: Exchange) -> None:
    """Keeps what has come of the exchange in the chat of that id; callable in any thread, for it draws nothing.

    `chat` may be another one by then, which is told nothing of it.
    """
    if not owner:
        return
    try:
        assistant.home.chats.keep(owner, chat_id, exchange)
    except StorageError as error:
        if chat.chat_id == chat_id:
            chat.trouble = str(error)


def chat_list(assistant: Assistant, chat: Chat) -> None:
    """Buttons in the sidebar: a new chat, what can be done with this one, and the chats before."""
    with st.container(horizontal=True, wrap=False, key="chat-buttons"):
        st.button(
            say("history.new"),
            icon=":material/edit_square:",
            key="new-chat",
            width="stretch",
            disabled=not chat.exchanges,
            on_click=leave,
            args=(assistant, chat),
        )
        if chat.exchanges:
            with st.popover(say("history.manage"), help=say("history.manage-help"), key="manage-chat"):
                _manage(assistant, chat)
    if not visitor():
        return
    limit = st.session_state.setdefault("chats-shown", _ENTRIES)
    try:
        entries = assistant.home.chats.entries(visitor(), assistant.collection, limit + 1)
    except StorageError as error:  # questions can be asked without the chats before
        st.warning(escape_label(str(error)))
        return
    with st.container(gap=None, key="chats"):
        for entry in entries[:limit]:
            st.button(
                escape_label(shorten(entry.title, _TITLE_LENGTH)),
                key=f"chat-{entry.chat_id}",
                help=escape_label(entry.title) if len(entry.title) > _TITLE_LENGTH else None,
                type="secondary" if entry.chat_id == chat.chat_id else "tertiary",
                width="stretch",
                on_click=_open,
                args=(entry.chat_id,),
            )
    if len(entries) > limit:
        st.button(say("history.more"), key="more-chats", type="tertiary", on_click=_show_more)


def _manage(assistant: Assistant, chat: Chat) -> None:
    """Rename, export and delete the open chat."""
    if visitor():
        st.text_input(
            say("history.name"),
            value=chat.title,
            max_chars=MOST_TITLE_CHARACTERS,
            key=f"name-{chat.chat_id}",
            on_change=_rename,
            args=(assistant, chat),
        )
    st.download_button(
        say("history.export-markdown"),
        chat_markdown(chat.title, chat.exchanges),
        file_name=file_name(chat.title, ".md"),
        mime="text/markdown",
        icon=":material/download:",
        key="export-markdown",
        width="stretch",
        on_click="ignore",
    )
    st.download_button(
        say("history.export-json"),
        # Called at the click, outside of this session: it may not `say` anything.
        lambda: chat_json(chat.exchanges),
        file_name=file_name(chat.title, ".json"),
        mime="application/json",
        icon=":material/download:",
        key="export-json",
        width="stretch",
        on_click="ignore",
    )
    if visitor() and st.button(
        say("history.delete"), icon=":material/delete:", key="delete-chat", width="stretch", type="secondary"
    ):
        st.dialog(say("history.delete-question"))(_confirm_deletion)(assistant, chat)


def _confirm_deletion(assistant: Assistant, chat: Chat) -> None:
    st.markdown(f"**{escape_label(chat.title)}**")
    st.markdown(say("history.delete-meaning"))
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(say("history.keep"), key="keep-chat"):
            st.rerun()
        if st.button(
            say("history.delete"), key="confirm-deletion", type="primary", on_click=_delete, args=(assistant, chat)
        ):
            st.rerun()


def _delete(assistant: Assistant, chat: Chat) -> None:
    try:
        assistant.home.chats.delete(visitor(), chat.chat_id)
    except StorageError as error:
        chat.trouble = str(error)
    else:
        _stop_answers(assistant, chat)
        leave(assistant, chat)


def _stop_answers(assistant: Assistant, chat: Chat) -> None:
    for exchange in chat.exchanges:
        if running := assistant.home.answers.of(exchange):
            running.stop()


def _rename(assistant: Assistant, chat: Chat) -> None:
    title = str(st.session_state[f"name-{chat.chat_id}"]).strip()
    if title:
        try:
            assistant.home.chats.rename(visitor(), chat.chat_id, title)
        except StorageError as error:
            chat.trouble = str(error)
        else:
            chat.title = title


def _open(chat_id: str) -> None:
    st.query_params[_PARAMETER] = chat_id


def leave(assistant: Assistant, chat: Chat) -> None:
    """Closes the open chat; what the address names would open again.

    Nobody finds a chat again that is not kept: its answers are stopped.
    """
    if not visitor():
        _stop_answers(assistant, chat)
    st.query_params.pop(_PARAMETER, None)
    chat.restart()


def _show_more() -> None:
    st.session_state["chats-shown"] += _ENTRIES
