"""The engine of many machines: files are read and embedded in two stages of Ray Data; whoever runs it stores the rest.

JSON travels between the machines, see `_FILE` and `_ENTRY`. Every node needs this package, and the files under the
paths that they have here.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import time
from collections.abc import Generator, Iterable, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from llama_index.core.schema import TextNode
from pydantic import ConfigDict, TypeAdapter

from ingest.config import ChunkingConfig, EmbeddingConfig, ReadingConfig
from ingest.document import Attachment, Document
from ingest.embedding import Encoder, open_encoder
from ingest.engines.protocol import Prepared
from ingest.errors import RagError, UsageError
from ingest.loaders.codec import document_from_json, document_to_json
from ingest.loaders.errors import UnreadableFileError, UnsupportedFileError
from ingest.preparing import HashedFile, embed, make_entry
from ingest.reading import REFUSALS, Reader
from ingest.records import DocumentRecord, Entry, PageRecord

try:
    import ray
    import ray.data
    from ray.exceptions import RayError, UserCodeException
except ModuleNotFoundError as error:
    raise UsageError("The engine ray needs the package ray. Install it: pip install rag-app[ray].") from error

# Files that are handed to Ray Data at once: each such block starts workers of its own and waits for its last file.
BLOCK_FILES = 1000
ANSWER_SECONDS = 5.0
# Files that are embedded together, and stored together.
BATCH_FILES = 16

_Fields = tuple[DocumentRecord, list[TextNode], tuple[PageRecord, ...], list[int] | None, tuple[Attachment, ...]]
_FILE = TypeAdapter(HashedFile)
_ENTRY: TypeAdapter[_Fields] = TypeAdapter(_Fields, config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64"))


class RayEngine:
    """Works on the cluster at `address`, or on a Ray of this machine alone where none is given.

    Use it as a context: Ray is started, or joined, when it is entered, and left at the end. One process a node embeds,
    and half of the processors read; Qwen3-Embedding has a process a GPU where the cluster has any.
    Entering raises `UsageError` where there is no cluster at `address`.
    """

    def __init__(
        self,
        embedding: EmbeddingConfig,
        chunking: ChunkingConfig,
        reading: ReadingConfig | None = None,
        address: str | None = None,
    ) -> None:
        self._embedding = embedding
        self._chunking = chunking
        self._reading = reading or ReadingConfig()
        self._address = address

    def __enter__(self) -> RayEngine:
        if self._address:
            _check_address(self._address)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to anybody
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it warns of how Ray Data itself starts actors
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if not self._address:
            # Reading and embedding take a processor each, also where there is only one.
            options |= {"num_cpus": max(2, os.cpu_count() or 2), "include_dashboard": False}
        ray.init(self._address or "local", **options)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ray.shutdown()

    def run(self, files: Iterable[HashedFile]) -> Generator[Sequence[Prepared], None, None]:
        """See `Engine.run`. Raises `RagError` where the models or the cluster fail."""
        files = iter(files)
        while block := list(islice(files, BLOCK_FILES)):
            try:
                tables: Iterable[Any] = self._dataset(block).iter_batches(batch_size=None, batch_format="pyarrow")
                for table in tables:
                    yield [_prepared(row) for row in table.to_pylist()]
            except UserCodeException:
                raise  # a fault of this program
            except RayError as error:
                raise RagError(f"The Ray cluster failed ({str(error).splitlines()[0]}).") from error

    def _dataset(self, files: Sequence[HashedFile]) -> ray.data.Dataset:
        nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call] # Ray leaves it untyped
        resources = [node["Resources"] for node in nodes if node["Alive"]]
        processors = int(sum(each.get("CPU", 0) for each in resources))
        gpus = int(sum(each.get("GPU", 0) for each in resources)) if self._embedding.model == "qwen3" else 0
        # A block a file: whoever is free reads the next one.
        dataset = ray.data.from_items(
            [{"file": _FILE.dump_json(file).decode()} for file in files], override_num_blocks=len(files)
        )
        dataset.context.enable_progress_bars = False
        return dataset.map(
            _Read,  # type: ignore[arg-type] # Ray's annotation forgets classes, which it makes objects of on each worker
            fn_constructor_args=[self._reading],
            compute=_pool(processors // 2),
        ).map_batches(
            _Embed,
            fn_constructor_args=[self._embedding, self._chunking],
            batch_size=BATCH_FILES,
            batch_format="numpy",
            compute=_pool(gpus or len(resources)),
            num_gpus=1 if gpus else 0,
        )


class _Read:
    """The first stage, in processes anywhere: the file of a row as a document, or why it cannot be read."""

    def __init__(self, reading: ReadingConfig) -> None:
        self._reader = Reader(reading)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        started = time.perf_counter()
        document = refused = reason = ""
        try:
            document = json.dumps(document_to_json(self._read(_FILE.validate_json(row["file"]).file.path)))
        except (UnreadableFileError, UnsupportedFileError) as error:
            refused, reason = type(error).__name__, str(error)
        seconds = time.perf_counter() - started
        return {**row, "document": document, "refused": refused, "reason": reason, "seconds": seconds}

    def _read(self, path: Path) -> Document:
        if not os.path.exists(path):
            raise UnreadableFileError(
                f"The node {socket.gethostname()} does not see the file. Put it where every node of the Ray cluster "
                "has it under the same path."
            )
        return self._reader.read(path)


class _Embed:
    """The second stage, a process a node: documents as entries with their vectors, or why the model gives none."""

    def __init__(self, embedding: EmbeddingConfig, chunking: ChunkingConfig) -> None:
        self._embedding = embedding
        self._chunking = chunking

    @cached_property
    def _encoder(self) -> Encoder:
        return open_encoder(self._embedding)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        documents = batch.pop("document")
        failure = ""
        try:
            entries = [self._entry(file, document) for file, document in zip(batch["file"], documents, strict=True)]
            embed([entry for entry in entries if entry], self._encoder)
        except RagError as error:
            entries, failure = [None] * len(documents), str(error)
        texts = [_entry_to_json(entry) if entry else "" for entry in entries]
        return {**batch, "entry": texts, "failure": [failure] * len(texts)}

    def _entry(self, file: str, document: str) -> Entry | None:
        if not document:
            return None
        read = document_from_json(json.loads(document))
        return make_entry(_FILE.validate_json(file), read, self._chunking, self._encoder.count_tokens)


def _check_address(address: str) -> None:
    """Raises `UsageError` where nothing answers: Ray itself would try for minutes, and end the process."""
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():  # ray://: such a client does not stream datasets
        raise UsageError(f"Expected the address of a Ray cluster's head, such as 10.0.0.1:6379, got '{address}'.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"No Ray cluster answers at {address} ({error}). Start one with `ray start --head`, or check the address."
        ) from error


def _pool(size: int) -> ray.data.ActorPoolStrategy:
    return ray.data.ActorPoolStrategy(min_size=1, max_size=max(1, size))


def _prepared(row: dict[str, Any]) -> Prepared:
    if row["failure"]:
        raise RagError(row["failure"])
    result = REFUSALS[row["refused"]](row["reason"]) if row["refused"] else _entry_from_json(row["entry"])
    return Prepared(_FILE.validate_json(row["file"]), result, row["seconds"])


def _entry_to_json(entry: Entry) -> str:
    sketch = None if entry.sketch is None else entry.sketch.tolist()
    fields = (entry.record, list(entry.nodes), tuple(entry.pages), sketch, tuple(entry.attachments))
    return _ENTRY.dump_json(fields).decode()


def _entry_from_json(text: str) -> Entry:
    record, nodes, pages, sketch, attachments = _ENTRY.validate_json(text)
    return Entry(record, nodes, pages, None if sketch is None else np.array(sketch, np.uint32), attachments)
