"""What every embedding model can do, and what several of them need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.errors import RagError

FloatMatrix = NDArray[np.float32]


class EmbeddingError(RagError):
    """An embedding model could not be opened, or gave no vectors."""


class Encoder(Protocol):
    """Turns texts into vectors whose dot product says how near they are. Safe to use from several threads."""

    @property
    def identity(self) -> str:
        """The model, its revision and dimension: vectors of another identity cannot be compared with these."""

    def encode_documents(self, texts: Sequence[str]) -> FloatMatrix:
        """One vector of length 1 a text, float32 `[texts, dimension]`, in the order given."""

    def encode_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Likewise for questions, which many models read with a prompt in front."""

    def count_tokens(self, text: str) -> int:
        """The tokens of a text, special ones left out; without a limit."""

    def reads(self, text: str) -> bool:
        """Whether the model was trained on texts in this script."""


def instruct(task: str, query: str) -> str:
    """A question as Qwen3-Embedding was trained to read it; there is no space behind the second colon."""
    return f"Instruct: {task}\nQuery:{query}"


def unit_rows(rows: NDArray[np.floating]) -> FloatMatrix:
    """The rows scaled to length 1; a row of zeros stays one."""
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    unit: FloatMatrix = (rows / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit


def batches_by_length(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices in order of length, in batches whose padded size (rows times longest) stays within `budget`.

    A text longer than the budget is a batch of its own.
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[index] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
