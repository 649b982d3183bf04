"""The answer without a language model: the passages' own sentences, in quotation marks, each with its citation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ingest.segmentation import CJK, fold
from rag_app.answer import Citation, CitedText, Passage, Statement
from rag_app.citations import citation
from rag_app.context import twins_of
from rag_app.sentences import Span, is_table_row, is_table_rule, sentences, table_head
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
MIN_WORDS = 3
MAX_HEADING_WORDS = 12
MAX_LIST_CHARACTERS = 900

_SENTENCE_END = re.compile(r"[.!;:。！；：…|][\"'”’」』）)\]]*$")
# "(a)", "iv.", "3)", "三、" or a bullet; "13." begins the next clause.
_ITEM = re.compile(
    r"[(（][a-z0-9]{1,4}[)）]|[a-z]{1,3}[.)]\s|\d{1,2}[)、]|[一二三四五六七八九十]{1,3}、|[•–-] ", re.IGNORECASE
)
_QUESTION_END = re.compile(r"[?？][\"'”’」』）)\]]*$")
# Two CJK characters make about one word.
_WORD = re.compile(rf"[{CJK}]{{1,2}}|[^\W{CJK}]+")
# "170", "≥ 1,450", "12.5 x": not "May 2025".
_NUMBER_CELL = re.compile(r"[^\w\s]?\s?\d[\d.,\s]*(?:\s?[^\d\s]{1,6})?")
_MARK_LIKE = re.compile(r"(?<=[\[【［])(?=[\d\s^])")


@dataclass(frozen=True, slots=True)
class _Candidate:
    passage: Passage
    span: Span
    text: str  # as it is scored and shown: a table row with the head of its table


def quote_answer(question: str, passages: Sequence[Passage], score_sentences: ScoreSentences) -> CitedText:
    """One to three sentences that answer best, as text with marks; being quotes, all of it is verified.

    `score_sentences(question, sentences)` gives one score a sentence, higher for better. Passages that lack a model,
    code or clause of the question which another passage has are not quoted. A quote from a text that stands in several
    passages has the marks of all. Raises ValueError without passages.
    """
    if not passages:
        raise ValueError("Expected passages to quote from, got none; refuse the question instead.")
    named = about_the_named(question, passages)
    texts = {passage.text: passage for passage in reversed(named)}
    candidates = [
        candidate
        for passage in [passage for passage in named if texts[passage.text] is passage][:QUOTED_PASSAGES]
        for candidate in _candidates(passage)
    ]
    if asks_for_figure(question):
        candidates = [candidate for candidate in candidates if _holds_figure(candidate)] or candidates
    scores = score_sentences(question, [candidate.text for candidate in candidates])
    entries = [index for index, candidate in enumerate(candidates) if _is_entry_of(codes(question), candidate)]
    chosen = _choose(candidates, scores, entries)
    text, statements = LEAD_IN[language(question)], []
    citations: dict[tuple[int, Span], Citation] = {}
    for candidate in chosen:
        sources = [candidate.passage, *twins_of(candidate.passage, named)]
        numbers = tuple(source.number for source in sources)
        start = len(text) + 2
        text += f"\n\n{_shown(candidate, numbers, language(question))}"
        statements.append(Statement(start, len(text), numbers, "verified"))
        citations |= {(s.number, candidate.span): citation(s, candidate.span, "verified") for s in sources}
    return CitedText(text, tuple(statements), tuple(citations.values()))


def about_the_named(question: str, passages: Sequence[Passage]) -> list[Passage]:
    """The passages that hold most of the codes the question names: those on HP-60 when it asks for the HP-60."""
    named = codes(question)
    held = [sum(has_code(code, searchable(passage)) for code in named) for passage in passages]
    return [passage for passage, count in zip(passages, held, strict=True) if count == max(held)]


def searchable(passage: Passage) -> str:
    """The folded words of a passage with its section, title and source: everywhere a code may be named."""
    return fold("\n".join((passage.text, passage.section, passage.title, passage.source)))


def _candidates(passage: Passage) -> Iterator[_Candidate]:
    """The passage's sentences; headings, questions and fragments go with the sentence that follows them."""
    text = passage.text
    spans = [span for span in _with_items(text, sentences(text)) if not is_table_rule(text[slice(*span)])]
    heads = {head for span in spans if (head := table_head(text, span))}
    pending: int | None = None
    emitted = False
    for start, end in spans:
        head = table_head(text, (start, end))
        if (start, end) in heads:
            continue
        if head:
            pending = None
            emitted = True
            yield _Candidate(passage, (start, end), f"{text[slice(*head)]}\n{text[start:end]}")
        elif _leans_on_next(text, start, end):
            pending = start if pending is None else pending
        else:
            begin, pending = (start if pending is None else pending), None
            emitted = True
            yield _Candidate(passage, (begin, end), text[begin:end])
    if not emitted or pending is not None:
        begin = 0 if pending is None else pending
        yield _Candidate(passage, (begin, len(text)), text[begin:])


