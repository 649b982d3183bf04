"""What an index of many passages takes: `python bench/scaling.py --sizes 20000,200000`.

For each size, with the vectors in this process and on a Chroma server of its own: disk, memory, the time to add, and
the time of searches. Vectors are random unit vectors and words are drawn by Zipf's law, so nothing is read or embedded;
random vectors are the hardest case of a nearest-neighbour graph. Everything lies in a temporary folder. Memory is read
from /proc, so Linux only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np

# In front of this file's folder, where bench/ingest.py hides the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ingest.chunking import Chunk
from ingest.collection import Collection
from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig
from ingest.embedding import MiniLmEncoder
from ingest.nodes import node_from_chunk
from ingest.records import DocumentRecord, Entry, FileRecord
from retrievers.hybrid import HybridRetriever, embedded_reranker

DIMENSION = 384
PASSAGES_A_DOCUMENT = 100
DOCUMENTS_A_COMMIT = 5  # as many passages as an ingest commits at once, about
WORDS_A_PASSAGE = 120
LINES_A_PASSAGE = 10
VOCABULARY = 30_000
QUERIES = 50
FIRST_STAGE = 50


class Words:
    """Invented words, the commonest first, drawn as language draws them."""

    def __init__(self, seed: int) -> None:
        self._draw = np.random.default_rng(seed)
        letters = random.Random(0)
        self._words = ["".join(letters.choices("aeioulnrstmdpc", k=letters.randint(2, 9))) for _ in range(VOCABULARY)]
        weights = 1.0 / np.arange(1, VOCABULARY + 1)
        self._weights = weights / weights.sum()

    def text(self, count: int) -> str:
        return " ".join(self._words[place] for place in self._draw.choice(VOCABULARY, count, p=self._weights))

    def vectors(self, count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        rows = self._draw.standard_normal((count, DIMENSION))
        unit: np.ndarray[Any, np.dtype[np.float64]] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


def entry(number: int, words: Words) -> Entry:
    """A document of made up passages, with the metadata that a PDF gives."""
    name = f"manual-{number}.pdf"
    content_hash = hashlib.sha256(name.encode()).hexdigest()
    document_id = content_hash[:16]
    file = FileRecord(Path("/documents") / name, name, 1, 1, document_id=document_id)
    record = DocumentRecord(
        document_id=document_id,
        version=f"{document_id}-1",
        content_hash=content_hash,
        title=f"Manual {number}",
        titled_by_name=False,
        pages=PASSAGES_A_DOCUMENT // 2,
        ocr_pages=0,
        chunks=PASSAGES_A_DOCUMENT,
        media=None,
        ingested_at=datetime.now(UTC),
        files=(file,),
    )
    nodes = []
    for position, vector in enumerate(words.vectors(PASSAGES_A_DOCUMENT)):
        node = node_from_chunk(_chunk(position, words), position, record)
        node.embedding = vector.tolist()
        nodes.append(node)
    return Entry(record, nodes)


def _chunk(position: int, words: Words) -> Chunk:
    text = words.text(WORDS_A_PASSAGE)
    page = 1 + position // 2
    step = len(text) // LINES_A_PASSAGE
    return Chunk(
        text=text,
        page=page,
        page_label=str(page),
        section=f"{1 + position // 10}. {words.text(3)}",
        boxes=tuple((page, 72.0, 90.5 + 14 * line, 523.3, 102.4 + 14 * line) for line in range(LINES_A_PASSAGE)),
        box_spans=tuple((line * step, (line + 1) * step) for line in range(LINES_A_PASSAGE)),
        clauses=(f"{1 + position // 10}.{position % 10}",),
    )


def fill(store: StoreConfig, size: int) -> dict[str, float]:
    """Adds so many passages; the time is that of the collection alone."""
    words = Words(0)
    seconds = 0.0
    with Collection.create(store, EmbeddingConfig(), ChunkingConfig()) as collection:
        for first in range(0, size // PASSAGES_A_DOCUMENT, DOCUMENTS_A_COMMIT):
            entries = [entry(number, words) for number in range(first, first + DOCUMENTS_A_COMMIT)]
            started = time.perf_counter()
            collection.put(entries)
            seconds += time.perf_counter() - started
    return {"add_s": round(seconds, 1), "add_memory_mb": _memory_mb("self", "VmHWM")}


def search(store: StoreConfig) -> dict[str, float]:
    """The median time of searches in a process that has just opened the collection, and its memory after them."""
    words = Words(1)
    vectors = words.vectors(QUERIES).tolist()
    questions = [words.text(8) for _ in range(QUERIES)]
    before = _memory_mb("self", "VmRSS")
    with Collection.open(store, EmbeddingConfig()) as collection:
        started = time.perf_counter()
        collection.vectors.nearest(vectors[0], FIRST_STAGE)
        first = time.perf_counter() - started
        dense = _median_ms(lambda number: collection.vectors.nearest(vectors[number], FIRST_STAGE))
        keyword = _median_ms(lambda number: collection.keywords.search(questions[number], FIRST_STAGE))
        after = _memory_mb("self", "VmRSS")
        encoder = MiniLmEncoder()
        retriever = HybridRetriever(collection, encoder, embedded_reranker(collection, encoder))
        both = _median_ms(lambda number: retriever.search(questions[number], strategy="hybrid", top_k=FIRST_STAGE))
        passages = len(collection.vectors)
    return {
        "passages": passages,
        "first_search_ms": round(1000 * first, 1),
        "dense_ms": dense,
        "keyword_ms": keyword,
        "both_ms": both,
        "index_memory_mb": after - before,
    }


def _median_ms(work: Callable[[int], object]) -> float:
    work(0)  # dictionaries and caches load at the first call
    times = []
    for number in range(QUERIES):
        started = time.perf_counter()
        work(number)
        times.append(1000 * (time.perf_counter() - started))
    return round(median(times), 1)


def _memory_mb(process: int | str, what: str) -> int:
    """VmRSS: what it takes now. VmHWM: the most it ever took."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) // 1024


