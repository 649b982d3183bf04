"""Markdown and plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingest.document import Block, Document, Line, Page
from ingest.loaders.encoding import decode
from ingest.numbering import clause_number, is_heading_line

_LIST_ITEM = re.compile(r"\s*(?:[-*•·‣]|\(?[a-z0-9ivx]{1,4}[.)])\s+", re.IGNORECASE)
_ATX_HEADING = re.compile(r"(#{1,6}) \S")
_RULE = re.compile(r"\s*[-=_*]{3,}\s*")
_QUESTION = re.compile(r".{8,240}[?？]")


def load_text(path: Path) -> Document:
    """A plain text file: paragraphs, and as headings numbered titles, lines in capitals and questions alone."""
    text = decode(path.read_bytes())
    return Document("", (Page(1, "", tuple(text_blocks(text))),))


def load_markdown(path: Path) -> Document:
    """A Markdown file: its headings, paragraphs, list items, code and tables."""
    blocks = tuple(markdown_blocks(decode(path.read_bytes())))
    title = next((block.text for block in blocks if block.kind == "heading"), "")
    return Document(title, (Page(1, "", blocks),))


def text_blocks(text: str) -> Iterator[Block]:
    """The blocks of plain text: blank lines, headings, list items and numbered clauses begin a new one."""
    paragraph: list[Line] = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n").split("\n")
    for index, line in enumerate(lines):
        alone = index == 0 or not lines[index - 1].strip()
        level = _heading_level(line, alone=alone)
        if paragraph and (not line.strip() or level or _begins_block(line)):
            yield Block("text", tuple(paragraph))
            paragraph = []
        if level:
            yield Block("heading", (Line(line.strip().lstrip("# ")),), level)
        elif line.strip() and not _RULE.fullmatch(line):
            paragraph.append(Line(line.strip()))
    if paragraph:
        yield Block("text", tuple(paragraph))


def _heading_level(line: str, *, alone: bool) -> int | None:
    if match := _ATX_HEADING.match(line):
        return len(match.group(1))
    if level := is_heading_line(line):
        return level
    # A question on a line of its own is the title of its answer, one level below the document's own titles.
    return 3 if alone and _QUESTION.fullmatch(line.strip()) else None


def _begins_block(line: str) -> bool:
    return bool(_LIST_ITEM.match(line)) or clause_number(line) is not None


def markdown_blocks(text: str) -> Iterator[Block]:
    """The blocks of Markdown; links keep their words, images their descriptions, tables become Markdown rows.

    Items of numbered lists carry their number, nested ones with that of the item around them ("6.3"), as contracts
    refer to them.
    """
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    numbers: list[str] = []  # of the items around the token, "" for bullets
    number = ""  # still to be written
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if token.type == "table_open":
            end = next(place for place in range(index, len(tokens)) if tokens[place].type == "table_close")
            yield _table(tokens[index:end])
            index = end
        elif token.type == "list_item_open":
            above = numbers[-1] if numbers else ""
            numbers.append(f"{above}.{token.info}" if above and token.info else token.info)
            number = numbers[-1]
        elif token.type == "list_item_close":
            numbers.pop()
            number = ""
        elif token.type == "inline" and tokens[index - 1].type == "heading_open":
            yield from _block("heading", _plain(token), int(tokens[index - 1].tag[1]))
            number = ""
        elif token.type == "inline" or token.type in ("fence", "code_block"):
            content = _plain(token) if token.type == "inline" else token.content
            yield from _block("text", f"{number}. {content}" if number else content)
            number = ""
        index += 1


def _block(kind: str, text: str, level: int = 0) -> Iterator[Block]:
    lines = tuple(Line(line.strip()) for line in text.split("\n") if line.strip())
    if lines and kind == "heading":
        yield Block("heading", (Line(" ".join(line.text for line in lines)),), level)
    elif lines:
        yield Block("text", lines)


def _plain(token: Token) -> str:
    parts: list[str] = []
    for child in token.children or ():
        if child.type in ("softbreak", "hardbreak"):
            parts.append("\n")
        elif child.type == "image":
            parts.append(_plain(child))
        elif child.type != "html_inline":
            parts.append(child.content)
    return "".join(parts)


def _table(tokens: list[Token]) -> Block:
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_plain(token))
    return table_block(rows)


def table_block(rows: list[list[str]]) -> Block:
    """Rows of cells as one block of Markdown rows; the first row is the head."""
    width = max(len(row) for row in rows)
    padded = [[" ".join(cell.split()).replace("|", "/") for cell in row] + [""] * (width - len(row)) for row in rows]
    return Block("table", tuple(Line("| " + " | ".join(row) + " |") for row in padded))
