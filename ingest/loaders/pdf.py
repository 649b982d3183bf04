"""PDF: characters, boxes and page images through pdfium; outline, printed page labels and title through pypdf."""

from __future__ import annotations

import ctypes
import io
import logging
import math
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdf
import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageDraw
from pypdf.errors import PyPdfError

from ingest.document import Box, Document, Page
from ingest.errors import UsageError
from ingest.loaders.errors import UnreadableFileError
from ingest.loaders.layout import COLUMN_GAP, Run, RunningText, Style, page_blocks, title_key
from ingest.numbering import clause_number

# pdfium keeps global state: one thread at a time.
_LOCK = threading.RLock()

MAX_PAGES = 20_000
MAX_CHARACTERS_PER_PAGE = 200_000
MAX_RULES_PER_PAGE = 5_000
MAX_IMAGE_PIXELS = 40_000_000
HIGHLIGHT = (255, 200, 0, 90)

_SOFT_HYPHENS = {"\x02", "\ufffe", "\u00ad"}
_HEADER_SEARCH_BYTES = 1024
# What programs write where nobody gave a title.
_NO_TITLE = re.compile(r"(?:untitled|microsoft word|microsoft powerpoint|document\d*$|.*\.\w{3,4}$)", re.IGNORECASE)
_ONLY_A_PLACE = re.compile(
    r"(?:exhibit|annex|appendix|schedule)\b.{0,12}|(?:table of )?contents|execution (?:copy|version)|目录",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _RawPage:
    width: float
    height: float
    runs: list[Run]
    rules: list[float]


def load_pdf(path: Path, *, passwords: Sequence[str] = ()) -> Document:
    """The PDF's pages with their printed labels, boxes in points from the top left as displayed.

    Running headers and footers are left out. Raises `UnreadableFileError` for a damaged or locked file and for one
    without any text.
    """
    with path.open("rb") as file:
        if b"%PDF-" not in file.read(_HEADER_SEARCH_BYTES):
            raise UnreadableFileError("This is not a PDF, though it is named like one. Check the file.")
    with _LOCK, _opened(path, passwords) as (pdf, password):
        raw_pages = [_read_page(pdf, index) for index in range(len(pdf))]
    if not any(page.runs for page in raw_pages):
        raise UnreadableFileError("No page has a text layer: this looks like a scan, and OCR is not available yet.")

    facts = _Facts.read(path, password, len(raw_pages))
    running = RunningText.of([(page.height, page.runs) for page in raw_pages])
    style = Style.of((run for page in raw_pages for run in page.runs), facts.outline)
    pages = tuple(
        Page(
            number,
            facts.labels[number - 1],
            tuple(page_blocks(running.without(page.runs, page.height), page.rules, style)),
            page.width,
            page.height,
        )
        for number, page in enumerate(raw_pages, start=1)
    )
    return Document(facts.title or _first_heading(pages) or path.stem, pages)


def render_page(path: Path, page_number: int, *, boxes: Sequence[Box] = (), width: int = 1000) -> bytes:
    """A page as PNG, `width` pixels wide, with `boxes` highlighted.

    Raises `UsageError` for a page that does not exist and `UnreadableFileError` where the file cannot be opened.
    """
    with _LOCK, _opened(path, ()) as (pdf, _):
        if not 1 <= page_number <= len(pdf):
            raise UsageError(f"The document has {len(pdf)} pages; there is no page {page_number}.")
        page = pdf[page_number - 1]
        page_width, page_height = page.get_size()
        scale = width / max(page_width, 1.0)
        if width * page_height * scale > MAX_IMAGE_PIXELS:
            raise UnreadableFileError(
                f"Page {page_number} is too tall to be drawn ({page_width:.0f}x{page_height:.0f} points)."
            )
        image = page.render(scale=scale).to_pil().convert("RGB")
    shade = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(shade)
    for x0, y0, x1, y1 in boxes:
        draw.rectangle((x0 * scale - 2, y0 * scale - 2, x1 * scale + 2, y1 * scale + 2), fill=HIGHLIGHT)
    highlighted = Image.alpha_composite(image.convert("RGBA"), shade).convert("RGB")
    buffer = io.BytesIO()
    highlighted.save(buffer, "PNG")
    return buffer.getvalue()


@contextmanager
def _opened(path: Path, passwords: Sequence[str]) -> Iterator[tuple[Any, str | None]]:
    """The file in pdfium and the password that opened it (None: it needs none); the empty one is tried first."""
    for password in (None, "", *passwords):
        try:
            pdf = pypdfium2.PdfDocument(path, password=password)
        except pypdfium2.PdfiumError as error:
            if error.err_code == pdfium.FPDF_ERR_PASSWORD:
                continue
            raise UnreadableFileError(
                "The PDF is damaged and cannot be opened. Save it anew with a PDF program."
            ) from error
        try:
            if len(pdf) > MAX_PAGES:
                raise UnreadableFileError(f"The PDF has {len(pdf)} pages; at most {MAX_PAGES} are read. Split it.")
            yield pdf, password
        finally:
            pdf.close()
        return
    given = "none of the passwords given opens it" if passwords else "no password was given"
    raise UnreadableFileError(f"The PDF is encrypted and {given}. Name its password with --password.")


def _read_page(pdf: Any, index: int) -> _RawPage:
    try:
        page = pdf[index]
    except pypdfium2.PdfiumError as error:
        raise UnreadableFileError(
            f"Page {index + 1} of the PDF is damaged. Save the file anew with a PDF program."
        ) from error
    width, height = page.get_size()
    to_display = _display_transform(page, width, height)
    text_page = page.get_textpage()
    try:
        runs = list(_runs(text_page.raw, to_display))
        rules = _rules(page, to_display)
    finally:
        text_page.close()
        page.close()
    return _RawPage(width, height, runs, rules)


Transform = Callable[[float, float], tuple[float, float]]


def _display_transform(page: Any, width: float, height: float) -> Transform:
    """From the page's own coordinates to points from the top left of the page as displayed, turned and cropped."""
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


def _display_box(to_display: Transform, left: float, bottom: float, right: float, top: float) -> Box:
    (x0, y0), (x1, y1) = to_display(left, bottom), to_display(right, top)
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


@dataclass(slots=True)
class _OpenRun:
    """A run that is still growing."""

    characters: list[str]
    boxes: list[Box]
    size: float
    bold: bool
    line: int

    def finish(self) -> Run | None:
        text = " ".join("".join(self.characters).split())
        if not text or not self.boxes:
            return None
        lefts, tops, rights, bottoms = zip(*self.boxes, strict=True)
        return Run(text, (min(lefts), min(tops), max(rights), max(bottoms)), self.size, self.bold, self.line)


def _runs(text_page: Any, to_display: Transform) -> Iterator[Run]:
    """The page's characters as runs, in the file's order; pdfium marks the ends of lines and inserts spaces."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    corners = tuple(ctypes.byref(value) for value in (left, right, bottom, top))
    line = 0
    current: _OpenRun | None = None
    for index in range(min(pdfium.FPDFText_CountChars(text_page), MAX_CHARACTERS_PER_PAGE)):
        code = pdfium.FPDFText_GetUnicode(text_page, index)
        character = chr(code) if code else "\ufffd"
        if character in "\r\n":
            line += character == "\n"
            if current and (run := current.finish()):
                yield run
            current = None
            continue
        if character.isspace():
            if current:
                current.characters.append(" ")
            continue
        if not pdfium.FPDFText_GetCharBox(text_page, index, *corners):
            continue
        box = _display_box(to_display, left.value, bottom.value, right.value, top.value)
        if current and _far(current, box):
            if run := current.finish():
                yield run
            current = None
        if current is None:
            current = _OpenRun([], [], _font_size(text_page, index, to_display), _is_bold(text_page, index), line)
        current.characters.append("-" if character in _SOFT_HYPHENS else character)
        current.boxes.append(box)
    if current and (run := current.finish()):
        yield run


def _far(run: _OpenRun, box: Box) -> bool:
    """Whether a character begins a new run: a wide gap to the right, a step back, or another height."""
    last = run.boxes[-1]
    size = max(run.size, 4.0)
    return (
        box[0] - last[2] > COLUMN_GAP * size
        or last[0] - box[2] > 2 * size
        or min(abs(box[1] - last[3]), abs(box[3] - last[1])) > 1.6 * size
    )


def _font_size(text_page: Any, index: int, to_display: Transform) -> float:
    """The height of the font's box at this character, in points as displayed."""
    rectangle = pdfium.FS_RECTF()
    if not pdfium.FPDFText_GetLooseCharBox(text_page, index, ctypes.byref(rectangle)):
        return 10.0
    x0, y0, x1, y1 = _display_box(to_display, rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
    height = y1 - y0
    return height if math.isfinite(height) and 1.0 < height < 500.0 else max(x1 - x0, 4.0)


def _is_bold(text_page: Any, index: int) -> bool:
    weight = pdfium.FPDFText_GetFontWeight(text_page, index)
    if weight >= 600:
        return True
    buffer = ctypes.create_string_buffer(128)
    flags = ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(text_page, index, buffer, 128, ctypes.byref(flags))
    name = buffer.value.lower()
    return b"bold" in name or b"black" in name or b"heavy" in name


def _rules(page: Any, to_display: Transform) -> list[float]:
    """The heights of horizontal lines and of the edges of boxes drawn on the page."""
    heights: set[float] = set()
    for count, drawn in enumerate(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH])):
        if count >= MAX_RULES_PER_PAGE:
            break
        x0, y0, x1, y1 = _display_box(to_display, *drawn.get_bounds())
        if x1 - x0 > 40 and all(map(math.isfinite, (y0, y1))):
            heights.update((round(y0, 1), round(y1, 1)))
    return sorted(heights)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What pypdf knows of a file: title, a printed label for each page, outline titles with their level."""

    title: str
    labels: list[str]
    outline: dict[str, int]

    @classmethod
    def read(cls, path: Path, password: str | None, pages: int) -> _Facts:
        """Plain page numbers and no outline where pypdf cannot read what pdfium could."""
        plain = cls("", [str(number) for number in range(1, pages + 1)], {})
        # pypdf warns about every oddity that it mends; pdfium has read the text already.
        logging.getLogger("pypdf").setLevel(logging.ERROR)
        try:
            reader = pypdf.PdfReader(path)
            if reader.is_encrypted and not reader.decrypt(password or ""):
                return plain
            title = (reader.metadata.title or "") if reader.metadata else ""
            labels = list(reader.page_labels)
            outline = dict(_outline_levels(reader.outline, 1))
        except (
            PyPdfError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            IndexError,
            RecursionError,
            OSError,
        ) as error:
            logging.getLogger(__name__).warning("%s: outline and page labels cannot be read: %r", path, error)
            return plain
        title = "" if _NO_TITLE.match(title.strip()) else title.strip()
        return cls(title, labels if len(labels) == pages else plain.labels, outline)


def _outline_levels(entries: Sequence[Any], level: int) -> Iterator[tuple[str, int]]:
    for entry in entries:
        if isinstance(entry, list):
            yield from _outline_levels(entry, level + 1)
        elif title := str(entry.title or "").strip():
            yield title_key(title), level


def _first_heading(pages: Sequence[Page]) -> str:
    """The first heading that names the document; "EXHIBIT 10.3" names only its place in a filing."""
    headings = (block.text for page in pages[:3] for block in page.blocks if block.kind == "heading")
    titles = (" ".join(heading.split()) for heading in headings)
    return next((title for title in titles if not (_ONLY_A_PLACE.fullmatch(title) or clause_number(title))), "")
