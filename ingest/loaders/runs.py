"""Runs of characters on a page, and which of them are running headers and footers.

All coordinates are points from the top left corner of the page as it is read.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.document import Box

# The part of the page's height, above and below, in which running headers and footers stand.
RUNNING_BAND = 0.1
# Where a page of text was cut short, its footer is still its last line but one, or its last.
EDGE_LINES = 2
FULL_PAGE_LINES = 8
# Left, middle and right; more beside each other are a row of a table.
MOST_RUNNING_RUNS = 3
# Left edges this near each other, in points, are one column's.
COLUMN_EDGE = 1.5

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap in a run, wider than a word space usually is: `words` of the run stand left of it."""

    words: int
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Run:
    """Characters on one baseline without a very wide gap, as they follow each other in the file.

    `line` counts the printed lines of the page in the file's order; `size` is the font's height in points.
    """

    text: str
    box: Box
    size: float
    bold: bool
    line: int
    gaps: tuple[Gap, ...] = ()

    @property
    def middle(self) -> float:
        return (self.box[1] + self.box[3]) / 2


Row = list[Run]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PageText:
    """A page turned so that its text is read in level lines from left to right.

    As displayed it is turned from there by `turn` degrees clockwise (0, 90, 180 or 270) and then by the few degrees
    of `skew`, clockwise around its middle: a scan that lay askew. `width`, `height` and all coordinates are of the
    page as it is read. `rules` are the heights of horizontal lines drawn on it.
    """

    width: float
    height: float
    turn: int
    runs: list[Run]
    rules: list[float]
    skew: float = 0.0

    @property
    def displayed_size(self) -> tuple[float, float]:
        return (self.height, self.width) if self.turn % 180 else (self.width, self.height)

    def displayed(self, box: Box) -> Box:
        """The box on the page as it is displayed."""
        x0, y0, x1, y1 = box
        if self.turn == 90:
            box = self.height - y1, x0, self.height - y0, x1
        elif self.turn == 180:
            box = self.width - x1, self.height - y1, self.width - x0, self.height - y0
        elif self.turn == 270:
            box = y0, self.width - x1, y1, self.width - x0
        if not self.skew:
            return box
        return turned_box(((x, y) for x in box[::2] for y in box[1::2]), self.skew, self.displayed_size)


