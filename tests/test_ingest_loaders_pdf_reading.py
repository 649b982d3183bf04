"""PDF pages that need more than their text layer: scans, rubbish, turned text, forms, damage, bombs, attachments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pypdf
import pytest
import reportlab
from pdf_pages import HEIGHT, LEFT, PROSE, WIDTH, Draw, changed, lines, texts_of, together, write
from PIL import Image, ImageDraw, ImageFont
from pypdf.generic import ArrayObject, DecodedStreamObject, IndirectObject, NameObject, NumberObject
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from ingest.config import ReadingConfig
from ingest.document import Document
from ingest.loaders import pdf_attachments
from ingest.loaders.attached import safe_name
from ingest.loaders.errors import UnreadableFileError
from ingest.loaders.pdf import load_pdf, render_page
from ingest.loaders.reading import Reading

FONT = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
WITHOUT_OCR = Reading(ReadingConfig(ocr=False))


def scan(*texts: str, turn: int = 0) -> Draw:
    """A page that is one image of lines of text, drawn `turn` degrees clockwise."""
    size = (round(WIDTH), round(HEIGHT)) if turn % 180 == 0 else (round(HEIGHT), round(WIDTH))
    image = Image.new("L", size, 255)
    pen, font = ImageDraw.Draw(image), ImageFont.truetype(str(FONT), 20)
    for number, text in enumerate(texts):
        pen.text((60, 100 + 40 * number), text, fill=0, font=font)
    picture = ImageReader(image.rotate(-turn, expand=True))
    return lambda canvas: canvas.drawImage(picture, 0, 0, WIDTH, HEIGHT)


def text_of(document: Document) -> str:
    return "\n".join(texts_of(document))


def with_unicode_map(path: Path, mapping: str) -> Path:
    """The file with other characters for the codes of its fonts."""
    cmap = f"begincmap /CMapType 2 def 1 begincodespacerange <00> <FF> endcodespacerange {mapping} endcmap"

    def lie(writer: pypdf.PdfWriter) -> None:
        for page in writer.pages:
            for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
                stream = DecodedStreamObject()
                stream.set_data(cmap.encode())
                font.get_object()[NameObject("/ToUnicode")] = writer._add_object(stream)

    return changed(path, lie)


def in_vera(text: str) -> Draw:
    pdfmetrics.registerFont(TTFont("Vera", FONT))

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Vera", 16)
        canvas.drawString(LEFT, HEIGHT - 100, text)

    return draw


# Which pages are recognised


@pytest.mark.parametrize("turn", [0, 90])
def test_a_page_that_is_an_image_is_recognised(turn: int, tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", scan("The pump is hot.", "Let it cool down.", turn=turn), lines(PROSE))

    scanned, printed = load_pdf(path).pages

    assert [line.text for block in scanned.blocks for line in block.lines] == ["The pump is hot.", "Let it cool down."]
    assert scanned.ocr is not None
    assert scanned.ocr.confidence > 0.9
    assert scanned.ocr.reason == "The page has no text layer."
    assert (scanned.problem, printed.ocr, printed.problem) == ("", None, "")


def test_a_rubbish_text_layer_is_replaced_by_what_the_page_shows(tmp_path: Path) -> None:
    path = with_unicode_map(
        write(tmp_path / "a.pdf", in_vera("Oil level low")), "1 beginbfrange <00> <FF> <E000> endbfrange"
    )

    document = load_pdf(path)

    assert text_of(document) == "Oil level low"
    assert document.pages[0].ocr is not None
    assert "mean nothing" in document.pages[0].ocr.reason


def test_a_stamp_on_a_scan_is_no_text_layer(tmp_path: Path) -> None:
    page = together(scan("The pump is hot.", "Let it cool down."), lines("ABC 0001234", top=700, size=20))

    document = load_pdf(write(tmp_path / "a.pdf", page))

    assert "Let it cool down." in text_of(document)
    assert "ABC 0001234" in text_of(document)
    assert document.pages[0].ocr is not None


def test_the_invisible_text_of_another_ocr_program_is_used(tmp_path: Path) -> None:
    def invisible(canvas: Canvas) -> None:
        text = canvas.beginText(LEFT, HEIGHT - 100)
        text.setTextRenderMode(3)
        text.textLines([PROSE, "Known words."])
        canvas.drawText(text)

    document = load_pdf(write(tmp_path / "a.pdf", together(scan("The pump is hot."), invisible)))

    assert text_of(document) == f"{PROSE}\nKnown words."
    assert document.pages[0].ocr is None


def test_without_ocr_a_scanned_page_says_so(tmp_path: Path) -> None:
    document = load_pdf(write(tmp_path / "a.pdf", scan("The pump is hot."), lines(PROSE)), WITHOUT_OCR)

    assert [page.problem for page in document.pages] == ["The page has no text layer. OCR is off.", ""]


def test_a_picture_without_text_is_a_problem_and_a_blank_page_is_none(tmp_path: Path) -> None:
    def white(canvas: Canvas) -> None:
        canvas.setFillGray(1)
        canvas.rect(0, 0, WIDTH, HEIGHT, fill=1, stroke=0)

    pages = [lines(PROSE), lambda canvas: canvas.circle(300, 400, 80, fill=1), white, lambda canvas: None]

    document = load_pdf(write(tmp_path / "a.pdf", *pages))

    problem = "The page has no text layer. OCR found no text in its image."
    assert [page.problem for page in document.pages] == ["", problem, "", ""]
    assert [page.ocr for page in document.pages] == [None] * 4


# Pages that cost themselves only


def test_pages_are_announced_and_those_to_skip_are_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", lines("First."), lines("Second."), lines("Third."))
    announced: list[tuple[int, int]] = []
    skip: Mapping[int, str] = {2: "Reading the page took longer than 60 s."}

    document = load_pdf(path, Reading(on_page=lambda *page: announced.append(page), skip_pages=skip))

    assert announced == [(1, 3), (2, 3), (3, 3)]
    assert texts_of(document) == ["First.", "Third."]
    assert [page.problem for page in document.pages] == ["", skip[2], ""]
    assert document.pages[1].height == pytest.approx(HEIGHT, abs=0.1)


def test_a_file_of_which_all_is_skipped_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", lines("First."))

    with pytest.raises(UnreadableFileError, match="took too long"):
        load_pdf(path, Reading(skip_pages={1: "It took too long."}))


def test_an_image_too_large_to_be_decoded_is_refused_by_its_declared_size(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", scan("The pump is hot."), lines(PROSE))

    def inflate(writer: pypdf.PdfWriter) -> None:
        (image,) = writer.pages[0]["/Resources"]["/XObject"].values()  # type: ignore[index]
        for side in ("/Width", "/Height"):
            image.get_object()[NameObject(side)] = NumberObject(35_000)

    document = load_pdf(changed(path, inflate))

    assert texts_of(document) == [PROSE]
    assert "35000x35000 pixels" in document.pages[0].problem


def test_a_damaged_page_costs_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", lines("First."), lines("Second."))

    def damage(writer: pypdf.PdfWriter) -> None:
        kids = writer.root_object["/Pages"]["/Kids"]  # type: ignore[index]
        assert isinstance(kids, ArrayObject)
        kids[0] = IndirectObject(999, 0, writer)

    document = load_pdf(changed(path, damage))

    assert texts_of(document) == ["Second."]
    assert "damaged" in document.pages[0].problem


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [(rb"(?s)trailer.*", b""), (rb"/Root \d+", b"/Root 99"), (rb"^", b"\0" * 1000)],
    ids=["no trailer", "no catalog", "shifted"],
)
def test_a_file_that_pdfium_refuses_is_repaired(pattern: bytes, replacement: bytes, tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", lines(PROSE))
    path.write_bytes(re.sub(pattern, replacement, path.read_bytes(), count=1))

    assert texts_of(load_pdf(path)) == [PROSE]
    assert render_page(path, 1).startswith(b"\x89PNG")


# Text that stands otherwise


def test_text_turned_against_the_page_is_read_as_it_is_displayed(tmp_path: Path) -> None:
    def turned(canvas: Canvas) -> None:
        canvas.rotate(90)
        for number, text in enumerate(("First line here.", "Second line here.")):
            canvas.drawString(100, -100 - 14 * number, text)

    path = write(tmp_path / "a.pdf", turned)
    changed(path, lambda writer: [page.rotate(90) for page in writer.pages])

    assert texts_of(load_pdf(path)) == ["First line here.\nSecond line here."]


def test_vertical_lines_are_read_from_the_right(tmp_path: Path) -> None:
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiMin-W3", isVertical=True))
    columns = ("わたくしといふ現象は", "假定された有機交流電燈の", "ひとつの青い照明です")

    def draw(canvas: Canvas) -> None:
        canvas.setFont("HeiseiMin-W3", 12)
        for number, text in enumerate(columns):
            canvas.drawString(500 - 20 * number, 700, text)

    document = load_pdf(write(tmp_path / "a.pdf", draw))

    assert text_of(document).split("\n") == list(columns)
    boxes = [line.box for block in document.pages[0].blocks for line in block.lines]
    assert all(box and box[3] - box[1] > 5 * (box[2] - box[0]) for box in boxes)


def test_ligatures_of_arabic_keep_their_order(tmp_path: Path) -> None:
    path = with_unicode_map(write(tmp_path / "a.pdf", in_vera("A")), "1 beginbfchar <41> <06440627> endbfchar")

    assert text_of(load_pdf(path)) == "\u0644\u0627"


def test_what_is_filled_in_stands_behind_its_label(tmp_path: Path) -> None:
    def form(canvas: Canvas) -> None:
        for number, (label, value) in enumerate((("Name:", "Alice"), ("Serial number:", "HP-40-0017"))):
            canvas.drawString(LEFT, HEIGHT - 100 - 40 * number, label)
            canvas.acroForm.textfield(
                name=label, value=value, x=200, y=HEIGHT - 108 - 40 * number, width=150, height=20, fontSize=10
            )

    document = load_pdf(write(tmp_path / "a.pdf", form))

    assert text_of(document).split("\n") == ["Name: Alice", "Serial number: HP-40-0017"]


# Passwords and attachments


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-128", "AES-256"])
def test_a_password_with_accents_opens_every_kind_of_encryption(algorithm: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", lines(PROSE))
    changed(path, lambda writer: writer.encrypt("schlüssel", algorithm=algorithm))

    assert texts_of(load_pdf(path, Reading(ReadingConfig(passwords=("schlüssel",))))) == [PROSE]


def test_attached_files_come_with_the_document(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", lines(PROSE))

    def attach(writer: pypdf.PdfWriter) -> None:
        writer.add_attachment("../../etc/报告.csv", b"a,b")
        writer.add_attachment("plain.txt", b"Oil")

    document = load_pdf(changed(path, attach))

    assert {(file.name, file.content) for file in document.attachments} == {("报告.csv", b"a,b"), ("plain.txt", b"Oil")}
    assert document.pages[0].problem == ""


def test_attached_files_beyond_the_limits_are_left_out_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_attachments, "MAX_ATTACHED_BYTES", 100)
    path = write(tmp_path / "a.pdf", lines(PROSE))

    def attach(writer: pypdf.PdfWriter) -> None:
        writer.add_attachment("a.txt", b"Oil")
        writer.add_attachment("big.bin", b"0" * 101)

    document = load_pdf(changed(path, attach))

    assert [file.name for file in document.attachments] == ["a.txt"]
    assert "'big.bin'" in document.pages[0].problem


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("C:\\Users\\x\\report.pdf", "report.pdf"),
        ("/etc/passwd", "passwd"),
        ("..", "attachment"),
        ("a\x00b\n.txt", "ab.txt"),
        ("x" * 300 + ".xlsx", "x" * 115 + ".xlsx"),
        ("", "attachment"),
        ('<a>:"b|?*.md', "ab.md"),
    ],
)
def test_names_of_attached_files_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe
