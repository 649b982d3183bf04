"""Marks in an answer: the numbers in square brackets that point to passages.

Models write [1], but also [1, 2], [1-3], [[1]], [^1] and 【1】; all become [1][2]... Marks that name no passage are
removed. Brackets with anything else in them ("[see 4]", "[2024]") and text in backticks are left alone. A bracket
directly after a word is a mark, for models write "45 Nm[1]"; indexing such as `a[1]` belongs in backticks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_SEPARATORS = ",，、;；–—~ "
_INSIDE = rf"[\d{_SEPARATORS}^-]{{0,60}}"
_NUMBER_LIST = re.compile(rf"\^?\s*\d{{1,3}}(?:\s*[{_SEPARATORS}-]\s*\d{{1,3}})*\s*")
_NUMBER_OR_RANGE = re.compile(r"(\d{1,3})(?:\s*[-–—~]\s*(\d{1,3}))?")
_ITEM = re.compile(
    rf"(?P<code>`+)|(?P<newline>\n)"
    rf"|(?P<mark> ?[\[【［]{{1,2}}(?P<inside>{_INSIDE})[\]】］]{{1,2}})(?=(?P<next>[(`])?)"
    # With the next mark removed, this bracket could close around what is left and form a mark of its own.
    rf"|(?P<unclosed>[\[【［](?={_INSIDE}[\[【［]))"
)
# The end of a text that may still become something else when more text follows.
_UNDECIDED = re.compile(rf" ?(?:[\[【［]{_INSIDE}(?:[\]】］]{{1,2}} ?)?)*+`*\Z")
_MARK = re.compile(r"`+|\n|\[(\d{1,3})\]")


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark in a cleaned answer: `answer[start:end]` is "[number]"."""

    start: int
    end: int
    number: int


class _Cleaner:
    """Rewrites marks in consecutive parts of one text; remembers whether the text stands in backticks."""

    def __init__(self, passage_count: int) -> None:
        self._passage_count = passage_count
        self._fence = ""

    def clean(self, text: str) -> str:
        return _ITEM.sub(self._replacement, text)

    def _replacement(self, match: re.Match[str]) -> str:
        if match["code"] or match["newline"]:
            self._fence = _next_fence(self._fence, match.group())
            return match.group()
        if self._fence:
            return match.group()
        if match["unclosed"]:
            return ""
        return self._marks(match) if _NUMBER_LIST.fullmatch(match["inside"]) else match.group()

    def _marks(self, match: re.Match[str]) -> str:
        numbers = _numbers(match["inside"], self._passage_count)
        if not numbers:
            # Removed without a trace, this mark could join the backticks around it to a longer fence.
            return " " if match["next"] == "`" else ""
        space = " " if match["mark"].startswith(" ") else ""
        # "[1](address)" would be a link in Markdown.
        gap = " " if match["next"] == "(" else ""
        return space + "".join(f"[{number}]" for number in numbers) + gap


def _next_fence(fence: str, token: str) -> str:
    """The backticks that are open after a run of backticks or a line break; inline code ends with its line."""
    if token == "\n":
        return fence if len(fence) >= 3 else ""
    if not fence:
        return token
    return "" if token == fence else fence


def _numbers(inside: str, passage_count: int) -> list[int]:
    numbers: list[int] = []
    for match in _NUMBER_OR_RANGE.finditer(inside):
        first = int(match.group(1))
        last = int(match.group(2) or first)
        low, high = min(first, last), min(max(first, last), passage_count)
        numbers += range(max(low, 1), high + 1)
    return list(dict.fromkeys(numbers))


def clean_marks(pieces: Iterable[str], passage_count: int) -> Iterator[str]:
    """The text in pieces as they come, each mark as [n] for a passage that exists, the others removed.

    However the text is cut into pieces, their sum is the same.
    """
    cleaner = _Cleaner(passage_count)
    waiting = ""
    for piece in pieces:
        waiting += piece
        undecided = _UNDECIDED.search(waiting)
        decided = undecided.start() if undecided else len(waiting)
        if text := cleaner.clean(waiting[:decided]):
            yield text
        waiting = waiting[decided:]
    if text := cleaner.clean(waiting):
        yield text


def find_marks(text: str) -> list[Mark]:
    """The marks of a cleaned text, in order; what stands in backticks is no mark."""
    marks: list[Mark] = []
    fence = ""
    for match in _MARK.finditer(text):
        if match.group(1) is None:
            fence = _next_fence(fence, match.group())
        elif not fence:
            marks.append(Mark(match.start(), match.end(), int(match.group(1))))
    return marks
