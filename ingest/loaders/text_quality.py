"""Whether the text that a page's file gives can be read by a person. Pure: knows nothing about PDF."""

from __future__ import annotations

import re
import unicodedata

# A page with more than this share of characters that mean nothing is better recognised in its image.
MOST_MEANINGLESS = 0.1
# Less than this share of letters and digits is no language: glyph numbers taken for characters.
LEAST_WORDS = 0.25
# Fewer different signs are lines of stars and dots, as where something was blacked out.
LEAST_SIGNS = 5

_CID_MARK = re.compile(r"\(cid:\d+\)")
_REPEATED_SIGN = re.compile(r"([\W_])\1+")
# Unassigned, private use, half of a surrogate pair, control.
_MEANINGLESS = {"Cn", "Co", "Cs", "Cc"}


def rubbish(text: str) -> str:
    """Why a text layer is unusable, in a sentence; empty where it is good, and where there is none."""
    printed = "".join(text.split())
    rest = _CID_MARK.sub("", printed)
    meaningless = len(printed) - len(rest) + sum(map(_means_nothing, rest))
    if meaningless > MOST_MEANINGLESS * len(printed):
        return f"{meaningless / len(printed):.0%} of the characters in the page's text layer mean nothing."
    # Leaders and lines to write on count once.
    rest = _REPEATED_SIGN.sub(r"\1", rest)
    words = sum(character.isalnum() or unicodedata.category(character).startswith("M") for character in rest)
    if words < LEAST_WORDS * len(rest) and len(set(rest)) >= LEAST_SIGNS:
        return f"Only {words / len(rest):.0%} of the characters in the page's text layer are letters or digits."
    return ""


def _means_nothing(character: str) -> bool:
    return character == "\ufffd" or unicodedata.category(character) in _MEANINGLESS
