"""A small HTTP server that answers as a rerank server does: longer documents score higher."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


def score_of(document: str) -> float:
    return len(document) / 1000


def best_first(documents: list[str], name: str) -> list[dict[str, Any]]:
    found = [{"index": index, name: score_of(text)} for index, text in enumerate(documents)]
    return sorted(found, key=lambda result: -result[name])


def vllm(body: dict[str, Any]) -> Any:
    texts = body["documents"]
    results = [
        {**result, "document": {"text": texts[result["index"]]}} for result in best_first(texts, "relevance_score")
    ]
    return {"id": "rerank-1", "model": body["model"], "usage": {"total_tokens": 9}, "results": results[: body["top_n"]]}


def vllm_score(body: dict[str, Any]) -> Any:
    data = [{**result, "object": "score"} for result in best_first(body["documents"], "score")]
    assert isinstance(body["queries"], str)
    return {"id": "score-1", "object": "list", "created": 1, "model": body["model"], "data": data, "usage": {}}


def tei(body: dict[str, Any]) -> Any:
    assert set(body) <= {"query", "texts", "truncate", "raw_scores", "return_text"}
    return best_first(body["texts"], "score")


def cohere(body: dict[str, Any]) -> Any:
    assert set(body) <= {"model", "query", "documents", "top_n", "max_tokens_per_doc"}
    return {
        "id": "1",
        "results": best_first(body["documents"], "relevance_score")[: body["top_n"]],
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
    }


def jina(body: dict[str, Any]) -> Any:
    assert set(body) <= {"model", "query", "documents", "top_n", "return_documents"}
    results = best_first(body["documents"], "relevance_score")[: body["top_n"]]
    return {
        "model": body["model"],
        "usage": {"total_tokens": 9, "prompt_tokens": 9},
        "results": [{**result, "document": {"text": body["documents"][result["index"]]}} for result in results],
    }


ANSWERS: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "vllm": ("/v1/rerank", vllm),
    "vllm-score": ("/score", vllm_score),
    "tei": ("/rerank", tei),
    "cohere": ("/v2/rerank", cohere),
    "jina": ("/v1/rerank", jina),
}


@dataclass
class Server:
    """What was asked, and the replies that come before the usual ones."""

    url: str = ""
    paths: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    first: list[Reply | Callable[[], Reply]] = field(default_factory=list)

    def always(self, status: int, body: object, **headers: str) -> None:
        self.first = [(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())] * 50


def rerank_server(dialect: str) -> AbstractContextManager[Server]:
    """A server of this kind on a free port, until the block ends."""
    return model_server(*ANSWERS[dialect])


@contextmanager
def model_server(path: str, answer: Callable[[dict[str, Any]], Any]) -> Iterator[Server]:
    """A server on a free port that answers at this path, until the block ends."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.paths.append(self.path)
            state.bodies.append(body)
            state.headers.append(dict(self.headers))
            if state.first:
                reply = state.first.pop(0)
                status, headers, content = reply() if callable(reply) else reply
            elif self.path != path:
                status, headers, content = 404, {}, b"not found"
            else:
                status, headers, content = 200, {}, json.dumps(answer(body)).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
