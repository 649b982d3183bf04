"""Words as the keyword index stores them and as questions are compared."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.segmentation import STOP_WORDS, cjk_bigrams, fold, identifiers, is_cjk, segment


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Drain the Oil.", ["drain", "the", "oil"]),
        ("HP-40", ["hp-40", "hp", "40"]),
        ("E07", ["e07", "e", "07"]),
        ("M12x1.75", ["m12x1.75", "m", "12", "x", "1.75"]),
        ("12.3(b)", ["12.3(b)", "12.3", "b"]),
        ("3.5 bar", ["3.5", "bar"]),
        ("the Seller's duty", ["the", "seller", "duty"]),
        ("10,000 hours", ["10000", "hours"]),
        ("snake_case", ["snake_case", "snake", "case"]),
        ("油温", ["油温"]),
        ("油", ["油"]),
        ("液压机HP-40", ["液压", "压机", "液压机", "hp-40", "hp", "40"]),
        ("", []),
        ("… — !", []),
    ],
)
def test_words_of_a_text(text: str, words: list[str]) -> None:
    assert segment(text) == words


@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("HP 40", "the HP-40 press"),
        ("e07", "Fault E07"),
        ("Ｅ０７", "Fault E07"),
        ("cafe", "Café"),
        ("seller’s", "Seller"),
        ("违约金", "违约金为合同总价的百分之五"),
        ("总价", "违约金为合同总价的百分之五"),
        ("1200", "1,200 hours"),
    ],
)
def test_a_question_shares_all_its_words_with_what_it_means(question: str, document: str) -> None:
    assert set(segment(question)) <= set(segment(document))


def test_folding_keeps_japanese_voicing_marks() -> None:
    assert fold("ガス") == "ガス"
    assert fold("が") != fold("か")


@given(st.text(max_size=200))
def test_folding_is_stable(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@settings(deadline=None)
@given(st.text(st.characters() | st.sampled_from("甲乙E07-.(b)'_ ，"), max_size=100))
def test_any_text_gives_words_without_space(text: str) -> None:
    """Tantivy splits the words again at spaces: one with a space inside would never be found."""
    assert all(word and not any(character.isspace() for character in word) for word in segment(text))


def test_bigrams_overlap_and_single_characters_stand_alone() -> None:
    assert cjk_bigrams("油温高, 油 and oil") == ["油温", "温高", "油"]


def test_cjk_is_told_from_latin() -> None:
    assert is_cjk("oil 油")
    assert is_cjk("オイル")
    assert not is_cjk("oil, Öl, huile")


def test_identifiers_are_the_words_with_digits_once_each() -> None:
    text = "On the HP-40, E07 and e07's remedy are in 12.3(b), not 10,000 pages away."

    assert identifiers(text) == ["hp-40", "e07", "12.3(b)", "10000"]


def test_stop_words_are_folded_words() -> None:
    assert all(fold(word) == word for word in STOP_WORDS)
    assert {"the", "如何"} <= STOP_WORDS
