"""HTML: headings, paragraphs, list items, tables and preformatted text of the page's main part."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import lxml.html
from lxml.etree import ParserError

from ingest.document import Block, Document, Line, Page
from ingest.loaders.errors import UnreadableFileError
from ingest.loaders.list_numbers import NumberStyle, printed_number
from ingest.loaders.tables import table_block
from ingest.loaders.text import decode
from ingest.loaders.titles import document_title

MAX_COLUMNS = 200
MAX_ROW_SPAN = 1000

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_SKIPPED = {
    *("script", "style", "noscript", "template", "nav", "footer", "head"),
    *("svg", "iframe", "object", "button", "select", "textarea", "dialog"),
}
_INLINE = {
    *("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i"),
    *("img", "ins", "kbd", "label", "mark", "math", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike"),
    *("strong", "sub", "sup", "time", "tt", "u", "var", "wbr"),
}
_NUMBER_STYLES: dict[str, NumberStyle] = {
    "a": "lower letter",
    "A": "upper letter",
    "i": "lower roman",
    "I": "upper roman",
}
_DECLARED_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_XML_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_DECLARATION_BYTES = 2048
_LINE_BREAK = "\v"  # no character of HTML, so it can stand for <br> until the words are put together


def load_html(path: Path) -> Document:
    """The HTML page as one page labelled "", without navigation, scripts and what is hidden."""
    text = _XML_DECLARATION.sub("", _decoded(path.read_bytes()), count=1)
    try:
        root = lxml.html.document_fromstring(text)
    except ParserError as error:
        raise UnreadableFileError("The HTML file holds no text.") from error
    main = root.find(".//main")
    reader = _Reader()
    reader.read(root if main is None else main)
    pages = (Page(1, "", tuple(reader.finish())),)
    return Document(document_title(root.findtext(".//title") or "", pages, path), pages)


def _decoded(content: bytes) -> str:
    """UTF-8 or UTF-16 by mark or by trial, then the charset that the page declares, then a guess."""
    declared = _DECLARED_CHARSET.search(content[:_DECLARATION_BYTES])
    if declared and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            charset = declared.group(1).decode("ascii").lower()
            # Browsers read GB2312 as its superset.
            charset = "gb18030" if charset in ("gb2312", "gbk") else charset
            try:
                return content.decode(charset, errors="replace")
            except LookupError:
                return decode(content)
    return decode(content)


class _Reader:
    """Goes through the elements in order; words gather until a block begins or ends."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._words: list[str] = []

    def finish(self) -> list[Block]:
        self._flush()
        return self._blocks

    def read(self, element: Any) -> None:
        if not isinstance(element.tag, str) or element.tag in _SKIPPED or _is_hidden(element):
            return
        if element.tag in _INLINE:
            self._read_children(element)
        elif element.tag == "br":
            self._words.append(_LINE_BREAK)
        elif level := _HEADINGS.get(element.tag):
            self._flush()
            self._add("heading", [_words(element)], level)
        elif element.tag == "header":  # beside its title it holds menus
            self._flush()
            for heading in element.iter(*_HEADINGS):
                self.read(heading)
        elif element.tag == "pre":
            self._flush()
            self._add("text", element.text_content().split("\n"))
        elif element.tag == "table" and (rows := _table_rows(element)):
            self._flush()
            self._add("text", [_words(caption) for caption in element.iterchildren("caption")])
            self._blocks.append(table_block(rows))
        else:
            self._flush()
            if element.tag == "li":
                self._words.append(_item_number(element))
            self._read_children(element)
            self._flush()

    def _read_children(self, element: Any) -> None:
        self._words.append(element.text or "")
        for child in element:
            self.read(child)
            self._words.append(child.tail or "")

    def _flush(self) -> None:
        text = " ".join("".join(self._words).replace(_LINE_BREAK, f" {_LINE_BREAK} ").split(" "))
        self._words.clear()
        self._add("text", text.split(_LINE_BREAK))

    def _add(self, kind: Any, texts: list[str], level: int = 0) -> None:
        lines = tuple(Line(" ".join(text.split())) for text in texts if text.strip())
        if lines:
            self._blocks.append(Block(kind, lines, level))


def _words(element: Any) -> str:
    """The text inside an element, without what is skipped, its blocks set apart by spaces."""
    reader = _Reader()
    reader._read_children(element)
    return " ".join(block.text for block in reader.finish())


def _is_hidden(element: Any) -> bool:
    """Whether the element is not shown, or only leads to other pages."""
    if "hidden" in element.attrib or element.get("role") == "navigation":
        return True
    return "display:none" in element.get("style", "").replace(" ", "").lower()


def _item_number(item: Any) -> str:
    """ "3. " for the third item of a numbered list; empty in other lists."""
    parent = item.getparent()
    if parent is None or parent.tag != "ol":
        return ""
    before = sum(1 for _ in item.itersiblings("li", preceding=True))
    number = _whole(item.get("value"), _whole(parent.get("start"), 1) + before)
    return printed_number(number, _NUMBER_STYLES.get(parent.get("type", ""), "decimal")) + ". "


def _table_rows(table: Any) -> list[list[str]]:
    """The rows of a table of data; nothing for one that only lays out the page (one column, or tables inside)."""
    if next(table.iterdescendants("table"), None) is not None:
        return []
    rows: list[list[str]] = []
    hanging: dict[int, tuple[int, str]] = {}  # column -> rows still to fill, text of the cell that spans them
    for row in table.iter("tr"):
        cells: list[str] = []
        for cell in row.iterchildren("td", "th"):
            _fill(cells, hanging)
            text = _words(cell)
            span = min(max(_whole(cell.get("rowspan"), 1), 1), MAX_ROW_SPAN)
            if span > 1:
                hanging[len(cells)] = (span - 1, text)
            cells += [text, *[""] * (min(max(_whole(cell.get("colspan"), 1), 1), MAX_COLUMNS) - 1)]
        _fill(cells, hanging)
        if any(cells):
            rows.append(cells[:MAX_COLUMNS])
    return rows if len(rows) > 1 and max(map(len, rows)) > 1 else []


def _fill(cells: list[str], hanging: dict[int, tuple[int, str]]) -> None:
    """Repeats in this row the cells that reach down into it from a row above."""
    while len(cells) in hanging:
        column = len(cells)
        left, text = hanging.pop(column)
        if left > 1:
            hanging[column] = (left - 1, text)
        cells.append(text)


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and re.fullmatch(r"[0-9]{1,6}", text) else otherwise
