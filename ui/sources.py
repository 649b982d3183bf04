"""Where an answer comes from: citation chips, the document pane, the table of passages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ingest.errors import RagError
from rag_app.answer import Answer, State
from rag_app.render import ocr_note
from ui.markup import escape_label, passage_html, place, ranking_html, shorten, timings_html
from ui.state import Chat, OpenSource, passage_sources

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

_CHIP_NAME_LENGTH = 36

_DOUBTS: dict[State, str] = {
    "weak": "This passage agrees only in part with what the answer says. Compare them.",
    "unsupported": "This passage does not say what the answer says with its mark. Compare them.",
}


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


def evidence(chat: Chat, answer: Answer, key: str) -> None:
    """The closed panel under an answer: how its passages were ranked, and how long each stage took."""
    count = len(answer.passages)
    with st.expander(f"How this was found · {count} {'passage' if count == 1 else 'passages'}", key=f"evidence-{key}"):
        if answer.passages:
            st.html(ranking_html(answer.passages))
            if not answer.refused:
                chips(chat, passage_sources(answer.passages), f"{key}-all")
        st.html(timings_html(answer.timings_ms))


def document_pane(assistant: Assistant, chat: Chat, source: OpenSource) -> None:
    """The page beside the answer with the quoted sentences boxed; the passage itself where there are no pages."""
    with st.container(key="document-pane", border=True):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False, key="pane-head"):
            st.markdown(f"**{escape_label(shorten(source.source, 60))}**", width="stretch")
            st.button(
                "Close", icon=":material/close:", key="close-pane", type="tertiary", on_click=chat.open, args=(None,)
            )
        if source.section:
            st.caption(escape_label(source.section))
        if source.ocr_confidence is not None:
            st.caption(
                f":material/document_scanner: This page was {ocr_note(source.ocr_confidence)}: compare the image."
            )
        try:
            image = assistant.page_image(source.document_id, source.page, source.boxes)
        except RagError as error:
            st.error(escape_label(str(error)))
            return
        if image:
            _page_turner(chat, source, image.pages)
            st.image(image.png, width="stretch", output_format="PNG", alt=f"Page {image.page} of {source.source}")
        _quote(source, with_passage=image is None)


def page_heading(source: OpenSource, pages: int) -> str:
    """ "Page 7 of 24", or with the printed label where it differs: "Page iii (3 of 24)"."""
    if source.page_label in ("", str(source.page)):
        return f"Page {source.page} of {pages}"
    return f"Page {escape_label(source.page_label)} ({source.page} of {pages})"


def _page_turner(chat: Chat, source: OpenSource, pages: int) -> None:
    with st.container(
        horizontal=True, horizontal_alignment="center", vertical_alignment="center", wrap=False, key="page-turner"
    ):
        st.button(
            "Previous",
            icon=":material/chevron_left:",
            key="previous-page",
            disabled=source.page <= 1,
            on_click=chat.open,
            args=(source.turned(-1),),
        )
        st.markdown(page_heading(source, pages), width="content")
        st.button(
            "Next",
            icon=":material/chevron_right:",
            icon_position="right",
            key="next-page",
            disabled=source.page >= pages,
            on_click=chat.open,
            args=(source.turned(1),),
        )


def _quote(source: OpenSource, *, with_passage: bool) -> None:
    if source.state in _DOUBTS:
        st.warning(_DOUBTS[source.state])
    if with_passage and source.text:
        st.html(passage_html(source.text, source.quotes))
    elif source.quotes:
        for quote in source.quotes:
            st.html(passage_html(quote, [quote]))
    elif with_passage:
        st.caption("This kind of file has no page to show. Ask a question to see the passages it answers from.")
