"""The suffix of a file decides its format."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.errors import UsageError
from rag_app.writing import writer

FORMATS = {".txt": str.encode, ".low": lambda text: text.lower().encode()}


@pytest.mark.parametrize(("name", "content"), [("a.TXT", b"Oil"), ("a.low", b"oil")])
def test_the_suffix_decides_what_is_written(tmp_path: Path, name: str, content: bytes) -> None:
    writer(tmp_path / name, FORMATS)("Oil")

    assert (tmp_path / name).read_bytes() == content


def test_another_suffix_is_refused_before_there_is_anything_to_write(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ends in \.txt or \.low"):
        writer(tmp_path / "a.docx", FORMATS)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none/a\.txt cannot be written"):
        writer(tmp_path / "none" / "a.txt", FORMATS)("Oil")
