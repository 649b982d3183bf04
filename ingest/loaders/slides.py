"""Presentations (PPTX): a slide is a page, with its shapes in reading order and its notes at the end.

Dates, footers and slide numbers, which every slide repeats, are not read, nor are charts and drawings.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pptx
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.exc import PythonPptxError
from pptx.shapes.group import GroupShape

from ingest.document import Block, Document, Line, Page
from ingest.loaders.archive import opened_archive
from ingest.loaders.reading import Reading
from ingest.loaders.text import table_block
from ingest.loaders.titles import document_title

_DAMAGED = "The file is damaged or not a PowerPoint presentation. Open it in PowerPoint and save it again as .pptx."
_REPEATED = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.HEADER)
# A title this long is a sentence of the slide.
MAX_TITLE_CHARACTERS = 200
EMU_PER_POINT = 12_700
# Shapes whose tops differ by less stand side by side: a sixth of an inch.
_SAME_ROW = 12 * EMU_PER_POINT


def load_pptx(path: Path, reading: Reading | None = None) -> Document:
    """A presentation: each slide's title as heading, its texts and tables from top to bottom, then its notes.

    The label of a page is the number that the slide shows. Raises `UnreadableFileError` for a damaged file.
    """
    reading = reading or Reading()
    with opened_archive(path, _DAMAGED, PythonPptxError):
        presentation = pptx.Presentation(str(path))
        first = int(presentation.element.get("firstSlideNum", "1"))
        size = ((presentation.slide_width or 0) / EMU_PER_POINT, (presentation.slide_height or 0) / EMU_PER_POINT)
        pages: list[Page] = []
        slides = presentation.slides
        for number in range(1, len(slides) + 1):
            reading.on_page(number, len(slides))
            label = str(first + number - 1)
            if number in reading.skip_pages:
                pages.append(Page(number, label, (), *size, problem=reading.skip_pages[number]))
            else:
                pages.append(Page(number, label, tuple(_slide_blocks(slides[number - 1])), *size))
        return Document(document_title(presentation.core_properties.title, pages), tuple(pages))


def _slide_blocks(slide: Any) -> Iterator[Block]:
    title = slide.shapes.title
    if title is not None and (words := " ".join(title.text_frame.text.split())):
        yield (
            Block("text", (Line(words),)) if len(words) > MAX_TITLE_CHARACTERS else Block("heading", (Line(words),), 1)
        )
    for shape in _in_reading_order(slide.shapes):
        if title is None or shape.shape_id != title.shape_id:
            yield from _shape_blocks(shape)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = list(_paragraphs(slide.notes_slide.notes_text_frame))
        for number, block in enumerate(notes):
            first, *others = block.lines
            yield block if number else Block("text", (Line(f"Notes: {first.text}"), *others))


def _in_reading_order(shapes: Any) -> list[Any]:
    """The shapes row by row, each row from left to right; those without a place of their own come first."""
    placed = sorted(shapes, key=lambda shape: shape.top or 0)
    rows: list[list[Any]] = []
    for shape in placed:
        if rows and (shape.top or 0) - (rows[-1][0].top or 0) < _SAME_ROW:
            rows[-1].append(shape)
        else:
            rows.append([shape])
    return [shape for row in rows for shape in sorted(row, key=lambda shape: shape.left or 0)]


def _shape_blocks(shape: Any) -> Iterator[Block]:
    if shape.is_placeholder and shape.placeholder_format.type in _REPEATED:
        return
    if isinstance(shape, GroupShape):  # Asked for its type, a shape of unknown geometry raises.
        for inner in _in_reading_order(shape.shapes):
            yield from _shape_blocks(inner)
    elif shape.has_text_frame:
        yield from _paragraphs(shape.text_frame)
    elif shape.has_table:
        rows = [["" if cell.is_spanned else cell.text for cell in row.cells] for row in shape.table.rows]
        if rows := [row for row in rows if any(cell.strip() for cell in row)]:
            yield table_block(rows)


def _paragraphs(frame: Any) -> Iterator[Block]:
    """A block for each paragraph, which may have several lines."""
    for paragraph in frame.paragraphs:
        lines = (" ".join(line.split()) for line in paragraph.text.split("\v"))
        if kept := tuple(Line(line) for line in lines if line):
            yield Block("text", kept)
