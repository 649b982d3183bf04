"""The small markup of the sample texts: a template with `{values}` becomes a list of items to lay out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

PREFIXES = (
    ("## ", "heading2"),
    ("# ", "heading1"),
    ("%% ", "subtitle"),
    ("% ", "title"),
    ("- ", "bullet"),
    ("! ", "notice"),
    ("> ", "quote"),
    ("@figure ", "figure"),
    ("@toc ", "toc"),
    ("@sign ", "sign"),
)
COMMANDS = {"---": "break", "@cover": "cover", "@body": "body"}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing on the page. `rows` and `widths` (relative) are filled for tables, whose `text` is the caption."""

    kind: str
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    widths: tuple[float, ...] = ()


def parse(template: str, values: Mapping[str, str]) -> list[Item]:
    """The items of a template in their order; paragraphs are separated by an empty line or a list mark."""
    items: list[Item] = []
    lines = iter(typographic(template.format_map(values)).splitlines())
    for line in lines:
        if line.startswith("= "):
            items.append(_table(line, lines))
        elif line.strip():
            items.append(_item(line))
    return items


def typographic(text: str) -> str:
    """The text with curly quotes; inch marks, which follow a digit, stay straight."""
    text = re.sub(r'(?<![\w.,)])"(?=\w)', "“", text)
    text = re.sub(r'(?<=[a-z.,)])"', "”", text)
    return text.replace("'", "’")


def _item(line: str) -> Item:
    if line in COMMANDS:
        return Item(COMMANDS[line])
    for prefix, kind in PREFIXES:
        if line.startswith(prefix):
            return Item(kind, line.removeprefix(prefix))
    if re.match(r"\d+\. |\([a-z]\) ", line):
        return Item("numbered", line)
    return Item("text", line)


def _table(first: str, lines: Iterator[str]) -> Item:
    caption, widths = first.removeprefix("= ").split(" | ")
    rows: list[tuple[str, ...]] = []
    for line in lines:
        if line.startswith("|"):
            rows.append(tuple(cell.strip() for cell in line.strip("| ").split(" | ")))
        elif rows and not line.strip():
            break
    return Item("table", caption, tuple(rows), tuple(float(width) for width in widths.split()))
