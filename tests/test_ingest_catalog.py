"""Which documents are live, and what waits for removal."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from records import document

from ingest.catalog import Catalog, check_name, collection_names, require_collection
from ingest.config import StoreConfig
from ingest.document import Media, Ocr
from ingest.errors import IndexMismatchError, RagError, UnknownCollectionError, UsageError
from ingest.listing import Listing
from ingest.records import NEVER_READ, FileRecord, HiddenDocument, PageRecord, document_of, version_of
from ingest.revisions import sketch

MANUAL = document("d1", "/docs/press.pdf")
CONTRACT = document("d2", "/docs/contract.pdf")
NEWER = document("d3", "/docs/press.pdf")
"""What the manual's file holds later on."""

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


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


def test_a_new_catalog_is_general(catalog: Catalog) -> None:
    assert catalog.kind() == "general"


def test_a_catalog_of_the_first_version_which_knew_no_kinds_is_general(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE documents (document_id TEXT)")

    with closing(Catalog(path, any_version=True)) as catalog:
        assert catalog.kind() == "general"


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
    catalog.begin([MANUAL.version])
    catalog.begin([MANUAL.version])

    assert catalog.sources() == {}
    assert catalog.stale() == [MANUAL.version]


def test_a_file_with_another_content_makes_the_document_before_stale(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    catalog.begin([NEWER.version])

    catalog.make_live(NEWER)

    assert catalog.documents() == [NEWER]
    assert catalog.sources() == {NEWER.version: "press.pdf"}
    assert catalog.stale() == [MANUAL.version]


def test_the_same_content_read_otherwise_makes_the_version_before_stale(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    with_ocr = replace(MANUAL, version="d1-2")

    catalog.make_live(with_ocr)

    assert catalog.documents() == [with_ocr]
    assert catalog.stale() == ["d1-1"]


def test_a_document_lives_as_long_as_one_of_its_files(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    (file,) = MANUAL.files
    catalog.put_files([replace(file, path=Path("/docs/a-copy.pdf"), source="a-copy.pdf")])

    assert [known.source for known in catalog.documents()[0].files] == ["a-copy.pdf", "press.pdf"]
    assert catalog.sources() == {"d1-1": "a-copy.pdf"}
    catalog.forget_files([Path("/docs/a-copy.pdf")])
    assert catalog.sources() == {"d1-1": "press.pdf"}
    catalog.make_live(NEWER)
    assert [record.document_id for record in catalog.documents()] == ["d3"]


def test_attachments_wait_to_be_read_and_go_with_their_document(catalog: Catalog) -> None:
    attached = FileRecord(Path("/home/1/offer.pdf"), "mail.eml > offer.pdf", 0, 0, container="d1")
    inner = FileRecord(Path("/home/2/price.txt"), "mail.eml > offer.pdf > price.txt", 0, 0, container="d4")
    catalog.make_live(MANUAL, attachments=[attached])
    assert catalog.files()[attached.path] == attached

    offer = replace(document("d4"), files=(replace(attached, size=5, document_id="d4"),))
    catalog.make_live(offer, attachments=[inner])
    catalog.make_live(MANUAL, attachments=[attached])
    assert catalog.document("d4") == offer

    catalog.remove("d1")
    assert (catalog.documents(), catalog.files()) == ([], {})
    assert sorted(catalog.stale()) == ["d1-1", "d4-1"]


def test_a_file_that_failed_is_remembered_with_what_it_held(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    failed = replace(MANUAL.file, size=7, problem="The file is empty.")
    catalog.put_files([failed])

    assert catalog.files() == {MANUAL.path: failed}
    assert [record.document_id for record in catalog.documents()] == ["d1"]


def test_pages_tell_how_they_were_read(catalog: Catalog) -> None:
    pages = [
        PageRecord(1, "i", 900, None, ""),
        PageRecord(2, "ii", 80, Ocr(0.93, "The page has no text layer."), ""),
        PageRecord(3, "1", 0, None, "The page cannot be read."),
    ]
    catalog.make_live(MANUAL, pages)
    catalog.make_live(CONTRACT)

    assert catalog.pages("d1") == pages
    assert catalog.pages("d2") == []
    assert catalog.troubled_documents() == {"d1"}
    catalog.remove("d1")
    assert catalog.pages("d1") == []


def test_documents_with_nearly_the_same_text_are_alike(catalog: Catalog) -> None:
    text = " ".join(f"clause {number} says that party {number % 7} pays" for number in range(50))
    catalog.make_live(MANUAL, sketch=sketch(text))
    catalog.make_live(CONTRACT, sketch=sketch(text + " or not at all"))
    catalog.make_live(document("d5", "/docs/other.pdf"), sketch=sketch("Drain the oil and bleed the air every week."))
    catalog.make_live(document("d6", "/docs/empty.pdf"), sketch=sketch(""))

    assert set(catalog.alike("d1", 10)) == {"d1", "d2"}
    assert (catalog.alike("d1", 10)["d1"] == sketch(text)).all()
    assert list(catalog.alike("d1", 1)) == ["d1"]
    assert catalog.alike("d6", 10) == {}


def test_an_image_is_kept_with_what_is_known_of_it(catalog: Catalog) -> None:
    photo = replace(MANUAL, media=Media("image", (("format", "JPEG"), ("camera", "Kamera Ä"))))
    catalog.make_live(photo)

    assert catalog.documents() == [photo]


def test_a_revision_is_noted(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    catalog.make_live(CONTRACT)
    assert catalog.unlinked() == ["d1", "d2"]
    catalog.set_revisions({"d2": "d1", "d1": ""})
    assert catalog.unlinked() == []
    assert {record.document_id: record.revision_of for record in catalog.documents()} == {"d1": "", "d2": "d1"}
    assert catalog.revisions() == {"d2": "d1"}

    catalog.remove("d1")
    assert catalog.unlinked() == ["d2"]


def test_the_generation_grows_when_documents_come_and_go(catalog: Catalog) -> None:
    seen = [catalog.generation]
    catalog.begin([MANUAL.version])
    assert catalog.generation == seen[-1]
    catalog.make_live(MANUAL)
    seen.append(catalog.generation)
    catalog.remove("d1")
    seen.append(catalog.generation)

    assert len(set(seen)) == 3


def test_a_collection_keeps_its_random_word(catalog: Catalog, tmp_path: Path) -> None:
    word = catalog.identifier()
    again, other = Catalog(tmp_path / "catalog.sqlite"), Catalog(tmp_path / "other.sqlite")

    assert again.identifier() == word != other.identifier()
    again.close()
    other.close()


def test_a_catalog_of_an_earlier_version_is_to_be_rebuilt_and_tells_its_kind(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE documents (document_id TEXT)")
        connection.execute("CREATE TABLE properties (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT")
        connection.execute("INSERT INTO properties VALUES ('kind', 'contract')")

    with pytest.raises(IndexMismatchError, match="--rebuild"):
        Catalog(path)
    with closing(Catalog(path, any_version=True)) as catalog:
        assert catalog.kind() == "contract"


def test_the_same_version_made_live_again_is_not_stale(catalog: Catalog) -> None:
    """Else the next sweep would delete the passages of a live document."""
    catalog.make_live(MANUAL)
    catalog.begin([MANUAL.version])
    catalog.make_live(MANUAL)

    assert catalog.stale() == []


def test_a_removed_document_is_hidden_and_stale(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    catalog.remove("d1")

    assert catalog.documents() == []
    assert catalog.stale() == [MANUAL.version]
    catalog.forget_stale([MANUAL.version])
    assert catalog.stale() == []


def test_a_touched_file_keeps_its_document(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    touched = replace(MANUAL.file, size=7, modified_ns=8)
    catalog.put_files([touched])

    assert catalog.documents() == [replace(MANUAL, files=(touched,))]
    assert catalog.stale() == []


def test_the_identity_is_replaced_as_a_whole(catalog: Catalog) -> None:
    assert catalog.identity() == {}
    catalog.set_identity({"embedder": "a", "chunker": "1"})
    catalog.set_identity({"embedder": "b"})

    assert catalog.identity() == {"embedder": "b"}


def test_a_failed_transaction_leaves_nothing(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    broken = replace(MANUAL, chunks="many", title="New")  # type: ignore[arg-type]  # what no caller may do: the database refuses it

    with pytest.raises(sqlite3.IntegrityError):
        catalog.make_live(broken)

    assert catalog.documents() == [MANUAL]
    assert catalog.stale() == []


def test_threads_may_share_a_catalog(catalog: Catalog) -> None:
    def fill(worker: int) -> None:
        for number in range(20):
            name = f"{worker}-{number}"
            catalog.make_live(document(name, f"/docs/{name}"))
            catalog.sources()

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


def test_a_version_names_its_document() -> None:
    assert version_of("d-1", "0123456789abcdef") == "d-1-0123456789abcdef"
    assert document_of("d-1-0123456789abcdef") == "d-1"


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


SECOND_SCHEMA = """
CREATE TABLE identity (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE documents (
    document_id TEXT PRIMARY KEY, version TEXT NOT NULL UNIQUE, content_hash TEXT NOT NULL, title TEXT NOT NULL,
    titled_by_name INTEGER NOT NULL, pages INTEGER NOT NULL, ocr_pages INTEGER NOT NULL, chunks INTEGER NOT NULL,
    media TEXT NOT NULL, ingested_at TEXT NOT NULL, revision_of TEXT
) STRICT;
CREATE TABLE files (
    path TEXT PRIMARY KEY, source TEXT NOT NULL, size INTEGER NOT NULL, modified_ns INTEGER NOT NULL,
    document_id TEXT REFERENCES documents, problem TEXT NOT NULL, container TEXT NOT NULL
) STRICT;
CREATE TABLE stale (version TEXT PRIMARY KEY) STRICT;
INSERT INTO documents VALUES ('d1', 'd1-1', 'aa', 'Press', 0, 12, 0, 30, 'null', '2025-05-01T12:30:00+00:00', '');
INSERT INTO files VALUES ('/docs/press.pdf', 'press.pdf', 10, 20, 'd1', '', '');
PRAGMA user_version = 2;
"""
"""What version 2 made, before there were tags and documents that can be restored."""


def test_a_catalog_of_the_version_before_goes_on_with_its_documents(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SECOND_SCHEMA)

    with closing(Catalog(path)) as catalog:
        assert [record.title for record in catalog.documents()] == ["Press"]
        catalog.tag("d1", "presses")
        catalog.hide("d1", NOON)
    with closing(Catalog(path)) as again:
        assert again.documents() == []
        assert [hidden.record.tags for hidden in again.hidden()] == [("presses",)]


def test_tags_are_kept_counted_and_taken_off(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    catalog.make_live(CONTRACT)
    for document_id, tag in [("d1", "plant 2"), ("d1", "压机"), ("d2", "plant 2"), ("d1", "plant 2")]:
        catalog.tag(document_id, tag)

    assert catalog.document("d1") == replace(MANUAL, tags=("plant 2", "压机"))
    assert catalog.tags() == {"plant 2": 2, "压机": 1}
    catalog.untag("d1", "压机")
    catalog.remove("d2")
    assert catalog.tags() == {"plant 2": 1}


@pytest.mark.parametrize("tag", ["", " ", " plant", "a\nb", "a" * 41, "\x07"])
def test_what_is_no_tag_is_refused(catalog: Catalog, tag: str) -> None:
    catalog.make_live(MANUAL)

    with pytest.raises(UsageError, match="tag"):
        catalog.tag("d1", tag)


def test_a_new_content_of_a_file_keeps_the_tags(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    catalog.tag("d1", "plant 2")
    catalog.make_live(replace(MANUAL, version="d1-2"))
    assert catalog.documents()[0].tags == ("plant 2",)

    catalog.make_live(NEWER)

    assert [(record.document_id, record.tags) for record in catalog.documents()] == [("d3", ("plant 2",))]


def test_a_hidden_document_is_out_of_sight_until_it_is_restored(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    catalog.make_live(CONTRACT)
    generation = catalog.generation
    catalog.hide("d1", NOON)

    assert catalog.generation > generation
    assert catalog.document("d1") is None
    assert catalog.documents() == [CONTRACT]
    assert catalog.documents(hidden=True) == [CONTRACT, MANUAL]
    assert catalog.sources() == {CONTRACT.version: "contract.pdf"}
    assert (catalog.count(), catalog.listed(Listing(), 10), catalog.unlinked()) == (1, [CONTRACT], ["d2"])
    assert catalog.hidden() == [HiddenDocument(MANUAL, NOON)]
    assert catalog.hidden_passages() == MANUAL.chunks
    assert catalog.stale() == []

    catalog.restore("d1")
    assert catalog.documents() == [CONTRACT, MANUAL]
    assert catalog.hidden() == []


def test_a_hidden_document_is_not_linked(catalog: Catalog) -> None:
    text = " ".join(f"clause {number} says that party {number % 7} pays" for number in range(50))
    catalog.make_live(MANUAL, sketch=sketch(text))
    catalog.make_live(CONTRACT, sketch=sketch(text))
    catalog.hide("d1", NOON)

    assert set(catalog.alike("d2", 10)) == {"d2"}


def test_a_hidden_document_is_neither_the_newest_nor_a_revision(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    catalog.make_live(replace(CONTRACT, ingested_at=MANUAL.ingested_at + timedelta(hours=1)))
    catalog.set_revisions({"d2": "d1"})
    assert [record.document_id for record in catalog.newest(1)] == ["d2"]
    catalog.hide("d2", NOON)

    assert [record.document_id for record in catalog.newest(1)] == ["d1"]
    assert catalog.revisions() == {}


def test_what_came_inside_a_document_is_hidden_and_restored_with_it(catalog: Catalog) -> None:
    attached = FileRecord(Path("/home/1/offer.pdf"), "mail.eml > offer.pdf", 5, 5, "d4", container="d1")
    catalog.make_live(MANUAL)
    catalog.make_live(replace(document("d4"), files=(attached,)))
    catalog.hide("d1", NOON)

    assert catalog.documents() == []
    assert [hidden.record.document_id for hidden in catalog.hidden()] == ["d1"]
    catalog.restore("d1")
    assert catalog.count() == 2

    catalog.put_files([replace(attached, path=Path("/docs/offer.pdf"), container="")])
    catalog.hide("d1", NOON)
    assert [record.document_id for record in catalog.documents()] == ["d4"]


def test_a_hidden_document_that_is_read_again_is_shown(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    catalog.hide("d1", NOON)
    catalog.make_live(MANUAL)

    assert catalog.documents() == [MANUAL]
    assert catalog.hidden() == []


def test_documents_are_listed_by_words_and_tags_in_several_orders(catalog: Catalog) -> None:
    catalog.make_live(document("d1", "/docs/b.pdf", title="Ähre", pages=3, chunks=9))
    catalog.make_live(document("d2", "/docs/A.pdf", "/docs/z-copy.pdf", title="Press HP-40", pages=7, chunks=1))
    catalog.make_live(document("d3", "/docs/c.pdf", title="press hp-60", pages=5, chunks=5))
    catalog.tag("d2", "old")
    catalog.tag("d3", "old")
    catalog.tag("d3", "plant")

    def listed(listing: Listing, limit: int = 10, offset: int = 0) -> str:
        return " ".join(record.document_id for record in catalog.listed(listing, limit, offset))

    assert listed(Listing()) == "d2 d1 d3"
    assert (listed(Listing(), 2), listed(Listing(), 2, 2)) == ("d2 d1", "d3")
    assert listed(Listing(order="title")) == "d2 d3 d1"
    assert listed(Listing(order="pages")) == "d2 d3 d1"
    assert listed(Listing(order="passages")) == "d1 d3 d2"
    assert listed(Listing("PRESS hp")) == "d2 d3"
    assert listed(Listing("äHRE")) == "d1"
    assert listed(Listing("Z-COPY")) == "d2"
    assert listed(Listing("100%_")) == ""
    assert listed(Listing("hp", ("old", "plant"))) == "d3"
    assert catalog.count(Listing("hp", ("old",))) == 2


def test_files_that_wait_and_files_that_failed_are_told_apart(catalog: Catalog) -> None:
    catalog.make_live(MANUAL)
    waiting = FileRecord(Path("/up/a.pdf"), "a.pdf", *NEVER_READ)
    locked = FileRecord(Path("/up/b.pdf"), "b.pdf", *NEVER_READ, problem="The file is locked.")
    attached = FileRecord(Path("/up/c.pdf"), "m.eml > c.pdf", *NEVER_READ, container="d1")
    catalog.put_files([waiting, locked, attached])

    assert catalog.waiting_files() == [waiting]
    assert catalog.failed_files() == [locked]
    assert catalog.file(waiting.path) == waiting
    assert catalog.file(Path("/up/z.pdf")) is None


def test_a_default_instruction_is_kept_and_forgotten(catalog: Catalog) -> None:
    assert catalog.instruction() is None
    catalog.set_instruction("clause")
    catalog.set_instruction("Find the clause that governs")
    assert catalog.instruction() == "Find the clause that governs"
    catalog.set_instruction(None)
    assert catalog.instruction() is None
