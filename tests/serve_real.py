"""Serves the real assistant on a free port, printing the port first: `python tests/serve_real.py HOME [FILE...]`."""

from __future__ import annotations

import sys
from pathlib import Path

from rag_app.assistant import build_assistant
from rag_app.serve import listen, serve
from rag_app.settings import load_settings

if __name__ == "__main__":
    home, *files = map(Path, sys.argv[1:])
    assistant = build_assistant(load_settings(home=home), create=True)
    if files:
        report = assistant.library.ingest(files)
        assert not report.failed, report
    listener = listen(port=0)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    serve(assistant, listener)
    assistant.home.close()
    sys.stdout.write("closed\n")
