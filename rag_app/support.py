"""Whether a passage says what a statement says, judged by words, figures and codes alone.

This is a check, not understanding: a statement that turns a passage's meaning around with the same words passes, and a
faithful one in another language or in other words does not.
"""

from __future__ import annotations

import re
from collections import defaultdict

from ingest.segmentation import fold
from rag_app.answer import Passage
from rag_app.sentences import Span, sentences, table_head
from rag_app.words import codes, content_words, has_code, quantities, units

# The share of a statement's words that its quote must hold, with the headings above it.
MIN_OVERLAP = 0.5
MAX_QUOTE_SENTENCES = 3
# A longer quote must earn each further sentence by covering this much more of the statement.
SENTENCE_COST = 0.08
# A figure or a code weighs as much as three words when a quote is looked for.
FIGURE_WEIGHT = 3.0

_QUOTATION = re.compile(r"[\"“「]([^\"“”「」]{12,1000})[\"”」]")


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


def supports(passage: Passage, quote: Span, statement: str) -> bool:
    """Whether the quote bears the statement out: all its figures, units and codes, and half of its words.

    The table head above the quote, the section and the title count as part of the quote; the source's name counts
    for codes only. Words in quotation marks must stand in the passage. A statement without words is not supported.
    """
    quotations = _QUOTATION.findall(statement)
    if quotations and _quoted_words(statement, passage.text) is None:
        return False
    shown = _with_headings(passage, quote)
    words = content_words(statement)
    held = set(words) & set(content_words(shown))
    named = fold(f"{shown} {passage.source}")
    return (
        bool(words)
        and len(held) >= MIN_OVERLAP * len(words)
        and all(has_code(code, named) for code in codes(statement))
        and _holds_figures(shown, statement)
    )


def _with_headings(passage: Passage, quote: Span) -> str:
    start, end = quote
    rows = [span for span in sentences(passage.text) if start <= span[0] and span[1] <= end]
    above = _head_text(passage.text, rows[0]) if rows else ""
    return "\n".join((passage.title, passage.section, above, passage.text[start:end]))


def _head_text(text: str, row: Span) -> str:
    head = table_head(text, row)
    return text[slice(*head)] + "\n" if head else ""


def _holds_figures(shown: str, statement: str) -> bool:
    """Whether each number stands in `shown` with its unit; the unit may stand apart, as in the head of a column."""
    units_of: defaultdict[str, set[str]] = defaultdict(set)
    for quantity in quantities(shown):
        units_of[quantity.number].add(quantity.unit)
    all_units = units(shown)
    return all(
        number in units_of and (not unit or unit in units_of[number] or ("" in units_of[number] and unit in all_units))
        for number, unit in ((quantity.number, quantity.unit) for quantity in quantities(statement))
    )
