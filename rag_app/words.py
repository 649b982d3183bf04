"""What a text says beyond its grammar: its language, its content words, its codes and its figures.

Everything here compares a question, an answer and a passage without a model. Words are folded as `ingest.segmentation`
folds them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ingest.segmentation import CJK, STOP_WORDS, fold, segment

Language = Literal["en", "zh"]


def word_set(text: str) -> frozenset[str]:
    """The words of a list that is written as text."""
    return frozenset(text.split())


_CJK_CHARACTER = re.compile(f"[{CJK}]")
_LETTER = re.compile(r"[^\W\d_]")
# A run of CJK, or a word with what ties it to others: 12.3(b), HP-40.
_TEXT_WORD = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+(?:[-./_'’&:][^\W_{CJK}]+)*(?:\([^\W_{CJK}]{{1,4}}\))*")
# A model, part, fault or clause name: letters tied to digits (HP-40, E07, M12x1.75), or a dotted number (12.3(b)).
_ALNUM = rf"[^\W_{CJK}]"
_CODE = re.compile(
    rf"(?<!{_ALNUM})(?:[a-z]+[-_/]?\d{_ALNUM}*(?:[-_/.]{_ALNUM}+)*|\d+[a-z]+\d{_ALNUM}*"
    rf"|\d{{1,4}}(?:\.\d{{1,4}}){{0,5}}(?:\({_ALNUM}{{1,4}}\))+)(?!{_ALNUM})"
)
_SPACED_CODE = re.compile(r"\b(?!(?:USD|EUR|GBP|CNY|RMB|JPY|CHF|NO) )[A-Z]{2,4} \d{1,4}\b(?![.,]\d)")
_CLAUSE_WORD = r"(?:clause|section|article|schedule|chapter|table|figure|annex|appendix|exhibit)s?"
_CLAUSE = re.compile(rf"{_CLAUSE_WORD}\s+([\d.]*\d)(?!\.?\d|\()")
_CODE_GROUP = re.compile(r"\d+(?:\.\d+)*|[^\W\d_]+")
_SUB_CLAUSE = re.compile(r"\([^()]*\)")

# "one" is left out: it is a pronoun as often as a number.
_SMALL_NUMBERS = """two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty"""
_TENS = "thirty forty fifty sixty seventy eighty ninety"
_NUMBER_WORDS = {word: str(value) for value, word in enumerate(_SMALL_NUMBERS.split(), start=2)} | {
    word: str(10 * value) for value, word in enumerate(_TENS.split(), start=3)
}
_CJK_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_CJK_SCALES = {"十": 10, "百": 100, "千": 1000}
_TIME_UNITS = r"(?:business |working |calendar )?(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?)"
_UNITS = (
    rf"{_TIME_UNITS}|%|‰|percent|°\s?[cf]|℃|℉|nm|n·m|n⋅m|mm|cm|km|m|µm|μm|kg|mg|g|kn|n|mpa|kpa|pa|mbar|bar|psi|kw|w|kva|va"
    r"|mv|kv|v|ma|a|mah|khz|mhz|ghz|hz|rpm|ms|s|min|h|ml|l|l/min|db\(a\)|db|ohms?|mω|kω|ω|gb|mb|kb|usd|eur|cny|rmb"
    r"|毫米|厘米|微米|米|公斤|千克|克|吨|毫升|升|个工作日|工作日|天|日|小时|分钟|秒|年|个月|月|周|万元|元|摄氏度|度|毫安|安"
    r"|千伏|伏|千瓦|瓦|兆帕|千帕|巴|牛米|转/分|分贝"
)
_QUANTITY = re.compile(rf"(\d+(?:\.\d+)*)(?:\s?\)?\s?({_UNITS})(?![a-zω]))?", re.IGNORECASE)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE = re.compile(
    rf"\b\d{{1,2}} {_MONTH} \d{{4}}\b|\b{_MONTH} \d{{1,2}}, \d{{4}}\b|\b\d{{4}}-\d\d-\d\d\b|\d{{4}} ?年", re.IGNORECASE
)
_UNIT = re.compile(rf"(?<![a-z])({_UNITS})(?![a-zω])", re.IGNORECASE)
_CJK_NUMBER = re.compile(rf"([零〇一二两三四五六七八九十百千]{{1,10}})(?=\s?(?:{_UNITS}))")
_NUMBER_WORD = re.compile(rf"\b({'|'.join(sorted(_NUMBER_WORDS, key=len, reverse=True))})\b")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as written in digits, and its unit in lower case, "" where none follows it."""

    number: str
    unit: str


def language(text: str) -> Language:
    """Chinese when CJK letters are at least a third as many as the others: each weighs about a Latin syllable."""
    cjk = len(_CJK_CHARACTER.findall(text))
    latin = len(_LETTER.findall(text)) - cjk
    return "zh" if cjk * 3 >= latin and cjk > 0 else "en"


def content_words(text: str) -> list[str]:
    """The text's stems that carry meaning, in order, once each; never empty for a text that has words."""
    words = list(dict.fromkeys(segment(text)))
    telling = [word for word in words if word not in STOP_WORDS and not _is_particle(word)]
    return list(dict.fromkeys(stem(word) for word in telling or words))


