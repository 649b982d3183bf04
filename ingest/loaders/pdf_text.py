"""The characters of a PDF page as runs with boxes, through pdfium. The caller holds pdfium's lock."""

from __future__ import annotations

import ctypes
import math
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from statistics import median
from typing import Any

import pypdfium2.raw as pdfium

from ingest.document import Box
from ingest.loaders.reading_order import in_reading_order
from ingest.loaders.runs import Gap, PageText, Run, union

MAX_CHARACTERS_PER_PAGE = 200_000
MAX_RULES_PER_PAGE = 5_000
# A gap this many times the font size is no word space but the border of a column.
COLUMN_GAP = 1.4
# Where cells of a table nearly touch, the gap is still so many times as wide as the spaces within them.
WIDE_SPACE = 1.8
# Sides of boxes that stand below each other for so many points part columns.
SHORTEST_POST = 30

LINE_HEIGHT = 1.15
USUAL_LINE_HEIGHT = 11.5

_SOFT_HYPHENS = {"\x02", "\ufffe", "\u00ad"}
_RIGHT_TO_LEFT = {"R", "AL", "NSM"}
_DIRECTION_SAMPLES = 100

Transform = Callable[[float, float], tuple[float, float]]


def read_page(page: Any) -> PageText:
    """The text of a pypdfium2 page, in the order in which it is read."""
    displayed = page.get_rotation()
    text_page = page.get_textpage()
    try:
        upright = _upright_rotation(text_page.raw, displayed)
        if upright != displayed:
            # pdfium orders lines as on the displayed page, which is back to front for a page turned on its side.
            text_page.close()
            page.set_rotation(upright)
            text_page = page.get_textpage()
        width, height = page.get_size()
        to_page = _page_transform(page, width, height)
        drawn = _drawn_boxes(page, to_page)
        runs = list(_runs(text_page.raw, to_page, _Posts.of(drawn)))
        text = PageText(width, height, (displayed - upright) % 360, runs, _rules(drawn))
    finally:
        text_page.close()
        page.set_rotation(displayed)
    return _laid_down(text) if _is_vertical(runs) else text


def _is_vertical(runs: Sequence[Run]) -> bool:
    """Whether most of the text runs downwards with its letters upright, as Chinese and Japanese may."""
    downwards = sum(len(run.text) for run in runs if len(run.text) > 2 and _height(run) > 1.5 * _width(run))
    return 2 * downwards > sum(len(run.text) for run in runs)


def _height(run: Run) -> float:
    return run.box[3] - run.box[1]


def _width(run: Run) -> float:
    return run.box[2] - run.box[0]


def _laid_down(text: PageText) -> PageText:
    """A page of vertical lines, read from the right, turned so that they are level and read from the top."""
    runs = [
        replace(run, box=(run.box[1], text.width - run.box[2], run.box[3], text.width - run.box[0]), gaps=())
        for run in text.runs
    ]
    return PageText(text.height, text.width, (text.turn + 90) % 360, in_reading_order(runs), [])


