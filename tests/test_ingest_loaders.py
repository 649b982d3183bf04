"""Which loader reads a file, and what is refused before any does."""

from __future__ import annotations

from pathlib import Path

import docx
import openpyxl
import pptx
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

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
    path.write_bytes(b"AC1032" + bytes(100))

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


@pytest.mark.parametrize("name", ["contract", "contract.txt", "contract.docx"])
def test_a_pdf_is_read_as_a_pdf_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    canvas = Canvas(str(path))
    canvas.drawString(72, 700, "Drain the oil.")
    canvas.save()
    path.write_bytes(b"HTTP/1.1 200 OK\r\n\r\n" + path.read_bytes())

    assert load(path).pages[0].blocks[0].text == "Drain the oil."


@pytest.mark.parametrize(
    ("name", "content", "kinds"),
    [
        ("page", "<html>" + CONTENT[".html"], ["heading", "text"]),
        ("page.docx", "<!DOCTYPE html>" + CONTENT[".html"], ["heading", "text"]),
        ("notes.log", "Drain the oil.", ["text"]),
        ("notes.pdf", "A file that begins with %PDF-1.7 is a PDF.", ["text"]),
        ("table.csv", "Code,Cause\nE07,oil", ["table"]),
        ("table.tsv", "Code\tCause\nE07\toil", ["table"]),
        ("mail", "From: a@b.c\nTo: d@e.f\nSubject: Oil\n\nDrain the oil.", ["text", "text"]),
        ("mail.txt", "From: a@b.c\nTo: d@e.f\nSubject: Oil\n\nDrain the oil.", ["text", "text"]),
    ],
)
def test_text_is_read_as_its_name_says_else_by_its_content(
    name: str, content: str, kinds: list[str], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")

    assert [block.kind for block in load(path).pages[0].blocks] == kinds


def test_office_files_are_told_by_what_lies_in_them(tmp_path: Path) -> None:
    word, slides, workbook = docx.Document(), pptx.Presentation(), openpyxl.Workbook()
    word.add_paragraph("Drain the oil.")
    slides.slides.add_slide(slides.slide_layouts[5]).shapes.title.text = "Oil"
    workbook.active["A1"] = "Oil"
    for name, document in (("a", word), ("b.pdf", slides), ("c.docx", workbook)):
        document.save(tmp_path / name)

    assert [len(load(tmp_path / name).pages) for name in ("a", "b.pdf", "c.docx")] == [1, 1, 1]


def test_a_picture_needs_no_text(tmp_path: Path) -> None:
    path = tmp_path / "photo.txt"
    Image.new("RGB", (30, 20)).save(path, "PNG")

    document = load(path)

    assert document.media is not None
    assert document.media.kind == "image"


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
