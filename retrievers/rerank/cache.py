"""Scores that were computed before."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence


class ScoreCache:
    """The `capacity` scores used last, of one model. Safe to use from several threads.

    A score is found by the model's revision, the instruction, the query and the document's content. Texts are kept as
    digests: an entry takes about 200 bytes, whatever the length of the document.
    """

    def __init__(self, revision: str, capacity: int) -> None:
        self._revision = revision
        self._capacity = capacity
        self._scores: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def keys(self, instruction: str, query: str, documents: Sequence[str]) -> list[bytes]:
        """The key of each document, in the order given."""
        context = hashlib.sha256()
        for part in (self._revision, instruction, query):
            context.update(hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest())
        keys = []
        for document in documents:
            key = context.copy()
            key.update(document.encode("utf-8", "surrogatepass"))
            keys.append(key.digest())
        return keys

    def lookup(self, keys: Sequence[bytes]) -> dict[bytes, float]:
        """The scores of those keys that are known."""
        with self._lock:
            found = {key: self._scores[key] for key in keys if key in self._scores}
            for key in found:
                self._scores.move_to_end(key)
        return found

    def put(self, key: bytes, score: float) -> None:
        with self._lock:
            self._scores[key] = score
            self._scores.move_to_end(key)
            while len(self._scores) > self._capacity:
                self._scores.popitem(last=False)

    def __len__(self) -> int:
        return len(self._scores)
