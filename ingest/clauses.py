"""Full numbers of clauses, in the one form in which a reference finds them.

Documents print one number in many ways: "Section 12.3 (b)", "12.3(b)", a lone "(b)" below 12.3, "Article IV" and "4",
第十二条 and 第12条. Here they become "12.3(b)", "4" and "12". Parts, chapters of statutes, attachments and captions
keep their word, since they are counted apart: "Part 2", 第3章, "Exhibit B", "Table 4", "Figure 2".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.numbering import clause_number

ROMAN = r"(?:X{1,3}|(?:XL|L)X{0,3})?(?:IX|IV|VI{0,3}|I{1,3})?"
"""Roman numbers to 89 in capitals; it also matches nothing, so that something must be seen to follow."""

ATTACHMENT_WORDS = "exhibit|schedule|annex|appendix|attachment|addendum"
CHINESE_DIGITS = "一二三四五六七八九十百千零〇两"
CHINESE_ATTACHMENT = r"附[件录表]\s?(?:[一二三四五六七八九十]{1,3}|\d{1,2}|[A-Z](?![A-Za-z]))"

_ATTACHMENTS = frozenset(ATTACHMENT_WORDS.split("|"))
_QUOTES = ' "“”'
_ROMAN_DIGITS = {"i": 1, "v": 5, "x": 10, "l": 50}
_CHINESE_VALUES = {character: value for value, character in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000}

_WORD = re.compile(r"([A-Za-z-]+\.?\s|§)\s*(.+)")
_CHINESE = re.compile(r"第\s?(.+?)\s?([编章节条款])")
_BRACKETED = re.compile(r"\s*[(（]([^()（）]{1,5})[)）]")
_NUMBER = re.compile(r"(\w+(?:[.-]\w+)*)(.*)")
_LETTER_BELOW = re.compile(r"(?<=\d)\.([A-Za-z])$")
_CHINESE_ATTACHMENT = re.compile(rf"{CHINESE_ATTACHMENT}(?=[\s:：.]|$)")
_ATTACHMENT = re.compile(r"(?i:attachment|addendum) (?:[A-Z]|\d{1,2})(?=[\s:.–-]|$)")
_SECTION_SIGN = re.compile(r"§\s?\d{1,3}(?=[.\s])")
_CHINESE_PLAIN = re.compile(r"[一二三四五六七八九十]{1,3}(?=、)|\d{1,2}(?=、)")

# "Table 4 Torques" is a caption; "Table 4 shows" and 图2所示 begin a sentence.
_CAPTION = re.compile(
    r"""\s*(?:(?P<table>table|表格?)|figure|fig\.|图)\s{0,2}(?P<number>[A-Z]?[.-]?\d{1,3}(?:[.-]\d{1,3}){0,2}[a-z]?)
    \s{0,2}(?:[:.：—–-]|$|(?-i:(?<=\s)[A-Z"“(])|(?![所中的给列为是和至到])[\u4e00-\u9fff])""",
    re.VERBOSE | re.IGNORECASE,
)
# "(b)" or "（二）"; "b)"; "b." and "iv."
_ITEM = re.compile(
    rf"""\s*(?:
        [(（](?P<brackets>[a-z]{{1,5}}|[A-Z]{{1,5}}|\d{{1,2}}|[{CHINESE_DIGITS}]{{1,3}})[)）]
        | (?P<bracket>[a-z]{{1,5}}|[A-Z])\)(?=\s)
        | (?P<stop>[a-z]{{1,5}}|[A-Z])\.(?=\s)
    )""",
    re.VERBOSE,
)
_TOP = re.compile(r"\d{1,3}")
# What stands between a number and the first item of its list: "7. (a) The Buyer".
_AFTER_NUMBER = re.compile(r"^[.)、]?\s*")
# "Section 5 shall survive", "Exhibit B sets forth": a sentence, not a clause.
_SENTENCE = re.compile(rf"\s*(?i:article|section|clause|part|chapter|{ATTACHMENT_WORDS})\s+\S+\s+[a-z]")

# "4 Operation" as a heading; in other text "4 bolts".
_NUMBERED_TITLE = re.compile(r"\s*(\d{1,3}) (?=\S)")
_ROMAN_PLAIN = re.compile(r"([IVX]{1,6})\.\s")
# A clause that the file does not set on a line of its own, behind the end of a sentence.
_INNER_CLAUSE = re.compile(
    rf"""(?:(?<=[.;:]\s)|(?<=[.;:][”")\]]\s)|(?<=--\s))
        (?P<number>(?:Section|SECTION|Article|ARTICLE)\s(?:\d{{1,3}}(?:\.\d{{1,3}}){{0,4}}|(?=[IVXL]){ROMAN})
            | \d{{1,3}}(?:\.\d{{1,3}}){{1,4}} | \d{{1,2}}(?=\.))
        [.:]?\s{{1,2}}(?:[-–]\s)?(?=["“]?[A-Z])
    | (?<=[。；])(?P<chinese>第\s?[{CHINESE_DIGITS}\d]{{1,9}}\s?条)(?![规所约的中])""",
    re.VERBOSE,
)
# "the Seller shall: (a) deliver the Goods; and (b) insure them"
_INNER_ITEM = re.compile(r"[;:.：；。]\s?(?:and\s|or\s|及|和|或)?([(（][a-zA-Z0-9一二三四五六七八九十]{1,5}[)）])")

_HIGHEST_ROMAN_ITEM = 30
_MOST_MARKS = 5
# A file may lack a number or two of those that it counts.
_MOST_MISSING = 2


def normal_number(printed: str) -> str:
    """The one form of a printed number: "Section 12.3 (b)" gives "12.3(b)", "ARTICLE IV" "4", 第十二条 "12"."""
    text = " ".join(printed.split())
    if match := _CHINESE.match(text):
        return _normal_chinese(match.group(1), match.group(2)) + _brackets(text[match.end() :])
    if set(text) <= set(CHINESE_DIGITS):
        return str(chinese_value(text))
    if text.startswith("附"):
        number = text[2:].lstrip()
        return text[:2] + (number if number.isascii() else str(chinese_value(number)))
    word, number = match.groups() if (match := _WORD.fullmatch(text)) else ("", text)
    name = word.strip(" .").lower()
    if name in _ATTACHMENTS:
        return f"{name.capitalize()} {number.strip(_QUOTES).upper()}"
    match = _NUMBER.match(number)
    if not match:
        return text
    plain, rest = match.groups()
    value = roman_value(plain.lower())
    plain = str(value) if value else _LETTER_BELOW.sub(r"(\1)", plain.removesuffix(".0"))
    return (f"Part {plain}" if name == "part" else plain) + _brackets(rest)


def _normal_chinese(number: str, unit: str) -> str:
    """条 is what a contract's numbers count; chapters are, too, where a manual numbers them in digits."""
    if "." in number:
        return number
    value = chinese_value(number)
    return str(value) if unit == "条" or (unit == "章" and number.isdigit()) else f"第{value}{unit}"


def _brackets(text: str) -> str:
    return "".join(f"({item.strip()})" for item in _BRACKETED.findall(text))


def roman_value(letters: str) -> int:
    """The value of a Roman number in small letters, 0 for what is none or not below 90."""
    if not letters or not re.fullmatch(ROMAN, letters.upper()):
        return 0
    values = [_ROMAN_DIGITS[letter] for letter in letters]
    return sum(-value if value < max(values[place:]) else value for place, value in enumerate(values))


def chinese_value(number: str) -> int:
    """The value of digits or of a Chinese number below ten thousand: 十二, 一百零五, 二〇."""
    if not set(number) & set(_CHINESE_UNITS):
        return int("".join(str(_digit(character)) for character in number))
    total = digit = 0
    for character in number:
        if unit := _CHINESE_UNITS.get(character):
            total += (digit or 1) * unit
            digit = 0
        else:
            digit = _digit(character)
    return total + digit


def _digit(character: str) -> int:
    return _CHINESE_VALUES[character] if character in _CHINESE_VALUES else int(character)


def caption_number(line: str) -> str | None:
    """ "Table 4" or "Figure 2" where the line is the caption of one; None for other lines."""
    match = _CAPTION.match(line)
    if match is None:
        return None
    return f"{'Table' if match.group('table') else 'Figure'} {match.group('number')}"


class ClauseTree:
    """Follows a document and knows the full number of what comes: "(ii)" below "(b)" of 12.3 is "12.3(b)(ii)".

    `current` is the number that text without one of its own belongs to, empty where nothing numbers it.
    """

    def __init__(self) -> None:
        self._headings: list[tuple[int, str]] = []
        self._base = ""
        self._items: list[tuple[str, str]] = []  # the kind of brackets and the letters of each "(b)" around the text

    @property
    def current(self) -> str:
        return self._base + "".join(f"({letters})" for _, letters in self._items)

    def heading(self, text: str, level: int) -> list[str]:
        """The full numbers that a heading begins. Without a number it ends what is numbered at its level or below."""
        title = _NUMBERED_TITLE.match(text)
        number = title.group(1) if title else self._own_number(text)[0]
        if not number and _item(text):
            return self._begin_items(text)
        self._headings = [entry for entry in self._headings if entry[0] < level]
        if number:
            self._headings.append((level, number))
        self._set(self._headings[-1][1] if self._headings else "")
        return [number] if number else []

    def paragraph(self, text: str) -> list[str]:
        """The full numbers of what goes on or begins in a paragraph, in order, with the items in its sentences."""
        number, rest = self._own_number(text)
        if number.isdecimal() and text.lstrip()[0].isdecimal():
            self._begin_plain(int(number))
        elif number:
            self._set(number)
        goes_on = [self.current] if self.current else []
        items = self._begin_items(rest)
        numbers = goes_on + items if number else items or goes_on
        own = list(self._items)
        for match in _INNER_ITEM.finditer(text):
            numbers += self._begin_items(match.group(1))
        self._items = own  # the next paragraph does not belong to the last item of this one
        return numbers

    def inner_starts(self, text: str) -> list[int]:
        """Where further clauses begin within a paragraph that is about to come: "... herein. 2.2 The Seller ..."."""
        last = _levels(self._own_number(text)[0] or self._base)
        starts: list[int] = []
        for match in _INNER_CLAUSE.finditer(text):
            number = _levels(normal_number(match.group("number") or match.group("chinese")))
            if _comes_next(last, number):
                starts.append(match.start())
                last = number
        return starts

    def _own_number(self, text: str) -> tuple[str, str]:
        """The number that a text begins with, in its one form, and the text behind; "II." is one where it counts on."""
        text = text.lstrip()
        if _SENTENCE.match(text):
            return "", text
        if printed := _printed_number(text):
            return normal_number(printed), _AFTER_NUMBER.sub("", text[len(printed) :])
        if roman := _ROMAN_PLAIN.match(text):
            value = roman_value(roman.group(1).lower())
            if [value] == [(_levels(self._base) or [0])[0] + 1]:
                return str(value), text[roman.end() :]
        return "", text

    def _set(self, number: str) -> None:
        self._base, *items = number.split("(")
        self._items = [("brackets", item.rstrip(")")) for item in items]

    def _begin_items(self, text: str) -> list[str]:
        """The full numbers of the item marks that a text begins with: of "(b)(i) The Buyer" two."""
        begun: list[str] = []
        while self._base and len(begun) < _MOST_MARKS and (found := _item(text)):
            kind, letters, end = found
            if not self._place(kind, letters):
                break
            begun.append(self.current)
            text = text[end:]
        return begun

    def _begin_plain(self, number: int) -> None:
        """ "7." is the next clause, or within one, where it counts on or is no later number, an item of a list."""
        top = _TOP.match(self._base)
        follows = any(_follows(item, ("stop", str(number))) for item in self._items)
        if top and (follows or number <= int(top.group())):
            self._place("stop", str(number))
        else:
            self._base, self._items = str(number), []

    def _place(self, kind: str, letters: str) -> bool:
        """Puts an item where it counts on, else begins a list; False where it is none ("A. Smith")."""
        item = (kind, letters)
        depths = range(len(self._items) - 1, -1, -1)
        depth = next((depth for depth in depths if _follows(self._items[depth], item)), None)
        if depth is None and 1 in _values(item).values():
            begins = {style for style, value in _values(item).items() if value == 1}
            depth = next((depth for depth in depths if begins & _values(self._items[depth]).keys()), len(self._items))
        elif depth is None:
            if kind == "stop" and not letters.isdigit():
                return False
            depth = next((depth for depth in depths if _is_later(self._items[depth], item)), len(self._items))
        self._items[depth:] = [item]
        return True


def _printed_number(text: str) -> str | None:
    """What `clause_number` finds, and what it does not: "§ 6 Liability", "Attachment A", 三、付款, 3、付款, 附件一."""
    others = (_CHINESE_PLAIN, _CHINESE_ATTACHMENT, _ATTACHMENT, _SECTION_SIGN)
    match = next((match for pattern in others if (match := pattern.match(text))), None)
    return match.group() if match else clause_number(text)


def _item(text: str) -> tuple[str, str, int] | None:
    """The kind of brackets, the letters and the end of the item mark that a text begins with."""
    match = _ITEM.match(text)
    if match is None or match.lastgroup is None:
        return None
    letters = match.group(match.lastgroup)
    return (match.lastgroup, letters, match.end()) if _values((match.lastgroup, letters)) else None


def _values(item: tuple[str, str]) -> dict[str, int]:
    """What an item counts to, by each style of counting that it may belong to: "(i)" is the 9th letter or the first."""
    kind, letters = item
    if letters.isdigit():
        return {f"{kind} digits": int(letters)}
    if letters[0] in CHINESE_DIGITS:
        return {f"{kind} Chinese": chinese_value(letters)}
    case = "small" if letters.islower() else "capital"
    roman = roman_value(letters.lower())
    values = {f"{kind} {case} Roman": roman} if 0 < roman <= _HIGHEST_ROMAN_ITEM else {}
    if len(letters) == 1 or (not values and len(letters) == 2 and letters[0] == letters[1]):
        values[f"{kind} {case} letters"] = ord(letters[0].lower()) - ord("a") + 1 + 26 * (len(letters) - 1)
    return values


def _follows(earlier: tuple[str, str], item: tuple[str, str]) -> bool:
    before = _values(earlier)
    return any(before.get(style) == value - 1 for style, value in _values(item).items())


def _is_later(earlier: tuple[str, str], item: tuple[str, str]) -> bool:
    before = _values(earlier)
    return any(style in before and before[style] < value for style, value in _values(item).items())


def _levels(number: str) -> list[int]:
    """The numbers of a dotted number, without its items; none of other kinds."""
    return [int(level) for level in number.split("(")[0].split(".")] if number[:1].isdecimal() else []


def _comes_next(last: Sequence[int], number: Sequence[int]) -> bool:
    """Whether a clause of this number may follow the last one: 4.8, 4.7.1 and 5.1 behind 4.7."""
    if not last or not number or tuple(number) <= tuple(last) or number[0] - last[0] not in (0, 1):
        return False
    shared = next((place for place, (a, b) in enumerate(zip(last, number, strict=False)) if a != b), len(last))
    step = number[shared] - (last[shared] if shared < len(last) else 0)
    return step <= 1 + _MOST_MISSING and all(level <= 1 + _MOST_MISSING for level in number[shared + 1 :])
