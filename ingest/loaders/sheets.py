"""Workbooks (XLSX): a sheet is a page; the tables on it are what blank rows and columns set apart.

Formulas show the value that the program calculated last; hidden sheets are not read.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import openpyxl

from ingest.document import Block, Document, Line, Page
from ingest.loaders.archive import opened_archive
from ingest.loaders.number_format import shown
from ingest.loaders.reading import Reading
from ingest.loaders.text import table_block
from ingest.loaders.titles import document_title

_DAMAGED = "The file is damaged or not an Excel workbook. Open it in Excel and save it again as .xlsx."
# Of all sheets together, blank ones included: a sheet may claim a cell in its last row.
MAX_CELLS = 1_000_000
# Excel's own limit; a damaged file may number its rows without end.
MAX_ROWS = 2**20
MAX_TITLE_CHARACTERS = 200

Rows = list[list[str]]


def load_xlsx(path: Path, reading: Reading | None = None) -> Document:
    """A workbook: each sheet that is shown, its name as heading and label, its tables and the texts around them.

    A line alone above a table is its heading. Raises `UnreadableFileError` for a damaged file.
    """
    reading = reading or Reading()
    pages: list[Page] = []
    with opened_archive(path, _DAMAGED), path.open("rb") as file, warnings.catch_warnings():
        # openpyxl warns of each feature that it would not write back.
        warnings.filterwarnings("ignore", module="openpyxl")
        workbook = openpyxl.load_workbook(file, read_only=True, data_only=True)
        try:
            sheets = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
            left = MAX_CELLS
            for number, sheet in enumerate(sheets, start=1):
                reading.on_page(number, len(sheets))
                name = " ".join(sheet.title.split())
                if number in reading.skip_pages:
                    pages.append(Page(number, name, (), problem=reading.skip_pages[number]))
                    continue
                rows, read, problem = _rows(sheet, left)
                left -= read
                blocks = tuple(_sheet_blocks(rows))
                title = (Block("heading", (Line(name),), 1),) if blocks else ()
                pages.append(Page(number, name, (*title, *blocks), problem=problem))
            named = workbook.properties.title or ""
        finally:
            workbook.close()
    return Document(document_title(named, pages), tuple(pages))


def _rows(sheet: Any, most_cells: int) -> tuple[Rows, int, str]:
    """The cells as shown, up to the last one that is not blank; how many were read; what is to be said of it."""
    sheet.reset_dimensions()  # What a file claims of its size is often wrong.
    rows: Rows = []
    read = filled = 0
    problem = ""
    for number, row in enumerate(sheet.iter_rows(), start=1):
        read += len(row) + 1
        if read > most_cells or number > MAX_ROWS:
            problem = f"Only the first {number - 1} rows of the sheet were read: the workbook is too large. Split it."
            break
        rows.append([shown(cell.value, cell.number_format if cell.value is not None else "") for cell in row])
        filled = number if any(rows[-1]) else filled
    width = max((len(row) for row in rows[:filled]), default=0)
    return [row + [""] * (width - len(row)) for row in rows[:filled]], read, problem


def _sheet_blocks(rows: Rows) -> Iterator[Block]:
    for filled, band in groupby(rows, key=any):
        if filled:
            for part in _side_by_side(list(band)):
                yield from _part_blocks(part)


def _side_by_side(band: Rows) -> Iterator[Rows]:
    """The tables of a band of rows, which blank columns part.

    A single column between blank ones is no table: forms spread label and value over merged cells.
    """
    width = len(band[0])
    used = [any(row[column] for row in band) for column in range(width)]
    runs = [[column for column, _ in run] for filled, run in groupby(enumerate(used), key=lambda x: x[1]) if filled]
    tables: list[list[int]] = []
    for run in runs:
        if tables and (len(run) == 1 or len(tables[-1]) == 1):
            tables[-1] += run
        else:
            tables.append(run)
    for columns in tables:
        yield [row for row in ([line[column] for column in columns] for line in band) if any(row)]


def _part_blocks(rows: Rows) -> Iterator[Block]:
    """The lines above a table, then the table; rows of one column are text."""
    start = next((index for index, row in enumerate(rows) if _cells(row) > 1), len(rows))
    table = rows[start:]
    for row in rows[:start]:
        text = next(filter(None, row))
        is_title = bool(table) and len(text) <= MAX_TITLE_CHARACTERS
        yield Block("heading", (Line(text),), 2) if is_title else Block("text", (Line(text),))
    if table:
        yield table_block(table)


def _cells(row: Sequence[str]) -> int:
    return sum(map(bool, row))
