"""Ranking metrics of one query, over the relevance grades of its ranked items. trec_eval's definitions, as in ranx."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

Metric = Callable[[Sequence[float], Sequence[float]], float]
"""From the grades of the ranked items, best rank first (0: not relevant), and the grades of all relevant items."""


def ndcg(ranked: Sequence[float], relevant: Sequence[float], *, k: int) -> float:
    """Normalised discounted cumulative gain: gain = grade, discount = log2(rank + 1) (Järvelin and Kekäläinen 2002).

    The gain is linear, as in trec_eval and ranx's `ndcg`; ranx's `ndcg_burges` has 2^grade - 1.
    """
    ideal = _dcg(sorted(relevant, reverse=True)[:k])
    return _dcg(ranked[:k]) / ideal if ideal else 0.0


def hit(ranked: Sequence[float], relevant: Sequence[float], *, k: int) -> float:
    """1 when a relevant item is among the first k, else 0."""
    return float(any(grade > 0 for grade in ranked[:k]))


def reciprocal_rank(ranked: Sequence[float], relevant: Sequence[float], *, k: int) -> float:
    """1 / rank of the first relevant item among the first k, else 0."""
    return next((1.0 / rank for rank, grade in enumerate(ranked[:k], start=1) if grade > 0), 0.0)


def recall(ranked: Sequence[float], relevant: Sequence[float], *, k: int) -> float:
    """The share of all relevant items that is among the first k."""
    total = sum(grade > 0 for grade in relevant)
    return sum(grade > 0 for grade in ranked[:k]) / total if total else 0.0


def _dcg(grades: Sequence[float]) -> float:
    return sum(grade / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1))


METRICS: dict[str, Metric] = {
    "ndcg@5": partial(ndcg, k=5),
    "ndcg@10": partial(ndcg, k=10),
    "hit@1": partial(hit, k=1),
    "mrr@10": partial(reciprocal_rank, k=10),
    "recall@20": partial(recall, k=20),
}
DEPTH = 20
"""No metric looks further down than this."""
