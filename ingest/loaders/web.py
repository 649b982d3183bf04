"""HTML files: what a reader of the page sees, without its navigation."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree, html

from ingest.document import Block, Document, Line, Page
from ingest.loaders.encoding import decode
from ingest.loaders.errors import UnreadableFileError
from ingest.loaders.text import table_block
from ingest.loaders.titles import document_title

# The HTML standard asks browsers for 1024 bytes; real pages put it later.
_CHARSET_WITHIN = 4096
_CHARSET = re.compile(rb"""<meta\s[^>]*?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
# As browsers do: the declared encoding is widened to the one that pages really use, and a page whose
# declaration could be read in single bytes cannot be UTF-16.
_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "utf-16": "utf-8",
    "utf-16-le": "utf-8",
    "utf-16-be": "utf-8",
}
_SKIPPED = re.compile(
    "head|script|style|noscript|template|nav|footer|svg|iframe|button|select|textarea|annotation|rt|rp"
)
_SKIPPED_ROLES = ("navigation", "search")
_BLOCK = re.compile(
    "html|body|div|p|li|ul|ol|dl|dt|dd|pre|blockquote|section|article|main|aside|header|address|figure|figcaption|"
    "details|summary|fieldset|legend|form|hr|table|thead|tbody|tfoot|tr|td|th|caption|center|h[1-6]"
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
# No table is wider; a damaged attribute may claim anything.
MAX_COLUMNS = 100


def load_html(path: Path) -> Document:
    """An HTML page as one page: its headings, paragraphs, list items and tables in order, without hidden parts."""
    return html_document(path.read_bytes())


def html_document(content: bytes) -> Document:
    """The same for a page that is not a file, as the body of a message."""
    root = _parse(content)
    pages = (Page(1, "", tuple(_Reader(root).blocks())),)
    titles = (title.text_content() for title in root.xpath("//title[not(ancestor::svg)]"))
    return Document(document_title(next(titles, ""), pages), pages)


def _parse(content: bytes) -> Any:
    # Bytes again, because lxml refuses text that declares an encoding, as XHTML does.
    text = _decoded(content).replace("\0", "").encode()
    # "huge_tree": without it long pages are cut silently; their size is limited by the caller.
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True, no_network=True)
    try:
        root = html.document_fromstring(text, parser=parser)
    except etree.ParserError as error:
        raise UnreadableFileError("The file holds no text.") from error
    if any(entry.level == etree.ErrorLevels.FATAL for entry in parser.error_log):
        raise UnreadableFileError("The page is nested too deeply to be read. Save it as plain text.")
    return root


def _decoded(content: bytes) -> str:
    """The text of the page: UTF-8 or UTF-16 where it is that, else as declared, else as its bytes suggest."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        declared = _CHARSET.search(content[:_CHARSET_WITHIN])
        if declared and not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return _decoded_as(declared.group(1).decode("ascii", errors="replace"), content)
    return decode(content)


def _decoded_as(declared: str, content: bytes) -> str:
    try:
        encoding = codecs.lookup(declared).name
        return content.decode(_WIDER.get(encoding, encoding), errors="replace")
    except (LookupError, UnicodeError):  # Unknown, or no encoding of pages ("base64", "idna").
        return decode(content)


class _Reader:
    """One walk over a page; without recursion, because pages nest deeper than Python's stack."""

    def __init__(self, root: Any) -> None:
        self._tokens = _tokens(root)
        self._pieces: list[str] = []
        self._level = 0
        self._preformatted = 0

    def blocks(self) -> Iterator[Block]:
        for kind, content in self._tokens:
            if kind == "text":
                self._pieces.append(content if self._preformatted else _SPACE.sub(" ", content))
                continue
            tag = content.tag
            if tag == "br" and kind == "open":
                self._pieces.append("\n")
            if not _BLOCK.fullmatch(tag):
                continue
            yield from self._finished()
            if tag == "table" and kind == "open" and not _is_layout(content):
                yield from _table_blocks(self._tokens)
            elif tag in _HEADINGS:
                self._level = _HEADINGS[tag] if kind == "open" else 0
            elif tag == "pre":
                self._preformatted += 1 if kind == "open" else -1
        yield from self._finished()

    def _finished(self) -> Iterator[Block]:
        lines = [" ".join(line.split()) for line in "".join(self._pieces).split("\n")]
        self._pieces = []
        lines = [line for line in lines if line]
        if lines and self._level:
            yield Block("heading", (Line(" ".join(lines)),), self._level)
        elif lines:
            yield Block("text", tuple(Line(line) for line in lines))


