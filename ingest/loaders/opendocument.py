"""OpenDocument texts (ODT): headings, paragraphs, lists with their printed numbers, tables, and notes below their text.

Only the three parts with text are read, as XML: libraries for the format offer no numbers of lists either. Drawings,
comments, tracked deletions and tables of contents are not read.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from ingest.document import Block, Document, Line, Page
from ingest.loaders.archive import opened_archive
from ingest.loaders.counters import spelled
from ingest.loaders.errors import LockedFileError, UnreadableFileError
from ingest.loaders.text import table_block
from ingest.loaders.titles import document_title

_DAMAGED = "The file is damaged or not an OpenDocument text. Open it in LibreOffice and save it again as .odt."
_NAMESPACES = {
    prefix: f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"
    for prefix, name in (("office", "office"), ("style", "style"), ("text", "text"), ("table", "table"))
} | {"dc": "http://purl.org/dc/elements/1.1/"}
TEXT, TABLE, STYLE, OFFICE = (f"{{{_NAMESPACES[prefix]}}}" for prefix in ("text", "table", "style", "office"))
_CONTAINERS = {f"{TEXT}section", f"{TEXT}index-body", f"{TEXT}list-item", f"{TEXT}list-header"}
_SPACES = {f"{TEXT}s": " ", f"{TEXT}tab": " ", f"{TEXT}line-break": "\n"}
_NOT_TEXT = {
    *(f"{TEXT}{name}" for name in ("note", "ruby-text", "bookmark", "soft-page-break", "tracked-changes", "number")),
    *(f"{OFFICE}{name}" for name in ("annotation", "forms")),
}
_COUNTERS = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_CHINESE = "一"
_LEVELS = 10
# A longer heading is a clause in the style of a heading.
MAX_HEADING_CHARACTERS = 200
MAX_COLUMNS = 100


def load_odt(path: Path) -> Document:
    """An OpenDocument text as one page.

    Raises `LockedFileError` where it is encrypted and `UnreadableFileError` where it is damaged.
    """
    with opened_archive(path, _DAMAGED), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise LockedFileError("The document is locked by a password. Save it without one.")
        content = _parse(archive.read("content.xml"))
        styles = _parse(archive.read("styles.xml")) if "styles.xml" in names else None
        meta = _parse(archive.read("meta.xml")) if "meta.xml" in names else None
        body = content.find("office:body/office:text", _NAMESPACES)
        if body is None:
            raise UnreadableFileError(_DAMAGED)
        pages = (Page(1, "", tuple(_Reader(_Styles(content, styles)).blocks(body))),)
    title = "" if meta is None else meta.findtext(".//dc:title", "", _NAMESPACES)
    return Document(document_title(title, pages), pages)


def _parse(content: bytes) -> Any:
    return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True))


class _Styles:
    """What the styles say of a paragraph's role and of the numbers of lists and headings."""

    def __init__(self, *roots: Any) -> None:
        found = [root for root in roots if root is not None]
        self._styles = {
            style.get(f"{STYLE}name"): style
            for root in reversed(found)
            for style in root.iterfind(".//style:style[@style:family='paragraph']", _NAMESPACES)
        }
        self._lists = {
            (definition.get(f"{STYLE}name"), level.get(f"{TEXT}level")): level
            for root in reversed(found)
            for kind in ("list", "outline")
            for definition in root.iterfind(f".//text:{kind}-style", _NAMESPACES)
            for level in definition
        }
        outline = (root.find(".//text:outline-style", _NAMESPACES) for root in found)
        self.outline = next((style.get(f"{STYLE}name") for style in outline if style is not None), None)

    def _chain(self, name: str | None) -> Iterator[Any]:
        seen: set[str] = set()
        while name is not None and name in self._styles and name not in seen:
            seen.add(name)
            yield self._styles[name]
            name = self._styles[name].get(f"{STYLE}parent-style-name")

    def is_title(self, paragraph: Any) -> bool:
        name = paragraph.get(f"{TEXT}style-name")
        return any(style.get(f"{STYLE}name") == "Title" for style in self._chain(name))

    def list_of(self, paragraph: Any) -> str | None:
        """The list style that the paragraph's style brings along."""
        chain = self._chain(paragraph.get(f"{TEXT}style-name"))
        return next((name for style in chain if (name := style.get(f"{STYLE}list-style-name"))), None)

    def level(self, list_style: str | None, level: int) -> Any | None:
        """The definition of a level, counted from 1; None for bullets and where there is none."""
        found = self._lists.get((list_style, str(level)))
        return found if found is not None and found.get(f"{STYLE}num-format") else None


