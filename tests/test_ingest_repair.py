"""Catalog, vectors and words brought to agree again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.collection import Collection
from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig
from ingest.embedding import MiniLmEncoder
from ingest.engines.local import LocalEngine
from ingest.pipeline import Ingester
from ingest.repair import LOST, find_damage, repair


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "a.txt").write_text("Drain the oil.", encoding="utf-8")
    (folder / "b.txt").write_text("Bleed the air.", encoding="utf-8")
    return folder


@pytest.fixture
def ingester(home: StoreConfig, encoder: MiniLmEncoder, folder: Path) -> Iterator[Ingester]:
    with Collection.create(home, EmbeddingConfig(), ChunkingConfig()) as collection:
        ingester = Ingester(collection, LocalEngine(encoder, ChunkingConfig()))
        ingester.sync([folder])
        yield ingester


def names(collection: Collection) -> list[str]:
    return [record.source for record in collection.catalog.documents()]


def test_a_sound_collection_needs_nothing(ingester: Ingester) -> None:
    assert not find_damage(ingester.collection)
    assert repair(ingester.collection) == []
    assert names(ingester.collection) == ["a.txt", "b.txt"]


def test_passages_of_no_document_are_deleted_from_both_indexes(ingester: Ingester) -> None:
    collection = ingester.collection
    node = collection.vectors.get_version(collection.catalog.documents()[0].version)[0]
    orphan = node.model_copy(update={"id_": "orphan", "metadata": {**node.metadata, "version": "gone-1"}})
    orphan.embedding = [1.0] * 384
    collection.vectors.add([orphan])
    collection.keywords.add({"gone-2": [orphan]})

    assert find_damage(collection).orphans == ("gone-1", "gone-2")
    (sentence,) = repair(collection)
    assert "2 versions" in sentence
    assert (len(collection.vectors), len(collection.keywords)) == (2, 2)
    assert not find_damage(collection)


def test_lost_words_are_made_again_from_the_passages(ingester: Ingester) -> None:
    collection = ingester.collection
    collection.keywords.delete_versions([collection.catalog.documents()[0].version])
    assert collection.keywords.search("oil", 5) == []

    (sentence,) = repair(collection)

    assert sentence == "Made the words of 1 documents again: a.txt."
    assert len(collection.keywords.search("oil", 5)) == 1
    assert not find_damage(collection)


def test_a_document_without_all_its_vectors_is_hidden_and_read_again(ingester: Ingester, folder: Path) -> None:
    collection = ingester.collection
    collection.vectors.delete_versions([collection.catalog.documents()[0].version])

    (sentence,) = repair(collection)

    assert "not whole: a.txt. Read them again: rag-app ingest PATH." in sentence
    assert names(collection) == ["b.txt"]
    assert collection.catalog.files()[folder / "a.txt"].problem == LOST
    assert not find_damage(collection)
    assert ingester.sync([folder]).added == 1
    assert names(collection) == ["a.txt", "b.txt"]
    assert not find_damage(collection)
