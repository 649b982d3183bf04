"""From when an amendment holds, as it says itself; a condition ("upon the closing of the merger") stands for a day."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date

from ingest.amending import without_quotations
from rag_app.answer import Standing
from rag_app.dates import NO_DAY, Date, Day, dates, day_of, has_come, written_dates

# How far behind "effective" its day may stand, and how far before it who is effective.
BEHIND_CHARACTERS = 90
BEFORE_CHARACTERS = 200

_EFFECTIVE = re.compile(
    r"(?i:\beffective\b|\b(?:in|into)\s{1,3}(?:force|effect)\b|\btakes?\s{1,3}effect\b|\bwith\s{1,3}effect\b"
    r"|\bfrom\s{1,3}and\s{1,3}after\b|\bappl(?:y|ies)\b(?=\s{1,3}(?:as\s{1,3})?(?:from|of)\b))"
)
_CHINESE_DATE = (
    r"(?:(?:\d{4}|[〇零一二三四五六七八九]{4})\s?年\s?[\d一二三四五六七八九十]{1,2}\s?月"
    r"(?:\s?[\d一二三四五六七八九十]{1,3}\s?[日号])?|\d{4}(?P<sign>[-/.])\d{1,2}(?P=sign)\d{1,2})"
)
# 于2027年1月1日生效, 在2027年1月1日前不生效, 自甲方批准之日起生效, 生效日期：2027年1月1日.
_CHINESE_EFFECTIVE = re.compile(
    rf"(?P<day>(?:不[早迟晚]于\s?)?{_CHINESE_DATE}[前后内之日当零时天个月年不得尚\d一二三四五六七八九十百]{{0,10}})"
    r"(?:起(?:正式)?(?:生效|施行|执行|实施)|(?:正式)?(?:生效|施行))"
    r"|[自从](?P<from>[^，。；\n]{2,40}?)起(?:正式)?(?:生效|施行|执行|实施)"
    r"|生效(?:日期|日|时间)(?:为|是|[:：])(?P<on>[^，。；\n]{2,40})"
)
# What may stand beside a day and leaves it that day.
_CHINESE_BESIDE = re.compile(r"^不早于|(?:之日|当日|零时)$|之?前(?:不|不得|尚不)$")
# "From 1 January on", said of the very change: 自2027年1月1日起，第五条修改为.
_CHINESE_FROM = re.compile(r"[自从](?P<from>[^，。；\n]{2,40}?)起")
_LATER = r"(?:\(?\w{1,12}\)?[\s-]){1,5}(?:days?|weeks?|months?|years?)\s(?:after|from|following)\b"
_UPON = re.compile(
    r"\W{0,3}(?:only\s|immediately\s|automatically\s){0,2}(?P<condition>(?:upon|when|once|on(?!\s\w{3,6}day\b)|after"
    rf"|as\sof\sthe\sdate\s(?:of|on\swhich|that|when)|{_LATER})\s[^.;,\n]{{3,80}})"
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
# It ends then, and that is no beginning: "in force until".
_END = re.compile(r"(?i:\b(?:until|through|expir\w*|terminat\w*)\b)|至|止")
# It does not begin on the day that follows, or not on that day alone: "ninety days after", "on or before", "when".
_ASIDE = re.compile(
    r"(?i:\b(?:after|following|later|earlier|sooner|before|prior|not|no|for(?!\s{1,3}all\s{1,3}purposes)|by(?=\s{0,3}$)|within|when"
    r"|once|if|unless|subject|days|weeks|months)\b|\bupon\s{1,3}(?!.{0,80}\bas\s{1,3}of\s{0,3}$)\S)"
)
_NOT = re.compile(r"(?i:\b(?:not|never|cannot|neither|nor)\b)[^,;]{0,30}$")
_NOT_BEFORE = re.compile(
    r"\W{0,3}(?:(?:unless\sand\s)?until|before|prior\sto|(?:no\s|not\s)?(?:earlier|sooner)\sthan)(?:\s(?:on|as|of|from|the)){0,2}\s?"
)
_ON_SIGNING = re.compile(
    r"(?i:\bdate\s{1,3}(?:hereof|first|of\s{1,3}(?:this|its|the\s{1,3}last|execution|signature)|last)|\bexecut|\bsign)|签[字订署]|盖章"
)
# What an amendment says of itself: "This Second Amendment ...", "Effective 1 May 2027, ...".
_OWN = re.compile(
    r"\W{0,3}(?:[\d.]{1,6}\s{1,3})?(?:(?i:(?:this|the|these)\s{1,3}(?:\w{1,20}\s{1,3}){0,4}?"
    r"(?:amendments?|addendum|supplement|agreement|letter|deed|changes|version)\b)|(?:Effective|With\s{1,3}effect)\b)"
    r"|.{0,80}\bthis\s{1,3}(?:\w{1,20}\s{1,3}){0,2}(?:Amendment|Addendum|Supplement)\s{1,3}(?:shall|is|will|becomes|takes)\b"
    r"|[^，。；]{0,20}本"
)
# "the Supply Agreement, effective 1 May 2020": another document holds from then.
_ANOTHER = re.compile(
    r"(?:Agreement|Contract|Lease|Deed|Licen[cs]e|(?<!\b[Tt]he\s)(?:Amendment|Addendum)|Order)(?:\s{1,3}No\.?\s{0,2}[\w-]{1,15})?"
    r"(?:\s{0,2}\([^()]{0,60}\))?,?\s{1,3}(?:(?:dated|which|became|was|made|and|as\s{1,3}of)\s{1,3}){0,3}$"
    r"|(?:原(?:合同|协议)|》(?![^，。；]{0,4}补充协议))[^，。；]{0,8}$"
)
# "This Second Amendment", 本《采购合同补充协议》: it speaks of itself.
_THIS = re.compile(
    r"(?i:\bthis\s{1,3}(?:(?!(?:the|that|certain)\b)[\w’'.-]{1,20}\s{1,3}){0,6}$)|本《?[^，。；《》]{0,40}$"
)


def effective_day(sentence: str, opening: str, text: str, theirs: Sequence[tuple[Date, ...]]) -> str:
    """The day from which a change holds, as written: what its sentence says, else what its document says of itself.

    Of the `opening` any sentence counts, of the rest of the `text` those on the amendment: new wording may stand there.
    `theirs` are the contract's dates, which count only where the amendment speaks of itself. A condition stands for a
    day that is not known. "" where nothing is said, or only that it holds from its signing.
    """
    sentence, opening, text = _plain(sentence), _plain(opening), _plain(text)
    said = [day for part in _sentences(text) if _OWN.match(part) for day in _days(part) if day]
    others = [
        day
        for part in _sentences(opening)
        for day in _days(part)
        if _is_day(day) and not any(date in theirs for date in dates(day))
    ]
    found = next(iter([*_days_of_change(sentence), *said, *others]), "")
    if not found or _TERM.search(found):
        found = next(_defined(text), found)
    is_signing = _ON_SIGNING.search(found) and not written_dates(found) and not re.match(_LATER, found)
    return "" if is_signing else found


def standing(effective: str, dated: str, today: date) -> Standing:
    """Whether an amendment that holds from a day, or else has one of its own, is in force today."""
    come = None if effective and not _is_day(effective) else has_come(effective or dated, today)
    return "unknown" if come is None else "in force" if come else "to come"


def since(effective: str, dated: str) -> tuple[Day, Day]:
    """For sorting: from when an amendment holds as far as that is known, and among equals when it was made."""
    made, begins = day_of(dated), day_of(effective) if _is_day(effective) else NO_DAY
    return (begins if begins != NO_DAY else made), made


def _sentences(text: str) -> list[str]:
    return [part for part in _SENTENCE_END.split(without_quotations(text)) if part]


def _days(sentence: str) -> Iterator[str]:
    """The days, or conditions, that a sentence names as a beginning, "" for what names none."""
    for match in _EFFECTIVE.finditer(sentence):
        before = sentence[max(0, match.start() - BEFORE_CHARACTERS) : match.start()]
        if not _is_of_another(before):
            behind = sentence[match.end() : match.end() + BEHIND_CHARACTERS]
            yield _day_behind(behind, negated=_NOT.search(before) is not None)
    for match in _CHINESE_EFFECTIVE.finditer(sentence):
        if not _is_of_another(sentence[max(0, match.start() - BEFORE_CHARACTERS) : match.start()]):
            yield _chinese_day(match.group("day") or match.group("from") or match.group("on"))


def _is_of_another(before: str) -> bool:
    """Whether these words end with the name of another document, of which the effect is told."""
    named = _ANOTHER.search(before)
    if named is None or re.search(r"(?i:\bthis\b)", named.group()):
        return False
    return _THIS.search(before[: named.start()]) is None


def _day_behind(behind: str, *, negated: bool) -> str:
    """The day that the words behind "effective" name, else the condition, "" for neither.

    What is not effective until a day is so from then on; any other "not" is told as it stands.
    """
    date = next(iter(written_dates(behind)), "")
    between, upto = behind[: behind.find(date)], behind[: behind.find(date) + len(date)]
    if date and _NOT_BEFORE.fullmatch(between) and (negated or re.search("earlier|sooner", between)):
        return date
    upon = _UPON.match(behind)
    if negated:
        words = re.split("[.;,\n]", behind)[0].strip()
        return f"not {words}" if words else ""
    if upon and (not date or upon.end() < len(between)) and not re.search(r"\bas\s{1,3}of\s{0,3}$", between):
        return upon.group("condition").strip()
    if not date or _END.search(between):
        return ""
    if not _ASIDE.search(between):
        return date
    alternative = re.match("[^.;,\n]*", behind[len(upto) :]) if re.search("later|earlier", between) else None
    return (upto + (alternative.group() if alternative else "")).strip(" ,:")


def _days_of_change(sentence: str) -> Iterator[str]:
    """The days or conditions that the very sentence of a change names."""
    yield from (day for day in _days(sentence) if day)
    for match in _CHINESE_FROM.finditer(sentence):
        yield from written_dates(match.group("from"))[:1]
    if condition := _CONDITION.match(sentence):
        yield condition.group("condition")


def _defined(text: str) -> Iterator[str]:
    for match in _DEFINED.finditer(text):
        words = match.group("before") or match.group("behind") or ""
        later = re.search(_LATER, words)
        yield from [words[later.start() :].strip(" ,")] if later else written_dates(words)[-1:]


def _chinese_day(words: str) -> str:
    """The day that is all of the words, else the words themselves: a condition."""
    words = words.strip()
    day = _CHINESE_BESIDE.sub("", words).strip()
    return day if _is_day(day) else words


def _is_day(words: str) -> bool:
    """Whether the words are a day and nothing else: "ninety days after 1 May 2027" is a condition."""
    return words != "" and written_dates(words)[:1] == [unicodedata.normalize("NFKC", words).strip()]


def _plain(text: str) -> str:
    """The text with digits, letters and blanks as `written_dates` gives them; the marks between sentences stay."""
    return re.sub("[^，。；：（）…]+", lambda part: unicodedata.normalize("NFKC", part.group()), text)