def _upright_rotation(text_page: Any, displayed: int) -> int:
    """How the page must be turned, in degrees clockwise, for most of its characters to stand upright."""
    count = pdfium.FPDFText_CountChars(text_page)
    turns: Counter[int] = Counter()
    for index in range(0, count, max(1, count // _DIRECTION_SAMPLES)):
        angle = pdfium.FPDFText_GetCharAngle(text_page, index)
        if angle >= 0:
            turns[-round(math.degrees(angle) / 90) * 90 % 360] += 1
    if not turns:
        return displayed
    usual, votes = turns.most_common(1)[0]
    return usual if votes > 0.5 * turns.total() else displayed


def _page_transform(page: Any, width: float, height: float) -> Transform:
    """From the file's coordinates to points from the top left of the page, turned and cropped."""
    # pdfium answers in whole pixels: ask on a raster fine enough for a hundredth of a point.
    raster = 100.0
    size = (int(width * raster), int(height * raster))

    def ask(x: float, y: float) -> tuple[float, float]:
        left, top = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDF_PageToDevice(page.raw, 0, 0, *size, 0, x, y, ctypes.byref(left), ctypes.byref(top))
        return left.value / raster, top.value / raster

    (x0, y0), (xx, xy), (yx, yy) = ask(0, 0), ask(1000, 0), ask(0, 1000)
    a, b, c, d = (xx - x0) / 1000, (yx - x0) / 1000, (xy - y0) / 1000, (yy - y0) / 1000
    return lambda x, y: (x0 + a * x + b * y, y0 + c * x + d * y)


def _page_box(to_page: Transform, left: float, bottom: float, right: float, top: float) -> Box:
    (x0, y0), (x1, y1) = to_page(left, bottom), to_page(right, top)
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


@dataclass(slots=True)
class _OpenRun:
    """A run that is still growing."""

    text_page: Any
    first: int
    size: float
    line: int
    last: int = 0
    characters: list[str] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    spaces: list[Gap] = field(default_factory=list)

    def add(self, character: str, index: int, box: Box) -> None:
        self.last = index
        if self.characters and self.characters[-1] == " ":
            words = len("".join(self.characters).split())
            self.spaces.append(Gap(words, self.boxes[-1][2], box[0]))
        self.characters.insert(self._place(character, box), "-" if character in _SOFT_HYPHENS else character)
        self.boxes.append(box)

    def _place(self, character: str, box: Box) -> int:
        """Where the character belongs: pdfium turns text from right to left around, ligatures with it."""
        place = len(self.characters)
        if unicodedata.bidirectional(character) not in _RIGHT_TO_LEFT:
            return place
        boxes = takewhile(box.__eq__, reversed(self.boxes))
        letters = takewhile(lambda letter: letter != " ", reversed(self.characters))
        return place - sum(1 for _ in zip(boxes, letters, strict=False))

    def finish(self) -> Iterator[Run]:
        text = " ".join("".join(self.characters).split())
        if text:
            bold = _is_bold(self.text_page, self.first) and _is_bold(self.text_page, self.last)
            yield Run(text, union(self.boxes), self.size, bold, self.line, self._gaps())

    def _gaps(self) -> tuple[Gap, ...]:
        if len(self.spaces) < 3:  # nothing to compare with
            return ()
        least = WIDE_SPACE * median(space.right - space.left for space in self.spaces)
        return tuple(space for space in self.spaces if space.right - space.left > max(least, 0.3 * self.size))


def _runs(text_page: Any, to_page: Transform, posts: _Posts) -> Iterator[Run]:
    """The page's characters as runs, in the file's order; pdfium marks the ends of lines and inserts spaces."""
    corners = [ctypes.c_double() for _ in range(4)]
    left, right, bottom, top = corners
    references = [ctypes.byref(corner) for corner in corners]
    line = 0
    current: _OpenRun | None = None
    for index in range(min(pdfium.FPDFText_CountChars(text_page), MAX_CHARACTERS_PER_PAGE)):
        code = pdfium.FPDFText_GetUnicode(text_page, index)
        character = chr(code) if code else "\ufffd"
        if character in "\r\n":
            line += character == "\n"
            if current:
                yield from current.finish()
            current = None
            continue
        if character.isspace():
            if current:
                current.characters.append(" ")
            continue
        if not pdfium.FPDFText_GetCharBox(text_page, index, *references):
            continue
        box = _page_box(to_page, left.value, bottom.value, right.value, top.value)
        if current and (_far(current, box) or posts.between(current.boxes[-1], box)):
            # Behind a hyphen pdfium marks no end of line.
            line += _is_next_line(current, box)
            yield from current.finish()
            current = None
        if current is None:
            current = _OpenRun(text_page, index, _font_size(text_page, index), line)
        current.add(character, index, box)
    if current:
        yield from current.finish()


def _far(run: _OpenRun, box: Box) -> bool:
    """Whether a character begins a new run: a wide gap to the right, a step back, or another height."""
    last = run.boxes[-1]
    size = max(run.size, 4.0)
    return (
        box[0] - last[2] > COLUMN_GAP * size
        or last[0] - box[2] > 2 * size
        or min(abs(box[1] - last[3]), abs(box[3] - last[1])) > 1.6 * size
    )


def _is_next_line(run: _OpenRun, box: Box) -> bool:
    last = run.boxes[-1]
    return box[2] < last[0] and (box[1] + box[3]) / 2 > last[3]


def _font_size(text_page: Any, index: int) -> float:
    """The height of a line of the character's font, in points: fonts say it too differently to be asked."""
    matrix = pdfium.FS_MATRIX()
    scale = 1.0
    if pdfium.FPDFText_GetMatrix(text_page, index, ctypes.byref(matrix)):
        scale = math.hypot(matrix.c, matrix.d)
    height = LINE_HEIGHT * scale * pdfium.FPDFText_GetFontSize(text_page, index)
    return height if math.isfinite(height) and 1.0 < height < 500.0 else USUAL_LINE_HEIGHT


def _is_bold(text_page: Any, index: int) -> bool:
    weight = pdfium.FPDFText_GetFontWeight(text_page, index)
    if weight >= 600:
        return True
    buffer = ctypes.create_string_buffer(128)
    flags = ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(text_page, index, buffer, 128, ctypes.byref(flags))
    name = buffer.value.lower()
    return b"bold" in name or b"black" in name or b"heavy" in name


def _drawn_boxes(page: Any, to_page: Transform) -> list[Box]:
    """The extents of the lines and boxes drawn on the page."""
    drawn = islice(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH]), MAX_RULES_PER_PAGE)
    boxes = (_page_box(to_page, *path.get_bounds()) for path in drawn)
    return [box for box in boxes if all(map(math.isfinite, box))]


def _rules(drawn: Sequence[Box]) -> list[float]:
    """The heights of horizontal lines and of the edges of boxes."""
    return sorted({round(y, 1) for x0, y0, x1, y1 in drawn if x1 - x0 > 40 for y in (y0, y1)})


@dataclass(frozen=True, slots=True)
class _Posts:
    """Vertical lines and the sides of boxes that part the columns of tables: where they stand, from left to right,
    and from where to where they reach."""

    places: list[float]
    extents: list[tuple[float, float]]

    @classmethod
    def of(cls, drawn: Sequence[Box]) -> _Posts:
        """Sides that stand below each other for several lines: those around a single word part nothing."""
        sides = [(x, y0, y1) for x0, y0, x1, y1 in drawn if y1 - y0 > 6 for x in {x0, x1}]
        lengths: Counter[int] = Counter()
        for x, top, bottom in set(sides):
            lengths[round(x)] += round(bottom - top)
        posts = sorted(
            side for side in sides if sum(lengths[round(side[0]) + step] for step in (-1, 0, 1)) > SHORTEST_POST
        )
        return cls([x for x, _, _ in posts], [(top, bottom) for _, top, bottom in posts])

    def between(self, left: Box, right: Box) -> bool:
        """Whether one stands between two characters of a line."""
        middle = (right[1] + right[3]) / 2
        first, last = bisect_left(self.places, left[2] - 0.5), bisect_right(self.places, right[0] + 0.5)
        return any(top <= middle <= bottom for top, bottom in self.extents[first:last])
