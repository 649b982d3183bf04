"""Qwen3-Reranker 0.6B, 4B and 8B, exactly and with little work.

The model judges a document by whether its next token would be "yes" or "no"; the score is the difference of the two
logits. What the reference computes and this does not: padding (documents lie packed in one row), the shared head of
the prompt more than once (its keys and values are kept and read by all documents of a query), logits of any other
token or place (the head of the model is one row in fp32), and the feed-forward part of the last layer for tokens that
nobody reads.

Needs torch and transformers; of this project only the modules beside it.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, takewhile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoTokenizer

from ingest.errors import UsageError
from retrievers.rerank.attention import PACKED, Head, Kernel, PackedRow, choose_kernel, sdpa_attention, varlen_attention
from retrievers.rerank.cache import ScoreCache
from retrievers.rerank.errors import RerankerError, RerankerMemoryError, first_line
from retrievers.rerank.packing import Layout, lay_out, take
from retrievers.rerank.prompt import DEFAULT_INSTRUCTION, RerankPrompt
from retrievers.rerank.selftest import SelfTest, check_engine, check_prompt, check_scores, known_pairs, plain_log_odds

logger = logging.getLogger(__name__)

MAX_LENGTH = 32_768
LEAST_LENGTH = 256
CACHED_SCORES = 100_000

CPU_ROW_TOKENS = 2048
ACCELERATOR_ROW_TOKENS = 16_384
"""New tokens of a forward pass. More do not make a processor faster, only the memory larger."""

DTYPES = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

PRUNABLE_LAYERS = frozenset({"Qwen3DecoderLayer", "Qwen2DecoderLayer", "LlamaDecoderLayer", "MistralDecoderLayer"})
"""Layers that are attention plus residual, then feed-forward plus residual, and nothing else."""

Request = tuple[str, Sequence[str], str | None]
"""A query, its documents and the instruction; None is the model's default instruction."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A document that waits for its score: whose query it answers, its token ids, and the key of its score."""

    request: int
    tail: list[int]
    key: bytes


