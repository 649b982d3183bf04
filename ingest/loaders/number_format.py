"""What a spreadsheet shows for a value: dates, percentages and amounts as their cell's number format says.

The formats of real sheets are few; what is not understood of one is left out, the digits never are.
"""

from __future__ import annotations

import datetime
import re

_PLACES = re.compile(r"([#0?][#0?,]*)(?:\.([#0?]+))?")
# Between quotes, behind a backslash, or a currency with its country: [$€-407].
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)[^\]]*\]')
# Colours and conditions in brackets, and what only makes room: "_)" and "* ".
_NOT_SHOWN = re.compile(r"\[[^\]]*\]|[_*].")
# Exponents, fractions, digits in several places and values in thousands: rare, and shown plain.
_UNKNOWN = re.compile(r"E[+-]|/|[#0?],+(?![,#0?])")
# Spreadsheets calculate with as many digits; more are the noise of binary fractions.
_DIGITS = 15


def shown(value: object, number_format: str) -> str:
    """The text of a cell; "" for an empty one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return _number(value, number_format)
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return (
            value.date().isoformat() if midnight else value.isoformat(" ", "minutes" if not value.second else "seconds")
        )
    if isinstance(value, datetime.time):
        return value.isoformat("minutes" if not value.second else "seconds")
    return " ".join(str(value).split())


def _number(value: float, number_format: str) -> str:
    positive, _, others = number_format.partition(";")
    section = _NOT_SHOWN.sub("", _LITERAL.sub(lambda match: "".join(filter(None, match.groups())), positive))
    found = _PLACES.search(section)
    if found is None or _PLACES.search(section, found.end()) or _UNKNOWN.search(section) or abs(value) >= 10**_DIGITS:
        return f"{value:.{_DIGITS}g}"
    whole, decimals = found.group(1), found.group(2) or ""
    amount = abs(value) * 100 if "%" in section else abs(value)
    width = whole.count("0") + (len(decimals) + 1 if decimals else 0)
    digits = f"{amount:0{width}{',' if ',' in whole else ''}.{len(decimals)}f}"
    optional = len(decimals) - len(decimals.rstrip("#?"))
    for _ in range(optional):  # "#" shows no zero at the end
        digits = digits.removesuffix("0")
    amount_shown = section[: found.start()] + digits.removesuffix(".") + section[found.end() :]
    if value >= 0:
        return amount_shown.strip()
    return f"({amount_shown.strip()})" if "(" in others else f"-{amount_shown.strip()}"
