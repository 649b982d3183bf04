"""The engine of many machines, on a Ray of this machine with workers of its own."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from pdf_pages import PROSE, lines, write

from ingest.collection import Collection
from ingest.config import ChunkingConfig, EmbeddingConfig, ReadingConfig, StoreConfig
from ingest.document import Attachment, Document, Ocr, Page
from ingest.embedding import MiniLmEncoder
from ingest.engines.local import LocalEngine
from ingest.engines.opening import open_engine
from ingest.engines.protocol import Engine
from ingest.errors import RagError, UsageError
from ingest.loaders.errors import LockedFileError
from ingest.pipeline import Ingester
from ingest.preparing import HashedFile, make_entry
from ingest.records import DocumentRecord, FileRecord, PageRecord
from ingest.report import IngestReport

pytest.importorskip("ray", reason="needs the extra ray: pip install rag-app[ray]")

import ingest.engines.ray as ray_engine  # needs ray

pytestmark = [
    # Ray Data sets its own old settings when it is first used.
    pytest.mark.filterwarnings(r"ignore:`use_\w+` is deprecated:DeprecationWarning:ray"),
]

CHUNKING = ChunkingConfig()


@dataclass(frozen=True, slots=True)
class Stored:
    """All that a collection holds after an ingest."""

    report: IngestReport
    documents: list[DocumentRecord]
    files: dict[Path, FileRecord]
    pages: list[list[PageRecord]]
    passages: dict[str, tuple[str, dict[str, object]]]
    vectors: dict[str, np.ndarray]
    hits: list[tuple[str, float]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    (folder / "manual.md").write_text(
        "# Press HP-40\n\nDrain the oil.\n\n## Faults\n\nE07: low oil pressure.\n", "utf-8"
    )
    (folder / "手册.txt").write_text("第一章 润滑\n每月更换润滑油。\n", "utf-8")
    (folder / "empty.txt").touch()
    write(folder / "contract.pdf", lines(PROSE))
    write(folder / "locked.pdf", lines(PROSE), encrypt="secret")
    return folder


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine("ray", None, EmbeddingConfig(), CHUNKING, ReadingConfig()) as engine:
        yield engine


@pytest.fixture(scope="module")
def by_ray(engine: Engine, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    return ingested(engine, folder, tmp_path_factory.mktemp("ray"))


@pytest.fixture(scope="module")
def here(encoder: MiniLmEncoder, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    return ingested(LocalEngine(encoder, CHUNKING), folder, tmp_path_factory.mktemp("local"))


def ingested(engine: Engine, folder: Path, home: Path) -> Stored:
    with Collection.create(StoreConfig(home), EmbeddingConfig(), CHUNKING) as collection:
        report = Ingester(collection, engine).sync([folder])
        records = collection.catalog.documents()
        nodes = [node for record in records for node in collection.vectors.get_version(record.version)]
        found = collection.vectors._collection.get(include=["embeddings"])
        return Stored(
            report,
            records,
            collection.catalog.files(),
            [collection.catalog.pages(record.document_id) for record in records],
            {node.node_id: (node.get_content(), node.metadata) for node in nodes},
            dict(zip(found["ids"], np.asarray(found["embeddings"]), strict=True)),
            collection.keywords.search("oil pressure of the pump 润滑油", 20),
        )


def test_the_documents_are_those_of_the_local_engine(by_ray: Stored, here: Stored) -> None:
    def timeless(stored: Stored) -> list[DocumentRecord]:
        return [replace(record, ingested_at=datetime.fromtimestamp(0, UTC)) for record in stored.documents]

    assert by_ray.report.added == here.report.added == 3
    assert timeless(by_ray) == timeless(here)
    assert by_ray.pages == here.pages


def test_the_passages_are_those_of_the_local_engine(by_ray: Stored, here: Stored) -> None:
    assert by_ray.passages == here.passages
    assert len(here.hits) >= 2
    assert dict(by_ray.hits) == pytest.approx(dict(here.hits))
    assert by_ray.vectors.keys() == here.vectors.keys() == here.passages.keys()
    for chunk_id, vector in here.vectors.items():
        np.testing.assert_allclose(by_ray.vectors[chunk_id], vector, atol=1e-5)


def test_an_entry_comes_back_as_it_was_sent() -> None:
    attachment = Attachment("泵.bin", bytes(range(256)))
    document = Document("", (Page(1, "i", (), 595.0, 842.0, Ocr(0.5, "a scan"), "Half of it."),), (attachment,))
    file = FileRecord(Path("/documents/a b.pdf"), "a b.pdf", 1, 1_700_000_000_123_456_789)
    entry = make_entry(HashedFile(file, "a" * 64), document, CHUNKING, len)

    back = ray_engine._entry_from_json(ray_engine._entry_to_json(entry))

    assert back.record == entry.record
    assert (back.pages, back.attachments) == (entry.pages, entry.attachments)


def test_a_file_fails_with_the_sentence_of_the_local_engine(by_ray: Stored, here: Stored, folder: Path) -> None:
    def reasons(stored: Stored) -> dict[str, str]:
        return {failure.path: failure.reason for failure in stored.report.failed}

    assert reasons(by_ray) == reasons(here)
    assert reasons(by_ray)[str(folder / "empty.txt")] == "The file is empty."
    assert by_ray.files[folder / "locked.pdf"] == here.files[folder / "locked.pdf"]


def test_files_are_drawn_in_blocks_and_closing_ends_the_work(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_engine, "BLOCK_FILES", 2)
    drawn = []

    def endless() -> Iterator[HashedFile]:
        for number in itertools.count():
            drawn.append(number)
            path = tmp_path / f"{number}.txt"
            yield HashedFile(FileRecord(path, path.name, 1, 1), hashlib.sha256(b"%d" % number).hexdigest())

    with closing(engine.run(endless())) as batches:
        (first, second) = next(batches)

    assert len(drawn) == 2
    assert "does not see the file. Put it where every node" in str(first.result)
    assert not isinstance(second.result, LockedFileError)


def test_a_model_that_cannot_be_had_ends_the_ingest_with_its_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Drain the oil.", encoding="utf-8")
    server = EmbeddingConfig("openai", base_url="http://127.0.0.1:9")
    file = HashedFile(FileRecord(tmp_path / "a.txt", "a.txt", 1, 1), "a" * 64)
    reading = ray_engine._Read(ReadingConfig())
    read = reading({"file": ray_engine._FILE.dump_json(file).decode()})
    reading._reader.close()

    embedded = ray_engine._Embed(server, CHUNKING)({name: [value] for name, value in read.items()})

    with pytest.raises(RagError, match=r"^The embedding server at http://127\.0\.0\.1:9/.* cannot be reached"):
        ray_engine._prepared({name: values[0] for name, values in embedded.items()})


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("ray://10.0.0.1:10001", r"such as 10\.0\.0\.1:6379"),
        ("127.0.0.1:9", "No Ray cluster answers at"),
        ("head", "Expected the address"),
    ],
)
def test_an_address_without_a_cluster_is_named(address: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence), ray_engine.RayEngine(EmbeddingConfig(), CHUNKING, address=address):
        pass