class _Reader:
    """One reading of one document: lists and headings are counted on the way."""

    def __init__(self, styles: _Styles) -> None:
        self._styles = styles
        self._counters: dict[str | None, list[int]] = {}

    def blocks(self, container: Any) -> Iterator[Block]:
        for element in container:
            if element.tag == f"{TEXT}list":
                yield from self._list(element, None, 1)
            elif element.tag in _CONTAINERS:
                yield from self.blocks(element)
            elif element.tag == f"{TABLE}table":
                yield from self._table(element)
            elif element.tag in (f"{TEXT}p", f"{TEXT}h"):
                yield from self._paragraph(element, self._heading_number(element))

    def _paragraph(self, element: Any, number: str) -> Iterator[Block]:
        lines = _lines(element)
        if lines:
            lines[0] = number + lines[0]
            title = " ".join(lines)
            level = self._heading_level(element)
            if level and len(title) <= MAX_HEADING_CHARACTERS:
                yield Block("heading", (Line(title),), level)
            else:
                yield Block("text", tuple(map(Line, lines)))
        for note in element.iterfind(".//text:note/text:note-body", _NAMESPACES):
            yield from self.blocks(note)

    def _heading_level(self, element: Any) -> int:
        if element.tag == f"{TEXT}h":
            return _integer(element.get(f"{TEXT}outline-level"), 1, _LEVELS)
        return 1 if self._styles.is_title(element) else 0

    def _heading_number(self, element: Any) -> str:
        if element.tag != f"{TEXT}h" or element.get(f"{TEXT}is-list-header") == "true" or not _lines(element):
            return ""
        return self._number(self._styles.outline, self._heading_level(element))

    def _list(self, element: Any, style: str | None, level: int) -> Iterator[Block]:
        style = element.get(f"{TEXT}style-name") or style
        if (
            level == 1
            and element.get(f"{TEXT}continue-numbering") != "true"
            and not element.get(f"{TEXT}continue-list")
        ):
            self._counters.pop(style, None)
        for item in element:
            start = item.get(f"{TEXT}start-value")
            numbered = item.tag == f"{TEXT}list-item"
            for child in item:
                if child.tag == f"{TEXT}list":
                    yield from self._list(child, style, level + 1)
                elif child.tag in (f"{TEXT}p", f"{TEXT}h"):
                    name = style or self._styles.list_of(child)
                    number = self._number(name, level, start) if numbered and _lines(child) else ""
                    numbered = numbered and not number
                    yield from self._paragraph(child, number)
                else:
                    yield from self.blocks([child])

    def _number(self, style: str | None, level: int, start: str | None = None) -> str:
        """What is printed before the next item of a list: "4.2 ", "(b) "; "" for bullets."""
        definition = self._styles.level(style, level)
        if definition is None or level > _LEVELS:
            return ""
        counters = self._counters.setdefault(style, [0] * (_LEVELS + 1))
        first = _integer(start or definition.get(f"{TEXT}start-value"), 1)
        counters[level] = counters[level] + 1 if counters[level] and not start else first
        counters[level + 1 :] = [0] * (_LEVELS - level)
        above = level - _integer(definition.get(f"{TEXT}display-levels"), 1, level) + 1
        parts = [
            _spelled(max(counters[shown], 1), shown_definition.get(f"{STYLE}num-format"))
            for shown in range(above, level + 1)
            if (shown_definition := self._styles.level(style, shown)) is not None
        ]
        return f"{definition.get(f'{STYLE}num-prefix', '')}{'.'.join(parts)}{definition.get(f'{STYLE}num-suffix', '')} "

    def _table(self, table: Any) -> Iterator[Block]:
        rows = [list(_cells(row)) for row in table.iterfind(".//table:table-row", _NAMESPACES) if _own(row, table)]
        if sum(map(len, rows)) == 1:
            yield from self.blocks(rows[0][0])  # A frame around text.
            return
        texts = [[_cell_text(cell) for cell in row] for row in rows]
        if texts := [row for row in texts if any(row)]:
            yield table_block(texts)


def _own(row: Any, table: Any) -> bool:
    """Whether the row is not of a table inside a cell."""
    return next(row.iterancestors(f"{TABLE}table")) is table


def _cells(row: Any) -> Iterator[Any]:
    """The cells, those that a merged cell covers included, repeated ones as often as they are."""
    left = MAX_COLUMNS
    for cell in row:
        if cell.tag in (f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
            repeated = min(_integer(cell.get(f"{TABLE}number-columns-repeated"), 1), left)
            left -= repeated
            yield from [cell] * repeated


def _cell_text(cell: Any) -> str:
    if cell.tag == f"{TABLE}covered-table-cell":
        return ""
    return " ".join(line for paragraph in cell.iter(f"{TEXT}p", f"{TEXT}h") for line in _lines(paragraph))


def _lines(paragraph: Any) -> list[str]:
    lines = (" ".join(line.split()) for line in "".join(_characters(paragraph)).split("\n"))
    return [line for line in lines if line]


def _characters(element: Any) -> Iterator[str]:
    """The text of a paragraph; line ends within its XML are spaces."""
    yield " ".join((element.text or "").splitlines())
    for child in element:
        if child.tag in _SPACES:
            yield _SPACES[child.tag]
        elif isinstance(child.tag, str) and child.tag.startswith(TEXT) and child.tag not in _NOT_TEXT:
            yield from _characters(child)
        yield " ".join((child.tail or "").splitlines())


def _spelled(count: int, num_format: str) -> str:
    style = "chineseCounting" if num_format.startswith(_CHINESE) else _COUNTERS.get(num_format, "decimal")
    return spelled(count, style)


def _integer(text: str | None, default: int, most: int = 10**6) -> int:
    return min(int(text), most) if text and text.isascii() and text.isdigit() and len(text) < 10 else default
