"""Reciprocal rank fusion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrievers.fusion import reciprocal_rank_fusion

rankings = st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), max_size=4)


def test_scores_are_sums_of_reciprocal_ranks() -> None:
    fused = dict(reciprocal_rank_fusion([["a", "b"], ["b"]], constant=60))

    assert fused == pytest.approx({"b": 1 / 62 + 1 / 61, "a": 1 / 61})


def test_ties_keep_the_order_of_appearance() -> None:
    assert [item for item, _ in reciprocal_rank_fusion([["a"], ["b"]])] == ["a", "b"]


@given(rankings)
def test_every_item_comes_once_best_first(given_rankings: list[list[str]]) -> None:
    fused = reciprocal_rank_fusion(given_rankings)
    scores = [score for _, score in fused]

    assert {item for item, _ in fused} == {item for ranking in given_rankings for item in ranking}
    assert len(fused) == len({item for item, _ in fused})
    assert scores == sorted(scores, reverse=True)


@given(st.lists(st.sampled_from("abcdefgh"), unique=True))
def test_one_ranking_keeps_its_order(ranking: list[str]) -> None:
    assert [item for item, _ in reciprocal_rank_fusion([ranking])] == ranking
