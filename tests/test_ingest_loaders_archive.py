"""What archives may hold: every Office format is refused alike, before a library unpacks it."""

from __future__ import annotations

import errno
import zipfile
from pathlib import Path

import pytest

from ingest.loaders import archive
from ingest.loaders.archive import opened_archive
from ingest.loaders.errors import UnreadableFileError

DAMAGED = "The file is damaged."


def write(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return path


def read(path: Path) -> None:
    with opened_archive(path, DAMAGED):
        pass


@pytest.mark.parametrize(
    ("limit", "reason"),
    [("MAX_UNPACKED_BYTES", "unpacks to"), ("MAX_XML_BYTES", "of XML"), ("MAX_ENTRIES", "holds 2 parts")],
)
def test_what_unpacks_to_more_than_a_document_is_refused(
    limit: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.docx", {"a.xml": b" " * 5000, "b.bin": b""})
    read(path)
    monkeypatch.setattr(archive, limit, 1)

    with pytest.raises(UnreadableFileError, match=reason):
        read(path)


def test_an_entry_larger_than_it_declares_is_damage(tmp_path: Path) -> None:
    path = write(tmp_path / "a.docx", {"a.xml": b" " * 100_000})
    content = bytearray(path.read_bytes())
    size = content.rfind(b"PK\x01\x02") + 24
    content[size : size + 4] = (10).to_bytes(4, "little")
    path.write_bytes(content)

    with pytest.raises(UnreadableFileError, match=DAMAGED):
        read(path)


@pytest.mark.parametrize(
    "error", [KeyError("part"), ValueError("seek"), OSError(errno.EINVAL, "Invalid argument"), OSError("no part")]
)
def test_what_libraries_raise_for_damage_becomes_a_sentence(error: Exception, tmp_path: Path) -> None:
    path = write(tmp_path / "a.docx", {"a.xml": b""})

    with pytest.raises(UnreadableFileError, match=DAMAGED), opened_archive(path, DAMAGED):
        raise error


def test_a_disk_that_fails_is_not_called_damage_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.docx", {"a.xml": b""})

    with pytest.raises(OSError, match="Input/output"), opened_archive(path, DAMAGED):
        raise OSError(errno.EIO, "Input/output error")
