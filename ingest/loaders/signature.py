"""Which format a file has, by its first bytes and, in a ZIP archive, by what lies in it. Names play no part."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Literal

from ingest.loaders.encoding import is_text
from ingest.loaders.errors import LockedFileError, UnreadableFileError, UnsupportedFileError

Format = Literal["pdf", "docx", "pptx", "xlsx", "odt", "image", "video", "html", "eml", "text", "unknown"]

_HEAD_BYTES = 4096
# Readers of PDF look for its header so far; what a server or a mail program has put before it does no harm.
_PDF_WITHIN = 1024
_PDF = re.compile(rb"%PDF-\d\.\d")
_TAIL_BYTES = 2048

_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"skip", b"free")
_MATROSKA = b"\x1a\x45\xdf\xa3"
_PICTURE_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis")

# The folders of Office files, and the types that OpenDocument files name in their entry "mimetype".
_OFFICE_FOLDERS: dict[str, Format] = {"word/": "docx", "ppt/": "pptx", "xl/": "xlsx"}
_BINARY_WORKBOOK = "xl/workbook.bin"
_ODT_TYPES = (
    b"application/vnd.oasis.opendocument.text",
    b"application/vnd.oasis.opendocument.text-template",
)
_LONGEST_TYPE = 100

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
# Streams of OLE containers, and what a container that has them is. The encrypted package comes first: it is a new
# format in an old container.
_OLE_KINDS = (
    ("WordDocument", "an old Word document (.doc)", "Open it in Word and save it as .docx."),
    ("Workbook", "an old Excel workbook (.xls)", "Open it in Excel and save it as .xlsx."),
    ("Book", "an old Excel workbook (.xls)", "Open it in Excel and save it as .xlsx."),
    ("PowerPoint Document", "an old PowerPoint presentation (.ppt)", "Open it in PowerPoint and save it as .pptx."),
    ("__properties_version1.0", "an Outlook message (.msg)", "Open it in Outlook and save it as .eml."),
)
_OLE_DIRECTORY_BYTES = 2**16

_UNSUPPORTED = (
    (b"{\\rtf", "an RTF document", "Open it in a word processor and save it as .docx."),
    (b"%!PS", "a PostScript document", "Convert it to PDF."),
    (b"Rar!", "a RAR archive", "Unpack it first."),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it first."),
    (b"\x1f\x8b", "a compressed file", "Unpack it first."),
)

_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_MAIL_FIELD = re.compile(rb"(?:From |[!-9;-~]+:)", re.IGNORECASE)
_MAIL_NAMES = re.compile(rb"^(?:from|to|date|subject|received|message-id|mime-version):", re.IGNORECASE | re.MULTILINE)
_LEAST_MAIL_NAMES = 3


def format_of(path: Path) -> Format:
    """The format of a file; "unknown" for binary content that is none of them.

    Raises `LockedFileError` for an Office file with a password, `UnsupportedFileError` for a known format that is not
    read, and `UnreadableFileError` for an archive that is damaged.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        tail = file.read()
    if head.startswith(b"PK\x03\x04"):
        return _format_of_archive(path)
    if head.startswith(_OLE):
        _refuse_ole(path, head)
    for start, kind, remedy in _UNSUPPORTED:
        if head.startswith(start):
            raise UnsupportedFileError(f"This is {kind}, which cannot be read. {remedy}")
    if _is_pdf(head, tail):
        return "pdf"
    return _media_format(head) or _text_format(head)


def _is_pdf(head: bytes, tail: bytes) -> bool:
    """Text may speak of "%PDF-1.4"; a PDF begins with it, or at least ends as one."""
    found = _PDF.search(head[:_PDF_WITHIN])
    return found is not None and (not _unmarked(head[: found.start()]).strip() or b"startxref" in tail)


def _media_format(head: bytes) -> Format | None:
    if head.startswith(_IMAGES) or (head.startswith(b"BM") and head[6:10] == bytes(4)):
        return "image"
    if head.startswith(b"RIFF") and head[8:12] in (b"WEBP", b"AVI "):
        return "image" if head[8:12] == b"WEBP" else "video"
    if head[4:8] == b"ftyp" and head[8:12] in _PICTURE_BRANDS:
        raise UnsupportedFileError("This is a HEIC or AVIF picture, which cannot be read. Save it as JPEG or PNG.")
    return "video" if head[4:8] in _MP4_BOXES or head.startswith(_MATROSKA) else None


def _text_format(head: bytes) -> Format:
    if not is_text(_whole_lines(head)):
        return "unknown"
    plain = _unmarked(head.replace(b"\0", b""))  # UTF-16 reads as ASCII without its zeros.
    if _HTML.match(plain):
        return "html"
    fields = re.split(rb"\r?\n\r?\n", plain, maxsplit=1)[0]
    if _MAIL_FIELD.match(plain) and len(_MAIL_NAMES.findall(fields)) >= _LEAST_MAIL_NAMES:
        return "eml"
    return "text"


def _unmarked(head: bytes) -> bytes:
    """The head without the mark of an encoding."""
    return head.removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")


def _whole_lines(head: bytes) -> bytes:
    """The head without the line that it cuts, perhaps within a character."""
    return head[: head.rfind(b"\n")] if len(head) == _HEAD_BYTES and b"\n" in head else head


def _format_of_archive(path: Path) -> Format:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if "mimetype" in names:
                with archive.open("mimetype") as entry:
                    kind = entry.read(_LONGEST_TYPE).strip()
                if kind in _ODT_TYPES:
                    return "odt"
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise UnreadableFileError(
            "The file is damaged: it begins as an Office document or another ZIP archive, but ends before its "
            "directory or holds a wrong one. Save it anew."
        ) from error
    return _office_format(names)


def _office_format(names: Collection[str]) -> Format:
    if _BINARY_WORKBOOK in names:
        raise UnsupportedFileError("This is a binary Excel workbook (.xlsb). Open it in Excel and save it as .xlsx.")
    for folder, found in _OFFICE_FOLDERS.items():
        if any(name.startswith(folder) for name in names):
            return found
    raise UnsupportedFileError(
        "This is a ZIP archive, but not a DOCX, PPTX, XLSX or ODT document. Unpack it, or save the document as one "
        "of these."
    )


def _refuse_ole(path: Path, head: bytes) -> None:
    """Say what an OLE container holds, by the names in its directory."""
    sector = 2 ** min(int.from_bytes(head[30:32], "little"), 12)
    with path.open("rb") as file:
        file.seek((int.from_bytes(head[48:52], "little") + 1) * sector)
        directory = file.read(_OLE_DIRECTORY_BYTES)
    if _stream("EncryptedPackage") in directory:
        raise LockedFileError("The document is locked by a password. Save it without one.")
    for stream, kind, remedy in _OLE_KINDS:
        if _stream(stream) in directory:
            raise UnsupportedFileError(f"This is {kind}, which cannot be read. {remedy}")
    raise UnsupportedFileError("This is an office document of an old format. Save it as .docx, .xlsx or .pptx.")


def _stream(name: str) -> bytes:
    return name.encode("utf-16-le")
