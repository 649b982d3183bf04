"""Rerankers that run on a server, spoken to over HTTP: vLLM, TEI, Cohere and Jina."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ingest.errors import UsageError
from ingest.server import ModelServer, number
from retrievers.rerank.errors import RerankerError

Dialect = Literal["vllm", "vllm-score", "tei", "cohere", "jina"]
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)

TEI_BATCH = 32
"""Texts a request: the default limit of TEI, `--max-client-batch-size`."""

BUSY = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class _Question:
    """What one request asks."""

    model: str
    query: str
    documents: Sequence[str]
    instruction: str | None

    def named(self, **fields: Any) -> dict[str, Any]:
        """A request body with model and instruction, where these are given."""
        optional = {"model": self.model or None, "instruction": self.instruction}
        return fields | {name: value for name, value in optional.items() if value is not None}

    def ranked(self) -> dict[str, Any]:
        """What vLLM, Cohere and Jina have in common: all documents, ranked."""
        return self.named(query=self.query, documents=list(self.documents), top_n=len(self.documents))


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a kind of server is asked, and where in its answer the results and their scores stand."""

    path: str
    body: Callable[[_Question], dict[str, Any]]
    results: str | None
    score: str
    follows_instructions: bool = False
    batch: int | None = None


_SHAPES: dict[Dialect, _Shape] = {
    "vllm": _Shape("/v1/rerank", _Question.ranked, "results", "relevance_score", follows_instructions=True),
    "vllm-score": _Shape(
        "/score",
        lambda question: question.named(queries=question.query, documents=list(question.documents)),
        "data",
        "score",
        follows_instructions=True,
    ),
    "tei": _Shape(
        "/rerank",
        lambda question: {"query": question.query, "texts": list(question.documents), "truncate": True},
        None,
        "score",
        batch=TEI_BATCH,
    ),
    "cohere": _Shape("/v2/rerank", _Question.ranked, "results", "relevance_score"),
    "jina": _Shape("/v1/rerank", _Question.ranked, "results", "relevance_score"),
}


class RemoteReranker:
    """Scores documents by a server that speaks one of the dialects. Safe to use from several threads.

    What each can do:

    - `vllm` (/v1/rerank) and `vllm-score` (/score) send the instruction along; servers from before May 2026 ignore it.
      For Qwen3-Reranker the server must be started with its `hf_overrides` and with a chat template whose last line
      is followed by one more newline: Jinja drops one, and without it the scores are quietly wrong.
    - `tei` (/rerank) has no instructions and no Qwen3-Reranker; documents that are too long are cut by the server.
    - `cohere` (/v2/rerank) and `jina` (/v1/rerank) have no instructions.

    An instruction given to a server that has none is left out. Every request asks for all documents and every answer
    must hold each of them once; anything else is a `RerankerError`. A busy server (429, 503) is asked again, later each
    time, within `timeout_s`; other failures are reported at once.
    """

    def __init__(
        self, dialect: Dialect, base_url: str, *, model: str = "", api_key: str = "", timeout_s: float = 30.0
    ) -> None:
        if dialect not in DIALECTS:
            raise UsageError(f"Expected a rerank server of {', '.join(DIALECTS)}; got '{dialect}'.")
        self._shape = _SHAPES[dialect]
        self._server = ModelServer(
            "rerank server",
            base_url,
            self._shape.path,
            api_key=api_key,
            timeout_s=timeout_s,
            busy=BUSY,
            failure=RerankerError,
        )
        self.url = self.where = self._server.url
        self.model = model

    @property
    def follows_instructions(self) -> bool:
        return self._shape.follows_instructions

    def score(self, query: str, documents: Sequence[str], *, instruction: str | None = None) -> list[float]:
        """The server's score of each document, in the order given; `[]` without a request for no documents.

        Raises `RerankerError` where the server cannot be reached, refuses, or answers in another shape.
        """
        if not self.follows_instructions:
            instruction = None
        size = self._shape.batch or max(len(documents), 1)
        deadline = self._server.deadline()
        scores: list[float] = []
        for start in range(0, len(documents), size):
            batch = documents[start : start + size]
            body = self._shape.body(_Question(self.model, query, batch, instruction))
            scores += self._read(self._server.ask(body, deadline), len(batch))
        return scores

    def close(self) -> None:
        """Closes the connections."""
        self._server.close()

    def _read(self, content: bytes, count: int) -> list[float]:
        """The scores in the order in which the documents were sent. Raises `RerankerError` for any other shape."""
        name, field = self._shape.results, self._shape.score
        answer = self._server.parse(content)
        try:
            results = answer if name is None else answer[name]
            scores = {number(result["index"], int): float(number(result[field], (int, float))) for result in results}
        except (KeyError, TypeError, OverflowError) as error:
            raise RerankerError(
                f'Expected {"a list" if name is None else name} of "index" and "{field}" from {self.url}, got: '
                f"{self._server.quote(content)}."
            ) from error
        if len(results) != count or scores.keys() != set(range(count)):
            raise RerankerError(
                f"Expected each of {count} documents once from {self.url}, got {len(results)} results with "
                f"{len(scores)} different indexes."
            )
        if not all(map(math.isfinite, scores.values())):
            raise RerankerError(f"{self.url} gave a score that is no number. Check the model and its precision there.")
        return [scores[index] for index in range(count)]
