"""Dates in a text, however they are written: 12 March 2025, March 12th, 2025, 2025-03-12, 12.03.2025, 2025年3月12日."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from rag_app.words import Language, cjk_number

_MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_MONTHS = {name[:3].lower(): number for number, name in enumerate(_MONTH_NAMES, start=1)}
# "May" is a month only with a capital: "clause 5 may be".
_MONTH = (
    r"(?P<name>(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)|May|MAY)\b\.?"
)
_YEAR = r"(?P<year>(?:1[6-9]|2[01])\d\d)(?!\d)"
_DAY = r"(?<![\d.])(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_CJK = "[零〇一二两三四五六七八九十]"
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"(?P<year>\d{{4}}|{_CJK}{{4}})\s?年(?:\s?(?P<month>\d{{1,2}}|{_CJK}{{1,2}})\s?月"
        rf"(?:\s?(?P<day>\d{{1,2}}|{_CJK}{{1,3}})\s?[日号])?)?",
        rf"(?<!\d)(?P<month>\d{{1,2}}|{_CJK}{{1,2}})\s?月\s?(?P<day>\d{{1,2}}|{_CJK}{{1,3}})\s?[日号]",
        rf"(?<!\d){_YEAR}(?P<sign>[-/.])(?P<month>\d{{1,2}})(?P=sign)(?P<day>\d{{1,2}})(?!\d)",
        rf"(?<![\d.])(?P<first>\d{{1,2}})(?P<sign>[-/.])(?P<second>\d{{1,2}})(?P=sign){_YEAR}",
        rf"{_DAY}\s+(?:day\s+)?(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR})?",
        rf"\b{_MONTH}\s+(?:the\s+)?{_DAY}(?!\d|\.\d)(?:,?\s+{_YEAR})?",
        rf"\b{_MONTH},?\s+{_YEAR}",
    )
)


@dataclass(frozen=True, slots=True)
class Date:
    """What a text says of a date; None is what it leaves open."""

    year: int | None
    month: int | None = None
    day: int | None = None

    def says(self, other: Date) -> bool:
        """Whether a text with this date bears out `other`, which may leave more open."""
        return all(
            theirs is None or theirs == ours
            for ours, theirs in ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        )


def dates(text: str) -> list[tuple[Date, ...]]:
    """The dates of a text, each with its readings: 03/04/2025 may be March or April. A bare year is a number."""
    return _split(text)[0]


def written_dates(text: str) -> list[str]:
    """The dates of a text that name a year, as they are written, in order."""
    text = unicodedata.normalize("NFKC", text)
    found = [match for form in _FORMS for match in form.finditer(text) if match.groupdict().get("year")]
    found.sort(key=lambda match: (match.start(), -match.end()))
    whole = [match for place, match in enumerate(found) if all(match.start() >= other.end() for other in found[:place])]
    return [match.group().strip() for match in whole]


Day = tuple[int, int, int]
"""Year, month and day, for comparing; a month begins with its first day, as a year does."""

NO_DAY: Day = (0, 0, 0)


def day_of(written: str) -> Day:
    """The day that is written, by its first reading; `NO_DAY`, which is before all others, where none is."""
    return next(iter(_days(written)), NO_DAY)


def has_come(written: str, today: datetime.date) -> bool | None:
    """Whether the day that is written is not after today; None where none is, or it may be read as either."""
    verdicts = {day <= (today.year, today.month, today.day) for day in _days(written)}
    return verdicts.pop() if len(verdicts) == 1 else None


def _days(written: str) -> list[Day]:
    found = dates(written)
    return [(date.year, date.month or 1, date.day or 1) for date in (found[0] if found else ()) if date.year]


def day_name(day: datetime.date, in_language: Language) -> str:
    """The day in full: "21 November 2026", 2026年11月21日."""
    return (
        f"{day.year}年{day.month}月{day.day}日"
        if in_language == "zh"
        else f"{day.day} {_MONTH_NAMES[day.month - 1]} {day.year}"
    )


def without_dates(text: str) -> str:
    """The text with its dates taken out; their years stay, for "in 2025" is said by "12 March 2025"."""
    return _split(text)[1]


def _split(text: str) -> tuple[list[tuple[Date, ...]], str]:
    found: list[tuple[Date, ...]] = []

    def take(match: re.Match[str]) -> str:
        readings = tuple(_readings(match.groupdict()))
        if not readings:
            return match.group()
        found.append(readings)
        return f" {readings[0].year or ''} "

    rest = unicodedata.normalize("NFKC", text)
    for form in _FORMS:
        rest = form.sub(take, rest)
    return found, rest


def _readings(groups: dict[str, str | None]) -> Iterator[Date]:
    year = _number(groups.get("year"))
    if "first" in groups:
        first, second = _number(groups["first"]), _number(groups["second"])
        candidates = [Date(year, second, first), Date(year, first, second)]
    else:
        name = groups.get("name")
        month = _MONTHS[name[:3].lower()] if name else _number(groups.get("month"))
        candidates = [Date(year, month, _number(groups.get("day")))]
    for date in dict.fromkeys(candidates):
        if (date.month is None or 1 <= date.month <= 12) and (date.day is None or 1 <= date.day <= 31):
            yield date


def _number(written: str | None) -> int | None:
    if written is None:
        return None
    return int(written) if written.isdecimal() else cjk_number(written)
