"""A collection's three parts in step, whatever happens between two steps."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from llama_index.core.schema import NodeWithScore
from records import document

from ingest.catalog import Catalog
from ingest.chunking import Chunk
from ingest.collection import Collection, drop_collection
from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig
from ingest.document import Attachment
from ingest.errors import (
    HomeLockedError,
    IndexMismatchError,
    RagError,
    StorageError,
    UnknownCollectionError,
    UsageError,
)
from ingest.keyword import KeywordIndex
from ingest.nodes import node_from_chunk
from ingest.records import NEVER_READ, Entry
from ingest.repair import find_damage
from ingest.scanning import look_at
from ingest.store import VectorStore

EMBEDDING, CHUNKING = EmbeddingConfig(), ChunkingConfig()
OLD, NEW = ["Oil is red.", "Air is free.", "Water is wet."], ["Oil is blue.", "Fire is hot."]


class PowerCut(Exception):
    """What a kill looks like to the code that it interrupts."""


def create(config: StoreConfig) -> Collection:
    return Collection.create(config, EMBEDDING, CHUNKING)


def version(texts: Sequence[str], name: str = "manual", content: str = "a") -> Entry:
    """A document of these passages, each with a vector of its own; what it is in the file of that name."""
    record = document(f"{name}{content}", f"/docs/{name}.txt", chunks=len(texts))
    nodes = [node_from_chunk(Chunk(text, 1, "1", ""), position, record) for position, text in enumerate(texts)]
    for position, node in enumerate(nodes):
        node.embedding = [1.0, float(position)]
    return Entry(record, nodes)


def put(collection: Collection, texts: Sequence[str], name: str = "manual", content: str = "a") -> None:
    collection.put([version(texts, name, content)])


def visible_by_vector(collection: Collection) -> list[str]:
    return sorted(hit.node.get_content() for hit in collection.live(collection.vectors.nearest([1.0, 0.0], 100)))


def visible_by_word(collection: Collection) -> list[str]:
    found = collection.vectors.get([chunk_id for chunk_id, _ in collection.keywords.search("is", 100)])
    hits = [NodeWithScore(node=node) for node in found.values()]
    return sorted(hit.node.get_content() for hit in collection.live(hits))


@pytest.fixture
def collection(home: StoreConfig) -> Iterator[Collection]:
    with create(home) as collection:
        yield collection


# Documents


def test_a_document_put_is_found_both_ways(collection: Collection) -> None:
    put(collection, OLD)

    assert visible_by_vector(collection) == visible_by_word(collection) == sorted(OLD)
    assert not find_damage(collection)


def test_putting_a_document_again_replaces_it(collection: Collection) -> None:
    put(collection, OLD)
    put(collection, ["Another one is here."], name="other")
    put(collection, NEW, content="b")

    assert visible_by_vector(collection) == visible_by_word(collection) == sorted([*NEW, "Another one is here."])
    assert (len(collection.vectors), len(collection.keywords)) == (3, 3)
    assert not find_damage(collection)


def test_several_documents_put_at_once_are_all_found(collection: Collection) -> None:
    collection.put([version(OLD), version(["Another one is here."], name="other")])

    assert visible_by_vector(collection) == visible_by_word(collection) == sorted([*OLD, "Another one is here."])
    assert not find_damage(collection)


def test_a_hit_is_called_by_the_name_that_its_file_has_now(collection: Collection) -> None:
    put(collection, OLD)
    (file,) = collection.catalog.documents()[0].files
    collection.catalog.put_files([replace(file, path=Path("/moved/press.txt"), source="press.txt")])
    collection.catalog.forget_files([file.path])

    hits = collection.live(collection.vectors.nearest([1.0, 0.0], 100))

    assert {hit.node.metadata["source"] for hit in hits} == {"press.txt"}


def test_attachments_are_kept_as_files_as_long_as_their_document(collection: Collection) -> None:
    entry = replace(version(OLD), attachments=(Attachment("offer.txt", b"Ten pumps."), Attachment("offer.txt", b"x")))
    collection.put([entry])

    first, second = (file for file in collection.catalog.files().values() if file.container)
    assert (first.path.read_bytes(), second.path.read_bytes()) == (b"Ten pumps.", b"x")
    assert first.source == "manual.txt > offer.txt"
    assert (first.document_id, first.problem, first.stamp) == (None, "", NEVER_READ)
    collection.remove("manuala")
    assert not first.path.exists()
    assert collection.catalog.files() == {}


def test_a_disk_that_is_nearly_full_is_said_before_anything_is_done(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.check_space()
    monkeypatch.setattr("ingest.collection.LEAST_FREE_BYTES", 2**60)

    with pytest.raises(StorageError, match=r"MB are free.*Make room"):
        collection.check_space()


def test_a_removed_document_leaves_nothing(collection: Collection) -> None:
    put(collection, OLD)

    collection.remove("manuala")

    assert (len(collection.vectors), len(collection.keywords)) == (0, 0)
    assert collection.catalog.documents() == []
    with pytest.raises(UsageError, match="rag-app documents list"):
        collection.remove("manuala")


def test_what_is_missing_from_an_index_is_named(collection: Collection) -> None:
    put(collection, OLD)
    collection.keywords.delete_versions([version(OLD).record.version])

    (sentence,) = find_damage(collection).sentences()
    assert sentence == "The keyword index holds not all passages of 1 documents: manual.txt."


# Crashes

STEPS = [
    (Catalog, "begin"),
    (VectorStore, "add"),
    (KeywordIndex, "add"),
    (Catalog, "make_live"),
    (Catalog, "stale"),
    (VectorStore, "delete_versions"),
    (KeywordIndex, "delete_versions"),
    (Catalog, "forget_stale"),
]


@pytest.mark.parametrize(("owner", "step"), STEPS, ids=[f"{owner.__name__}.{step}" for owner, step in STEPS])
@pytest.mark.parametrize("first", [False, True], ids=["update", "new"])
def test_a_crash_at_any_step_leaves_the_old_document_or_the_new(
    owner: type, step: str, first: bool, home: StoreConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise PowerCut

    with create(home) as collection:
        if not first:
            put(collection, OLD)
        with monkeypatch.context() as patch:
            patch.setattr(owner, step, cut)
            try:
                put(collection, NEW, content="b")
                crashed = False
            except PowerCut:
                crashed = True
    before = [] if first else sorted(OLD)

    with Collection.open(home, EMBEDDING, CHUNKING) as again:
        seen = visible_by_vector(again)
        assert seen == visible_by_word(again)
        assert seen in (before, sorted(NEW))

        again.sweep()

        assert visible_by_vector(again) == visible_by_word(again) == seen
        assert not find_damage(again)
        put(again, NEW, content="b")
        assert visible_by_vector(again) == visible_by_word(again) == sorted(NEW)
        assert not find_damage(again)
    # A first document leaves no version to delete: those steps are not reached.
    assert crashed or (first and step in ("delete_versions", "forget_stale"))


@pytest.mark.parametrize(("owner", "step"), STEPS[-4:], ids=[step for _, step in STEPS[-4:]])
def test_a_crash_while_removing_shows_nothing_and_is_swept(
    owner: type, step: str, home: StoreConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise PowerCut

    with create(home) as collection:
        put(collection, OLD)
        with monkeypatch.context() as patch:
            patch.setattr(owner, step, cut)
            with pytest.raises(PowerCut):
                collection.remove("manuala")

    with create(home) as again:
        assert visible_by_vector(again) == visible_by_word(again) == []
        again.sweep()
        assert (len(again.vectors), len(again.keywords), again.catalog.stale()) == (0, 0, [])


def test_a_crash_while_the_live_version_is_put_again_loses_nothing(
    home: StoreConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep deletes what is noted as not live: a live version must never be noted."""

    def cut(*_: object) -> None:
        raise PowerCut

    with create(home) as collection:
        put(collection, OLD)
        with monkeypatch.context() as patch:
            patch.setattr(KeywordIndex, "add", cut)
            with pytest.raises(PowerCut):
                put(collection, OLD)

        collection.sweep()

        assert visible_by_vector(collection) == visible_by_word(collection) == sorted(OLD)
        assert not find_damage(collection)


