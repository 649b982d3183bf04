"""The words of the interface in the reader's language: one catalogue, `strings.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

import streamlit as st

Language = Literal["en", "zh"]

LANGUAGES: dict[Language, str] = {"en": "English", "zh": "中文"}
"""What each language calls itself."""

LANGUAGE_KEY = "language"
"""Where the session state holds the reader's choice."""

_CATALOGUE = Path(__file__).with_name("strings.toml")


def say(key: str, **values: object) -> str:
    """The words for a key such as "chat.new", with `values` in their places.

    A count goes by the name `count`: where the catalogue has words for one thing, they are taken for 1.
    Raises `KeyError` for a key that the catalogue does not have.
    """
    words = catalogue()[key]
    if values.get("count") == 1 and "one" in words:
        return words["one" if language() == "en" else "zh"].format(**values)
    return words[language()].format(**values)


def language() -> Language:
    """The language that the reader chose, else the browser's where it is ours, else English."""
    # A choice in the address reaches the session's state only with the selector, at the end of the page.
    chosen = st.session_state.get(LANGUAGE_KEY) or st.query_params.get(LANGUAGE_KEY)
    for known in LANGUAGES:
        if chosen == known:
            return known
    return browser_language()


def browser_language() -> Language:
    """Chinese for a Chinese browser, else English."""
    return "zh" if (st.context.locale or "").lower().startswith("zh") else "en"


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """All words: a key ("section.name") to a language to the words."""
    sections: dict[str, Any] = tomllib.loads(_CATALOGUE.read_text(encoding="utf-8"))
    return {f"{section}.{name}": words for section, entries in sections.items() for name, words in entries.items()}