def turned_box(points: Iterable[Point], degrees: float, size: tuple[float, float]) -> Box:
    """The box around the points after a turn by a few degrees clockwise around the middle of a page of `size`."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    middle_x, middle_y = size[0] / 2, size[1] / 2
    turned = [
        (
            middle_x + (x - middle_x) * cosine - (y - middle_y) * sine,
            middle_y + (x - middle_x) * sine + (y - middle_y) * cosine,
        )
        for x, y in points
    ]
    xs, ys = zip(*turned, strict=True)
    return max(min(xs), 0.0), max(min(ys), 0.0), min(max(xs), size[0]), min(max(ys), size[1])


def union(boxes: Iterable[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def visual_rows(runs: Sequence[Run]) -> list[Row]:
    """Runs on one baseline, left to right; rows from top to bottom."""
    rows: list[Row] = []
    for run in sorted(runs, key=lambda run: run.middle):
        if rows and abs(rows[-1][0].middle - run.middle) < 0.35 * min(run.size, rows[-1][0].size):
            rows[-1].append(run)
        else:
            rows.append([run])
    return [sorted(row, key=lambda run: run.box[0]) for row in rows]


def split_at_columns(runs: Sequence[Run]) -> list[Run]:
    """Runs cut at those gaps whose right side is the left edge of at least two other runs: cells that nearly touch."""
    edges = Counter(_edge(run.box[0]) for run in runs)

    def is_column(gap: Gap) -> bool:
        return sum(edges[_edge(gap.right) + step] for step in (-1, 0, 1)) >= 2

    return [part for run in runs for part in _split(run, [gap for gap in run.gaps if is_column(gap)])]


def _edge(x: float) -> int:
    return round(x / COLUMN_EDGE)


def _split(run: Run, gaps: Sequence[Gap]) -> Iterator[Run]:
    words = run.text.split(" ")
    start, left = 0, run.box[0]
    for gap in gaps:
        yield replace(
            run, text=" ".join(words[start : gap.words]), box=(left, run.box[1], gap.left, run.box[3]), gaps=()
        )
        start, left = gap.words, gap.right
    if gaps:
        yield replace(run, text=" ".join(words[start:]), box=(left, *run.box[1:]), gaps=())
    else:
        yield run


def with_entries(form: Sequence[Run], filled: Sequence[Run]) -> list[Run]:
    """The runs of a form with those that stand only on the `filled` one, each behind its label: on its line, to the
    left or else above it."""
    printed = {(run.text, run.box) for run in form}
    runs = list(form)
    for entry in filled:
        if (entry.text, entry.box) in printed:
            continue
        left, top, right, _ = entry.box
        beside = [run for run in form if run.box[1] < entry.middle < run.box[3] and run.box[0] < left]
        above = [run for run in form if run.middle < top and run.box[0] < right and run.box[2] > left]
        if beside:
            label = max(beside, key=lambda run: run.box[2])
            runs.insert(runs.index(label) + 1, replace(entry, line=label.line))
        elif above:
            label = max(above, key=lambda run: run.middle)
            runs.insert(runs.index(label) + 1, replace(entry, line=-1 - len(runs)))
        else:
            runs.append(replace(entry, line=-1 - len(runs)))
    return runs


@dataclass(frozen=True, slots=True)
class RunningText:
    """Lines that repeat on many pages near their top or bottom edge, digits aside."""

    patterns: frozenset[str]

    @classmethod
    def of(cls, pages: Sequence[tuple[float, Sequence[Run]]]) -> RunningText:
        """What repeats on at least three pages and on four in ten; `pages` are heights with their runs."""
        counts: Counter[str] = Counter()
        for index, (height, runs) in enumerate(pages):
            counts.update({pattern for _, pattern in _edge_patterns(runs, height, index)})
        least = max(3, 0.4 * len(pages))
        return cls(frozenset(pattern for pattern, count in counts.items() if count >= least))

    def without(self, runs: Sequence[Run], height: float, index: int) -> list[Run]:
        """The runs of page `index` that are not running text, nor beside it: a chapter's name there changes."""
        running = [row for row, pattern in _edge_patterns(runs, height, index) if pattern in self.patterns]
        dropped = {id(run) for row in running for run in row}
        return [run for run in runs if id(run) not in dropped]


def _edge_patterns(runs: Sequence[Run], height: float, index: int) -> Iterator[tuple[Row, str]]:
    """The rows near the edges, or first or last on the page, with what each run would share with other pages.

    Rows of a table may stand there too: a number without a word, or away from the edge, must count the pages.
    """
    rows = visual_rows(runs)
    for place, row in enumerate(rows):
        first_or_last = len(rows) >= FULL_PAGE_LINES and not EDGE_LINES <= place < len(rows) - EDGE_LINES
        if len(row) > MOST_RUNNING_RUNS:
            continue
        for run in row:
            text = " ".join(run.text.split()).lower()
            pattern = _DIGITS.sub("#", text)
            in_band = run.box[3] < RUNNING_BAND * height or run.box[1] > (1 - RUNNING_BAND) * height
            if in_band and any(character.isalpha() for character in text):
                yield row, pattern
            elif in_band or first_or_last:
                # In "3 / 12" one number counts the pages, the other is the same on each.
                numbers = enumerate(_DIGITS.findall(text))
                counted = [f" {position}:{int(number[:9]) - index:+}" for position, number in numbers]
                yield from ((row, pattern + ending) for ending in counted or [""])
