"""Grids in their file: whose they are, what comes back, and what goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fake_assistant import EXPLAINED, HOSTILE, QUOTED

from ingest.errors import StorageError
from rag_app.database import transaction
from rag_app.grids import Grids

ANNA, BERT = "a" * 24, "b" * 24


@pytest.fixture
def grids(tmp_path: Path) -> Grids:
    return Grids(tmp_path / "home")


def test_a_grid_comes_back_as_it_was_but_for_the_ranking(tmp_path: Path, grids: Grids) -> None:
    grid_id = grids.begin(ANNA, "default", [HOSTILE, "Who pays?"], ["d1", "d2"])
    grids.keep(grid_id, ("d1", HOSTILE), EXPLAINED)

    kept = Grids(tmp_path / "home").read(ANNA, "default")

    assert kept is not None
    assert (kept.grid_id, kept.questions, kept.documents) == (grid_id, (HOSTILE, "Who pays?"), ("d1", "d2"))
    assert kept.answers == {("d1", HOSTILE): replace(EXPLAINED, ranking=(), gate=None)}


def test_each_visitor_has_one_grid_of_each_collection(grids: Grids) -> None:
    first = grids.begin(ANNA, "default", ["First?"], ["d1"])
    other = grids.begin(ANNA, "contracts", ["Other?"], ["d1"])
    second = grids.begin(ANNA, "default", ["Second?"], ["d1"])
    grids.keep(first, ("d1", "First?"), QUOTED)  # by a window that still asks it

    kept, untouched = grids.read(ANNA, "default"), grids.read(ANNA, "contracts")

    assert kept is not None
    assert (kept.grid_id, kept.answers) == (second, {})
    assert untouched is not None
    assert untouched.grid_id == other
    assert grids.read(BERT, "default") is None


def test_the_oldest_grids_go_when_too_many_cells_are_kept(grids: Grids, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag_app.grids.MOST_CELLS", 5)
    visitors = ("first", "second", "third")
    for visitor in visitors:
        grid_id = grids.begin(visitor, "default", ["Why?"], ["d1", "d2"])
        for _ in range(3):  # the same cell again is no other one
            grids.keep(grid_id, ("d1", "Why?"), QUOTED)

    assert [grids.read(visitor, "default") is not None for visitor in visitors] == [False, True, True]

    grids.keep(grid_id, ("d2", "Why?"), QUOTED)
    assert [grids.read(visitor, "default") is not None for visitor in visitors] == [False, True, True]

    grids.keep(grid_id, ("d3", "Why?"), QUOTED)
    assert [grids.read(visitor, "default") is not None for visitor in visitors] == [False, False, True]


def test_what_is_only_asked_takes_no_grid_away(grids: Grids, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag_app.grids.MOST_CELLS", 20)
    grids.keep(grids.begin(ANNA, "default", ["Why?"], ["d1"]), ("d1", "Why?"), QUOTED)

    for stranger in range(10):
        grids.begin(f"stranger {stranger}", "default", ["Why?"], [f"d{number}" for number in range(100)])

    assert grids.read(ANNA, "default") is not None


def test_a_cell_of_another_version_is_to_be_asked_again(tmp_path: Path, grids: Grids) -> None:
    grids.keep(grids.begin(ANNA, "default", ["Why?"], ["d1"]), ("d1", "Why?"), QUOTED)
    with transaction(tmp_path / "home" / "grids.sqlite", "") as connection:
        connection.execute("UPDATE cells SET answer = '{}'")

    kept = grids.read(ANNA, "default")

    assert kept is not None
    assert kept.answers == {}


def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "grids.sqlite").write_bytes(b"no database" * 100)

    with pytest.raises(StorageError, match="remove it to begin anew"):
        Grids(tmp_path).read(ANNA, "default")
