"""Whether quotes say what a statement says: its facts by rules, the rest by a reranker as judge.

Rules first: figures with their units, dates, codes and names must be there, and nothing may be denied on one side only.
What breaks a rule is unsupported. Then the judge scores the statement against its quotes. This is a check, not
understanding: who does what to whom can be turned around with the same words.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence

from ingest.segmentation import fold
from rag_app.answer import Passage, State
from rag_app.dates import dates, without_dates
from rag_app.names import has_name, names
from rag_app.negation import contradicts
from rag_app.sentences import Span, sentences, table_head
from rag_app.words import Language, codes, content_words, has_code, language, quantities, units

Judge = Callable[[str, Sequence[str]], Sequence[float]]
"""`judge(statement, quotes)`: how well each quote bears the statement out, one score a quote, higher for better."""

Quote = tuple[Passage, Span]
"""A passage, and the characters of it that are quoted."""

# Late-interaction scores, all words weighing the same. Of the statements that were measured, 44 of 50 true ones
# reach the first, and 3 of 64 false ones that break no rule; see "Citations" in docs/benchmarks.md.
VERIFIED_FROM: dict[Language, float] = {"en": 0.65, "zh": 0.5}
WEAK_FROM: dict[Language, float] = {"en": 0.45, "zh": 0.25}
MAX_QUOTE_SENTENCES = 3
# A longer quote must earn each further sentence by covering this much more of the statement.
SENTENCE_COST = 0.08
# A figure or a code weighs as much as three words when a quote is looked for.
FIGURE_WEIGHT = 3.0

_QUOTATION = re.compile(r"[\"“「]([^\"“”「」]{12,1000})[\"”」]")

_SPACED_THOUSANDS = re.compile(r"(?<=\d)[ \u00a0\u202f](?=\d{3}(?!\d))")


def best_quote(statement: str, text: str) -> Span:
    """The one to three neighbouring sentences of `text` that hold most of the statement, figures and codes first.

    Words that the statement puts in quotation marks are the quote themselves, where they stand in the text. A text
    without words is quoted whole.
    """
    if quoted := _quoted_words(statement, text):
        return quoted
    spans = sentences(text)
    weights = {word: FIGURE_WEIGHT if re.search(r"\d", word) else 1.0 for word in content_words(statement)}
    # A row is understood with the head of its table, so the head need not be quoted for its words.
    found = [weights.keys() & set(content_words(_head_text(text, span) + text[slice(*span)])) for span in spans]
    total = sum(weights.values()) or 1.0
    best, best_score = (0, len(text)), float("-inf")
    for first in range(len(spans)):
        held: set[str] = set()
        for last in range(first, min(first + MAX_QUOTE_SENTENCES, len(spans))):
            held |= found[last]
            score = sum(weights[word] for word in held) / total - SENTENCE_COST * (last - first)
            if score > best_score:
                best, best_score = (spans[first][0], spans[last][1]), score
    return best


def _quoted_words(statement: str, text: str) -> Span | None:
    for quotation in _QUOTATION.findall(statement):
        pattern = r"\s+".join(re.escape(word) for word in quotation.strip(" .,;。，；").split())
        if pattern and (match := re.search(pattern, text, re.IGNORECASE)):
            return match.span()
    return None


def state_of(statement: str, quotes: Sequence[Quote], judge: Judge) -> State:
    """How well the quotes together bear the statement out.

    The title, the section and the table head above a quote count as part of it. A judge that reads words cannot
    compare two languages: a statement in another language than its quotes is weak where its facts hold. A statement
    without words or without quotes is unsupported.
    """
    if not quotes or not content_words(statement) or not holds_facts(statement, quotes):
        return "unsupported"
    if language(statement) != language("\n".join(_words_of(quote) for quote in quotes)):
        return "weak"
    score = judge(statement, [judged_text(quotes)])[0]
    if score >= VERIFIED_FROM[language(statement)]:
        return "verified"
    return "weak" if score >= WEAK_FROM[language(statement)] else "unsupported"


def holds_facts(statement: str, quotes: Sequence[Quote]) -> bool:
    """Whether all that can be checked word for word is in the quotes.

    The source's name counts for codes and names; names may stand anywhere in the passage, for clauses say "it".
    """
    quotations = _QUOTATION.findall(statement)
    if quotations and not any(_quoted_words(statement, passage.text) for passage, _ in quotes):
        return False
    quoted = "\n".join(_words_of(quote) for quote in quotes)
    # Since when an amendment holds is often said elsewhere in its document, and known by its links.
    days = [day for passage, _ in quotes for link in passage.links for day in (link.effective, link.dated)]
    shown = "\n".join([*map(_headings, quotes), *days, quoted])
    named = fold("\n".join([shown, *(passage.source for passage, _ in quotes)]))
    anywhere = fold("\n".join([named, *(passage.text for passage, _ in quotes)]))
    return (
        all(has_code(code, named) for code in codes(statement))
        and _holds_figures(without_dates(shown), without_dates(statement))
        and _holds_dates(shown, statement)
        and all(has_name(name, anywhere) for name in names(statement))
        and not contradicts(statement, quoted)
    )


def judged_text(quotes: Sequence[Quote]) -> str:
    """What the judge reads: what stands above the quotes, a blank line, and the quotes."""
    headings, words = "\n".join(map(_headings, quotes)), "\n".join(map(_words_of, quotes))
    return f"{headings.strip()}\n\n{words}"


def _words_of(quote: Quote) -> str:
    passage, span = quote
    return passage.text[slice(*span)]


def _headings(quote: Quote) -> str:
    """What stands above the quote and is read with it."""
    passage, (start, end) = quote
    rows = [span for span in sentences(passage.text) if start <= span[0] and span[1] <= end]
    above = _head_text(passage.text, rows[0]) if rows else ""
    return "\n".join((passage.title, passage.section, above))


def _holds_dates(shown: str, statement: str) -> bool:
    known = [reading for readings in dates(shown) for reading in readings]
    return all(any(date.says(reading) for reading in readings for date in known) for readings in dates(statement))


def _head_text(text: str, row: Span) -> str:
    head = table_head(text, row)
    return text[slice(*head)] + "\n" if head else ""


def _holds_figures(shown: str, statement: str) -> bool:
    """Whether each number stands in `shown` with its unit; the unit may stand apart, as in the head of a column.

    "1 450 rpm" may be one number or two, on either side.
    """
    units_of: defaultdict[str, set[str]] = defaultdict(set)
    for text in (shown, _joined(shown)):
        for quantity in quantities(text):
            units_of[quantity.number].add(quantity.unit)
    all_units = units(shown)
    return any(
        all(
            number in units_of
            and (not unit or unit in units_of[number] or ("" in units_of[number] and unit in all_units))
            for number, unit in ((quantity.number, quantity.unit) for quantity in quantities(text))
        )
        for text in (statement, _joined(statement))
    )


def _joined(text: str) -> str:
    return _SPACED_THOUSANDS.sub("", text)