def _is_particle(word: str) -> bool:
    """Whether a bigram is made of function characters only, as jieba's neighbours often are: 是多, 的是, 了吗."""
    return len(word) == 2 and all(character in STOP_WORDS or character in "多少什么" for character in word)


def stem(word: str) -> str:
    """The word without the commonest English endings, so that "bolts" meets "bolt"; others unchanged."""
    if not word.isascii() or not word.isalpha() or len(word) < 4:
        return word
    for ending, replacement in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", ""), ("e", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            shorter = word[: -len(ending)] + replacement
            return shorter[:-1] if shorter.endswith("e") and len(shorter) > 3 else shorter
    return word


def codes(text: str) -> list[str]:
    """Names of models, parts, faults and clauses, folded, in order, once each; quantities ("45Nm") are not codes."""
    folded = fold(text)
    spaced = [match.group().lower() for match in _SPACED_CODE.finditer(text)]
    numbered = [match.group(1) for match in _CLAUSE.finditer(folded)]
    found = [match.group() for match in _CODE.finditer(folded)]
    return list(dict.fromkeys(code for code in found + numbered + spaced if not _is_quantity(code)))


def _is_quantity(code: str) -> bool:
    match = _QUANTITY.fullmatch(code)
    return match is not None and bool(match.group(2))


def has_code(code: str, folded_text: str) -> bool:
    """Whether a folded text holds the code, however it is spaced or hyphenated: "hp 40" is found as "hp-40".

    A sub-clause may stand apart from its clause: "12.3(b)" is found where "12.3" and "(b)" both are. A bare number is
    a clause's: "24" is found in "clause 24" and at the start of a line, not in "24 months".
    """
    if code.isdigit():
        return (
            re.search(rf"(?:{_CLAUSE_WORD}\s+|^\W*|> ){code}(?![\d%])(?:\.(?!\d)|\)|\s|$)", folded_text, re.MULTILINE)
            is not None
        )
    stem_of_code = _SUB_CLAUSE.sub("", code)
    groups = [re.escape(group) for group in _CODE_GROUP.findall(stem_of_code)]
    pattern = rf"(?<!{_ALNUM}){'[-_./ ]?'.join(groups)}(?!{_ALNUM})"
    return re.search(pattern, folded_text) is not None and all(
        part in folded_text for part in _SUB_CLAUSE.findall(code)
    )


def holds_figure(text: str) -> bool:
    """Whether the text holds a number with its unit, or a date; bare numbers may only point to another clause."""
    return any(quantity.unit for quantity in quantities(text)) or _DATE.search(text) is not None


def quantities(text: str) -> list[Quantity]:
    """The text's numbers in order with their units, without those in codes; "thirty days" and 三十日 count as 30."""
    folded = _CODE.sub(
        lambda match: match.group() if _is_quantity(match.group()) else " ", fold(_SPACED_CODE.sub(" ", text))
    )
    folded = _CJK_NUMBER.sub(lambda match: str(cjk_number(match.group(1))), folded)
    digits = _NUMBER_WORD.sub(lambda match: _NUMBER_WORDS[match.group(1)], folded)
    return [Quantity(match.group(1), _unit_name(match.group(2) or "")) for match in _QUANTITY.finditer(digits)]


def units(text: str) -> frozenset[str]:
    """Every unit that stands in the text as a word of its own, as in the head of a table column: "Torque (Nm)"."""
    return frozenset(_unit_name(match.group(1)) for match in _UNIT.finditer(fold(text)))


def _unit_name(unit: str) -> str:
    compact = re.sub(r"[\s·⋅]", "", unit.lower()) if not re.match(_TIME_UNITS, unit) else unit.lower()
    compact = {"percent": "%", "℃": "°c", "摄氏度": "°c", "日": "天", "个工作日": "工作日", "个月": "月"}.get(
        compact, compact
    )
    return compact[:-1] if compact.endswith("s") and len(compact) > 3 else compact


def cjk_number(numeral: str) -> int:
    """The value of a Chinese numeral below ten thousand; positional ones (二〇二四) are read digit by digit."""
    if not any(character in _CJK_SCALES for character in numeral):
        return int("".join(str(_CJK_DIGITS[character]) for character in numeral))
    total, digit = 0, 0
    for character in numeral:
        if character in _CJK_SCALES:
            total += (digit or 1) * _CJK_SCALES[character]
            digit = 0
        else:
            digit = _CJK_DIGITS[character]
    return total + digit


def matching_places(query: str, text: str) -> list[tuple[int, int]]:
    """The ranges of the text's words that the query has too, by `content_words`, in order; CJK by pairs of characters.

    "bolts" meets "bolt"; of a code all parts must be asked for, so that "HP-60" does not meet "HP-40".
    """
    wanted = frozenset(content_words(query))
    return [place for match in _TEXT_WORD.finditer(text) for place in _matching(wanted, match)]


def _matching(wanted: frozenset[str], match: re.Match[str]) -> list[tuple[int, int]]:
    word, start = match.group(), match.start()
    if _CJK_CHARACTER.match(word):
        return [(start + at, start + at + 2) for at in range(len(word) - 1) if fold(word[at : at + 2]) in wanted]
    words = [stem(part) for part in segment(word)]
    found = wanted.issuperset(words[:1]) or (len(words) > 1 and wanted.issuperset(words[1:]))
    return [match.span()] if words and found else []
