"""The passages and their vectors in Chroma. The only module that imports chromadb.

Passages are stored the way LlamaIndex's Chroma integration stores them, so that any LlamaIndex program can open the
collection; every node's metadata is flat, boxes are JSON.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import chromadb
from chromadb.api.client import Client
from chromadb.config import Settings
from llama_index.core.schema import BaseNode, NodeWithScore
from llama_index.core.vector_stores.types import (
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
)
from llama_index.vector_stores.chroma import ChromaVectorStore

COLLECTION_NAME = "passages"


class VectorStore:
    """Passages of one collection by vector and by id; created empty where there is none."""

    def __init__(self, folder: Path) -> None:
        settings = Settings(anonymized_telemetry=False)
        self._client = cast(Client, chromadb.PersistentClient(path=str(folder), settings=settings))
        self._collection = self._client.get_or_create_collection(
            COLLECTION_NAME,
            # Vectors are handed in; Chroma's own default would download a model.
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine", "ef_search": 200}},
        )
        self._store = ChromaVectorStore(chroma_collection=self._collection)

    def add(self, nodes: Sequence[BaseNode]) -> None:
        """Stores nodes that carry their embedding; nodes whose id is there already are left as they are."""
        if nodes:
            self._store.add(list(nodes))

    def delete_version(self, version: str) -> None:
        """Removes every passage of that version of a document."""
        self._collection.delete(where={"version": version})

    def get(self, chunk_ids: Sequence[str]) -> dict[str, BaseNode]:
        """The nodes of these ids that exist, by id."""
        # An empty list would mean "all of them" to the store.
        return {node.node_id: node for node in self._store.get_nodes(list(chunk_ids))} if chunk_ids else {}

    def get_version(self, version: str) -> list[BaseNode]:
        """The passages of one version of a document, in reading order."""
        only = MetadataFilter(key="version", value=version, operator=FilterOperator.EQ)
        nodes = self._store.get_nodes(None, filters=MetadataFilters(filters=[only]))  # type: ignore[arg-type] # the annotation says a list, the code takes one
        return sorted(nodes, key=lambda node: int(node.metadata["position"]))

    def nearest(self, vector: Sequence[float], limit: int) -> list[NodeWithScore]:
        """The passages whose vectors are nearest, best first; the score is the cosine."""
        limit = min(limit, len(self))
        if limit == 0:
            return []
        result = self._store.query(VectorStoreQuery(query_embedding=list(vector), similarity_top_k=limit))
        # The integration reports exp(-distance); Chroma's cosine distance is 1 - cosine.
        return [
            NodeWithScore(node=node, score=1.0 + math.log(similarity))
            for node, similarity in zip(result.nodes or [], result.similarities or [], strict=True)
        ]

    def __len__(self) -> int:
        return int(self._collection.count())

    def close(self) -> None:
        self._client.close()
