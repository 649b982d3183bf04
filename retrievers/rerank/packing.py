"""Sequences side by side in one row, without padding.

Every sequence is a tail that continues a head, and sees its head and itself:

    row        | tail 0 | tail 1 |    tail 2    |         one row of new tokens, positions continue the head's
    keys       | head 0 tail 0 | head 0 tail 1 | head 1 tail 2 |

`take` says how many sequences the next row holds, `lay_out` where everything stands. Numbers only; no model here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the `n` sequences of a row of `t` new tokens stand, over heads that are laid end to end before it.

    positions     `[t]` of each new token in its own sequence, the head included
    query_bounds  `[n + 1]` first new token of each sequence, then `t`
    key_bounds    `[n + 1]` the same for its keys: those of its head, then its own
    key_index     `[keys]` where each key lies in heads and row laid end to end
    """

    positions: Ints
    query_bounds: Ints
    key_bounds: Ints
    key_index: Ints

    @property
    def last(self) -> Ints:
        """`[n]` the place of each sequence's last token in the row."""
        return self.query_bounds[1:] - 1


def take(lengths: Sequence[int], budget: float) -> int:
    """How many of the first sequences fit into a row of `budget` tokens; at least one, however long it is."""
    total = 0
    for count, length in enumerate(lengths):
        total += length
        if total > budget and count:
            return count
    return len(lengths)


def lay_out(lengths: Sequence[int], head_of: Sequence[int], head_lengths: Sequence[int]) -> Layout:
    """The layout of sequences with so many new tokens each, of which number i continues head `head_of[i]`."""
    head_bounds = _bounds(head_lengths)
    query_bounds = _bounds(lengths)
    before = [head_lengths[head] for head in head_of]
    parts: list[Ints] = []
    for length, head, start in zip(lengths, head_of, query_bounds[:-1] + head_bounds[-1], strict=True):
        parts.append(np.arange(head_bounds[head], head_bounds[head + 1]))
        parts.append(np.arange(start, start + length))
    positions = [np.arange(past, past + length) for past, length in zip(before, lengths, strict=True)]
    return Layout(
        np.concatenate(positions),
        query_bounds,
        _bounds([past + length for past, length in zip(before, lengths, strict=True)]),
        np.concatenate(parts),
    )


def _bounds(lengths: Sequence[int]) -> Ints:
    return np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
