"""The library: all documents of the collection, and one of them with its pages."""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING

import streamlit as st

from ingest.collection import UNDO
from ingest.errors import RagError
from ingest.listing import ORDERS, Listing
from ingest.records import DocumentRecord, HiddenDocument
from ui import collection
from ui.document import details, facts, file_names, hide
from ui.markup import escape_label, shorten
from ui.sources import document_pane
from ui.state import Chat, document_source
from ui.text import say
from ui.uploading import activity, empty_collection, failures, notices, upload

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

# Rows that are sent to the browser, whatever the collection holds.
ROWS = 25
_TITLE_LENGTH = 90
_PAGE = "list-page"


def page(assistant: Assistant, chat: Chat) -> None:
    """The documents of the collection with what is on its way; or the one that was opened, its pages beside it."""
    record = assistant.library.catalog.document(chat.opened.document_id) if chat.opened else None
    if chat.opened and record:
        with st.container(key="library-document"):
            about, pane = st.columns(2, gap="medium")
            with pane:
                document_pane(assistant, chat, chat.opened)
            with about:
                details(assistant, chat, record)
        return
    if assistant.library.catalog.count() or assistant.library.catalog.hidden():
        document_list(assistant, chat)
    else:
        empty_collection(assistant, chat)
    collection.settings(assistant, chat)


def document_list(assistant: Assistant, chat: Chat) -> None:
    """The documents, a page of them at a time; above them the way for new ones and back for deleted ones."""
    total = assistant.library.catalog.count()
    st.subheader(say("library.documents", count=f"{total:,}"), anchor=False)
    for hidden in assistant.library.catalog.hidden():
        _deleted(assistant, chat, hidden)
    with st.expander(say("library.add"), icon=":material/upload_file:", key="add-documents"):
        upload(assistant, chat)
    notices(chat)
    activity(assistant, chat)
    failures(assistant)
    listing = _choose_listing(assistant)
    found = total if listing == Listing(order=listing.order) else assistant.library.catalog.count(listing)
    last = max(0, ceil(found / ROWS) - 1)
    shown = min(st.session_state.get(_PAGE, 0), last)
    if found < total:
        st.caption(say("library.found", count=found))
    with st.container(gap=None, key="documents"):
        for record in assistant.library.catalog.listed(listing, ROWS, shown * ROWS):
            _row(assistant, chat, record)
    if last:
        _pager(shown, last, found)


def _choose_listing(assistant: Assistant) -> Listing:
    """What of the documents is shown; kept while the visitor looks at a document or another page."""
    with st.container(horizontal=True, key="list-tools"):
        words = st.text_input(
            say("library.search"),
            key="list-words",
            icon=":material/search:",
            on_change=_go_to,
            args=(0,),
            persist_state="session",
        )
        order = st.selectbox(
            say("library.order"),
            ORDERS,
            format_func=lambda one: say(f"library.order-{one}"),
            key="list-order",
            on_change=_go_to,
            args=(0,),
            persist_state="session",
        )
        counts = assistant.library.catalog.tags()
        tags: list[str] = []
        if counts:
            # A tag that has gone cannot stay chosen.
            st.session_state["list-tags"] = [tag for tag in st.session_state.get("list-tags", ()) if tag in counts]
            tags = st.multiselect(
                say("library.tags"),
                list(counts),
                format_func=lambda tag: f"{tag} ({counts[tag]})",
                key="list-tags",
                placeholder=say("library.all-tags"),
                on_change=_go_to,
                args=(0,),
                persist_state="session",
            )
    return Listing(words, tuple(tags), order)


def _row(assistant: Assistant, chat: Chat, record: DocumentRecord) -> None:
    tags = "".join(f" #{escape_label(tag)}" for tag in record.tags)
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, key=f"document-{record.document_id}"):
        st.button(
            f"{escape_label(shorten(record.title, _TITLE_LENGTH))}  \n:gray[:small[{facts(record)}{tags}]]",
            key=f"open-{record.document_id}",
            type="tertiary",
            width="stretch",
            wrap=True,
            on_click=chat.open,
            args=(document_source(record),),
        )
        st.button(
            say("library.delete", name=escape_label(record.source)),
            icon=":material/delete:",
            key=f"remove-{record.document_id}",
            help=say("library.delete-help"),
            type="tertiary",
            on_click=hide,
            args=(assistant, chat, record.document_id),
        )


def _deleted(assistant: Assistant, chat: Chat, hidden: HiddenDocument) -> None:
    minutes = max(1, ceil((hidden.hidden_at + UNDO - datetime.now(UTC)).total_seconds() / 60))
    record = hidden.record
    with st.container(
        horizontal=True, vertical_alignment="center", wrap=False, border=True, key=f"deleted-{record.document_id}"
    ):
        title = escape_label(shorten(record.title, _TITLE_LENGTH))
        st.markdown(
            say("library.deleted", title=title, files=escape_label(file_names(record)), count=minutes), width="stretch"
        )
        st.button(
            say("library.undo"),
            icon=":material/undo:",
            key=f"undo-{record.document_id}",
            on_click=_restore,
            args=(assistant, chat, record.document_id),
        )


def _restore(assistant: Assistant, chat: Chat, document_id: str) -> None:
    chat.notices = []
    try:
        assistant.library.restore(document_id)
    except RagError as error:
        chat.notices = [str(error)]


def _pager(shown: int, last: int, found: int) -> None:
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center", key="pager"):
        st.button(
            say("library.previous"),
            icon=":material/chevron_left:",
            key="previous-rows",
            disabled=shown == 0,
            on_click=_go_to,
            args=(shown - 1,),
        )
        first, end = shown * ROWS + 1, min(found, (shown + 1) * ROWS)
        st.markdown(say("library.rows", first=f"{first:,}", last=f"{end:,}", total=f"{found:,}"), width="content")
        st.button(
            say("library.next"),
            icon=":material/chevron_right:",
            icon_position="right",
            key="next-rows",
            disabled=shown == last,
            on_click=_go_to,
            args=(shown + 1,),
        )


def _go_to(shown: int) -> None:
    st.session_state[_PAGE] = shown
