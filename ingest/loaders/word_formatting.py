"""What the styles and the list definitions of a Word file say about a paragraph: its heading level and its number.

Word stores no numbers with automatically numbered text, only counters and patterns; `Numbering` counts as Word does.
Elements here are lxml elements of WordprocessingML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ingest.loaders.counters import COUNTERS, spelled

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_NAMESPACES = {"w": W[1:-1]}
_HEADING_NAME = re.compile(r"heading ([1-9])", re.IGNORECASE)
_BODY_OUTLINE_LEVEL = 9
_LEVELS = 9


def value(element: Any, path: str) -> str | None:
    """The w:val of the element at `path` ("w:pPr/w:pStyle"), None where there is none."""
    found = element.find(path, _NAMESPACES)
    return None if found is None else found.get(f"{W}val")


def is_on(element: Any, path: str) -> bool | None:
    """Whether a switch such as bold is on; None where it is not set."""
    found = element.find(path, _NAMESPACES)
    return None if found is None else found.get(f"{W}val") not in ("0", "false", "off")


def integer(text: str | None, default: int) -> int:
    """The number that an attribute holds, `default` where it holds none."""
    return int(text) if text and len(text) <= 9 and text.isascii() and text.isdigit() else default


class Styles:
    """The styles of a document, each with the styles that it is based on."""

    def __init__(self, root: Any) -> None:
        styles = root.findall("w:style", _NAMESPACES)
        self._styles = {style.get(f"{W}styleId"): style for style in styles}
        defaults = (style for style in styles if style.get(f"{W}type") == "paragraph" and style.get(f"{W}default"))
        self._default = next((style.get(f"{W}styleId") for style in defaults), None)

    def chain(self, style_id: str | None) -> Iterator[Any]:
        """The style, then what it is based on, and so on."""
        seen: set[str] = set()
        while style_id is not None and style_id in self._styles and style_id not in seen:
            seen.add(style_id)
            yield self._styles[style_id]
            style_id = value(self._styles[style_id], "w:basedOn")

    def sources(self, paragraph: Any) -> Iterator[Any]:
        """The elements whose w:pPr and w:rPr apply to a paragraph, the strongest first."""
        yield paragraph
        yield from self.chain(value(paragraph, "w:pPr/w:pStyle") or self._default)

    def heading_level(self, paragraph: Any) -> int:
        """1 for a title or the highest heading, 0 for a paragraph that is not styled as a heading."""
        for source in self.sources(paragraph):
            name = value(source, "w:name") or ""
            if match := _HEADING_NAME.fullmatch(name):
                return int(match.group(1))
            if name.lower() == "title":
                return 1
            if outline := value(source, "w:pPr/w:outlineLvl"):
                level = integer(outline, _BODY_OUTLINE_LEVEL)
                return level + 1 if level < _BODY_OUTLINE_LEVEL else 0
        return 0

    def is_contents_line(self, paragraph: Any) -> bool:
        """Whether the paragraph is a line of a table of contents."""
        return any((value(source, "w:name") or "").lower().startswith("toc ") for source in self.sources(paragraph))

    def is_bold(self, paragraph: Any) -> bool:
        """Whether every run that has text is bold."""
        base = self._switch(self.sources(paragraph), "w:rPr/w:b")
        runs = [run for run in paragraph.iter(f"{W}r") if run.findtext("w:t", "", _NAMESPACES).strip()]
        return bool(runs) and all(self._run_is_bold(run, base=base) for run in runs)

    def breaks_page_before(self, paragraph: Any) -> bool:
        return self._switch(self.sources(paragraph), "w:pPr/w:pageBreakBefore")

    def _run_is_bold(self, run: Any, *, base: bool) -> bool:
        for source in (run, *self.chain(value(run, "w:rPr/w:rStyle"))):
            if (bold := is_on(source, "w:rPr/w:b")) is not None:
                return bold
        return base

    @staticmethod
    def _switch(sources: Iterator[Any], path: str) -> bool:
        return next((state for source in sources if (state := is_on(source, path)) is not None), False)


class Numbering:
    """The counters of a document's lists. Ask for each numbered paragraph once, in document order."""

    def __init__(self, root: Any | None, styles: Styles) -> None:
        self._styles = styles
        self._list_of: dict[str, str] = {}
        self._levels: dict[tuple[str, int], Any] = {}
        self._restarts: dict[tuple[str, int], int] = {}
        self._counters: dict[str, list[int | None]] = {}
        if root is not None:
            self._define(root)

    def _define(self, root: Any) -> None:
        lists = {item.get(f"{W}abstractNumId"): item for item in root.findall("w:abstractNum", _NAMESPACES)}
        list_of = {num.get(f"{W}numId"): value(num, "w:abstractNumId") for num in root.findall("w:num", _NAMESPACES)}
        for num in root.findall("w:num", _NAMESPACES):
            num_id = num.get(f"{W}numId")
            list_id = self._linked(list_of[num_id], lists, list_of)
            if list_id is None or list_id not in lists:
                continue
            self._list_of[num_id] = list_id
            for level in lists[list_id].findall("w:lvl", _NAMESPACES):
                self._levels[num_id, integer(level.get(f"{W}ilvl"), 0)] = level
            for override in num.findall("w:lvlOverride", _NAMESPACES):
                place = num_id, integer(override.get(f"{W}ilvl"), 0)
                if (level := override.find("w:lvl", _NAMESPACES)) is not None:
                    self._levels[place] = level
                if start := value(override, "w:startOverride"):
                    self._restarts[place] = integer(start, 1)

    def _linked(self, list_id: str | None, lists: dict[str, Any], list_of: dict[str, str | None]) -> str | None:
        """A list may only name a style, whose own list holds the levels."""
        style = value(lists[list_id], "w:numStyleLink") if list_id in lists else None
        for source in self._styles.chain(style):
            return list_of.get(value(source, "w:pPr/w:numPr/w:numId") or "")
        return list_id

    def number(self, paragraph: Any) -> str:
        """What Word prints before the paragraph ("4.2 ", "(b) ", "第三条"); "" for no number and for bullets."""
        place = self._place(paragraph)
        if place is None or place not in self._levels:
            return ""
        num_id, level = place
        self._count(num_id, level)
        printed = self._printed(num_id, level)
        return f"{printed} " if printed and self._setting(num_id, level, "w:suff") != "nothing" else printed

    def _place(self, paragraph: Any) -> tuple[str, int] | None:
        """The list and the level of a paragraph: its own, else those of its style."""
        level: str | None = None
        for source in self._styles.sources(paragraph):
            level = level or value(source, "w:pPr/w:numPr/w:ilvl")
            if num_id := value(source, "w:pPr/w:numPr/w:numId"):
                own = integer(level, 0) if level else self._level_of_style(num_id, paragraph)
                return (num_id, own) if own < _LEVELS else None
        return None

    def _level_of_style(self, num_id: str, paragraph: Any) -> int:
        style = value(paragraph, "w:pPr/w:pStyle")
        linked = (level for level in range(_LEVELS) if self._setting(num_id, level, "w:pStyle") == style)
        return next(linked, 0) if style else 0

    def _setting(self, num_id: str, level: int, path: str) -> str | None:
        definition = self._levels.get((num_id, level))
        return None if definition is None else value(definition, path)

    def _start(self, num_id: str, level: int) -> int:
        return integer(self._setting(num_id, level, "w:start"), 1)

    def _count(self, num_id: str, level: int) -> None:
        counters = self._counters.setdefault(self._list_of[num_id], [None] * _LEVELS)
        current = counters[level]
        if (num_id, level) in self._restarts:
            counters[level] = self._restarts.pop((num_id, level))
        else:
            counters[level] = self._start(num_id, level) if current is None else current + 1
        for deeper in range(level + 1, _LEVELS):
            # "w:lvlRestart" 0 never restarts: clauses that count on across chapters.
            if level < integer(self._setting(num_id, deeper, "w:lvlRestart"), _LEVELS):
                counters[deeper] = None

    def _printed(self, num_id: str, level: int) -> str:
        definition = self._levels[num_id, level]
        if value(definition, "w:numFmt") == "bullet":
            return ""
        plain = is_on(definition, "w:isLgl")
        counters = self._counters[self._list_of[num_id]]
        printed = value(definition, "w:lvlText") or ""
        for other in range(_LEVELS):
            style = self._setting(num_id, other, "w:numFmt") or "decimal"
            current = counters[other]
            count = self._start(num_id, other) if current is None else current
            if f"%{other + 1}" not in printed:
                continue
            if style not in COUNTERS:
                return ""
            printed = printed.replace(f"%{other + 1}", spelled(count, "decimal" if plain else style))
        return " ".join(printed.split())
