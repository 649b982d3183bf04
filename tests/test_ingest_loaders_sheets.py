"""Workbooks, from files that openpyxl writes here, and what their cells show."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ingest.document import Document
from ingest.loaders import sheets
from ingest.loaders.number_format import shown
from ingest.loaders.sheets import load_xlsx


def read(tmp_path: Path, *rows: Sequence[Any], title: str = "Prices") -> Document:
    workbook = openpyxl.Workbook()
    workbook.active.title = title
    for row in rows:
        workbook.active.append(row)
    workbook.save(tmp_path / "a.xlsx")
    return load_xlsx(tmp_path / "a.xlsx")


def outline(document: Document, page: int = 0) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in document.pages[page].blocks]


def test_a_sheet_is_a_page_under_its_name(tmp_path: Path) -> None:
    document = read(tmp_path, ["Code", "Price"], ["E07", 12])

    assert document.pages[0].label == "Prices"
    assert outline(document) == [("heading", "Prices"), ("table", "| Code | Price |\n| E07 | 12 |")]


def test_blank_rows_and_columns_set_tables_apart(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        [],
        ["Pumps 2024"],
        ["Code", "Price", None, "City", "Zip"],
        ["P1", 5, None, "Bonn", "01234"],
        [],
        ["All prices without tax."],
        [],
        ["Code", "Cause"],
        ["E07", "oil"],
    )

    assert outline(document)[1:] == [
        ("heading", "Pumps 2024"),
        ("table", "| Code | Price |\n| P1 | 5 |"),
        ("table", "| City | Zip |\n| Bonn | 01234 |"),
        ("text", "All prices without tax."),
        ("table", "| Code | Cause |\n| E07 | oil |"),
    ]


def test_a_form_over_merged_cells_keeps_label_and_value_together(tmp_path: Path) -> None:
    document = read(tmp_path, ["Buyer", None, "ACME", None], ["Date", None, "May", None])

    assert outline(document)[1:] == [("table", "| Buyer | ACME |\n| Date | May |")]


def test_hidden_sheets_are_not_read(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["a", "b"])
    workbook.create_sheet("Secret").append(["c", "d"])
    workbook["Secret"].sheet_state = "hidden"
    workbook.save(tmp_path / "a.xlsx")

    assert [page.label for page in load_xlsx(tmp_path / "a.xlsx").pages] == ["Sheet"]


def test_what_is_beyond_the_limit_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_CELLS", 7)

    document = read(tmp_path, ["a", "b"], ["c", "d"], ["e", "f"])

    assert outline(document)[1:] == [("table", "| a | b |\n| c | d |")]
    assert "first 2 rows" in document.pages[0].problem


@pytest.mark.parametrize(
    ("value", "number_format", "expected"),
    [
        (None, "General", ""),
        (True, "General", "TRUE"),
        ("  two\nlines ", "@", "two lines"),
        (0.1 + 0.2, "General", "0.3"),
        (12345678901, "General", "12345678901"),
        (1234.5, "#,##0.00", "1,234.50"),
        (-5, "#,##0;(#,##0)", "(5)"),
        (-0.5, "0.00", "-0.50"),
        (0.125, "0.0%", "12.5%"),
        (12, "0000", "0012"),
        (1.5, "0.##", "1.5"),
        (3, "0.##", "3"),
        (99.5, "[$€-407] #,##0.00", "€ 99.50"),
        (5, '"$"#,##0.00_);[Red]("$"#,##0.00)', "$5.00"),
        (1500, '#,##0 "kg"', "1,500 kg"),
        (12345678, '#,##0,,"M"', "12345678"),
        (123456789, "000-00-0000", "123456789"),
        (datetime.datetime(2024, 3, 5), "d.m.yy", "2024-03-05"),
        (datetime.datetime(2024, 3, 5, 14, 30), "General", "2024-03-05 14:30"),
        (datetime.time(9, 5), "h:mm", "09:05"),
    ],
)
def test_values_are_shown_as_people_see_them(value: object, number_format: str, expected: str) -> None:
    assert shown(value, number_format) == expected
