"""The ranking metrics: known values, bounds, and the same numbers as ranx."""

from __future__ import annotations

import random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_app.metrics import DEPTH, METRICS, hit, ndcg, recall, reciprocal_rank

RANX_NAMES = {
    "ndcg@5": "ndcg@5",
    "ndcg@10": "ndcg@10",
    "hit@1": "hit_rate@1",
    "mrr@10": "mrr@10",
    "recall@20": "recall@20",
}

Grades = dict[str, int]
grades = st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0]), max_size=30)


def scores(ranking: list[str], relevant: Grades) -> dict[str, float]:
    ranked = [relevant.get(item, 0) for item in ranking]
    return {name: metric(ranked, list(relevant.values())) for name, metric in METRICS.items()}


def random_case(seed: int) -> tuple[dict[str, Grades], dict[str, list[str]]]:
    """Graded judgements and rankings of 20 queries; some rankings are empty, some miss what is relevant."""
    draw = random.Random(seed)
    items = [f"d{number}" for number in range(40)]
    judged = {f"q{number}": {item: draw.randint(1, 4) for item in draw.sample(items, 6)} for number in range(20)}
    ranked = {query: draw.sample(items, draw.choice([0, 1, 3, 12, 40])) for query in judged}
    return judged, ranked


def test_the_metrics_are_those_of_ranx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")  # read at import; compiling takes 40 s and warns about casts
    import ranx

    for seed in range(5):
        judged, ranked = random_case(seed)
        # A query without a result is missing from the run; what is ranked first has the highest score.
        run = {
            query: {item: 1.0 / rank for rank, item in enumerate(items, 1)} for query, items in ranked.items() if items
        }

        expected = ranx.evaluate(ranx.Qrels(judged), ranx.Run(run), list(RANX_NAMES.values()), make_comparable=True)

        ours = [scores(ranked[query], judged[query]) for query in judged]
        for name, ranx_name in RANX_NAMES.items():
            assert fmean(row[name] for row in ours) == pytest.approx(expected[ranx_name], abs=1e-9), name


def test_known_values() -> None:
    ranked = [0, 2, 0, 1]
    relevant = [2, 1, 1]

    # Discounts of the ranks 1 to 4: 1, 1/1.58496, 1/2, 1/2.32193.
    assert ndcg(ranked, relevant, k=5) == pytest.approx(
        (2 / 1.58496 + 1 / 2.32193) / (2 + 1 / 1.58496 + 1 / 2), rel=1e-5
    )
    assert hit(ranked, relevant, k=1) == 0
    assert hit(ranked, relevant, k=2) == 1
    assert reciprocal_rank(ranked, relevant, k=10) == 0.5
    assert reciprocal_rank(ranked, relevant, k=1) == 0
    assert recall(ranked, relevant, k=20) == pytest.approx(2 / 3)
    assert recall(ranked, relevant, k=3) == pytest.approx(1 / 3)


@pytest.mark.parametrize("name", METRICS)
def test_nothing_ranked_and_nothing_relevant_are_zero(name: str) -> None:
    assert METRICS[name]([], [1.0]) == 0
    assert METRICS[name]([0.0], []) == 0
    assert METRICS[name]([], []) == 0


@pytest.mark.parametrize("name", METRICS)
@given(found=grades, unfound=grades)
def test_every_metric_lies_between_zero_and_one_and_is_best_for_the_ideal_ranking(
    name: str, found: list[float], unfound: list[float]
) -> None:
    metric, relevant = METRICS[name], found + unfound

    value = metric(found, relevant)
    best = metric(sorted(relevant, reverse=True), relevant)

    assert 0 <= value <= best + 1e-12
    assert best <= 1 + 1e-12


@given(found=grades, unfound=grades, tail=grades)
def test_no_metric_looks_below_its_depth(found: list[float], unfound: list[float], tail: list[float]) -> None:
    ranked = (found + [0.0] * DEPTH)[:DEPTH]
    relevant = found + unfound + tail
    for metric in METRICS.values():
        assert metric(ranked, relevant) == metric(ranked + tail, relevant)
