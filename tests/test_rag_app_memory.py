"""Memory, without loading torch for the question."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

WHILE_TORCH_IS_LOADED = """
import sys, threading
from rag_app.memory import gpu_memory, process_bytes, release
assert process_bytes() > 10 * 2**20
gpu_memory(), release()
assert "torch" not in sys.modules
threading.Thread(target=lambda: __import__("torch")).start()
while "torch" not in sys.modules:
    pass
gpu_memory(), release()
print("torch" in sys.modules)
"""


def test_torch_is_not_loaded_for_it_and_may_be_half_loaded_by_another_thread() -> None:
    done = subprocess.run([sys.executable, "-c", WHILE_TORCH_IS_LOADED], cwd=ROOT, capture_output=True, text=True)

    assert done.stdout.strip() == "True", done.stderr
