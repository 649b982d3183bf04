"""PDF tables: rows as printed, values beside their headings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pdf_pages import HEIGHT, LEFT, PROSE, blocks_of, texts_of, write
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


def test_rows_of_a_table_over_many_pages_are_no_running_text(tmp_path: Path) -> None:
    """The first and the last row of each page look alike but for their digits."""
    rows = [[f"E{number}", "Oil level low", f"{number} bar", f"{number % 7}"] for number in range(100, 220)]

    document = load_pdf(write_table(tmp_path / "a.pdf", rows, (60, 120, 60, 60), GRID))

    assert len(document.pages) >= 4
    assert [line.text for table in blocks_of(document, "table") for line in table.lines] == [
        f"| {' | '.join(row)} |" for row in rows
    ]


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
