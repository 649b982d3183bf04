"""PDF: text, boxes, headings and pages, from files that reportlab and pypdf write here."""

from __future__ import annotations

import io
from pathlib import Path

import pypdf
import pytest
from pdf_pages import HEIGHT, LEFT, PROSE, Draw, blocks_of, box_of, changed, lines, texts_of, together, write
from PIL import Image
from pypdf.constants import PageLabelStyle
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from ingest.loaders.pdf import load_pdf, render_page

# Lines and boxes


def test_lines_have_tight_boxes_from_the_top_left(tmp_path: Path) -> None:
    document = load_pdf(write(tmp_path / "a.pdf", lines("Oil level Hg", top=100, size=20)))

    x0, y0, x1, y1 = box_of(document, "Oil level Hg")
    assert (document.pages[0].width, document.pages[0].height) == pytest.approx(A4, abs=0.1)
    assert x0 == pytest.approx(LEFT, abs=2.5)
    assert x1 == pytest.approx(LEFT + pdfmetrics.stringWidth("Oil level Hg", "Helvetica", 20), abs=2.5)
    assert y0 == pytest.approx(100 - 15, abs=1.5)  # the ascenders
    assert y1 == pytest.approx(100 + 4.5, abs=1.5)  # the descender of the g


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_boxes_lie_on_the_page_as_it_is_displayed(turn: int, tmp_path: Path) -> None:
    """What is highlighted on a turned page must be the ink: the image's dark pixels are compared with the box."""
    path = write(tmp_path / "a.pdf", lines("Oil level", PROSE))
    changed(path, lambda writer: [page.rotate(turn) for page in writer.pages])
    document = load_pdf(path)

    (line, _) = document.pages[0].blocks[0].lines

    assert line.text == "Oil level"
    page = document.pages[0]
    scale = 1000 / page.width
    image = Image.open(io.BytesIO(render_page(path, 1))).convert("L")
    outside = image.copy()
    assert line.box is not None
    x0, y0, x1, y1 = (value * scale for value in line.box)
    outside.paste(255, (round(x0) - 2, round(y0) - 2, round(x1) + 2, round(y1) + 2))
    ink, left_over = (sum(picture.histogram()[:100]) for picture in (image, outside))
    assert left_over < 0.95 * ink
    assert sum(image.crop((round(x0), round(y0), round(x1), round(y1))).histogram()[:100]) > 30


def test_a_crop_moves_the_origin(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", lines("Oil level", top=100))

    def crop(writer: pypdf.PdfWriter) -> None:
        writer.pages[0].cropbox = pypdf.generic.RectangleObject((50, 100, 400, HEIGHT - 60))

    document = load_pdf(changed(path, crop))

    x0, _, _, y1 = box_of(document, "Oil level")
    assert (document.pages[0].width, document.pages[0].height) == pytest.approx((350, HEIGHT - 160), abs=0.1)
    assert x0 == pytest.approx(LEFT - 50, abs=1.5)
    assert y1 == pytest.approx(100 - 60, abs=1.5)


def test_lines_of_a_paragraph_stay_together_and_a_gap_parts_them(tmp_path: Path) -> None:
    page = together(lines(PROSE, "and it never stops."), lines("Another thought.", top=150))

    assert texts_of(load_pdf(write(tmp_path / "a.pdf", page))) == [f"{PROSE}\nand it never stops.", "Another thought."]


def test_chinese_lines_keep_their_characters(tmp_path: Path) -> None:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))

    def draw(canvas: Canvas) -> None:
        canvas.setFont("STSong-Light", 11)
        for number, text in enumerate(("第十二条 违约责任", "甲方逾期付款的，每逾期一日应支付", "违约金１２元。")):
            canvas.drawString(LEFT, HEIGHT - 100 - number * 14, text)

    document = load_pdf(write(tmp_path / "a.pdf", draw))

    found = "\n".join(block.text for block in document.pages[0].blocks)
    assert found == "第十二条 违约责任\n甲方逾期付款的，每逾期一日应支付\n违约金１２元。"


# Headings and clauses


def test_headings_are_told_by_size_by_number_and_by_capitals(tmp_path: Path) -> None:
    page = together(
        lines("Press HP-40", top=80, size=22, bold=True),
        lines("4.3 Hydraulics", top=120, bold=True),
        lines(PROSE, PROSE, top=140),
        lines("ARTICLE V TERMINATION", top=200),
        lines(PROSE, PROSE, top=230),
    )

    document = load_pdf(write(tmp_path / "a.pdf", page))

    assert [(block.text, block.level) for block in blocks_of(document, "heading")] == [
        ("Press HP-40", 1),
        ("4.3 Hydraulics", 2),
        ("ARTICLE V TERMINATION", 1),
    ]
    assert document.title == "Press HP-40"


def test_a_clause_is_a_block_of_its_own_and_no_heading(tmp_path: Path) -> None:
    clauses = (
        "12.3 The Supplier shall deliver the Goods within thirty days after the order, free of charge and of",
        "any lien, as Section 2.1 says.",
        "12.4 The Buyer shall pay.",
        "(a) in time; and",
        "(b) in full.",
    )

    document = load_pdf(write(tmp_path / "a.pdf", lines(*clauses)))

    assert texts_of(document) == ["\n".join(clauses[:2]), *clauses[2:]]
    assert not blocks_of(document, "heading")


