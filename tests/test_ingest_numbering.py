"""Clause numbers and headings, as manuals and contracts print them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.numbering import begins_with_signal_word, clause_number, is_heading_line


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("4.3 Hydraulics", "4.3"),
        ("12.3(b) The Supplier shall deliver", "12.3(b)"),
        ("12.3 (b)(ii) The Supplier", "12.3 (b)(ii)"),
        ("Article IV Termination", "Article IV"),
        ("Section 2.1 Grant", "Section 2.1"),
        ("第十二条 违约责任", "第十二条"),
        ("7. Payment is due", "7"),
        ("1.3The parties", "1.3"),
        ("1.1甲方应在十日内付款", "1.1"),
    ],
)
def test_a_number_is_read_as_it_is_printed(line: str, number: str) -> None:
    assert clause_number(line) == number


@pytest.mark.parametrize(
    "line",
    [
        "(b) the Buyer",
        "• a bullet",
        "3.5毫米的间隙",
        "3.3Vdc supply",
        "5 bolts are needed.",
        "2025 was a year",
        "",
        "IV",
    ],
)
def test_what_numbers_no_clause_has_no_number(line: str) -> None:
    assert clause_number(line) is None


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("4 Operation", 1),
        ("4.0 Operation", 1),
        ("4.3 Hydraulics", 2),
        ("4.3.2 Changing the filter", 3),
        ("ARTICLE V TERMINATION", 1),
        ("Exhibit 10.17", 1),
        ("Section 2.1", 3),
        ("2. LICENSE.", 1),
        ("2.5 Sale of Goods.", 2),
        ("TERMS AND CONDITIONS", 1),
        ("第三章 质量保证", 2),
        ("第十二条 违约责任", 4),
        ("三、付款方式", 2),
    ],
)
def test_a_title_is_a_heading_of_its_depth(line: str, level: int) -> None:
    assert is_heading_line(line) == level


@pytest.mark.parametrize(
    "line",
    [
        "5 bolts are needed.",
        "3. Drain the oil.",
        "12.3 The Supplier shall deliver the Goods",
        "4.3 Hydraulics ........ 17",
        "WARNING",
        "SAID REPLACEMENT IS THE ONLY REMEDY.",
        "第十二条 甲方应当在收到货物之日起十日内付清全部货款，逾期按日支付违约金。",
        "ESP32 支持吗",
        "an ordinary line of prose",
        "",
    ],
)
def test_prose_steps_and_contents_lines_are_no_headings(line: str) -> None:
    assert is_heading_line(line) is None


def test_signal_words_begin_a_warning_in_both_languages() -> None:
    assert begins_with_signal_word("CAUTION Hot surface")
    assert begins_with_signal_word("警告 高温")
    assert not begins_with_signal_word("Noteworthy")


@given(st.text(max_size=300))
def test_any_line_can_be_asked(line: str) -> None:
    number = clause_number(line)
    level = is_heading_line(line)

    assert number is None or "".join(number.split()) in "".join(line.split())
    assert level is None or 1 <= level <= 9


@given(st.lists(st.integers(1, 99), min_size=2, max_size=5))
def test_any_decimal_number_is_found_with_its_level(parts: list[int]) -> None:
    number = ".".join(map(str, parts))

    assert clause_number(f"{number} Scope") == number
    assert is_heading_line(f"{number} Scope") == len(parts)
