"""Codes, figures and units: what may not differ between a question, an answer and a passage."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.segmentation import fold
from rag_app.words import Quantity, codes, content_words, has_code, language, quantities, stem, units


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What torque for the HP-40?", ["hp-40"]),
        ("故障 E07 的原因", ["e07"]),
        ("clause 12.3(b) and section 7", ["12.3(b)", "7"]),
        ("the HP 60 press", ["hp 60"]),
        ("pay USD 500 within 30 days at 45Nm", []),
        ("thread M12x1.75", ["m12x1.75"]),
    ],
)
def test_codes_name_models_faults_parts_and_clauses(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


@pytest.mark.parametrize(
    ("code", "text", "found"),
    [
        ("hp-60", "hp60_manual.pdf", True),
        ("hp-60", "The HP 60 press", True),
        ("hp-60", "The HP-600 press", False),
        ("hp-60", "The HP-40 press has 60 bolts", False),
        ("12.3(b)", "12.3 Delays\n(b) The buyer may", True),
        ("12.3(b)", "12.3 Delays\n(a) The buyer may", False),
        ("e07", "Fault code E07: low oil", True),
        ("e07", "故障代码E07表示", True),
    ],
)
def test_a_code_is_found_however_it_is_spaced(code: str, text: str, found: bool) -> None:
    assert has_code(code, fold(text)) is found


def test_quantities_carry_their_units() -> None:
    assert quantities("45 N·m, 1,500 rpm, thirty (30) business days, HP-40, 三十日") == [
        Quantity("45", "nm"),
        Quantity("1500", "rpm"),
        Quantity("30", ""),
        Quantity("30", "business day"),
        Quantity("30", "天"),
    ]


def test_units_stand_in_the_head_of_a_column() -> None:
    assert units("| Bolt | Torque (Nm) |") == {"nm"}


def test_chinese_is_told_from_english_with_chinese_names() -> None:
    assert language("HP-40 的扭矩是多少？") == "zh"
    assert language("What does the label 危险 on the HP-40 hydraulic press mean?") == "en"
    assert language("") == "en"


def test_forms_of_a_word_meet() -> None:
    assert stem("bolts") == stem("bolt")
    assert stem("tightened") == stem("tighten")
    assert "bolt" in content_words("Which bolts?")


@settings(deadline=None)  # the first call loads the dictionary of Chinese words
@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert all(has_code(code, fold(text)) or "(" in code or " " in code for code in codes(text))
    quantities(text)
    units(text)
    content_words(text)
