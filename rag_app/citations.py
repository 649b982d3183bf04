"""What the marks of an answer point to: the words in the passage, and the place of these words on the page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ingest.document import PageBox
from rag_app.answer import Citation, Passage
from rag_app.marks import Mark, find_marks
from rag_app.sentences import Span, sentences
from rag_app.support import best_quote, supports
from rag_app.words import content_words

_WORD = re.compile(r"\w")
_LIST_MARKER = re.compile(r"^\s*(?:\d{1,2}[.)、]|[-*•>])\s+")
_EDGES = " \t\n.,;:!?。，；：！？…"


def cite(text: str, passages: Sequence[Passage]) -> tuple[Citation, ...]:
    """What the marks of a cleaned text point to, in order, once for each passage and quote.

    A citation is verified when the figures, units and codes of every statement that carries its mark stand in the
    quote (or the table head, title or section above it), with at least half of the statement's words.
    """
    by_number = {passage.number: passage for passage in passages}
    verified: dict[tuple[int, Span], bool] = {}
    for number, statement in statements(text):
        if number not in by_number:
            continue
        quote = best_quote(statement, by_number[number].text)
        key = (number, quote)
        verified[key] = verified.get(key, True) and supports(by_number[number], quote, statement)
    return tuple(citation(by_number[number], quote, verified=holds) for (number, quote), holds in verified.items())


def citation(passage: Passage, quote: Span, *, verified: bool) -> Citation:
    """The citation of the characters `quote` of a passage."""
    boxes = quote_boxes(passage, *quote)
    page = boxes[0][0] if boxes else passage.page
    return Citation(
        number=passage.number,
        quote=passage.text[slice(*quote)],
        verified=verified,
        source=passage.source,
        title=passage.title,
        page=page,
        page_label=_label_of(page, passage),
        section=passage.section,
        document_id=passage.document_id,
        chunk_id=passage.chunk_id,
        boxes=boxes,
        ocr_confidence=passage.ocr_confidence,
    )


def _label_of(page: int, passage: Passage) -> str:
    """The printed label of a page near the passage's first; "" where it cannot be counted on ("iv", "A-3")."""
    if page == passage.page:
        return passage.page_label
    label = passage.page_label
    return str(int(label) + page - passage.page) if label.isascii() and label.isdigit() else ""


def quote_boxes(passage: Passage, start: int, end: int) -> tuple[PageBox, ...]:
    """The boxes over the characters from `start` to `end`, each cut to its share of the line's width."""
    boxes: list[PageBox] = []
    for (page, x0, y0, x1, y1), (first, last) in zip(passage.boxes, passage.box_spans, strict=True):
        left, right = max(first, start), min(last, end)
        if left < right:
            width = (x1 - x0) / (last - first)
            boxes.append((page, x0 + (left - first) * width, y0, x0 + (right - first) * width, y1))
    return tuple(boxes)


def statements(text: str) -> list[tuple[int, str]]:
    """Each mark's number with the words it vouches for, in order.

    These are the words of its sentence since the mark before; the last mark also vouches for what follows it. A mark
    after the full stop belongs to the sentence it follows.
    """
    marks = find_marks(text)
    found: list[tuple[int, str]] = []
    previous: str = ""
    spans = sentences(text)
    for index, (start, end) in enumerate(spans):
        own = [mark for mark in marks if start <= mark.start < end]
        body = start
        follows = index > 0 and "\n" not in text[spans[index - 1][1] : start]
        is_bare = not _WORD.search(_without_marks(text, start, end, own))
        while own and (is_bare or (follows and not text[body : own[0].start].strip(_EDGES))):
            found.append((own[0].number, previous))
            body = own.pop(0).end
        if is_bare:
            continue
        found += _own_statements(text, (body, end), own)
        previous = _without_marks(text, body, end, own)
    return [(number, _LIST_MARKER.sub("", statement).strip()) for number, statement in found]


def _own_statements(text: str, sentence: Span, marks: Sequence[Mark]) -> Iterator[tuple[int, str]]:
    start, end = sentence
    whole = _without_marks(text, start, end, marks)
    part = ""
    for index, mark in enumerate(marks):
        before = text[start : mark.start]
        # Neighbouring marks share their words.
        part = before if _WORD.search(before) else part
        is_last = not _WORD.search(_without_marks(text, mark.end, end, marks[index + 1 :])) or index == len(marks) - 1
        words = part + " " + _without_marks(text, mark.end, end, marks[index + 1 :]) if is_last else part
        yield mark.number, words if len(content_words(words)) > 1 else whole
        start = mark.end


def _without_marks(text: str, start: int, end: int, marks: Sequence[Mark]) -> str:
    kept = start
    parts = []
    for mark in marks:
        parts.append(text[kept : mark.start])
        kept = mark.end
    return "".join([*parts, text[kept:end]])
