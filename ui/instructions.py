"""Choosing what a reranker is told: an instruction by name, or in the reader's own words."""

from __future__ import annotations

import streamlit as st

from retrievers.rerank.instructions import INSTRUCTIONS, MAX_CHARACTERS
from ui.markup import escape_label
from ui.text import say

# Neither is a name of an instruction.
_AUTOMATIC, _OWN_WORDS = "", "own words"


def choose_instruction(key: str, *, automatic: bool = True) -> str | None:
    """A selector and, for own words, a field below it: a name or a text; None for the one that fits each question.

    Without `automatic` that cannot be chosen, and None means that no words were written yet.
    """
    choice = st.selectbox(
        say("instructions.choose"),
        [*([_AUTOMATIC] if automatic else []), *INSTRUCTIONS, _OWN_WORDS],
        format_func=_name,
        key=key,
        help=say("instructions.help"),
    )
    if choice == _OWN_WORDS:
        text = st.text_area(
            say("instructions.words"),
            placeholder=say("instructions.example"),
            max_chars=MAX_CHARACTERS,
            key=f"own-{key}",
        )
        return text.strip() or None
    if choice:
        st.caption(escape_label(INSTRUCTIONS[choice]))
    return choice or None


def _name(choice: str) -> str:
    """Instructions go by their names in every language: they are what a setting or a command takes."""
    return {_AUTOMATIC: say("instructions.automatic"), _OWN_WORDS: say("instructions.own")}.get(choice, choice)
