"""Which document a question names, and what it asks apart from that."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence

from ingest.segmentation import CJK, fold
from rag_app.answer import Passage
from rag_app.words import codes, content_words, has_code

Score = Callable[[str, Sequence[str]], Sequence[float]]
"""`score(question, texts)` gives one score a text, higher for better."""

# A word of any script but CJK, with what ties it together: "HP-40", "v5.1", "licensee's".
_WORD = re.compile(rf"[^\W{CJK}]+(?:[-./'’][^\W{CJK}]+)*")

_ACRONYM = re.compile(r"(?<![\w-])[A-Z]{3,6}(?![\w-])")


def about_the_named(question: str, passages: Sequence[Passage]) -> list[Passage]:
    """The passages that hold most of the codes and acronyms of the question: those on HP-60 when it asks for the HP-60.

    An acronym often names a document: "Which law governs the NDA?"
    """
    acronyms = [] if question.isupper() else [fold(acronym) for acronym in _ACRONYM.findall(question)]
    named = [*codes(question), *acronyms]
    held = [sum(has_code(code, searchable(passage)) for code in named) for passage in passages]
    return [passage for passage, count in zip(passages, held, strict=True) if count == max(held)]


def searchable(passage: Passage) -> str:
    """The folded words of a passage with its section, title and source: everywhere a code may be named."""
    return fold("\n".join((passage.text, passage.section, passage.title, passage.source)))


def scored_unnamed(question: str, passages: Sequence[Passage], texts: Sequence[str], score: Score) -> list[float]:
    """The score of each text, which stands in the passage of its place, for the question as `unnamed` leaves it.

    That a sentence stands in the HP-40 manual tells nothing of what it says.
    """
    documents = {(passage.title, passage.source): passage for passage in passages}
    wording = {document: unnamed(question, passage) for document, passage in documents.items()}
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, passage in enumerate(passages):
        places[wording[passage.title, passage.source]].append(place)
    scores: dict[int, float] = {}
    for words, own in places.items():
        scores |= dict(zip(own, score(words, [texts[place] for place in own]), strict=True))
    return [scores[place] for place in range(len(texts))]


def unnamed(question: str, passage: Passage) -> str:
    """The question without the words of the title and source of the passage; whole where no other word is left.

    Chinese is left as it is: its words have no borders.
    """
    named = set(content_words(f"{passage.title} {passage.source}"))
    if named.issuperset(content_words(question)):
        return question
    return _WORD.sub(lambda word: "" if named.issuperset(content_words(word.group())) else word.group(), question)
