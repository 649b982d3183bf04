"""HTML pages: what a reader sees becomes blocks, in order."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.document import Block, Document
from ingest.loaders import load
from ingest.loaders.errors import UnreadableFileError
from ingest.loaders.web import load_html


def read(folder: Path, page: str | bytes) -> Document:
    path = folder / "manual.html"
    path.write_bytes(page.encode() if isinstance(page, str) else page)
    return load_html(path)


def blocks(folder: Path, page: str | bytes) -> list[tuple[str, int, str]]:
    return [(block.kind, block.level, block.text) for block in read(folder, page).pages[0].blocks]


def test_headings_paragraphs_and_list_items_come_in_order(tmp_path: Path) -> None:
    page = "<h1>Pump</h1><p>Open the <b>valve</b>.</p><h3>Tools</h3><ul><li>Key<ul><li>Hex key</li></ul></li></ul>"

    assert blocks(tmp_path, page) == [
        ("heading", 1, "Pump"),
        ("text", 0, "Open the valve."),
        ("heading", 3, "Tools"),
        ("text", 0, "Key"),
        ("text", 0, "Hex key"),
    ]


def test_loose_text_definitions_and_quotes_are_text(tmp_path: Path) -> None:
    page = "<div>Loose<div>Inner</div>tail</div><dl><dt>Term<dd>Meaning</dl><blockquote>Said</blockquote>"

    assert [text for _, _, text in blocks(tmp_path, page)] == ["Loose", "Inner", "tail", "Term", "Meaning", "Said"]


def test_only_breaks_and_preformatted_text_keep_their_lines(tmp_path: Path) -> None:
    page = "<p>one\ntwo<br>three</p><pre>a\n  b</pre><h2>A<br>B</h2>"

    assert [text for _, _, text in blocks(tmp_path, page)] == ["one two\nthree", "a\nb", "A B"]


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>x()</script>",
        "<style>p{}</style>",
        "<noscript>enable</noscript>",
        "<template><p>t</p></template>",
        "<nav><p>menu</p></nav>",
        "<div role='navigation'><p>menu</p></div>",
        "<footer>imprint</footer>",
        "<div hidden><p>h</p></div>",
        "<span aria-hidden='true'>icon</span>",
        "<p style='color: red; DISPLAY : none'>h</p>",
        "<!-- comment -->",
    ],
)
def test_what_a_reader_does_not_see_is_no_text_but_what_follows_is(tmp_path: Path, hidden: str) -> None:
    assert [text for _, _, text in blocks(tmp_path, f"<div>before {hidden} after</div>")] in (
        ["before after"],
        ["before", "after"],
    )


def test_a_table_becomes_rows_with_its_caption_before_it(tmp_path: Path) -> None:
    page = """<table><caption>Oil</caption><thead><tr><th>Type</th><th>Grade</th></tr></thead>
    <tbody><tr><td>HP-40<br>press</td><td>a | b</td></tr></tbody></table><p>after</p>"""

    assert blocks(tmp_path, page) == [
        ("text", 0, "Oil"),
        ("table", 0, "| Type | Grade |\n| HP-40 press | a / b |"),
        ("text", 0, "after"),
    ]


def test_merged_cells_are_printed_once_and_keep_the_columns(tmp_path: Path) -> None:
    page = """<table><tr><th>A<th>B<th>C</tr><tr><td rowspan=2>both<td colspan=2>wide</tr>
    <tr><td>b<td>c</tr><tr><td>1<td>2<td>3</tr></table>"""

    assert blocks(tmp_path, page)[0][2].split("\n") == [
        "| A | B | C |",
        "| both | wide |  |",
        "|  | b | c |",
        "| 1 | 2 | 3 |",
    ]


def test_a_table_within_a_cell_is_text_of_that_cell(tmp_path: Path) -> None:
    page = "<table><tr><td>a<td><table><tr><td>x<td>y</table></td></tr><tr><td>b<td>c</table>end"

    assert blocks(tmp_path, page) == [("table", 0, "| a | x y |\n| b | c |"), ("text", 0, "end")]


@pytest.mark.parametrize("attribute", ["", " role=presentation"], ids=["single column", "declared"])
def test_a_table_that_only_places_things_is_no_table(tmp_path: Path, attribute: str) -> None:
    cells = "<td><p>one</p><p>two</p></td>" + ("<td>three</td>" if attribute else "")

    assert {kind for kind, _, _ in blocks(tmp_path, f"<table{attribute}><tr>{cells}</tr></table>")} == {"text"}


def test_an_absurd_span_does_not_fill_the_memory(tmp_path: Path) -> None:
    page = "<table><tr><td colspan=999999999 rowspan=999999999>a<td>b</tr><tr><td>c</tr></table>"

    assert len(blocks(tmp_path, page)[0][2]) < 10_000


@pytest.mark.parametrize(
    "page",
    [
        "<meta charset=latin-1><p>Prüfdruck 第三条</p>".encode(),
        "<p>Prüfdruck 第三条</p>".encode("utf-8-sig"),
        "<p>Prüfdruck 第三条</p>".encode("utf-16"),
        "<meta http-equiv='Content-Type' content='text/html; charset=gb2312'><p>Prüfdruck 第三条</p>".encode("gb18030"),
        b"<?xml version='1.0' encoding='utf-8'?><html xmlns='http://www.w3.org/1999/xhtml'><body><p>"
        + "Prüfdruck 第三条</p></body></html>".encode(),
        b"<p>Pr&uuml;fdruck &#31532;&#x4e09;&#26465;</p>",
    ],
    ids=["utf-8 before meta", "bom", "utf-16", "declared gb2312", "xhtml", "entities"],
)
def test_encodings_and_entities_become_the_same_text(tmp_path: Path, page: bytes) -> None:
    assert [text for _, _, text in blocks(tmp_path, page)] == ["Prüfdruck 第三条"]


def test_a_declared_encoding_decides_where_it_is_not_utf_8(tmp_path: Path) -> None:
    page = "<meta charset='iso-8859-1'><p>größer – ‘3 bar’</p>".encode("cp1252")

    assert blocks(tmp_path, page)[0][2] == "größer – ‘3 bar’"


@pytest.mark.parametrize("charset", ["nonsense", "base64", "idna", "utf-16"])
def test_an_impossible_declaration_is_ignored(tmp_path: Path, charset: str) -> None:
    page = f"<meta charset={charset}><p>caf\xe9</p>".encode("cp1252")

    assert blocks(tmp_path, page)[0][2].startswith("caf")


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<title> Service\nmanual </title><h1>Pump</h1>", "Service manual"),
        ("<p>x</p><svg><title>icon</title></svg><h2>Pump</h2>", "Pump"),
        ("<p>text</p>", ""),
    ],
    ids=["title", "heading", "none"],
)
def test_the_title_comes_from_the_head_else_a_heading(tmp_path: Path, page: str, title: str) -> None:
    assert read(tmp_path, page).title == title


def test_entities_of_a_document_type_are_not_expanded(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("classified")
    page = f"<!DOCTYPE html [<!ENTITY x SYSTEM '{secret.as_uri()}'>]><p>a &x; b</p>"

    assert all("classified" not in text for _, _, text in blocks(tmp_path, page))


def test_a_page_may_nest_deeper_than_the_stack(tmp_path: Path) -> None:
    assert [text for _, _, text in blocks(tmp_path, "<div>" * 1500 + "deep" + "</div>" * 1500 + "end")] == [
        "deep",
        "end",
    ]


def test_a_page_nested_too_deeply_is_refused_rather_than_cut(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="nested too deeply"):
        read(tmp_path, "<div>" * 5000 + "deep")


@pytest.mark.parametrize("page", [b" ", b"<html><head><title>t</title></head></html>", b"<script>x</script>"])
def test_a_page_without_text_is_refused(tmp_path: Path, page: bytes) -> None:
    path = tmp_path / "empty.html"
    path.write_bytes(page)

    with pytest.raises(UnreadableFileError, match="holds no text"):
        load(path)


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="binary"):
        read(tmp_path, bytes(range(256)) * 50)


_TAGS = st.sampled_from(
    ["p", "div", "table", "tr", "td", "th", "ul", "li", "h2", "pre", "span", "br", "nav", "caption"]
)
_PARTS = st.one_of(
    _TAGS.map(lambda tag: f"<{tag}>"),
    _TAGS.map(lambda tag: f"</{tag}>"),
    st.sampled_from(["word ", "&amp;", "<!--c-->"]),
)


@given(parts=st.lists(_PARTS, max_size=40))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_markup_gives_blocks_with_text(tmp_path: Path, parts: list[str]) -> None:
    found: tuple[Block, ...] = read(tmp_path, "<p>start</p>" + "".join(parts)).pages[0].blocks

    assert found[0].text == "start"
    assert all(line.text.strip() and "\n" not in line.text for block in found for line in block.lines)


def test_a_menu_of_languages_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text('<ul><li><a hreflang="de" href="/de">Deutsch</a></li><li><a href="/oil">Oil</a></li></ul>')

    assert [block.text for block in load_html(path).pages[0].blocks] == ["Oil"]
