"""Chunks: nothing lost, nothing too long, boxes that cover what they say, cut where a reader would cut."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.chunking import MAX_CHARACTERS_PER_TOKEN, Chunk, chunk_document
from ingest.config import ChunkingConfig
from ingest.document import Block, Document, Line, Ocr, Page
from ingest.embedding import token_counter

SMALL = ChunkingConfig(max_tokens=32, small_tokens=8)


def words(text: str) -> int:
    return len(text.split())


def heading(text: str, level: int = 1) -> Block:
    return Block("heading", (Line(text),), level)


def text(*lines: str) -> Block:
    return Block("text", tuple(Line(line) for line in lines))


def table(*rows: str) -> Block:
    return Block("table", tuple(Line(row) for row in rows))


def boxed(block: Block, top: float = 100.0) -> Block:
    lines = tuple(Line(line.text, (72.0, top + 12 * i, 500.0, top + 12 * i + 10)) for i, line in enumerate(block.lines))
    return Block(block.kind, lines, block.level)


def chunks_of(*blocks: Block, config: ChunkingConfig = SMALL) -> list[Chunk]:
    return chunk_document(Document("Manual", (Page(1, "1", blocks),)), config, words)


def sentence(subject: str, count: int = 10) -> str:
    return f"{subject} {'runs on and ' * count}".strip() + "."


# What holds for any document: headings, table headers and bodies are written in alphabets of their own.

BODY = "abcdefgxyz甲乙丙丁。.,;12 "
RUNS = st.text("ab甲", min_size=90, max_size=600)
BODY_LINES = st.one_of(
    st.text(BODY, max_size=80),
    st.lists(st.sampled_from(["pump", "valve", "12.3(b)", "end.", "inter-", "甲方", "。"]), max_size=40).map(" ".join),
    RUNS,
)
HEADINGS = st.text("ΑΒΓΔ ", min_size=1, max_size=12)
HEADER_ROWS = st.text("ЖЩЮЯ ", min_size=1, max_size=12).map(lambda row: f"| {row} |")


@st.composite
def documents(draw: st.DrawFn, with_boxes: bool) -> Document:
    number = iter(range(10_000))

    def lines(texts: list[str]) -> tuple[Line, ...]:
        return tuple(Line(text, (float(next(number)), 0.0, 1.0, 1.0) if with_boxes else None) for text in texts)

    def block() -> Block:
        kind = draw(st.sampled_from(["heading", "text", "text", "table"]))
        if kind == "heading":
            return Block("heading", lines([draw(HEADINGS)]), draw(st.integers(1, 4)))
        if kind == "table":
            return Block("table", lines([draw(HEADER_ROWS), *draw(st.lists(BODY_LINES, max_size=6))]))
        return Block("text", lines(draw(st.lists(BODY_LINES, min_size=1, max_size=5))))

    pages = [
        Page(page, f"p{page}", tuple(block() for _ in range(draw(st.integers(0, 5)))))
        for page in range(1, draw(st.integers(1, 3)) + 1)
    ]
    return Document("Any", tuple(pages))


def body(text: str) -> str:
    """The characters of body text alone; mended hyphens and the bars between cells are not counted."""
    return "".join(
        character for character in text if character in BODY or (character.isalnum() and character < "\u0370")
    )


def compact(text: str) -> str:
    return re.sub(r"[\s|-]", "", text)


def body_of(page: Page) -> str:
    return "".join(compact(body(block.text)) for block in page.blocks if block.kind != "heading")


ANY_DOCUMENT = st.booleans().flatmap(lambda with_boxes: documents(with_boxes))
CONFIGS = st.sampled_from([ChunkingConfig(16, 0), ChunkingConfig(16, 16), SMALL, ChunkingConfig()])


@settings(max_examples=100, deadline=None)
@given(ANY_DOCUMENT, CONFIGS)
def test_no_chunk_is_longer_than_allowed(document: Document, config: ChunkingConfig) -> None:
    count_tokens = token_counter()

    for chunk in chunk_document(document, config, count_tokens):
        assert count_tokens(chunk.text) <= config.max_tokens
        assert len(chunk.text) <= config.max_tokens * MAX_CHARACTERS_PER_TOKEN
        assert chunk.text.strip() == chunk.text != ""


@settings(max_examples=100, deadline=None)
@given(ANY_DOCUMENT, CONFIGS)
def test_all_text_stands_in_the_chunks_in_order(document: Document, config: ChunkingConfig) -> None:
    chunks = chunk_document(document, config, token_counter())

    assert "".join(compact(body(chunk.text)) for chunk in chunks) == "".join(map(body_of, document.pages))
    everything = compact(" ".join(f"{chunk.section} {chunk.text}" for chunk in chunks))
    for page in document.pages:
        for block in page.blocks:
            if block.kind == "heading":
                assert compact(block.text) in everything


@settings(max_examples=100, deadline=None)
@given(documents(with_boxes=True), CONFIGS)
def test_each_box_covers_its_own_line(document: Document, config: ChunkingConfig) -> None:
    """A quote is highlighted through these spans: they must neither overlap nor cover another line's text."""
    lines = {
        (page.number, *line.box): line.text
        for page in document.pages
        for block in page.blocks
        for line in block.lines
        if line.box is not None and block.kind != "heading"
    }
    covered: defaultdict[tuple[float, ...], str] = defaultdict(str)

    for chunk in chunk_document(document, config, token_counter()):
        assert len(chunk.boxes) == len(chunk.box_spans)
        assert all(0 <= start < end <= len(chunk.text) for start, end in chunk.box_spans)
        assert all(left[1] <= right[0] for left, right in pairwise(chunk.box_spans))
        for box, (start, end) in zip(chunk.boxes, chunk.box_spans, strict=True):
            covered[box] += chunk.text[start:end]
    assert {box: compact(covered[box]) for box in lines} == {box: compact(text) for box, text in lines.items()}