# Identity


@pytest.mark.parametrize("opening", [Collection.create, Collection.open])
def test_other_settings_are_refused_with_the_way_out(opening: Callable[..., Collection], home: StoreConfig) -> None:
    create(home).close()

    with pytest.raises(IndexMismatchError, match="rag-app ingest --rebuild --collection manuals PATH") as caught:
        opening(home, EMBEDDING, ChunkingConfig(max_tokens=100))

    assert "300/60 tokens in the index" in str(caught.value)
    assert "100/60 tokens now" in str(caught.value)
    assert "embedder" not in str(caught.value)
    with Collection.open(home, EMBEDDING, CHUNKING):
        pass  # the refusal gave the lock back


def test_dropping_a_collection_makes_room_for_other_settings(home: StoreConfig) -> None:
    with create(home) as collection:
        put(collection, OLD)

    drop_collection(home)
    drop_collection(home)

    with Collection.create(home, EMBEDDING, ChunkingConfig(max_tokens=100)) as collection:
        assert visible_by_vector(collection) == []


def test_a_collection_that_does_not_exist_is_not_made_by_opening_it(home: StoreConfig) -> None:
    with pytest.raises(UnknownCollectionError, match="rag-app ingest"):
        Collection.open(home, EMBEDDING, CHUNKING)

    assert not home.home.exists()


