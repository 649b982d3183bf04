"""Several rankings as one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

RRF_CONSTANT = 60
"""Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet" (SIGIR 2009)."""


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[str]], *, constant: int = RRF_CONSTANT
) -> list[tuple[str, float]]:
    """Ids with the sum of 1 / (constant + rank) over the rankings that hold them, best first.

    Ranks count from 1. Ties keep the order in which the ids first appear.
    """
    scores: defaultdict[str, float] = defaultdict(float)
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] += 1.0 / (constant + rank)
    return sorted(scores.items(), key=lambda entry: -entry[1])
