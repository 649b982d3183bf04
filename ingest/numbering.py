"""Numbers and headings as documents print them: "4.3", "12.3(b)", "Article IV", "Section 2.1", 第十二条."""

from __future__ import annotations

import re

_NAMED = r"(?:article|section|clause|schedule|exhibit|annex|appendix|part|chapter|art\.|sec\.)"
_ROMAN = r"[ivxlc]{1,7}"
_DECIMAL = r"\d{1,3}(?:\.\d{1,3}){0,5}"
_LETTERS = r"(?:\s?\([a-z0-9]{1,4}\))*"
_CLAUSE = re.compile(
    rf"""\s*(?:
        (?P<named>{_NAMED}\s+(?:{_DECIMAL}|{_ROMAN}|[a-z])\b{_LETTERS})
        | (?P<chinese>第\s?[一二三四五六七八九十百千零〇\d]{{1,9}}\s?[编章节条款])
        | (?P<decimal>\d{{1,3}}(?:\.\d{{1,3}}){{1,5}}{_LETTERS})(?=[.)\s]|$)
        | (?P<single>\d{{1,3}}{_LETTERS})(?=[.)]\s)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_NUMBERED_TITLE = re.compile(rf"({_DECIMAL})\.?\s+(?=[A-Z\u4e00-\u9fff])(.+)")
_NAMED_TITLE = re.compile(rf"({_NAMED})\s+({_DECIMAL}|{_ROMAN}|[a-z])\b[.:\s-]*(.*)", re.IGNORECASE)
_CHINESE_TITLE = re.compile(r"第[一二三四五六七八九十百千零〇\d]{1,9}([编章节条款])\s*(.*)")
_CHINESE_LEVELS = {"编": 1, "章": 2, "节": 3, "条": 4, "款": 5}
_CHINESE_LIST = re.compile(r"[一二三四五六七八九十]{1,3}、\s*(.+)")
_LEADERS = re.compile(r"\.{4,}|…{2,}|(?:\. ){4,}|_{4,}")
_SENTENCE_END = re.compile(r"[.;:,。；：，、]$|[.;] ")
# Words that begin the sentence of a clause, never a title: "4.1 The Supplier shall ..."
_CLAUSE_VERB = re.compile(r"\b(?:shall|must|may not|will|hereby|agrees?|means)\b", re.IGNORECASE)

# Signal words head a warning, not a section (ANSI Z535, ISO 3864).
_SIGNAL_WORDS = {"DANGER", "WARNING", "CAUTION", "NOTICE", "NOTE", "IMPORTANT", "ATTENTION"}

MAX_TITLE_CHARACTERS = 90
MAX_TITLE_WORDS = 12


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
        level = 1 if match.group(1).lower() not in ("section", "clause", "sec.") else 2
        return level + match.group(2).count(".") if _is_title(match.group(3)) else None
    if match := _NUMBERED_TITLE.fullmatch(line):
        return 1 + match.group(1).count(".") if _is_title(match.group(2)) else None
    return 1 if _is_capitals(line) else None


def _is_title(text: str) -> bool:
    return not (_SENTENCE_END.search(text) or _CLAUSE_VERB.search(text))


def _is_capitals(line: str) -> bool:
    letters = [character for character in line if character.isalpha()]
    if line.rstrip("!:. ") in _SIGNAL_WORDS:
        return False
    return len(letters) >= 4 and line == line.upper() and line != line.lower() and len(letters) * 2 > len(line)
