"""Writes small PDFs, and looks into what was read from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdf
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from ingest.document import Block, Box, Document

WIDTH, HEIGHT = A4
LEFT = 72
PROSE = "The pump delivers oil to the manifold block, and the filter keeps dirt out of the valves of the press."

Draw = Callable[[Canvas], None]


def write(path: Path, *pages: Draw, **options: Any) -> Path:
    """A PDF with a page for each function."""
    canvas = Canvas(str(path), pagesize=A4, invariant=True, **options)
    for draw in pages:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return path


def lines(*texts: str, top: float = 100, size: float = 10, bold: bool = False, step: float = 12) -> Draw:
    """Draws lines below each other; `top` is the first baseline's distance from the top of the page."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica-Bold" if bold else "Helvetica", size)
        for number, text in enumerate(texts):
            canvas.drawString(LEFT, HEIGHT - top - number * step, text)

    return draw


def together(*draws: Draw) -> Draw:
    def draw(canvas: Canvas) -> None:
        for one in draws:
            one(canvas)

    return draw


def changed(path: Path, change: Callable[[pypdf.PdfWriter], None]) -> Path:
    writer = pypdf.PdfWriter(clone_from=path)
    change(writer)
    writer.write(path)
    return path


def blocks_of(document: Document, kind: str) -> list[Block]:
    return [block for page in document.pages for block in page.blocks if block.kind == kind]


def texts_of(document: Document, kind: str = "text") -> list[str]:
    return [block.text for block in blocks_of(document, kind)]


def box_of(document: Document, text: str) -> Box:
    found = [line.box for page in document.pages for block in page.blocks for line in block.lines if line.text == text]
    assert len(found) == 1
    assert found[0] is not None
    return found[0]
