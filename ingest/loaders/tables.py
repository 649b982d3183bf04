"""Rows of cells as a block of Markdown rows."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.document import Block, Line


def table_row(cells: Sequence[str]) -> str:
    """The cells as a Markdown row; a bar inside a cell becomes a slash, for it would end the cell."""
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "/") for cell in cells) + " |"


def table_block(rows: Sequence[Sequence[str]]) -> Block:
    """The rows as one block, short ones filled up with empty cells; the first row is the head."""
    width = max(len(row) for row in rows)
    return Block("table", tuple(Line(table_row([*row, *[""] * (width - len(row))])) for row in rows))
