"""Tables as text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.loaders import delimited
from ingest.loaders.delimited import delimiter_of, load_delimited
from ingest.loaders.errors import UnreadableFileError


def read(tmp_path: Path, content: bytes) -> str:
    (tmp_path / "a.csv").write_bytes(content)
    return "\n".join(block.text for block in load_delimited(tmp_path / "a.csv").pages[0].blocks)


def test_a_file_is_one_table_with_its_header_first(tmp_path: Path) -> None:
    content = 'Code;Cause\r\nE07;"oil; or\r\nheat"\r\n\r\nE08;dust, 1,5 mm\r\n'.encode("utf-8-sig")

    assert read(tmp_path, content) == "| Code | Cause |\n| E07 | oil; or heat |\n| E08 | dust, 1,5 mm |"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    assert delimiter_of("\n".join(delimiter.join(("E07", "oil, warm", "4")) for _ in range(3))) == delimiter


def test_a_single_column_is_a_table_too(tmp_path: Path) -> None:
    assert read(tmp_path, b"Code\nE07\n") == "| Code |\n| E07 |"


def test_what_is_beyond_the_limit_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MAX_CELLS", 4)
    (tmp_path / "a.csv").write_bytes(b"a,b\nc,d\ne,f\n")

    page = load_delimited(tmp_path / "a.csv").pages[0]

    assert len(page.blocks[0].lines) == 2
    assert "first 2 rows" in page.problem


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"a" * (2**20 + 1), "A line has"), (b"a," * 20_000, "columns"), (b'a,"' + b"b\n" * 100_000, "quotes")],
    ids=["long line", "many columns", "open quote"],
)
def test_what_no_table_has_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=reason):
        read(tmp_path, content)


@given(st.text(alphabet='ab,;"\n\t|', max_size=60))
def test_any_sample_has_a_delimiter(sample: str) -> None:
    assert delimiter_of(sample) in ",;\t|"
