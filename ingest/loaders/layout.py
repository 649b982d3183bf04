"""From runs of characters on a page to lines, tables, headings and paragraphs. Pure: knows nothing about PDF.

All coordinates are points from the top left corner of the page as it is displayed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ingest.document import Block, Box, Line
from ingest.numbering import clause_number, is_heading_line

# A gap this many times the font size is no word space but the border of a column.
COLUMN_GAP = 1.4
# Prose in two columns has long runs side by side; the cells of a table are shorter on the whole.
LONGEST_CELL_MEDIAN = 45
# A column of prose is at least so wide, in points, and its lines fill this part of its width; cells are ragged.
NARROWEST_PROSE = 90
FULL_LINE = 0.8
# Wide gaps in justified text line up by chance only: the columns they make are mostly empty.
LEAST_FILLED = 0.65
PARAGRAPH_GAP = 1.45
HEADING_SIZE = 1.12
MAX_HEADING_CHARACTERS = 120
# The part of the page's height, above and below, in which running headers and footers stand.
RUNNING_BAND = 0.1

_BULLET = re.compile(r"[•●▪■◦‣–—*-]\s|\(?[a-zA-Z]{1,4}[.)]\s|\(\d{1,3}\)\s|（?[一二三四五六七八九十\d]{1,3}[）、]")
_LEADERS = re.compile(r"\.{5,}|…{2,}|(?:\. ){4,}|_{6,}")
_LIST_MARK = re.compile(r"[•●▪■◦‣–—*-]|[(（]?[\w.]{1,6}[.)）]?(?:\([a-z]{1,4}\))*", re.IGNORECASE)
_CONTENTS_LINE = re.compile(r".*(?:\.{5,}|…{2,}|(?:\. ){4,}|_{6,})\s*[\divxlc]{1,5}", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Run:
    """Characters on one baseline without a wide gap, as they follow each other in the file.

    `line` counts the printed lines of the page in the file's order; `size` is the font's height in points.
    """

    text: str
    box: Box
    size: float
    bold: bool
    line: int

    @property
    def middle(self) -> float:
        return (self.box[1] + self.box[3]) / 2


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """A line of prose with what tells a heading from a paragraph."""

    text: str
    box: Box
    size: float
    bold: bool


@dataclass(frozen=True, slots=True)
class RunningText:
    """Lines that repeat on most pages, digits aside, near their top or bottom edge."""

    patterns: frozenset[str]

    @classmethod
    def of(cls, pages: Sequence[tuple[float, Sequence[Run]]]) -> RunningText:
        """What repeats on at least three pages and on four in ten; `pages` are heights with their runs."""
        counts: Counter[str] = Counter()
        for height, runs in pages:
            counts.update({_pattern(run.text) for run in runs if in_band(run, height)})
        least = max(3, 0.4 * len(pages))
        return cls(frozenset(pattern for pattern, count in counts.items() if count >= least))

    def without(self, runs: Sequence[Run], height: float) -> list[Run]:
        """The runs that are not running text, nor beside it: a chapter's name changes, its page number tells it."""
        baselines = [run.middle for run in runs if in_band(run, height) and _pattern(run.text) in self.patterns]
        return [run for run in runs if not any(abs(run.middle - at) < 0.5 * run.size for at in baselines)]


def in_band(run: Run, height: float) -> bool:
    return run.box[3] < RUNNING_BAND * height or run.box[1] > (1 - RUNNING_BAND) * height


def _pattern(text: str) -> str:
    return _DIGITS.sub("#", " ".join(text.split()).lower())


@dataclass(frozen=True, slots=True)
class Style:
    """The body's font size, the sizes of larger fonts (largest first), and the titles of the outline by level."""

    body_size: float
    heading_sizes: tuple[float, ...]
    outline: dict[str, int]

    @classmethod
    def of(cls, runs: Iterable[Run], outline: dict[str, int]) -> Style:
        """`outline` maps `title_key` of a title to its level from 1."""
        sizes: Counter[float] = Counter()
        for run in runs:
            sizes[round(run.size, 1)] += len(run.text)
        body = max(sizes, key=lambda size: sizes[size], default=10.0)
        larger = sorted((size for size in sizes if size > HEADING_SIZE * body), reverse=True)
        return cls(body, tuple(larger), outline)

    def heading_level(self, line: PrintedLine, *, alone: bool) -> int | None:
        """The level of the line if it is a heading. `alone`: with space above it and below, or a bold line."""
        text = line.text
        if len(text) > MAX_HEADING_CHARACTERS or _LEADERS.search(text) or not any(c.isalpha() for c in text):
            return None
        if level := self.outline.get(title_key(text)):
            return level
        numbered = is_heading_line(text)
        larger = line.size > HEADING_SIZE * self.body_size
        if numbered and (alone or larger or line.bold):
            return numbered
        if text[-1] in ".;:,。；：，" or not larger:
            return None
        rank = next((rank for rank, size in enumerate(self.heading_sizes) if line.size >= size - 0.2), 3)
        return min(rank, 3) + 1