def _tokens(root: Any) -> Iterator[tuple[str, Any]]:
    """("open", element), ("text", words) and ("close", element) of all that is visible, in order."""
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    hidden: Any = None
    for event, element in walk:
        if event == "start" and _is_hidden(element):
            hidden = element
            walk.skip_subtree()
        elif event == "start":
            yield "open", element
            yield "text", element.text or ""
        else:
            if event == "end" and element is not hidden:
                yield "close", element
            if element is not root:
                yield "text", element.tail or ""


def _is_hidden(element: Any) -> bool:
    return bool(
        _SKIPPED.fullmatch(element.tag)
        or element.get("role") in _SKIPPED_ROLES
        or element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or _HIDDEN_STYLE.search(element.get("style", ""))
        or _is_language_item(element)
    )


def _is_language_item(element: Any) -> bool:
    """Whether a list item only leads to the page in another language; some menus of languages have hundreds."""
    return (
        element.tag == "li"
        and len(element) == 1
        and element[0].get("hreflang") is not None
        and not ((element.text or "") + (element[0].tail or "")).strip()
    )


def _is_layout(table: Any) -> bool:
    """Whether a table only places things: it says so, holds headings, or has a single column."""
    if table.get("role") in ("presentation", "none") or table.xpath("boolean(.//h1|.//h2|.//h3|.//h4|.//h5|.//h6)"):
        return True
    return not table.xpath("boolean(.//tr[count(td|th) > 1])")


def _table_blocks(tokens: Iterator[tuple[str, Any]]) -> Iterator[Block]:
    """The rest of a table whose opening has been read: its caption as text, then its rows.

    A table within a cell is text of that cell.
    """
    depth = 1
    caption: list[str] = []
    rows: list[list[tuple[Any, list[str]]]] = []
    current = caption
    for kind, content in tokens:
        if kind == "text":
            current.append(content)
            continue
        depth += {"open": 1, "close": -1}[kind] if content.tag == "table" else 0
        if depth == 0:
            break
        if depth > 1 or content.tag not in ("tr", "td", "th"):
            current.append(" " if _BLOCK.fullmatch(content.tag) or content.tag == "br" else "")
        elif kind == "close":
            current = caption
        elif content.tag == "tr" or not rows:
            rows.append([])
        if depth == 1 and kind == "open" and content.tag in ("td", "th"):
            current = []
            rows[-1].append((content, current))
    if words := " ".join("".join(caption).split()):
        yield Block("text", (Line(words),))
    grid = [row for row in _grid(rows) if any(row)]
    if grid:
        yield table_block(grid)


def _grid(rows: list[list[tuple[Any, list[str]]]]) -> Iterator[list[str]]:
    """The rows with every cell in its own column; what a merged cell covers besides is empty."""
    covered: dict[int, int] = {}
    for row in rows:
        cells: list[str] = []
        below: dict[int, int] = {}
        for element, pieces in row:
            while covered.get(len(cells), 0):
                cells.append("")
            columns = _span(element, "colspan")
            below.update(dict.fromkeys(range(len(cells), len(cells) + columns), _span(element, "rowspan") - 1))
            cells += [" ".join("".join(pieces).split()), *[""] * (columns - 1)]
        covered = {column: left - 1 for column, left in covered.items() if left > 1} | {
            column: left for column, left in below.items() if left
        }
        yield cells


def _span(element: Any, name: str) -> int:
    text = element.get(name, "").strip()
    return max(1, min(int(text), MAX_COLUMNS)) if text.isascii() and text.isdigit() and len(text) < 10 else 1
