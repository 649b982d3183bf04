"""What the marks of an answer point to: words in a passage, how well they bear it out, and where they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ingest.document import PageBox
from rag_app.answer import STATES, Citation, CitedText, Passage, State, Statement
from rag_app.claims import Claim, Unit, units
from rag_app.sentences import Span
from rag_app.support import Judge, best_quote, state_of


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement of an answer, and the state of each quote that it leans on, by passage number and characters."""

    statement: Statement
    quotes: tuple[tuple[int, Span, State], ...]


Check = Callable[[Unit], Checked]
"""What a unit that has claims states, checked."""


def cite(text: str, passages: Sequence[Passage], judge: Judge) -> CitedText:
    """A cleaned text with the state of each statement and the citations of its marks."""
    return cited(text, (check(unit, passages, judge) for unit in units(text) if unit.claims), passages)


def check(unit: Unit, passages: Sequence[Passage], judge: Judge) -> Checked:
    """What a unit states, checked against the passages of its marks; its worst claim gives its state."""
    by_number = {passage.number: passage for passage in passages}
    checked = [_check_claim(claim, by_number, judge) for claim in unit.claims]
    numbers = dict.fromkeys(number for claim in unit.claims for number in claim.numbers)
    state = _worst(state for state, _ in checked)
    quotes = tuple(quote for _, quotes in checked for quote in quotes)
    return Checked(Statement(unit.start, unit.end, tuple(numbers), state), quotes)


def _check_claim(
    claim: Claim, passages: dict[int, Passage], judge: Judge
) -> tuple[State, list[tuple[int, Span, State]]]:
    """The state of a claim and of each of its quotes.

    One passage that bears it out is enough. Where none does, several may do so together: then each is as good as that.
    """
    known = [passages[number] for number in claim.numbers if number in passages]
    quotes = [(passage, best_quote(claim.words, passage.text)) for passage in known]
    states = [state_of(claim.words, [quote], judge) for quote in quotes]
    best: State = min(states, key=STATES.index, default="unsupported")
    if best == "unsupported" and len(quotes) > 1:
        best = state_of(claim.words, quotes, judge)
        states = [best] * len(quotes)
    return best, [(passage.number, span, state) for (passage, span), state in zip(quotes, states, strict=True)]


def cited(text: str, checked: Iterable[Checked], passages: Sequence[Passage]) -> CitedText:
    """The text with its statements, and a citation for each passage and quote, in the state of its worst use."""
    by_number = {passage.number: passage for passage in passages}
    statements = []
    quotes: dict[tuple[int, Span], State] = {}
    for one in checked:
        statements.append(one.statement)
        for number, span, state in one.quotes:
            quotes[number, span] = _worst([state, quotes.get((number, span), state)])
    citations = (citation(by_number[number], span, state) for (number, span), state in quotes.items())
    return CitedText(text, tuple(statements), tuple(citations))


def _worst(states: Iterable[State]) -> State:
    return max(states, key=STATES.index)


def citation(passage: Passage, quote: Span, state: State) -> Citation:
    """The citation of the characters `quote` of a passage."""
    boxes = quote_boxes(passage, *quote)
    page = boxes[0][0] if boxes else passage.page
    return Citation(
        number=passage.number,
        quote=passage.text[slice(*quote)],
        state=state,
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
