"""The order of lines that an image gives in none."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ingest.loaders.reading_order import in_reading_order
from ingest.loaders.runs import Run

SIZE = 10.0


def run(text: str, left: float, row: float, width: float = 200) -> Run:
    top = 100 + 12 * row
    return Run(text, (left, top, left + width, top + SIZE), SIZE, False, 0)


def column(name: str, left: float, rows: int, first: float = 0) -> list[Run]:
    return [run(f"{name}{number}", left, first + number) for number in range(rows)]


def texts(runs: Sequence[Run]) -> list[str]:
    return [run.text for run in in_reading_order(runs)]


def names(name: str, count: int) -> list[str]:
    return [f"{name}{number}" for number in range(count)]


def test_columns_of_prose_are_read_one_after_another() -> None:
    runs = [*column("left", 50, 6), *column("right", 300, 6)]

    assert texts(runs[::-1]) == [*names("left", 6), *names("right", 6)]


def test_columns_whose_lines_stand_at_other_heights_are_columns_too() -> None:
    runs = [*column("left", 50, 6), *column("right", 300, 6, first=0.5)]

    assert texts(runs) == [*names("left", 6), *names("right", 6)]


def test_three_columns() -> None:
    runs = [*column("a", 20, 5), *column("b", 240, 5), *column("c", 460, 5)]

    assert texts(runs) == [*names("a", 5), *names("b", 5), *names("c", 5)]


def test_a_line_across_both_columns_ends_what_is_above_it() -> None:
    above = [*column("a", 50, 5), *column("b", 300, 5)]
    below = [*column("c", 50, 5, first=7), *column("d", 300, 5, first=7)]
    title = run("title", 50, -2, 450)
    middle = run("middle", 50, 5.8, 450)

    expected = ["title", *names("a", 5), *names("b", 5), "middle", *names("c", 5), *names("d", 5)]
    assert texts([middle, *below, *above, title]) == expected


def test_cells_are_read_by_rows() -> None:
    rows = [("E05", "Oil level low", "Fill up"), ("E06", "Oil hot", "Clean the cooler")] * 3
    runs = [
        run(text, 50 + 150 * place, number, 5.0 * len(text))
        for number, row in enumerate(rows)
        for place, text in enumerate(row)
    ]

    assert texts(runs) == [text for row in rows for text in row]


def test_numbers_beside_clauses_are_read_with_them() -> None:
    runs = [part for number in range(6) for part in (run(f"{number}.", 50, number, 10), run("clause", 90, number, 400))]

    assert texts(runs) == [text for number in range(6) for text in (f"{number}.", "clause")]


def test_parts_of_one_line_are_joined_and_share_its_number() -> None:
    near, far = run("The pump", 50, 0, 40), run("is hot.", 95, 0, 40)
    cell = run("17", 300, 0, 10)

    joined = in_reading_order([cell, far, near, run("Wait.", 50, 1)])

    assert [(part.text, part.line) for part in joined] == [("The pump is hot.", 0), ("17", 0), ("Wait.", 1)]
    assert joined[0].box == (50, 100, 135, 110)


positions = st.tuples(st.floats(0, 600), st.floats(0, 60), st.floats(1, 500))


@given(st.lists(positions, max_size=40))
def test_no_text_is_lost_or_doubled(places: list[tuple[float, float, float]]) -> None:
    runs = [run(f"w{number}", left, row, width) for number, (left, row, width) in enumerate(places)]

    words = " ".join(run.text for run in in_reading_order(runs)).split()

    assert sorted(words) == sorted(run.text for run in runs)
