"""The automatic numbers of a Word document ("12.3", "(b)", 第三条), which stand nowhere in its text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from docx.oxml.ns import qn

from ingest.loaders.list_numbers import NumberStyle, printed_number

LEVELS = 9

_STYLES: dict[str, NumberStyle] = {
    "lowerLetter": "lower letter",
    "upperLetter": "upper letter",
    "lowerRoman": "lower roman",
    "upperRoman": "upper roman",
    "chineseCounting": "chinese",
    "chineseCountingThousand": "chinese",
    "ideographDigital": "chinese",
    "japaneseCounting": "chinese",
}
_PLACEHOLDER = re.compile(r"%([1-9])")


@dataclass(frozen=True, slots=True)
class _Level:
    """How one level of a list is printed: `template` as in "%1.%2"; empty for bullets."""

    start: int
    style: NumberStyle
    template: str
    all_decimal: bool
    paragraph_style: str | None


@dataclass(frozen=True, slots=True)
class _List:
    """One list: its levels, and the key of the counters it shares with lists of the same design."""

    counters: str
    levels: dict[int, _Level]
    starts: dict[int, int]


class WordNumbering:
    """Counts the numbered paragraphs of one document in order."""

    def __init__(self, numbering: Any | None, list_of_style: dict[str, str]) -> None:
        """`numbering` is the root of numbering.xml; `list_of_style` names the list (numId) of a numbering style."""
        self._lists: dict[str, _List] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._started: set[str] = set()
        if numbering is not None:
            self._lists = _read_lists(numbering, list_of_style)

    def level_of_style(self, list_id: str, style_id: str) -> int | None:
        """The level that a paragraph style stands for in that list."""
        known = self._lists.get(list_id)
        levels = known.levels.items() if known else ()
        return next((number for number, level in levels if level.paragraph_style == style_id), None)

    def next_number(self, list_id: str, level: int) -> str:
        """The number printed before the next paragraph of that list; empty for bullets and unknown lists."""
        known = self._lists.get(list_id)
        if known is None or level not in known.levels:
            return ""
        counts = self._counts.setdefault(known.counters, {})
        if list_id not in self._started:
            self._started.add(list_id)
            for restarted, start in known.starts.items():
                counts[restarted] = start - 1
        counts[level] = counts.get(level, known.levels[level].start - 1) + 1
        for deeper in [deeper for deeper in counts if deeper > level]:
            del counts[deeper]
        return _printed(known.levels, counts, level)


def _printed(levels: dict[int, _Level], counts: dict[int, int], level: int) -> str:
    design = levels[level]

    def fill(match: re.Match[str]) -> str:
        place = int(match.group(1)) - 1
        if place not in levels:
            return ""
        style = "decimal" if design.all_decimal else levels[place].style
        return printed_number(counts.get(place, levels[place].start), style)

    return _PLACEHOLDER.sub(fill, design.template).strip()


def _read_lists(numbering: Any, list_of_style: dict[str, str]) -> dict[str, _List]:
    designs = {design.get(qn("w:abstractNumId")): design for design in numbering.iterchildren(qn("w:abstractNum"))}
    instances = {instance.get(qn("w:numId")): instance for instance in numbering.iterchildren(qn("w:num"))}

    def design_of(list_id: str | None) -> Any | None:
        instance = instances.get(list_id)
        return None if instance is None else designs.get(_value(instance, "w:abstractNumId"))

    lists: dict[str, _List] = {}
    for list_id, instance in instances.items():
        design = design_of(list_id)
        linked = None if design is None else _value(design, "w:numStyleLink")
        if linked:  # the design only points to the list of a style
            design = design_of(list_of_style.get(linked))
        if design is None:
            continue
        levels = {_index(level): _read_level(level) for level in design.iterchildren(qn("w:lvl"))}
        starts: dict[int, int] = {}
        for override in instance.iterchildren(qn("w:lvlOverride")):
            if (start := _value(override, "w:startOverride")) is not None:
                starts[_index(override)] = _number(start, 1)
            if (level := override.find(qn("w:lvl"))) is not None:
                levels[_index(override)] = _read_level(level)
        lists[list_id] = _List(design.get(qn("w:abstractNumId")), levels, starts)
    return lists


def _read_level(level: Any) -> _Level:
    kind = _value(level, "w:numFmt") or "decimal"
    template = "" if kind in ("bullet", "none") else _value(level, "w:lvlText") or ""
    return _Level(
        start=_number(_value(level, "w:start"), 1),
        style=_STYLES.get(kind, "decimal"),
        template=template,
        all_decimal=level.find(qn("w:isLgl")) is not None,
        paragraph_style=_value(level, "w:pStyle"),
    )


def _index(element: Any) -> int:
    return _number(element.get(qn("w:ilvl")), 0)


def _value(element: Any, tag: str) -> str | None:
    child = element.find(qn(tag))
    return None if child is None else child.get(qn("w:val"))


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and re.fullmatch(r"[0-9]{1,9}", text) else otherwise
