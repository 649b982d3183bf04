"""Passages and vectors in Chroma."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from llama_index.core.schema import TextNode

from ingest.config import StoreConfig
from ingest.errors import StorageError, UsageError
from ingest.store import VectorStore, drop_store


def node(name: str, vector: list[float], *, version: str = "v1", position: int = 0) -> TextNode:
    return TextNode(
        id_=name, text=f"Text of {name}", metadata={"version": version, "position": position}, embedding=vector
    )


NODES = [
    node("east", [1.0, 0.0], position=2),
    node("north", [0.0, 1.0], position=10),
    node("west", [-1.0, 0.0], position=1),
]


@pytest.fixture(params=["embedded", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> StoreConfig:
    """Where a store may live: in this process, or on a server."""
    server = request.getfixturevalue("chroma_server") if request.param == "server" else ""
    return StoreConfig(tmp_path, server=server)


@pytest.fixture
def store(place: StoreConfig, tmp_path: Path) -> Iterator[VectorStore]:
    store = VectorStore(place, tmp_path.name)
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


def test_an_empty_store_finds_nothing(place: StoreConfig, tmp_path: Path) -> None:
    store = VectorStore(place, f"empty-{tmp_path.name}")
    store.add([])

    assert len(store) == 0
    assert store.nearest([1.0, 0.0], 5) == []
    assert store.get(["east"]) == {}
    assert store.get_version("v1") == []
    assert store.versions() == {}
    store.delete_versions(["v1"])
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


def test_metadata_of_a_version_is_read_in_its_order(store: VectorStore) -> None:
    assert [(key, values["position"]) for key, values in store.metadata("v1").items()] == [
        ("west", 1),
        ("east", 2),
        ("north", 10),
    ]
    assert store.metadata("v9") == {}


def test_passages_that_amend_a_clause_are_found(place: StoreConfig, tmp_path: Path) -> None:
    nodes = [node("plain", [1.0, 0.0]), node("changing", [0.0, 1.0])]
    nodes[0].metadata["amends"], nodes[1].metadata["amends"] = "[]", '["9.1"]'
    store = VectorStore(place, f"amending-{tmp_path.name}")
    store.add(nodes)

    assert [found.node_id for found in store.amending()] == ["changing"]
    store.close()


def test_deleting_a_version_leaves_the_others(store: VectorStore) -> None:
    store.add([node("other", [0.5, 0.5], version="v2")])

    store.delete_versions(["v1"])

    assert len(store) == 1
    assert [hit.node.node_id for hit in store.nearest([1.0, 0.0], 5)] == ["other"]


def test_very_many_versions_are_deleted_at_once(store: VectorStore) -> None:
    """As pruning a folder does; the database behind takes only so many names in one request."""
    store.delete_versions([*(f"d{number}-0" for number in range(40_000)), "v1"])

    assert len(store) == 0


def test_adding_a_node_again_changes_nothing(store: VectorStore) -> None:
    store.add(NODES)

    assert len(store) == 3


def test_versions_are_counted(store: VectorStore) -> None:
    store.add([node("other", [0.5, 0.5], version="v2")])

    assert store.versions() == {"v1": 3, "v2": 1}


def test_passages_are_there_after_a_restart(store: VectorStore, place: StoreConfig, tmp_path: Path) -> None:
    store.close()
    again = VectorStore(place, tmp_path.name)

    assert [hit.node.node_id for hit in again.nearest([1.0, 0.0], 1)] == ["east"]
    again.close()


def test_two_collections_are_apart(store: VectorStore, place: StoreConfig, tmp_path: Path) -> None:
    """On a server their names tell them apart, elsewhere their folders."""
    other = VectorStore(StoreConfig(tmp_path / "other", server=place.server), f"other-{tmp_path.name}")

    assert (len(store), len(other)) == (3, 0)
    other.close()
    assert len(store.nearest([1.0, 0.0], 5)) == 3


def test_a_collection_on_a_server_is_dropped_there(chroma_server: str, tmp_path: Path) -> None:
    place = StoreConfig(tmp_path, server=chroma_server)
    store = VectorStore(place, "dropped")
    store.add(NODES)
    store.close()

    drop_store(place, "dropped")
    drop_store(place, "dropped")

    store = VectorStore(place, "dropped")
    assert len(store) == 0
    store.close()


def test_a_server_that_does_not_answer_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"127\.0\.0\.1:9 does not answer.*chroma run"):
        VectorStore(StoreConfig(tmp_path, server="http://127.0.0.1:9"), "id")


@pytest.mark.parametrize("address", ["localhost:8000", "ftp://localhost", "http://"])
def test_what_is_no_address_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="RAG_STORE"):
        VectorStore(StoreConfig(tmp_path, server=address), "id")
