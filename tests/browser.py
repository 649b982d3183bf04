"""What browser tests share: the Chromium of this machine, a page in it, and the chat served by a process of its own."""

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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

TESTS = Path(__file__).parent

# The headless shell first: the same pages without a window around each, for a sixth less processor time.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_START_SECONDS = 90

expect.set_options(timeout=20_000)


def find_chromium() -> str | None:
    """The browser that CHROMIUM names, else the first that is installed; None where there is none."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser; the test is skipped where there is none, and fails with REQUIRE_BROWSER set, as under CI.

    It closes with its file: Playwright leaves an event loop running meanwhile, which other tests must not meet.
    """
    executable = find_chromium()
    if executable is None:
        reason = "no Chromium found; install one, or name it with CHROMIUM"
        pytest.fail(reason) if os.environ.get("REQUIRE_BROWSER") else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Page]:
    """A wide page that fails the test when a dialog opens or anything but this machine is asked for something."""
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    dialogs: list[str] = []
    requests: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: requests.append(request.url))
    yield page
    page.close()
    assert dialogs == []
    assert [url for url in requests if not url.startswith(("http://localhost:", "data:", "blob:"))] == []


@pytest.fixture(scope="session")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A chat over scripted assistants, one at a time."""
    with started([str(TESTS / "serve_fake.py"), "quoted"], tmp_path_factory.mktemp("scripted") / "log") as server:
        yield server


@pytest.fixture
def address(request: pytest.FixtureRequest, scripted: Server) -> str:
    """The address of a chat over the scripted assistant that the test names, which nobody has used before."""
    assert scripted.process.stdin is not None
    assert scripted.process.stdout is not None
    scripted.process.stdin.write(f"{request.param}\n")
    scripted.process.stdin.flush()
    assert scripted.process.stdout.readline() == f"{request.param}\n", scripted.log.read_text()
    return scripted.address


@dataclass(frozen=True, slots=True)
class Server:
    """A chat that runs."""

    process: subprocess.Popen[str]
    address: str
    log: Path


@contextmanager
def served(arguments: Sequence[str], log: Path) -> Iterator[str]:
    """The address of a chat that `python ARGUMENTS` serves, which prints its port first; stopped afterwards."""
    with started(arguments, log) as server:
        yield server.address


@contextmanager
def started(arguments: Sequence[str], log: Path) -> Iterator[Server]:
    """Likewise, with its process: it has one of its own, because Streamlit keeps its runtime in a global."""
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=TESTS.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert line, f"The server did not start:\n{log.read_text()}"
        address = f"http://localhost:{line}"
        wait_until_answering(process, f"{address}/api/healthz")
        yield Server(process, address, log)
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
