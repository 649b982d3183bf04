"""From when an amendment holds, as it says itself; a condition ("upon the closing of the merger") stands for a day."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from ingest.amending import without_quotations
from rag_app.answer import Standing
from rag_app.dates import NO_DAY, Date, Day, dates, day_of, has_come, written_dates

# How far behind "effective" its day may stand.
BEHIND_CHARACTERS = 90

_EFFECTIVE = re.compile(
    r"(?i:\beffective\b|\b(?:in|into)\s{1,3}(?:force|effect)\b|\btakes?\s{1,3}effect\b|\bwith\s{1,3}effect\b"
    r"|\bfrom\s{1,3}and\s{1,3}after\b)"
)
_CHINESE_EFFECTIVE = re.compile(
    r"自(?P<from>[^，。；\n]{2,40}?)起(?:正式)?(?:生效|施行|执行|实施)|生效(?:日期|日|时间)(?:为|是|[:：])(?P<on>[^，。；\n]{2,40})"
)
# "From 1 January on", said of the very change: 自2027年1月1日起，第五条修改为.
_CHINESE_FROM = re.compile(r"自(?P<from>[^，。；\n]{2,40}?)起")
_UPON = re.compile(
    r"\W{0,3}(?:only\s|immediately\s|automatically\s){0,2}(?P<condition>(?:upon|when|once|on|after"
    r"|as\sof\sthe\sdate\s(?:of|on\swhich|that|when))\s[^.;,\n]{3,80})"
)
# "Upon the satisfaction of the conditions in Section 3, Section 1.01 is hereby amended"
_CONDITION = re.compile(
    r"\W{0,3}(?:\w{1,3}[.)]\s{1,3})?(?P<condition>(?:Upon|Subject\sto)\s[^,;\n]{0,60}?"
    r"(?:satisf|clos|receipt|approv|complet|consummat|consent)[^,;\n]{0,60})"
)
# The day before a defined term, or behind it: as of 1 May 2027 (the “Effective Date”); “Effective Date” means ...
_DEFINED = re.compile(
    r"(?P<before>[^.;\n]{0,60})[(（]\s?(?:the\s)?[\"“][^\"“”\n]{0,40}(?:Effective\sDate|生效日)[^\"“”\n]{0,5}[\"”]"
    r"|[\"“][^\"“”\n]{0,40}(?:Effective\sDate|生效日期?)[\"”]\s?(?:shall\s)?(?:means?|is|指|为|是指)(?P<behind>[^.;。；\n]{0,60})"
)
_SENTENCE_END = re.compile(r"(?<=[.;])\s+(?=[A-Z(“\"\d])|(?<=[。；])|\n")
_TERM = re.compile(r"(?i:effective\s{1,3}date)|生效日")
# It ends then, or is no beginning: "in force until", "effective for a year".
_END = re.compile(r"(?i:\b(?:until|through|for|expir\w*|terminat\w*|before|not)\b)|至|止")
_ON_SIGNING = re.compile(
    r"(?i:\bdate\s{1,3}(?:hereof|first|of\s{1,3}(?:this|its|the\s{1,3}last|execution|signature)|last)|\bexecut|\bsign)|签[字订署]|盖章"
)
# What an amendment says of itself: "This Second Amendment ...", "Effective 1 May 2027, ...".
_OWN = re.compile(
    r"\W{0,3}(?:[\d.]{1,6}\s{1,3})?(?:(?i:(?:this|the|these)\s{1,3}(?:\w{1,20}\s{1,3}){0,4}?"
    r"(?:amendments?|addendum|supplement|agreement|letter|deed|changes)\b)|(?:Effective|With\s{1,3}effect)\b)"
    r"|.{0,80}\bthis\s{1,3}(?:\w{1,20}\s{1,3}){0,2}(?:Amendment|Addendum|Supplement)\s{1,3}(?:shall|is|will|becomes|takes)\b"
    r"|[^，。；]{0,20}本"
)
# "the Supply Agreement, effective 1 May 2020": another document holds from then.
_ANOTHER = re.compile(
    r"(?:Agreement|Contract|Lease|Deed|Licen[cs]e|Amendment|Addendum|Order)(?:\s{1,3}No\.?\s{0,2}[\w-]{1,15})?"
    r"(?:\s{0,2}\([^()]{0,60}\))?,?\s{1,3}(?:(?:dated|which|became|was|made|and|as\s{1,3}of)\s{1,3}){0,3}$"
    r"|(?:原(?:合同|协议)|》)[^，。；]{0,8}$"
)


def effective_day(sentence: str, opening: str, text: str, theirs: Sequence[tuple[Date, ...]]) -> str:
    """The day from which a change holds, as written: what its sentence says, else what its document says of itself.

    Of the `opening` any sentence counts, of the rest of the `text` those on the amendment: new wording may stand there.
    `theirs` are the contract's dates, which count only where the amendment speaks of itself. A condition stands for a
    day that is not known. "" where nothing is said, or only that it holds from its signing.
    """
    said = [day for part in _sentences(text) if _OWN.match(part) for day in _days(part)]
    others = [
        day
        for part in _sentences(opening)
        for day in _days(part)
        if written_dates(day) and not any(date in theirs for date in dates(day))
    ]
    found = next(iter([*_days_of_change(sentence), *said, *others]), "")
    if not found or _TERM.search(found):
        found = next(_defined(text), found)
    return "" if _ON_SIGNING.search(found) and not written_dates(found) else found


def standing(effective: str, dated: str, today: date) -> Standing:
    """Whether an amendment that holds from a day, or else has one of its own, is in force today."""
    come = has_come(effective or dated, today)
    return "unknown" if come is None else "in force" if come else "to come"


def since(effective: str, dated: str) -> tuple[Day, Day]:
    """For sorting: from when an amendment holds as far as that is known, and among equals when it was made."""
    made, begins = day_of(dated), day_of(effective)
    return (begins if begins != NO_DAY else made), made


def _sentences(text: str) -> list[str]:
    return [part for part in _SENTENCE_END.split(without_quotations(text)) if part]


def _days(sentence: str) -> Iterator[str]:
    """The days, or conditions, that a sentence names as a beginning."""
    for match in _EFFECTIVE.finditer(sentence):
        if _ANOTHER.search(sentence[: match.start()][-BEHIND_CHARACTERS:]):
            continue
        behind = sentence[match.end() : match.end() + BEHIND_CHARACTERS]
        if found := written_dates(behind):
            if not _END.search(behind[: behind.find(found[0])]):
                yield found[0]
        elif upon := _UPON.match(behind):
            yield upon.group("condition").strip()
    for match in _CHINESE_EFFECTIVE.finditer(sentence):
        if not _ANOTHER.search(sentence[: match.start()][-BEHIND_CHARACTERS:]):
            yield from _first(match.group("from") or match.group("on"))


def _days_of_change(sentence: str) -> Iterator[str]:
    """The days or conditions that the very sentence of a change names."""
    yield from _days(sentence)
    for match in _CHINESE_FROM.finditer(sentence):
        yield from written_dates(match.group("from"))[:1]
    if condition := _CONDITION.match(sentence):
        yield condition.group("condition")


def _defined(text: str) -> Iterator[str]:
    for match in _DEFINED.finditer(text):
        yield from written_dates(match.group("before") or match.group("behind") or "")[-1:]


def _first(words: str) -> list[str]:
    """The date in the words, else the words themselves: a condition."""
    return [*written_dates(words), words.strip()][:1]
