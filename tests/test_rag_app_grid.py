"""The same questions over many documents."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook

from ingest.errors import UsageError
from rag_app.answer import Statement
from rag_app.assistant import Assistant, build_assistant
from rag_app.grid import GRID_FORMATS, Cell, Grid, ask_grid, read_questions
from rag_app.render import print_grid
from rag_app.settings import Settings
from rag_app.writing import writer

RENT = "When is the rent due?"
DEPOSIT = "How high is the deposit?"


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder = tmp_path_factory.mktemp("leases")
    (folder / "a.md").write_text("# Lease A\n\nThe rent is due on the first Monday of each month.\n")
    (folder / "b.md").write_text("# Lease B\n\n=HYPERLINK(1) says the rent is due on the last Friday of each month.\n")
    built = build_assistant(Settings(home=tmp_path_factory.mktemp("home")), create=True)
    built.library.ingest([folder])
    yield built
    built.close()


@pytest.fixture(scope="module")
def grid(assistant: Assistant) -> Grid:
    return ask_grid(assistant, [RENT, DEPOSIT])


def by_source(grid: Grid) -> dict[str, tuple[Cell, ...]]:
    return {row[0].document.source: row for row in grid.rows}


def test_every_document_answers_from_itself_alone(grid: Grid) -> None:
    rows = by_source(grid)

    assert "first Monday" in rows["a.md"][0].text
    assert "last Friday" in rows["b.md"][0].text
    for source, row in rows.items():
        assert {citation.source for citation in row[0].answer.citations} == {source}
        assert "rent is due" in row[0].sources


def test_what_a_document_does_not_tell_is_an_empty_cell_with_its_state(grid: Grid) -> None:
    cells = [row[1] for row in grid.rows]

    assert [(cell.state, cell.text, cell.sources) for cell in cells] == [("refused", "", "")] * 2


def test_an_answer_that_is_not_verified_throughout_is_doubtful(grid: Grid, capsys: pytest.CaptureFixture[str]) -> None:
    cell = by_source(grid)["a.md"][0]
    unsupported = Statement(0, len(cell.answer.text), (), "unsupported")
    doubtful = replace(cell, answer=replace(cell.answer, statements=(unsupported,)))

    print_grid(Grid((RENT,), ((doubtful,),)))

    assert (cell.state, doubtful.state) == ("found", "doubtful")
    assert "not all of it is verified" in " ".join(capsys.readouterr().out.replace("│", " ").split())


def test_only_the_documents_named_are_asked_and_each_cell_is_told(assistant: Assistant) -> None:
    told: list[Cell] = []

    grid = ask_grid(
        assistant, [RENT, DEPOSIT], ["b.md", assistant.library.document("b.md").document_id], on_cell=told.append
    )

    assert list(by_source(grid)) == ["b.md"]
    assert told == list(grid.rows[0])


def test_a_csv_opens_without_running_a_formula(grid: Grid, tmp_path: Path) -> None:
    path = tmp_path / "grid.csv"
    quoting = Grid((*grid.questions, "=1+1"), grid.rows)

    writer(path, GRID_FORMATS)(quoting)

    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["Document", RENT, "State", "Sources", DEPOSIT, "State", "Sources", "'=1+1", "State", "Sources"]
    assert sorted(row[0] for row in rows) == ["a.md", "b.md"]
    assert {row[2] for row in rows} == {"found"}
    assert {row[5] for row in rows} == {"refused"}


def test_an_xlsx_holds_text_only(grid: Grid, tmp_path: Path) -> None:
    path = tmp_path / "grid.xlsx"
    quoting = Grid(("=1+1", "What\x0b is it?"), grid.rows)

    writer(path, GRID_FORMATS)(quoting)

    sheet = load_workbook(path).active
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert sheet["B1"].value == "=1+1"
    assert sheet["E1"].value == "What is it?"
    assert {cell.data_type for cell in cells} == {"s"}
    assert len(list(sheet.iter_rows())) == 3


def test_questions_are_read_once_each(tmp_path: Path) -> None:
    path = tmp_path / "questions.txt"
    path.write_text(f"\ufeff{RENT}\n\n  {DEPOSIT}  \n{RENT}\n", encoding="utf-8")

    assert read_questions(path) == [RENT, DEPOSIT]


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "cannot be read"), (b"\xff\xfe\xd8", "not UTF-8"), (b"x" * (2**20 + 1), "larger")]
)
def test_questions_that_cannot_be_read_are_a_sentence(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "questions.txt"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(UsageError, match=sentence):
        read_questions(path)


@pytest.mark.parametrize(("questions", "documents"), [([], []), ([RENT], ["nobody"])])
def test_nothing_to_ask_and_unknown_documents_are_refused(
    assistant: Assistant, questions: list[str], documents: list[str]
) -> None:
    with pytest.raises(UsageError, match=r"at least one question|No document is called 'nobody'"):
        ask_grid(assistant, questions, documents)