@settings(max_examples=100, deadline=None)
@given(documents(with_boxes=False), CONFIGS)
def test_without_boxes_no_chunk_crosses_a_page(document: Document, config: ChunkingConfig) -> None:
    """A citation could only name the page where the chunk begins."""
    by_page: defaultdict[int, str] = defaultdict(str)
    for chunk in chunk_document(document, config, token_counter()):
        by_page[chunk.page] += compact(body(chunk.text))
        assert chunk.page_label == f"p{chunk.page}"

    assert [by_page[page.number] for page in document.pages] == [body_of(page) for page in document.pages]


# Sections


def test_the_heading_path_stands_beside_the_text_and_not_in_it() -> None:
    (chunk,) = chunks_of(heading("4 Operation"), heading("4.3 Hydraulics", 2), text(sentence("The pump")))

    assert chunk.section == "4 Operation > 4.3 Hydraulics"
    assert chunk.text == sentence("The pump")


def test_sections_of_a_fair_length_stay_apart() -> None:
    chunks = chunks_of(
        heading("1 Oil"), text(sentence("Oil", 5)), heading("2 Air"), text(sentence("Air", 5)), text("Less air.")
    )

    assert [chunk.section for chunk in chunks] == ["1 Oil", "2 Air"]
    assert chunks[1].text == f"{sentence('Air', 5)}\nLess air."


def test_short_neighbours_are_joined_with_their_headings_in_the_text() -> None:
    (chunk,) = chunks_of(
        heading("Safety"),
        heading("Oil", 2),
        text("Oil is hot."),
        heading("Air", 2),
        text("Air is not."),
    )

    assert chunk.section == "Safety"
    assert chunk.text == "Oil\nOil is hot.\nAir\nAir is not."


def test_short_sections_of_different_parents_stay_apart() -> None:
    chunks = chunks_of(
        heading("A"), heading("A1", 2), text("Oil is hot."), heading("B"), heading("B1", 2), text("Air is not.")
    )

    assert [chunk.section for chunk in chunks] == ["A > A1", "B > B1"]


