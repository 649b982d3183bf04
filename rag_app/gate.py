"""Whether the passages are likely to answer the question, and what is said when they are not.

A passage's evidence, from 0 to 1:

    (SCORE_SHARE * relevance + (1 - SCORE_SHARE) * coverage) * MISSING_CODE ** m * MISSING_NUMBER ** n

relevance  the late-interaction score, from 0 at the low to 1 at the high end of SCORE_RANGE
coverage   the share of the question's content words that the passage holds, each weighted by its rarity; 1 from
           FULL_COVERAGE on
m          models, codes, clauses and quoted names of the question that the passage holds nowhere
n          other numbers of the question that the passage does not hold

Text, section, title and source of a passage are searched. The evidence of an answer is that of its best passage: all
codes must stand together in one, for "E07 of the HP-60" is not answered by one passage on E07 of the HP-40 and another
on the HP-60.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ingest.segmentation import fold
from rag_app.answer import Passage
from rag_app.context import source_label
from rag_app.quoting import escape_marks, searchable
from rag_app.words import Language, codes, content_words, has_code, language, quantities

Rarity = Callable[[str], float]
"""The weight of a word, larger for rarer ones and never negative, such as its inverse document frequency.

Words come stemmed ("bolt" for "bolts"), so the weight should be that of the rarest form known.
"""

THRESHOLD = 0.4
# Chinese is matched by pairs of characters, of which even a good passage holds only a part.
SCORE_RANGE: dict[Language, tuple[float, float]] = {"en": (0.35, 0.75), "zh": (0.1, 0.5)}
FULL_COVERAGE: dict[Language, float] = {"en": 1.0, "zh": 0.5}
SCORE_SHARE = 0.5
MISSING_CODE = 0.35
MISSING_NUMBER = 0.75
EVIDENCE_PASSAGES = 5
NEAREST_PASSAGES = 3

_QUOTED_NAME = re.compile(r"[\"“「『《]([^\"“”「」『』《》]{2,80})[\"”」』》]")

_REFUSAL: dict[Language, tuple[str, str, str]] = {
    "en": (
        "The documents do not seem to answer this question.",
        "The nearest passages are:",
        "There are no documents to look in yet; add some first.",
    ),
    "zh": ("这些文档似乎没有回答这个问题。", "最接近的段落：", "还没有可供查找的文档，请先添加文档。"),
}


def evidence(question: str, passages: Sequence[Passage], scores: Sequence[float], rarity: Rarity) -> float:
    """How likely the passages are to answer, from 0 to 1; 0 without passages. See the formula above.

    `scores[i]` is the late-interaction score of `passages[i]`, whatever has ranked them: the constants here were fitted
    to it. More than the best `EVIDENCE_PASSAGES` need not be given.
    """
    pairs = zip(passages, scores, strict=True)
    return max((passage_evidence(question, passage, score, rarity) for passage, score in pairs), default=0.0)


def passage_evidence(question: str, passage: Passage, score: float, rarity: Rarity) -> float:
    """How likely one passage is to answer, from 0 to 1."""
    low, high = SCORE_RANGE[language(question)]
    relevance = min(max((score - low) / (high - low), 0.0), 1.0)
    covered = min(coverage(question, passage, rarity) / FULL_COVERAGE[language(question)], 1.0)
    combined = SCORE_SHARE * relevance + (1 - SCORE_SHARE) * covered
    missing_codes, missing_numbers = missing(question, passage)
    return combined * MISSING_CODE ** len(missing_codes) * MISSING_NUMBER ** len(missing_numbers)


def coverage(question: str, passage: Passage, rarity: Rarity) -> float:
    """The rarity-weighted share of the question's content words that the passage holds, from 0 to 1."""
    weights = {word: rarity(word) for word in content_words(question)}
    held = set(content_words(searchable(passage)))
    total = sum(weights.values())
    return sum(weight for word, weight in weights.items() if word in held) / total if total else 0.0


def missing(question: str, passage: Passage) -> tuple[list[str], list[str]]:
    """The codes and quoted names, and the plain numbers, of the question that the passage holds nowhere."""
    text = searchable(passage)
    names = [fold(name).strip() for name in _QUOTED_NAME.findall(question)]
    numbers = {quantity.number for quantity in quantities(text)}
    asked_codes = codes(question)
    return (
        [code for code in asked_codes if not has_code(code, text)] + [name for name in names if name not in text],
        [
            number
            for number in dict.fromkeys(quantity.number for quantity in quantities(question))
            if number not in numbers and number not in asked_codes
        ],
    )


def refusal(question: str, passages: Sequence[Passage]) -> str:
    """A sentence that the documents do not seem to answer, and the nearest passages with their marks."""
    no_answer, nearest, no_documents = _REFUSAL[language(question)]
    if not passages:
        return f"{no_answer} {no_documents}"
    places = [f"- {escape_marks(source_label(passage))} [{passage.number}]" for passage in passages[:NEAREST_PASSAGES]]
    return "\n".join([no_answer, "", nearest, "", *places])
