"""Sketches of texts: revisions are found, other documents are not, and the time stays short."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.revisions import BAND_VALUES, REVISION_LIKENESS, SKETCH_VALUES, bands, held, runs_of, similarity, sketch

VOCABULARY = "seller buyer goods price shall deliver accept pay notice term party may within days after before each"
WORDS = VOCABULARY.split()


def clauses(count: int, seed: int) -> list[str]:
    drawn = random.Random(seed)
    return [f"{number}. " + " ".join(drawn.choices(WORDS, k=25)) + "." for number in range(1, count + 1)]


def share_a_band(left: str, right: str) -> bool:
    return bool(set(bands(sketch(left))) & set(bands(sketch(right))))


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_revision_is_found(share: float, language: str) -> None:
    for seed in range(20):
        old, other = clauses(80, seed), clauses(80, seed + 1000)
        if language == "zh":
            old, other = ([to_chinese(clause) for clause in text] for text in (old, other))
        changed = random.Random(seed).sample(range(80), int(share * 80))
        new = [other[place] if place in changed else clause for place, clause in enumerate(old)]

        assert similarity(sketch("\n".join(old)), sketch("\n".join(new))) >= REVISION_LIKENESS
        assert share_a_band("\n".join(old), "\n".join(new))


def to_chinese(clause: str) -> str:
    return (
        "".join(chr(0x4E00 + WORDS.index(word) * 40) + chr(0x5E00 + len(word)) for word in clause[:-1].split()[1:])
        + "。"
    )


def test_contracts_of_one_template_are_no_revisions_of_each_other() -> None:
    """A third of the clauses is common boilerplate."""
    common = clauses(20, seed=0)
    texts = ["\n".join(common + clauses(40, seed)) for seed in range(1, 12)]

    for other in texts[1:]:
        assert similarity(sketch(texts[0]), sketch(other)) < REVISION_LIKENESS


def test_the_likeness_is_the_share_of_common_runs_of_words() -> None:
    old, new = " ".join(f"w{n}" for n in range(4003)), " ".join(f"w{n}" for n in range(1000, 5003))

    assert similarity(sketch(old), sketch(new)) == pytest.approx(3000 / 5000, abs=0.13)


def test_how_much_of_a_text_another_one_holds() -> None:
    clause, others = "The buyer pays within thirty days of the invoice.", "The seller delivers in May. "

    assert held(clause, runs_of(others + clause)) == 1.0
    assert held(clause, runs_of(others)) == 0.0
    assert 0.0 < held(clause, runs_of(clause.replace("thirty", "ten"))) < 1.0
    assert held("Reserved.", runs_of(others)) == 1.0  # too short to tell


def test_spacing_case_and_punctuation_make_no_difference() -> None:
    assert similarity(sketch("The Seller, shall\npay the price."), sketch("the seller shall pay THE PRICE")) == 1.0


@pytest.mark.parametrize("text", ["", " \n", "Page 1", "甲方"])
def test_what_is_too_short_to_compare_is_like_nothing(text: str) -> None:
    assert bands(sketch(text)) == []
    assert similarity(sketch(text), sketch(text)) == 0.0


def test_short_texts_of_other_words_share_nothing() -> None:
    left, right = "See the other file please.", "This page is left blank."

    assert similarity(sketch(left), sketch(right)) == 0.0
    assert not share_a_band(left, right)


def test_sketches_are_the_same_on_every_machine() -> None:
    values = sketch("The Seller shall deliver the goods within ten days.")

    assert values.dtype == np.uint32
    assert values.shape == (SKETCH_VALUES,)
    assert values[:3].tolist() == [1076291235, 614116515, 678545692]
    assert bands(values)[0] == -6221695175469059907


@given(st.text(max_size=400), st.text(max_size=400))
def test_any_texts_can_be_compared(left: str, right: str) -> None:
    a, b = sketch(left), sketch(right)

    assert 0.0 <= similarity(a, b) == similarity(b, a) <= 1.0
    assert np.array_equal(a, sketch(left))
    assert len(bands(a)) in (0, SKETCH_VALUES // BAND_VALUES)
    assert all(-(2**63) <= key < 2**63 for key in bands(a))