def test_a_heading_without_text_is_found_as_text() -> None:
    chunks = chunks_of(heading("Spare parts"), heading("Annex"), text(sentence("The annex")))

    assert chunks[0].text.startswith("Spare parts")


def test_the_clause_stands_in_the_section_once() -> None:
    named = chunks_of(heading("12 Warranty"), text("12.3(b) " + sentence("The Supplier", 6)))
    repeated = chunks_of(heading("12.3 Warranty"), text("12.3 " + sentence("The Supplier", 6)))

    assert [chunk.section for chunk in named] == ["12 Warranty > 12.3(b)"]
    assert [chunk.section for chunk in repeated] == ["12.3 Warranty"]


def test_clauses_in_one_chunk_are_a_range() -> None:
    (chunk,) = chunks_of(heading("Warranty"), text("4.1 The Seller pays."), text("4.2 The Buyer waits."))

    assert chunk.section == "Warranty > 4.1 - 4.2"


def test_a_paragraph_without_number_belongs_to_the_clause_above() -> None:
    chunks = chunks_of(
        heading("Warranty"), text("4.1 " + sentence("The Seller", 6)), text(sentence("(a) The Buyer", 6))
    )

    assert [chunk.section for chunk in chunks] == ["Warranty > 4.1", "Warranty > 4.1"]


def test_a_chunk_has_the_full_numbers_of_what_it_holds() -> None:
    chunks = chunks_of(
        heading("ARTICLE IV WARRANTY"),
        heading("4.1 Scope", 2),
        text("The Seller warrants the goods."),
        text("(a) The goods are new."),
        text("(i) Used goods are not new."),
        text(sentence("(b) The Buyer", 8)),
        text(sentence("Without a number the Buyer", 6)),
        heading("EXHIBIT B"),
        text("Table 4: Prices"),
        text("Prices are net."),
    )

    assert [chunk.clauses for chunk in chunks] == [
        ("4", "4.1", "4.1(a)", "4.1(a)(i)"),
        ("4.1(b)",),
        ("4.1(b)",),
        ("Exhibit B", "Table 4"),
    ]


def test_the_number_of_a_heading_without_text_is_found() -> None:
    chunks = chunks_of(heading("4 Spare parts"), heading("5 Annex"), text(sentence("The annex", 9)))

    assert [chunk.clauses for chunk in chunks] == [("4",), ("5",)]


def test_a_clause_that_is_cut_has_its_number_in_all_parts() -> None:
    chunks = chunks_of(text("7.2 " + " ".join(sentence(f"Pump {number}", 6) for number in range(3))))

    assert [chunk.clauses for chunk in chunks] == [("7.2",)] * 3
    assert {chunk.section for chunk in chunks} == {"7.2"}


# Where text is cut


def test_clauses_that_the_file_runs_together_are_not_cut() -> None:
    clauses = [f"2.{number} {sentence('The Seller', 4)} {sentence('He', 3)}" for number in range(1, 5)]

    chunks = chunks_of(text(" ".join(clauses)))

    assert [chunk.text for chunk in chunks] == clauses
    assert [chunk.clauses for chunk in chunks] == [("2.1",), ("2.2",), ("2.3",), ("2.4",)]


def test_long_text_is_cut_between_sentences() -> None:
    sentences = [sentence(f"Pump {number}", 6) for number in range(6)]

    chunks = chunks_of(text(" ".join(sentences)))

    assert len(chunks) == 6
    assert [chunk.text for chunk in chunks] == sentences


def test_chinese_is_cut_between_sentences() -> None:
    sentences = [f"第{number}台液压机的油温不得超过六十度，否则应当立即停机并检查冷却器。" for number in "一二三四"]
    config = ChunkingConfig(max_tokens=40, small_tokens=0)

    chunks = chunk_document(Document("手册", (Page(1, "1", (text("".join(sentences)),)),)), config, token_counter())

    assert [chunk.text for chunk in chunks] == sentences


