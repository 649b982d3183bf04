"""The speed limits of the embedded profile, measured: `python bench/limits.py`.

Prints one line a limit: what was measured and what it must stay under. Documents are made on the spot, so that every
machine measures the same work.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from reportlab.pdfgen.canvas import Canvas

# In front of this file's folder, where bench/ingest.py hides the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ingest.collection import Collection
from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig
from ingest.document import Block, Document, Line, Page
from ingest.embedding import MiniLmEncoder
from ingest.engines.local import LocalEngine
from ingest.pipeline import Ingester
from ingest.preparing import HashedFile, embed, make_entry
from ingest.records import FileRecord
from retrievers.hybrid import HybridRetriever, embedded_reranker

PAGES = 100
LINES_A_PAGE = 45
WORDS_A_LINE = 13
CHUNKS = 5000
CANDIDATES = 20
REPEATS = 15

_WORDS = """pump valve pressure supplier agreement oil filter clause torque warranty delivery fault code press cylinder
notice party hydraulic switch motor payment liability interval bolt temperature seal buyer seller maintenance"""
WORDS = _WORDS.split()


def text(draw: random.Random, words: int) -> str:
    return " ".join(draw.choice(WORDS) for _ in range(words)).capitalize() + "."


def write_pdf(path: Path, draw: random.Random) -> None:
    canvas = Canvas(str(path), invariant=1)
    for page in range(PAGES):
        canvas.drawString(60, 800, f"{page + 1} {draw.choice(WORDS).capitalize()}")
        for line in range(LINES_A_PAGE):
            canvas.drawString(60, 780 - 16 * line, text(draw, WORDS_A_LINE)[:95])
        canvas.showPage()
    canvas.save()


def hashed(number: int) -> HashedFile:
    path = Path(f"manual-{number}.txt")
    return HashedFile(FileRecord(path, path.name, 0, 0), f"{number:064}"[::-1])


def median_ms(work: Callable[[int], object]) -> float:
    work(0)  # dictionaries load at the first call
    times = []
    for number in range(1, REPEATS + 1):
        started = time.perf_counter()
        work(number)
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def main() -> None:
    draw = random.Random(0)
    encoder = MiniLmEncoder()
    with tempfile.TemporaryDirectory() as folder:
        pdf = Path(folder) / "manual.pdf"
        write_pdf(pdf, draw)
        with Collection.create(StoreConfig(Path(folder) / "a"), EmbeddingConfig(), ChunkingConfig()) as collection:
            report = Ingester(collection, LocalEngine(encoder, ChunkingConfig())).sync([pdf])
        print(f"ingest of a PDF of {PAGES} pages: {report.seconds:.1f} s ({report.chunks} passages; limit 60 s)")

        with Collection.create(StoreConfig(Path(folder) / "b"), EmbeddingConfig(), ChunkingConfig()) as collection:
            number = 0
            while len(collection.vectors) < CHUNKS:
                number += 1
                lines = tuple(Block("text", (Line(text(draw, 120)),)) for _ in range(500))
                page = Page(1, "", lines)
                document = Document(f"Manual {number}", (page,))
                entry = make_entry(hashed(number), document, ChunkingConfig(), encoder.count_tokens)
                embed([entry], encoder)
                collection.put([entry])
            retriever = HybridRetriever(
                collection, encoder, embedded_reranker(collection, encoder), candidates=CANDIDATES, top_k=8
            )
            questions = [text(draw, 9) for _ in range(REPEATS + 1)]
            hybrid = median_ms(lambda n: retriever.search(questions[n], strategy="hybrid"))
            rerank = median_ms(lambda n: retriever.search(questions[n]))
            print(f"hybrid search over {len(collection.vectors)} passages: {hybrid:.0f} ms (limit 100 ms)")
            print(f"search with {CANDIDATES} candidates reranked: {rerank:.0f} ms (limit 1500 ms)")


if __name__ == "__main__":
    main()
