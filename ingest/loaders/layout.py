"""From runs of characters on a page to lines, tables, headings and paragraphs. Pure: knows nothing about PDF.

All coordinates are points from the top left corner of the page as it is displayed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from ingest.document import Block, Box, Line
from ingest.loaders.grid import find_tables
from ingest.loaders.runs import PageText, Row, Run, split_at_columns, union, visual_rows
from ingest.numbering import begins_with_signal_word, clause_number, is_heading_line

PARAGRAPH_GAP = 1.45
# Lines of a paragraph stand no further apart, in font heights, even where every other line is a paragraph.
WIDEST_PITCH = 1.5
HEADING_SIZE = 1.12
MAX_HEADING_CHARACTERS = 120
LOWEST_LEVEL = 5
# A font that so much of the text is set in is no heading's, though others are smaller.
BODY_SHARE = 0.25
# A line that ends so far left of the usual right edge is the last of its paragraph, in parts of the usual width.
SHORT_LINE = 0.12
# A page is one of a table of contents when so many of its rows end in page numbers.
CONTENTS_SHARE = 0.5
LEAST_CONTENTS_ROWS = 4

_BULLET = re.compile(r"[•●▪■◦‣–—*-]\s|\(?[a-zA-Z]{1,4}[.)]\s|\(\d{1,3}\)\s|（?[一二三四五六七八九十\d]{1,3}[）、]")
_LIST_SIGNS = "•●▪■◦‣"
_LEADERS = re.compile(r"\.{5,}|…{2,}|(?:\. ){4,}|_{6,}")
_CONTENTS_LINE = re.compile(r".*(?:\.{5,}|…{2,}|(?:\. ){4,}|_{6,})\s*[\divxlc]{1,5}", re.IGNORECASE)
_CONTENTS_TITLE = re.compile(r"(?:table of )?contents(?: \(continued\))?|目\s*[录次]", re.IGNORECASE)
_CONTENTS_ROW = re.compile(r".*[^\W\d].*\s(\d{1,4})")
# In capitals, bold or alone, but what follows does not stand under them: stamps and captions.
_NO_HEADING = re.compile(
    r"execution (?:copy|version)|confidential|draft|\W?.{0,24}intentionally.{0,20}|(?:page|seite) \d+"
    r"|(?:table|figure|fig\.|illustration|[表图])\s*[A-Z]?\d[-.\d]*\b.*",
    re.IGNORECASE,
)
_UNTITLED = re.compile(r"(?:article|section|chapter|part|clause)\s+[\w.]{1,8}|第.{1,6}[编章节条]", re.IGNORECASE)
_UNFINISHED = re.compile(r"(?:[,:–-]|\b(?:and|or|of|for|the|to|in|with|on))$", re.IGNORECASE)
_LAST_LINE = re.compile(r"(?:[.;:!?,。；：！？)\]”\"]|\b(?:and|or))$")


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """A line of prose with what tells a heading from a paragraph."""

    text: str
    box: Box
    size: float
    bold: bool


@dataclass(frozen=True, slots=True)
class Style:
    """What is usual in a document: the font size of its body, its larger sizes (largest first), where lines begin
    and end, and the titles of its outline by level."""

    body_size: float
    heading_sizes: tuple[float, ...]
    left: float
    right: float
    outline: dict[str, int]

    @classmethod
    def of(cls, runs: Sequence[Run], outline: dict[str, int]) -> Style:
        """`outline` maps `title_key` of a title to its level from 1."""
        sizes: Counter[float] = Counter()
        for run in runs:
            sizes[round(run.size, 1)] += len(run.text)
        usual = [size for size in sizes if sizes[size] >= BODY_SHARE * sizes.total()]
        body = max(usual) if usual else max(sizes, key=lambda size: sizes[size], default=10.0)
        larger = sorted((size for size in sizes if size > HEADING_SIZE * body), reverse=True)
        starts, ends = sorted(run.box[0] for run in runs), sorted(run.box[2] for run in runs)
        left, right = (starts[len(starts) // 10], ends[len(ends) * 9 // 10]) if runs else (0.0, 0.0)
        return cls(body, tuple(larger), left, right, outline)

    def is_short(self, line: PrintedLine) -> bool:
        """Whether the line ends well before the right edge, as the last one of a paragraph does."""
        return line.box[2] < self.right - SHORT_LINE * (self.right - self.left)

    def is_centred(self, line: PrintedLine) -> bool:
        before, after = line.box[0] - self.left, self.right - line.box[2]
        width = self.right - self.left
        return min(before, after) > SHORT_LINE * width and abs(before - after) < 0.5 * SHORT_LINE * width

    def heading_level(self, line: PrintedLine, *, alone: bool) -> int | None:
        """The level of the line if it is a heading. `alone`: with space above it and below, or a bold line."""
        text = line.text
        if len(text) > MAX_HEADING_CHARACTERS or _LEADERS.search(text) or not any(c.isalpha() for c in text):
            return None
        if _NO_HEADING.fullmatch(text) or text[0] in _LIST_SIGNS:
            return None
        if level := self.outline.get(title_key(text)):
            return level
        numbered = is_heading_line(text)
        larger = line.size > HEADING_SIZE * self.body_size
        capitals = text[0].isdigit() and text == text.upper()
        if numbered and (alone or larger or line.bold or capitals or self.is_centred(line)):
            return numbered
        if text[-1] in ".;:,。；：，" or begins_with_signal_word(text):
            return None
        if larger:
            rank = next((rank for rank, size in enumerate(self.heading_sizes) if line.size >= size - 0.2), 3)
            return min(rank, 3) + 1
        return LOWEST_LEVEL if line.bold and alone and self.is_short(line) else None


def title_key(text: str) -> str:
    """A title without space, case and final dots, to compare an outline's with the page's."""
    return "".join(text.split()).lower().rstrip(".")


def page_blocks(runs: Sequence[Run], rules: Sequence[float], style: Style) -> list[Block]:
    """The blocks of one page in the file's order; a table stands where its first cell does.

    `rules` are the heights of horizontal lines drawn on the page.
    """
    runs = split_at_columns(runs)
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


def displayed_blocks(page: PageText, runs: Sequence[Run], style: Style) -> tuple[Block, ...]:
    """The blocks of those runs of a page, with their boxes on the page as it is displayed."""
    blocks = page_blocks(runs, page.rules, style)
    if not (page.turn or page.skew):
        return tuple(blocks)
    return tuple(
        replace(block, lines=tuple(replace(line, box=line.box and page.displayed(line.box)) for line in block.lines))
        for block in blocks
    )


def without_contents(pages: Sequence[Sequence[Run]]) -> list[list[Run]]:
    """The pages without the rows of a table of contents, where it is titled as one.

    Those repeat every heading with its page; a question would be led to them and not to the section.
    """
    kept: list[list[Run]] = []
    within = False
    for runs in pages:
        rows = visual_rows(runs)
        within = within or any(_CONTENTS_TITLE.fullmatch(_row_text(row)) for row in rows[:6])
        entries = _contents_entries(rows) if within else []
        within = within and len(entries) >= max(LEAST_CONTENTS_ROWS, CONTENTS_SHARE * len(rows))
        dropped = {id(run) for row in entries for run in row} if within else set()
        kept.append([run for run in runs if id(run) not in dropped])
    return kept


def _row_text(row: Row) -> str:
    return " ".join(run.text for run in row)


def _contents_entries(rows: Sequence[Row]) -> list[Row]:
    """The rows that end in a page number no smaller than the one before."""
    entries: list[Row] = []
    last = 0
    for row in rows:
        match = _CONTENTS_ROW.fullmatch(_row_text(row))
        if match and int(match.group(1)) >= last:
            last = int(match.group(1))
            entries.append(row)
    return entries


def printed_lines(runs: Sequence[Run]) -> list[PrintedLine]:
    """Runs of the same line joined, in the file's order, without a table of contents' title and dotted lines."""
    lines: list[list[Run]] = []
    for run in runs:
        if lines and lines[-1][-1].line == run.line:
            lines[-1].append(run)
        else:
            lines.append([run])
    printed = [
        PrintedLine(
            " ".join(run.text for run in line),
            union(run.box for run in line),
            max(run.size for run in line),
            all(run.bold for run in line),
        )
        for line in lines
    ]
    return [
        line for line in printed if not (_CONTENTS_LINE.fullmatch(line.text) or _CONTENTS_TITLE.fullmatch(line.text))
    ]


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
    heading_level: int | None = None
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else None
        gap = previous is None or _apart(previous, line, pitch)
        alone = gap and (following is None or line.bold or _apart(line, following, pitch))
        level = style.heading_level(line, alone=alone)
        if level and previous and heading_level and _continues_heading(previous, line, level == heading_level):
            last = blocks.pop()
            blocks.append(Block("heading", (*last.lines, Line(line.text, line.box)), last.level))
        elif level:
            close()
            blocks.append(Block("heading", (Line(line.text, line.box),), level))
        else:
            if gap or (previous and _begins_paragraph(previous, line, following, style)):
                close()
            paragraph.append(line)
        previous, heading_level = line, level
    close()
    return blocks


def _line_pitch(lines: Sequence[PrintedLine]) -> float:
    steps = [lower.box[1] - upper.box[1] for upper, lower in pairwise(lines)]
    usual = [step for step in steps if 0 < step < 40]
    return median(usual) if usual else 12.0


def _apart(upper: PrintedLine, lower: PrintedLine, pitch: float) -> bool:
    """Whether there is more than a line's distance between them, or the lower one is in another column."""
    step = lower.box[1] - upper.box[1]
    usual = min(pitch, WIDEST_PITCH * max(upper.size, lower.size))
    return step < -0.5 * pitch or step > PARAGRAPH_GAP * usual


