"""Any server that speaks OpenAI's `/v1/embeddings`: OpenAI, vLLM, TEI, Ollama, llama.cpp."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ingest.config import EmbeddingConfig
from ingest.embedding.minilm import token_counter
from ingest.embedding.protocol import EmbeddingError, FloatMatrix, instruct, unit_rows
from ingest.server import ModelServer, number

BATCH_TEXTS = 32
"""Texts a request: the default limit of TEI, `--max-client-batch-size`."""

BUSY = frozenset({429, 500, 502, 503, 504})
"""An ingest of hours should outlive a server's restart."""


class RemoteEncoder:
    """The vectors that a server gives; they are scaled to length 1 here, whatever it does.

    Every answer must hold one vector a text, all of the same dimension; anything else is an `EmbeddingError`. A server
    that is busy (429) or fails (5xx) is asked again, later each time, within the timeout.

    A server does not tell its tokenizer: tokens are counted as the embedded model would, which is near enough for the
    size of passages. What is too long for it, it cuts or refuses.
    """

    def __init__(self, config: EmbeddingConfig) -> None:
        self.identity = config.identity
        self._config = config
        self._server = ModelServer(
            "embedding server",
            config.base_url,
            "/v1/embeddings",
            api_key=config.api_key,
            timeout_s=config.timeout_s,
            busy=BUSY,
            failure=EmbeddingError,
        )
        self.where = self._server.url

    @cached_property
    def dimension(self) -> int:
        """As set, else as the server answers."""
        return self._config.dimensions or len(self._ask(["dimension"])[0])

    def reads(self, text: str) -> bool:
        return True

    def count_tokens(self, text: str) -> int:
        return token_counter()(text)

    def encode_documents(self, texts: Sequence[str]) -> FloatMatrix:
        """One unit vector a text, `[texts, dimension]`, in the order given.

        Raises `EmbeddingError` where the server cannot be reached, refuses, or answers in another shape.
        """
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), BATCH_TEXTS):
            found = self._ask(texts[start : start + BATCH_TEXTS])
            if found.shape[1] != self.dimension:
                raise EmbeddingError(
                    f"Expected vectors of {self.dimension} dimensions from {self._server.url}, got {found.shape[1]}. "
                    f"Check embedding_dimensions, and that '{self._config.name}' is still the model there."
                )
            vectors[start : start + len(found)] = found
        return vectors

    def encode_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Likewise for questions; with an instruction they are sent as Qwen3-Embedding was trained to read them."""
        task = self._config.instruction
        return self.encode_documents([instruct(task, text) for text in texts] if task else texts)

    def close(self) -> None:
        """Closes the connections."""
        self._server.close()

    def _ask(self, texts: Sequence[str]) -> FloatMatrix:
        body: dict[str, Any] = {"model": self._config.name, "input": list(texts), "encoding_format": "float"}
        if self._config.dimensions:
            body["dimensions"] = self._config.dimensions
        return self._read(self._server.ask(body, self._server.deadline()), len(texts))

    def _read(self, content: bytes, count: int) -> FloatMatrix:
        """The vectors in the order in which the texts were sent. Raises `EmbeddingError` for any other shape."""
        answer = self._server.parse(content)
        try:
            results = answer["data"]
            rows = {
                number(result["index"], int): [float(number(value, (int, float))) for value in result["embedding"]]
                for result in results
            }
        except (KeyError, TypeError, OverflowError) as error:
            raise EmbeddingError(
                f'Expected data of "index" and "embedding" from {self._server.url}, got: {self._server.quote(content)}.'
            ) from error
        if len(results) != count or rows.keys() != set(range(count)):
            raise EmbeddingError(
                f"Expected a vector for each of {count} texts from {self._server.url}, got {len(results)} with "
                f"{len(rows)} different indexes."
            )
        if len({len(row) for row in rows.values()}) != 1:
            raise EmbeddingError(f"{self._server.url} gave vectors of different dimensions for the same request.")
        vectors = np.asarray([rows[index] for index in range(count)])
        if not np.isfinite(vectors).all() or not vectors.any(axis=1).all():
            raise EmbeddingError(f"{self._server.url} gave a vector that has no direction. Check the model there.")
        return unit_rows(vectors)
