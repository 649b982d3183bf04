"""Bytes of unknown encoding as text.

UTF-8 and UTF-16 show themselves. Of the others, those of East Asia are told by their everyday characters, Latin ones by
the alphabets of their languages, and the rest (Cyrillic, Greek, Hebrew, Arabic, Thai) by charset-normalizer, which
knows the frequencies of letters but guesses wildly where only a few letters have accents.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from ingest.loaders.errors import UnreadableFileError

BINARY = "This is a binary file, not text. Check its type."

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_CHECKED_CHARACTERS = 10_000
_MAX_CONTROLS = 10
# What an encoding is told by: lines that are not ASCII, up to this many bytes.
_SAMPLE_BYTES = 2**15
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_ONE_SIDED = 0.9
_LEAST_EVERYDAY = 0.85
_MOST_BROKEN = 0.01
_KANA = re.compile("[\u3041-\u30fe]")
# The commonest syllables of Korean: a few Chinese characters may read as syllables, but not as these.
_PARTICLE = re.compile("[이다는을를의에가로하고한지기사인자도은대어시]")
_ANYTHING = re.compile("")
_CJK_PUNCTUATION = re.compile("[\u2010-\u2027\u3000-\u301f\uff01-\uff0f\uff10-\uff5e\u00b7]")
_NOT_LATIN = ["cp1251", "koi8_r", "koi8_u", "iso8859_5", "cp866", "cp1253", "cp1255", "cp1256", "cp874"]
# The letters beyond ASCII of the languages that each encoding serves; Western Europe first, because it wins a tie.
_LATIN = (
    ("cp1252", "äöüß àâæçéèêëîïôœùûüÿ áéíóúüñªº àèéìíîòóù áâãàçéêíóôõú åäöé æøåé éëïöóü áéíóúýþæöð"),
    ("cp1250", "ąćęłńóśźż áčďéěíňóřšťúůýž áäčďéíĺľňóôŕšťúýž áéíóöőúüű ăâîşţ čćđšž"),
    ("iso8859_2", "ąćęłńóśźż áčďéěíňóřšťúůýž áäčďéíĺľňóôŕšťúýž áéíóöőúüű ăâîşţ čćđšž"),
    ("cp1254", "çğıöşüâîû\u0307"),  # İ is a dotless letter with a dot once it is lower case
    ("cp1257", "ąčęėįšųūž āčēģīķļņšūž äöõüšž"),
)
# Signs within words, where they stand for letters of another encoding; "5 m³" and "¿Cómo" are none.
_MISREAD = re.compile("[\x80-\x9f\ufffd]|(?<=[a-z])[¹³¿](?=[a-z])|(?<=[a-z])[¶±¼¾]|[¶±¼¾](?=[a-z])")


def decode(content: bytes) -> str:
    """The text of a file in whatever encoding it most plausibly has.

    Raises `UnreadableFileError` for content that is not text.
    """
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return _checked(_decode(content, encoding))
    if b"\0" in content[:_SAMPLE_BYTES]:
        return _checked(_utf16(content))
    try:
        return _checked(content.decode("utf-8"))
    except UnicodeDecodeError:
        return _checked(content.decode(_legacy_encoding(_sample(content)), errors="replace"))


def is_text(head: bytes) -> bool:
    """Whether a file that begins so is text, in any encoding."""
    try:
        decode(head)
    except UnreadableFileError:
        return False
    return True


def _decode(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableFileError(
            f"The text is damaged: it is marked as {encoding} but is not ({error.reason})."
        ) from error


def _checked(text: str) -> str:
    if len(_CONTROL.findall(text[:_CHECKED_CHARACTERS])) > _MAX_CONTROLS:
        raise UnreadableFileError(BINARY)
    return text


def _utf16(content: bytes) -> str:
    """UTF-16 without its mark: the zero half of each ASCII character is always on the same side."""
    sample = content[:_SAMPLE_BYTES]
    zeros = sample.count(0)
    for side, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if sample[side::2].count(0) >= _ONE_SIDED * zeros:
            text = content.decode(encoding, errors="replace")
            if text[:_CHECKED_CHARACTERS].count("\ufffd") <= _MOST_BROKEN * len(text) and "\0" not in text:
                return text
    raise UnreadableFileError(BINARY)


def _sample(content: bytes) -> bytes:
    """The first lines that are not ASCII."""
    lines: list[bytes] = []
    size = end = 0
    while size < _SAMPLE_BYTES and (found := _NOT_ASCII.search(content, end)):
        start = max(content.rfind(b"\n", 0, found.start()) + 1, found.start() - _SAMPLE_BYTES)
        end = content.find(b"\n", found.start(), found.start() + _SAMPLE_BYTES)
        end = end if end > 0 else found.start() + _SAMPLE_BYTES
        lines.append(content[start:end])
        size += len(lines[-1])
    return b"\n".join(lines)


def _legacy_encoding(sample: bytes) -> str:
    for encoding, is_everyday, mark, least_marks in _EAST_ASIAN:
        wide = [character for character in sample.decode(encoding, errors="replace") if character > "\x7f"]
        everyday = sum(map(is_everyday, wide))
        marks = sum(mark.match(character) is not None for character in wide)
        broken = wide.count("\ufffd")
        enough = everyday >= _LEAST_EVERYDAY * len(wide) and marks >= least_marks * len(wide)
        if enough and broken <= _MOST_BROKEN * len(wide):
            return encoding
    high = sum(byte >= 0xC0 for byte in sample)
    if high > len(re.findall(rb"[A-Za-z]", sample)):
        return _frequent_letters(sample)
    return max(_LATIN, key=lambda entry: _alphabet_share(sample, *entry))[0]


def _lead(character: str, encoding: str) -> int:
    """The first of the bytes of a character, 0 where the encoding has none of two bytes for it."""
    encoded = character.encode(encoding, errors="ignore")
    return encoded[0] if len(encoded) == 2 else 0


def _is_japanese(character: str) -> bool:
    return bool(_KANA.match(character) or _CJK_PUNCTUATION.match(character)) or 0x88 <= _lead(character, "cp932") < 0x98


def _is_korean(character: str) -> bool:
    return "\uac00" <= character <= "\ud7a3" or bool(_CJK_PUNCTUATION.match(character))


def _is_simplified(character: str) -> bool:
    return 0xB0 <= _lead(character, "gb2312") < 0xD8 or bool(_CJK_PUNCTUATION.match(character))


def _is_traditional(character: str) -> bool:
    return 0xA4 <= _lead(character, "big5") < 0xC7 or bool(_CJK_PUNCTUATION.match(character))


# Japanese before Korean before Chinese: the bytes of the one are valid in the next, but not the other way round.
_EAST_ASIAN: tuple[tuple[str, Callable[[str], bool], re.Pattern[str], float], ...] = (
    ("cp932", _is_japanese, _KANA, 0.15),
    ("euc_jp", _is_japanese, _KANA, 0.15),
    ("cp949", _is_korean, _PARTICLE, 0.1),
    ("gb18030", _is_simplified, _ANYTHING, 0.0),
    ("big5", _is_traditional, _ANYTHING, 0.0),
)


def _frequent_letters(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=_NOT_LATIN).best()
    return best.encoding if best else "cp1252"


def _alphabet_share(sample: bytes, encoding: str, alphabets: str) -> float:
    """How much of what is not ASCII belongs to the one alphabet, of those given, that fits best."""
    decoded = sample.decode(encoding, errors="replace").lower()
    foreign = [character for character in decoded if character.isalpha() and character > "\x7f"]
    foreign += _MISREAD.findall(decoded)
    if not foreign:
        return 1.0
    return max(sum(map(alphabet.__contains__, foreign)) for alphabet in alphabets.split()) / len(foreign)
