"""The library: which collection, its documents, and how to add and remove them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ingest.errors import RagError
from ingest.loaders import SUPPORTED_SUFFIXES
from ingest.records import DocumentRecord
from ui.markup import escape_label, shorten
from ui.sources import document_pane
from ui.state import Chat, document_source
from ui.text import say

if TYPE_CHECKING:
    from ingest.pipeline import Progress
    from ingest.report import IngestReport
    from rag_app.assistant import Assistant

# A list longer than the first gets a search field; none shows more rows than the second.
_SEARCH_FROM = 10
_MOST_ROWS = 50
_TITLE_LENGTH = 72
# Pixels. A long list scrolls by itself, so that the upload below it stays in reach.
_LIST_HEIGHT = 420

_INTERRUPTED = "Adding was interrupted by a click elsewhere. Add the files again: what was read is kept."
_NOTICES = {"success": st.success, "warning": st.warning}


def page(assistant: Assistant, chat: Chat) -> None:
    """The documents of the collection, and the first page of one of them beside the list."""
    documents = assistant.documents()
    if not documents:
        empty_collection(assistant, chat)
        return
    beside = st.container()
    if chat.opened:
        beside, pane = st.columns(2, gap="medium")
        with pane:
            document_pane(assistant, chat, chat.opened)
    with beside:
        document_list(assistant, chat, documents)
        upload(assistant, chat)


def empty_collection(assistant: Assistant, chat: Chat) -> None:
    """What a visitor sees before the first document."""
    with st.container(key="welcome"):
        st.title("Add your first documents", anchor=False)
        st.markdown(
            "Manuals, contracts, anything with answers in it: PDF, Word, HTML, Markdown or plain text. "
            "They stay on this machine. Then ask a question and see the page that answers it."
        )
        upload(assistant, chat)


def choose_collection(assistant: Assistant, chat: Chat) -> Assistant:
    """The assistant of the collection that the visitor works with."""
    names = assistant.collections()
    if len(names) > 1:
        chosen = st.selectbox(say("app.collection"), names, index=names.index(chat.collection or assistant.collection))
        if chosen != (chat.collection or assistant.collection):
            chat.switch(chosen)
    if chat.collection in ("", assistant.collection):
        return assistant
    return _open_collection(assistant, chat.collection)


def upload(assistant: Assistant, chat: Chat) -> None:
    """A form that takes several files, a bar while they are read, and what became of them."""
    with st.form("upload", clear_on_submit=True, border=False):
        files = st.file_uploader(
            "Add documents",
            type=sorted(suffix.removeprefix(".") for suffix in SUPPORTED_SUFFIXES),
            accept_multiple_files=True,
            key="files",
        )
        if st.form_submit_button("Add to the collection", width="stretch", key="add") and files:
            _add(assistant, chat, files)
            # The page above this form was drawn without the new documents.
            st.rerun()
    for kind, sentence in chat.notices:
        _NOTICES[kind](escape_label(sentence))


def document_list(assistant: Assistant, chat: Chat, documents: Sequence[DocumentRecord]) -> None:
    """The documents by name; each opens in the document pane and can be removed."""
    st.subheader(f"Documents · {len(documents)}", anchor=False)
    shown = documents
    if len(documents) > _SEARCH_FROM:
        wanted = st.text_input("Find a document", placeholder="Find a document", label_visibility="collapsed")
        shown = [record for record in documents if wanted.casefold() in f"{record.title} {record.source}".casefold()]
    with st.container(gap=None, key="documents", height=_LIST_HEIGHT if len(shown) > _SEARCH_FROM else "content"):
        for record in shown[:_MOST_ROWS]:
            _document_row(assistant, chat, record)
    if len(shown) > _MOST_ROWS:
        st.caption(f"and {len(shown) - _MOST_ROWS} more: type a part of the name above.")


def extent(record: DocumentRecord) -> str:
    """How long a document is. Formats without pages count as one page, so their passages say more."""
    count, unit = (record.pages, "page") if record.pages > 1 else (record.chunks, "passage")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def notices(report: IngestReport | None, failures: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """What an upload came to, as sentences with their kind; a failure is a file's name and the reason."""
    good: list[tuple[str, str]] = []
    if report:
        failures = [*failures, *((Path(failure.path).name, failure.reason) for failure in report.failed)]
        done = [
            (report.added, "added"),
            (report.updated, "updated"),
            (report.unchanged, "already there"),
            (report.duplicates, "there under another name"),
        ]
        counts = ", ".join(f"{count} {what}" for count, what in done if count)
        good = [("success", f"{counts} ({report.pages} pages read).")] if counts else []
    return good + [("warning", f"{name}: {reason}") for name, reason in failures]


@st.cache_resource(show_spinner="Opening the collection")
def _open_collection(_served: Assistant, name: str) -> Assistant:
    """Opened once for all sessions: two assistants over one collection would not see each other's documents."""
    return _served.open_collection(name)


def _add(assistant: Assistant, chat: Chat, files: Sequence[UploadedFile]) -> None:
    bar = st.progress(0.0, text="Saving the files")
    chat.notices = [("warning", _INTERRUPTED)]

    def show(progress: Progress) -> None:
        name = escape_label(shorten(progress.current, 32))
        bar.progress(progress.fraction, text=f"{progress.files_done} of {progress.files_total} files · {name}")

    paths: list[Path] = []
    failures: list[tuple[str, str]] = []
    for file in files:
        try:
            paths.append(assistant.save_upload(file.name, file.getvalue()))
        except RagError as error:
            failures.append((file.name, str(error)))
    report = None
    if paths:
        try:
            report = assistant.ingest(paths, on_progress=show)
        except RagError as error:
            failures.append(("The files could not be added", str(error)))
    chat.notices = notices(report, failures)


def _document_row(assistant: Assistant, chat: Chat, record: DocumentRecord) -> None:
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, key=f"document-{record.document_id}"):
        st.button(
            f"{escape_label(shorten(record.title, _TITLE_LENGTH))}  \n:gray[:small[{escape_label(extent(record))}]]",
            key=f"open-{record.document_id}",
            help=escape_label(record.source),
            type="tertiary",
            width="stretch",
            wrap=True,
            on_click=chat.open,
            args=(document_source(record),),
        )
        if st.button(
            "",
            icon=":material/delete:",
            key=f"remove-{record.document_id}",
            help=f"Remove {escape_label(record.source)}",
            type="tertiary",
        ):
            _confirm_removal(assistant, chat, record)


@st.dialog("Remove this document?")
def _confirm_removal(assistant: Assistant, chat: Chat, record: DocumentRecord) -> None:
    st.markdown(f"**{escape_label(record.title)}**  \n{escape_label(record.source)} · {extent(record)}")
    st.markdown("Questions will no longer be answered from it. The file that it was read from stays where it is.")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep it", key="keep"):
            st.rerun()
        if st.button(
            "Remove",
            key="confirm-removal",
            type="primary",
            on_click=_remove,
            args=(assistant, chat, record.document_id),
        ):
            st.rerun()


def _remove(assistant: Assistant, chat: Chat, document_id: str) -> None:
    try:
        assistant.remove(document_id)
    except RagError as error:
        chat.notices = [("warning", str(error))]
    if chat.opened and chat.opened.document_id == document_id:
        chat.open(None)
