"""What browser tests share: the Chromium of this machine, and the chat served by a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_START_SECONDS = 90


def find_chromium() -> str | None:
    """The browser that CHROMIUM names, else the first that is installed; None where there is none."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def served(arguments: Sequence[str], log: Path) -> Iterator[str]:
    """The address of a chat that `python ARGUMENTS` serves, which prints its port first; stopped afterwards.

    A process of its own, because Streamlit keeps its runtime in a global.
    """
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=TESTS.parent, stdout=subprocess.PIPE, stderr=stderr, text=True
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert line, f"The server did not start:\n{log.read_text()}"
        address = f"http://localhost:{line}"
        wait_until_answering(process, f"{address}/api/healthz")
        yield address
    finally:
        process.terminate()
        process.communicate(timeout=20)


def wait_until_answering(process: subprocess.Popen[Any], url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return  # it is up, and says what it cannot do
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"The server did not answer at {url}; its exit code is {process.poll()}.")