def _with_items(text: str, spans: Sequence[Span]) -> Iterator[Span]:
    """The sentences, those that end in a colon together with the list items below them: alone they promise only."""
    following = list(spans)
    while following:
        start, end = following.pop(0)
        if text[start:end].endswith((":", "：")):
            while (
                following and _ITEM.match(text[slice(*following[0])]) and following[0][1] - start <= MAX_LIST_CHARACTERS
            ):
                end = following.pop(0)[1]
        yield start, end


def _leans_on_next(text: str, start: int, end: int) -> bool:
    """Whether a sentence says nothing by itself: a heading line, a question, or fewer than three words."""
    sentence = text[start:end]
    words = len(_WORD.findall(sentence))
    if words < MIN_WORDS or _QUESTION_END.search(sentence):
        return True
    is_whole_line = text[end : end + 1] in ("\n", "\r") and text[max(start - 1, 0) : start] in ("", "\n", "\r")
    return is_whole_line and words <= MAX_HEADING_WORDS and not _SENTENCE_END.search(sentence)


def _holds_figure(candidate: _Candidate) -> bool:
    """Whether a sentence holds a figure; a bare number in a table cell is one, behind the cell that names the row."""
    row = candidate.text.rsplit("\n", 1)[-1]
    cells = row.strip("| ").split("|")[1:] if is_table_row(row) else []
    return holds_figure(candidate.text) or any(_NUMBER_CELL.fullmatch(cell.strip()) for cell in cells)


def _is_entry_of(named: Sequence[str], candidate: _Candidate) -> bool:
    """Whether a table row begins with a code that is asked for: the row on E07, not one that mentions it."""
    row = candidate.text.rsplit("\n", 1)[-1]
    return is_table_row(row) and fold(row.strip("| ").split("|")[0]).strip() in named


def _choose(candidates: Sequence[_Candidate], scores: Sequence[float], entries: Sequence[int]) -> list[_Candidate]:
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


def _say_the_same(left: _Candidate, right: _Candidate) -> bool:
    words, others = set(content_words(left.text)), set(content_words(right.text))
    return left == right or len(words & others) > SAME_WORDS * min(len(words), len(others))


def escape_marks(text: str) -> str:
    """The document's text with an invisible joiner in each "[3]" of its own, so that it is no mark of the answer."""
    return _MARK_LIKE.sub("\u2060", text)


def _shown(candidate: _Candidate, numbers: Sequence[int], in_language: Language) -> str:
    text = escape_marks(candidate.text.strip())
    mark = "".join(f"[{number}]" for number in numbers)
    if not is_table_row(candidate.text):
        return f"“{text}”{mark}" if in_language == "zh" else f"“{text}” {mark}"
    head, row = text.split("\n", 1) if "\n" in text else ("", text)
    rule = "|" + "---|" * (head.count("|") - 1)
    return "\n".join(([head, rule] if head else []) + [row, "", mark])
