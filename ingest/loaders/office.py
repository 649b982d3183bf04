"""Word documents: headings by style, automatic numbers, tables, and the pages that their breaks tell of."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn
from lxml.etree import XMLSyntaxError

from ingest.document import Block, Document, Line, Page
from ingest.loaders.errors import UnreadableFileError
from ingest.loaders.tables import table_block
from ingest.loaders.titles import document_title
from ingest.loaders.word_numbering import WordNumbering
from ingest.loaders.word_styles import WordStyles
from ingest.numbering import is_heading_line

# A small file can unpack to more than the memory holds.
MAX_UNPACKED_BYTES = 1024 * 2**20
MAX_COLUMNS = 200

_ZIP = b"PK\x03\x04"
# The container of the old .doc, and of a .docx that a password protects.
_OLE = b"\xd0\xcf\x11\xe0"

# Where a page ends: forced ones always count, the others not directly after another one.
_FORCED_BREAK, _BREAK = "\f", "\v"
_BREAKS = _FORCED_BREAK + _BREAK

_TEXT = {qn("w:t"), qn("m:t")}
_SIGNS = {
    qn("w:tab"): " ",
    qn("w:ptab"): " ",
    qn("w:cr"): "\n",
    qn("w:noBreakHyphen"): "-",
    qn("w:lastRenderedPageBreak"): _BREAK,
}
# Deleted text, the twin that a drawing keeps for old programs, and text boxes (read after their paragraph).
_SKIPPED = {qn("w:del"), qn("w:moveFrom"), qn("w:txbxContent"), qn("w:pPr"), qn("w:rPr"), qn("w:rt")}
_SKIPPED.add("{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback")


def load_docx(path: Path) -> Document:
    """The Word document in its order; headers, footers and tracked deletions are left out.

    Pages begin at page and section breaks and where Word last saw one; a document that tells of none has one page,
    labelled "". Raises `UnreadableFileError` for what is no Word document, damaged or protected by a password.
    """
    opened = _opened(path)
    pages = _Reader(opened).pages()
    return Document(document_title(opened.core_properties.title or "", pages, path), pages)


def _opened(path: Path) -> Any:
    with path.open("rb") as file:
        signature = file.read(4)
    if signature == _OLE:
        raise UnreadableFileError(
            "This is a Word document protected by a password, or one of the old .doc format. "
            "Save it as .docx without a password."
        )
    if signature != _ZIP:
        raise UnreadableFileError("This is not a Word document, though it is named like one. Check the file.")
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise UnreadableFileError(
                f"The document unpacks to {unpacked >> 20} MB; at most {MAX_UNPACKED_BYTES >> 20} MB are read. Split it."
            )
        return docx.Document(str(path))
    except (zipfile.BadZipFile, OpcError, XMLSyntaxError, KeyError, ValueError, AttributeError, EOFError) as error:
        raise UnreadableFileError("The Word document is damaged. Open it in Word and save it anew.") from error


class _Reader:
    """Goes through the body once, counting automatic numbers and pages on the way."""

    def __init__(self, opened: Any) -> None:
        self._body = opened.element.body
        self._styles = WordStyles(opened.styles.element)
        numbering = next((part for kind, part in _parts(opened) if kind.endswith("/numbering")), None)
        root = docx.oxml.parse_xml(numbering.blob) if numbering is not None else None
        self._numbering = WordNumbering(root, self._styles.lists())
        self._pages: list[list[Block]] = [[]]
        self._breaks = 0

    def pages(self) -> tuple[Page, ...]:
        self._read_all(self._body)
        known = self._breaks > 0
        return tuple(
            Page(number, str(number) if known else "", tuple(blocks))
            for number, blocks in enumerate(self._pages, start=1)
        )

    def _read_all(self, parent: Any) -> None:
        for child in parent.iterchildren():
            if child.tag == qn("w:p"):
                self._read_paragraph(child)
            elif child.tag == qn("w:tbl"):
                self._read_table(child)
            elif child.tag not in _SKIPPED and isinstance(child.tag, str):
                self._read_all(child)  # content controls, tracked insertions

    def _break(self, *, forced: bool) -> None:
        if forced or self._pages[-1]:
            self._pages.append([])
            self._breaks += 1

    def _read_paragraph(self, paragraph: Any) -> None:
        if self._styles.starts_page(paragraph):
            self._break(forced=False)
        style = self._styles.name(paragraph)
        text = "".join(_text(paragraph))
        if style.startswith("toc"):  # a table of contents repeats every heading, with its page
            text = "".join(character for character in text if character in _BREAKS)
        number = self._number(paragraph) if text.strip() else ""
        level = self._heading_level(paragraph, number, " ".join(text.split()))
        for part, ended_by in _pages_of(text):
            if part.strip():
                self._pages[-1].append(_block(f"{number} {part}" if number else part, level))
                number = ""
            if ended_by:
                self._break(forced=ended_by == _FORCED_BREAK)
        for box in _text_boxes(paragraph):
            self._read_all(box)
        if _ends_section(paragraph):
            self._break(forced=False)

    def _number(self, paragraph: Any) -> str:
        list_id, level, style_id = self._styles.list_of(paragraph)
        if list_id is None:
            return ""
        if level is None:
            level = self._numbering.level_of_style(list_id, style_id) or 0
        return self._numbering.next_number(list_id, level)

    def _heading_level(self, paragraph: Any, number: str, text: str) -> int:
        """The level by style, else by how the line reads: a number makes a title only of a line in bold."""
        if level := self._styles.heading_level(paragraph):
            return level
        line = f"{number} {text}".strip()
        emphasised = not line[:1].isdigit() or self._styles.is_bold(paragraph)
        return (is_heading_line(line) or 0) if emphasised else 0

    def _read_table(self, table: Any) -> None:
        """The table as a block a page; where it runs over pages, its head is repeated as Word can."""
        rows: list[list[str]] = []
        above: list[str] = []
        head: list[str] | None = None
        for row in _rows(table):
            above = _cells(row, above)
            breaks = any(mark in cell for cell in above for mark in _BREAKS)
            above = ["".join(character for character in cell if character not in _BREAKS) for cell in above]
            if breaks and (rows or self._pages[-1]):
                self._add_table(rows)
                self._break(forced=False)
                rows = [head] if head else []
            if any(cell.strip() for cell in above):
                rows.append(above)
                head = head or above
        self._add_table(rows)

    def _add_table(self, rows: list[list[str]]) -> None:
        if len(rows) == 1 and len([cell for cell in rows[0] if cell.strip()]) == 1:
            self._pages[-1].append(_block("\n".join(rows[0]), 0))  # a frame around text
        elif rows:
            self._pages[-1].append(table_block(rows))


def _parts(opened: Any) -> Iterator[tuple[str, Any]]:
    for relation in opened.part.rels.values():
        if not relation.is_external:
            yield relation.reltype, relation.target_part


def _block(text: str, level: int) -> Block:
    lines = tuple(Line(" ".join(line.split())) for line in text.split("\n") if line.strip())
    return Block("heading" if level else "text", lines, level)


def _text(element: Any) -> Iterator[str]:
    """The words below an element, with line ends and the marks of page breaks between them."""
    for child in element.iterchildren():
        if child.tag in _SKIPPED or not isinstance(child.tag, str):
            continue
        if child.tag in _TEXT:
            yield (child.text or "").replace("\f", " ").replace("\v", " ")
        elif child.tag == qn("w:br"):
            yield _FORCED_BREAK if child.get(qn("w:type")) == "page" else "\n"
        elif child.tag in _SIGNS:
            yield _SIGNS[child.tag]
        elif child.tag == qn("w:r") and _is_hidden(child):
            continue
        else:
            yield from _text(child)
            if child.tag == qn("w:p"):  # inside a table's cell
                yield "\n"


def _is_hidden(run: Any) -> bool:
    properties = run.find(qn("w:rPr"))
    return properties is not None and properties.find(qn("w:vanish")) is not None


def _pages_of(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a paragraph between page breaks, each with the break after it; "" after the last."""
    start = 0
    for place, character in enumerate(text):
        if character in _BREAKS:
            yield text[start:place], character
            start = place + 1
    yield text[start:], ""


