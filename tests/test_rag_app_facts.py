"""Dates, names and negations: what a paraphrase must keep."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.segmentation import fold
from rag_app.dates import Date, dates, without_dates, written_dates
from rag_app.names import has_name, names
from rag_app.negation import contradicts


@given(st.dates(datetime.date(1900, 1, 1), datetime.date(2199, 12, 31)))
def test_a_date_is_the_same_in_every_form(day: datetime.date) -> None:
    forms = [
        f"{day.day} {day:%B} {day.year}",
        f"{day:%B} {day.day}, {day.year}",
        f"{day:%b}. {day.day}, {day.year}",
        f"{day.day}th day of {day:%B}, {day.year}",
        day.isoformat(),
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.year} 年 {day.month:02} 月 {day.day:02} 日",
    ]

    for form in forms:
        assert dates(f"It ends on {form}.") == [(Date(day.year, day.month, day.day),)]
        assert without_dates(f"It ends on {form}.").split() == ["It", "ends", "on", str(day.year), "."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("二〇二五年三月十二日", [Date(2025, 3, 12)]),
        ("March 2025", [Date(2025, 3)]),
        ("3月12日", [Date(None, 3, 12)]),
        ("31/12/2024", [Date(2024, 12, 31)]),
        ("03.04.2025", [Date(2025, 4, 3), Date(2025, 3, 4)]),
        ("Clause 5 may be read with clause 12.3", []),
        ("within 3 months, 3个月内", []),
        ("2025-99-99", []),
    ],
)
def test_dates_are_read(text: str, expected: list[Date]) -> None:
    assert [reading for readings in dates(text) for reading in readings] == expected


def test_a_whole_date_says_its_month_and_not_the_other_way_round() -> None:
    assert Date(2025, 3, 12).says(Date(2025, 3))
    assert not Date(2025, 3).says(Date(2025, 3, 12))


@settings(deadline=None)  # the first call loads the dictionary of Chinese words
@given(st.text())
def test_any_text_is_read_for_facts(text: str) -> None:
    assert all(dates(text))
    assert all(has_name(name, fold(text)) for name in names(text) if name.isascii())
    assert not contradicts(text, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Buyer is Caldermoor Forgings Ltd of England.", ["Buyer", "Caldermoor Forgings", "England"]),
        ("Siemens AG pays. Tighten the Ram bolts on Monday.", ["Siemens", "Ram"]),
        ("The HP-40 stops in June.", []),
        ("卖方为华东机械有限公司，见《设备验收单》", ["华东机械有限公司", "设备验收单"]),
    ],
)
def test_names_are_found_by_their_capitals(text: str, expected: list[str]) -> None:
    assert [name[-len(wanted) :] for name, wanted in zip(names(text), expected, strict=True)] == expected


def test_a_name_is_found_in_singular_and_plural_but_in_its_order() -> None:
    assert has_name("Acceptance Tests", fold("the acceptance test"))
    assert not has_name("John Miller", fold("John Smith and Peter Miller"))


@pytest.mark.parametrize(
    ("statement", "source"),
    [
        ("The buyer may assign the contract.", "The Buyer shall not assign the contract."),
        ("The buyer may not assign the contract.", "The Buyer may assign the contract."),
        ("The buyer may transfer the pump.", "The buyer shall not sell, assign or transfer the pump."),
        ("Smoking is allowed.", "Smoking is prohibited."),
        ("Damages may exceed 6 %.", "Damages shall not exceed 6 %."),
        ("Give at most 15 days' notice.", "The notice is at least 15 days."),
        ("买方可以转让合同。", "买方不得转让本合同。"),
        ("可以带电作业。", "严禁带电作业。"),
        ("买方无须通知卖方。", "买方应当通知卖方。"),
        ("期限至少三十天。", "期限不得超过三十天。"),
        ("The Company does not remain the owner.", "It shall remain the Company's, and Euler has no rights to it."),
    ],
)
def test_what_is_denied_on_one_side_only_is_a_contradiction(statement: str, source: str) -> None:
    assert contradicts(statement, source)


@pytest.mark.parametrize(
    ("statement", "source"),
    [
        ("The buyer may not assign.", "The Buyer may not assign this Agreement."),
        ("The buyer may assign only with the seller's consent.", "The Buyer may not assign without consent."),
        ("Damages are at most 6 %.", "in total not more than 6 % of the Contract Price"),
        ("Not only the pump but also the motor is covered.", "The pump and the motor are covered."),
        ("It is not impossible to restart the press.", "It is possible to restart the press."),
        ("Smoking is not allowed.", "Smoking is prohibited."),
        ("For late delivery the seller owes no interest.", "The seller does not owe interest for late delivery."),
        ("The seller may withdraw.", "If the buyer does not pay within 30 days, the seller may withdraw."),
        ("Store it free of charge.", "The seller stores it without charge."),
        ("买方不得转让合同。", "买方未经卖方同意不得转让本合同。"),
        ("螺栓为不锈钢。", "采用不锈钢螺栓。"),
        ("压缩机与储气罐之间禁止加装止回阀。", "严禁在压缩机与储气罐之间加装止回阀。"),
        ("故障 E07", "见 No. 7"),
        (
            "The notes stay the property of Euler.",
            "The notes are property of Euler, and Nord has no rights to the notes.",
        ),
        ("It is covered even if it is not marked.", "It is covered whether or not it is marked."),
    ],
)
def test_two_ways_to_say_the_same_are_no_contradiction(statement: str, source: str) -> None:
    assert not contradicts(statement, source)


def test_dates_that_name_a_year_are_given_as_they_are_written() -> None:
    text = "Made on 1 February 2023 and on March 3rd, 2024; paid by 5 May, from 2025年6月1日 or 2026-07-08 on."

    assert written_dates(text) == ["1 February 2023", "March 3rd, 2024", "2025年6月1日", "2026-07-08"]
