"""The passages and their vectors in Chroma, in this process or on a server. The only module that imports chromadb.

Passages are stored the way LlamaIndex's Chroma integration stores them, so that any LlamaIndex program can open the
collection; every node's metadata is flat, boxes are JSON.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import chromadb
import httpx
from chromadb.api.client import Client
from chromadb.api.types import Where
from chromadb.config import Settings
from chromadb.errors import ChromaError, NotFoundError
from llama_index.core.schema import BaseNode, NodeWithScore
from llama_index.core.vector_stores.types import (
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
)
from llama_index.vector_stores.chroma import ChromaVectorStore

from ingest.config import StoreConfig
from ingest.errors import StorageError, UsageError

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

LOCAL_NAME = "passages"
# What Chroma takes in one request is bounded by the variables of SQLite.
PAGE = 5_000


class VectorStore:
    """Passages of one collection by vector and by id; created empty where there is none."""

    def __init__(self, config: StoreConfig, identifier: str) -> None:
        """Opens the store; `identifier` tells the collection from those of other homes on the same server.

        Raises `StorageError` where it cannot be had, `UsageError` for what is no address.
        """
        self._place = config.server or str(config.folder / "chroma")
        with self._storage_errors("opened"):
            self._client = _client(config)
            self._collection = self._client.get_or_create_collection(
                _name(config, identifier),
                # Vectors are handed in; Chroma's own default would download a model.
                embedding_function=None,
                configuration={"hnsw": {"space": "cosine", "ef_search": 200}},
            )
        self._store = ChromaVectorStore(chroma_collection=self._collection)

    def add(self, nodes: Sequence[BaseNode]) -> None:
        """Stores nodes that carry their embedding; nodes whose id is there already are left as they are."""
        if nodes:
            with self._storage_errors("written"):
                self._store.add(list(nodes))

    def delete_versions(self, versions: Sequence[str]) -> None:
        """Removes every passage of these versions of documents."""
        with self._storage_errors("written"):
            for start in range(0, len(versions), PAGE):
                any_of = cast(Where, {"version": {"$in": list(versions[start : start + PAGE])}})
                self._collection.delete(where=any_of)

    def get(self, chunk_ids: Sequence[str]) -> dict[str, BaseNode]:
        """The nodes of these ids that exist, by id."""
        # An empty list would mean "all of them" to the store.
        with self._storage_errors("searched"):
            nodes = self._store.get_nodes(list(chunk_ids)) if chunk_ids else []
        return {node.node_id: node for node in nodes}

    def get_version(self, version: str) -> list[BaseNode]:
        """The passages of one version of a document, in reading order."""
        only = MetadataFilter(key="version", value=version, operator=FilterOperator.EQ)
        with self._storage_errors("searched"):
            nodes = self._store.get_nodes(None, filters=MetadataFilters(filters=[only]))  # type: ignore[arg-type] # the annotation says a list, the code takes one
        return sorted(nodes, key=lambda node: int(node.metadata["position"]))

    def metadata(self, version: str) -> dict[str, Mapping[str, Any]]:
        """The metadata of the passages of one version of a document by chunk id, in reading order."""
        with self._storage_errors("searched"):
            found = self._collection.get(where={"version": version}, include=["metadatas"])
        by_id = dict(zip(found["ids"], found["metadatas"] or (), strict=True))
        return dict(sorted(by_id.items(), key=lambda entry: int(str(entry[1]["position"]))))

    def amending(self) -> list[BaseNode]:
        """The passages that change a clause of another document, in no order."""
        changing = MetadataFilter(key="amends", value="[]", operator=FilterOperator.NE)
        with self._storage_errors("searched"):
            return self._store.get_nodes(None, filters=MetadataFilters(filters=[changing]))  # type: ignore[arg-type] # see get_version

    def versions(self) -> Counter[str]:
        """How many passages are held of each version."""
        counts: Counter[str] = Counter()
        with self._storage_errors("searched"):
            for offset in range(0, len(self), PAGE):
                page = self._collection.get(include=["metadatas"], limit=PAGE, offset=offset)["metadatas"] or ()
                counts.update(str(metadata["version"]) for metadata in page)
        return counts

    def nearest(
        self, vector: Sequence[float], limit: int, versions: Sequence[str] | None = None
    ) -> list[NodeWithScore]:
        """The passages whose vectors are nearest, best first; the score is the cosine.

        Only those of these versions of documents where any are given, of all where None.
        """
        only = MetadataFilter(key="version", value=list(versions or ()), operator=FilterOperator.IN)
        query = VectorStoreQuery(
            query_embedding=list(vector), filters=None if versions is None else MetadataFilters(filters=[only])
        )
        with self._storage_errors("searched"):
            query.similarity_top_k = min(limit, len(self))
            if query.similarity_top_k == 0 or (versions is not None and not versions):
                return []
            result = self._store.query(query)
        # The integration reports exp(-distance); Chroma's cosine distance is 1 - cosine.
        return [
            NodeWithScore(node=node, score=1.0 + math.log(similarity))
            for node, similarity in zip(result.nodes or [], result.similarities or [], strict=True)
        ]

    def __len__(self) -> int:
        return int(self._collection.count())

    def close(self) -> None:
        _close(self._client)

    @contextmanager
    def _storage_errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except (ChromaError, httpx.HTTPError) as error:
            raise StorageError(f"The vector index in {self._place} cannot be {what} ({_first_line(error)}).") from error


def drop_store(config: StoreConfig, identifier: str) -> None:
    """Deletes the collection on the server; one in the home's folder goes with the folder."""
    if not config.server:
        return
    client = _client(config)
    try:
        client.delete_collection(_name(config, identifier))
    except NotFoundError:
        pass  # there was none
    finally:
        _close(client)


def _close(client: Client) -> None:
    client.close()
    # The client of a server, and the second one inside it, leave their connections to the garbage collector.
    for part in (client, client._admin_client):
        session = getattr(getattr(part, "_server", None), "_session", None)
        if session is not None:
            session.close()


def _name(config: StoreConfig, identifier: str) -> str:
    return f"rag-app-{identifier}" if config.server else LOCAL_NAME


def _client(config: StoreConfig) -> Client:
    settings = Settings(anonymized_telemetry=False)
    client: ClientAPI
    if not config.server:
        client = chromadb.PersistentClient(path=str(config.folder / "chroma"), settings=settings)
        return cast(Client, client)
    address = urlsplit(config.server)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise UsageError(f"Expected a Chroma server such as http://localhost:8000 (RAG_STORE), got '{config.server}'.")
    try:
        client = chromadb.HttpClient(
            host=address.hostname,
            port=address.port or (443 if address.scheme == "https" else 8000),
            ssl=address.scheme == "https",
            settings=settings,
        )
    except ValueError as error:  # what the client makes of a refused connection
        raise StorageError(
            f"The Chroma server {config.server} does not answer ({_first_line(error)}). Start it: chroma run."
        ) from error
    return cast(Client, client)


def _first_line(error: Any) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
