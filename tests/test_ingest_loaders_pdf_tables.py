"""PDF tables: rows as printed, values beside their headings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pdf_pages import HEIGHT, LEFT, PROSE, Draw, blocks_of, texts_of, together, write
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

from ingest.loaders.pdf import load_pdf


def write_table(path: Path, rows: Sequence[Sequence[str]], widths: Sequence[float], *style: Any) -> Path:
    normal = getSampleStyleSheet()["BodyText"]
    cells = [[Paragraph(text, normal) for text in row] for row in rows]
    table = Table(cells, colWidths=list(widths), style=list(style))
    story = [Paragraph(PROSE, normal), Spacer(0, 12), table, Spacer(0, 12), Paragraph(PROSE, normal)]
    SimpleDocTemplate(str(path), pagesize=A4, invariant=True).build(story)
    return path


GRID = ("GRID", (0, 0), (-1, -1), 0.5, colors.black)
FAULTS = [
    ["Code", "Fault", "Remedy"],
    ["E05", "Oil level low", "Fill up to the upper mark"],
    ["E06", "Oil level very low, the pump is blocked until it is filled", "Do not restart before the pump is bled"],
    ["E07", "Oil too hot", "Clean the cooler"],
]


@pytest.mark.parametrize("style", [[GRID], []], ids=["ruled", "unruled"])
def test_a_table_is_read_by_rows(style: list[Any], tmp_path: Path) -> None:
    rows = [row for row in FAULTS if row[0] != "E06"]

    document = load_pdf(write_table(tmp_path / "a.pdf", rows, (60, 150, 150), *style))

    (table,) = blocks_of(document, "table")
    assert [line.text for line in table.lines] == [f"| {' | '.join(row)} |" for row in rows]
    assert [line.box is not None for line in table.lines] == [True, True, True]
    assert len(texts_of(document)) == 2


def test_cells_that_wrap_stay_in_their_row(tmp_path: Path) -> None:
    document = load_pdf(write_table(tmp_path / "a.pdf", FAULTS, (60, 120, 120), GRID))

    (table,) = blocks_of(document, "table")
    assert [line.text for line in table.lines] == [f"| {' | '.join(row)} |" for row in FAULTS]


def test_cells_that_nearly_touch_are_told_apart_by_their_column(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 9)
        rows = [
            ("E20", "Force is above the tolerance here", "Check the set force"),
            ("E21", "Valve not closed", "Flush the valve"),
            ("E22", "Prop in socket", "Put it away"),
        ]
        second = LEFT + 50 + pdfmetrics.stringWidth(rows[0][1], "Helvetica", 9) + 7
        for number, (code, fault, remedy) in enumerate(rows):
            for x, text in ((LEFT, code), (LEFT + 50, fault), (second, remedy)):
                canvas.drawString(x, HEIGHT - 200 - 16 * number, text)

    (table,) = blocks_of(load_pdf(write(tmp_path / "a.pdf", draw)), "table")

    assert table.lines[0].text == "| E20 | Force is above the tolerance here | Check the set force |"


def rows_at(places: Sequence[float], rows: Sequence[Sequence[str]], *, size: float = 9, pitch: float = 16) -> Draw:
    """Rows of cells that begin at these places, and end there where they are numbers."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", size)
        for number, row in enumerate(rows):
            for x, text in zip(places, row, strict=True):
                write_cell = canvas.drawRightString if text.isdecimal() else canvas.drawString
                write_cell(x + 30 * text.isdecimal(), HEIGHT - 200 - pitch * number, text)

    return draw


def test_lines_drawn_between_them_part_cells_that_nearly_touch(tmp_path: Path) -> None:
    rows = [("06/22/2015", "03/25/2016", "Closure"), ("06/30/2015", "08/29/2015", "Layoff")] * 3
    places = (72, 122, 172)

    def posts(canvas: Canvas) -> None:
        for x in (69.0, 119.0, 169.0, 230.0):
            canvas.line(x, HEIGHT - 290, x, HEIGHT - 185)

    (table,) = blocks_of(load_pdf(write(tmp_path / "a.pdf", together(rows_at(places, rows), posts))), "table")

    assert [line.text for line in table.lines] == [f"| {' | '.join(row)} |" for row in rows]


def test_numbers_on_the_right_belong_to_the_title_on_the_left(tmp_path: Path) -> None:
    rows = [
        ("City", "No", "Kind"),
        ("San Jose", "150", "Closure"),
        ("Monterey", "7", "Layoff"),
        ("Irvine", "22", "Layoff"),
    ]

    (table,) = blocks_of(load_pdf(write(tmp_path / "a.pdf", rows_at((72, 200, 300), rows))), "table")

    assert [line.text for line in table.lines] == [f"| {' | '.join(row)} |" for row in rows]