class Qwen3Reranker:
    """Scores documents for a query with a causal language model that answers "yes" or "no".

    `from_pretrained` loads one. Up to the rounding of the precision, a score depends neither on the order of the
    documents nor on what else is scored with it. Safe to use from several threads; they take turns on the device.
    """

    follows_instructions = True
    self_test: SelfTest | None = None
    """What it was asked when it was loaded; None where that was not wanted."""

    def __init__(
        self,
        model: Any,
        prompt: RerankPrompt,
        *,
        revision: str,
        max_length: int = MAX_LENGTH,
        row_tokens: int | None = None,
    ) -> None:
        """Takes over a causal language model of the transformers library, and changes it."""
        self.prompt = prompt
        self.max_length = min(max_length, model.config.max_position_embeddings)
        self.device: torch.device = model.device
        self.where = f"{model.device}, {str(model.dtype).removeprefix('torch.')}"
        self.row_tokens = row_tokens or (CPU_ROW_TOKENS if self.device.type == "cpu" else ACCELERATOR_ROW_TOKENS)
        self._cache = ScoreCache(f"{revision} {model.dtype} {self.max_length}", CACHED_SCORES)
        self._lock = threading.Lock()
        self._tokens_a_second: float | None = None

        weight = model.get_output_embeddings().weight.detach()
        exact = torch.promote_types(weight.dtype, torch.float32)
        self._answer = weight[prompt.yes].to(exact) - weight[prompt.no].to(exact)
        model.set_attn_implementation(PACKED)
        self._backbone = model.get_decoder().eval()
        self._pruned = prune_last_layer(self._backbone)
        self.kernel = _fastest_kernel(model)

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        *,
        device: str | None = None,
        dtype: str | None = None,
        max_length: int = MAX_LENGTH,
        revision: str | None = None,
        self_test: bool = True,
    ) -> Qwen3Reranker:
        """The reranker of a local folder or of the hub, tested on known pairs.

        `device` None is the GPU where there is one; `dtype` None is bfloat16 there and float32 on a CPU. Prompts
        longer than `max_length` tokens, or than the model was made for, lose the end of the document. Only safetensors
        are read and no code of the checkpoint is run. Raises `RerankerError` where it cannot be loaded and
        `RerankerSelfTestError` where it does not score as it must.
        """
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        dtype = dtype or ("float32" if device == "cpu" else "bfloat16")
        if dtype not in DTYPES:
            raise RerankerError(f"Expected a dtype of {', '.join(DTYPES)}; got '{dtype}'.")
        if max_length < LEAST_LENGTH:
            raise RerankerError(
                f"Expected a max_length of {LEAST_LENGTH} or more, got {max_length}: no text would fit."
            )
        model, prompt = _load(str(name), revision, device, DTYPES[dtype])
        pairs = known_pairs(str(name))
        plain: list[float] = []
        if self_test:
            check_prompt(prompt)
            plain = plain_log_odds(model, prompt, pairs)
        reranker = cls(model, prompt, revision=_revision(model, name), max_length=max_length)
        if self_test:
            found = reranker.logits(pairs.query, pairs.documents, pairs.instruction)
            check_engine(plain, found, dtype)
            check_scores(pairs, found, dtype)
            reranker.self_test = SelfTest(pairs, tuple(found))
        return reranker

    def logits(self, query: str, documents: Sequence[str], instruction: str | None = None) -> list[float]:
        """The log-odds of "yes" against "no" for each document, in the order given; `[]` for no documents.

        Raises `UsageError` for a query that leaves no room for a document, `RerankerMemoryError` where not even one
        pair fits on the device, `RerankerError` for scores that are no numbers.
        """
        return self._log_odds([(query, documents, instruction)])[0]

    def score(self, query: str, documents: Sequence[str], *, instruction: str | None = None) -> list[float]:
        """The probability from 0 to 1 that each document meets the instruction, in the order given; see `logits`."""
        return self.score_many([(query, documents, instruction)])[0]

    def score_many(self, requests: Sequence[Request]) -> list[list[float]]:
        """The scores of several queries, each with its documents, computed in shared forward passes."""
        return [[_sigmoid(value) for value in values] for values in self._log_odds(requests)]

    def score_within(
        self, query: str, documents: Sequence[str], budget_ms: float, *, instruction: str | None = None
    ) -> list[float]:
        """The scores of the first documents, as many as could be computed in `budget_ms`; the length says how many.

        Documents are taken in the order given. The last forward pass may overrun, by about one document.
        """
        deadline = time.perf_counter() + budget_ms / 1000
        return [_sigmoid(value) for value in self._log_odds([(query, documents, instruction)], deadline)[0]]

    def score_in_rows(
        self, query: str, documents: Sequence[str], row_tokens: int, *, instruction: str | None = None
    ) -> list[float]:
        """As `score`, with forward passes of at most `row_tokens` new tokens: less memory, but slower where small."""
        return [
            _sigmoid(value) for value in self._log_odds([(query, documents, instruction)], row_tokens=row_tokens)[0]
        ]

    def token_counts(
        self, query: str, documents: Sequence[str], *, instruction: str | None = None
    ) -> list[tuple[int, int]]:
        """The tokens of each document, and how many of them fit into the prompt: its end is cut off."""
        head = self.prompt.head(DEFAULT_INSTRUCTION if instruction is None else instruction, query)
        room = self._room(head)
        return [(count, min(count, room)) for count in self.prompt.lengths(documents)]

    def _log_odds(
        self, requests: Sequence[Request], deadline: float = math.inf, row_tokens: int | None = None
    ) -> list[list[float]]:
        """Log-odds a request; those that were not computed before the deadline are missing at the end."""
        keys: list[list[bytes]] = []
        heads: list[list[int]] = []
        pairs: list[_Pair] = []
        known: dict[bytes, float] = {}
        for number, (query, documents, instruction) in enumerate(requests):
            if isinstance(documents, str):
                raise TypeError("Expected a sequence of documents, got one string. Put it into a list.")
            instruction = DEFAULT_INSTRUCTION if instruction is None else instruction
            keys.append(self._cache.keys(instruction, query, documents))
            known.update(self._cache.lookup(keys[-1]))
            missing = {key: text for key, text in zip(keys[-1], documents, strict=True) if key not in known}
            heads.append(self.prompt.head(instruction, query))
            tails = self.prompt.tails(list(missing.values()), self._room(heads[-1]))
            pairs.extend(_Pair(number, tail, key) for tail, key in zip(tails, missing, strict=True))
        for key, value in self._computed(heads, pairs, deadline, row_tokens or self.row_tokens):
            self._cache.put(key, value)
            known[key] = value
        return [[known[key] for key in takewhile(known.__contains__, row)] for row in keys]

    def _room(self, head: list[int]) -> int:
        """How many tokens of a document fit behind this head."""
        room: int = self.max_length - len(head) - len(self.prompt.suffix)
        if room < 1:
            raise UsageError(
                f"Query and instruction take {len(head)} tokens and the end of the prompt {len(self.prompt.suffix)}; "
                f"with max_length {self.max_length} no token of a document fits. Shorten them or raise max_length."
            )
        return room

    def _computed(
        self, heads: Sequence[list[int]], pairs: Sequence[_Pair], deadline: float, row_tokens: int
    ) -> Iterator[tuple[bytes, float]]:
        """Key and log-odds of each pair in order, row by row; out of memory, rows are made smaller from then on."""
        cached: dict[int, Head] = {}
        done = 0
        with self._lock, torch.inference_mode():
            while done < len(pairs) and time.perf_counter() < deadline:
                waiting = pairs[done:]
                row = waiting[: take(_costs(waiting, heads), self._row_budget(deadline, row_tokens))]
                try:
                    values = self._timed_row(row, heads, cached)
                except torch.OutOfMemoryError as error:
                    cached.clear()
                    self._shrink(row, heads, error)
                    continue
                done += len(row)
                yield from zip((pair.key for pair in row), values, strict=True)

    def _row_budget(self, deadline: float, row_tokens: int) -> float:
        """The tokens of the next row: what fits into the time that is left, at the pace of the row before."""
        most = min(row_tokens, self.row_tokens)
        if deadline == math.inf:
            return most
        pace = self._tokens_a_second or 0.0
        return min(most, pace * (deadline - time.perf_counter()))

    def _timed_row(self, row: Sequence[_Pair], heads: Sequence[list[int]], cached: dict[int, Head]) -> list[float]:
        started = time.perf_counter()
        values = self._score_row(row, heads, cached)
        self._tokens_a_second = sum(len(pair.tail) for pair in row) / (time.perf_counter() - started)
        if not all(map(math.isfinite, values)):
            raise RerankerError(
                f"The reranker gave scores that are no numbers in {self._answer.dtype} over {self._backbone.dtype}. "
                "float16 overflows with some models: use bfloat16 or float32."
            )
        return values

    def _score_row(self, row: Sequence[_Pair], heads: Sequence[list[int]], cached: dict[int, Head]) -> list[float]:
        """Log-odds of pairs whose heads are computed where they are not `cached`; only the last one stays there."""
        requests = list(dict.fromkeys(pair.request for pair in row))
        missing = [request for request in requests if request not in cached]
        if missing:
            lengths = [len(heads[request]) for request in missing]
            computed = self._packed_row(lay_out(lengths, [0] * len(lengths), [0]), ())
            self._forward([heads[request] for request in missing], computed)
            cached.update(zip(missing, computed.as_heads(), strict=True))
        used = [cached[request] for request in requests]
        layout = lay_out(
            [len(pair.tail) for pair in row],
            [requests.index(pair.request) for pair in row],
            [head.length for head in used],
        )
        hidden = self._forward([pair.tail for pair in row], self._packed_row(layout, used))
        for request in requests[:-1]:
            del cached[request]
        values: list[float] = (hidden.to(self._answer.dtype) @ self._answer).tolist()
        return values

    def _packed_row(self, layout: Layout, heads: Sequence[Head]) -> PackedRow:
        return PackedRow(layout, heads, self.kernel, self.device)

    def _forward(self, sequences: Sequence[list[int]], row: PackedRow) -> Tensor:
        """`[n, hidden]`: the final state of each sequence's last token."""
        ids = torch.tensor([list(chain.from_iterable(sequences))], device=self.device)
        hidden: Tensor = self._backbone(
            input_ids=ids, position_ids=row.positions[None], use_cache=False, packed=row
        ).last_hidden_state[0]
        return hidden if self._pruned else hidden[row.last]

    def _shrink(self, row: Sequence[_Pair], heads: Sequence[list[int]], error: torch.OutOfMemoryError) -> None:
        tokens = sum(_costs(row, heads))
        if len(row) == 1:
            raise RerankerMemoryError(
                f"One pair of {tokens:,} tokens does not fit into the memory of {self.device} "
                f"({first_line(error)}). Lower max_length (now {self.max_length:,}), take a smaller model, or "
                "free the device."
            ) from error
        self.row_tokens = max(1, min(self.row_tokens, tokens) // 2)
        logger.warning("Out of memory with a row of %d tokens; rows have at most %d now.", tokens, self.row_tokens)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


class LastLayer(nn.Module):
    """The last decoder layer, for the last token of each sequence: what follows attention is not computed for others.

    Attention itself needs the keys and values of all tokens.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer: Any = layer

    def forward(self, hidden_states: Tensor, *, packed: PackedRow, **kwargs: Any) -> Tensor:
        """`[1, t, hidden]` -> `[1, n, hidden]`."""
        layer = self.layer
        attended, _ = layer.self_attn(hidden_states=layer.input_layernorm(hidden_states), packed=packed, **kwargs)
        kept: Tensor = (hidden_states + attended)[:, packed.last]
        feed_forward: Tensor = layer.mlp(layer.post_attention_layernorm(kept))
        return kept + feed_forward


def prune_last_layer(backbone: Any) -> bool:
    """Puts `LastLayer` in the place of the last layer where that is known to be right; says whether it is there."""
    if type(backbone.layers[-1]).__name__ not in PRUNABLE_LAYERS:
        return False
    backbone.layers[-1] = LastLayer(backbone.layers[-1])
    return True


def _load(name: str, revision: str | None, device: str, dtype: torch.dtype) -> tuple[Any, RerankPrompt]:
    if name.startswith((".", "/")) and not Path(name).is_dir():  # the hub would complain about the form of the name
        raise RerankerError(f"There is no folder {name}. Expected the folder of a reranker, or its name on the hub.")
    model: Any
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            name, revision=revision, dtype=dtype, use_safetensors=True, trust_remote_code=False
        )
        return model.to(torch.device(device)), RerankPrompt.build(tokenizer.backend_tokenizer)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise RerankerError(
            f"The reranker '{name}' cannot be loaded: {first_line(error)} Expected the name of a model on the "
            "hub, or a folder with config.json, tokenizer.json and safetensors of a causal language model."
        ) from error


def _revision(model: Any, name: str | Path) -> str:
    """What tells these weights from others: the hub's commit, or names, sizes and times of the weight files."""
    commit = getattr(model.config, "_commit_hash", None)
    if commit:
        return f"{name}@{commit}"
    states = [(path.name, path.stat()) for path in sorted(Path(name).glob("*.safetensors"))]
    return f"{name} {[(file, state.st_size, state.st_mtime_ns) for file, state in states]}"


def _fastest_kernel(model: Any) -> Kernel:
    if model.device.type != "cuda" or model.dtype not in (torch.bfloat16, torch.float16):
        return sdpa_attention
    config = model.config
    heads = config.num_attention_heads
    dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    like = torch.empty(0, device=model.device, dtype=model.dtype)
    return choose_kernel(varlen_attention, heads, config.num_key_value_heads, dim, like)


def _costs(pairs: Sequence[_Pair], heads: Sequence[list[int]]) -> list[int]:
    """The tokens of each pair in a row; the first of each request brings its head."""
    before = [None, *(pair.request for pair in pairs)]
    return [
        len(pair.tail) + (len(heads[pair.request]) if pair.request != last else 0)
        for pair, last in zip(pairs, before, strict=False)
    ]


def _sigmoid(value: float) -> float:
    """In double precision, and without overflow at either end."""
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
