"""In which order lines found on a page are read, where no file says it: by columns of prose, else row by row.

All coordinates are points from the top left corner of the page as it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

from ingest.loaders.runs import Row, Run, visual_rows

# A gutter is at least so wide in line heights, and has so many lines of prose on either side.
NARROWEST_GUTTER = 0.8
LEAST_COLUMN_LINES = 4
# A column of prose is at least so wide, in line heights, and half of its lines fill so much of its width.
NARROWEST_COLUMN = 9
FULL_LINE = 0.5
# Parts of one printed line stand no further apart, in line heights.
WORD_GAP = 1.0


def in_reading_order(runs: Sequence[Run]) -> list[Run]:
    """The runs as they are read, parts of a printed line joined and numbered by their line."""
    return [
        replace(run, line=number)
        for number, row in enumerate(_rows(sorted(runs, key=lambda run: run.box[1])))
        for run in _joined(row)
    ]


def _rows(runs: Sequence[Run]) -> Iterator[Row]:
    """The printed lines of runs sorted by their tops; where there are columns of prose, one column after another."""
    start = 0
    for run in runs:
        columns = _columns_beside(run, runs[start:])
        if columns:
            above, left, right = columns
            yield from visual_rows(above)
            yield from _rows(left)
            yield from _rows(right)
            start += len(above) + len(left) + len(right)
    yield from visual_rows(runs[start:])


def _columns_beside(run: Run, runs: Sequence[Run]) -> tuple[Sequence[Run], Sequence[Run], Sequence[Run]] | None:
    """What is above two columns of prose that begin at `run`, the left one, and what is right of it down to the first
    line across both; None where the run begins no column."""
    first = next((place for place, other in enumerate(runs) if other.box[3] > run.box[1]), len(runs))
    beside = [other.box[0] for other in runs[first:] if other.box[1] < run.box[3]]
    least = NARROWEST_GUTTER * run.size
    for gutter in sorted(edge - least / 2 for edge in beside if edge > run.box[2] + least):
        across = (place for place in range(first, len(runs)) if runs[place].box[0] < gutter < runs[place].box[2])
        section = runs[first : next(across, len(runs))]
        left = [other for other in section if other.box[2] <= gutter]
        right = [other for other in section if other.box[0] >= gutter]
        if _is_prose(left) and _is_prose(right):
            return runs[:first], left, right
    return None


def _is_prose(column: Sequence[Run]) -> bool:
    """Whether these are lines of a text, and not cells or numbers below each other."""
    if len(column) < LEAST_COLUMN_LINES:
        return False
    usual = median(_width(run) for run in column)
    longest = max(_width(run) for run in column)
    return longest > NARROWEST_COLUMN * median(run.size for run in column) and usual > FULL_LINE * longest


def _joined(row: Row) -> Row:
    """The row with its parts joined that stand a word's space apart."""
    joined = [row[0]]
    for run in row[1:]:
        last = joined[-1]
        if run.box[0] - last.box[2] < WORD_GAP * min(run.size, last.size):
            joined[-1] = _together(last, run)
        else:
            joined.append(run)
    return joined


def _together(left: Run, right: Run) -> Run:
    box = (left.box[0], min(left.box[1], right.box[1]), right.box[2], max(left.box[3], right.box[3]))
    return replace(left, text=f"{left.text} {right.text}", box=box, size=max(left.size, right.size))


def _width(run: Run) -> float:
    return run.box[2] - run.box[0]
