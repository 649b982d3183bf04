"""The answer without a language model: the passages' own sentences, in quotation marks, each with its citation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from ingest.segmentation import fold
from rag_app.answer import Citation, CitedText, Passage, Statement
from rag_app.citations import citation
from rag_app.context import twins_of
from rag_app.figures import Measure, asked_measures, with_asked_figure
from rag_app.governing import Governing, Lead
from rag_app.leaning import with_what_they_lean_on
from rag_app.naming import Score, about_the_named, scored_unnamed
from rag_app.quotes import Quote, quotes_of
from rag_app.sentences import Span, is_table_row
from rag_app.words import Language, codes, content_words, language

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
# The part of what the sentence before is better by that a sentence with a figure gains.
CONTEXT = 0.6
# Two sentences that share more than this part of their words say the same.
SAME_WORDS = 0.7

_MARK_LIKE = re.compile(r"(?<=[\[【［])(?=[\d\s^])")


def quote_answer(question: str, passages: Sequence[Passage], score: Score, today: date) -> CitedText:
    """One to three sentences that answer best, as text with marks; being quotes, all of it is verified.

    Passages that lack a model, code or clause of the question which another passage has are not quoted, and where it
    asks for a kind of figure, only what holds one is. A quote from a text that stands in several passages has the marks
    of all. What governs a quoted clause on the day `today` comes first, and what a quote leans on behind all: see
    `governing.py` and `leaning.py`. Raises ValueError without passages.
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
    sentences = [candidate.text for candidate in candidates]
    scores = _scores(question, candidates, score)
    scores = _in_context(candidates, scores, asked_measures(question))
    places = with_asked_figure(question, sentences)
    candidates, scores = [candidates[place] for place in places], [scores[place] for place in places]
    entries = [index for index, candidate in enumerate(candidates) if _is_entry_of(codes(question), candidate)]
    chosen = _choose(candidates, scores, entries)
    reply = _Reply(language(question))
    governing = Governing(passages, lambda texts: score(question, texts), today)
    for lead, quote in with_what_they_lean_on(chosen, passages, governing):
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
            self.text += f"\n\n{escape_marks(lead[self._language])}"
        numbers = tuple(source.number for source in sources)
        start = len(self.text) + 2
        self.text += f"\n\n{_shown(quote, numbers, self._language)}"
        self.statements.append(Statement(start, len(self.text), numbers, "verified"))
        self.citations |= {(s.number, quote.span): citation(s, quote.span, "verified") for s in sources}


def _scores(question: str, candidates: Sequence[Quote], score: Score) -> list[float]:
    """The mean of the scores for the question as it is and without the words that name the quote's document.

    These tell little of what a sentence says ("the NDA"), unless they have another part too ("hydraulic oil").
    """
    sentences = [candidate.text for candidate in candidates]
    whole = score(question, sentences)
    known = dict(zip(sentences, whole, strict=True))

    def score_other(words: str, texts: Sequence[str]) -> Sequence[float]:
        return [known[text] for text in texts] if words == question else score(words, texts)

    parts = scored_unnamed(question, [candidate.passage for candidate in candidates], sentences, score_other)
    return [(one + part) / 2 for one, part in zip(whole, parts, strict=True)]


def _in_context(candidates: Sequence[Quote], scores: Sequence[float], measures: Sequence[Measure]) -> list[float]:
    """The scores; a sentence with the figure asked for gains where the one before has a better one.

    What the figure belongs to often stands there: "The accumulator is filled with nitrogen. The pressure is 110 bar."
    """
    raised = list(scores)
    for place, (before, sentence) in enumerate(pairwise(candidates), start=1):
        names_it = any(measure.nouns.search(sentence.text) and measure.stands_in(sentence.text) for measure in measures)
        if names_it and before.passage is sentence.passage and not is_table_row(sentence.text):
            raised[place] += CONTEXT * max(0.0, scores[place - 1] - scores[place])
    return raised


def _is_entry_of(named: Sequence[str], candidate: Quote) -> bool:
    """Whether a table row begins with a code that is asked for: the row on E07, not one that mentions it."""
    row = candidate.text.rsplit("\n", 1)[-1]
    return is_table_row(row) and fold(row.strip("| ").split("|")[0]).strip() in named


def _choose(candidates: Sequence[Quote], scores: Sequence[float], entries: Sequence[int]) -> list[Quote]:
    """The sentence that leads, and up to two that are nearly as good and say something else.

    `entries` are candidates of which the best leads in any case, and beside which only others of them are quoted.
    """
    spread = max(scores) - min(scores)
    first = candidates[0].passage.number
    own = max(score for candidate, score in zip(candidates, scores, strict=True) if candidate.passage.number == first)
    ranked = sorted(range(len(candidates)), key=lambda index: -scores[index])
    lead = max(entries, key=scores.__getitem__) if entries else ranked[0]
    if not entries and scores[lead] - own <= CLEARLY_BETTER * spread:
        lead = next(index for index in ranked if candidates[index].passage.number == first)
    chosen = [candidates[lead]]
    for index in [index for index in ranked if not entries or index in entries]:
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
