"""A process that loads everything once and then runs ingests in children, which may be killed at any instant.

Each line of standard input is a home; the child's process id is printed when it begins, "done" when it has ended.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hash_encoder import HashEncoder

from ingest.collection import Collection
from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig
from ingest.engines.local import LocalEngine
from ingest.pipeline import Ingester


def ingest(home: str, folder: str) -> None:
    with Collection.create(StoreConfig(Path(home)), EmbeddingConfig(), ChunkingConfig()) as collection:
        Ingester(collection, LocalEngine(HashEncoder(), ChunkingConfig(), workers=1)).sync([Path(folder)], prune=True)


def tell(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> None:
    while line := sys.stdin.readline():
        home, folder = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            ingest(home, folder)
            os._exit(0)
        tell(str(child))
        os.waitpid(child, 0)
        tell("done")


if __name__ == "__main__":
    main()
