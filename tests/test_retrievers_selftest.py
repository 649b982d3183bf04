"""A reranker that does not score known pairs as it must is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from retrievers.rerank import prompt as prompt_module
from retrievers.rerank.attention import sdpa_attention
from retrievers.rerank.errors import RerankerSelfTestError
from retrievers.rerank.prompt import RerankPrompt
from retrievers.rerank.qwen3 import Qwen3Reranker
from retrievers.rerank.selftest import (
    RED_PLANET,
    SELF_TEST_FILE,
    check_engine,
    check_scores,
    known_pairs,
)


def test_a_checkpoint_that_gives_its_known_log_odds_is_loaded(tested_qwen3_folder: Path) -> None:
    engine = Qwen3Reranker.from_pretrained(tested_qwen3_folder, device="cpu")

    assert engine.score("What is E07?", ["Error E07"])


def test_a_template_that_is_one_newline_short_is_refused(
    tested_qwen3_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_module, "SUFFIX", prompt_module.SUFFIX.removesuffix("\n"))

    with pytest.raises(RerankerSelfTestError, match=r"prompt is not the one.*151668, 198"):
        Qwen3Reranker.from_pretrained(tested_qwen3_folder, device="cpu")


def test_a_newline_short_in_the_body_is_seen_by_the_known_log_odds(
    tested_qwen3_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def head(self: RerankPrompt, instruction: str, query: str) -> list[int]:
        return [*self.prefix, *self._encode([f"<Instruct>: {instruction}<Query>: {query}\n<Document>:"])[0]]

    monkeypatch.setattr(RerankPrompt, "head", head)

    with pytest.raises(RerankerSelfTestError, match="do not have their known log-odds"):
        Qwen3Reranker.from_pretrained(tested_qwen3_folder, device="cpu")


def test_a_computation_that_differs_from_the_plain_one_is_refused(
    tested_qwen3_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "retrievers.rerank.qwen3.sdpa_attention",
        lambda query, key, value, row, scale: sdpa_attention(query, key, value, row, 2 * scale),
    )

    with pytest.raises(RerankerSelfTestError, match="differs from the model's own forward pass"):
        Qwen3Reranker.from_pretrained(tested_qwen3_folder, device="cpu")


def test_random_weights_are_refused_with_what_was_seen(qwen3_folder: Path) -> None:
    with pytest.raises(RerankerSelfTestError, match=r'Asked "Which planet.*log-odds of \[-?\d'):
        Qwen3Reranker.from_pretrained(qwen3_folder, device="cpu")


def test_without_the_self_test_random_weights_are_loaded(qwen3_folder: Path) -> None:
    assert Qwen3Reranker.from_pretrained(qwen3_folder, device="cpu", self_test=False).score("q", ["d"])


def test_the_published_log_odds_belong_to_the_published_name() -> None:
    known = known_pairs("Qwen/Qwen3-Reranker-0.6B")

    assert known.log_odds == (-3.1092978, 7.1203899, -0.3787546, 3.5416374)
    check_scores(known, [-3.2, 7.3, -0.2, 3.4], "bfloat16")
    with pytest.raises(RerankerSelfTestError):
        check_scores(known, [-3.2, 7.3, -0.2, 3.4], "float32")


@pytest.mark.parametrize(
    ("log_odds", "passes"),
    [
        ((-3.0, 7.0, 0.0, 3.0), True),
        ((-3.0, 2.0, 0.0, 3.0), False),  # the planet that is "sometimes mistaken" stands first
        ((-3.0, -1.0, -4.0, -2.0), False),  # in order, but nothing is relevant
        ((3.0, 7.0, 0.0, 1.0), False),  # everything is
        ((float("nan"),) * 4, False),
    ],
)
def test_unknown_checkpoints_must_keep_order_and_range(log_odds: tuple[float, ...], passes: bool) -> None:
    assert known_pairs("someone/finetuned") == RED_PLANET
    if passes:
        check_scores(RED_PLANET, log_odds, "float32")
    else:
        with pytest.raises(RerankerSelfTestError):
            check_scores(RED_PLANET, log_odds, "float32")


def test_no_number_is_never_close() -> None:
    with pytest.raises(RerankerSelfTestError):
        check_engine([1.0], [float("nan")], "bfloat16")
    with pytest.raises(RerankerSelfTestError):
        check_scores(replace(RED_PLANET, log_odds=(1.0,)), [float("nan")], "float32")


@pytest.mark.parametrize(
    "content",
    ["no json", "[]", "{}", json.dumps({"query": "q", "documents": ["a", "b"], "instruction": "", "log_odds": [1]})],
)
def test_a_damaged_self_test_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / SELF_TEST_FILE).write_text(content, encoding="utf-8")

    with pytest.raises(RerankerSelfTestError, match=SELF_TEST_FILE):
        known_pairs(str(tmp_path))
