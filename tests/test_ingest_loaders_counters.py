"""Numbers as Word prints them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.loaders.counters import _LARGEST_SPELLED, COUNTERS


@pytest.mark.parametrize(
    ("style", "count", "printed"),
    [
        ("lowerLetter", 28, "bb"),
        ("upperRoman", 944, "CMXLIV"),
        ("chineseCounting", 10, "十"),
        ("chineseCounting", 21, "二十一"),
        ("chineseCounting", 110, "一百一十"),
        ("chineseCounting", 305, "三百零五"),
    ],
)
def test_numbers_are_spelled_as_word_prints_them(style: str, count: int, printed: str) -> None:
    assert COUNTERS[style](count) == printed


@given(counts=st.lists(st.integers(1, _LARGEST_SPELLED), min_size=2, max_size=2, unique=True))
def test_no_two_counts_print_the_same(counts: list[int]) -> None:
    assert all(len({spell(count) for count in counts}) == 2 for style, spell in COUNTERS.items() if style != "none")
