"""The frame of all pages: their list, the collection that they work with, the reader's language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ingest.errors import RagError
from ui import chat, collection, evaluation, grid, library, models, uploading, workbench
from ui.markup import escape_label
from ui.state import Chat, current_chat
from ui.text import LANGUAGE_KEY, LANGUAGES, browser_language, language, say

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

_STYLE = Path(__file__).with_name("style.css")
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f5a7a"/>'
    '<path d="M8 8h11l5 5v11H8z" fill="#fff"/><path d="M11 15h10M11 19h6" stroke="#1f5a7a" stroke-width="2"/>'
    '<rect x="10" y="17.2" width="9" height="3.6" fill="#f2b33d" opacity=".7"/></svg>'
)


@dataclass(frozen=True, slots=True)
class Screen:
    """A page: its name in the address and in the catalogue of words, its icon, and what draws it."""

    name: str
    icon: str
    draw: Callable[[Assistant, Chat], None]


SCREENS = (
    Screen("chat", ":material/forum:", chat.page),
    Screen("library", ":material/folder_open:", library.page),
    Screen("grid", ":material/table_chart:", grid.page),
    Screen("workbench", ":material/swap_vert:", workbench.page),
    Screen("evaluation", ":material/leaderboard:", evaluation.page),
    Screen("models", ":material/memory:", models.page),
)
"""In the order of the menu; the first one opens at /."""


def main(served: Callable[[], Assistant]) -> None:
    """Draws the page of this address over the assistant that `served` gives, or the sentence of its `RagError`.

    Streamlit calls this again for every click.
    """
    # Before the menu: a page without an icon of its own takes that of its entry there, which Streamlit's script asks
    # a server of Google for.
    st.set_page_config(page_icon=_ICON, layout="wide")
    st.html(_STYLE)
    st.logo(_ICON, size="large")
    shown = st.navigation(
        [
            st.Page(
                partial(_draw, screen, served),
                title=say(f"app.{screen.name}"),
                icon=screen.icon,
                url_path=screen.name,
                default=screen is SCREENS[0],
            )
            for screen in SCREENS
        ]
    )
    st.set_page_config(page_title=f"{shown.title} · {say('app.brand')}")
    shown.run()


def _draw(screen: Screen, served: Callable[[], Assistant]) -> None:
    """The page, between the collection's choice above and the language's below in the sidebar."""
    session = current_chat()
    try:
        with st.sidebar:
            assistant = collection.choose(served(), session)
        session.reading = assistant.library.jobs.busy
        screen.draw(assistant, session)
        with st.sidebar:
            if screen.name != "library":
                uploading.short_activity(assistant, session)
            _about(assistant)
    except RagError as error:
        st.error(escape_label(str(error)))
    with st.sidebar:
        _choose_language()


def _about(assistant: Assistant) -> None:
    model, kind = assistant.language_model, assistant.library.kind
    parts = (
        say("app.collection-of-kind", name=escape_label(assistant.collection), kind=say(f"app.kind-{kind}")),
        say("app.profile", name=escape_label(assistant.profile)),
        say("app.answers-by", model=escape_label(model)) if model else say("app.answers-quoted"),
    )
    st.caption(" · ".join(parts))


def _choose_language() -> None:
    """Kept in the address where it is not the browser's, so that a reload and a link stay in the language."""
    st.session_state.setdefault(LANGUAGE_KEY, language())
    chosen = st.segmented_control(
        say("app.language"),
        list(LANGUAGES),
        format_func=lambda one: LANGUAGES[one],
        key=LANGUAGE_KEY,
        required=True,
        label_visibility="collapsed",
        persist_state="session",  # links of the menu drop what the address says
    )
    if chosen and chosen != browser_language():
        st.query_params[LANGUAGE_KEY] = chosen
    else:
        st.query_params.pop(LANGUAGE_KEY, None)
