"""Passages and vectors in Chroma."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from llama_index.core.schema import TextNode

from ingest.store import VectorStore


def node(name: str, vector: list[float], *, version: str = "v1", position: int = 0) -> TextNode:
    return TextNode(
        id_=name, text=f"Text of {name}", metadata={"version": version, "position": position}, embedding=vector
    )


NODES = [
    node("east", [1.0, 0.0], position=2),
    node("north", [0.0, 1.0], position=10),
    node("west", [-1.0, 0.0], position=1),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[VectorStore]:
    store = VectorStore(tmp_path)
    store.add(NODES)
    yield store
    store.close()


def test_the_nearest_come_first_with_their_cosine(store: VectorStore) -> None:
    hits = store.nearest([0.8, 0.6], 3)

    assert [hit.node.node_id for hit in hits] == ["east", "north", "west"]
    assert [hit.score for hit in hits] == pytest.approx([0.8, 0.6, -0.8], abs=1e-5)


def test_no_more_than_the_limit_and_than_there_are(store: VectorStore) -> None:
    assert len(store.nearest([1.0, 0.0], 1)) == 1
    assert len(store.nearest([1.0, 0.0], 50)) == 3
    assert store.nearest([1.0, 0.0], 0) == []


def test_an_empty_store_finds_nothing(tmp_path: Path) -> None:
    store = VectorStore(tmp_path)
    store.add([])

    assert len(store) == 0
    assert store.nearest([1.0, 0.0], 5) == []
    assert store.get(["east"]) == {}
    assert store.get_version("v1") == []
    store.delete_version("v1")
    store.close()


def test_nodes_are_given_back_by_id_as_they_were(store: VectorStore) -> None:
    found = store.get(["east", "unknown"])

    assert set(found) == {"east"}
    assert isinstance(found["east"], TextNode)
    assert found["east"].text == "Text of east"
    assert found["east"].metadata == NODES[0].metadata
    assert store.get([]) == {}


def test_a_version_is_read_in_its_order(store: VectorStore) -> None:
    store.add([node("other", [0.5, 0.5], version="v2")])

    assert [found.node_id for found in store.get_version("v1")] == ["west", "east", "north"]


def test_deleting_a_version_leaves_the_others(store: VectorStore) -> None:
    store.add([node("other", [0.5, 0.5], version="v2")])

    store.delete_version("v1")

    assert len(store) == 1
    assert [hit.node.node_id for hit in store.nearest([1.0, 0.0], 5)] == ["other"]


def test_adding_a_node_again_changes_nothing(store: VectorStore) -> None:
    store.add(NODES)

    assert len(store) == 3


def test_passages_are_there_after_a_restart(store: VectorStore, tmp_path: Path) -> None:
    store.close()
    again = VectorStore(tmp_path)

    assert [hit.node.node_id for hit in again.nearest([1.0, 0.0], 1)] == ["east"]
    again.close()


def test_two_stores_of_one_process_are_apart(store: VectorStore, tmp_path: Path) -> None:
    other = VectorStore(tmp_path / "other")

    assert (len(store), len(other)) == (3, 0)
    other.close()
    assert len(store.nearest([1.0, 0.0], 5)) == 3
