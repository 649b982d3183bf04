"""The README's examples with a Qwen3-Reranker do what they say, with a tiny checkpoint in place of the real one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
NAME = "Qwen/Qwen3-Reranker-0.6B"
EXAMPLES = [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if NAME in block]


@pytest.mark.parametrize("number", range(3))
def test_an_example_with_a_reranker_runs(
    number: int, tested_qwen3_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(EXAMPLES) == 3

    exec(compile(EXAMPLES[number].replace(NAME, str(tested_qwen3_folder)), "README.md", "exec"), {})

    assert "anchor bolts" in capsys.readouterr().out
