"""Rows of sequences without padding."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retrievers.rerank.packing import lay_out, take

LENGTHS = st.lists(st.integers(1, 50), min_size=1, max_size=12)


@given(lengths=LENGTHS, budget=st.integers(0, 200))
def test_a_row_is_full_but_not_over_its_budget(lengths: list[int], budget: int) -> None:
    count = take(lengths, budget)

    assert count >= 1
    assert count == 1 or sum(lengths[:count]) <= budget
    assert count == len(lengths) or sum(lengths[: count + 1]) > budget


@given(data=st.data(), lengths=LENGTHS, heads=st.lists(st.integers(1, 30), min_size=1, max_size=4))
def test_each_sequence_sees_its_head_and_itself_in_order(
    data: st.DataObject, lengths: list[int], heads: list[int]
) -> None:
    head_of = [data.draw(st.integers(0, len(heads) - 1)) for _ in lengths]

    layout = lay_out(lengths, head_of, heads)

    # What lies at each place: (owner, position in the owner's own sequence).
    held = [(("head", head), place) for head, length in enumerate(heads) for place in range(length)]
    held += [
        (("tail", tail), heads[head_of[tail]] + place) for tail, length in enumerate(lengths) for place in range(length)
    ]
    for tail, length in enumerate(lengths):
        keys = layout.key_index[layout.key_bounds[tail] : layout.key_bounds[tail + 1]]
        seen = [held[key] for key in keys]
        assert [place for _, place in seen] == list(range(heads[head_of[tail]] + length))
        assert {owner for owner, _ in seen} == {("head", head_of[tail]), ("tail", tail)}
        rows = slice(layout.query_bounds[tail], layout.query_bounds[tail + 1])
        assert list(layout.positions[rows]) == [place for owner, place in seen if owner == ("tail", tail)]
    assert list(layout.last) == list(np.cumsum(lengths) - 1)