def _begins_item(previous: PrintedLine, line: PrintedLine, style: Style) -> bool:
    """Whether a bullet or a number begins an item here; within a sentence "(4)" or "Section 2.5" begins nothing."""
    if not (_BULLET.match(line.text) or clause_number(line.text)):
        return False
    return style.is_short(previous) or bool(_LAST_LINE.search(previous.text))


def _begins_paragraph(previous: PrintedLine, line: PrintedLine, following: PrintedLine | None, style: Style) -> bool:
    indent = line.box[0] - max(previous.box[0], following.box[0] if following else 0.0)
    indented = 0.6 * line.size < indent < 5 * line.size and bool(_LAST_LINE.search(previous.text))
    return indented or _begins_item(previous, line, style) or _other_font(previous, line)


def _other_font(upper: PrintedLine, lower: PrintedLine) -> bool:
    return abs(upper.size - lower.size) > 1.0 or (upper.bold and not lower.bold)


def _continues_heading(upper: PrintedLine, lower: PrintedLine, same_level: bool) -> bool:
    """Whether a heading goes on in a second line: right below in the same font, or below a number without title."""
    if _BULLET.match(lower.text) or clause_number(lower.text):
        return False
    step = lower.box[1] - upper.box[1]
    if _UNTITLED.fullmatch(upper.text):
        return 0 < step < 4.0 * upper.size
    goes_on = same_level or bool(_UNFINISHED.search(upper.text))
    return goes_on and 0 < step < 1.7 * upper.size and abs(upper.size - lower.size) < 0.3
