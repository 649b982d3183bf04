"""What a yes-or-no reranker must show before it may rank.

A wrong template, a wrong answer token or a broken kernel still gives numbers between 0 and 1. So a loaded reranker is
asked about known pairs, and refused when a check fails:

1. the prompt's own tokens are those that the model was trained with;
2. the engine gives the log-odds of the model's own plain forward pass;
3. the pairs come out with the known log-odds, or where none are known, in order and in range.

The folder of a checkpoint may bring its own known pairs in a file `rerank_self_test.json`:
`{"query": ..., "documents": [...], "instruction": ..., "log_odds": [...]}`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from retrievers.rerank.errors import RerankerSelfTestError
from retrievers.rerank.prompt import DEFAULT_INSTRUCTION, RerankPrompt

SELF_TEST_FILE = "rerank_self_test.json"

QWEN_USER_TURN = 151644
"""`<|im_start|>` in the vocabulary of Qwen3, which begins every prompt."""
QWEN_PREFIX_LENGTH = 39
QWEN_SUFFIX = (151645, 198, 151644, 77091, 198, 151667, 271, 151668, 271)
QWEN_YES, QWEN_NO = 9693, 2152

ENGINE_TOLERANCE = {"float64": 1e-6, "float32": 2e-2, "float16": 0.25, "bfloat16": 1.5}
"""How far log-odds may lie from the plain forward pass: rounding, far below what a wrong computation gives."""

ANCHOR_TOLERANCE = {"float64": 1e-2, "float32": 2e-2, "float16": 0.1, "bfloat16": 0.75}
"""How far log-odds may lie from those known, which were computed in float32."""


@dataclass(frozen=True, slots=True)
class KnownPairs:
    """A query and documents, and their log-odds where these are known."""

    query: str
    documents: tuple[str, ...]
    instruction: str
    log_odds: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class SelfTest:
    """A test that was passed: what was asked, and the log-odds that the reranker gave each document."""

    pairs: KnownPairs
    log_odds: tuple[float, ...]


RED_PLANET = KnownPairs(
    "Which planet is known as the Red Planet?",
    (
        "Venus is often called Earth's twin because of its similar size and proximity.",
        "Mars, known for its reddish appearance, is often referred to as the Red Planet.",
        "Jupiter, the largest planet in our solar system, has a prominent red spot.",
        "Saturn, famous for its rings, is sometimes mistaken for the Red Planet.",
    ),
    DEFAULT_INSTRUCTION,
    None,
)
RIGHT, WRONG = 1, 0
"""The places of the document that answers and of the one that has nothing to do with the question."""

LOG_ODDS = {
    # float32, from the tests of sentence-transformers 6
    "Qwen/Qwen3-Reranker-0.6B": (-3.1092978, 7.1203899, -0.3787546, 3.5416374),
}


def known_pairs(name: str) -> KnownPairs:
    """The pairs that a checkpoint brings along, or those of the Red Planet. Raises `RerankerSelfTestError`."""
    path = Path(name) / SELF_TEST_FILE
    if not path.is_file():
        return KnownPairs(RED_PLANET.query, RED_PLANET.documents, RED_PLANET.instruction, LOG_ODDS.get(name))
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        pairs = KnownPairs(
            str(known["query"]),
            tuple(str(document) for document in known["documents"]),
            str(known["instruction"]),
            tuple(float(value) for value in known["log_odds"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RerankerSelfTestError(
            f"{path} cannot be read ({error!r}). Expected query, documents, instruction and log_odds."
        ) from error
    if not pairs.documents or len(pairs.documents) != len(pairs.log_odds or ()):
        raise RerankerSelfTestError(f"{path} must hold one of log_odds for each of its documents, at least one.")
    return pairs


def check_prompt(prompt: RerankPrompt) -> None:
    """Raises `RerankerSelfTestError` where a Qwen3 tokenizer gives other ids than the model was trained with.

    Tokenizers of other families have their own ids and pass.
    """
    if prompt.prefix[0] != QWEN_USER_TURN:
        return
    expected = (QWEN_PREFIX_LENGTH, QWEN_SUFFIX, QWEN_YES, QWEN_NO)
    found = (len(prompt.prefix), prompt.suffix, prompt.yes, prompt.no)
    if found != expected:
        raise RerankerSelfTestError(
            f"The reranker's prompt is not the one its model was trained with: expected prefix length, suffix, yes and "
            f"no {expected}, got {found}. The scores would mean nothing; check the tokenizer files."
        )


def check_engine(plain: Sequence[float], found: Sequence[float], dtype: str) -> None:
    """Raises `RerankerSelfTestError` unless the engine agrees with the plain forward pass."""
    _check_close(
        plain,
        found,
        ENGINE_TOLERANCE[dtype],
        "The packed computation differs from the model's own forward pass; this architecture cannot be used",
    )


def check_scores(pairs: KnownPairs, found: Sequence[float], dtype: str) -> None:
    """Raises `RerankerSelfTestError` unless the known pairs have their log-odds, or at least their order and side."""
    if pairs.log_odds is not None:
        _check_close(
            pairs.log_odds,
            found,
            ANCHOR_TOLERANCE[dtype],
            "Known pairs do not have their known log-odds; the checkpoint or the prompt is not what it should be",
        )
    elif not (max(found) == found[RIGHT] > 0 > found[WRONG]):
        raise RerankerSelfTestError(
            f'Asked "{pairs.query}", the reranker gave log-odds of {_numbers(found)}; expected number '
            f"{RIGHT + 1} to be the highest and above 0, and number {WRONG + 1} below 0. This is no reranker of "
            "this kind, or its weights are damaged."
        )


def plain_log_odds(model: Any, prompt: RerankPrompt, pairs: KnownPairs) -> list[float]:
    """Log-odds by the model's own forward pass, pair by pair, as the model card computes them."""
    head = prompt.head(pairs.instruction, pairs.query)
    found = []
    with torch.inference_mode():
        for tail in prompt.tails(pairs.documents, model.config.max_position_embeddings):
            logits = model(torch.tensor([head + tail], device=model.device), use_cache=False, logits_to_keep=1).logits
            yes, no = logits[0, -1, [prompt.yes, prompt.no]].double().tolist()
            found.append(yes - no)
    return found


def _check_close(expected: Sequence[float], found: Sequence[float], tolerance: float, complaint: str) -> None:
    if not all(abs(one - other) <= tolerance for one, other in zip(expected, found, strict=True)):
        raise RerankerSelfTestError(
            f"{complaint}: expected {_numbers(expected)} within {tolerance:g}, got {_numbers(found)}."
        )


def _numbers(values: Sequence[float]) -> str:
    return "[" + ", ".join(f"{value:.4g}" for value in values) + "]"
