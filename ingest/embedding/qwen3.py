"""Qwen3-Embedding 0.6B, 4B and 8B, by the recipe of its model card.

A text's vector is the last hidden state of the `<|endoftext|>` behind it; questions stand behind an instruction. The
card pads on the left under a mask. Here padding is on the right: attention is causal, so no token of a text sees what
stands behind it, no mask is needed, and the fast attention kernels apply.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from ingest.config import EmbeddingConfig
from ingest.embedding.protocol import EmbeddingError, FloatMatrix, batches_by_length, instruct, unit_rows

DEFAULT_INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"
END = "<|endoftext|>"
LEAST_DIMENSIONS = 32
"""The model was not trained to be cut to less."""

CPU_BATCH_TOKENS = 2048
GPU_BATCH_TOKENS = 8192
"""Padded tokens of a forward pass. More do not make a processor faster, only the memory larger; of real passages, as an
ingest embeds them together, 9 % is padding with 8192 and 14 % with twice as many."""


class Qwen3Encoder:
    """Qwen3-Embedding from the hub or a folder: in bfloat16 on the first CUDA device, else in float32 on the CPU.

    A text beyond `max_tokens` loses its end. Only safetensors are read and no code of the checkpoint is run. Raises
    `EmbeddingError` where the model cannot be loaded or does not have that many dimensions.
    """

    def __init__(self, config: EmbeddingConfig, *, max_tokens: int = 8192) -> None:
        self.identity = config.identity
        self._instruction = config.instruction or DEFAULT_INSTRUCTION
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._tokenizer, self._model = _load(config.name)
        self._model.to(self._device, torch.bfloat16 if self._device.type == "cuda" else torch.float32).eval()
        self.where = f"{self._model.device}, {str(self._model.dtype).removeprefix('torch.')}"
        self._end = self._tokenizer.token_to_id(END)
        if self._end is None:
            raise EmbeddingError(f"Expected a tokenizer with the token {END}; that of '{config.name}' has none.")
        width = self._model.config.hidden_size
        self.dimension: int = config.dimensions or width
        if not min(LEAST_DIMENSIONS, width) <= self.dimension <= width:
            raise EmbeddingError(
                f"Expected {LEAST_DIMENSIONS} to {width} dimensions for '{config.name}'; got {self.dimension}."
            )
        self.max_tokens = min(max_tokens, self._model.config.max_position_embeddings)
        self._lock = threading.Lock()

    def reads(self, text: str) -> bool:
        return True

    def count_tokens(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def encode_documents(self, texts: Sequence[str]) -> FloatMatrix:
        """One unit vector a text, `[texts, dimension]`, in the order given."""
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        rows = [[*encoding.ids[: self.max_tokens - 1], self._end] for encoding in encodings]
        vectors = np.zeros((len(rows), self.dimension), dtype=np.float32)
        budget = CPU_BATCH_TOKENS if self._device.type == "cpu" else GPU_BATCH_TOKENS
        for batch in batches_by_length([len(row) for row in rows], budget):
            vectors[batch] = self._last_states([rows[index] for index in batch])[:, : self.dimension]
        return unit_rows(vectors)

    def encode_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Likewise for questions, behind the instruction."""
        return self.encode_documents([instruct(self._instruction, text) for text in texts])

    def _last_states(self, rows: Sequence[list[int]]) -> FloatMatrix:
        """The last hidden state of each row's last token, `[rows, hidden size]`."""
        longest = max(map(len, rows))
        ids = torch.tensor([row + [self._end] * (longest - len(row)) for row in rows])
        ends = torch.tensor([len(row) - 1 for row in rows])
        with self._lock, torch.inference_mode():
            states = self._model(input_ids=ids.to(self._device), use_cache=False).last_hidden_state
            last = states[torch.arange(len(rows), device=self._device), ends.to(self._device)]
        found: FloatMatrix = last.float().cpu().numpy()
        return found


def _load(name: str) -> tuple[Any, Any]:
    if name.startswith((".", "/")) and not Path(name).is_dir():  # the hub would complain about the form of the name
        raise EmbeddingError(f"There is no folder {name}. Expected that of Qwen3-Embedding, or its name on the hub.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        model = AutoModel.from_pretrained(name, dtype="auto", use_safetensors=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise EmbeddingError(
            f"The embedding model '{name}' cannot be loaded: {reason} Expected the name of a model on the hub, or a "
            "folder with config.json, tokenizer.json and safetensors of Qwen3-Embedding."
        ) from error
    # The whole text is wanted: a tokenizer may bring a limit or padding of its own.
    plain = tokenizer.backend_tokenizer
    plain.no_truncation()
    plain.no_padding()
    return plain, model
