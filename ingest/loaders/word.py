"""Word files (DOCX).

The page of a paragraph is known only where the file says so: by explicit breaks, and by the marks that Word leaves
where its last layout began a page. Headers, footers, text boxes, hidden text and tracked deletions are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.exceptions import OpcError
from docx.oxml.parser import parse_xml

from ingest.document import Block, Document, Line, Page
from ingest.loaders.archive import opened_archive
from ingest.loaders.errors import UnreadableFileError
from ingest.loaders.text import table_block
from ingest.loaders.titles import document_title
from ingest.loaders.word_formatting import Numbering, Styles, W, integer, is_on, value
from ingest.numbering import clause_number, is_heading_line

# Some contracts style whole clauses as headings; a sentence this long is a clause.
MAX_HEADING_CHARACTERS = 200
# Word's own limit of columns.
MAX_COLUMNS = 63

# Marks inside a paragraph's text, characters that XML cannot hold. All of them count as white space.
_EXPLICIT = "\f"
_RENDERED = "\v"
_BEFORE = "\x1e"
_MARKS = str.maketrans("", "", _EXPLICIT + _RENDERED + _BEFORE)
_PIECES = re.compile(f"[{_EXPLICIT}{_RENDERED}{_BEFORE}]|[^{_EXPLICIT}{_RENDERED}{_BEFORE}]+")

_DAMAGED = "The file is damaged or not a Word document. Open it in Word and save it again as .docx."
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_ALTERNATE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"
_DELETED = {f"{W}del", f"{W}moveFrom"}
_NOT_TEXT = _DELETED | {f"{W}{name}" for name in ("pPr", "rPr", "drawing", "pict", "object", "rt")} | {_ALTERNATE}
_WRAPPERS = {f"{W}{name}" for name in ("sdt", "sdtContent", "customXml", "ins", "moveTo")}
_CHARACTERS = {
    f"{W}tab": " ",
    f"{W}ptab": " ",
    f"{W}cr": "\n",
    f"{W}noBreakHyphen": "-",
    f"{W}lastRenderedPageBreak": _RENDERED,
}
_BREAKS = {"page": _EXPLICIT, "column": " "}
_SAME_PAGE_SECTIONS = ("continuous", "nextColumn")


def load_docx(path: Path) -> Document:
    """A Word file: headings, paragraphs with their printed numbers, and tables, on the pages that the file marks.

    A file without any mark of a page has one page, labelled "".
    """
    word = _open(path)
    pages = _Reader(word).pages()
    return Document(document_title(word.title, pages), pages)


@dataclass(frozen=True, slots=True)
class _Word:
    """The parts of an opened file that are read: lxml elements, and the title in its properties."""

    body: Any
    styles: Any
    numbering: Any | None
    title: str


def _open(path: Path) -> _Word:
    with opened_archive(path, _DAMAGED, OpcError):
        opened = docx.Document(str(path))
        numbering = next((rel for rel in opened.part.rels.values() if rel.reltype == RELATIONSHIP_TYPE.NUMBERING), None)
        word = _Word(
            body=opened.element.find(f"{W}body"),
            styles=opened.styles.element,
            numbering=None if numbering is None else parse_xml(numbering.target_part.blob),
            title=opened.core_properties.title,
        )
    if word.body is None:
        raise UnreadableFileError(_DAMAGED)
    return word


class _Pages:
    """Blocks, page by page, as breaks come in."""

    def __init__(self) -> None:
        self.blocks: list[list[Block]] = [[]]
        # At the top of a page that nothing is on yet; Word then repeats the break as a mark of its layout.
        self._at_top = True

    def add(self, block: Block) -> None:
        self.blocks[-1].append(block)
        self._at_top = False

    def turn(self, mark: str) -> None:
        """An explicit break always begins a page, the others only where none has just begun."""
        if self._at_top and mark != _EXPLICIT:
            self._at_top = mark == _BEFORE
            return
        self.blocks.append([])
        self._at_top = mark != _RENDERED

    def follow(self, marked: str) -> None:
        """Take the breaks of a text that is already on its page."""
        for piece in _PIECES.findall(marked):
            if not piece.translate(_MARKS):
                self.turn(piece)
            elif piece.strip():
                self._at_top = False


class _Reader:
    """One reading of one document, from its first paragraph to its last: lists are counted on the way."""

    def __init__(self, word: _Word) -> None:
        self._body = word.body
        self._styles = Styles(word.styles)
        self._numbering = Numbering(word.numbering, self._styles)
        self._pages = _Pages()
        sections = self._body.xpath(".//w:pPr/w:sectPr | ./w:sectPr")
        # A section says how it begins, and the mark of its beginning is the end of the one before.
        self._section_starts = iter([value(section, "w:type") for section in sections[1:]])

    def pages(self) -> tuple[Page, ...]:
        self._read(self._body)
        pages = self._pages.blocks
        return tuple(
            Page(number, str(number) if len(pages) > 1 else "", tuple(blocks))
            for number, blocks in enumerate(pages, start=1)
        )

    def _read(self, container: Any) -> None:
        for element in _children(container):
            if element.tag == f"{W}p":
                self._read_paragraph(element)
            elif element.tag == f"{W}tbl":
                self._read_table(element)

    def _read_paragraph(self, paragraph: Any) -> None:
        marked = self._marked_text(paragraph)
        text = marked.lstrip()
        self._pages.follow(marked[: len(marked) - len(text)])
        number = self._number(paragraph)
        lines = tuple(Line(line) for line in _clean_lines(text))
        if lines:
            numbered = (Line(number + lines[0].text), *lines[1:])
            self._pages.add(self._block(paragraph, numbered))
        self._pages.follow(text)

    def _block(self, paragraph: Any, lines: tuple[Line, ...]) -> Block:
        title = " ".join(line.text for line in lines)
        level = self._heading_level(paragraph, title)
        return Block("heading", (Line(title),), level) if level else Block("text", lines)

    def _heading_level(self, paragraph: Any, title: str) -> int:
        if len(title) > MAX_HEADING_CHARACTERS or self._styles.is_contents_line(paragraph):
            return 0
        if level := self._styles.heading_level(paragraph):
            return level
        # A short numbered line is often a step of a list; bold type, or a name ("Article 5", 第五条), makes it a title.
        named = clause_number(title) is not None and not title[0].isdigit()
        return (is_heading_line(title) or 0) if named or self._styles.is_bold(paragraph) else 0

    def _number(self, paragraph: Any) -> str:
        deleted = any(paragraph.find(f"{W}pPr/{W}rPr/{tag}") is not None for tag in _DELETED)
        return "" if deleted else self._numbering.number(paragraph)

    def _marked_text(self, paragraph: Any) -> str:
        """The text with a mark at each break of a page."""
        marked = "".join(_characters(paragraph))
        if self._styles.breaks_page_before(paragraph):
            marked = _BEFORE + marked
        if paragraph.find(f"{W}pPr/{W}sectPr") is not None:
            same_page = next(self._section_starts, None) in _SAME_PAGE_SECTIONS
            marked += "" if same_page else _EXPLICIT
        return marked

    def _read_table(self, table: Any) -> None:
        cells_of_table = [cell for row in _rows(table) for cell in _cells(row)]
        if len(cells_of_table) == 1:
            self._read(cells_of_table[0])  # A frame around text.
            return
        head: list[str] = []
        waiting: list[list[str]] = []
        for element in _rows(table):
            row = list(_cells(element))
            marked = [self._marked_cell(cell) for cell in row]
            before, after = _row_breaks(marked)
            if before:
                self._add_table(head, waiting)
                waiting = []
                self._pages.follow(before)
            cells = [cell for text, tag in zip(marked, row, strict=True) for cell in _spread(text, tag)]
            if any(cells):
                cells = [""] * _skipped_columns(element) + cells
                head = head or cells
                waiting.append(cells)
            if after:
                self._add_table(head, waiting)
                waiting = []
                self._pages.follow(after)
        self._add_table(head, waiting)

    def _add_table(self, head: list[str], rows: list[list[str]]) -> None:
        """Add the rows of one page; those after the first page begin with the head again."""
        if rows:
            self._pages.add(table_block(rows if rows[0] is head else [head, *rows]))

    def _marked_cell(self, cell: Any) -> str:
        merge = cell.find(f"{W}tcPr/{W}vMerge")
        if merge is not None and merge.get(f"{W}val", "continue") == "continue":
            return ""
        parts: list[str] = []
        for paragraph in _paragraphs(cell):
            marked = self._marked_text(paragraph)
            text = marked.lstrip()
            number = self._number(paragraph)
            parts.append(marked[: len(marked) - len(text)] + (number + text if text else ""))
        return "\n".join(parts)


def _children(container: Any) -> Iterator[Any]:
    """The children, seen through content controls and tracked insertions."""
    for child in container:
        if child.tag in _WRAPPERS:
            yield from _children(child)
        else:
            yield child


def _rows(table: Any) -> Iterator[Any]:
    for row in _children(table):
        if row.tag == f"{W}tr" and row.find(f"{W}trPr/{W}del") is None:
            yield row


def _cells(row: Any) -> Iterator[Any]:
    return (cell for cell in _children(row) if cell.tag == f"{W}tc")


def _paragraphs(container: Any) -> Iterator[Any]:
    """The paragraphs of a cell, those of tables inside it in their place."""
    for child in _children(container):
        if child.tag == f"{W}p":
            yield child
        elif child.tag == f"{W}tbl":
            for row in _rows(child):
                for cell in _cells(row):
                    yield from _paragraphs(cell)


def _characters(element: Any) -> Iterator[str]:
    for child in element:
        if child.tag in (f"{W}t", _MATH_TEXT):
            yield child.text or ""
        elif child.tag == f"{W}br":
            yield _BREAKS.get(child.get(f"{W}type"), "\n")
        elif child.tag in _CHARACTERS:
            yield _CHARACTERS[child.tag]
        elif child.tag not in _NOT_TEXT and not is_on(child, "w:rPr/w:vanish"):
            yield from _characters(child)


def _clean_lines(marked: str) -> list[str]:
    lines = (" ".join(line.split()) for line in marked.translate(_MARKS).split("\n"))
    return [line for line in lines if line]


def _row_breaks(cells: list[str]) -> tuple[str, str]:
    """The marks before a row and those within it.

    A row that a page break cuts has a mark in each of its cells: the cell with the most tells how many there are.
    """
    first = next((cell for cell in cells if cell.strip()), "")
    before = _only_marks(first[: len(first) - len(first.lstrip())])
    return before, max((_only_marks(cell) for cell in cells), key=len, default="")[len(before) :]


def _only_marks(marked: str) -> str:
    return "".join(character for character in marked if not character.translate(_MARKS))


def _skipped_columns(row: Any) -> int:
    return min(integer(value(row, "w:trPr/w:gridBefore"), 0), MAX_COLUMNS)


def _spread(marked: str, cell: Any) -> list[str]:
    """The cell's text and an empty cell for each further column that it covers."""
    columns = min(integer(value(cell, "w:tcPr/w:gridSpan"), 1), MAX_COLUMNS)
    return [" ".join(_clean_lines(marked)), *[""] * (columns - 1)]
