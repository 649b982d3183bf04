"""Which loader reads a file, and what is refused before any does."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest import loaders
from ingest.loaders import SUPPORTED_SUFFIXES, UnreadableFileError, UnsupportedFileError, load

CONTENT = {
    ".md": "# Pump\n\nDrain the oil.",
    ".markdown": "# Pump\n\nDrain the oil.",
    ".txt": "Drain the oil.",
    ".html": "<h1>Pump</h1><p>Drain the oil.",
    ".htm": "<h1>Pump</h1><p>Drain the oil.",
}


@pytest.mark.parametrize("suffix", sorted(CONTENT))
def test_text_formats_are_read_by_their_suffix_in_any_case(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"manual{suffix.upper()}"
    path.write_text(CONTENT[suffix], encoding="utf-8")

    document = load(path)

    assert [page.label for page in document.pages] == [""]
    assert document.pages[0].blocks[-1].text == "Drain the oil."


def test_an_unknown_type_is_named_with_those_that_are_known(tmp_path: Path) -> None:
    path = tmp_path / "drawing.dwg"
    path.write_bytes(b"AC1032")

    with pytest.raises(UnsupportedFileError, match=r"'\.dwg'.*\.pdf"):
        load(path)


@pytest.mark.parametrize("suffix", sorted(SUPPORTED_SUFFIXES))
def test_an_empty_file_is_said_to_be_empty(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"empty{suffix}"
    path.touch()

    with pytest.raises(UnreadableFileError, match="empty"):
        load(path)


@pytest.mark.parametrize("suffix", sorted(SUPPORTED_SUFFIXES))
@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n" + bytes(range(256)), b"\0" * 64], ids=["image", "zeros"])
def test_a_file_that_is_not_what_its_name_says_is_refused(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"renamed{suffix}"
    path.write_bytes(content)

    with pytest.raises(UnreadableFileError):
        load(path)


def test_a_pdf_named_as_text_is_called_a_pdf(tmp_path: Path) -> None:
    """Some PDFs hold nothing but letters; their source would be indexed as prose."""
    path = tmp_path / "contract.txt"
    path.write_bytes(b"%PDF-1.4\n1 0 obj")

    with pytest.raises(UnreadableFileError, match="a PDF"):
        load(path)


@pytest.mark.parametrize(("suffix", "content"), [(".txt", " \n\t\n"), (".html", "<p> </p>"), (".md", "---\n")])
def test_a_file_without_a_word_is_refused(suffix: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / f"blank{suffix}"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(UnreadableFileError, match="no text"):
        load(path)


def test_a_file_over_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaders, "MAX_FILE_BYTES", 10)
    path = tmp_path / "large.txt"
    path.write_text("more than ten bytes", encoding="utf-8")

    with pytest.raises(UnreadableFileError, match="Split it"):
        load(path)