def test_titles_over_two_columns_leave_them_apart(tmp_path: Path) -> None:
    rows = [(f"State {letter}", "few", "none", "some", "many") for letter in "ABCDEF"]
    titles = rows_at((150, 290), [("Returned for any reason", "Sold to private persons")])
    lowered = rows_at((72, 150, 200, 290, 340), [("",) * 5, *rows])

    (table,) = blocks_of(load_pdf(write(tmp_path / "a.pdf", together(titles, lowered))), "table")

    assert [line.text for line in table.lines][-6:] == [f"| {' | '.join(row)} |" for row in rows]


def test_rows_as_near_as_their_own_lines_begin_with_their_cells(tmp_path: Path) -> None:
    rows = [
        ("D1", "05/03/2019", "Staff transportation", "920"),
        ("", "", "airfare to Washington", ""),
        ("D2", "05/24/2019", "Staff transportation", "907"),
        ("", "", "airfare to Saint Louis", ""),
        ("", "", "and return", ""),
        ("D3", "05/25/2019", "Train fare", "17"),
    ]

    places = (72, 110, 180, 300)
    header = rows_at(places, [("No", "Date", "Purpose", "Amount")])
    lowered = rows_at(places, [("",) * 4, ("",) * 4, *rows], pitch=11)

    document = load_pdf(write(tmp_path / "a.pdf", together(header, lowered)))

    (table,) = blocks_of(document, "table")
    assert [line.text for line in table.lines] == [
        "| No | Date | Purpose | Amount |",
        "| D1 | 05/03/2019 | Staff transportation airfare to Washington | 920 |",
        "| D2 | 05/24/2019 | Staff transportation airfare to Saint Louis and return | 907 |",
        "| D3 | 05/25/2019 | Train fare | 17 |",
    ]


def test_a_list_with_marks_apart_is_no_table(tmp_path: Path) -> None:
    items = [
        ("•", "Original design of the press"),
        ("• User button", ""),
        ("•", "Two connectors"),
        ("•", "Reset button"),
    ]

    document = load_pdf(write(tmp_path / "a.pdf", rows_at((72, 100), items)))

    assert not blocks_of(document, "table")


def test_rows_of_a_table_over_many_pages_are_no_running_text(tmp_path: Path) -> None:
    """The first and the last row of each page look alike but for their digits."""
    rows = [[f"E{number}", "Oil level low", f"{number} bar", f"{number % 7}"] for number in range(100, 220)]

    document = load_pdf(write_table(tmp_path / "a.pdf", rows, (60, 120, 60, 60), GRID))

    assert len(document.pages) >= 4
    assert [line.text for table in blocks_of(document, "table") for line in table.lines] == [
        f"| {' | '.join(row)} |" for row in rows
    ]


def test_three_columns_of_prose_are_no_table_though_one_has_short_lines(tmp_path: Path) -> None:
    full, short = "Line of a column that is full", ("AGENCY: Aviation", "ACTION:", "Notice of rules (NPRM).", "SUMMARY")

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 9)
        for x, texts in ((LEFT, short * 3), (230, (full,) * 12), (390, (full,) * 12)):
            for number, text in enumerate(texts):
                canvas.drawString(x, HEIGHT - 100 - 12 * number, text)

    document = load_pdf(write(tmp_path / "a.pdf", draw))

    assert not blocks_of(document, "table")


def test_two_columns_of_prose_are_no_table(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 9)
        for x in (LEFT, 310):
            for number in range(12):
                canvas.drawString(
                    x, HEIGHT - 100 - 12 * number, f"Line {number} of a column that is full of words as such"
                )

    document = load_pdf(write(tmp_path / "a.pdf", draw))

    assert not blocks_of(document, "table")
    assert "\n".join(texts_of(document)).index("Line 11") < "\n".join(texts_of(document)).rindex("Line 0 ")


def test_the_samples_fault_table_keeps_each_remedy_with_its_code() -> None:
    document = load_pdf(Path(__file__).parent.parent / "samples" / "hp-40-service-manual.pdf")

    rows = [line.text for table in blocks_of(document, "table") for line in table.lines]

    assert "| E22 | Prop in socket | One prop is still in its socket | Put both props into their holders |" in rows
    assert "| V1 | Safety relief valve, piston side | 275 bar | +0/-5 bar |" in rows
