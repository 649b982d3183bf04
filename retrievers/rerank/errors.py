"""What can go wrong with a reranker, in sentences for the person who reads them."""

from __future__ import annotations

from ingest.errors import RagError


class RerankerError(RagError):
    """A reranker could not be loaded, or did not score."""


class RerankerSelfTestError(RerankerError):
    """A loaded reranker does not score known pairs as it must; its ranking cannot be trusted."""


class RerankerMemoryError(RerankerError):
    """Not even one pair fits into the memory of the device."""


def first_line(error: BaseException) -> str:
    """The beginning of another library's message, for a sentence of ours; its type where it says nothing."""
    return next(iter(str(error).splitlines()), type(error).__name__)
