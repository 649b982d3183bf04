"""PDF: characters, boxes and page images through pdfium; outline, printed page labels and title through pypdf."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageDraw

from ingest.document import Box, Document, Ocr, Page
from ingest.errors import UsageError
from ingest.loaders.errors import UnreadableFileError
from ingest.loaders.layout import Style, displayed_blocks, without_contents
from ingest.loaders.pdf_attachments import read_attachments
from ingest.loaders.pdf_facts import read_facts
from ingest.loaders.pdf_file import opened
from ingest.loaders.pdf_image import covered_by_image, picture, shows_something
from ingest.loaders.pdf_text import read_page
from ingest.loaders.reading import Reading
from ingest.loaders.runs import PageText, Run, RunningText, with_entries
from ingest.loaders.text_quality import rubbish
from ingest.loaders.titles import document_title

# pdfium keeps global state: one thread at a time.
_LOCK = threading.RLock()

MAX_IMAGE_PIXELS = 40_000_000
HIGHLIGHT = (255, 200, 0, 90)

# A scan with no more text than this has only been stamped: a number, the line of a fax machine.
MOST_STAMPED_CHARACTERS = 100
LEAST_SCANNED = 0.7


@dataclass(frozen=True, slots=True)
class _ReadPage:
    """A page's text, whether it was recognised in its image, and what is wrong with it."""

    text: PageText
    ocr: Ocr | None = None
    problem: str = ""


def load_pdf(path: Path, reading: Reading | None = None) -> Document:
    """The PDF's pages with their printed labels, boxes in points from the top left as displayed.

    A page whose text layer is absent or unusable is recognised in its image. Running headers and footers are left
    out. Raises `UnreadableFileError` for a file that cannot be opened and for one without any text.
    """
    reading = reading or Reading()
    with _LOCK, opened(path, reading.config.passwords) as file:
        read = [_read_page(file.pdf, index, reading) for index in range(len(file.pdf))]
        facts = read_facts(file.source, file.password, len(read))
        attached = pdfium.FPDFDoc_GetAttachmentCount(file.pdf) > 0
        attachments, left_out = read_attachments(file.source, file.password) if attached else ((), ())
    if not attachments and not any(page.text.runs for page in read):
        raise UnreadableFileError(_why_nothing(read))

    runs = _body_runs([page.text for page in read])
    style = Style.of([run for page_runs in runs for run in page_runs], facts.outline)
    pages = tuple(
        Page(
            number,
            label,
            displayed_blocks(page.text, page_runs, style),
            *page.text.displayed_size,
            page.ocr,
            " ".join((page.problem, *left_out) if number == 1 else (page.problem,)).strip(),
        )
        for number, (label, page, page_runs) in enumerate(zip(facts.labels, read, runs, strict=True), start=1)
    )
    # Scanners write the name of the file where its title belongs.
    named = "" if " " not in facts.title and facts.title == path.stem else facts.title
    return Document(document_title(named, pages), pages, attachments)


def _body_runs(texts: Sequence[PageText]) -> list[list[Run]]:
    """The runs of each page without running headers and footers, unless there is nothing else, and without contents."""
    running = RunningText.of([(text.height, text.runs) for text in texts])
    body = [running.without(text.runs, text.height, index) for index, text in enumerate(texts)]
    return without_contents(body if any(body) else [text.runs for text in texts])


def _why_nothing(read: Sequence[_ReadPage]) -> str:
    problem = next((page.problem for page in read if page.problem), "Its pages are empty.")
    return f"The PDF holds no text that could be read. {problem}"


def _read_page(pdf: Any, index: int, reading: Reading) -> _ReadPage:
    number = index + 1
    reading.on_page(number, len(pdf))
    if sentence := reading.skip_pages.get(number):
        return _ReadPage(PageText(*_size(pdf, index), 0, [], []), problem=sentence)
    try:
        return _read_sound_page(pdf, index, recognising=reading.config.ocr)
    except pypdfium2.PdfiumError:
        return _ReadPage(PageText(*_size(pdf, index), 0, [], []), problem="The page is damaged and cannot be read.")


def _read_sound_page(pdf: Any, index: int, *, recognising: bool) -> _ReadPage:
    page = pdf[index]
    try:
        text = read_page(page)
        if _is_written_on(page) and pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY) == pdfium.FLATTEN_SUCCESS:
            page.close()
            page = pdf[index]
            text = replace(text, runs=with_entries(text.runs, read_page(page).runs))
        return _recognised_if_needed(page, text, recognising=recognising)
    finally:
        page.close()


def _size(pdf: Any, index: int) -> tuple[float, float]:
    """The page's size as the file's page tree says it, without reading the page; 0 where that is damaged."""
    try:
        width, height = pdf.get_page_size(index)
    except pypdfium2.PdfiumError:
        return 0.0, 0.0
    return width, height


def _is_written_on(page: Any) -> bool:
    """Whether the page has fields to fill in, or text that was typed over it."""
    kinds = {_annotation_kind(page, number) for number in range(pdfium.FPDFPage_GetAnnotCount(page))}
    return bool(kinds & {pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_FREETEXT})


def _annotation_kind(page: Any, number: int) -> int:
    annotation = pdfium.FPDFPage_GetAnnot(page, number)
    kind: int = pdfium.FPDFAnnot_GetSubtype(annotation)
    pdfium.FPDFPage_CloseAnnot(annotation)
    return kind


def _recognised_if_needed(page: Any, text: PageText, *, recognising: bool) -> _ReadPage:
    """The page with its own text where that is good, else with what OCR finds in its picture."""
    layer = "".join(run.text for run in text.runs)
    reason = rubbish(layer) or _why_incomplete(page, layer)
    if not reason:
        return _ReadPage(text)
    usable = replace(text, runs=[]) if rubbish(layer) else text
    if not recognising:
        return _ReadPage(usable, problem=f"{reason} OCR is off.")
    try:
        image = picture(page)
    except UnreadableFileError as error:
        return _ReadPage(usable, problem=f"{reason} {error}")
    if image.getcolors(maxcolors=1):
        return _ReadPage(usable)  # a blank page
    # The models are loaded for the first page that needs them.
    from ingest.loaders.ocr import recognise

    found = recognise(image, *page.get_size())
    if found is None or _characters(found.text) < _characters(usable):
        return _ReadPage(usable, problem=f"{reason} OCR found no text in its image.")
    return _ReadPage(found.text, Ocr(found.confidence, reason))


def _why_incomplete(page: Any, layer: str) -> str:
    """Why there may be more to read on the page than its text layer, in a sentence; empty where there is not."""
    if not layer:
        return "The page has no text layer." if shows_something(page) else ""
    if len(layer) <= MOST_STAMPED_CHARACTERS and covered_by_image(page) > LEAST_SCANNED:
        return f"The page is a scan on which only {len(layer)} characters are text."
    return ""


def _characters(text: PageText) -> int:
    return sum(len(run.text) for run in text.runs)


def render_page(
    path: Path, page_number: int, *, boxes: Sequence[Box] = (), width: int = 1000, passwords: Sequence[str] = ()
) -> bytes:
    """A page as PNG, `width` pixels wide, with `boxes` highlighted.

    Raises `UsageError` for a page that does not exist and `UnreadableFileError` where the file cannot be opened.
    """
    with _LOCK, opened(path, passwords) as file:
        if not 1 <= page_number <= len(file.pdf):
            raise UsageError(f"The document has {len(file.pdf)} pages; there is no page {page_number}.")
        page = file.pdf[page_number - 1]
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
