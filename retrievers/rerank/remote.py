"""Rerankers that run on a server, spoken to over HTTP: vLLM, TEI, Cohere and Jina."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import httpx

from ingest.errors import UsageError
from retrievers.rerank.errors import RerankerError

Dialect = Literal["vllm", "vllm-score", "tei", "cohere", "jina"]
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)

TEI_BATCH = 32
"""Texts a request: the default limit of TEI, `--max-client-batch-size`."""

BUSY = (429, 503)
ATTEMPTS = 4
FIRST_PAUSE_S = 0.5
MAX_ANSWER_BYTES = 64 * 2**20

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


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
        if not (math.isfinite(timeout_s) and timeout_s > 0):
            raise UsageError(f"Expected a timeout in seconds, more than 0; got {timeout_s:g}.")
        # The HTTP library would quote such a key in its own error.
        if not re.fullmatch(r"[!-~]*", api_key):
            raise UsageError(
                "Expected an API key of letters, digits and signs only; the one given holds a space, a line break or "
                "another character that a header cannot carry."
            )
        self._shape = _SHAPES[dialect]
        self.url = _server(base_url) + self._shape.path
        self.model = model
        self._timeout_s = timeout_s
        self._key = api_key.encode()
        headers = {"Content-Type": "application/json"}
        self._client = httpx.Client(headers=headers | ({"Authorization": f"Bearer {api_key}"} if api_key else {}))

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
        deadline = time.monotonic() + self._timeout_s
        scores: list[float] = []
        for start in range(0, len(documents), size):
            batch = documents[start : start + size]
            body = self._shape.body(_Question(self.model, query, batch, instruction))
            # Half a surrogate pair, as damaged documents hold, has no bytes; it becomes a question mark.
            request = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
            scores += self._read(self._ask(request, deadline), len(batch))
        return scores

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _ask(self, request: bytes, deadline: float) -> bytes:
        """The server's answer; a busy server is asked up to `ATTEMPTS` times before the deadline."""
        pause = FIRST_PAUSE_S
        for attempt in range(1, ATTEMPTS + 1):
            status, content, wanted = self._post(request, deadline)
            if status not in BUSY:
                break
            wait = wanted if wanted is not None else pause
            if attempt == ATTEMPTS or time.monotonic() + wait > deadline:
                raise RerankerError(
                    f"The rerank server at {self.url} is busy: {attempt} attempts, status {status}. Try again later, "
                    f"or raise the timeout (now {self._timeout_s:g} s)."
                )
            time.sleep(wait)
            pause *= 2
        if status != 200:
            raise RerankerError(
                f"The rerank server at {self.url} answered with status {status}: {self._quote(content)}."
            )
        return content

    def _post(self, request: bytes, deadline: float) -> tuple[int, bytes, float | None]:
        """Status, content and the seconds after which a busy server wants to be asked again."""
        left = max(deadline - time.monotonic(), 0.001)
        content = bytearray()
        try:
            with self._client.stream("POST", self.url, content=request, timeout=left) as response:
                for piece in response.iter_bytes():
                    content += piece
                    if len(content) > MAX_ANSWER_BYTES:
                        raise RerankerError(f"The answer of {self.url} is longer than {MAX_ANSWER_BYTES >> 20} MB.")
                    if time.monotonic() > deadline:  # the library's timeout is for each piece
                        raise httpx.ReadTimeout("the answer did not end")
        except httpx.TimeoutException as error:
            raise RerankerError(
                f"The rerank server at {self.url} did not answer within {self._timeout_s:g} s. Is it overloaded? The "
                "timeout can be raised."
            ) from error
        except httpx.ConnectError as error:
            raise RerankerError(
                f"The rerank server at {self.url} cannot be reached ({self._quote(str(error).encode())}). Is it "
                "running?"
            ) from error
        except httpx.HTTPError as error:
            raise RerankerError(
                f"The rerank server at {self.url} broke off its answer ({self._quote(str(error).encode())}). Its log "
                "may tell why."
            ) from error
        return response.status_code, bytes(content), _seconds(response.headers.get("Retry-After"))

    def _read(self, content: bytes, count: int) -> list[float]:
        """The scores in the order in which the documents were sent. Raises `RerankerError` for any other shape."""
        name, field = self._shape.results, self._shape.score
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise RerankerError(f"Expected JSON from {self.url}, got: {self._quote(content)}.") from error
        try:
            results = answer if name is None else answer[name]
            scores = {_number(result["index"], int): float(_number(result[field], (int, float))) for result in results}
        except (KeyError, TypeError, OverflowError) as error:
            raise RerankerError(
                f'Expected {"a list" if name is None else name} of "index" and "{field}" from {self.url}, got: '
                f"{self._quote(content)}."
            ) from error
        if len(results) != count or scores.keys() != set(range(count)):
            raise RerankerError(
                f"Expected each of {count} documents once from {self.url}, got {len(results)} results with "
                f"{len(scores)} different indexes."
            )
        if not all(map(math.isfinite, scores.values())):
            raise RerankerError(f"{self.url} gave a score that is no number. Check the model and its precision there.")
        return [scores[index] for index in range(count)]

    def _quote(self, content: bytes) -> str:
        """The beginning of what the server sent, on one line; servers that refuse a key like to repeat it."""
        shown = content.replace(self._key, b"***") if self._key else content
        return _CONTROL.sub(" ", shown[:800].decode("utf-8", "replace"))[:200].strip() or "nothing"


def _server(base_url: str) -> str:
    """The address without a version at its end: people copy the one that they use elsewhere."""
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, ValueError) as error:
        raise UsageError(f"Expected the address of a rerank server; got one that cannot be read: {error}.") from error
    if url.userinfo:  # errors and descriptions show the address
        raise UsageError("Expected the address of a rerank server without name and password; set an API key instead.")
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment or re.search(r"\s", base_url):
        raise UsageError(f"Expected the address of a rerank server, such as http://localhost:8000; got '{base_url}'.")
    return re.sub(r"(/v\d+)?/*$", "", base_url)


def _number(value: Any, kind: type | tuple[type, ...]) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"expected a number, got {value!r}")
    return value


def _seconds(retry_after: str | None) -> float | None:
    """The header in its form of seconds; its other form, a date, is left to the usual pauses."""
    return float(retry_after) if retry_after and re.fullmatch(r"\d{1,6}", retry_after) else None
