"""The engine of one machine: readers in processes of their own, chunks and vectors in this one, at the same time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from ingest.config import ChunkingConfig, ReadingConfig
from ingest.embedding import Encoder
from ingest.engines.protocol import Prepared
from ingest.errors import RagError
from ingest.preparing import HashedFile, embed, make_entry
from ingest.reading import OnReading, ReaderPool, ReadFile
from ingest.records import Entry

# Passages that are embedded and committed together: enough to fill batches of like length, few enough for memory.
BATCH_PASSAGES = 256
# Files without passages cost a commit too.
BATCH_FILES = 64
# About as long as a commit takes: so long the next document is worth waiting for.
PATIENCE_SECONDS = 0.2


class LocalEngine:
    """Reads in `workers` processes (half of the processors when not given) and embeds here.

    `on_reading` and `stop` are those of `ReaderPool`: with `stop`, files that are being read are left unread.
    """

    def __init__(
        self,
        encoder: Encoder,
        chunking: ChunkingConfig,
        reading: ReadingConfig | None = None,
        *,
        workers: int | None = None,
        on_reading: OnReading = lambda path, page, pages: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._encoder = encoder
        self._chunking = chunking
        self._reading = reading or ReadingConfig()
        self._workers = workers
        self._on_reading = on_reading
        self._stop = stop

    def run(self, files: Iterable[HashedFile]) -> Generator[Sequence[Prepared], None, None]:
        """See `Engine.run`. A batch is closed when it is full, and when the next document is not there soon.

        While one batch is embedded, the next is read and chunked, and the one before it is committed by the caller.
        """
        batch: list[Prepared] = []
        embedding: Future[list[Prepared]] | None = None
        pool = ReaderPool(self._reading, self._workers, on_reading=self._on_reading, stop=self._stop)
        with ThreadPoolExecutor(1, "embedding") as beside, pool:
            for read in pool.read((hashed, hashed.file.path) for hashed in files):
                batch.append(self._prepare(read))
                more_soon = pool.ready(PATIENCE_SECONDS)
                if _is_full(batch) or not more_soon:
                    if embedding:
                        yield embedding.result()
                    embedding = beside.submit(self._embed, batch)
                    batch = []
                if embedding and not more_soon:
                    yield embedding.result()
                    embedding = None

    def _prepare(self, read: ReadFile[HashedFile]) -> Prepared:
        result: Entry | RagError
        if isinstance(read.result, RagError):
            result = read.result
        else:
            result = make_entry(read.key, read.result, self._chunking, self._encoder.count_tokens)
        return Prepared(read.key, result, read.seconds)

    def _embed(self, batch: list[Prepared]) -> list[Prepared]:
        embed([prepared.result for prepared in batch if isinstance(prepared.result, Entry)], self._encoder)
        return batch


def _is_full(batch: Sequence[Prepared]) -> bool:
    passages = sum(len(prepared.result.nodes) for prepared in batch if isinstance(prepared.result, Entry))
    return passages >= BATCH_PASSAGES or len(batch) >= BATCH_FILES
