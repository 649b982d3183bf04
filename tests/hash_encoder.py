"""An encoder that costs nothing, for tests in which it does not matter what the vectors mean."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from ingest.config import EmbeddingConfig
from ingest.embedding.protocol import FloatMatrix, unit_rows


class HashEncoder:
    """Gives each text a vector of its own, the same in every process; it passes for the embedded model."""

    dimension = 384
    identity = EmbeddingConfig().identity

    def encode_documents(self, texts: Sequence[str]) -> FloatMatrix:
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) for text in texts]
        rows = [np.random.default_rng(seed).standard_normal(self.dimension) for seed in seeds]
        return unit_rows(np.array(rows).reshape(-1, self.dimension))

    encode_queries = encode_documents

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def reads(self, text: str) -> bool:
        return True
