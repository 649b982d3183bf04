"""A server that runs a model, spoken to in JSON over HTTP."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Collection, Mapping
from typing import Any

import httpx

from ingest.errors import RagError, UsageError

ATTEMPTS = 4
FIRST_PAUSE_S = 0.5
MAX_ANSWER_BYTES = 64 * 2**20

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class ModelServer:
    """Sends requests to one path of a server. Safe to use from several threads.

    `kind` names the server in sentences ("rerank server"). A busy server, one that answers with a status in `busy`, is
    asked again, later each time, within `timeout_s`; other failures are reported at once. All are raised as `failure`,
    and none shows the key. Raises `UsageError` for an address, key or timeout that cannot be used.
    """

    def __init__(
        self,
        kind: str,
        base_url: str,
        path: str,
        *,
        api_key: str,
        timeout_s: float,
        busy: Collection[int],
        failure: type[RagError],
    ) -> None:
        if not (math.isfinite(timeout_s) and timeout_s > 0):
            raise UsageError(f"Expected a timeout in seconds, more than 0; got {timeout_s:g}.")
        # The HTTP library would quote such a key in its own error.
        if not re.fullmatch(r"[!-~]*", api_key):
            raise UsageError(
                "Expected an API key of letters, digits and signs only; the one given holds a space, a line break or "
                "another character that a header cannot carry."
            )
        self.url = _address(base_url, kind) + path
        self._kind = kind
        self._timeout_s = timeout_s
        self._busy = busy
        self._failure = failure
        self._key = api_key.encode()
        headers = {"Content-Type": "application/json"}
        self._client = httpx.Client(headers=headers | ({"Authorization": f"Bearer {api_key}"} if api_key else {}))

    def deadline(self) -> float:
        """The time of `time.monotonic` at which a request that starts now must have its answer."""
        return time.monotonic() + self._timeout_s

    def ask(self, body: Mapping[str, Any], deadline: float) -> bytes:
        """The server's answer; a busy server is asked up to `ATTEMPTS` times before the deadline."""
        # Half a surrogate pair, as damaged documents hold, has no bytes; it becomes a question mark.
        request = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        pause = FIRST_PAUSE_S
        for attempt in range(1, ATTEMPTS + 1):
            status, content, wanted = self._post(request, deadline)
            if status not in self._busy:
                break
            wait = wanted if wanted is not None else pause
            if attempt == ATTEMPTS or time.monotonic() + wait > deadline:
                raise self._failure(
                    f"The {self._kind} at {self.url} is busy: {attempt} attempts, status {status}: "
                    f"{self.quote(content)}. Try again later, or raise the timeout (now {self._timeout_s:g} s)."
                )
            time.sleep(wait)
            pause *= 2
        if status != 200:
            raise self._failure(f"The {self._kind} at {self.url} answered with status {status}: {self.quote(content)}.")
        return content

    def parse(self, content: bytes) -> Any:
        """The JSON of an answer."""
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self._failure(f"Expected JSON from {self.url}, got: {self.quote(content)}.") from error

    def quote(self, content: bytes) -> str:
        """The beginning of what the server sent, on one line; servers that refuse a key like to repeat it."""
        shown = content.replace(self._key, b"***") if self._key else content
        return _CONTROL.sub(" ", shown[:800].decode("utf-8", "replace"))[:200].strip() or "nothing"

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _post(self, request: bytes, deadline: float) -> tuple[int, bytes, float | None]:
        """Status, content and the seconds after which a busy server wants to be asked again."""
        left = max(deadline - time.monotonic(), 0.001)
        content = bytearray()
        try:
            with self._client.stream("POST", self.url, content=request, timeout=left) as response:
                for piece in response.iter_bytes():
                    content += piece
                    if len(content) > MAX_ANSWER_BYTES:
                        raise self._failure(f"The answer of {self.url} is longer than {MAX_ANSWER_BYTES >> 20} MB.")
                    if time.monotonic() > deadline:  # the library's timeout is for each piece
                        raise httpx.ReadTimeout("the answer did not end")
        except httpx.TimeoutException as error:
            raise self._failure(
                f"The {self._kind} at {self.url} did not answer within {self._timeout_s:g} s. Is it overloaded? The "
                "timeout can be raised."
            ) from error
        except httpx.ConnectError as error:
            raise self._failure(
                f"The {self._kind} at {self.url} cannot be reached ({self.quote(str(error).encode())}). Is it running?"
            ) from error
        except httpx.HTTPError as error:
            raise self._failure(
                f"The {self._kind} at {self.url} broke off its answer ({self.quote(str(error).encode())}). Its log "
                "may tell why."
            ) from error
        return response.status_code, bytes(content), _seconds(response.headers.get("Retry-After"))


def number(value: Any, kind: type | tuple[type, ...]) -> Any:
    """The value, where it is a number of that kind. Raises `TypeError` for any other, such as true."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"expected a number, got {value!r}")
    return value


def _address(base_url: str, kind: str) -> str:
    """The address without a version at its end: people copy the one that they use elsewhere."""
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, ValueError) as error:
        raise UsageError(f"Expected the address of the {kind}; got one that cannot be read: {error}.") from error
    if url.userinfo:  # errors and descriptions show the address
        raise UsageError(f"Expected the address of the {kind} without name and password; set an API key instead.")
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment or re.search(r"\s", base_url):
        raise UsageError(f"Expected the address of the {kind}, such as http://localhost:8000; got '{base_url}'.")
    return re.sub(r"(/v\d+)?/*$", "", base_url)


def _seconds(retry_after: str | None) -> float | None:
    """The header in its form of seconds; its other form, a date, is left to the usual pauses."""
    return float(retry_after) if retry_after and re.fullmatch(r"\d{1,6}", retry_after) else None
