"""Collections: which one the visitor works with, what its documents are, new ones, and how one is deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from ingest.catalog import KINDS, Kind
from ingest.errors import RagError
from retrievers.rerank.instructions import check_instruction
from ui.choosing import choose_instruction
from ui.history import leave
from ui.markup import escape_label
from ui.state import Chat
from ui.text import say

if TYPE_CHECKING:
    from rag_app.assistant import Assistant


def choose(assistant: Assistant, chat: Chat) -> Assistant:
    """The assistant of the collection that the visitor works with; another visitor may have deleted it."""
    names = assistant.home.collections()
    if chat.collection and chat.collection not in names:
        chat.switch("")
    here = chat.collection or assistant.collection
    if len(names) > 1:
        chosen = st.selectbox(say("app.collection"), names, index=names.index(here))
        if chosen != here:
            leave(assistant, chat)  # else the address opens the chat before, and with it its collection
            chat.switch(chosen)
            st.rerun()  # the selector as drawn is that of the collection before, and the next choice would be lost
    return assistant.home.open(chat.collection) if chat.collection else assistant


def settings(assistant: Assistant, chat: Chat) -> None:
    """What the collection is, a new one beside it, and its end."""
    with st.expander(
        say("collection.heading", name=escape_label(assistant.collection)), icon=":material/tune:", key="collection"
    ):
        here, new, end = st.tabs([say("collection.here"), say("collection.new"), say("collection.delete")])
        with here:
            _change(assistant)
        with new:
            _create(assistant, chat)
        with end:
            _delete(assistant, chat)


def _change(assistant: Assistant) -> None:
    kind = _choose_kind("kind", assistant.library.kind)
    instruction = _choose_instruction("default-instruction", assistant.library.catalog.instruction())
    if st.button(say("collection.save"), key="save-collection"):

        def save() -> None:
            check_instruction(instruction)
            assistant.library.catalog.set_kind(kind)
            assistant.library.catalog.set_instruction(instruction)

        if _done(save):
            st.success(say("collection.saved"))


def _create(assistant: Assistant, chat: Chat) -> None:
    name = st.text_input(say("collection.name"), key="new-name", help=say("collection.name-help"))
    kind = _choose_kind("new-kind", "general")
    instruction = _choose_instruction("new-instruction", None)
    if st.button(say("collection.create"), key="create-collection", disabled=not name.strip()) and _done(
        lambda: assistant.home.create_collection(name.strip(), kind, instruction)
    ):
        chat.switch(name.strip())
        st.rerun()


def _delete(assistant: Assistant, chat: Chat) -> None:
    st.markdown(say("collection.delete-words", name=escape_label(assistant.collection)))
    typed = st.text_input(say("collection.type-name"), key="typed-name")
    wrong = typed.strip() != assistant.collection
    if st.button(say("collection.delete-button"), key="delete-collection", disabled=wrong) and _done(
        lambda: assistant.home.delete_collection(assistant.collection)
    ):
        chat.switch("")
        st.rerun()


def _choose_kind(key: str, kind: Kind) -> Kind:
    return st.selectbox(
        say("collection.kind"),
        KINDS,
        index=KINDS.index(kind),
        format_func=lambda one: say(f"app.kind-{one}"),
        key=key,
        help=say("collection.kind-help"),
    )


def _choose_instruction(key: str, chosen: str | None) -> str | None:
    label, tip = say("collection.instruction"), say("collection.instruction-help")
    return choose_instruction(key, label=label, tip=tip, chosen=chosen)


def _done(action: Callable[[], None]) -> bool:
    """Whether the action worked; its sentence is shown where it did not."""
    try:
        action()
    except RagError as error:
        st.error(escape_label(str(error)))
        return False
    return True
