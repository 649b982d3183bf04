"""What every reranker offers. Free of frameworks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from retrievers.rerank.selftest import SelfTest


@runtime_checkable
class Reranker(Protocol):
    """Scores how well each document answers a query."""

    def score(self, query: str, documents: Sequence[str], *, instruction: str | None = None) -> list[float]:
        """One score a document, in the order given, higher is better; `[]` for no documents.

        `instruction` says what counts as relevant; a reranker that cannot follow one says so in its docstring.
        """
        ...


@runtime_checkable
class TimedReranker(Reranker, Protocol):
    """A reranker that can stop when its time is spent."""

    def score_within(
        self, query: str, documents: Sequence[str], budget_ms: float, *, instruction: str | None = None
    ) -> list[float]:
        """The scores of the first documents, as many as the time allows; the length says how many."""
        ...


@runtime_checkable
class BatchingReranker(Reranker, Protocol):
    """A reranker that reads several documents in one forward pass: at most so many new tokens."""

    row_tokens: int

    def score_in_rows(
        self, query: str, documents: Sequence[str], row_tokens: int, *, instruction: str | None = None
    ) -> list[float]:
        """As `score`, with forward passes of at most `row_tokens` and its own limit."""
        ...


@runtime_checkable
class ProvenReranker(Reranker, Protocol):
    """A reranker that was asked about known pairs when it was loaded; None where that was not wanted."""

    self_test: SelfTest | None


@runtime_checkable
class CountingReranker(Reranker, Protocol):
    """A reranker that knows how much of each document it reads."""

    def token_counts(
        self, query: str, documents: Sequence[str], *, instruction: str | None = None
    ) -> list[tuple[int, int]]:
        """The tokens of each document, and how many of them are read with this query; nothing is scored."""
        ...


def follows_instructions(reranker: Reranker) -> bool:
    """Whether an instruction changes its scores; a reranker that does not say is taken to follow them."""
    return bool(getattr(reranker, "follows_instructions", True))
