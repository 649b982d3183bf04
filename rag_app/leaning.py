"""Quotes with what they lean on: what governs a clause before the text it replaced, definitions and targets behind.

Passages are linked as wholes (`Passage.links`); here it is seen which links concern the very words that are quoted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from ingest.references import references, says_what_it_means
from rag_app.answer import Passage
from rag_app.governing import Governing, Lead, Score, Told, best_within
from rag_app.quotes import Quote
from rag_app.sentences import sentences

MAX_SUPPORT = 2

_SUPPORT: Lead = {"en": "To be read with it:", "zh": "相关内容："}


def with_what_they_lean_on(chosen: Sequence[Quote], passages: Sequence[Passage], governing: Governing) -> list[Told]:
    """The chosen quotes in order, with what changed or was changed by each, then what they point to or use."""
    shown: list[Told] = []
    for quote in chosen:
        shown += [one for one in governing.told(quote) if not _is_said(one[1], shown)]
    above: Lead | None = _SUPPORT
    for support in _supports([quote for _, quote in shown], passages, governing.score):
        for lead, one in [] if _is_said(support, shown) else governing.told(support):
            if not _is_said(one, shown):
                shown.append((_both(above, lead), one))
                above = None
    return shown


def _both(above: Lead | None, lead: Lead | None) -> Lead | None:
    if above is None or lead is None:
        return above or lead
    return {"en": f"{above['en']} {lead['en']}", "zh": f"{above['zh']}{lead['zh']}"}


def _is_said(quote: Quote, shown: Sequence[Told]) -> bool:
    start, end = quote.span
    return any(
        other.passage.number == quote.passage.number and other.span[0] < end and start < other.span[1]
        for _, other in shown
    )


# Definitions and targets


def _supports(quotes: Sequence[Quote], passages: Sequence[Passage], score: Score) -> list[Quote]:
    """What the quotes use and point to, the best first; behind each definition what it points to itself."""
    found = [support for quote in quotes for support in _support(quote, passages, score)]
    if not found:
        return []
    scores = score([quote.text for quote, _ in found])
    best = sorted(range(len(found)), key=lambda place: -scores[place])
    supports: list[Quote] = []
    for quote, term in (found[place] for place in best[:MAX_SUPPORT]):
        onward = _support(quote, passages, score, about=term) if term else ()
        supports += [quote, *(further for further, _ in onward)]
    return supports[: MAX_SUPPORT + 1]


def _support(quote: Quote, passages: Sequence[Passage], score: Score, about: str = "") -> Iterator[tuple[Quote, str]]:
    """The words that define a term of the quote, with that term, and those that it points to, with none.

    Of a target, words on the term `about` are better than others.
    """
    targets = {reference.name for reference in references(quote.text)}
    for passage in passages:
        for link in passage.links:
            if link.number != quote.passage.number:
                continue
            if link.relation == "defines" and link.target in quote.text:
                yield from ((one, link.target) for one in _definition(passage, link.target))
            elif link.relation == "holds" and link.target in targets:
                yield best_within(passage, link.target, score, about), ""


def _definition(passage: Passage, term: str) -> Iterator[Quote]:
    """The first sentence that says what the term means, without its neighbours in a list."""
    quotes = (Quote(passage, span, passage.text[slice(*span)]) for span in sentences(passage.text))
    yield from islice((quote for quote in quotes if says_what_it_means(term, quote.text)), 1)
