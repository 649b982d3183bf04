"""What a passage defines and where in its document it points to: "X" means ..., "see Section 12.3", 见第八条.

Pure, and bounded: no pattern repeats without a limit, so that the time depends on the length of a text alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ingest.clauses import CHINESE_ATTACHMENT, CHINESE_DIGITS, ROMAN, normal_number

Kind = Literal["clause", "table", "figure", "page", "attachment"]

LONGEST_LIST = 12
# How far around a reference the text may say which document it is in.
CONTEXT_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Reference:
    """A place of the same document that a text points to.

    `target` is written as in `Chunk.clauses` ("12.3(b)", "Exhibit B", "Table 4"); of a page it is the printed label.
    """

    kind: Kind
    target: str

    @property
    def name(self) -> str:
        """The target as it tells itself from others without its kind: a page has its "p."."""
        return f"p. {self.target}" if self.kind == "page" else self.target


@dataclass(frozen=True, slots=True)
class _Form:
    """How one kind of reference is written: a word, then a number, then further numbers.

    After a word in the plural (its group `many`) further numbers look like the first, otherwise like `further`:
    "Section 5, 30 days after" holds one number. `name` stands before the number in the target.
    """

    kind: Kind
    name: str
    word: re.Pattern[str]
    number: re.Pattern[str]
    further: re.Pattern[str] | None = None


def _words(singular: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?:{singular})(?P<many>e?s)?\.?\s{{1,3}}[\"“]?")


# Where a number ends, also before Chinese letters, which `\b` takes for letters of the same word.
_END = r"(?![A-Za-z0-9_]|\.\d)"
_BRACKETS = r"(?:\s?\([a-zA-Z0-9]{1,5}\))"
_DETAILED = rf"(?:\d{{1,3}}(?:\.\d{{1,3}}){{1,5}}{_BRACKETS}{{0,4}}|\d{{1,3}}{_BRACKETS}{{1,4}}|\d{{1,3}}\.[A-Z]){_END}"
_ANY_NUMBER = rf"{_DETAILED}|\d{{1,3}}{_END}|(?=[IVX]|L[IVX]){ROMAN}{_END}{_BRACKETS}{{0,4}}"
_CHINESE_CLAUSE = (
    rf"第\s?(?:(?:[{CHINESE_DIGITS}]{{1,9}}|\d{{1,3}})\s?[条章节]|\d{{1,3}}(?:\.\d{{1,3}}){{1,4}}\s?[条款节])"
    rf"(?:第\s?[{CHINESE_DIGITS}\d]{{1,3}}\s?款)?(?:第?\s?[（(][{CHINESE_DIGITS}\d]{{1,3}}[)）]\s?项?)?"
)

_NUMBER = re.compile(_ANY_NUMBER)
_NUMBER_OR_ITEM = re.compile(rf"{_DETAILED}|\([a-zA-Z0-9]{{1,5}}\)(?!\w)")
_LABEL = re.compile(rf"(?:[A-Z][.-]?)?\d{{1,3}}(?:[.-]\d{{1,3}}){{0,2}}[a-z]?{_END}")
_PAGE = re.compile(rf"(?:[A-Z]-)?\d{{1,4}}{_END}")
_LETTER = re.compile(
    rf"(?:[A-Z](?:-?\d{{1,2}})?|\d{{1,2}}(?:\.\d{{1,3}})?[A-Z]?(?:-\d{{1,2}})?|(?=[IVXL]){ROMAN}){_END}"
)
_CHINESE_NUMBER = re.compile(_CHINESE_CLAUSE)

_FORMS = (
    _Form(
        "clause",
        "",
        _words(r"(?i:article|(?:sub-?)?section|sec|(?:sub-?)?clause|(?:sub-?)?paragraph|chapter)"),
        _NUMBER,
        _NUMBER_OR_ITEM,
    ),
    _Form("clause", "", re.compile(r"§(?P<many>§)?\s{0,3}"), _NUMBER, _NUMBER_OR_ITEM),
    _Form("clause", "Part ", _words("Part|PART"), _NUMBER),
    _Form("clause", "", re.compile(r"(?=第)(?P<many>)"), _CHINESE_NUMBER),
    _Form("attachment", "Exhibit ", _words("Exhibit|EXHIBIT"), _LETTER),
    _Form("attachment", "Schedule ", _words("Schedule|SCHEDULE"), _LETTER),
    _Form("attachment", "Attachment ", _words("Attachment|ATTACHMENT"), _LETTER),
    _Form("attachment", "Annex ", _words("(?i:annex)"), _LETTER),
    _Form("attachment", "Appendix ", _words("(?i:appendix|appendice)"), _LETTER),
    _Form("attachment", "", re.compile(r"(?=附)(?P<many>)"), re.compile(CHINESE_ATTACHMENT)),
    _Form("table", "Table ", _words("(?i:table)"), _LABEL),
    _Form("table", "Table ", re.compile(r"(?<![代列])表\s?(?!\d{1,3}\s?[个名人台家位项份次年月日])"), _LABEL),
    _Form("figure", "Figure ", _words("(?i:figure|fig)"), _LABEL),
    _Form("figure", "Figure ", re.compile(r"图\s?"), _LABEL),
    _Form("page", "", _words("(?i:page)"), _PAGE),
    _Form("page", "", re.compile(r"(?<![^\W_])p(?P<many>p)?\.\s?"), _PAGE),
    _Form("page", "", re.compile(r"第\s?(?=\d{1,4}\s?页)"), _PAGE),
)
_AND = re.compile(r"\s{0,3}(?:,\s?(?:and|or)\s|,|and\s|or\s|&|to\s|through\s|[–、，和及与至到或-])\s{0,3}")

_LAW = "Act|Code|ERISA|GDPR|CCPA|UCC|CFR|USC|U\\.S\\.C\\.|C\\.F\\.R\\.|Regulations?|Directive|Rules?|Statutes?|Treaty"
_OTHER_BEFORE = re.compile(
    rf"(?<![^\W_])(?:{_LAW})(?:\s?\([^()]{{1,20}}\))?,?\s{{0,2}}$"
    r"|(?:》|(?<!本)(?:(?<!办)法|法典|条例|规定|办法|细则|解释))(?:[（(][^（）()]{1,20}[)）])?(?:的|之|中)?\s?$"
)
_OWN_AFTER = re.compile(
    r"(?:of|to|under)\s{1,3}(?:(?:th(?:is|ese)|the present)\b|here|(?i:article|section|clause|chapter|part)\s"
    r"|(?:the\s{1,3})?(?i:agreement|contract|lease|terms|manual|guide|handbook|policy)\b(?!\s{1,3}(?:[A-Z]|and\s[A-Z])))"
)
_OTHER_AFTER = re.compile(
    r"\s{0,2},?\s{0,3}(?:there(?:of|to)\b|(?:GDPR|DSGVO|ERISA|CCPA|UCC|BGB|HGB)\b"
    r"|of\s{1,3}(?:(?:the|that|such|said|its|any|each|our|your)\s{1,3}){0,2}(?:certain\s{1,3})?[\"“]?[A-Z0-9《]"
    r"|(?:to|under)\s{1,3}(?:the|that|such|said|our|your)\s{1,3}(?:certain\s{1,3})?[\"“]?[A-Z]"
    r"|(?:of|under)\s{1,3}(?:[a-z]{1,15}\s{1,3}){0,5}(?:act|code|law|laws|regulations?|statutes?|directive|ordinance)\b)"
)
_ITEM_BEFORE = re.compile(
    r"(?i:clause|paragraph|item|sub-?section|sub-?paragraph|sub-?clause)\s{1,3}"
    r"((?:\([a-zA-Z0-9]{1,4}\)){1,3})\s{1,3}of\s{1,3}(?:this\s{1,3})?$"
)
_LAST_ITEM = re.compile(r"\([^()]{1,5}\)$")


def references(text: str) -> list[Reference]:
    """The places of the same document that the text points to, in order, once each; of a range, both its ends.

    Places in laws and in other documents are left out where the text names those.
    """
    found = [place for form in _FORMS for place in _places(text, form)]
    found.sort(key=lambda place: place[0])
    return list(dict.fromkeys(reference for _, reference in found))


def _places(text: str, form: _Form) -> Iterator[tuple[int, Reference]]:
    """The references of one form, with where they begin."""
    position = 0
    while word := form.word.search(text, position):
        numbers, end = _numbers(text, word, form)
        position = max(end, word.start() + 1)
        before = text[max(0, word.start() - CONTEXT_CHARACTERS) : word.start()]
        after = text[end : end + CONTEXT_CHARACTERS]
        if not numbers or _is_elsewhere(before, after) or (form.kind == "page" and _numbers_this_page(before, after)):
            continue
        targets = [form.name + number for number in numbers]
        if form.kind in ("clause", "attachment"):
            targets = [normal_number(target) for target in targets]
        if form.kind == "clause" and (item := _ITEM_BEFORE.search(before)):
            targets[0] += item.group(1)
        yield from ((word.start(), Reference(form.kind, target)) for target in targets)


def _numbers(text: str, word: re.Match[str], form: _Form) -> tuple[list[str], int]:
    """The numbers behind a word and where they end; none where the word stands alone."""
    first = form.number.match(text, word.end())
    if first is None:
        return [], word.end()
    numbers, end = [first.group()], first.end()
    further = form.number if word.groupdict().get("many") is not None else form.further
    while further and len(numbers) < LONGEST_LIST and (link := _AND.match(text, end)):
        number = further.match(text, link.end())
        if number is None:
            break
        printed = number.group()
        if printed.startswith("("):  # "Section 5(a) or (b)"
            printed = _LAST_ITEM.sub("", numbers[-1]) + printed
        numbers.append(printed)
        end = number.end()
    return numbers, end


def _is_elsewhere(before: str, after: str) -> bool:
    """Whether the text around a reference names a law or another document that it is in."""
    if _OTHER_BEFORE.search(before):
        return True
    return bool(_OTHER_AFTER.match(after)) and not _OWN_AFTER.match(after.lstrip(" ,"))


def _numbers_this_page(before: str, after: str) -> bool:
    """Whether "Page 3" is what the page prints of itself: "Page 3 of 10", or nothing else on its line."""
    alone = (not before or before.endswith("\n")) and (not after or after.startswith("\n"))
    return alone or re.match(r"\s?(?:of|/)\s?\d", after) is not None


# Definitions

_QUOTED = r"(?:[\"“][^\"“”\n]{1,80}[\"”]|‘[^‘’\n]{1,80}’|「[^「」\n]{1,80}」|『[^『』\n]{1,80}』)"
_MEANS = (
    r"(?:(?:shall|will)\s)?(?:means?|ha(?:s|ve)\s(?:the|its|their)\s(?:same\s|respective\s)?meanings?|refers?\sto"
    r"|(?:is|are|be)\sdefined\s(?:as|in))\b"
)
_DEFINING = (
    # "Affiliate" or "Affiliates" means; "Change of Control", of a party, shall mean; “交付日” 是指
    re.compile(rf"{_QUOTED}(?:\s?(?:,|or|and|/)\s?{_QUOTED}){{0,3}}(?:[^\"“”.;\n]{{0,80}}\s|\s?){_MEANS}"),
    re.compile(rf"{_QUOTED}(?:\s?[、或和及]\s?{_QUOTED}){{0,3}}[^\"“”。；\n]{{0,10}}(?:是指|系指|均指|意指|指)"),
    # hereinafter referred to as the "Buyer"; 以下简称“甲方”或“买方”
    re.compile(rf"(?i:hereinafter|hereafter)[^\"“”.;\n]{{0,40}}{_QUOTED}(?:\s?(?:or|and)\s(?:the\s)?{_QUOTED}){{0,3}}"),
    re.compile(rf"(?:以下|下称|下文|[简合统]称)[^\"“”「『。；\n]{{0,10}}{_QUOTED}(?:\s?[、或和及]\s?{_QUOTED}){{0,3}}"),
)
# Without quotation marks: a term in bold type, and 以下简称甲方.
_NAMED = (
    re.compile(
        r"^\s{0,4}(?:\(?[\w.]{1,8}[.)]{0,2}\s{1,3})?(?P<term>[A-Z][\w’'&/-]{0,30}"
        r"(?:\s(?:[A-Z][\w’'&/-]{0,30}|of|and|or|to|for|in)){0,6})\s(?:means|shall\smean|has\sthe\smeaning)\b",
        re.MULTILINE,
    ),
    re.compile(r"(?:以下|下称)(?:[简统合并]称)?为?[:：]?\s?(?P<term>[\u4e00-\u9fffA-Za-z]{1,12})\s?[)）]"),
)
_PRONOUNS = frozenset({"This", "That", "It", "He", "She", "Which", "What", "Who", "There", "Neither", "Nothing"})
_IN_QUOTES = re.compile(_QUOTED)
_BETWEEN_BRACKETS = re.compile(r"[(（]([^()（）\n]{3,200})[)）]")
# All that stands beside the quoted terms in (each a "Party" and, collectively, the "Parties").
_BESIDE_TERMS = """
    a an the and or each any all both individually collectively together jointly severally respectively with such
    in this agreement contract as to being also sometimes hereinafter hereafter herein referred called known defined
    our us we you your it its
