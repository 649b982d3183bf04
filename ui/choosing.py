"""What several pages let a reader choose: documents of the collection, and what a reranker is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from retrievers.rerank.instructions import INSTRUCTIONS, MAX_CHARACTERS
from ui.markup import escape_label, shorten
from ui.text import say

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

# A selector sends every title to the browser.
MOST_TO_CHOOSE_FROM = 1000
_TITLE_LENGTH = 60

# Neither is a name of an instruction.
_AUTOMATIC, _OWN_WORDS = "", "own words"


def choose_documents(
    assistant: Assistant, label: str, *, key: str, placeholder: str, tip: str | None = None
) -> dict[str, str]:
    """The titles of the chosen documents by id; none where none is chosen, or where there are too many to choose from.

    The choice is kept over other pages.
    """
    if assistant.library.document_count > MOST_TO_CHOOSE_FROM:
        st.caption(say("choosing.too-many", most=MOST_TO_CHOOSE_FROM))
        return {}
    titles = {record.document_id: record.title or record.source for record in assistant.library.documents()}
    # What is not there any more cannot stay chosen.
    st.session_state[key] = [kept for kept in st.session_state.get(key, ()) if kept in titles]
    chosen = st.multiselect(
        label,
        list(titles),
        format_func=lambda document_id: shorten(titles[document_id], _TITLE_LENGTH),  # shown as text, not as Markdown
        placeholder=placeholder,
        key=key,
        help=tip,
        persist_state="session",
    )
    return {document_id: titles[document_id] for document_id in chosen}


def choose_instruction(
    key: str, *, label: str = "", tip: str | None = None, automatic: bool = True, chosen: str | None = None
) -> str | None:
    """A selector and, for own words, a field below it: a name or a text; None for the one that fits each question.

    `chosen` is what it stands on at first. Without `automatic` that cannot be chosen, and None means that no words were
    written yet.
    """
    choices = [*([_AUTOMATIC] if automatic else []), *INSTRUCTIONS, _OWN_WORDS]
    own = chosen if chosen and chosen not in INSTRUCTIONS else ""
    choice = st.selectbox(
        label or say("choosing.instruction"),
        choices,
        index=choices.index(_OWN_WORDS if own else chosen or choices[0]),
        format_func=_name,
        key=key,
        help=tip or say("choosing.instruction-help"),
    )
    if choice == _OWN_WORDS:
        text = st.text_area(
            say("choosing.words"),
            value=own,
            placeholder=say("choosing.example"),
            max_chars=MAX_CHARACTERS,
            key=f"own-{key}",
        )
        return text.strip() or None
    if choice:
        st.caption(escape_label(INSTRUCTIONS[choice]))
    return choice or None


def _name(choice: str) -> str:
    """Instructions go by their names in every language: they are what a setting or a command takes."""
    return {_AUTOMATIC: say("choosing.automatic"), _OWN_WORDS: say("choosing.own")}.get(choice, choice)
