from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser import TESTS, served, wait_until_answering

from ingest.errors import RagError
from rag_app.serve import listen, served_assistant


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served([str(TESTS / "serve_fake.py"), "quoted"], tmp_path_factory.mktemp("serve") / "log") as address:
        yield address


def status_for_host(address: str, host: str, path: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    connection.request("GET", path, headers={"Host": host})
    status = connection.getresponse().status
    connection.close()
    return status


def test_the_page_and_the_api_are_served_by_one_process(address: str) -> None:
    with urllib.request.urlopen(f"{address}/api/healthz") as response:
        assert json.load(response) == {"status": "ok", "collection": "default", "documents": 2}
    with urllib.request.urlopen(address) as response:
        assert b"<title>" in response.read()


@pytest.mark.parametrize("path", ["/", "/api/healthz", "/_stcore/stream"])
def test_another_host_name_is_refused_on_this_machine(address: str, path: str) -> None:
    """A web page whose name is made to point here must not read the documents."""
    assert status_for_host(address, "attacker.example", path) == 400


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8501", "127.0.0.1:8501", "[::1]:8501"])
def test_every_name_of_this_machine_is_served(address: str, host: str) -> None:
    assert status_for_host(address, host, "/api/healthz") == 200


def test_an_interrupt_ends_serving_cleanly() -> None:
    arguments = [sys.executable, str(TESTS / "serve_fake.py"), "quoted"]
    with subprocess.Popen(arguments, cwd=TESTS.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        wait_until_answering(process, f"http://localhost:{int(process.stdout.readline())}/api/healthz")

        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)

    assert process.returncode == 0, errors
    assert b"Traceback" not in errors


def test_a_port_in_use_is_a_sentence() -> None:
    with listen(port=0) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(RagError, match=f"Port {port} on 127.0.0.1 is already in use"):
            listen(port=port)


def test_an_address_of_another_machine_is_a_sentence() -> None:
    with pytest.raises(RagError, match=r"Cannot listen on 192\.0\.2\.1, port 8501"):
        listen("192.0.2.1")


def test_the_page_without_a_server_is_a_sentence() -> None:
    with pytest.raises(RagError, match="rag-app serve"):
        served_assistant()


def test_importing_serve_loads_no_web_framework() -> None:
    code = "import sys, rag_app.serve; print({'streamlit', 'fastapi', 'uvicorn'} & set(sys.modules))"

    found = subprocess.run([sys.executable, "-c", code], cwd=TESTS.parent, capture_output=True, text=True)

    assert found.stdout.strip() == "set()", found.stderr


def test_a_polite_kill_closes_the_assistant_too(tmp_path: Path) -> None:
    """Else what is being read would be broken off in the middle, and its readers be left to find out."""
    process = subprocess.Popen(
        [sys.executable, str(TESTS / "serve_real.py"), str(tmp_path / "home")],
        cwd=TESTS.parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    port = int(process.stdout.readline())
    wait_until_answering(process, f"http://localhost:{port}/api/healthz")
    process.terminate()
    output, _ = process.communicate(timeout=60)

    assert (output, process.returncode) == ("closed\n", 0)
