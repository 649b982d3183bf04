"""Word files: headings, printed numbers, tables and pages, from files that python-docx writes here."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.enum.section import WD_SECTION
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_BREAK
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from ingest.document import Document
from ingest.loaders import archive, load
from ingest.loaders.errors import UnreadableFileError
from ingest.loaders.word import load_docx

SAMPLES = Path(__file__).parent.parent / "samples"


@pytest.fixture
def read(tmp_path: Path) -> Callable[[Any], Document]:
    def _read(word: Any) -> Document:
        path = tmp_path / "contract.docx"
        word.save(str(path))
        return load_docx(path)

    return _read


Read = Callable[[Any], Document]


def texts(document: Document) -> list[list[str]]:
    """The texts of each page."""
    return [[block.text for block in page.blocks] for page in document.pages]


def xml(markup: str) -> Any:
    """An element; `markup` begins with the name of the element."""
    name, _, rest = markup.partition(" ")
    return parse_xml(f"<w:{name} {nsdecls('w')} {rest}")


def define_list(word: Any, *levels: tuple[str, str], extra: str = "", nums: str = "") -> None:
    """Define list 900 with a (format, pattern) for each level; `extra` goes into each level."""
    inner = "".join(
        f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{style}"/>{extra}<w:lvlText w:val="{text}"/>'
        "</w:lvl>"
        for level, (style, text) in enumerate(levels)
    )
    root = word.part.numbering_part.element
    root.insert(0, xml(f'abstractNum w:abstractNumId="900">{inner}</w:abstractNum>'))
    root.append(xml(f'num w:numId="900"><w:abstractNumId w:val="900"/>{nums}</w:num>'))


def add_numbered(word: Any, text: str, level: int, num_id: int = 900) -> Any:
    paragraph = word.add_paragraph(text)
    paragraph._p.get_or_add_pPr().append(xml(f'numPr ><w:ilvl w:val="{level}"/><w:numId w:val="{num_id}"/></w:numPr>'))
    return paragraph


def add_rendered_break(paragraph: Any) -> None:
    paragraph.add_run()._r.append(xml("lastRenderedPageBreak />"))


def test_headings_come_from_styles_with_the_title_highest(read: Read) -> None:
    word = docx.Document()
    word.add_heading("Agreement", 0)
    word.add_heading("Payment", 2)
    custom = word.styles.add_style("Firm Clause", WD_STYLE_TYPE.PARAGRAPH)
    custom.base_style = word.styles["Heading 3"]
    word.add_paragraph("Instalments", style="Firm Clause")
    word.add_paragraph("The Buyer pays.")

    blocks = read(word).pages[0].blocks

    assert [(block.kind, block.level) for block in blocks] == [
        ("heading", 1),
        ("heading", 2),
        ("heading", 3),
        ("text", 0),
    ]


def test_a_whole_clause_in_a_heading_style_is_text(read: Read) -> None:
    word = docx.Document()
    word.add_heading("The Supplier shall deliver the goods to the site. " * 6, 2)

    assert read(word).pages[0].blocks[0].kind == "text"


def test_without_styles_bold_or_named_lines_are_headings_and_steps_are_not(read: Read) -> None:
    word = docx.Document()
    word.add_paragraph().add_run("2. Delivery terms").bold = True
    word.add_paragraph("2. Open the cover")
    word.add_paragraph("第三条 付款方式")
    mixed = word.add_paragraph()
    mixed.add_run("3. Price ").bold = True
    mixed.add_run("and payment")

    assert [block.kind for block in read(word).pages[0].blocks] == ["heading", "text", "heading", "text"]


def test_automatic_numbers_are_put_before_the_text(read: Read) -> None:
    word = docx.Document()
    define_list(word, ("decimal", "%1."), ("decimal", "%1.%2"), ("lowerLetter", "(%3)"), ("bullet", "•"))
    for text, level in [("A", 0), ("B", 1), ("C", 1), ("D", 2), ("E", 2), ("F", 3), ("G", 0), ("H", 1), ("I", 2)]:
        add_numbered(word, text, level)

    assert texts(read(word)) == [["1. A", "1.1 B", "1.2 C", "(a) D", "(b) E", "F", "2. G", "2.1 H", "(a) I"]]


def test_a_numbered_style_numbers_its_headings(read: Read) -> None:
    word = docx.Document()
    define_list(word, ("upperRoman", "Article %1"), ("decimal", "%1.%2"))
    for level, style in enumerate(["Heading 1", "Heading 2"]):
        properties = word.styles[style].element.get_or_add_pPr()
        properties.append(xml(f'numPr ><w:ilvl w:val="{level}"/><w:numId w:val="900"/></w:numPr>'))
    word.add_heading("Price", 1)
    word.add_heading("Taxes", 2)
    word.add_heading("Law", 1)

    document = read(word)

    assert texts(document) == [["Article I Price", "I.1 Taxes", "Article II Law"]]
    assert [block.level for block in document.pages[0].blocks] == [1, 2, 1]


def test_chinese_articles_may_count_on_across_chapters(read: Read) -> None:
    word = docx.Document()
    define_list(
        word,
        ("chineseCountingThousand", "第%1章"),
        ("chineseCountingThousand", "第%2条"),
        extra='<w:lvlRestart w:val="0"/><w:suff w:val="nothing"/>',
    )
    for text, level in [("总则", 0), ("定义", 1), ("价格", 1), ("附则", 0), ("生效", 1)]:
        add_numbered(word, text, level)

    assert texts(read(word)) == [["第一章总则", "第一条定义", "第二条价格", "第二章附则", "第三条生效"]]


def test_a_list_can_restart_and_a_legal_level_prints_digits(read: Read) -> None:
    word = docx.Document()
    define_list(word, ("upperRoman", "%1."), ("decimal", "%1.%2"), extra="<w:isLgl/>")
    override = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride>'
    word.part.numbering_part.element.append(xml(f'num w:numId="901"><w:abstractNumId w:val="900"/>{override}</w:num>'))
    add_numbered(word, "a", 0)
    add_numbered(word, "b", 1)
    add_numbered(word, "c", 0, num_id=901)
    add_numbered(word, "d", 0, num_id=901)
    add_numbered(word, "e", 0, num_id=0)

    assert texts(read(word)) == [["1. a", "1.1 b", "7. c", "8. d", "e"]]


def test_a_number_in_an_unknown_format_is_left_out_rather_than_guessed(read: Read) -> None:
    word = docx.Document()
    define_list(word, ("hebrew1", "%1."))
    add_numbered(word, "text", 0)

    assert texts(read(word)) == [["text"]]


def test_without_breaks_there_is_one_page_without_a_label(read: Read) -> None:
    word = docx.Document()
    word.add_paragraph("text")

    assert [(page.number, page.label) for page in read(word).pages] == [(1, "")]


def test_every_kind_of_break_begins_a_page(read: Read) -> None:
    word = docx.Document()
    word.add_paragraph("one").add_run().add_break(WD_BREAK.PAGE)
    word.add_paragraph("two")
    word.add_paragraph("three").paragraph_format.page_break_before = True
    word.add_section(WD_SECTION.NEW_PAGE)
    word.add_paragraph("four")
    word.add_section(WD_SECTION.CONTINUOUS)
    word.add_paragraph("still four")
    rendered = word.add_paragraph()
    add_rendered_break(rendered)
    rendered.add_run("five")

    document = read(word)

    assert texts(document) == [["one"], ["two"], ["three"], ["four", "still four"], ["five"]]
    assert [page.label for page in document.pages] == ["1", "2", "3", "4", "5"]


def test_a_break_that_word_repeats_as_a_mark_of_its_layout_counts_once(read: Read) -> None:
    word = docx.Document()
    word.add_paragraph("one").add_run().add_break(WD_BREAK.PAGE)
    word.add_paragraph()
    second = word.add_paragraph()
    add_rendered_break(second)
    second.add_run("two").add_break(WD_BREAK.PAGE)
    third = word.add_paragraph()
    third.paragraph_format.page_break_before = True
    add_rendered_break(third)
    third.add_run("three")

    assert texts(read(word)) == [["one"], ["two"], ["three"]]


def test_two_explicit_breaks_leave_a_blank_page(read: Read) -> None:
    word = docx.Document()
    word.add_paragraph("one")
    word.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
    word.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
    word.add_paragraph("three")

    assert texts(read(word)) == [["one"], [], ["three"]]


def test_a_paragraph_belongs_to_the_page_where_it_begins(read: Read) -> None:
    word = docx.Document()
    paragraph = word.add_paragraph("begins here ")
    add_rendered_break(paragraph)
    paragraph.add_run("and ends there")
    word.add_paragraph("next")

    assert texts(read(word)) == [["begins here and ends there"], ["next"]]


def test_a_break_before_the_first_paragraph_makes_no_blank_page(read: Read) -> None:
    word = docx.Document()
    word.add_paragraph("one").paragraph_format.page_break_before = True

    assert texts(read(word)) == [["one"]]


def test_tables_stand_in_their_place_with_merged_cells_once(read: Read) -> None:
    word = docx.Document()
    word.add_paragraph("before")
    table = word.add_table(rows=3, cols=3)
    for row in range(3):
        for column in range(3):
            table.cell(row, column).text = f"{row}{column}"
    table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
    table.cell(1, 2).merge(table.cell(2, 2)).text = "tall"
    word.add_paragraph("after")

    assert texts(read(word)) == [["before", "| wide |  | 02 |\n| 10 | 11 | tall |\n| 20 | 21 |  |", "after"]]


def test_a_table_over_two_pages_repeats_its_head(read: Read) -> None:
    word = docx.Document()
    table = word.add_table(rows=3, cols=2)
    for row, cells in enumerate([("Item", "Price"), ("A", "1"), ("B", "2")]):
        for column, text in enumerate(cells):
            paragraph = table.cell(row, column).paragraphs[0]
            if row == 2:
                add_rendered_break(paragraph)
            paragraph.add_run(text)
    word.add_paragraph("after")

    assert texts(read(word)) == [["| Item | Price |\n| A | 1 |"], ["| Item | Price |\n| B | 2 |", "after"]]


def test_numbers_and_inner_tables_are_text_of_their_cell_and_a_frame_is_no_table(read: Read) -> None:
    word = docx.Document()
    define_list(word, ("decimal", "%1."))
    table = word.add_table(rows=1, cols=2)
    table.cell(0, 0)._tc.append(add_numbered(word, "first", 0)._p)
    inner = table.cell(0, 1).add_table(rows=1, cols=2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "x", "y"
    word.add_table(rows=1, cols=1).cell(0, 0).text = "Warning"

    blocks = read(word).pages[0].blocks

    assert [(block.kind, block.text) for block in blocks] == [("table", "| 1. first | x y |"), ("text", "Warning")]


def test_deleted_and_hidden_text_is_left_out_and_inserted_text_is_kept(read: Read) -> None:
    word = docx.Document()
    paragraph = word.add_paragraph("within ")
    paragraph._p.append(xml("del ><w:r><w:delText>10</w:delText><w:t>10</w:t></w:r></w:del>"))
    paragraph._p.append(xml("ins ><w:r><w:t>20</w:t></w:r></w:ins>"))
    paragraph.add_run("secret").font.hidden = True
    paragraph.add_run(" days")
    word.sections[0].header.paragraphs[0].text = "header"

    assert texts(read(word)) == [["within 20 days"]]


def test_text_in_content_controls_is_read(read: Read) -> None:
    word = docx.Document()
    control = xml(
        "sdt ><w:sdtContent><w:p><w:r><w:t>inside</w:t><w:br/><w:t>control</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    word.element.body.insert(0, control)

    assert texts(read(word)) == [["inside\ncontrol"]]


@pytest.mark.parametrize(
    ("title", "heading", "expected"),
    [("Supply  Agreement", "Scope", "Supply Agreement"), ("", "Scope", "Scope"), ("", "", "")],
    ids=["properties", "heading", "none"],
)
def test_the_title_comes_from_the_properties_else_a_heading(
    read: Read, title: str, heading: str, expected: str
) -> None:
    word = docx.Document()
    word.core_properties.title = title
    if heading:
        word.add_heading(heading, 1)
    word.add_paragraph("text")

    assert read(word).title == expected


def _workbook(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")


def _truncated(path: Path) -> None:
    docx.Document().save(str(path))
    path.write_bytes(path.read_bytes()[:9000])


def _with_body(content: bytes) -> Callable[[Path], None]:
    def _write(path: Path) -> None:
        docx.Document().save(str(path.with_suffix(".tmp")))
        with zipfile.ZipFile(path.with_suffix(".tmp")) as source, zipfile.ZipFile(path, "w") as target:
            for name in source.namelist():
                target.writestr(name, content if name == "word/document.xml" else source.read(name))

    return _write


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda path: path.write_bytes(b"plain text"), "damaged or not a Word document"),
        (_workbook, "damaged or not a Word document"),
        (_truncated, "damaged or not a Word document"),
        (_with_body(b"<w:document"), "damaged or not a Word document"),
        (_with_body(b"<other/>"), "damaged or not a Word document"),
    ],
    ids=["text", "other archive", "truncated", "broken XML", "other XML"],
)
def test_what_is_not_a_word_file_is_refused(tmp_path: Path, write: Callable[[Path], None], reason: str) -> None:
    path = tmp_path / "wrong.docx"
    write(path)

    with pytest.raises(UnreadableFileError, match=reason):
        load_docx(path)


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.docx"
    docx.Document().save(str(path))
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 1000)

    with pytest.raises(UnreadableFileError, match="unpacks to"):
        load_docx(path)


@pytest.mark.parametrize(
    ("name", "page", "words"),
    [
        ("purchase-agreement.docx", 3, "6 % of the Contract Price"),
        ("purchase-agreement.docx", 6, "40 % of the Contract Price"),
        ("设备采购合同.docx", 2, "30%"),
        ("设备采购合同.docx", 4, "0.3%"),
        ("设备采购合同.docx", 5, "甲方所在地人民法院"),
    ],
)
def test_the_sample_contracts_have_their_answers_on_the_expected_pages(name: str, page: int, words: str) -> None:
    document = load(SAMPLES / name)

    assert words in "\n".join(block.text for block in document.pages[page - 1].blocks)
