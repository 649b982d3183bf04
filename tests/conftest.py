"""What all tests share: the encoder, an empty home, and no trace of the machine's own settings."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ingest.config import StoreConfig

if TYPE_CHECKING:
    from ingest.embedding import MiniLmEncoder

# Read when torch is first imported, by subprocesses too. Several test processes share the processors, and the models
# here are so small that the threads of torch and NumPy mostly wait for each other, busily.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The tests make a thousand small databases, which wait for the disk at every commit: they are made in memory where
# there is plenty. What a test that passed leaves is removed at once, so that some hundred megabytes are the most.
MEMORY = Path("/dev/shm")
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 4 * 2**30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# Their fixtures; as plugins, because pytest then shows what an assertion in them saw.
pytest_plugins = ["browser", "chat_server", "chroma_server"]

USER_FOLDERS = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser tests come first: their files take longest, and they wait while others compute."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)


@pytest.fixture(scope="session", autouse=True)
def _own_user_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The user's settings, collections and caches are neither read nor written, by subprocesses neither."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("RAG_")]:
            patch.delenv(name)
        for name in USER_FOLDERS:
            patch.setenv(name, str(tmp_path_factory.mktemp(name)))
        patch.setenv("RAG_RERANKER", "embedded")  # with a GPU the default would look for a model on the hub
        yield


@pytest.fixture(scope="session")
def encoder() -> MiniLmEncoder:
    """The embedded model, loaded once."""
    from ingest.embedding import MiniLmEncoder

    return MiniLmEncoder()


@pytest.fixture
def home(tmp_path: Path) -> StoreConfig:
    """A collection that does not exist yet, in a home of its own."""
    return StoreConfig(tmp_path / "home", "manuals")


@pytest.fixture(scope="session")
def qwen3_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Qwen3 with random weights and the real tokenizer, as a checkpoint on disk."""
    from qwen3_checkpoint import save_checkpoint, tiny_qwen3

    return save_checkpoint(tiny_qwen3(), tmp_path_factory.mktemp("qwen3") / "tiny-reranker")


@pytest.fixture(scope="session")
def tested_qwen3_folder(qwen3_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny checkpoint with the log-odds that it gives, so that it passes the self-test of a start."""
    from qwen3_checkpoint import add_known_pairs

    from retrievers.rerank.qwen3 import Qwen3Reranker

    folder = tmp_path_factory.mktemp("tested") / "reranker"
    shutil.copytree(qwen3_folder, folder)
    engine = Qwen3Reranker.from_pretrained(folder, device="cpu", self_test=False)
    documents = ["Error E07: oil pressure low.", "The supplier pays."]
    add_known_pairs(folder, "What is E07?", documents, "Find it", engine.logits("What is E07?", documents, "Find it"))
    return folder
