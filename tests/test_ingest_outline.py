"""Where a document's clauses, pages and terms are found."""

from __future__ import annotations

import json

import pytest

from ingest.outline import Outline, levels, touches
from ingest.references import Kind


def passage(clauses: list[str], *, label: str = "", page: int = 1, defines: tuple[str, ...] = ()) -> dict[str, object]:
    return {"clauses": json.dumps(clauses), "defines": json.dumps(defines), "page_label": label, "page": page}


OUTLINE = Outline.of(
    {
        "a": passage(["1", "1.1"], label="iv", defines=("Goods",)),
        "b": passage(["4", "4.1", "4.2(a)"], page=2, defines=("Goods", "Site")),
        "c": passage(["4.3", "Table 4"], page=2),
        "d": passage(["Exhibit B"], page=3),
    }
)


@pytest.mark.parametrize(
    ("kind", "target", "found"),
    [
        ("clause", "4.1", ["b"]),
        ("clause", "4", ["b", "c"]),
        ("clause", "4.2(b)(ii)", ["b"]),
        ("clause", "4.9", []),
        ("clause", "40", []),
        ("table", "Table 4", ["c"]),
        ("attachment", "Exhibit B", ["d"]),
        ("attachment", "Exhibit C", []),
        ("page", "iv", ["a"]),
        ("page", "2", ["b", "c"]),
        ("page", "1", []),
    ],
)
def test_a_target_is_found_in_what_holds_it(kind: Kind, target: str, found: list[str]) -> None:
    assert OUTLINE.find(kind, target) == found


def test_a_term_is_found_where_it_is_defined_first() -> None:
    assert OUTLINE.terms == {"Goods": "a", "Site": "b"}


def test_a_passage_knows_what_follows_it() -> None:
    assert [OUTLINE.behind(chunk_id) for chunk_id in "abcd"] == ["b", "c", "d", None]


def test_nothing_follows_a_passage_that_has_gone() -> None:
    assert Outline().behind("a") is None


def test_a_number_stands_within_others() -> None:
    assert list(levels("12.3(b)(ii)")) == ["12.3(b)(ii)", "12.3(b)", "12.3", "12"]
    assert list(levels("Exhibit B")) == ["Exhibit B"]


@pytest.mark.parametrize(
    ("changed", "number", "does"),
    [("9.1", "9.1", True), ("9", "9.1(a)", True), ("9.1(a)", "9.1", True), ("9.1", "9.2", False), ("9", "90.1", False)],
)
def test_a_change_touches_what_it_holds_and_what_holds_it(changed: str, number: str, does: bool) -> None:
    assert touches(changed, number) is does
