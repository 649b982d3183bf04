"""Marks: every way models write them, and none left that points nowhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_app.marks import clean_marks, find_marks

ANSWERS = st.text(alphabet=st.sampled_from("[]【】［］()0123459,-–~^` \nab。."), max_size=80)


def cleaned(text: str, passage_count: int = 3) -> str:
    return "".join(clean_marks([text], passage_count))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("It is 45 Nm [1].", "It is 45 Nm [1].", id="plain"),
        pytest.param("A [1, 2]; B [1][3]", "A [1][2]; B [1][3]", id="lists"),
        pytest.param("A [1-3], B [2–3]", "A [1][2][3], B [2][3]", id="ranges"),
        pytest.param("A【2】 B［1］ C [[3]] D [^1]", "A[2] B[1] C [3] D [1]", id="other brackets"),
        pytest.param("A [0]. B [4] C [1, 9]", "A. B C [1]", id="no such passage"),
        pytest.param("45 Nm[1]", "45 Nm[1]", id="directly after a word"),
        pytest.param("[see 4] [2024] [a] [-1]", "[see 4] [2024] [a] [-1]", id="other text in brackets"),
        pytest.param("`a[9]` and\n```\nb[0]\n```\n[9]", "`a[9]` and\n```\nb[0]\n```\n", id="code"),
        pytest.param("[1](http://example.org)", "[1] (http://example.org)", id="no link is formed"),
        pytest.param("[7[9]]", "7", id="no mark is formed by removing one"),
        pytest.param("[1-999999]", "[1-999999]", id="too long for a mark"),
    ],
)
def test_marks_are_rewritten_to_one_form(written: str, expected: str) -> None:
    assert cleaned(written) == expected


@given(ANSWERS, st.integers(0, 5))
def test_every_surviving_mark_points_to_a_passage(text: str, passage_count: int) -> None:
    assert all(1 <= mark.number <= passage_count for mark in find_marks(cleaned(text, passage_count)))


@given(st.lists(ANSWERS | st.text(max_size=5), max_size=8), st.integers(0, 5))
def test_the_cut_into_pieces_changes_nothing(pieces: list[str], passage_count: int) -> None:
    whole = "".join(pieces)

    assert "".join(clean_marks(pieces, passage_count)) == cleaned(whole, passage_count)
    assert "".join(clean_marks(list(whole), passage_count)) == cleaned(whole, passage_count)


def test_text_streams_before_its_end() -> None:
    pieces = iter(["The torque ", "is 45 Nm "])

    assert next(clean_marks(pieces, 3)) == "The torque"


def test_marks_are_found_where_they_stand() -> None:
    text = "A [1] `[2]` B [3]"

    assert [text[mark.start : mark.end] for mark in find_marks(text)] == ["[1]", "[3]"]
