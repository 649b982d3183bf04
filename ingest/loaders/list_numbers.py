"""Numbers of list items as they are printed: "3", "c", "III", 三."""

from __future__ import annotations

from typing import Literal

NumberStyle = Literal["decimal", "lower letter", "upper letter", "lower roman", "upper roman", "chinese"]

_ROMAN = (
    (1000, "m"),
    (900, "cm"),
    (500, "d"),
    (400, "cd"),
    (100, "c"),
    (90, "xc"),
    (50, "l"),
    (40, "xl"),
    (10, "x"),
    (9, "ix"),
    (5, "v"),
    (4, "iv"),
    (1, "i"),
)
_CHINESE_DIGITS = "零一二三四五六七八九"
# Numbers beyond these are printed as decimals, as Word does for Roman ones that grow too long.
_MOST_ROMAN = 3999
_MOST_LETTERS = 26 * 30
_MOST_CHINESE = 99


def printed_number(number: int, style: NumberStyle) -> str:
    """The number in that style; a decimal where the style has no sign for it (zero, or far too large)."""
    if style in ("lower letter", "upper letter") and 1 <= number <= _MOST_LETTERS:
        repeats, letter = divmod(number - 1, 26)
        text = chr(ord("a") + letter) * (repeats + 1)
    elif style in ("lower roman", "upper roman") and 1 <= number <= _MOST_ROMAN:
        text = _roman(number)
    elif style == "chinese" and 1 <= number <= _MOST_CHINESE:
        return _chinese(number)
    else:
        return str(number)
    return text.upper() if style.startswith("upper") else text


def _roman(number: int) -> str:
    text = ""
    for value, letters in _ROMAN:
        count, number = divmod(number, value)
        text += letters * count
    return text


def _chinese(number: int) -> str:
    tens, ones = divmod(number, 10)
    text = _CHINESE_DIGITS[tens] if tens > 1 else ""
    return text + ("十" if tens else "") + (_CHINESE_DIGITS[ones] if ones else "")
