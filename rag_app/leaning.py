"""Quotes with what they lean on: an amendment that governs before the text it replaced, definitions and targets behind.

Passages are linked as wholes (`Passage.links`); here it is seen which links concern the very words that are quoted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from ingest.amending import amended, runs_on
from ingest.clauses import normal_number
from ingest.numbering import clause_number
from ingest.outline import touches
from ingest.references import references, says_what_it_means
from rag_app.answer import GOVERNING, Link, Passage
from rag_app.quotes import MAX_LIST_CHARACTERS, Quote, quotes_of
from rag_app.sentences import sentences
from rag_app.words import Language

Lead = Mapping[Language, str]
"""What is said above a quote that was not chosen for itself."""

Score = Callable[[Sequence[str]], Sequence[float]]

MAX_SUPPORT = 2

_BEFORE: Lead = {
    "en": "This amends {clause}{since}. Before, it read:",
    "zh": "以上内容修改了{clause}{since}。修改前为：",
}
_VERSION_BEFORE: Lead = {
    "en": "This is {clause} in the later version of the document. Before, it read:",
    "zh": "以上为新版文件的{clause}。旧版为：",
}
_EARLIER: Lead = {"en": "An earlier amendment of it:", "zh": "此前的修改："}
_SUPPORT: Lead = {"en": "To be read with it:", "zh": "相关内容："}
_EFFECTIVE: Lead = {"en": ", effective {day}", "zh": "（自 {day} 起生效）"}
_DATED: Lead = {"en": " (amendment of {day})", "zh": "（{day} 的修改）"}
_CLAUSE: Lead = {"en": "clause {number}", "zh": "第 {number} 条"}


def with_what_they_lean_on(
    chosen: Sequence[Quote], passages: Sequence[Passage], score: Score
) -> list[tuple[Lead | None, Quote]]:
    """The chosen quotes in order, with what amends or was amended by each, then what they point to or use.

    `score` gives one figure a text, higher for what answers better.
    """
    shown: list[tuple[Lead | None, Quote]] = []
    for quote in chosen:
        for lead, one in _with_amendments(quote, passages, score):
            if not _is_said(one, shown):
                shown.append((lead, one))
    above: Lead | None = _SUPPORT
    for support in _supports([quote for _, quote in shown], passages, score):
        for lead, one in [] if _is_said(support, shown) else _with_amendments(support, passages, score):
            if not _is_said(one, shown):
                shown.append((lead or above, one))
                above = None
    return shown


def _is_said(quote: Quote, shown: Sequence[tuple[Lead | None, Quote]]) -> bool:
    start, end = quote.span
    return any(
        other.passage.number == quote.passage.number and other.span[0] < end and start < other.span[1]
        for _, other in shown
    )


# Amendments


def _with_amendments(quote: Quote, passages: Sequence[Passage], score: Score) -> Iterator[tuple[Lead | None, Quote]]:
    """The quote alone; where its clause was amended or it amends one, the governing text before the replaced one."""
    link = _amendment_of(quote, passages)
    if link is None:
        yield None, quote
        return
    by_number = {passage.number: passage for passage in passages}
    amended_passage = by_number[link.number]
    amending = [passage for passage in passages if any(_is_same_change(other, link) for other in passage.links)]
    for place, passage in enumerate(amending):
        yield (_EARLIER if place else None), _governing_quote(passage, link, score)
    replaced = [quote] if quote.passage == amended_passage else _best_within(amended_passage, link.target, score)
    for one in replaced:
        yield _before(link), one


def _amendment_of(quote: Quote, passages: Sequence[Passage]) -> Link | None:
    """The first link by which the quote amends a clause, or by which another passage amends that of the quote."""
    changed = amended(quote.text)
    own = [link for link in quote.passage.links if link.relation == "amends" and link.target in changed]
    clause = _clause_at(quote)
    others = [
        link
        for passage in passages
        for link in passage.links
        if link.relation in GOVERNING and link.number == quote.passage.number and touches(link.target, clause)
    ]
    return next(iter([*own, *others]), None)


def _is_same_change(link: Link, other: Link) -> bool:
    return link.relation in GOVERNING and link.number == other.number and touches(link.target, other.target)


def _governing_quote(passage: Passage, link: Link, score: Score) -> Quote:
    """The clause in a later version; or the sentence that changes it, with as much new wording as a quote may hold."""
    if link.relation == "revises":
        return _best_within(passage, link.target, score)[0]
    quotes = list(quotes_of(passage))
    quote = next((one for one in quotes if link.target in amended(one.text)), quotes[0])
    start, end = quote.span
    for _, further in sentences(passage.text):
        if further > end and runs_on(passage.text[start:end]) and further - start <= MAX_LIST_CHARACTERS:
            end = further
    return Quote(passage, (start, end), passage.text[start:end])


def _before(link: Link) -> Lead:
    """What is said above the replaced text, in each language."""
    leads: dict[Language, str] = {}
    for language, words in (_BEFORE if link.relation == "amends" else _VERSION_BEFORE).items():
        day, since = (link.effective, _EFFECTIVE) if link.effective else (link.dated, _DATED)
        name = _CLAUSE[language].format(number=link.target) if link.target[:1].isdigit() else link.target
        leads[language] = words.format(clause=name, since=since[language].format(day=day) if day else "")
    return leads


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
                yield from ((one, "") for one in _best_within(passage, link.target, score, about))


def _definition(passage: Passage, term: str) -> Iterator[Quote]:
    """The first sentence that says what the term means, without its neighbours in a list."""
    quotes = (Quote(passage, span, passage.text[slice(*span)]) for span in sentences(passage.text))
    yield from islice((quote for quote in quotes if says_what_it_means(term, quote.text)), 1)


def _best_within(passage: Passage, target: str, score: Score, about: str = "") -> list[Quote]:
    """The best quote from this clause of the passage, or from all of it for a table or a page; one, as a list."""
    quotes = list(quotes_of(passage))
    within = [quote for quote in quotes if touches(target, _clause_at(quote))] or quotes
    within = [quote for quote in within if about in quote.text] or within
    scores = score([quote.text for quote in within])
    return [within[max(range(len(within)), key=scores.__getitem__)]]


def _clause_at(quote: Quote) -> str:
    """The number of the clause that a quote begins in, "" where nothing numbers it."""
    text = quote.passage.text
    line_end = text.find("\n", quote.span[0])
    lines = text[: line_end if line_end >= 0 else len(text)].split("\n")
    printed = next((number for line in reversed(lines) if (number := clause_number(line))), None)
    return normal_number(printed) if printed else next(iter(quote.passage.clauses), "")
