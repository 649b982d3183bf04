"""The process that reads files: `python -m ingest.loaders.worker`, one JSON line in for a file, some out.

In:   {"path", "passwords", "ocr", "skip_pages": [[page, sentence]]}
Out:  {"ready": true} once, then {"page": n, "pages": m} before each page, and at the end of a file {"document": ...} or
      {"refused": class, "reason"}.

It is told nothing but what to read, may take only so much memory, and dies with whoever started it.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from ingest.config import ReadingConfig
from ingest.loaders import Reading, UnreadableFileError, UnsupportedFileError, load
from ingest.loaders.codec import document_to_json


def main(memory_bytes: int) -> None:
    """Serves until its standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits for this one
    _limit_memory(memory_bytes)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # native libraries print
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin, requests), daemon=True).start()
    _say(answers, {"ready": True})
    while True:
        _answer(json.loads(requests.get()), answers)


def _listen(stream: TextIO, requests: queue.SimpleQueue[str]) -> None:
    """Hands the requests over; at their end the process ends at once, also in the middle of a page."""
    for line in stream:
        requests.put(line)
    os._exit(0)


def _answer(request: dict[str, Any], answers: TextIO) -> None:
    say = partial(_say, answers)
    reading = Reading(
        ReadingConfig(tuple(request["passwords"]), request["ocr"]),
        on_page=lambda page, pages: say({"page": page, "pages": pages}),
        skip_pages=dict(request["skip_pages"]),
    )
    try:
        document = load(Path(request["path"]), reading)
    except (UnreadableFileError, UnsupportedFileError) as error:
        say({"refused": type(error).__name__, "reason": str(error)})
    except OSError as error:
        say({"refused": "OSError", "reason": f"The file cannot be read: {error.strerror or error}."})
    except MemoryError:
        say({"refused": "MemoryError", "reason": "It needs more memory than reading may take."})
    else:
        say({"document": document_to_json(document)})


def _say(answers: TextIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def _limit_memory(memory_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


if __name__ == "__main__":
    main(int(sys.argv[1]))
