"""Which clauses of another document a text changes, in the words of real amendments."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.amending import amended, runs_on


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("Clause 9.1 of the Agreement is deleted and replaced by the following: “9.1 See clause 6.2.”", ["9.1"]),
        ("In clause 4.2 of the Agreement, “15 Business Days” is replaced by “20 Business Days”.", ["4.2"]),
        ("Section 5 of the Agreement is hereby deleted in its entirety and replaced with the following:", ["5"]),
        ("Section 2.13(d) of the Credit Agreement is hereby amended and restated as follows:", ["2.13(d)"]),
        ("1.1 Clause 2.1 of the Original Agreement is hereby deleted in its entirety.", ["2.1"]),
        ("Section 7 (Audits and Records) of the DPA is hereby deleted and replaced.", ["7"]),
        ('Section 7.2 is amended by deleting "Net 30" and substituting "Net 45".', ["7.2"]),
        ("Sections 3.1 and 3.2 of the Lease shall be deleted.", ["3.1", "3.2"]),
        ("The following language shall replace Section 3(e): Equity.", ["3(e)"]),
        ("The Agreement is hereby amended by deleting Section 5.2 and inserting new words.", ["5.2"]),
        ("The Parties agree to amend Section 8 as follows.", ["8"]),
        ("Exhibit B to the Agreement is hereby replaced by Exhibit B-1 attached hereto.", ["Exhibit B"]),
        ("The first paragraph of Section 4 of the Agreement is hereby deleted in its entirety", ["4"]),
        ("Section 14.5 is deleted; Section 15 is amended to read as follows:", ["14.5", "15"]),
        ("原合同第四条修改为：“第四条 交货期为 30 日，见第九条。”", ["4"]),
    ],
)
def test_the_changed_clauses_are_named(text: str, clauses: list[str]) -> None:
    assert amended(text) == clauses


@pytest.mark.parametrize(
    "text",
    [
        "This Agreement may be amended only in writing, see Section 18.3.",
        "The Seller shall deliver within the period of clause 4.1.",
        "Liquidated damages under clause 4.4 of the Agreement are counted from the new Delivery Date only.",
        "A new Section 14.5 is hereby added to the Agreement as follows:",
        "Parts that are replaced under clause 9.1 carry a warranty of 12 months.",
        "The invalid provision shall be replaced by a valid one.",
    ],
)
def test_what_only_speaks_of_a_clause_changes_none(text: str) -> None:
    assert amended(text) == []


def test_new_wording_may_hold_quotation_marks_itself() -> None:
    text = "Clause 4.1 is replaced by: “4.1 By 28 November (the “Delivery Date”), see clause 6.2.” Clause 5 is deleted."

    assert amended(text) == ["4.1", "5"]


@pytest.mark.parametrize(
    ("text", "goes_on"),
    [
        ("Clause 9.1 is replaced by the following:", True),
        ("Clause 9.1 is replaced by: “9.1 The Seller warrants", True),
        ("Clause 9.1 is replaced by: “9.1 The Seller warrants.”", False),
    ],
)
def test_wording_that_is_cut_goes_on_behind(text: str, goes_on: bool) -> None:
    assert runs_on(text) is goes_on


@given(st.text(alphabet='Section 4.1(a) is hereby deleted“”".:\n第四条删除'))
def test_any_text_is_read(text: str) -> None:
    assert all(amended(text))


@pytest.mark.parametrize("unit", ["Section 4 of the A is amended ", "“", '"', "of the A ", "第四条", "is hereby "])
def test_no_text_takes_long(unit: str) -> None:
    started = time.perf_counter()
    amended(unit * (20_000 // len(unit)))
    assert time.perf_counter() - started < 2
