"""The gate: a wrong sister model, an unknown code and words the documents lack are not answered."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_app.answer import Passage
from rag_app.gate import THRESHOLD, coverage, evidence, missing, refusal

PASSAGE = Passage(
    number=1,
    text="Tighten the ram bolts to a torque of 45 Nm. Fault E07 means low oil. Check the oil every 500 hours.",
    source="hp40.pdf",
    title="HP-40 manual",
    page=19,
    page_label="17",
    section="4.3 Hydraulics",
    document_id="d",
    chunk_id="c",
    score=0.7,
    retrieval_score=0.03,
    retrieval_rank=1,
)


def equal(word: str) -> float:
    return 1.0


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        pytest.param("What torque for the ram bolts of the HP-40?", True, id="right model"),
        pytest.param("What torque for the ram bolts of the HP 40?", True, id="spaced model"),
        pytest.param("What torque for the ram bolts of the HP-60?", False, id="sister model"),
        pytest.param("What does fault E07 mean?", True, id="known code"),
        pytest.param("What does fault E09 mean?", False, id="unknown code"),
        pytest.param("Which warranty covers paint damage by seawater?", False, id="other subject"),
        pytest.param("Which oil check interval in hours?", True, id="partly covered"),
    ],
)
def test_the_gate_opens_for_what_the_passage_speaks_of(question: str, answered: bool) -> None:
    # A reranker's score falls with the words; three quarters of the way is a typical good one.
    score = 0.7 if coverage(question, PASSAGE, equal) > 0.4 else 0.45

    assert (evidence(question, [PASSAGE], [score], equal) >= THRESHOLD) is answered


def test_codes_must_stand_together_in_one_passage() -> None:
    other = replace(PASSAGE, number=2, title="HP-60 manual", source="hp60.pdf", text="The HP-60 has two rams.")

    assert evidence("What does fault E07 of the HP-60 mean?", [PASSAGE, other], [0.7, 0.7], equal) < THRESHOLD


def test_what_is_missing_is_named() -> None:
    assert missing("Is “cross pattern” used on the HP-60 after 800 hours?", PASSAGE) == (
        ["hp-60", "cross pattern"],
        ["800"],
    )


def test_rare_words_weigh_more() -> None:
    def rarity(word: str) -> float:
        return 5.0 if word.startswith("warrant") else 1.0

    assert coverage("oil warranty", PASSAGE, rarity) < coverage("oil warranty", PASSAGE, equal)


def test_no_passages_is_no_evidence() -> None:
    assert evidence("torque?", [], [], equal) == 0.0


def test_a_refusal_shows_the_nearest_passages_in_the_language_of_the_question() -> None:
    assert refusal("Which colour?", [PASSAGE]).endswith("- HP-40 manual, p. 17, 4.3 Hydraulics [1]")
    assert refusal("什么颜色？", [PASSAGE]).startswith("这些文档似乎没有回答这个问题。")
    assert "add some first" in refusal("Which colour?", [])


@settings(deadline=None)  # the first call loads the dictionary of Chinese words
@given(st.text(), st.floats(-10, 10), st.text())
def test_evidence_is_between_zero_and_one(question: str, score: float, text: str) -> None:
    assert 0.0 <= evidence(question, [replace(PASSAGE, text=text)], [score], equal) <= 1.0
