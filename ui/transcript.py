"""Answers and chats as text to take along."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag_app.answer import Answer, Citation
from rag_app.chats import EXCHANGES, Exchange
from ui.markup import place
from ui.text import say

_UNSAFE_IN_NAMES = re.compile(r"[^\w -]+")
_LONGEST_NAME = 60


def answer_text(answer: Answer) -> str:
    """The answer with its marks, and below it where each mark leads."""
    sources = dict.fromkeys(_source(citation) for citation in sorted(answer.citations, key=lambda one: one.number))
    listed = [f"{say('transcript.sources')}\n" + "\n".join(sources)] if sources else []
    return "\n\n".join([answer.text.strip(), *listed])


def chat_markdown(title: str, exchanges: Sequence[Exchange]) -> str:
    """The chat as Markdown: a heading a question, below it the answer with its sources."""
    parts = [f"# {_line(title)}"]
    for exchange in exchanges:
        parts += [f"## {_line(exchange.question)}", _reply(exchange)]
    return "\n\n".join(parts) + "\n"


def chat_json(exchanges: Sequence[Exchange]) -> bytes:
    """The exchanges whole, with passages, scores and times."""
    return EXCHANGES.dump_json(list(exchanges), indent=2)


def file_name(title: str, suffix: str) -> str:
    """A name for the file of a chat that any system takes."""
    return f"{_line(_UNSAFE_IN_NAMES.sub(' ', title))[:_LONGEST_NAME].strip() or 'chat'}{suffix}"


def _reply(exchange: Exchange) -> str:
    if exchange.answer:
        return answer_text(exchange.answer)
    if exchange.error:
        return f"*{_line(exchange.error)}*"
    return "\n\n".join([*([exchange.text.strip()] if exchange.text.strip() else []), f"*{say('chat.stopped')}*"])


def _source(citation: Citation) -> str:
    where = (
        citation.title or citation.source,
        place(citation.page, citation.page_label, has_pages=bool(citation.boxes)),
        citation.section,
    )
    return f"[{citation.number}] " + ", ".join(_line(part) for part in where if part)


def _line(text: str) -> str:
    return " ".join(text.split())