def test_a_number_within_a_sentence_begins_no_clause(tmp_path: Path) -> None:
    sentence = (
        "The Buyer may withdraw from this agreement as it is said for other cases of late delivery in",
        "Section 2.5), (a) to (c) thereof, but not later than, as far as this can be proved in court, after",
        "(4) weeks from the day on which it was told.",
    )

    assert texts_of(load_pdf(write(tmp_path / "a.pdf", lines(*sentence)))) == ["\n".join(sentence)]


def test_the_outline_makes_headings_and_their_levels(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines("Warm-up of the oil")(canvas)
        lines(PROSE, PROSE, top=112)(canvas)
        canvas.bookmarkPage("warm")
        canvas.addOutlineEntry("Operation", "warm", level=0)
        canvas.addOutlineEntry("Warm-up of the oil", "warm", level=1)

    document = load_pdf(write(tmp_path / "a.pdf", draw))

    assert [(block.text, block.level) for block in blocks_of(document, "heading")] == [("Warm-up of the oil", 2)]


def test_a_table_of_contents_is_left_out(tmp_path: Path) -> None:
    """It repeats every heading; a search would find it in place of the section."""
    dotted = lines("Contents", "1 Safety ............ 3", "2 Operation ............ 5", "3 Oil ............ 8")

    def plain(canvas: Canvas) -> None:
        for number, (title, page) in enumerate((("Table of Contents", ""), ("1 Safety", "3"), ("2 Operation", "5"))):
            canvas.drawString(LEFT, HEIGHT - 100 - 14 * number, title)
            canvas.drawRightString(500, HEIGHT - 100 - 14 * number, page)
        for number in range(3, 9):
            canvas.drawString(LEFT, HEIGHT - 100 - 14 * number, f"{number} Part number {number}")
            canvas.drawRightString(500, HEIGHT - 100 - 14 * number, str(number + 5))

    for name, contents in (("dotted", dotted), ("plain", plain)):
        document = load_pdf(write(tmp_path / f"{name}.pdf", contents, lines(PROSE)))

        assert [len(page.blocks) for page in document.pages] == [0, 1]


# Pages


def test_running_headers_and_footers_are_left_out(tmp_path: Path) -> None:
    def page(number: int) -> Draw:
        header = lines("Press HP-40 Service manual", top=30)
        return together(header, lines(f"Thought number {number}.", top=300), lines(f"Page {number} of 4", top=820))

    document = load_pdf(write(tmp_path / "a.pdf", *(page(number) for number in range(1, 5))))

    assert texts_of(document) == [f"Thought number {number}." for number in range(1, 5)]


def test_a_page_number_below_a_page_cut_short_is_left_out(tmp_path: Path) -> None:
    """Contracts that were web pages once have their old page numbers anywhere."""
    pages = [lines(*[PROSE] * (10 + number), f"Page {number}", top=200) for number in range(1, 5)]

    document = load_pdf(write(tmp_path / "a.pdf", *pages))

    assert not [text for text in texts_of(document) if "Page" in text]


def test_the_last_line_of_a_form_is_no_footer(tmp_path: Path) -> None:
    """Totals differ from page to page by more than the page number."""
    totals = (1240, 87, 6015, 311)
    pages = [lines("Delivered parts", *"ABCDEFGH", f"Total: {total} EUR", top=200, step=40) for total in totals]

    document = load_pdf(write(tmp_path / "a.pdf", *pages))

    assert [text for text in texts_of(document) if "Total" in text] == [f"Total: {total} EUR" for total in totals]


def test_pages_carry_their_printed_labels(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", *[lines(PROSE)] * 4)

    def label(writer: pypdf.PdfWriter) -> None:
        writer.set_page_label(0, 1, style=PageLabelStyle.LOWERCASE_ROMAN)
        writer.set_page_label(2, 3, style=PageLabelStyle.DECIMAL, prefix="A-")

    document = load_pdf(changed(path, label))

    assert [(page.number, page.label) for page in document.pages] == [(1, "i"), (2, "ii"), (3, "A-1"), (4, "A-2")]


def test_a_page_without_text_is_an_empty_page(tmp_path: Path) -> None:
    document = load_pdf(write(tmp_path / "a.pdf", lines(PROSE), lambda canvas: canvas.rect(10, 10, 50, 50)))

    assert [len(page.blocks) for page in document.pages] == [1, 0]


def test_a_page_on_its_side_is_read_from_its_own_top(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", lines("First line.", "Second line.", "Third line.", step=40))
    changed(path, lambda writer: [page.rotate(90) for page in writer.pages])

    assert texts_of(load_pdf(path)) == ["First line.", "Second line.", "Third line."]


def test_the_title_of_the_metadata_comes_first(tmp_path: Path) -> None:
    named, unnamed = tmp_path / "named.pdf", tmp_path / "unnamed.pdf"
    page = together(lines("Press HP-40", top=80, size=22), lines(PROSE, PROSE, top=120))
    changed(write(named, page), lambda writer: writer.add_metadata({"/Title": "Service manual"}))
    changed(write(unnamed, page), lambda writer: writer.add_metadata({"/Title": "Microsoft Word - x.doc"}))

    assert (load_pdf(named).title, load_pdf(unnamed).title) == ("Service manual", "Press HP-40")


def test_the_file_name_that_a_scanner_writes_as_title_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "scan-0017.pdf", together(lines("Press HP-40", top=80, size=22), lines(PROSE, top=120)))
    changed(path, lambda writer: writer.add_metadata({"/Title": "scan-0017"}))

    assert load_pdf(path).title == "Press HP-40"