def test_a_paragraph_that_fits_is_not_cut() -> None:
    paragraphs = [sentence(f"Pump {number}", 6) for number in range(4)]

    assert [chunk.text for chunk in chunks_of(*map(text, paragraphs))] == paragraphs


def test_rows_that_fit_stay_whole_below_the_repeated_header() -> None:
    header, rule = "| Code | Cause |", "|---|---|"
    rows = [f"| E{number:02} | the oil of pump {number} is hot. Wait |" for number in range(20)]

    for lead, head in (((header,), header), ((header, rule), f"{header}\n{rule}")):
        chunks = chunks_of(table(*lead, *rows))

        assert len(chunks) > 2
        assert all(chunk.text.startswith(head + "\n") for chunk in chunks)
        assert [row for chunk in chunks for row in chunk.text.removeprefix(head + "\n").split("\n")] == rows
        assert {chunk.modality for chunk in chunks} == {"table"}


def test_a_header_as_large_as_its_rows_is_not_repeated() -> None:
    header = f"| {sentence('Header', 8)} |"
    rows = [f"| {sentence(f'Row {number}', 8)} |" for number in range(3)]

    assert [chunk.text for chunk in chunks_of(table(header, *rows))] == [header, *rows]


CELLS = st.text("abcdef ", min_size=1, max_size=24).map(lambda cell: " ".join(cell.split()) or "x")
ROWS = st.lists(CELLS, min_size=1, max_size=4).map(lambda cells: "| " + " | ".join(cells) + " |")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text("ABC ", min_size=1, max_size=40).map(lambda cell: " ".join(cell.split()) or "X"), max_size=3),
    st.booleans(),
    st.lists(ROWS, min_size=1, max_size=30),
    st.sampled_from([ChunkingConfig(16, 0), SMALL, ChunkingConfig()]),
)
def test_any_table_keeps_its_rows_below_its_header(
    columns: list[str], ruled: bool, rows: list[str], config: ChunkingConfig
) -> None:
    header = ["| " + " | ".join(columns or ["K"]) + " |", *(["|---|---|"] if ruled else [])]
    lead = "\n".join(header)
    repeated = config.max_tokens - words(lead) >= config.max_tokens // 2

    chunks = chunks_of(table(*header, *rows), config=config)

    found = "\n".join(chunk.text.removeprefix(lead + "\n") if repeated else chunk.text for chunk in chunks)
    assert found.split() == " ".join(rows if repeated else [*header, *rows]).split()
    assert all(chunk.text.startswith(lead) for chunk in chunks) or not repeated
    assert all(words(chunk.text) <= config.max_tokens for chunk in chunks)
    if repeated and max(map(words, rows)) <= config.max_tokens - words(lead):
        assert set("\n".join(chunk.text for chunk in chunks).split("\n")) == {*header, *rows}


def test_the_caption_stands_before_its_table_and_all_parts_of_it() -> None:
    caption, header = "Table 4: Torques", "| Bolt | Torque |"
    rows = [f"| M{number} | {number * 10} Nm |" for number in range(6, 12)]

    chunks = chunks_of(text(sentence("The bolts", 7)), text(caption), table(header, *rows))

    assert [chunk.text.startswith(f"{caption}\n{header}\n") for chunk in chunks] == [False, *[True] * (len(chunks) - 1)]
    assert [chunk.clauses for chunk in chunks] == [(), *[("Table 4",)] * (len(chunks) - 1)]
    assert [chunk.modality for chunk in chunks] == ["text", *["table"] * (len(chunks) - 1)]
    assert len(chunks) > 2