def title_key(text: str) -> str:
    """A title without space, case and final dots, to compare an outline's with the page's."""
    return "".join(text.split()).lower().rstrip(".")


def page_blocks(runs: Sequence[Run], rules: Sequence[float], style: Style) -> list[Block]:
    """The blocks of one page in the file's order; a table stands where its first cell does.

    `rules` are the heights of horizontal lines drawn on the page.
    """
    tables = find_tables(runs, rules)
    in_table = {id(run) for table in tables for run in table.runs}
    starts = {id(table.runs[0]): table for table in tables}
    blocks: list[Block] = []
    prose: list[Run] = []
    for run in runs:
        if id(run) not in in_table:
            prose.append(run)
        elif id(run) in starts:
            blocks += prose_blocks(printed_lines(prose), style)
            prose = []
            blocks.append(starts[id(run)].block())
    return blocks + prose_blocks(printed_lines(prose), style)


# Prose


def printed_lines(runs: Sequence[Run]) -> list[PrintedLine]:
    """Runs of the same line joined, in the file's order, without the lines of a table of contents.

    Those repeat every heading with its page; a question would be led to them and not to the section.
    """
    lines: list[list[Run]] = []
    for run in runs:
        if lines and lines[-1][-1].line == run.line:
            lines[-1].append(run)
        else:
            lines.append([run])
    printed = [
        PrintedLine(
            " ".join(run.text for run in line),
            _union(run.box for run in line),
            max(run.size for run in line),
            all(run.bold for run in line),
        )
        for line in lines
    ]
    return [line for line in printed if not _CONTENTS_LINE.fullmatch(line.text)]


def prose_blocks(lines: Sequence[PrintedLine], style: Style) -> list[Block]:
    """Headings and paragraphs: a gap, a change of font, a bullet or a clause number begins a new block."""
    blocks: list[Block] = []
    paragraph: list[PrintedLine] = []
    pitch = _line_pitch(lines)

    def close() -> None:
        if paragraph:
            blocks.append(Block("text", tuple(Line(line.text, line.box) for line in paragraph)))
            paragraph.clear()

    previous: PrintedLine | None = None
    heading: tuple[int, PrintedLine] | None = None
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else None
        gap = previous is None or _apart(previous, line, pitch)
        alone = gap and (following is None or line.bold or _apart(line, following, pitch))
        level = style.heading_level(line, alone=alone)
        if level:
            close()
            if heading and heading[0] == level and _continues_heading(heading[1], line):
                last = blocks.pop()
                blocks.append(Block("heading", (*last.lines, Line(line.text, line.box)), level))
            else:
                blocks.append(Block("heading", (Line(line.text, line.box),), level))
            heading = (level, line)
        else:
            if gap or _begins_item(line.text) or (previous and _other_font(previous, line)):
                close()
            paragraph.append(line)
            heading = None
        previous = line
    close()
    return blocks


def _line_pitch(lines: Sequence[PrintedLine]) -> float:
    steps = [lower.box[1] - upper.box[1] for upper, lower in pairwise(lines)]
    usual = [step for step in steps if 0 < step < 40]
    return median(usual) if usual else 12.0


def _apart(upper: PrintedLine, lower: PrintedLine, pitch: float) -> bool:
    """Whether there is more than a line's distance between them, or the lower one is in another column."""
    step = lower.box[1] - upper.box[1]
    usual = min(pitch, 1.6 * max(upper.size, lower.size))
    return step < -0.5 * pitch or step > PARAGRAPH_GAP * usual


def _begins_item(text: str) -> bool:
    return bool(_BULLET.match(text)) or clause_number(text) is not None


def _other_font(upper: PrintedLine, lower: PrintedLine) -> bool:
    return abs(upper.size - lower.size) > 1.0 or (upper.bold and not lower.bold)


def _continues_heading(upper: PrintedLine, lower: PrintedLine) -> bool:
    """Whether a heading goes on in a second line: same font, right below, and no number of its own."""
    below = 0 < lower.box[1] - upper.box[1] < 1.7 * upper.size
    return below and abs(upper.size - lower.size) < 0.3 and not _begins_item(lower.text)


# Tables


