"""One document of the library: what it is, how it was read, a search within it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from ingest.errors import RagError
from ingest.records import DocumentRecord, PageRecord
from ingest.segmentation import segment
from rag_app.answer import Passage
from rag_app.context import number_passages
from ui.markup import escape_label, place, shorten
from ui.state import Chat, OpenSource, document_source, passage_sources
from ui.text import say

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

_RESULTS = 8
_EXCERPT_LENGTH = 160
_TITLE_LENGTH = 72
_NAMES_LENGTH = 120
_MOST_MARKS = 40
# Below, a person should compare the words with the image.
_SURE = 0.9
_SEARCHED = "searched-within"


@dataclass(frozen=True, slots=True)
class _Find:
    """A passage that a search within the document found, and the words of it that are shown."""

    source: OpenSource
    excerpt: str


def extent(record: DocumentRecord) -> str:
    """How long a document is. Formats without pages count as one page, so their passages say more."""
    if record.pages > 1:
        return say("document.pages", count=record.pages)
    return say("document.passages", count=record.chunks)


def file_names(record: DocumentRecord) -> str:
    """The names of all files that hold this document; identical files are one document."""
    return shorten(", ".join(dict.fromkeys(file.source for file in record.files)), _NAMES_LENGTH)


def facts(record: DocumentRecord) -> str:
    """Files, length, pages by OCR and date in a line, escaped for a label."""
    parts = [file_names(record), extent(record)]
    if record.ocr_pages:
        parts.append(say("document.by-ocr", count=record.ocr_pages))
    parts.append(f"{record.ingested_at.astimezone():%Y-%m-%d}")
    return escape_label(" · ".join(parts))


def details(assistant: Assistant, chat: Chat, record: DocumentRecord) -> None:
    """Everything about the document but its pages, which stand beside."""
    st.button(
        say("document.back"),
        icon=":material/arrow_back:",
        key="back",
        type="tertiary",
        on_click=chat.open,
        args=(None,),
    )
    st.subheader(escape_label(record.title), anchor=False)
    passages = say("document.passages", count=record.chunks)
    st.caption(facts(record) if record.pages == 1 else f"{facts(record)} · {passages}")
    for other in record.files[1:]:
        st.caption(say("document.copy", name=escape_label(other.source)))
    _tags(assistant, record)
    _search(assistant, chat, record)
    _revisions(assistant, chat, record)
    _reading(assistant, chat, record)
    st.button(
        say("document.delete"),
        icon=":material/delete:",
        key=f"delete-{record.document_id}",
        on_click=hide,
        args=(assistant, chat, record.document_id),
    )


def hide(assistant: Assistant, chat: Chat, document_id: str) -> None:
    """Deletes the document so that it can be restored; what goes wrong is told on the page."""
    chat.notices = []
    try:
        assistant.library.hide(document_id)
    except RagError as error:
        chat.notices = [str(error)]
    if chat.opened and chat.opened.document_id == document_id:
        chat.open(None)


def _tags(assistant: Assistant, record: DocumentRecord) -> None:
    key = f"tags-{record.document_id}"
    st.session_state[key] = list(record.tags)  # as they are now: another visitor may have changed them
    st.multiselect(
        say("document.tags"),
        sorted({*assistant.library.catalog.tags(), *record.tags}),
        key=key,
        accept_new_options=True,
        placeholder=say("document.add-tag"),
        on_change=_keep_tags,
        args=(assistant, record, key),
    )
    if problem := st.session_state.pop(f"{key}-problem", None):
        st.error(escape_label(problem))


def _keep_tags(assistant: Assistant, record: DocumentRecord, key: str) -> None:
    wanted = {" ".join(tag.split()) for tag in st.session_state[key]}
    try:
        for tag in set(record.tags) - wanted:
            assistant.library.catalog.untag(record.document_id, tag)
        for tag in wanted.difference(record.tags):
            assistant.library.catalog.tag(record.document_id, tag)
    except RagError as error:
        st.session_state[f"{key}-problem"] = str(error)


def _search(assistant: Assistant, chat: Chat, record: DocumentRecord) -> None:
    with st.form("within", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(say("document.search"), key=f"within-{record.document_id}")
        asked = st.form_submit_button(say("document.find"), icon=":material/search:", key="find-within")
    if asked and words.strip():
        st.session_state[_SEARCHED] = (record.document_id, _found(assistant, record, words))
    document_id, finds = st.session_state.get(_SEARCHED, ("", []))
    if document_id != record.document_id:
        return
    if not finds:
        st.caption(say("document.nothing-found"))
    with st.container(gap=None, key="found-within"):
        for find in finds:
            st.button(
                _find_label(find),
                key=f"found-{find.source.number}",
                type="secondary" if find.source == chat.opened else "tertiary",
                width="stretch",
                wrap=True,
                on_click=chat.open,
                args=(find.source,),
            )


def _found(assistant: Assistant, record: DocumentRecord, words: str) -> list[_Find]:
    """The best passages of the document; none where something went wrong, which is shown."""
    try:
        found = assistant.search(words, top_k=_RESULTS, documents=[record.document_id])
    except RagError as error:
        st.error(escape_label(str(error)))
        return []
    passages = number_passages(found.hits)
    labels = assistant.library.catalog.page_labels(record.document_id)
    return [_find(*both, words, labels) for both in zip(passages, passage_sources(passages), strict=True)]


def _find(passage: Passage, source: OpenSource, words: str, labels: Mapping[int, str]) -> _Find:
    """The passage at the line that holds most of the words; one may go over several pages."""
    wanted = set(segment(words))
    lines = [
        (-len(wanted.intersection(segment(passage.text[start:end]))), start, box[0])
        for box, (start, end) in zip(passage.boxes, passage.box_spans, strict=True)
    ]
    _, start, page = min(lines, default=(0, 0, source.page))
    if page != source.page:
        source = replace(source, page=page, page_label=labels.get(page, ""))
    text = " ".join(passage.text[start:].split())
    return _Find(source, text if len(text) <= _EXCERPT_LENGTH else f"{text[:_EXCERPT_LENGTH].rstrip()}…")


def _find_label(find: _Find) -> str:
    source = find.source
    where = " · ".join(
        filter(None, [place(source.page, source.page_label, has_pages=bool(source.boxes)), source.section])
    )
    excerpt = escape_label(find.excerpt)
    return f"**{escape_label(where)}**  \n{excerpt}" if where else excerpt


def _revisions(assistant: Assistant, chat: Chat, record: DocumentRecord) -> None:
    earlier = assistant.library.catalog.document(record.revision_of)
    links = [("revision-of", earlier)] if earlier else []
    links += [("revised-by", later) for later in assistant.library.catalog.revisions_of(record.document_id)]
    for relation, other in links:
        st.button(
            say(
                f"document.{relation}",
                title=escape_label(shorten(other.title, _TITLE_LENGTH)),
                name=escape_label(other.source),
            ),
            icon=":material/history:",
            key=f"revision-{other.document_id}",
            type="tertiary",
            wrap=True,
            on_click=chat.open,
            args=(document_source(other),),
        )


def _reading(assistant: Assistant, chat: Chat, record: DocumentRecord) -> None:
    """The pages that were recognised in images, and those that could not be read whole."""
    pages = assistant.library.catalog.pages(record.document_id)
    recognised = [page for page in pages if page.ocr]
    problems = [page for page in pages if page.problem]
    if recognised:
        with st.expander(
            say("document.ocr-heading", count=len(recognised), total=record.pages), icon=":material/document_scanner:"
        ):
            st.caption(say("document.ocr-words"))
            with st.container(horizontal=True, gap="small", key="ocr-pages"):
                for page in _least_sure(recognised):
                    _ocr_mark(chat, record, page)
            if len(recognised) > _MOST_MARKS:
                st.caption(say("document.ocr-more", shown=_MOST_MARKS))
    if problems:
        with st.expander(say("document.problems", count=len(problems)), icon=":material/warning:"):
            for page in problems[:_MOST_MARKS]:
                with st.container(horizontal=True, vertical_alignment="center", wrap=False):
                    _page_button(chat, record, page, say("document.page", number=page.number), f"problem-{page.number}")
                    st.markdown(escape_label(page.problem), width="stretch")
            if len(problems) > _MOST_MARKS:
                st.caption(say("document.problems-more", count=len(problems) - _MOST_MARKS))


def _least_sure(pages: Sequence[PageRecord]) -> list[PageRecord]:
    """As many as there is room for, in order of the document."""
    worst = sorted(pages, key=lambda page: page.ocr.confidence if page.ocr else 1.0)[:_MOST_MARKS]
    return sorted(worst, key=lambda page: page.number)


def _ocr_mark(chat: Chat, record: DocumentRecord, page: PageRecord) -> None:
    assert page.ocr is not None
    label = say("document.ocr-page", number=page.number, percent=round(100 * page.ocr.confidence))
    if page.ocr.confidence < _SURE:
        label = f":orange[{label}]"
    _page_button(chat, record, page, label, f"ocr-{page.number}", page.ocr.reason)


def _page_button(chat: Chat, record: DocumentRecord, page: PageRecord, label: str, key: str, reason: str = "") -> None:
    source = OpenSource(
        number=0,
        document_id=record.document_id,
        source=record.source,
        title=record.title,
        page=page.number,
        ocr_confidence=page.ocr.confidence if page.ocr else None,
    )
    st.button(label, key=key, help=escape_label(reason) or None, on_click=chat.open, args=(source,))
