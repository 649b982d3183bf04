"""The answer without a language model: the passages' own sentences, in quotation marks, each with its citation."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ingest.segmentation import fold
from rag_app.answer import Citation, CitedText, Passage, Statement
from rag_app.citations import citation
from rag_app.context import twins_of
from rag_app.leaning import Lead, with_what_they_lean_on
from rag_app.quotes import Quote, quotes_of
from rag_app.sentences import Span, is_table_row
from rag_app.words import Language, asks_for_figure, codes, content_words, has_code, holds_figure, language

ScoreSentences = Callable[[str, Sequence[str]], Sequence[float]]

LEAD_IN: dict[Language, str] = {
    "en": "The documents say, word for word:",
    "zh": "以下为文档原文：",
}
MAX_QUOTES = 3
QUOTED_PASSAGES = 4
# Shares of the spread between the best and the worst candidate. A sentence outside the first passage leads only when
# it is better than the best one in it by the first; a further sentence is quoted when it is no worse by the second.
CLEARLY_BETTER = 0.25
NEARLY_AS_GOOD = 0.12
# Two sentences that share more than this part of their words say the same.
SAME_WORDS = 0.7

# "170", "≥ 1,450", "12.5 x": not "May 2025".
_NUMBER_CELL = re.compile(r"[^\w\s]?\s?\d[\d.,\s]*(?:\s?[^\d\s]{1,6})?")
_MARK_LIKE = re.compile(r"(?<=[\[【［])(?=[\d\s^])")


def quote_answer(question: str, passages: Sequence[Passage], score_sentences: ScoreSentences) -> CitedText:
    """One to three sentences that answer best, as text with marks; being quotes, all of it is verified.

    `score_sentences(question, sentences)` gives one score a sentence, higher for better. Passages that lack a model,
    code or clause of the question which another passage has are not quoted. A quote from a text that stands in several
    passages has the marks of all. What amends a quoted clause comes before it, and what a quote leans on behind all:
    see `leaning.py`. Raises ValueError without passages.
    """
    if not passages:
        raise ValueError("Expected passages to quote from, got none; refuse the question instead.")
    named = about_the_named(question, passages)
    texts = {passage.text: passage for passage in reversed(named)}
    candidates = [
        candidate
        for passage in [passage for passage in named if texts[passage.text] is passage][:QUOTED_PASSAGES]
        for candidate in quotes_of(passage)
    ]
    if asks_for_figure(question):
        candidates = [candidate for candidate in candidates if _holds_figure(candidate)] or candidates
    scores = score_sentences(question, [candidate.text for candidate in candidates])
    entries = [index for index, candidate in enumerate(candidates) if _is_entry_of(codes(question), candidate)]
    chosen = _choose(candidates, scores, entries)
    reply = _Reply(language(question))
    for lead, quote in with_what_they_lean_on(chosen, passages, lambda texts: score_sentences(question, texts)):
        reply.add(lead, quote, [quote.passage, *twins_of(quote.passage, named)])
    return CitedText(reply.text, tuple(reply.statements), tuple(reply.citations.values()))


class _Reply:
    """The answer as it is put together."""

    def __init__(self, in_language: Language) -> None:
        self.text = LEAD_IN[in_language]
        self.statements: list[Statement] = []
        self.citations: dict[tuple[int, Span], Citation] = {}
        self._language = in_language

    def add(self, lead: Lead | None, quote: Quote, sources: Sequence[Passage]) -> None:
        """One quote from several passages of the same text, below what is said of it."""
        if lead:
            self.text += f"\n\n{lead[self._language]}"
        numbers = tuple(source.number for source in sources)
        start = len(self.text) + 2
        self.text += f"\n\n{_shown(quote, numbers, self._language)}"
        self.statements.append(Statement(start, len(self.text), numbers, "verified"))
        self.citations |= {(s.number, quote.span): citation(s, quote.span, "verified") for s in sources}


def about_the_named(question: str, passages: Sequence[Passage]) -> list[Passage]:
    """The passages that hold most of the codes the question names: those on HP-60 when it asks for the HP-60."""
    named = codes(question)
    held = [sum(has_code(code, searchable(passage)) for code in named) for passage in passages]
    return [passage for passage, count in zip(passages, held, strict=True) if count == max(held)]


def searchable(passage: Passage) -> str:
    """The folded words of a passage with its section, title and source: everywhere a code may be named."""
    return fold("\n".join((passage.text, passage.section, passage.title, passage.source)))


def _holds_figure(candidate: Quote) -> bool:
    """Whether a sentence holds a figure; a bare number in a table cell is one, behind the cell that names the row."""
    row = candidate.text.rsplit("\n", 1)[-1]
    cells = row.strip("| ").split("|")[1:] if is_table_row(row) else []
    return holds_figure(candidate.text) or any(_NUMBER_CELL.fullmatch(cell.strip()) for cell in cells)


def _is_entry_of(named: Sequence[str], candidate: Quote) -> bool:
    """Whether a table row begins with a code that is asked for: the row on E07, not one that mentions it."""
    row = candidate.text.rsplit("\n", 1)[-1]
    return is_table_row(row) and fold(row.strip("| ").split("|")[0]).strip() in named


def _choose(candidates: Sequence[Quote], scores: Sequence[float], entries: Sequence[int]) -> list[Quote]:
    """The sentence that leads, and up to two that are nearly as good and say something else.

    `entries` are candidates of which the best leads in any case.
    """
    spread = max(scores) - min(scores)
    first = candidates[0].passage.number
    own = max(score for candidate, score in zip(candidates, scores, strict=True) if candidate.passage.number == first)
    ranked = sorted(range(len(candidates)), key=lambda index: -scores[index])
    lead = max(entries, key=scores.__getitem__) if entries else ranked[0]
    if not entries and scores[lead] - own <= CLEARLY_BETTER * spread:
        lead = next(index for index in ranked if candidates[index].passage.number == first)
    chosen = [candidates[lead]]
    for index in ranked:
        if len(chosen) == MAX_QUOTES or scores[index] < scores[lead] - NEARLY_AS_GOOD * spread:
            break
        if not any(_say_the_same(candidates[index], other) for other in chosen):
            chosen.append(candidates[index])
    return chosen


def _say_the_same(left: Quote, right: Quote) -> bool:
    words, others = set(content_words(left.text)), set(content_words(right.text))
    return left == right or len(words & others) > SAME_WORDS * min(len(words), len(others))


def escape_marks(text: str) -> str:
    """The document's text with an invisible joiner in each "[3]" of its own, so that it is no mark of the answer."""
    return _MARK_LIKE.sub("\u2060", text)


def _shown(candidate: Quote, numbers: Sequence[int], in_language: Language) -> str:
    text = escape_marks(candidate.text.strip())
    mark = "".join(f"[{number}]" for number in numbers)
    if not is_table_row(candidate.text):
        return f"“{text}”{mark}" if in_language == "zh" else f"“{text}” {mark}"
    head, row = text.split("\n", 1) if "\n" in text else ("", text)
    rule = "|" + "---|" * (head.count("|") - 1)
    return "\n".join(([head, rule] if head else []) + [row, "", mark])