@pytest.mark.parametrize("name", ["..", "a/b", ""])
def test_a_name_never_leads_out_of_the_home(name: str, tmp_path: Path) -> None:
    (tmp_path / "collections").mkdir()
    config = StoreConfig(tmp_path, name)

    with pytest.raises(UsageError):
        create(config)
    with pytest.raises(UsageError):
        drop_collection(config)
    assert (tmp_path / "collections").is_dir()


# The home and its lock

HOLD = """
import sys
from pathlib import Path
from ingest.collection import Collection
from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig
with Collection.create(StoreConfig(Path(sys.argv[1]), "other"), EmbeddingConfig(), ChunkingConfig()):
    print("open", flush=True)
    sys.stdin.read()
"""


def test_a_home_belongs_to_one_process(home: StoreConfig) -> None:
    create(home).close()
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home.home)],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(HomeLockedError, match=r"Another process uses .*--home"):
            create(home)
        with pytest.raises(HomeLockedError):
            drop_collection(home)
        other.communicate()

    assert other.returncode == 0
    create(home).close()


def test_a_process_may_open_several_collections_of_its_home(home: StoreConfig) -> None:
    with create(home) as one, create(StoreConfig(home.home, "contracts")) as other:
        put(one, OLD)
        assert visible_by_vector(other) == []
    with create(home) as one:
        assert visible_by_vector(one) == sorted(OLD)


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file is in the way", encoding="utf-8")

    with pytest.raises(RagError, match=r"cannot be written.*--home"):
        create(StoreConfig(tmp_path / "home", "manuals"))


def test_a_hidden_document_is_restored_whole(collection: Collection) -> None:
    put(collection, OLD)
    collection.hide("manuala")
    collection.sweep()
    assert visible_by_vector(collection) == []
    assert not find_damage(collection)
    with pytest.raises(UsageError, match="No document"):
        collection.hide("manuala")

    collection.restore("manuala")

    assert visible_by_vector(collection) == sorted(OLD)


def test_a_sweep_removes_what_was_hidden_too_long_ago_with_its_upload(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = collection.config.uploads.resolve()
    uploads.mkdir(parents=True)
    own, others = uploads / "manual.txt", collection.config.home / "elsewhere.txt"
    for path in (own, others):
        path.write_text("Oil is red.")
    put(collection, OLD)
    looked_at = [file for path in (own, others) if (file := look_at(path, path.name))]
    collection.catalog.put_files([replace(file, document_id="manuala") for file in looked_at])
    collection.hide("manuala")
    monkeypatch.setattr("ingest.collection.UNDO", timedelta(0))

    collection.sweep()

    assert (len(collection.vectors), len(collection.keywords), collection.catalog.files()) == (0, 0, {})
    assert (own.exists(), others.exists()) == (False, True)
    with pytest.raises(UsageError, match="for good"):
        collection.restore("manuala")


def test_an_index_is_asked_for_as_many_more_as_are_hidden(collection: Collection) -> None:
    put(collection, OLD)
    put(collection, NEW, content="b", name="other")
    assert collection.reach(5) == 5
    collection.hide("manuala")
    assert collection.reach(5) == 5 + len(OLD)
