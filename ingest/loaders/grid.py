"""Tables of a page, found by cells that stand below each other. Pure: knows nothing about PDF."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ingest.document import Block, Line
from ingest.loaders.runs import Row, Run, union, visual_rows

# Prose in two columns has long runs side by side; the cells of a table are shorter on the whole.
LONGEST_CELL_MEDIAN = 45
# A column of prose is at least so wide, in points, and its lines fill this part of its width; cells are ragged.
NARROWEST_PROSE = 90
FULL_LINE = 0.8
# Wide gaps in justified text line up by chance only: the columns they make are mostly empty.
LEAST_FILLED = 0.65
# More lines than this between two rules that fill nearly all of three or more columns are rows of their own: the
# table is ruled only at its head, or every few rows. Two columns of text may well run on over several lines.
MOST_COMPLETE_LINES = 2
NEARLY_ALL = 0.7
# Where more of the lines than this fill all columns, each such line is a row.
MOSTLY_COMPLETE = 0.6
# Only what is so many times as wide as the usual cell may be the title of several columns.
WIDE_CELL = 1.5
NEAR_ROWS = 10
# So many cells beside each other are no accident of lines that run on.
LEAST_SAME_CELLS = 3

_LIST_MARK = re.compile(r"[•●▪■◦‣–—*-]|[(（]?[\w.]{1,6}[.)）]?(?:\([a-z]{1,4}\))*|[•●▪■◦‣] .*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Table:
    """Cells of text in rows and columns; `runs` are what it is made of, in the file's order."""

    runs: tuple[Run, ...]
    rows: tuple[tuple[tuple[Run, ...], ...], ...]

    def block(self) -> Block:
        return Block("table", tuple(_table_line(row) for row in self.rows))


def _table_line(row: Sequence[Sequence[Run]]) -> Line:
    cells = [" ".join(run.text for run in cell).replace("|", "/") for cell in row]
    return Line("| " + " | ".join(cells) + " |", union(run.box for cell in row for run in cell))


def find_tables(runs: Sequence[Run], rules: Sequence[float]) -> list[Table]:
    """Groups of at least two rows whose cells stand below each other in at least two columns."""
    tables = []
    for rows in _regions(visual_rows(runs)):
        cells = [run for row in rows for run in row]
        columns = _columns(rows)
        if len(columns) < 2 or _is_prose(cells, columns):
            continue
        grouped = _logical_rows(rows, columns, rules)
        filled = sum(bool(cell) for row in grouped for cell in row)
        if len(grouped) < 2 or filled < LEAST_FILLED * len(grouped) * len(columns):
            continue
        order = {id(run): place for place, run in enumerate(runs)}
        tables.append(Table(tuple(sorted(cells, key=lambda run: order[id(run)])), tuple(grouped)))
    return tables


def _is_prose(cells: Sequence[Run], columns: Sequence[tuple[float, float]]) -> bool:
    """Whether aligned runs are no table: columns of full lines, or list marks with their items beside them."""
    if median(len(run.text) for run in cells) > LONGEST_CELL_MEDIAN:
        return True
    by_column = [[run for run in cells if start - 1 <= run.box[0] < end] for start, end in columns]
    marks = [run.text for run in by_column[0]]
    if len(columns) == 2 and all(_LIST_MARK.fullmatch(text) for text in marks):
        return True
    full = [
        end - start > NARROWEST_PROSE and bool(column) and median(map(_width, column)) > FULL_LINE * (end - start)
        for column, (start, end) in zip(by_column, columns, strict=True)
    ]
    return all(full) or (any(full) and _one_after_the_other(by_column))


def _one_after_the_other(by_column: Sequence[Sequence[Run]]) -> bool:
    """Whether the file holds each whole column before the one to the right of it, as it does for columns of prose."""
    filled = [[run.line for run in column] for column in by_column if column]
    return all(max(left) < min(right) for left, right in pairwise(filled))


