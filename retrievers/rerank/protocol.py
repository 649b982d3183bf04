"""What every reranker offers. Free of frameworks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class Reranker(Protocol):
    """Scores how well each document answers a query."""

    def score(self, query: str, documents: Sequence[str], *, instruction: str | None = None) -> list[float]:
        """One score a document, in the order given, higher is better; `[]` for no documents.

        `instruction` says what counts as relevant; a reranker that cannot follow one says so in its docstring.
        """
        ...
