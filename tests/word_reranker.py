"""A small reranker that follows instructions: it looks for the words of the question and of the instruction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class WordReranker:
    """The share of the words that a document holds, from 0 to 1; a document takes it one millisecond of a budget."""

    follows_instructions: bool = True
    instructions: list[str | None] = field(default_factory=list)

    def score(self, query: str, documents: Sequence[str], *, instruction: str | None = None) -> list[float]:
        self.instructions.append(instruction)
        wanted = _words(f"{query} {instruction or ''}")
        return [len(wanted & _words(document)) / len(wanted) for document in documents]

    def score_within(
        self, query: str, documents: Sequence[str], budget_ms: float, *, instruction: str | None = None
    ) -> list[float]:
        return self.score(query, documents[: int(budget_ms)], instruction=instruction)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))
