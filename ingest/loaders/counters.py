"""Numbers of lists as they are printed: 4, d, iv, 四."""

from __future__ import annotations

from collections.abc import Callable

# Beyond this, letters and Roman numerals grow without bound; no document counts so far.
_LARGEST_SPELLED = 999
_ROMAN = tuple(
    zip(
        (900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"),
        strict=True,
    )
)
_CHINESE_DIGITS = "零一二三四五六七八九"


def spelled(count: int, style: str) -> str:
    """A count in a style of `COUNTERS`; in digits where it is too large to be spelled."""
    return COUNTERS[style](count) if 0 < count <= _LARGEST_SPELLED else str(count)


def _letters(count: int) -> str:
    """a to z, then aa, bb, cc: Word repeats the letter."""
    return chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)


def _roman(count: int) -> str:
    printed = ""
    for size, letters in _ROMAN:
        printed += letters * (count // size)
        count %= size
    return printed


def _chinese(count: int) -> str:
    """一 to 九百九十九; 10 to 19 begin with 十."""
    hundreds, tens, ones = count // 100, count // 10 % 10, count % 10
    printed = f"{_CHINESE_DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        printed += "十" if tens == 1 and not hundreds else f"{_CHINESE_DIGITS[tens]}十"
    elif hundreds and ones:
        printed += "零"
    return printed + (_CHINESE_DIGITS[ones] if ones else "")


COUNTERS: dict[str, Callable[[int], str]] = {
    "decimal": str,
    "decimalZero": lambda count: f"{count:02}",
    "lowerLetter": _letters,
    "upperLetter": lambda count: _letters(count).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda count: _roman(count).upper(),
    "chineseCounting": _chinese,
    "chineseCountingThousand": _chinese,
    "japaneseCounting": _chinese,
    "taiwaneseCountingThousand": _chinese,
    "none": lambda count: "",
}
"""How to count, by the names that Word files use."""
