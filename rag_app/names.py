"""Proper names in a text: people, companies, places, titles, as far as capitals and company forms give them away."""

from __future__ import annotations

import re

from ingest.segmentation import CJK, STOP_WORDS, fold
from rag_app.words import stem, word_set

_WORD = r"[A-Z][\w'’&-]*"
_NAME = re.compile(rf"(?<![\w'’-]){_WORD}(?: {_WORD})*")
_CHINESE_COMPANY = re.compile(rf"[{CJK}]{{2,4}}(?:股份|集团)?有限(?:责任)?公司|《[^《》]{{2,60}}》")
# How a company is registered is written in full or short, and often left out.
_COMPANY_FORMS = word_set("ltd limited inc incorporated llc plc corp corporation co company gmbh ag ab sa bv kg oy srl")
_NO_NAMES = word_set(
    """monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december yes ok note warning caution danger important step"""
)
_LETTERS = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"'s\b")
# What a sentence, a list item or a cell begins behind.
_BEGINNING = re.compile(r"(?:^|[.!?:;\n|>\"“”(\[*#-]|\d[.)])[\s*_\"“(\[]*\Z")


def names(text: str) -> list[str]:
    """The text's names as they are written, in order, once each, without company forms such as "Ltd".

    The capital that begins a sentence tells nothing, so its word belongs to a name only before a company form. Roles
    ("the Buyer") are names like others; words that hold digits are codes, see `rag_app.words`.
    """
    found = [
        _bare(match.group().split(), begins=_BEGINNING.search(text[: match.start()]) is not None)
        for match in _NAME.finditer(text)
    ]
    chinese = [match.group().strip("《》") for match in _CHINESE_COMPANY.finditer(text)]
    return list(dict.fromkeys(name for name in found + chinese if name))


def _bare(words: list[str], *, begins: bool) -> str:
    is_company = fold(words[-1]) in _COMPANY_FORMS
    if begins and (not is_company or fold(words[0]) in STOP_WORDS):
        words = words[1:]
    kept = [word for word in words if fold(word) not in STOP_WORDS | _NO_NAMES | _COMPANY_FORMS]
    return "" if any(re.search(r"\d", word) for word in kept) else " ".join(kept)


def has_name(name: str, folded_text: str) -> bool:
    """Whether a folded text holds the words of the name in their order, in singular or plural, however spaced."""
    if re.search(f"[{CJK}]", name):
        return fold(name) in folded_text
    words = [re.escape(stem(word)) for word in _LETTERS.findall(_POSSESSIVE.sub("", fold(name)))]
    return re.search(r"\b" + r"[a-z]{0,3}\W+".join(words) + r"[a-z]{0,3}\b", folded_text) is not None