def _disk_mb(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) >> 20


@contextmanager
def chroma_server(folder: Path) -> Iterator[tuple[str, int]]:
    """A Chroma server: its address and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    chroma = Path(sys.executable).with_name("chroma")
    command: list[str | Path] = [chroma, "run", "--path", folder, "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            httpx.get(f"{address}/api/v2/heartbeat").raise_for_status()
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("The Chroma server did not start.")


def _in_process_of_its_own(work: Callable[..., dict[str, float]], *arguments: object) -> dict[str, float]:
    """So that one measurement's memory is not another's."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def measure_embedded(folder: Path, size: int) -> dict[str, float]:
    store = StoreConfig(folder)
    found = _in_process_of_its_own(fill, store, size)
    chroma = _disk_mb(store.folder / "chroma")
    found |= {"vectors_disk_mb": chroma, "keywords_disk_mb": _disk_mb(store.folder / "keywords")}
    return found | _in_process_of_its_own(search, store)


def measure_server(folder: Path, size: int) -> dict[str, float]:
    with chroma_server(folder / "server") as (address, process):
        store = StoreConfig(folder, server=address)
        found = _in_process_of_its_own(fill, store, size)
        found["server_add_memory_mb"] = _memory_mb(process, "VmHWM")
    with chroma_server(folder / "server") as (address, process):  # started anew, as after a night
        store = StoreConfig(folder, server=address)
        found |= {
            "vectors_disk_mb": _disk_mb(folder / "server"),
            "keywords_disk_mb": _disk_mb(store.folder / "keywords"),
        }
        found |= _in_process_of_its_own(search, store)
        found["server_memory_mb"] = _memory_mb(process, "VmRSS")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="20000", help="Passages, separated by commas.")
    sizes = [int(size) for size in parser.parse_args(arguments).sizes.split(",")]
    for size in sizes:
        for place, measure in (("embedded", measure_embedded), ("server", measure_server)):
            with tempfile.TemporaryDirectory() as folder:
                print(json.dumps({"size": size, "place": place, **measure(Path(folder), size)}), flush=True)


if __name__ == "__main__":
    main()
