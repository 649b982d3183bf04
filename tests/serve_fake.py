"""Serves a FakeAssistant on a free port, printing the port first: `python tests/serve_fake.py WHICH`."""

from __future__ import annotations

import sys

from fake_assistant import EXPLAINED, REFUSED, WRITTEN, FakeAssistant

from rag_app.serve import listen, serve

ASSISTANTS = {
    "quoted": FakeAssistant(EXPLAINED),
    "refused": FakeAssistant(REFUSED),
    "slow": FakeAssistant(WRITTEN, language_model="qwen3-4b", seconds_per_token=0.4),
    "empty": FakeAssistant(records=[]),
    "instructed": FakeAssistant(EXPLAINED, profile="qwen3", kind="manual", follows_instructions=True),
}

if __name__ == "__main__":
    listener = listen(port=0)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    serve(ASSISTANTS[sys.argv[1]], listener)
