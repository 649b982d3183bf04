"""The page "workbench"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.state import Chat
from ui.text import say

if TYPE_CHECKING:
    from rag_app.assistant import Assistant


def page(assistant: Assistant, chat: Chat) -> None:
    """Not drawn yet."""
    st.title(say("app.workbench"), anchor=False)
