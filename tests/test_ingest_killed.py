"""An ingest with new, changed and deleted files, killed at random instants: what is there is whole, and it goes on."""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hash_encoder import HashEncoder
from llama_index.core.schema import TextNode

from ingest.collection import Collection
from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig
from ingest.engines.local import LocalEngine
from ingest.nodes import embedded_text
from ingest.pipeline import Ingester
from ingest.repair import find_damage

KILLS = 20
WORDS = ["pump", "valve", "filter", "oil", "press", "pressure", "seal", "bolt"]


class Ingests:
    """Ingests in processes that can be killed; see `ingest_until_killed`."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder

    def run(self, home: Path, *, kill_after: float | None = None) -> float | None:
        """The seconds that it took to its end; None when it was killed before."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        started = time.monotonic()
        print(home, self._folder, sep="\t", file=self._process.stdin, flush=True)
        child = int(self._process.stdout.readline())
        killed = kill_after is not None and not select.select([self._process.stdout], [], [], kill_after)[0]
        if killed:
            os.kill(child, signal.SIGKILL)
        assert self._process.stdout.readline() == "done\n"
        return None if killed else time.monotonic() - started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    return folder


@pytest.fixture
def ingests(folder: Path) -> Iterator[Ingests]:
    script = Path(__file__).with_name("ingest_until_killed.py")
    environment = {**os.environ, "PYTHONPATH": str(script.parent.parent)}
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield Ingests(process, folder)
        assert process.stdin is not None
        process.stdin.close()


def write(folder: Path, name: str, state: int) -> None:
    """A document of several passages, which says in each of them in what state it is."""
    sections = [
        f"# Part {part}\n\nThis is {name} in state {state}. " + f"The {WORDS[part]} of {name} is checked. " * 12
        for part in range(6)
    ]
    (folder / name).write_text("\n\n".join(sections), encoding="utf-8")


def change_everything(folder: Path, dice: random.Random, state: int) -> None:
    """Some files are new, some change, some go, some are moved or copied."""
    names = sorted(path.name for path in folder.iterdir())
    for name in dice.sample(names, min(3, len(names))):
        (folder / name).unlink()
    names = sorted(path.name for path in folder.iterdir())
    for name in dice.sample(names, min(3, len(names))):
        write(folder, name, state)
    for name in dice.sample(names, min(1, len(names))):
        shutil.copy(folder / name, folder / f"copy-{state}.md")
    for number in range(4):
        write(folder, f"{dice.choice('abcdef')}{state}-{number}.md", state)


def index_of(home: Path) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """The text that was embedded and the vector of every passage, by id."""
    with Collection.open(StoreConfig(home), EmbeddingConfig(), ChunkingConfig()) as collection:
        nodes = [
            node for record in collection.catalog.documents() for node in collection.vectors.get_version(record.version)
        ]
        stored = collection.vectors._collection.get(include=["embeddings"])
        vectors = dict(zip(stored["ids"], np.asarray(stored["embeddings"]), strict=True))
        texts = {node.node_id: embedded_text(node) for node in nodes if isinstance(node, TextNode)}
        return texts, vectors


def hits_of(home: Path) -> dict[str, set[str]]:
    """The ids that each word finds. Their scores count passages that are deleted but not yet merged away."""
    with Collection.open(StoreConfig(home), EmbeddingConfig(), ChunkingConfig()) as collection:
        return {word: {node_id for node_id, _ in collection.keywords.search(word, 1000)} for word in WORDS}


def check_whole(home: Path) -> None:
    """Every document that a search shows is there with all its passages, all of one state, in both indexes."""
    with Collection.create(StoreConfig(home), EmbeddingConfig(), ChunkingConfig()) as collection:
        for record in collection.catalog.documents():
            nodes = collection.vectors.get_version(record.version)
            assert len(nodes) == record.chunks
        live = collection.catalog.sources()
        words = collection.keywords.versions()
        assert {version: words[version] for version in live} == {
            record.version: record.chunks for record in collection.catalog.documents()
        }


def test_an_ingest_killed_at_any_instant_shows_whole_documents_and_ends_like_a_clean_one(
    ingests: Ingests, folder: Path, tmp_path: Path
) -> None:
    dice = random.Random(20)
    home = tmp_path / "home"
    for number in range(8):
        write(folder, f"{number}.md", 0)
    usual = ingests.run(home)
    assert usual

    kills = 0
    for state in count(1):
        change_everything(folder, dice, state)
        ended = ingests.run(home, kill_after=dice.uniform(0.0, usual))
        check_whole(home)
        usual = ended or usual
        kills += not ended
        if kills == KILLS:
            break
    ingests.run(home)

    clean = tmp_path / "clean"
    with Collection.create(StoreConfig(clean), EmbeddingConfig(), ChunkingConfig()) as collection:
        Ingester(collection, LocalEngine(HashEncoder(), ChunkingConfig())).sync([folder])
    texts, vectors = index_of(home)
    clean_texts, clean_vectors = index_of(clean)
    assert texts == clean_texts
    assert vectors.keys() == clean_vectors.keys()
    for node_id, vector in vectors.items():
        np.testing.assert_allclose(vector, clean_vectors[node_id], atol=1e-6)
    assert hits_of(home) == hits_of(clean)
    with Collection.open(StoreConfig(home), EmbeddingConfig(), ChunkingConfig()) as collection:
        assert not find_damage(collection)
