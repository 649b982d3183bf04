"""A chat endpoint on the loopback that speaks OpenAI's protocol, for tests of the language model."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rag_app.llm import LanguageModel

KEY = "sk-very-secret"


@dataclass
class ChatServer:
    """What the server answers with, and what it was asked."""

    pieces: list[str] = field(default_factory=list)
    status: int = 200
    error: dict[str, object] = field(default_factory=lambda: {"message": f"no: {KEY}"})
    delay_s: float = 0.0
    finish_reason: str = "stop"
    body: bytes | None = None
    promised: int | None = None
    """The length that the header of `body` tells, where it is not that of `body`."""
    requests: list[dict[str, object]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    address: str = ""

    def model(self, **options: Any) -> LanguageModel:
        from rag_app.llm.remote import open_remote  # seconds, which most tests need not spend

        return open_remote(self.address, "qwen3", **{"api_key": KEY, "timeout_s": 10.0, **options})


def event(content: str | None, finish_reason: str | None = None) -> bytes:
    delta = {} if content is None else {"role": "assistant", "content": content}
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "qwen3", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


@pytest.fixture
def server() -> Iterator[ChatServer]:
    state = ChatServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            state.keys.append(self.headers["Authorization"])
            time.sleep(state.delay_s)
            self.send_response(state.status)
            self.send_header("Content-Type", "text/event-stream" if state.status == 200 else "application/json")
            if state.promised is not None:
                self.send_header("Content-Length", str(state.promised))
            self.end_headers()
            if state.status != 200:
                self.wfile.write(json.dumps({"error": state.error}).encode())
            elif state.body is not None:
                self.wfile.write(state.body)
            else:
                for piece in state.pieces:
                    self.wfile.write(event(piece))
                self.wfile.write(event(None, state.finish_reason) + b"data: [DONE]\n\n")

        def log_message(self, format: str, *args: object) -> None:
            """Tests print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state.address = f"http://127.0.0.1:{http.server_port}/v1"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        http.shutdown()
        thread.join()
