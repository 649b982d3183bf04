"""Tables as text: CSV with any of the usual delimiters, and TSV."""

from __future__ import annotations

import csv
from collections import Counter
from itertools import islice
from pathlib import Path

from ingest.document import Document, Page
from ingest.loaders.encoding import decode
from ingest.loaders.errors import UnreadableFileError
from ingest.loaders.text import table_block

_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 50
_SAMPLE_CHARACTERS = 2**16
MAX_CELLS = 1_000_000
# Spreadsheet programs stop at 16,384 columns and 32,767 characters a cell; a longer line is no row of a table.
MAX_LINE_CHARACTERS = 2**20
MAX_COLUMNS = 2**14


def load_delimited(path: Path) -> Document:
    """The file as one table, its first row the header.

    What is beyond `MAX_CELLS` is left out and the page says so. Raises `UnreadableFileError` for lines that no table
    has.
    """
    text = decode(path.read_bytes())
    lines = text.splitlines(keepends=True)
    longest = max(map(len, lines), default=0)
    if longest > MAX_LINE_CHARACTERS:
        raise UnreadableFileError(f"A line has {longest} characters: this is no table of rows. Check the file.")
    try:
        rows, problem = _rows(lines, delimiter_of(text[:_SAMPLE_CHARACTERS]))
    except csv.Error as error:
        raise UnreadableFileError(f"The table cannot be read: {error}. Check its quotes.") from error
    return Document("", (Page(1, "", (table_block(rows),) if rows else (), problem=problem),))


def delimiter_of(sample: str) -> str:
    """The delimiter that gives the most rows the same number of columns, the more columns the better."""

    def agreement(delimiter: str) -> int:
        rows = islice(csv.reader(sample.splitlines(keepends=True), delimiter=delimiter), _SAMPLE_ROWS)
        widths = Counter(len(row) for row in rows if row)
        return max(((width - 1) * rows_so_wide for width, rows_so_wide in widths.items()), default=0)

    return max(_DELIMITERS, key=agreement)


def _rows(lines: list[str], delimiter: str) -> tuple[list[list[str]], str]:
    rows: list[list[str]] = []
    cells = 0
    for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True):
        cells += len(row)
        if len(row) > MAX_COLUMNS:
            raise UnreadableFileError(f"A row has {len(row)} columns; at most {MAX_COLUMNS} are read. Check the file.")
        if cells > MAX_CELLS:
            return rows, f"Only the first {len(rows)} rows were read: the table is too large. Split it."
        if any(cell.strip() for cell in row):
            rows.append(row)
    return rows, ""
