"""Searches while documents change, and indexes that cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.collection import Collection
from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig
from ingest.embedding import MiniLmEncoder
from ingest.engines.local import LocalEngine
from ingest.pipeline import Ingester
from ingest.report import IngestReport
from retrievers.hybrid import HybridRetriever, embedded_reranker

ROUNDS = 8


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    return folder


def ingest(store: StoreConfig, encoder: MiniLmEncoder, folder: Path) -> IngestReport:
    with Collection.create(store, EmbeddingConfig(), ChunkingConfig()) as collection:
        return Ingester(collection, LocalEngine(encoder, ChunkingConfig(), workers=1)).sync([folder])


@pytest.fixture
def ingester(home: StoreConfig, encoder: MiniLmEncoder) -> Iterator[Ingester]:
    with Collection.create(home, EmbeddingConfig(), ChunkingConfig()) as collection:
        yield Ingester(collection, LocalEngine(encoder, ChunkingConfig(), workers=1))


def write(folder: Path, state: int) -> None:
    for name in ("a.md", "b.md"):
        sections = [f"# Part {part}\n\n" + f"The pump of {name} is in state{state}. " * 12 for part in range(4)]
        (folder / name).write_text("\n\n".join(sections), encoding="utf-8")


def test_searches_go_on_during_an_ingest_and_never_mix_two_versions(
    ingester: Ingester, encoder: MiniLmEncoder, folder: Path
) -> None:
    write(folder, 0)
    ingester.sync([folder])
    collection = ingester.collection
    retriever = HybridRetriever(collection, encoder, embedded_reranker(collection, encoder))
    searches = 0
    torn: list[set[str]] = []
    failures: list[Exception] = []
    ended = threading.Event()

    def search() -> None:
        nonlocal searches
        while not ended.is_set():
            try:
                hits = retriever.search("In which state is the pump?", strategy="hybrid", top_k=50)
            except Exception as error:  # whatever it is, the test tells of it
                failures.append(error)
                return
            searches += 1
            for source in ("a.md", "b.md"):
                versions = {hit.node.metadata["version"] for hit in hits if hit.node.metadata["source"] == source}
                if len(versions) != 1:
                    torn.append(versions)

    thread = threading.Thread(target=search)
    thread.start()
    for state in range(1, ROUNDS + 1):
        write(folder, state)
        assert ingester.sync([folder]).updated == 2
    ended.set()
    thread.join()

    assert failures == []
    assert torn == []
    assert searches >= ROUNDS


def run(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """What a process of its own does, for limits and rights that a process cannot take back."""
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from ingest.cli import IngestRequest, run_ingest
from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig
from ingest.errors import RagError
# No file may grow beyond: what a full disk looks like to those who write.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    request = IngestRequest([Path(sys.argv[2])])
    run_ingest(request, StoreConfig(Path(sys.argv[1])), EmbeddingConfig(), ChunkingConfig(), as_json=True)
except RagError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def test_a_full_disk_is_a_sentence_and_leaves_the_old_index_as_it_was(
    home: StoreConfig, encoder: MiniLmEncoder, folder: Path
) -> None:
    store = StoreConfig(home.home)
    write(folder, 0)
    assert ingest(store, encoder, folder).added == 2
    more = folder / "more.txt"
    more.write_text(" ".join(f"Number {number} is {number * number}." for number in range(1500)), encoding="utf-8")

    failed = run(FULL_DISK, home.home, folder, 200 * 2**10)

    assert failed.returncode == 1
    assert failed.stderr.strip().splitlines()[-1].startswith("StorageError: ")
    assert "Traceback" not in failed.stderr
    with Collection.open(store, EmbeddingConfig(), ChunkingConfig()) as collection:
        hits = HybridRetriever(collection, encoder, embedded_reranker(collection, encoder)).search("state0 pump")
        assert {hit.node.metadata["source"] for hit in hits} >= {"a.md", "b.md"}
    more.unlink()
    assert ingest(store, encoder, folder).failed == []


READ_ONLY = """
import os, sys
from pathlib import Path
from ingest.collection import Collection
from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig
from ingest.errors import RagError
if os.geteuid() == 0:  # root may write anywhere
    os.setuid(65534)
try:
    Collection.create(StoreConfig(Path(sys.argv[1])), EmbeddingConfig(), ChunkingConfig())
except RagError as error:
    sys.exit(str(error))
"""


def test_a_home_that_may_not_be_written_is_named(tmp_path: Path, encoder: MiniLmEncoder, folder: Path) -> None:
    write(folder, 0)
    home = tmp_path / "home"
    assert ingest(StoreConfig(home), encoder, folder).added == 2
    for path in (home, *home.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for path in (*tmp_path.parents[:2], tmp_path):
        path.chmod(0o755)

    failed = run(READ_ONLY, home)

    for path in (home, *home.rglob("*")):
        path.chmod(0o755)
    assert failed.returncode == 1
    assert failed.stderr.strip() == (
        f"The home folder {home} cannot be written (Permission denied). Name another one with --home."
    )
