"""Serves a FakeAssistant on a free port, printing the port first: `python tests/serve_fake.py WHICH`.

Each line of standard input names the one that is served from then on; the line is printed when it is.
"""

from __future__ import annotations

import runpy
import sys
import threading

import streamlit
from fake_assistant import EXPLAINED, REFUSED, WRITTEN, FakeAssistant

import rag_app.serve
from rag_app.serve import listen, serve

ASSISTANTS = {
    "quoted": FakeAssistant(EXPLAINED),
    "refused": FakeAssistant(REFUSED),
    "slow": FakeAssistant(WRITTEN, language_model="qwen3-4b", seconds_per_token=0.4),
    "empty": FakeAssistant(records=[]),
    "instructed": FakeAssistant(EXPLAINED, profile="qwen3", kind="manual", follows_instructions=True),
}


def tell(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def unused(which: str) -> FakeAssistant:
    """As this file makes it, whatever was done to the one before it."""
    assistant: FakeAssistant = runpy.run_path(__file__)["ASSISTANTS"][which]
    return assistant


def change_when_told() -> None:
    # Without a buffer, whose lock would be in the way when the process ends.
    with open(0, "rb", buffering=0, closefd=False) as lines:
        for line in lines:
            which = line.decode().strip()
            streamlit.cache_resource.clear()
            rag_app.serve._served = unused(which)
            tell(which)


if __name__ == "__main__":
    listener = listen(port=0)
    tell(listener.getsockname()[1])
    threading.Thread(target=change_when_told, daemon=True).start()
    serve(ASSISTANTS[sys.argv[1]], listener)