@dataclass(frozen=True, slots=True)
class Table:
    """Cells of text in rows and columns; `runs` are what it is made of, in the file's order."""

    runs: tuple[Run, ...]
    rows: tuple[tuple[tuple[Run, ...], ...], ...]

    def block(self) -> Block:
        return Block("table", tuple(_table_line(row) for row in self.rows))


def _table_line(row: Sequence[Sequence[Run]]) -> Line:
    cells = [" ".join(run.text for run in cell).replace("|", "/") for cell in row]
    return Line("| " + " | ".join(cells) + " |", _union(run.box for cell in row for run in cell))


def find_tables(runs: Sequence[Run], rules: Sequence[float]) -> list[Table]:
    """Groups of at least two rows whose cells stand below each other in at least two columns."""
    tables = []
    for rows in _regions(_visual_rows(runs)):
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
    return all(
        end - start > NARROWEST_PROSE and column and median(_width(run) for run in column) > FULL_LINE * (end - start)
        for column, (start, end) in zip(by_column, columns, strict=True)
    )


def _visual_rows(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs on one baseline, left to right; rows from top to bottom."""
    rows: list[list[Run]] = []
    for run in sorted(runs, key=lambda run: run.middle):
        if rows and abs(rows[-1][0].middle - run.middle) < 0.35 * min(run.size, rows[-1][0].size):
            rows[-1].append(run)
        else:
            rows.append([run])
    return [sorted(row, key=lambda run: run.box[0]) for row in rows]


def _regions(rows: Sequence[list[Run]]) -> Iterator[list[list[Run]]]:
    """Neighbouring rows that belong to one table: several cells, or a cell's further line below one of them."""
    region: list[list[Run]] = []
    for row in rows:
        if region and not _belongs(region, row):
            yield from _trimmed(region)
            region = []
        if region or len(row) > 1:
            region.append(row)
    yield from _trimmed(region)


def _belongs(region: Sequence[Sequence[Run]], row: Sequence[Run]) -> bool:
    above = region[-1]
    if row[0].box[1] - above[0].box[3] > 2.2 * row[0].size:
        return False
    aligned = [run for run in row if any(_share_edge(run, cell) for earlier in region[-4:] for cell in earlier)]
    if len(row) > 1:
        return len(aligned) >= min(2, len(row)) or len(aligned) == len(row)
    # A single run goes on a cell when it starts under one that is not the widest column of prose.
    return bool(aligned) and _width(row[0]) < 0.6 * _width_of(region)


def _trimmed(region: list[list[Run]]) -> Iterator[list[list[Run]]]:
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


def _columns(rows: Sequence[Sequence[Run]]) -> list[tuple[float, float]]:
    """The horizontal extent of each column, left to right: cells that overlap stand in the same one."""
    extents = sorted((run.box[0], run.box[2]) for row in rows if len(row) > 1 for run in row)
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
    return columns


def _logical_rows(
    rows: Sequence[Sequence[Run]], columns: Sequence[tuple[float, float]], rules: Sequence[float]
) -> list[tuple[tuple[Run, ...], ...]]:
    """Printed rows put together where cells run over several lines: between two rules, else by distance."""
    top, bottom = rows[0][0].box[1] - 12, rows[-1][0].box[3] + 12
    inside = [rule for rule in rules if top <= rule <= bottom]
    pitches = [lower[0].middle - upper[0].middle for upper, lower in pairwise(rows)]
    least = min(pitches)
    groups: list[list[Run]] = [list(rows[0])]
    for (upper, lower), pitch in zip(pairwise(rows), pitches, strict=True):
        if len(inside) >= 3:
            new = any(upper[0].middle < rule < lower[0].middle for rule in inside)
        else:
            starts_row = lower[0].box[0] < columns[0][1] and len(lower) > 1
            new = starts_row and (pitch > 1.25 * least or max(pitches) < 1.25 * least)
            new = new or pitch > 1.7 * least
        if new:
            groups.append([])
        groups[-1].extend(lower)
    return [tuple(_cells(group, columns)) for group in groups]


def _cells(runs: Sequence[Run], columns: Sequence[tuple[float, float]]) -> Iterator[tuple[Run, ...]]:
    cells: list[list[Run]] = [[] for _ in columns]
    for run in runs:
        overlaps = [min(run.box[2], end) - max(run.box[0], start) for start, end in columns]
        cells[max(range(len(columns)), key=overlaps.__getitem__)].append(run)
    yield from (tuple(cell) for cell in cells)


def _width(run: Run) -> float:
    return run.box[2] - run.box[0]


def _width_of(rows: Sequence[Sequence[Run]]) -> float:
    return max(run.box[2] for row in rows for run in row) - min(run.box[0] for row in rows for run in row)


def _union(boxes: Iterable[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