def _regions(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Neighbouring rows that belong to one table: several cells, or a cell's further line below one of them."""
    region: list[Row] = []
    for row in rows:
        if region and not _belongs(region, row):
            yield from _trimmed(region)
            region = []
        if region or len(row) > 1:
            region.append(row)
    yield from _trimmed(region)


def _belongs(region: Sequence[Row], row: Row) -> bool:
    above = region[-1]
    if row[0].box[1] - above[0].box[3] > 2.2 * row[0].size:
        return False
    aligned = [run for run in row if any(_share_edge(run, cell) for earlier in region[-4:] for cell in earlier)]
    if len(row) > 1:
        return len(aligned) >= min(2, len(row)) or len(aligned) == len(row)
    # A single run goes on a cell when it starts under one that is not the widest column of prose.
    return bool(aligned) and any(map(str.isalnum, row[0].text)) and _width(row[0]) < 0.6 * _width_of(region)


def _trimmed(region: list[Row]) -> Iterator[list[Row]]:
    """The region without single runs at its end that are set apart; nothing for fewer than two rows of cells."""
    while region and len(region[-1]) == 1 and len(region) > 1:
        last, above = region[-1][0], region[-2]
        if last.box[1] - max(run.box[3] for run in above) < 0.6 * last.size and last.box[0] > region[0][0].box[0] + 5:
            break
        region = region[:-1]
    if sum(len(row) > 1 for row in region) >= 2:
        yield region


def _share_edge(run: Run, cell: Run) -> bool:
    left = abs(run.box[0] - cell.box[0]) < 3
    right = abs(run.box[2] - cell.box[2]) < 3
    centre = abs((run.box[0] + run.box[2]) - (cell.box[0] + cell.box[2])) < 4
    return left or right or centre


def _columns(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """The horizontal extent of each column, left to right: cells that overlap stand in the same one."""
    wide = WIDE_CELL * median(_width(run) for row in rows for run in row)
    extents = sorted(
        (run.box[0], run.box[2])
        for place, row in enumerate(rows)
        if len(row) > 1
        for run in row
        if _width(run) < wide
        or not _spans(run, [*rows[max(place - NEAR_ROWS, 0) : place], *rows[place + 1 :][:NEAR_ROWS]])
    )
    widest = max((end - start for start, end in extents), default=0.0)
    total = max((end for _, end in extents), default=0.0) - min((start for start, _ in extents), default=0.0)
    columns: list[tuple[float, float]] = []
    for start, end in extents:
        if end - start > 0.7 * total and end - start == widest:
            continue  # a title over the whole table joins no columns
        if columns and start < columns[-1][1] - 1:
            columns[-1] = (columns[-1][0], max(columns[-1][1], end))
        else:
            columns.append((start, end))
    return _without_halves(rows, columns)


def _spans(run: Run, near: Sequence[Row]) -> bool:
    """Whether the run is the title of several columns: more of the rows near it have two cells there than one."""
    cells = [sum(_fills([cell], (run.box[0], run.box[2])) for cell in row) for row in near]
    return sum(count > 1 for count in cells) > sum(count == 1 for count in cells)


def _without_halves(rows: Sequence[Row], columns: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The columns with those joined that are never filled beside each other: a title to the left above numbers to the
    right."""
    joined: list[tuple[float, float]] = []
    for start, end in columns:
        if joined and not any(_fills(row, joined[-1]) and _fills(row, (start, end)) for row in rows):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _fills(row: Row, column: tuple[float, float]) -> bool:
    return any(run.box[0] < column[1] - 1 and run.box[2] > column[0] + 1 for run in row)


def _logical_rows(
    rows: Sequence[Row], columns: Sequence[tuple[float, float]], rules: Sequence[float]
) -> list[tuple[tuple[Run, ...], ...]]:
    """Printed rows put together where cells run over several lines: between two rules, else by distance."""
    top, bottom = rows[0][0].box[1] - 12, rows[-1][0].box[3] + 12
    inside = [rule for rule in rules if top <= rule <= bottom]
    ruled = _grouped(rows, _ruled_starts(rows, inside))
    too_large = len(columns) > 2 and any(_complete_lines(group, columns) > MOST_COMPLETE_LINES for group in ruled)
    groups = ruled if len(inside) >= 3 and not too_large else _grouped(rows, _spaced_starts(rows, columns))
    return [tuple(_cells([run for row in group for run in row], columns)) for group in groups]


def _grouped(rows: Sequence[Row], starts: Sequence[bool]) -> list[list[Row]]:
    """The printed rows in groups; `starts` tells for each but the first whether it begins a new one."""
    groups: list[list[Row]] = [[rows[0]]]
    for row, new in zip(rows[1:], starts, strict=True):
        if new:
            groups.append([])
        groups[-1].append(row)
    return groups


def _ruled_starts(rows: Sequence[Row], rules: Sequence[float]) -> list[bool]:
    return [any(upper[0].middle < rule < lower[0].middle for rule in rules) for upper, lower in pairwise(rows)]


def _spaced_starts(rows: Sequence[Row], columns: Sequence[tuple[float, float]]) -> list[bool]:
    """A row begins as far left as the one before: where distances differ, after a larger one; or with as many cells
    beside each other as that one has, be it three; or with all columns filled."""
    pitches = [lower[0].middle - upper[0].middle for upper, lower in pairwise(rows)]
    least, even = min(pitches), max(pitches) < 1.25 * min(pitches)
    mostly_complete = _complete_lines(rows, columns) > MOSTLY_COMPLETE * len(rows)
    first = rows[0]
    starts = []
    for row, pitch in zip(rows[1:], pitches, strict=True):
        if row[0].box[0] >= _column_end(first[0], columns) or len(row) == 1:
            new = pitch > 1.7 * least
        else:
            full = mostly_complete and len(row) >= NEARLY_ALL * len(columns)
            new = even or pitch > 1.25 * least or full or len(row) >= max(LEAST_SAME_CELLS, len(first))
        starts.append(new)
        first = row if new else first
    return starts


def _column_end(run: Run, columns: Sequence[tuple[float, float]]) -> float:
    return next((end for start, end in columns if start - 1 <= run.box[0] < end), run.box[2])


def _complete_lines(group: Sequence[Row], columns: Sequence[tuple[float, float]]) -> int:
    return sum(len(row) >= NEARLY_ALL * len(columns) for row in group)


def _cells(runs: Sequence[Run], columns: Sequence[tuple[float, float]]) -> Iterator[tuple[Run, ...]]:
    cells: list[list[Run]] = [[] for _ in columns]
    for run in runs:
        overlaps = [min(run.box[2], end) - max(run.box[0], start) for start, end in columns]
        cells[max(range(len(columns)), key=overlaps.__getitem__)].append(run)
    yield from (tuple(cell) for cell in cells)


def _width(run: Run) -> float:
    return run.box[2] - run.box[0]


def _width_of(rows: Sequence[Row]) -> float:
    return max(run.box[2] for row in rows for run in row) - min(run.box[0] for row in rows for run in row)
