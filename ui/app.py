"""The page: sidebar, conversation, and the document pane beside it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ingest.errors import RagError
from ingest.records import DocumentRecord
from ui.chat import choose_documents, choose_instruction, conversation, welcome
from ui.library import choose_collection, document_list, upload
from ui.markup import escape_label
from ui.sources import document_pane
from ui.state import Chat, current_chat

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

# The selector sends every title to the browser.
_MOST_TO_CHOOSE_FROM = 1000
_STYLE = Path(__file__).with_name("style.css")
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f5a7a"/>'
    '<path d="M8 8h11l5 5v11H8z" fill="#fff"/><path d="M11 15h10M11 19h6" stroke="#1f5a7a" stroke-width="2"/>'
    '<rect x="10" y="17.2" width="9" height="3.6" fill="#f2b33d" opacity=".7"/></svg>'
)


def main(served: Callable[[], Assistant]) -> None:
    """Draws the whole page over the assistant that `served` gives, or the sentence of the `RagError` that it raises.

    Streamlit calls this again for every click.
    """
    chat = current_chat()
    st.set_page_config(
        page_title="Ask your documents",
        page_icon=_ICON,
        # Lines of an answer stay readable when alone; with a page beside it, all the width is used.
        layout="wide" if chat.opened else "centered",
        initial_sidebar_state="auto",
    )
    st.html(_STYLE)

    try:
        _page(served(), chat)
    except RagError as error:
        st.error(escape_label(str(error)))


def _page(assistant: Assistant, chat: Chat) -> None:
    with st.sidebar:
        icon = base64.b64encode(_ICON.encode()).decode()
        st.html(f'<div class="brand"><img alt="" src="data:image/svg+xml;base64,{icon}">Ask your documents</div>')
        assistant = choose_collection(assistant, chat)
        documents = assistant.documents()
        _sidebar(assistant, chat, documents)

    if not documents:
        _empty_collection(assistant, chat)
        return
    # The input is drawn first, and the pane before the conversation: while an answer is written both are in place.
    st.chat_input("Ask about your documents", key="question", on_submit=_ask_typed_question)
    beside = st.container()
    if chat.opened:
        beside, pane = st.columns(2, gap="medium")
        with pane:
            document_pane(assistant, chat, chat.opened)
    with beside:
        if chat.exchanges:
            conversation(assistant, chat)
        else:
            welcome(chat, documents)


def _ask_typed_question() -> None:
    current_chat().ask(st.session_state["question"])


def _sidebar(assistant: Assistant, chat: Chat, documents: Sequence[DocumentRecord]) -> None:
    st.button(
        "New chat",
        icon=":material/edit_square:",
        key="new-chat",
        width="stretch",
        disabled=not chat.exchanges,
        on_click=chat.restart,
    )
    if assistant.follows_instructions:
        choose_instruction(chat)
    if 1 < len(documents) <= _MOST_TO_CHOOSE_FROM:
        choose_documents(chat, documents)
    if documents:
        document_list(assistant, chat, documents)
        upload(assistant, chat)
    model = assistant.language_model
    answers = f"answers by {escape_label(model)}" if model else "answers quoted from the documents"
    collection = f"Collection {escape_label(assistant.collection)} ({assistant.kind})"
    st.caption(f"{collection} · profile {escape_label(assistant.profile)} · {answers}")


def _empty_collection(assistant: Assistant, chat: Chat) -> None:
    with st.container(key="welcome"):
        st.title("Add your first documents", anchor=False)
        st.markdown(
            "Manuals, contracts, anything with answers in it: PDF, Word, HTML, Markdown or plain text. "
            "They stay on this machine. Then ask a question and see the page that answers it."
        )
        upload(assistant, chat)
