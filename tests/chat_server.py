"""A chat endpoint on the loopback that speaks OpenAI's protocol, for tests of the language model."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rag_app.llm import LanguageModel, open_model

KEY = "sk-very-secret"


@dataclass
class ChatServer:
    """What the server answers with, and what it was asked."""

    pieces: list[str] = field(default_factory=list)
    status: int = 200
    delay_s: float = 0.0
    finish_reason: str = "stop"
    body: bytes | None = None
    requests: list[dict[str, object]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    address: str = ""

    def model(self, *, timeout_s: float = 10.0) -> LanguageModel:
        return open_model(self.address, "qwen3", api_key=KEY, timeout_s=timeout_s)


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
            self.end_headers()
            if state.status != 200:
                self.wfile.write(json.dumps({"error": {"message": f"no: {KEY}"}}).encode())
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
