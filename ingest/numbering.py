"""Numbers and headings as documents print them: "4.3", "12.3(b)", "Article IV", "Section 2.1", 第十二条."""

from __future__ import annotations

import re

_NAMED = r"(?:article|section|clause|schedule|exhibit|annex|appendix|part|chapter|art\.|sec\.)"
_ROMAN = r"[ivxlc]{1,7}"
_DECIMAL = r"\d{1,3}(?:\.\d{1,3}){0,5}"
_LETTERS = r"(?:\s?\([a-z0-9]{1,4}\))*"
# PDFs lose the space behind a number, Chinese has none: "1.3Buyer", 1.1甲方; but not "3.3Vdc", 3.5毫米.
_MEASURES = "年月日天周个台件套次元万亿倍升米毫厘千公克吨度瓦伏安秒分小"
_GLUED = rf"(?-i:(?!Vdc|Vac|[GMK]hz)[A-Z][a-z]{{2}}|(?![{_MEASURES}])[\u4e00-\u9fff])"
_CLAUSE = re.compile(
    rf"""\s*(?:
        (?P<named>{_NAMED}\s+(?:{_DECIMAL}|{_ROMAN}|[a-z])\b{_LETTERS})
        | (?P<chinese>第\s?[一二三四五六七八九十百千零〇\d]{{1,9}}\s?[编章节条款])
        | (?P<decimal>\d{{1,3}}(?:\.\d{{1,3}}){{1,5}}{_LETTERS})(?=[.)\s]|$|{_GLUED})
        | (?P<single>\d{{1,3}}{_LETTERS})(?=[.)]\s)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_NUMBERED_TITLE = re.compile(rf"({_DECIMAL})\.?\s+(?=[A-Z\u4e00-\u9fff])(.+)")
_NAMED_TITLE = re.compile(rf"({_NAMED})\s+({_DECIMAL}|{_ROMAN}|[a-z])\b[.:\s-]*(.*)", re.IGNORECASE)
_BELOW_ARTICLES = ("section", "clause", "sec.")
_CHINESE_TITLE = re.compile(r"第[一二三四五六七八九十百千零〇\d]{1,9}([编章节条款])\s*(.*)")
_CHINESE_LEVELS = {"编": 1, "章": 2, "节": 3, "条": 4, "款": 5}
_CHINESE_LIST = re.compile(r"[一二三四五六七八九十]{1,3}、\s*(.+)")
_LEADERS = re.compile(r"\.{4,}|…{2,}|(?:\. ){4,}|_{4,}")
_SENTENCE_END = re.compile(r"[.;:,。；：，、]$|[.;] ")
# Words that begin the sentence of a clause, never a title: "4.1 The Supplier shall ..."
_CLAUSE_VERB = re.compile(r"\b(?:shall|must|may not|will|hereby|agrees?|means)\b", re.IGNORECASE)

# Signal words head a warning, not a section (ANSI Z535, ISO 3864).
_SIGNAL_WORD = re.compile(
    r"(?:danger|warning|caution|notice|note|important|attention|危险|警告|小心|注意)\b", re.IGNORECASE
)

MAX_TITLE_CHARACTERS = 90
MAX_TITLE_WORDS = 12
MAX_NAMED_WORDS = 6


def clause_number(line: str) -> str | None:
    """The clause or section number that a line begins with, as printed ("12.3(b)", "Article IV"); None without one.

    A lone "(b)" or a bullet is no number: it says nothing without the clause above it.
    """
    match = _CLAUSE.match(line)
    return " ".join(match.group(match.lastgroup).split()) if match and match.lastgroup else None


def is_heading_line(text: str) -> int | None:
    """The level of a heading (1 for the highest) if the line alone reads as one; None for prose.

    Numbered short titles, "ARTICLE V TERMINATION", 第三章 and short lines in capitals are headings. Lines of a table
    of contents are not, and neither is a clause's own sentence.
    """
    line = " ".join(text.split())
    if not line or len(line) > MAX_TITLE_CHARACTERS or len(line.split()) > MAX_TITLE_WORDS or _LEADERS.search(line):
        return None
    if match := _CHINESE_TITLE.fullmatch(line):
        return _CHINESE_LEVELS[match.group(1)] if len(match.group(2)) <= 20 and _is_title(match.group(2)) else None
    if (match := _CHINESE_LIST.fullmatch(line)) and len(match.group(1)) <= 20 and _is_title(match.group(1)):
        return 2
    if match := _NAMED_TITLE.fullmatch(line):
        level = 2 + _depth(match.group(2)) if match.group(1).lower() in _BELOW_ARTICLES else 1
        return level if _is_title(match.group(3)) else None
    if match := _NUMBERED_TITLE.fullmatch(line):
        depth = _depth(match.group(1))
        return 1 + depth if _is_title(_without_stop(match.group(2), depth)) else None
    sentence = line.endswith(".") and len(line.split()) > 3
    return 1 if _is_capitals(line) and not sentence else None


def begins_with_signal_word(line: str) -> bool:
    """Whether the line begins a warning ("CAUTION Hot surface"), which heads no section."""
    return _SIGNAL_WORD.match(line) is not None


def _is_title(text: str) -> bool:
    return not (_SENTENCE_END.search(text) or _CLAUSE_VERB.search(text))


def _depth(number: str) -> int:
    """How many levels a number stands below the highest: 0 for "4" and "4.0", 1 for "4.3"."""
    return number.removesuffix(".0").count(".")


def _without_stop(title: str, depth: int) -> str:
    """The title without the full stop that contracts set behind it: "2. LICENSE." and "2.5 Sale of Goods."

    A step of an instruction ("3. Drain oil.") keeps its stop, and with it is no title.
    """
    words = [word for word in title.split() if len(word) > 3]
    named = depth > 0 and len(words) <= MAX_NAMED_WORDS and all(word[0].isupper() for word in words)
    return title.removesuffix(".") if _is_capitals(title) or (words and named) else title


def _is_capitals(line: str) -> bool:
    letters = [character for character in line if character.lower() != character.upper()]
    if _SIGNAL_WORD.fullmatch(line.rstrip("!:. ")):
        return False
    return len(letters) >= 4 and line == line.upper() and len(letters) * 2 > len(line)
