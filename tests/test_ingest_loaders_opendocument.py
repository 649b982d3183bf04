"""OpenDocument texts, from XML as LibreOffice writes it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.document import Document
from ingest.loaders.errors import LockedFileError, UnreadableFileError
from ingest.loaders.opendocument import load_odt

NAMES = ("office", "style", "text", "table", "meta")
NAMESPACES = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in NAMES)
STYLES = """<office:styles>
<style:style style:name="Title" style:family="paragraph"/>
<text:outline-style style:name="Outline">
  <text:outline-level-style text:level="1" style:num-format="1" style:num-suffix="."/>
  <text:outline-level-style text:level="2" style:num-format="1" text:display-levels="2"/>
</text:outline-style></office:styles>"""
LISTS = """<office:automatic-styles>
<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Title"/>
<text:list-style style:name="L1">
  <text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/>
  <text:list-level-style-number text:level="2" style:num-format="a" style:num-prefix="(" style:num-suffix=")"/>
  <text:list-level-style-bullet text:level="3" text:bullet-char="-"/>
</text:list-style></office:automatic-styles>"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Document]:
    def _read(body: str, meta: str = "", manifest: str = "") -> Document:
        path = tmp_path / "a.odt"
        with zipfile.ZipFile(path, "w") as archive:
            parts = (
                ("content", f"{LISTS}<office:body><office:text>{body}</office:text></office:body>"),
                ("styles", STYLES),
                ("meta", f"<office:meta>{meta}</office:meta>"),
            )
            for name, inner in parts:
                root = f"office:document-{name}"
                archive.writestr(f"{name}.xml", f"<{root} {NAMESPACES}>{inner}</{root}>")
            archive.writestr("META-INF/manifest.xml", manifest)
        return load_odt(path)

    return _read


Read = Callable[..., Document]


def outline(document: Document) -> list[tuple[str, int, str]]:
    return [(block.kind, block.level, block.text) for block in document.pages[0].blocks]


def test_headings_carry_their_level_and_number_and_paragraphs_their_words(read: Read) -> None:
    document = read(
        '<text:p text:style-name="P1">Manual</text:p>'
        '<text:h text:outline-level="1">Oil</text:h>'
        "<text:p>Drain<text:s/>the <text:span>oil</text:span>\n now.<text:line-break/>Wait.</text:p>"
        '<text:section><text:h text:outline-level="2">Filter</text:h></text:section>'
    )

    assert document.title == "Manual"
    assert outline(document) == [
        ("heading", 1, "Manual"),
        ("heading", 1, "1. Oil"),
        ("text", 0, "Drain the oil now.\nWait."),
        ("heading", 2, "1.1 Filter"),
    ]


def test_lists_are_counted_level_by_level_and_may_continue(read: Read) -> None:
    def items(*texts: str) -> str:
        return "".join(f"<text:list-item>{text}</text:list-item>" for text in texts)

    inner = f"<text:list>{items('<text:p>B</text:p>', '<text:p>C</text:p><text:p>more</text:p>')}</text:list>"
    document = read(
        f'<text:list text:style-name="L1">{items(f"<text:p>A</text:p>{inner}", "<text:p>D</text:p>")}</text:list>'
        "<text:p>Between.</text:p>"
        f'<text:list text:style-name="L1" text:continue-numbering="true">{items("<text:p>E</text:p>")}</text:list>'
        f'<text:list text:style-name="L1">{items("<text:p>F</text:p>")}</text:list>'
    )

    assert [text for _, _, text in outline(document)] == [
        *("1. A", "(a) B", "(b) C", "more", "2. D", "Between.", "3. E", "1. F"),
    ]


def test_tables_keep_merged_cells_and_a_frame_is_text(read: Read) -> None:
    table = (
        "<table:table><table:table-header-rows><table:table-row>"
        '<table:table-cell table:number-columns-spanned="2"><text:p>Code</text:p></table:table-cell>'
        "<table:covered-table-cell/><table:table-cell><text:p>Cause</text:p></table:table-cell>"
        "</table:table-row></table:table-header-rows><table:table-row>"
        '<table:table-cell table:number-columns-repeated="2"><text:p>E07</text:p></table:table-cell>'
        "<table:table-cell><text:p>oil</text:p><text:p>heat</text:p></table:table-cell>"
        "</table:table-row></table:table>"
    )
    frame = (
        "<table:table><table:table-row><table:table-cell><text:p>Note</text:p></table:table-cell>"
        "</table:table-row></table:table>"
    )

    assert outline(read(table + frame)) == [
        ("table", 0, "| Code |  | Cause |\n| E07 | E07 | oil heat |"),
        ("text", 0, "Note"),
    ]


def test_notes_stand_below_their_paragraph_and_contents_and_deletions_are_left_out(read: Read) -> None:
    document = read(
        "<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>"
        "<text:table-of-content><text:index-body><text:p>Oil 1</text:p></text:index-body></text:table-of-content>"
        "<text:p>Pay<text:note><text:note-citation>1</text:note-citation>"
        "<text:note-body><text:p>in euros</text:p></text:note-body></text:note> now"
        "<office:annotation><text:p>comment</text:p></office:annotation>.</text:p>"
    )

    assert [text for _, _, text in outline(document)] == ["Pay now.", "in euros"]


@pytest.mark.parametrize(
    "body", ["<text:p>", "<text:list><text:list-item>" * 300 + "</text:list-item></text:list>" * 300]
)
def test_damaged_and_bottomless_files_are_refused(read: Read, body: str) -> None:
    with pytest.raises(UnreadableFileError, match="OpenDocument"):
        read(body)


def test_repeats_without_end_are_cut(read: Read) -> None:
    cell = '<table:table-cell table:number-columns-repeated="999999999"><text:p>x</text:p></table:table-cell>'

    assert (
        outline(read(f"<table:table><table:table-row>{cell}</table:table-row></table:table>"))[0][2].count("x") == 100
    )


def test_an_encrypted_file_is_locked(read: Read) -> None:
    with pytest.raises(LockedFileError, match="password"):
        read("<text:p>x</text:p>", manifest="<manifest:encryption-data/>")
