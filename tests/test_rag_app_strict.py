"""Strict answers: a reader sees no sentence that is dropped afterwards."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_app.answer import Statement
from rag_app.citations import Checked
from rag_app.claims import Unit, units
from rag_app.strict import Sieve

ANSWERS = st.text(alphabet=st.sampled_from("[12]. aBx45\n|-#:?*三日。"), max_size=80)


def check(unit: Unit) -> Checked:
    """Supported unless it says "x" or lacks a mark."""
    numbers = tuple(number for claim in unit.claims for number in claim.numbers)
    wrong = not all(claim.numbers for claim in unit.claims) or any("x" in claim.words for claim in unit.claims)
    return Checked(Statement(unit.start, unit.end, numbers, "unsupported" if wrong else "verified"), ())


def sifted(text: str) -> str:
    return "".join(Sieve(check).supported([text]))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(
            "Ann is big [1]. Cat is wax [1]. Dog is eel [2].", "Ann is big [1]. Dog is eel [2].", id="in the middle"
        ),
        pytest.param("Cat is wax [1]. Dog is eel [2].", "Dog is eel [2].", id="at the beginning"),
        pytest.param(
            "Ann is big [1].\n\nCat is wax. Dog is eel [2].",
            "Ann is big [1].\n\nDog is eel [2].",
            id="the paragraph stays",
        ),
        pytest.param("Do this:\n- sand big [1].\n- cold wax [1].", "Do this:\n- sand big [1].", id="a list item"),
        pytest.param("Do this:\n- cold wax [1].\n- sand big [1].", "Do this:\n- sand big [1].", id="its first item"),
        pytest.param("Ann is big [1].\n\nDo this:\n- cold wax [1].", "Ann is big [1].", id="a lead-in to nothing"),
        pytest.param("# One\ncold wax [1].\n# Two\nsand big [1].", "# Two\nsand big [1].", id="a heading over nothing"),
        pytest.param("| a | b |\n|---|---|\n| c | x |\n\n[1]\n\nAnn is big [1].", "Ann is big [1].", id="a table"),
        pytest.param("Ann is big. [1] Cat is wax. [2]", "Ann is big. [1]", id="marks behind the full stop"),
        pytest.param("Cat is wax [1].", "", id="nothing left"),
    ],
)
def test_what_is_unsupported_is_left_out(answer: str, expected: str) -> None:
    assert sifted(answer) == expected


def test_a_sentence_streams_before_the_answer_ends() -> None:
    pieces = iter(["Ann is big [1]", ". Next", " comes", " wax."])

    assert next(Sieve(check).supported(pieces)) == "Ann is big [1]."


@settings(deadline=None)  # the first call loads the dictionary of Chinese words
@given(ANSWERS, st.lists(st.integers(0, 80), max_size=8))
def test_what_is_streamed_is_the_text_and_holds_no_unsupported_statement(text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    sieve = Sieve(check)
    streamed = "".join(sieve.supported([text[a:b] for a, b in pairwise(places)]))

    assert streamed == sieve.text
    assert "x" not in streamed
    for one in sieve.checked:
        assert one.statement.state == "verified"
        assert streamed[one.statement.start : one.statement.end] in text


@settings(deadline=None)
@given(ANSWERS)
def test_what_is_supported_throughout_stays_whole(text: str) -> None:
    found = [unit for unit in units(text) if unit.claims]
    if all(check(unit).statement.state == "verified" for unit in found) and found:
        assert sifted(text).split() == text[: found[-1].end].split()
