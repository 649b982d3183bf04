"""Where an answer comes from: citation chips, and the document pane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import streamlit as st

from ingest.errors import RagError
from rag_app.answer import WHOLE, Link
from ui.markup import escape_label, passage_html, place, shorten
from ui.state import Chat, OpenSource
from ui.text import say

if TYPE_CHECKING:
    from rag_app.assistant import Assistant
    from rag_app.library import PageImage

_CHIP_NAME_LENGTH = 36
_DOUBTS = ("weak", "unsupported")

# The first fits the width of the pane.
_ZOOMS = (1.0, 1.5, 2.0)


def chips(chat: Chat, sources: Sequence[OpenSource], key: str) -> None:
    """A row of small buttons, each opening its source in the document pane."""
    with st.container(horizontal=True, gap="small", key=f"chips-{key}"):
        for index, source in enumerate(sources):
            st.button(
                escape_label(chip_label(source)),
                key=f"chip-{key}-{index}",
                help=escape_label(source.section) or None,
                type="primary" if source == chat.opened else "secondary",
                on_click=chat.open,
                args=(source,),
            )


def chip_label(source: OpenSource) -> str:
    """ "1 · hp-40-service-manual p. 7"; the section stands for the page where a format has none."""
    name = shorten(source.source.rsplit("/", 1)[-1].rsplit(".", 1)[0], _CHIP_NAME_LENGTH)
    where = place(source.page, source.page_label, has_pages=bool(source.boxes))
    return f"{source.number} · {name} {where or shorten(source.section, _CHIP_NAME_LENGTH)}".rstrip()


def document_pane(assistant: Assistant, chat: Chat, source: OpenSource) -> None:
    """The page beside the answer with the quoted sentences boxed; the passage itself where there are no pages."""
    with st.container(key="document-pane", border=True):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False, key="pane-head"):
            st.markdown(f"**{escape_label(shorten(source.source, 60))}**", width="stretch")
            st.link_button(
                say("sources.original"),
                original_address(assistant.collection, source),
                icon=":material/open_in_new:",
                type="tertiary",
            )
            st.button(
                say("sources.close"),
                icon=":material/close:",
                key="close-pane",
                type="tertiary",
                on_click=chat.open,
                args=(None,),
            )
        if source.section:
            st.caption(escape_label(source.section))
        for link in source.links:
            st.caption(f":material/link: {link_words(source.number, link)}")
        if source.ocr_confidence is not None:
            sure = f"{source.ocr_confidence:.0%}"
            st.caption(f":material/document_scanner: {say('sources.read-by-ocr', sure=sure)}")
        zoom = _chosen_zoom()
        try:
            image = assistant.library.page_image(source.document_id, source.page, source.boxes, zoom=zoom)
        except RagError as error:
            st.error(escape_label(str(error)))
            return
        if image:
            _page_turner(chat, image)
            with st.container(key=f"page-{zoom * 100:.0f}"):
                name = say("sources.page-image", page=image.page, source=source.source)
                # Streamlit makes a picture smaller that is wider than it is told.
                width: int | Literal["stretch"] = "stretch" if zoom == _ZOOMS[0] else image.width
                st.image(image.png, width=width, output_format="PNG", alt=name)
        _quote(source, with_passage=image is None)


def link_words(number: int, link: Link) -> str:
    """What the passage of this number is to another one: "[3] amends clause 9.1 in [1] (effective 1 March 2024)"."""
    target = say("sources.clause", number=link.target) if link.target[:1].isdigit() else link.target
    if target == WHOLE:
        target = say("sources.whole")
    words = say(f"sources.{link.relation}", number=number, target=escape_label(target), other=link.number)
    if link.effective:
        words += say("sources.effective", date=escape_label(link.effective))
    elif link.dated:
        words += say("sources.dated", date=escape_label(link.dated))
    if link.standing == "in force":
        return words
    return words + say("sources.to-come" if link.standing == "to come" else "sources.since-unknown")


def original_address(collection: str, source: OpenSource) -> str:
    """Where this server hands out the file itself; viewers of PDF open it at the page."""
    path = f"/api/documents/{quote(source.document_id, safe='')}/original?collection={quote(collection, safe='')}"
    return f"{path}#page={source.page}"


def page_heading(image: PageImage) -> str:
    """ "Page 7 of 24", or with the printed label where it differs: "Page iii (3 of 24)"."""
    if image.label in ("", str(image.page)):
        return say("sources.page", page=image.page, pages=image.pages)
    return say("sources.page-labelled", label=escape_label(image.label), page=image.page, pages=image.pages)


def _chosen_zoom() -> float:
    return float(st.session_state.get("zoom") or _ZOOMS[0])


def _zoom_name(zoom: float) -> str:
    return say("sources.fit") if zoom == _ZOOMS[0] else f"{zoom:.0%}"


def _page_turner(chat: Chat, image: PageImage) -> None:
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center", key="page-turner"):
        st.button(
            say("sources.previous"),
            icon=":material/chevron_left:",
            key="previous-page",
            disabled=image.page <= 1,
            on_click=chat.turn,
            args=(-1, image.pages),
        )
        st.markdown(page_heading(image), width="content")
        st.button(
            say("sources.next"),
            icon=":material/chevron_right:",
            icon_position="right",
            key="next-page",
            disabled=image.page >= image.pages,
            on_click=chat.turn,
            args=(1, image.pages),
        )
        st.segmented_control(
            say("sources.zoom"),
            _ZOOMS,
            format_func=_zoom_name,
            default=_ZOOMS[0],
            required=True,
            key="zoom",
            label_visibility="collapsed",
            persist_state="session",
        )


def _quote(source: OpenSource, *, with_passage: bool) -> None:
    if source.state in _DOUBTS:
        st.warning(say(f"sources.{source.state}"))
    if with_passage and source.text:
        st.html(passage_html(source.text, source.quotes))
    elif source.quotes:
        for quoted in source.quotes:
            st.html(passage_html(quoted, [quoted]))
    elif with_passage:
        st.caption(say("sources.no-page"))
