"""Messages (EML): the fields that people read, the body, and the attachments as files of their own.

Parsed with the older of Python's policies: the newer takes minutes for a message with very long fields or many parts.
"""

from __future__ import annotations

import email
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path

from ingest.document import Attachment, Block, Document, Line, Page
from ingest.loaders.attached import MAX_ATTACHED_BYTES, MAX_ATTACHMENTS, MAX_NAME_CHARACTERS, safe_name
from ingest.loaders.encoding import decode
from ingest.loaders.errors import UnreadableFileError
from ingest.loaders.text import text_blocks
from ingest.loaders.web import html_document

_FIELDS = ("From", "To", "Cc", "Date", "Subject")
# A list of thousands of recipients is of little use.
MAX_FIELD_CHARACTERS = 2000
MAX_DEPTH = 50
# Parts begin at such lines; no text has so many.
MAX_BOUNDARIES = 50_000
_BODY_TYPES = ("text/plain", "text/html")
_SIGNATURE = re.compile(r"application/(?:pgp-|x-pkcs7-|pkcs7-)signature")
_TOO_DEEP = "The message holds parts nested too deeply to be read."


def load_eml(path: Path) -> Document:
    """A message as one page: From, To, Date and Subject, then the body as text, else as HTML; and its attachments.

    Messages inside it are attachments too. Where attachments are left out, the page's `problem` says so. Raises
    `UnreadableFileError` for what is not a message.
    """
    content = path.read_bytes()
    if content.count(b"\n--") > MAX_BOUNDARIES:
        raise UnreadableFileError("The message has too many parts to be read. Save its attachments as files.")
    try:
        message = email.message_from_bytes(content)
    except RecursionError as error:
        raise UnreadableFileError(_TOO_DEEP) from error
    fields = [(name, value) for name in _FIELDS if (value := _field(message, name))]
    if not fields:
        raise UnreadableFileError("This is not a message: it has no sender, date or subject.")
    blocks = [Block("text", tuple(Line(f"{name}: {value}") for name, value in fields))]
    others: list[Message] = []
    for part in _parts(message, MAX_DEPTH):
        if _is_body(part):
            blocks += _body_blocks(part)
        elif _is_attachment(part):
            others.append(part)
    attachments, problem = _attachments(others)
    return Document(dict(fields).get("Subject", ""), (Page(1, "", tuple(blocks), problem=problem),), attachments)


def _field(message: Message, name: str) -> str:
    raw = next((str(value) for field, value in message.raw_items() if field.lower() == name.lower()), "")
    return _decoded(raw[:MAX_FIELD_CHARACTERS])


def _decoded(raw: str) -> str:
    """A field or a name as people write it: in whatever encoding, as encoded words or bare."""
    text = decode(raw.encode("utf-8", "surrogateescape"))
    with suppress(HeaderParseError, LookupError, UnicodeError):  # Not what it seems to be: shown as it is.
        text = str(make_header(decode_header(text)))
    return " ".join(text.split())


def _parts(part: Message, depth: int) -> Iterator[Message]:
    """The parts that hold no others, of alternative bodies the best."""
    if depth == 0:
        raise UnreadableFileError(_TOO_DEEP)
    inner = _inner(part)
    if part.get_content_maintype() != "multipart" or not inner:
        yield part
        return
    branches = [list(_parts(child, depth - 1)) for child in inner]
    chosen = _best(branches) if part.get_content_type() == "multipart/alternative" else None
    for branch in branches:
        # Files may lie in the branch that is not read.
        yield from (leaf for leaf in branch if chosen in (None, branch) or not _is_body(leaf))


def _inner(part: Message) -> list[Message]:
    """The parts of a multipart, or the one message of a message part; none where it holds bytes."""
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _best(branches: Sequence[list[Message]]) -> list[Message] | None:
    for kind in _BODY_TYPES:
        for branch in branches:
            if any(_is_body(leaf) and leaf.get_content_type() == kind and _content(leaf).strip() for leaf in branch):
                return branch
    return None


def _is_body(part: Message) -> bool:
    named = part.get_content_disposition() == "attachment" or part.get_filename()
    return part.get_content_type() in _BODY_TYPES and not named


def _is_attachment(part: Message) -> bool:
    """Whether a part that is no body is a file to people: no signature, and no picture that the body shows."""
    if part.get_content_type() == "message/rfc822":
        return True
    shown = part.get_content_maintype() == "image" and part["Content-ID"] is not None
    hidden = shown and part.get_content_disposition() != "attachment"
    return bool(part.get_filename()) and not hidden and not _SIGNATURE.fullmatch(part.get_content_type())


def _content(part: Message) -> bytes:
    if part.get_content_type() == "message/rfc822":
        return b"".join(map(_as_file, _inner(part)))
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _as_file(message: Message) -> bytes:
    """A message inside another one, as it would lie in a file of its own."""
    try:
        return message.as_bytes()
    except UnicodeEncodeError:  # a multipart that has no parts, with bytes in their place that are no ASCII
        return message.as_string().encode("utf-8", "surrogateescape")


def _body_blocks(part: Message) -> Iterator[Block]:
    content = _content(part)
    if not content.strip():
        return
    text = _text(content, part.get_content_charset())
    if part.get_content_type() == "text/html":
        yield from html_document(text.encode()).pages[0].blocks
    else:
        yield from text_blocks(text)


def _text(content: bytes, charset: str | None) -> str:
    try:
        return content.decode(charset or "utf-8")
    except (LookupError, UnicodeError):
        return decode(content)


def _attachments(parts: Sequence[Message]) -> tuple[tuple[Attachment, ...], str]:
    """The attachments that are within the limits, and a sentence where some are not."""
    found: list[Attachment] = []
    names: set[str] = set()
    left = MAX_ATTACHED_BYTES
    for part in parts[:MAX_ATTACHMENTS]:
        content = _content(part)
        left -= len(content)
        if left < 0:
            break
        name = _unique(_name(part, len(found) + 1), names)
        names.add(name.lower())
        found.append(Attachment(name, content))
    if len(found) == len(parts):
        return tuple(found), ""
    return tuple(found), (
        f"{len(parts) - len(found)} of {len(parts)} attachments were left out: at most {MAX_ATTACHMENTS} with "
        f"{MAX_ATTACHED_BYTES >> 20} MB together are read. Save the others as files."
    )


def _name(part: Message, number: int) -> str:
    name = part.get_filename() or ""
    if not name and (messages := _inner(part)):
        subject = _field(messages[0], "Subject").replace("/", " ").replace("\\", " ")
        name = f"{subject[: MAX_NAME_CHARACTERS // 2] or 'message'}.eml"
    return safe_name(_decoded(name), f"attachment {number}")


def _unique(name: str, taken: set[str]) -> str:
    path = Path(name)
    numbered = (f"{path.stem} ({number}){path.suffix}" for number in range(2, MAX_ATTACHMENTS + 2))
    return name if name.lower() not in taken else next(other for other in numbered if other.lower() not in taken)