def test_a_table_that_goes_on_on_the_next_page_keeps_its_header() -> None:
    header = "| Code | Cause |"
    first, second = table(header, "| E1 | Hot oil |"), table("| E2 | Cold oil |", "| E3 | No oil |")
    printed_again = table(header, "| E2 | Cold oil |")
    other = table("| Part | Number | Price |", "| Seal | 7 | 9 |")

    def last_page(*pages: Block | tuple[Block, ...]) -> str:
        blocks = (page if isinstance(page, tuple) else (page,) for page in pages)
        numbered = tuple(Page(number, str(number), content) for number, content in enumerate(blocks, start=1))
        return chunk_document(Document("Manual", numbered), SMALL, words)[-1].text

    assert last_page(first, second) == f"{header}\n{second.text}"
    assert last_page(first, printed_again) == printed_again.text
    assert last_page(first, other) == other.text
    assert last_page(first, text("Then:"), second) == second.text
    assert last_page((first, text("A note.")), second) == f"{header}\n{second.text}"
    assert last_page((first, text("A note.")), table("| Part | Maker |", "| Seal | Acme |")).startswith("| Part")


# Lines and pages


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        (("the hydrau-", "lic oil"), "the hydraulic oil"),
        (("the HP-", "40 press"), "the HP- 40 press"),
        (("油温不得", "超过六十度。"), "油温不得超过六十度。"),
        (("oil", "temperature"), "oil temperature"),
    ],
    ids=["broken word", "no broken word", "chinese", "words"],
)
def test_printed_lines_become_one_text(lines: tuple[str, ...], joined: str) -> None:
    assert [chunk.text for chunk in chunks_of(text(*lines))] == [joined]


def test_a_sentence_cut_by_the_end_of_a_page_is_mended_with_boxes_on_both() -> None:
    first, second = boxed(text("The Seller shall deliver")), boxed(text("the goods in May."))
    document = Document("Contract", (Page(1, "i", (first,)), Page(2, "ii", (second,))))

    (chunk,) = chunk_document(document, SMALL, words)

    assert chunk.text == "The Seller shall deliver the goods in May."
    assert (chunk.page, chunk.page_label) == (1, "i")
    assert [box[0] for box in chunk.boxes] == [1, 2]
    assert [chunk.text[start:end] for start, end in chunk.box_spans] == [
        "The Seller shall deliver",
        "the goods in May.",
    ]


def test_a_chunk_is_as_sure_as_the_worst_of_its_recognised_pages() -> None:
    pages = [
        Page(1, "1", (boxed(text("The Seller shall deliver")),), ocr=Ocr(0.9, "no text layer")),
        Page(2, "2", (boxed(text("the goods in May.")),), ocr=Ocr(0.7, "no text layer")),
        Page(3, "3", (boxed(text("The Buyer shall pay.")),)),
    ]

    (chunk,) = chunk_document(Document("Scan", tuple(pages)), SMALL, words)
    (printed,) = chunk_document(Document("Print", (pages[2],)), SMALL, words)

    assert chunk.ocr == 0.7
    assert printed.ocr is None


def test_a_document_without_text_has_no_chunks() -> None:
    assert chunks_of(text(" ", "")) == []
    assert chunk_document(Document("Empty", ()), SMALL, words) == []


def test_words_that_no_tokenizer_cuts_do_not_make_a_chunk_endless() -> None:
    """WordPiece calls any run of more than 100 letters one unknown token: a hundred of them seem to fit anywhere."""
    blocks = [text("a" * 1500) for _ in range(20)]

    chunks = chunk_document(Document("Rubbish", (Page(1, "1", tuple(blocks)),)), ChunkingConfig(), token_counter())

    assert len(chunks) == 20
    assert sum(len(chunk.text) for chunk in chunks) == 20 * 1500


def test_a_word_broken_by_the_end_of_a_page_keeps_its_boxes_apart() -> None:
    first, second = boxed(text("the hydrau-")), boxed(text("lic oil"))

    (chunk,) = chunk_document(Document("M", (Page(1, "1", (first,)), Page(2, "2", (second,)))), SMALL, words)

    assert chunk.text == "the hydraulic oil"
    assert [chunk.text[start:end] for start, end in chunk.box_spans] == ["the hydrau", "lic oil"]


@pytest.mark.parametrize("sizes", [(15, 0), (100, 101), (100, -1)])
def test_sizes_that_make_no_sense_are_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="max_tokens"):
        ChunkingConfig(*sizes)
