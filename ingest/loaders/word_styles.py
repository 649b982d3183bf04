"""What the styles of a Word document say about a paragraph: heading, list, bold, new page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from docx.oxml.ns import qn

_HEADING_NAME = re.compile(r"heading ([1-9])")
_BODY_LEVEL = 9
_OFF = {"0", "false", "off"}


class WordStyles:
    """Paragraph properties, looked up on the paragraph itself, then along its styles' ancestors."""

    def __init__(self, styles: Any) -> None:
        """`styles` is the root of styles.xml."""
        self._styles = {style.get(qn("w:styleId")): style for style in styles.iterchildren(qn("w:style"))}
        self._default = next(
            (
                style_id
                for style_id, style in self._styles.items()
                if style.get(qn("w:type")) == "paragraph" and style.get(qn("w:default")) in ("1", "true")
            ),
            None,
        )

    def name(self, paragraph: Any) -> str:
        """The name of the paragraph's style in lower case; Word keeps the built-in ones in English."""
        style = next(self._chain(paragraph), None)
        return _name(style) if style is not None else ""

    def heading_level(self, paragraph: Any) -> int:
        """1 for a title and a heading of the first level; 0 for what is no heading."""
        outline = paragraph.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
        for style in self._chain(paragraph):
            if match := _HEADING_NAME.fullmatch(_name(style)):
                return int(match.group(1))
            if _name(style) == "title":
                return 1
            outline = outline if outline is not None else style.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
        level = "" if outline is None else outline.get(qn("w:val"), "")
        return int(level) + 1 if re.fullmatch("[0-8]", level) else 0

    def list_of(self, paragraph: Any) -> tuple[str | None, int | None, str]:
        """The paragraph's list, its level there (None: the one of its style), and the style that says so."""
        level: int | None = None
        for style_id, owner in self._owners(paragraph):
            numbering = owner.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
            if numbering is None:
                continue
            stated = numbering.find(qn("w:ilvl"))
            if level is None and stated is not None and re.fullmatch("[0-8]", stated.get(qn("w:val"), "")):
                level = int(stated.get(qn("w:val")))
            list_id = numbering.find(qn("w:numId"))
            if list_id is not None:
                value = list_id.get(qn("w:val"))
                if owner is paragraph and level is None:
                    level = 0
                return (None if value == "0" else value), level, style_id
        return None, None, ""

    def lists(self) -> dict[str, str]:
        """The list (numId) of every style that has one."""
        found = {
            style_id: style.find(f"{qn('w:pPr')}/{qn('w:numPr')}/{qn('w:numId')}")
            for style_id, style in self._styles.items()
        }
        return {style_id: element.get(qn("w:val")) for style_id, element in found.items() if element is not None}

    def starts_page(self, paragraph: Any) -> bool:
        return next((on for on in self._switches(paragraph, "w:pPr", "w:pageBreakBefore")), False)

    def is_bold(self, paragraph: Any) -> bool:
        """Whether every word of the paragraph is bold."""
        by_style = any(_switch(style, "w:rPr", "w:b") for style in self._chain(paragraph))
        runs = [
            run for run in paragraph.iter(qn("w:r")) if any((text.text or "").strip() for text in run.iter(qn("w:t")))
        ]
        states = [_switch(run, "w:rPr", "w:b") for run in runs]
        return bool(runs) and all(by_style if state is None else state for state in states)

    def _switches(self, paragraph: Any, properties: str, tag: str) -> Iterator[bool]:
        for _, owner in self._owners(paragraph):
            state = _switch(owner, properties, tag)
            if state is not None:
                yield state

    def _owners(self, paragraph: Any) -> Iterator[tuple[str, Any]]:
        """Who may state a property: the paragraph itself, then its styles, nearest first."""
        style_id = _style_id(paragraph)
        yield style_id or "", paragraph
        for style in self._chain(paragraph):
            yield style.get(qn("w:styleId"), ""), style

    def _chain(self, paragraph: Any) -> Iterator[Any]:
        style_id = _style_id(paragraph) or self._default
        seen: set[str] = set()
        while style_id is not None and style_id not in seen and style_id in self._styles:
            seen.add(style_id)
            style = self._styles[style_id]
            yield style
            based_on = style.find(qn("w:basedOn"))
            style_id = None if based_on is None else based_on.get(qn("w:val"))


def _style_id(paragraph: Any) -> str | None:
    style = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
    return None if style is None else style.get(qn("w:val"))


def _name(style: Any) -> str:
    name = style.find(qn("w:name"))
    return "" if name is None else name.get(qn("w:val"), "").lower()


def _switch(owner: Any, properties: str, tag: str) -> bool | None:
    """Whether a property is on; None where the owner does not state it."""
    element = owner.find(f"{qn(properties)}/{qn(tag)}")
    return None if element is None else element.get(qn("w:val"), "1") not in _OFF
