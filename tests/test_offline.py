"""Nothing leaves the machine: ingest and ask work while every connection but loopback is refused.

And they start quickly: with the embedded models neither torch nor transformers is loaded.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

# Runs in a process of its own, so that imports are under watch too.
PROGRAM = """
import socket, sys

def guarded(real):
    def connect(self, address, *rest):
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"connection to {address}")
        return real(self, address, *rest)
    return connect

def no_lookup(host, *rest, **options):
    if host not in (None, "", "localhost", "127.0.0.1", "::1"):
        raise AssertionError(f"lookup of {host}")
    return real_lookup(host, *rest, **options)

real_lookup = socket.getaddrinfo
socket.getaddrinfo = no_lookup
socket.socket.connect = guarded(socket.socket.connect)
socket.socket.connect_ex = guarded(socket.socket.connect_ex)

from rag_app.cli import app
home, document = sys.argv[1:]
app(["ingest", document, "--home", home], standalone_mode=False)
app(["ask", "What does E07 mean?", "--home", home], standalone_mode=False)
print("LOADED", [name for name in ("torch", "transformers", "openvino_telemetry.main") if name in sys.modules])
"""


def test_ingest_and_ask_work_without_a_network(tmp_path: Path) -> None:
    document = tmp_path / "manual.txt"
    document.write_text("E07 means that the oil level is too low. Fill up with oil of grade 46.\n", encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "home"), str(document)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "HOME": str(tmp_path / "user")},
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "the oil level is too low" in done.stdout
    assert done.stdout.splitlines()[-1] == "LOADED []"
    assert not (tmp_path / "user").exists()  # OpenVINO would keep an id there, for its reports
