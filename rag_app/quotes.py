"""What can be quoted from a passage: its sentences and table rows, each as it is understood alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.segmentation import CJK
from rag_app.answer import Passage
from rag_app.sentences import Span, is_table_rule, sentences, table_head

MIN_WORDS = 3
MAX_HEADING_WORDS = 12
MAX_LIST_CHARACTERS = 900

_SENTENCE_END = re.compile(r"[.!;:。！；：…|][\"'”’」』）)\]]*$")
# "(a)", "iv.", "3)", "三、" or a bullet; "13." begins the next clause.
_ITEM = re.compile(
    r"[(（][a-z0-9]{1,4}[)）]|[a-z]{1,3}[.)]\s|\d{1,2}[)、]|[一二三四五六七八九十]{1,3}、|[•–-] ", re.IGNORECASE
)
# A number or words with capitals; what holds a verb says something: "5.1 The Contract Price is EUR 274,000."
_RUN_IN_HEADING = re.compile(
    r"(?!.*\b(?:is|are|was|were|has|have|shall|must|may|will|can|cannot|do|does|means?)\b)"
    r"(?:(?:(?:Section|Clause|Article|§)\s*)?\d+(?:\.\d+)*[.)]?(?: [^\W\d][\w'’&,/-]*){1,7}"
    r"|[A-Z][\w'’&-]*(?:,? (?:[A-Z][\w'’&/-]*|of|and|or|the|to|for|in|on|by|with)){0,7})\."
)
_QUESTION_END = re.compile(r"[?？][\"'”’」』）)\]]*$")
# Two CJK characters make about one word.
_WORD = re.compile(rf"[{CJK}]{{1,2}}|[^\W{CJK}]+")


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of a passage; `text` is as they are scored and shown: a table row with the head of its table."""

    passage: Passage
    span: Span
    text: str


def quotes_of(passage: Passage) -> Iterator[Quote]:
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
            yield Quote(passage, (start, end), f"{text[slice(*head)]}\n{text[start:end]}")
        elif _leans_on_next(text, start, end):
            pending = start if pending is None else pending
        else:
            begin, pending = (start if pending is None else pending), None
            emitted = True
            yield Quote(passage, (begin, end), text[begin:end])
    if not emitted or pending is not None:
        begin = 0 if pending is None else pending
        yield Quote(passage, (begin, len(text)), text[begin:])


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
    """Whether a sentence says nothing by itself: a heading, a question, or fewer than three words."""
    sentence = text[start:end]
    words = len(_WORD.findall(sentence))
    if words < MIN_WORDS or _QUESTION_END.search(sentence):
        return True
    if _is_run_in_heading(text, start, end):
        return True
    is_whole_line = text[end : end + 1] in ("\n", "\r") and text[max(start - 1, 0) : start] in ("", "\n", "\r")
    return is_whole_line and words <= MAX_HEADING_WORDS and not _SENTENCE_END.search(sentence)


def _is_run_in_heading(text: str, start: int, end: int) -> bool:
    """Whether a heading with a full stop begins the line of what it heads: "8.1 Governing law. This ..."."""
    begins_line = text[max(start - 1, 0) : start] in ("", "\n", "\r")
    goes_on = text[end : end + 1].isspace() and text[end : end + 1] not in "\n\r"
    return begins_line and goes_on and _RUN_IN_HEADING.fullmatch(text, start, end) is not None
