"""Which documents are live, and what waits for removal."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from ingest.catalog import (
    Catalog,
    DocumentRecord,
    check_name,
    collection_names,
    require_collection,
    version_of,
)
from ingest.config import StoreConfig
from ingest.errors import RagError, UnknownCollectionError, UsageError

MANUAL = DocumentRecord(
    document_id="d1",
    content_hash="a" * 64,
    path=Path("/docs/press.pdf"),
    source="press.pdf",
    title="Press HP-40",
    pages=12,
    chunks=30,
    size=1000,
    modified_ns=1_700_000_000_123_456_789,
    ingested_at=datetime(2025, 5, 1, 12, 30, tzinfo=UTC),
)
CONTRACT = replace(MANUAL, document_id="d2", path=Path("/docs/contract.pdf"), source="contract.pdf")
NEWER = replace(MANUAL, content_hash="b" * 64, chunks=31)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = Catalog(tmp_path / "catalog.sqlite")
    yield catalog
    catalog.close()


def test_a_record_is_kept_as_it_was_over_a_restart(catalog: Catalog, tmp_path: Path) -> None:
    catalog.make_live(MANUAL)
    again = Catalog(tmp_path / "catalog.sqlite")

    assert again.documents() == [MANUAL]
    assert again.document("d1") == MANUAL
    assert again.document("d9") is None
    again.close()


def test_a_kind_is_kept_and_everything_else_stays(catalog: Catalog, tmp_path: Path) -> None:
    catalog.make_live(MANUAL)
    catalog.set_identity({"embedder": "e"})
    catalog.set_kind("manual")
    catalog.set_kind("contract")
    again = Catalog(tmp_path / "catalog.sqlite")

    assert again.kind() == "contract"
    assert again.identity() == {"embedder": "e"}
    assert again.documents() == [MANUAL]
    again.close()


def test_a_catalog_from_before_there_were_kinds_is_general(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    Catalog(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE properties")
    connection.close()
    catalog = Catalog(path)

    assert catalog.kind() == "general"
    catalog.close()


def test_a_kind_of_a_later_version_is_a_sentence(catalog: Catalog, tmp_path: Path) -> None:
    catalog.set_kind("recipe")  # type: ignore[arg-type] # what a later version may write

    with pytest.raises(RagError, match=r"'recipe'.*general, manual, contract.*--kind"):
        catalog.kind()


def test_times_are_kept_in_utc(catalog: Catalog) -> None:
    local = MANUAL.ingested_at.astimezone(timezone(timedelta(hours=8)))
    catalog.make_live(replace(MANUAL, ingested_at=local))

    (record,) = catalog.documents()
    assert record.ingested_at == MANUAL.ingested_at
    assert record.ingested_at.utcoffset() == timedelta(0)


def test_documents_come_by_source_name(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    catalog.make_live(CONTRACT)

    assert [record.source for record in catalog.documents()] == ["contract.pdf", "press.pdf"]


def test_a_version_that_only_began_is_stale_and_not_live(catalog: Catalog) -> None:
    catalog.begin(MANUAL.version)
    catalog.begin(MANUAL.version)

    assert catalog.live_versions() == set()
    assert catalog.stale() == [MANUAL.version]


def test_making_a_version_live_makes_the_one_before_stale(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    catalog.begin(NEWER.version)

    catalog.make_live(NEWER)

    assert catalog.documents() == [NEWER]
    assert catalog.live_versions() == {NEWER.version}
    assert catalog.stale() == [MANUAL.version]


def test_the_same_version_made_live_again_is_not_stale(catalog: Catalog) -> None:
    """Else the next sweep would delete the passages of a live document."""
    catalog.make_live(MANUAL)
    catalog.begin(MANUAL.version)
    catalog.make_live(MANUAL)

    assert catalog.stale() == []


def test_a_removed_document_is_hidden_and_stale(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    catalog.remove("d1")

    assert catalog.documents() == []
    assert catalog.stale() == [MANUAL.version]
    catalog.forget_stale(MANUAL.version)
    assert catalog.stale() == []


def test_touching_changes_the_time_stamp_alone(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    catalog.touch("d1", size=7, modified_ns=8)

    assert catalog.documents() == [replace(MANUAL, size=7, modified_ns=8)]


def test_the_identity_is_replaced_as_a_whole(catalog: Catalog) -> None:
    assert catalog.identity() == {}
    catalog.set_identity({"embedder": "a", "chunker": "1"})
    catalog.set_identity({"embedder": "b"})

    assert catalog.identity() == {"embedder": "b"}


def test_a_failed_transaction_leaves_nothing(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    broken = replace(NEWER, chunks="many")  # type: ignore[arg-type]  # what no caller may do: the database refuses it

    with pytest.raises(sqlite3.IntegrityError):
        catalog.make_live(broken)

    assert catalog.documents() == [MANUAL]
    assert catalog.stale() == []


def test_threads_may_share_a_catalog(catalog: Catalog) -> None:
    def fill(worker: int) -> None:
        for number in range(20):
            name = f"{worker}-{number}"
            catalog.make_live(replace(MANUAL, document_id=name, path=Path(name)))
            catalog.live_versions()

    threads = [threading.Thread(target=fill, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(catalog.documents()) == 80


def test_a_damaged_catalog_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(b"this is no database" * 100)

    with pytest.raises(RagError, match="ingest again"):
        Catalog(path)


def test_a_version_names_document_and_content() -> None:
    assert version_of("d1", "0123456789abcdef" * 4) == "d1-0123456789abcdef"


@pytest.mark.parametrize("name", ["default", "HP-40_v1.2", "0", "a" * 63])
def test_good_collection_names(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "a b", "-x", "a" * 64, "手册", "a\n", "a\0"])
def test_names_that_are_no_folder_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="collection's name"):
        check_name(name)


def test_an_unknown_collection_is_told_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownCollectionError, match="rag-app ingest PATH"):
        require_collection(StoreConfig(tmp_path, "manuals"))

    for name in ("contracts", "a"):
        folder = StoreConfig(tmp_path, name).folder
        folder.mkdir(parents=True)
        Catalog(folder / "catalog.sqlite").close()
    (tmp_path / "collections" / "no catalog").mkdir()

    assert collection_names(tmp_path) == ["a", "contracts"]
    require_collection(StoreConfig(tmp_path, "a"))
    with pytest.raises(UnknownCollectionError, match="Known ones: a, contracts"):
        require_collection(StoreConfig(tmp_path, "manuals"))
