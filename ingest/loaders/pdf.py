"""PDF: characters, boxes and page images through pdfium; outline, printed page labels and title through pypdf."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageDraw

from ingest.document import Block, Box, Document, Page
from ingest.errors import UsageError
from ingest.loaders.errors import LockedFileError, UnreadableFileError
from ingest.loaders.layout import Style, page_blocks, without_contents
from ingest.loaders.pdf_facts import read_facts
from ingest.loaders.pdf_text import PageText, read_page
from ingest.loaders.reading import Reading
from ingest.loaders.runs import RunningText
from ingest.loaders.titles import document_title

# pdfium keeps global state: one thread at a time.
_LOCK = threading.RLock()

MAX_PAGES = 20_000
MAX_IMAGE_PIXELS = 40_000_000
HIGHLIGHT = (255, 200, 0, 90)

_HEADER_SEARCH_BYTES = 1024


def load_pdf(path: Path, reading: Reading | None = None) -> Document:
    """The PDF's pages with their printed labels, boxes in points from the top left as displayed.

    Running headers and footers are left out. Raises `UnreadableFileError` for a damaged or locked file and for one
    without any text.
    """
    reading = reading or Reading()
    with path.open("rb") as file:
        if b"%PDF-" not in file.read(_HEADER_SEARCH_BYTES):
            raise UnreadableFileError("This is not a PDF, though it is named like one. Check the file.")
    with _LOCK, _opened(path, reading.config.passwords) as (pdf, password):
        texts = [_read_page(pdf, index) for index in range(len(pdf))]
    if not any(text.runs for text in texts):
        raise UnreadableFileError("No page has a text layer: this looks like a scan, and OCR is not available yet.")

    facts = read_facts(path, password, len(texts))
    running = RunningText.of([(text.height, text.runs) for text in texts])
    runs = without_contents([running.without(text.runs, text.height, index) for index, text in enumerate(texts)])
    style = Style.of([run for page_runs in runs for run in page_runs], facts.outline)
    pages = tuple(
        Page(number, label, _displayed(text, page_blocks(page_runs, text.rules, style)), *text.displayed_size)
        for number, (label, text, page_runs) in enumerate(zip(facts.labels, texts, runs, strict=True), start=1)
    )
    return Document(document_title(facts.title, pages), pages)


def _displayed(text: PageText, blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The blocks with their boxes on the page as it is displayed."""
    if not text.turn:
        return tuple(blocks)
    return tuple(
        replace(block, lines=tuple(replace(line, box=line.box and text.displayed(line.box)) for line in block.lines))
        for block in blocks
    )


def render_page(
    path: Path, page_number: int, *, boxes: Sequence[Box] = (), width: int = 1000, passwords: Sequence[str] = ()
) -> bytes:
    """A page as PNG, `width` pixels wide, with `boxes` highlighted.

    Raises `UsageError` for a page that does not exist and `UnreadableFileError` where the file cannot be opened.
    """
    with _LOCK, _opened(path, passwords) as (pdf, _):
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
    raise LockedFileError(f"The PDF is encrypted and {given}. Name its password with --password.")


def _read_page(pdf: Any, index: int) -> PageText:
    try:
        page = pdf[index]
    except pypdfium2.PdfiumError as error:
        raise UnreadableFileError(
            f"Page {index + 1} of the PDF is damaged. Save the file anew with a PDF program."
        ) from error
    try:
        return read_page(page)
    finally:
        page.close()
