"""Near-identical documents linked to the one that came before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from records import document

from ingest.catalog import Catalog
from ingest.collection import Collection
from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig
from ingest.embedding import MiniLmEncoder
from ingest.engines.local import LocalEngine
from ingest.linking import _earlier
from ingest.pipeline import Ingester
from ingest.revisions import sketch

CLAUSES = [f"{number}. Party {number % 5} delivers item {number} within {number + 3} days." for number in range(60)]


@pytest.fixture
def ingester(home: StoreConfig, encoder: MiniLmEncoder) -> Iterator[Ingester]:
    with Collection.create(home, EmbeddingConfig(), ChunkingConfig()) as collection:
        yield Ingester(collection, LocalEngine(encoder, ChunkingConfig()))


def write(folder: Path, name: str, clauses: list[str], time: int) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n\n".join(clauses), encoding="utf-8")
    os.utime(folder / name, (time, time))


def changed(clauses: list[str], *numbers: int) -> list[str]:
    return [f"{at}. Replaced by nothing, {at}." if at in numbers else text for at, text in enumerate(clauses)]


def revisions(ingester: Ingester) -> dict[str, str]:
    """Source of each document and of the one before it."""
    records = ingester.collection.catalog.documents()
    names = {"": "", **{record.document_id: record.source for record in records}}
    return {record.source: names[record.revision_of] for record in records}


def test_each_revision_is_linked_to_the_one_before_it_by_the_time_of_its_file(
    ingester: Ingester, tmp_path: Path
) -> None:
    folder = tmp_path / "documents"
    write(folder, "b.txt", CLAUSES, 1_000)
    write(folder, "c.txt", changed(CLAUSES, 3), 2_000)
    write(folder, "a.txt", changed(CLAUSES, 3, 9, 10), 3_000)
    write(folder, "other.txt", ["The pump drains the oil.", "Bleed the air out of the valves every week."], 4_000)

    ingester.sync([folder])

    assert revisions(ingester) == {"b.txt": "", "c.txt": "b.txt", "a.txt": "c.txt", "other.txt": ""}


def test_the_links_do_not_depend_on_the_order_in_which_documents_came(ingester: Ingester, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    write(folder, "new.txt", changed(CLAUSES, 3, 9, 10), 3_000)
    ingester.sync([folder])
    assert revisions(ingester) == {"new.txt": ""}
    write(folder, "old.txt", CLAUSES, 1_000)
    ingester.sync([folder])
    assert revisions(ingester) == {"old.txt": "", "new.txt": "old.txt"}
    write(folder, "between.txt", changed(CLAUSES, 3, 9), 2_000)
    ingester.sync([folder])
    assert revisions(ingester) == {"old.txt": "", "between.txt": "old.txt", "new.txt": "between.txt"}

    (folder / "between.txt").unlink()
    ingester.sync([folder], prune=True)

    assert revisions(ingester) == {"old.txt": "", "new.txt": "old.txt"}


@pytest.mark.parametrize(
    ("hidden", "linked"), [("d2", {"d1": "", "d2": "", "d3": "d1"}), ("d3", {"d1": "", "d2": "d1", "d3": ""})]
)
def test_a_document_that_is_hidden_meanwhile_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: str, linked: dict[str, str]
) -> None:
    """Nothing that hides a document waits for an ingest: one may go after it was found alike."""
    text = sketch(" ".join(CLAUSES))
    with closing(Catalog(tmp_path / "catalog.sqlite")) as catalog:
        for number in (1, 2, 3):
            catalog.make_live(document(f"d{number}", f"/docs/{number}.txt"), sketch=text)
        found = {document_id: catalog.alike(document_id, 10) for document_id in ("d1", "d2", "d3")}
        come = catalog.unlinked()
        catalog.hide(hidden, datetime.now(UTC))
        links = {document_id: _earlier(catalog, document_id, found[document_id]) for document_id in come}

    assert links == linked
