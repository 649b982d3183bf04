"""Where the sentences of a passage begin and end, in English and Chinese prose, clauses and Markdown tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag_app.words import word_set

Span = tuple[int, int]

MAX_SENTENCE_CHARACTERS = 600

_LINE = re.compile(r"[^\n\r]+")
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？；…]+[”’」』）\"]*")
_TABLE_RULE = re.compile(r"[|\s:+-]+")
_LAST_WORD = re.compile(r"(\S+)\.[\"'”’)\]]*$")
_LIST_MARKER = re.compile(r"[(\[]?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})(?:\.\d{1,3})*[.)\]]*")
# A letter in parentheses opens a list item: "(b) Go on."
_NEXT_WORD = re.compile(r"\s*(?!\([a-z]{1,4}\))[\"'“‘(\[]*(\w+)")

# Never the last word of a sentence.
_INNER_ABBREVIATIONS = word_set("e.g i.e cf vs mr mrs ms dr prof st approx incl excl resp dept")
# They stand before a number: "No. 5" goes on, "No. The valve ..." does not.
_NUMBERED_ABBREVIATIONS = word_set("no nos fig figs sec secs art arts para paras p pp vol ch cl eq tab ref refs app")
# They may end a sentence; then a word follows that begins one.
_FINAL_ABBREVIATIONS = word_set("inc ltd co corp llc plc etc jr sr u.s u.k e.u a.m p.m bros")
_SENTENCE_STARTERS = word_set(
    """the this that these those it its they he she we you i in on at if when while where unless
    until after before for from to by with without a an any all each every no not do does is are there here such upon
    subject notwithstanding however"""
)


def sentences(text: str) -> list[Span]:
    """The text's sentences as ranges of characters, in order, none longer than 600; together they hold every word.

    A line break ends a sentence; each row of a Markdown table is one.
    """
    return [
        part
        for line in _LINE.finditer(text)
        for sentence in _sentences_of_line(text, line.start(), line.end())
        for part in _cut_long(text, *sentence)
    ]


def is_table_row(sentence: str) -> bool:
    return sentence.lstrip().startswith("|")


def is_table_rule(sentence: str) -> bool:
    """Whether a row only draws the line between a table's head and its body: |---|---|."""
    return is_table_row(sentence) and _TABLE_RULE.fullmatch(sentence) is not None


def table_head(text: str, row: Span) -> Span | None:
    """The first row of the table in which `row` stands; None for that row itself and outside tables."""
    spans = sentences(text)
    if row not in spans or not is_table_row(text[slice(*row)]):
        return None
    first = spans.index(row)
    while first > 0 and is_table_row(text[slice(*spans[first - 1])]):
        first -= 1
    return None if spans[first] == row else spans[first]


def _sentences_of_line(text: str, start: int, end: int) -> Iterator[Span]:
    if is_table_row(text[start:end]):
        yield from _trimmed(text, start, end)
        return
    for match in _END.finditer(text, start, end):
        if _ends_sentence(text, start, match.end(), end):
            yield from _trimmed(text, start, match.end())
            start = match.end()
    yield from _trimmed(text, start, end)


def _ends_sentence(text: str, start: int, stop: int, line_end: int) -> bool:
    """Whether the punctuation before `stop` closes the sentence that begins at `start`."""
    following = _NEXT_WORD.match(text, stop, line_end)
    next_word = following.group(1) if following else ""
    sentence = text[start:stop].strip()
    if next_word[:1].islower() or _LIST_MARKER.fullmatch(sentence):
        return False
    # Abbreviations are short: a bounded look back keeps long lines linear.
    last = _LAST_WORD.search(sentence[-40:])
    if last is None:
        return True
    word = last.group(1).lstrip("(\"'“‘[").lower()
    if word in _INNER_ABBREVIATIONS:
        return False
    if word in _NUMBERED_ABBREVIATIONS:
        return not re.match(r"\s*[\w./-]*\d", text[stop:line_end])
    is_initial = len(word) == 1 and word.isalpha()
    if word in _FINAL_ABBREVIATIONS or is_initial:
        return next_word.lower() in _SENTENCE_STARTERS
    return True


def _cut_long(text: str, start: int, end: int) -> Iterator[Span]:
    while end - start > MAX_SENTENCE_CHARACTERS:
        cut = _clause_end(text, start, start + MAX_SENTENCE_CHARACTERS)
        yield from _trimmed(text, start, cut)
        start = cut
    yield from _trimmed(text, start, end)


def _clause_end(text: str, start: int, limit: int) -> int:
    """The last place before `limit` where a clause ends, else a word, else `limit`."""
    for marks in (";；:：", ",，、—", " \t\u00a0\u3000"):
        # A clause of a few words is no gain over cutting at a weaker mark.
        place = max(text.rfind(mark, start + MAX_SENTENCE_CHARACTERS // 4, limit) for mark in marks)
        if place >= 0:
            return place + 1
    return limit


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    part = text[start:end]
    if part and not part.isspace():
        yield start + len(part) - len(part.lstrip()), start + len(part.rstrip())
