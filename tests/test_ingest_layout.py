"""Lines, tables, headings and paragraphs from runs of characters alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.document import Block
from ingest.loaders.layout import Style, page_blocks, title_key, without_contents
from ingest.loaders.runs import Gap, PageText, Run, RunningText, split_at_columns, union, visual_rows, with_entries

SIZE = 10.0
PITCH = 12.0
FULL = 400.0


def run(
    text: str, row: float, left: float = 72.0, width: float = FULL, *, line: int | None = None, **font: float
) -> Run:
    """A run in the printed row `row`, counted from the top; `font` may give its size and whether it is bold."""
    size = font.get("size", SIZE)
    top = 100 + row * PITCH
    return Run(
        text,
        (left, top, left + width, top + size),
        size,
        bool(font.get("bold", 0)),
        round(row * 10) if line is None else line,
    )


def read(runs: Sequence[Run], rules: Sequence[float] = ()) -> list[Block]:
    return page_blocks(runs, rules, Style.of(runs, {}))


def texts(blocks: Sequence[Block]) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in blocks]


def grid_of(rows: Sequence[Sequence[str]], *, top: float = 0, pitch: float = 1.5) -> list[Run]:
    return [
        run(text, top + number * pitch, 72 + 150 * column, 6.0 * len(text), line=100 * number + column)
        for number, row in enumerate(rows)
        for column, text in enumerate(row)
        if text
    ]


CODES = [["Code", "Fault", "Remedy"], ["E05", "Oil low", "Fill up"], ["E07", "Oil hot", "Clean the cooler"]]


def test_runs_of_one_line_are_joined_with_the_box_around_both() -> None:
    (block,) = read([run("The pump", 0, 72, 50, line=1), run("is hot.", 0, 130, 300, line=1)])

    assert block.text == "The pump is hot."
    assert block.lines[0].box == (72, 100, 430, 110)


def test_a_gap_parts_paragraphs() -> None:
    lines = [run("The pump", 0), run("is hot.", 1), run("Wait.", 3), run("Then start.", 4)]

    assert texts(read(lines)) == [("text", "The pump\nis hot."), ("text", "Wait.\nThen start.")]


def test_a_step_back_up_the_page_begins_another_column() -> None:
    left = [run(f"left line {number}", number, width=200) for number in range(3)]
    right = [run(f"right line {number}", number, 300, 200, line=90 + number) for number in range(3)]

    assert [block.kind for block in read([*left, *right])] == ["text", "text"]


@pytest.mark.parametrize("mark", ["• ", "- ", "(a) ", "b) ", "（二）", "3.2 "])
def test_list_items_begin_blocks(mark: str) -> None:
    lines = [run("The following hold:", 0), run(f"{mark}the oil is cold;", 1), run("and clean;", 2)]

    assert [text for _, text in texts(read(lines))] == ["The following hold:", f"{mark}the oil is cold;\nand clean;"]


def test_larger_lines_are_headings_ranked_by_size() -> None:
    lines = [
        run("Press HP-40", 0, size=22, width=120),
        run("Hydraulics", 3, size=14, width=80),
        *[run("the body of the text goes on and on", row) for row in range(5, 12)],
    ]

    blocks = read(lines)

    assert [(block.text, block.level) for block in blocks if block.kind == "heading"] == [
        ("Press HP-40", 1),
        ("Hydraulics", 2),
    ]


def test_a_heading_over_two_lines_is_one() -> None:
    body = [run("the body of the text goes on and on", row) for row in range(5, 12)]
    lines = [run("Maintenance of", 0, size=16, width=120), run("the press", 1.4, size=16, width=80), *body]

    assert read(lines)[0].text == "Maintenance of\nthe press"


@pytest.mark.parametrize("text", ["Figure 3: The cooler", "CONFIDENTIAL", "Table 2 Codes", "WARNING", "Page 7"])
def test_captions_stamps_and_signal_words_are_no_headings(text: str) -> None:
    body = [run("the body of the text goes on and on", row) for row in range(3, 9)]

    assert not [block for block in read([run(text, 0, width=120, bold=1), *body]) if block.kind == "heading"]


def test_the_outline_decides_over_the_print() -> None:
    body = [run("the body of the text goes on and on", row) for row in range(3, 9)]

    runs = [run("Warm-up.", 0, width=60), *body]

    named = page_blocks(runs, (), Style.of(runs, {title_key("Warm-Up"): 3}))

    assert (named[0].kind, named[0].level) == ("heading", 3)
    assert read(runs)[0].kind == "text"


@pytest.mark.parametrize("pitch", [1.2, 2.5])
def test_cells_below_each_other_are_a_table(pitch: float) -> None:
    (block,) = read(grid_of(CODES, pitch=pitch))

    assert block.kind == "table"
    assert [line.text for line in block.lines] == [f"| {' | '.join(row)} |" for row in CODES]


def test_a_table_stands_between_the_prose_around_it() -> None:
    before, after = run("These are the codes of the press as it is sold today.", -4), run("That is all.", 9, width=390)

    kinds = [block.kind for block in read([before, *grid_of(CODES), after])]

    assert kinds == ["text", "table", "text"]


def test_empty_cells_keep_their_column() -> None:
    rows = [*CODES, ["E08", "", "Call us"], ["E09", "Door open", "Close it"]]

    (block,) = read(grid_of(rows))

    assert block.lines[3].text == "| E08 |  | Call us |"


def test_lines_between_two_rules_are_one_row() -> None:
    runs = grid_of(
        [["Code", "Fault", "Remedy"], ["E05", "Oil low", "Fill up"], ["", "or foam", "or wait"], ["E07", "Hot", "Wait"]]
    )
    middles = [row[0].middle for row in visual_rows(runs)]
    rules = [middles[0] - 9, (middles[0] + middles[1]) / 2, (middles[2] + middles[3]) / 2, middles[3] + 9]

    (block,) = read(runs, rules)

    assert [line.text for line in block.lines] == [
        "| Code | Fault | Remedy |",
        "| E05 | Oil low or foam | Fill up or wait |",
        "| E07 | Hot | Wait |",
    ]


def test_a_bar_inside_a_cell_is_no_border() -> None:
    (block,) = read(grid_of([["Code", "Fault"], ["E|5", "Oil"], ["E6", "Air"]]))

    assert block.lines[1].text == "| E/5 | Oil |"


def test_a_list_with_its_marks_apart_is_no_table() -> None:
    items = [("(a)", "the oil is cold;"), ("(b)", "the door is shut;"), ("(c)", "nobody is near.")]
    runs = [
        run(text, row, 72 + 40 * column, 20 if column == 0 else 200, line=row)
        for row, item in enumerate(items)
        for column, text in enumerate(item)
    ]

    assert {block.kind for block in read(runs)} == {"text"}


def test_a_run_is_cut_where_other_cells_begin() -> None:
    wide = Run("Oil hot Clean it", (72, 100, 300, 110), SIZE, False, 1, (Gap(2, 110, 200),))
    cells = [run("Wait", row, 200, 40) for row in (2, 3)]

    first, second, *_ = split_at_columns([wide, *cells])

    assert (first.text, first.box) == ("Oil hot", (72, 100, 110, 110))
    assert (second.text, second.box) == ("Clean it", (200, 100, 300, 110))
    assert split_at_columns([wide]) == [wide]


def contents(*numbers: int) -> list[Run]:
    entries = [run(f"Section about part {number} {number}", 2 * row) for row, number in enumerate(numbers, start=1)]
    return [run("Contents", 0, width=60), *entries]


def test_contents_lines_are_left_out_over_several_pages() -> None:
    following = contents(22, 25, 29, 31)[1:]

    kept = without_contents([contents(3, 5, 9, 20), following, [run("Text on page 3", 0)]])

    assert [[left.text for left in page] for page in kept] == [["Contents"], [], ["Text on page 3"]]


def test_numbers_that_do_not_grow_are_no_page_numbers() -> None:
    page = contents(90, 5, 70, 3, 1)

    assert without_contents([page]) == [page]


def test_lines_that_repeat_at_the_edges_are_running_text_digits_aside() -> None:
    pages = [
        [
            Run("HP-40", (72, 20, 200, 30), 10, False, 0),
            run(f"Text {n}", 20),
            Run(f"{n} / 9", (72, 780, 99, 790), 10, False, 99),
        ]
        for n in (1, 2, 3, 4)
    ]

    running = RunningText.of([(842.0, page) for page in pages])

    assert [[left.text for left in running.without(page, 842.0, n)] for n, page in enumerate(pages)] == [
        ["Text 1"],
        ["Text 2"],
        ["Text 3"],
        ["Text 4"],
    ]


def test_what_repeats_on_two_pages_only_stays() -> None:
    page = [Run("HP-40", (72, 20, 200, 30), 10, False, 0)]
    running = RunningText.of([(842.0, page), (842.0, page)])

    assert running.without(page, 842.0, 0) == page


def test_a_page_of_nothing_has_no_blocks() -> None:
    assert read([]) == []


BOXES = st.tuples(st.floats(0, 500), st.floats(0, 800), st.floats(1, 300), st.floats(1, 30))


@given(
    st.lists(st.tuples(BOXES, st.sampled_from(["E07", "Oil is hot.", "3.1 Scope", "(a)", "油温", "7"])), max_size=25)
)
def test_no_run_is_lost_wherever_it_stands(drawn: list[tuple[tuple[float, float, float, float], str]]) -> None:
    """Every run ends up in exactly one block, and the blocks' boxes are the runs'."""
    runs = [
        Run(text, (x, y, x + width, y + height), height, False, number)
        for number, ((x, y, width, height), text) in enumerate(drawn)
    ]
    blocks = read(runs)

    words = sorted(word for block in blocks for word in block.text.replace("|", " ").split())
    assert words == sorted(word for text in (one.text for one in runs) for word in text.split())
    if runs:
        boxes = [line.box for block in blocks for line in block.lines if line.box]
        assert union(boxes) == union(one.box for one in runs)


# The page as displayed, and what is filled in


@given(
    st.sampled_from([0, 90, 180, 270]),
    st.floats(-3, 3),
    st.tuples(st.floats(200, 400), st.floats(200, 400), st.floats(1, 100), st.floats(1, 100)),
)
def test_a_displayed_box_has_the_place_and_the_size_of_the_text(
    turn: int, skew: float, place: tuple[float, float, float, float]
) -> None:
    """Along the page's own corners: four quarter turns are none, and a skewed box holds the straight one's middle."""
    left, top, width, height = place
    page = PageText(612, 792, turn, [], [], skew)
    straight = PageText(612, 792, turn, [], [])
    box = (left, top, left + width, top + height)

    x0, y0, x1, y1 = straight.displayed(box)
    a0, b0, a1, b1 = page.displayed(box)

    assert ((x1 - x0), (y1 - y0)) == pytest.approx((height, width) if turn % 180 else (width, height))
    assert a1 - a0 >= (x1 - x0) * 0.99
    assert b1 - b0 >= (y1 - y0) * 0.99
    assert abs((a0 + a1) - (x0 + x1)) / 2 < 0.06 * 792
    assert 0 <= a0 <= a1 <= page.displayed_size[0]
    assert 0 <= b0 <= b1 <= page.displayed_size[1]


def test_entries_of_a_form_follow_their_labels() -> None:
    beside, below = run("Name:", 0, 72, 40, line=1), run("Address", 2, 72, 60, line=2)
    entries = [run("Oslo", 3, 72, 30, line=9), run("Alice", 0, 150, 30, line=9), run("far off", 40, 500, 30, line=9)]

    filled = with_entries([beside, below], [beside, below, *entries])

    assert [part.text for part in filled] == ["Name:", "Alice", "Address", "Oslo", "far off"]
    assert filled[1].line == beside.line
    assert len({part.line for part in filled}) == 4