def _text_boxes(paragraph: Any) -> Iterator[Any]:
    fallback = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
    for box in paragraph.iter(qn("w:txbxContent")):
        outer = [parent.tag for parent in box.iterancestors() if parent is not paragraph]
        if fallback not in outer and qn("w:txbxContent") not in outer:
            yield box


def _ends_section(paragraph: Any) -> bool:
    section = paragraph.find(f"{qn('w:pPr')}/{qn('w:sectPr')}")
    if section is None:
        return False
    kind = section.find(qn("w:type"))
    return kind is None or kind.get(qn("w:val")) not in ("continuous", "nextColumn")


def _rows(table: Any) -> Iterator[Any]:
    for child in table.iterchildren():
        if child.tag == qn("w:tr"):
            if child.find(f"{qn('w:trPr')}/{qn('w:del')}") is None:
                yield child
        elif child.tag not in _SKIPPED and isinstance(child.tag, str):
            yield from _rows(child)


def _cells(row: Any, above: list[str]) -> list[str]:
    """The row's cells, one for each column; a cell that spans rows is repeated, one that spans columns is not."""
    cells: list[str] = [""] * _span(row.find(f"{qn('w:trPr')}/{qn('w:gridBefore')}"), 0)
    for cell in row.iter(qn("w:tc")):
        if next(cell.iterancestors(qn("w:tr"))) is not row:
            continue  # of a table inside a cell, whose text the cell holds
        merged = cell.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
        goes_on = merged is not None and merged.get(qn("w:val")) != "restart"
        text = above[len(cells)] if goes_on and len(cells) < len(above) else "".join(_text(cell))
        span = _span(cell.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}"), 1)
        cells += [text, *[""] * (span - 1)]
    return cells[:MAX_COLUMNS]


def _span(element: Any | None, otherwise: int) -> int:
    value = "" if element is None else element.get(qn("w:val"), "")
    return min(int(value), MAX_COLUMNS) if value.isascii() and value.isdigit() and len(value) < 9 else otherwise
