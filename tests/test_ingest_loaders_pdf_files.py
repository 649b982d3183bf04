"""PDF files that cannot be read, locked ones, and the images of pages."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from pdf_pages import HEIGHT, PROSE, WIDTH, box_of, changed, lines, texts_of, write
from PIL import Image

from ingest.config import ReadingConfig
from ingest.errors import UsageError
from ingest.loaders import pdf
from ingest.loaders.errors import UnreadableFileError
from ingest.loaders.pdf import load_pdf, render_page
from ingest.loaders.reading import Reading


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04 not a PDF", b"%PDF-1.7\n%%EOF\n", b"%PDF-1.4\n" + b"\xff" * 5000],
    ids=["other type", "header only", "rubbish"],
)
def test_a_damaged_file_is_refused_in_a_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(content)

    with pytest.raises(UnreadableFileError, match=r"PDF.*\.$"):
        load_pdf(path)
    with pytest.raises(UnreadableFileError):
        render_page(path, 1)


def test_a_file_cut_short_is_read_or_refused(tmp_path: Path) -> None:
    content = write(tmp_path / "whole.pdf", lines(PROSE)).read_bytes()
    path = tmp_path / "cut.pdf"
    for share in range(1, 10):
        path.write_bytes(content[: len(content) * share // 10])
        try:
            document = load_pdf(path)
        except UnreadableFileError:
            continue

        assert len(document.pages) == 1


def test_without_ocr_a_scan_is_named_as_such(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", lambda canvas: canvas.rect(10, 10, 500, 700, fill=1))

    with pytest.raises(UnreadableFileError, match="OCR is off"):
        load_pdf(path, Reading(ReadingConfig(ocr=False)))


@pytest.mark.parametrize("password", ["secret", "读者"])
def test_an_encrypted_file_opens_with_one_of_the_passwords(password: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", lines(PROSE))
    changed(path, lambda writer: writer.encrypt(password, algorithm="AES-256"))

    with pytest.raises(UnreadableFileError, match="--password"):
        load_pdf(path)
    with pytest.raises(UnreadableFileError, match="none of the passwords"):
        load_pdf(path, Reading(ReadingConfig(passwords=("wrong",))))
    assert texts_of(load_pdf(path, Reading(ReadingConfig(passwords=("wrong", password))))) == [PROSE]
    assert render_page(path, 1, passwords=[password]).startswith(b"\x89PNG")


def test_a_file_that_only_forbids_printing_needs_no_password(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", lines(PROSE))
    changed(path, lambda writer: writer.encrypt("", "owner", algorithm="AES-128"))

    assert texts_of(load_pdf(path)) == [PROSE]


def test_a_page_image_shows_the_boxes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", lines("Oil level"))
    box = box_of(load_pdf(path), "Oil level")

    plain, marked = (
        Image.open(io.BytesIO(render_page(path, 1, boxes=boxes, width=400))).convert("RGB") for boxes in ([], [box])
    )

    assert plain.size == marked.size == (400, pytest.approx(400 * HEIGHT / WIDTH, abs=2))
    middle = (round((box[0] + box[2]) / 2 * 400 / WIDTH), round(box[1] * 400 / WIDTH) - 1)
    assert plain.getpixel(middle) == (255, 255, 255)
    assert marked.getpixel(middle) not in [(255, 255, 255), (0, 0, 0)]
    assert marked.getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("number", [0, 2, -1])
def test_a_page_that_does_not_exist_is_refused_with_the_count(number: int, tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", lines(PROSE))

    with pytest.raises(UsageError, match="1 page"):
        render_page(path, number)


def test_a_page_too_large_to_draw_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_IMAGE_PIXELS", 1000)

    with pytest.raises(UnreadableFileError, match="drawn"):
        render_page(write(tmp_path / "a.pdf", lines(PROSE)), 1)