"""
_MAY_STAND_BESIDE = frozenset(_BESIDE_TERMS.split())


def definitions(text: str) -> list[str]:
    """The terms that the text defines, as written, in order, once each."""
    found: list[tuple[int, str]] = []
    for pattern in _DEFINING:
        for match in pattern.finditer(text):
            found += _quoted(match.group(), match.start())
    for match in _BETWEEN_BRACKETS.finditer(text):
        words = re.findall(r"[^\W\d_]+", _IN_QUOTES.sub(" ", match.group(1)).lower())
        if _MAY_STAND_BESIDE.issuperset(words):
            found += _quoted(match.group(1), match.start())
    for pattern in _NAMED:
        found += [(match.start("term"), match.group("term")) for match in pattern.finditer(text)]
    terms = (" ".join(term.split()).strip(",.;，。；、 ") for _, term in sorted(found))
    return list(dict.fromkeys(term for term in terms if term and term not in _PRONOUNS))


# (the "Seller") only names someone; "Goods" means something.
_SAYS = re.compile(
    r"[\"”’」』]?.{0,60}?(?:\b(?:means?|mean(?:ing)?|ha(?:s|ve)\s+the\s+meaning|refers?\s+to|is\s+defined)\b"
    r"|[是系均意]指|[”」』]\s?指)"
)


def says_what_it_means(term: str, text: str) -> bool:
    """Whether a text tells what a term means, and does not only give that name to someone or something."""
    ends = (match.end() for match in re.finditer(re.escape(term), text)) if term in text else ()
    return any(_SAYS.match(text, end) for end in ends)


def _quoted(text: str, start: int) -> list[tuple[int, str]]:
    """The quoted terms in a part of a text that begins at `start`, with their places."""
    return [(start + match.start(), match.group()[1:-1]) for match in _IN_QUOTES.finditer(text)]
