"""Which format a file has, by its content alone."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ingest.loaders.errors import LockedFileError, UnreadableFileError, UnsupportedFileError
from ingest.loaders.signature import format_of


def old_office(stream: str) -> bytes:
    """An OLE container with one stream in its directory, which follows the header."""
    header = bytearray(512)
    header[:8] = bytes.fromhex("d0cf11e0a1b11ae1")
    header[30:32] = (9).to_bytes(2, "little")  # sectors of 2**9 bytes
    return bytes(header) + "Root Entry".encode("utf-16-le").ljust(128, b"\0") + stream.encode("utf-16-le").ljust(128)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xef\xbb\xbf  %PDF-1.7\n", "pdf"),
        (b"\x89PNG\r\n\x1a\n\0\0", "image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image"),
        (b"BM\x36\0\0\0\0\0\0\0\x36\0", "image"),
        (b"BMW maintenance manual", "text"),
        (b"RIFF\x10\0\0\0AVI LIST", "video"),
        (b"\0\0\0\x18ftypisom\0\0", "video"),
        (b"\x1a\x45\xdf\xa3\x01\0\0", "video"),
        (b"<?xml version='1.0'?>\n<!-- saved --><html>", "html"),
        ("<!DOCTYPE html><p>x".encode("utf-16"), "html"),
        (b"<b>bold</b> text", "text"),
        (b"Received: from a\r\nFrom: b\r\nSubject: c\r\n\r\nbody", "eml"),
        (b"From: a\nNote: this is a form\n", "text"),
        (b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0" * 4, "unknown"),
    ],
)
def test_formats_are_told_by_their_first_bytes(content: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)

    assert format_of(path) == expected


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ({"word/document.xml": b""}, "docx"),
        ({"ppt/presentation.xml": b""}, "pptx"),
        ({"xl/workbook.xml": b""}, "xlsx"),
        ({"mimetype": b"application/vnd.oasis.opendocument.text"}, "odt"),
    ],
)
def test_office_formats_are_told_by_what_lies_in_the_archive(
    entries: dict[str, bytes], expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)

    assert format_of(path) == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (old_office("WordDocument"), r"\.doc\)"),
        (old_office("Workbook"), r"\.xls\)"),
        (old_office("PowerPoint Document"), r"\.ppt\)"),
        (old_office("__properties_version1.0"), r"\.msg\)"),
        (old_office("Contents"), "old format"),
        (rb"{\rtf1 text}", "RTF"),
        (b"%!PS-Adobe", "PostScript"),
        (b"\0\0\0\x18ftypheic\0\0", "HEIC"),
    ],
)
def test_a_known_format_that_is_not_read_is_named_with_a_remedy(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)

    with pytest.raises(UnsupportedFileError, match=f"{reason}.*(?:[Ss]ave|Convert|Open)"):
        format_of(path)


def test_another_archive_is_said_to_be_none_of_the_documents(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("photo.jpg", b"")

    with pytest.raises(UnsupportedFileError, match="ZIP archive"):
        format_of(path)


def test_an_office_file_with_a_password_is_locked(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(old_office("EncryptedPackage"))

    with pytest.raises(LockedFileError, match="password"):
        format_of(path)


def test_an_archive_without_its_end_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"PK\x03\x04" + bytes(100))

    with pytest.raises(UnreadableFileError, match="damaged"):
        format_of(path)
