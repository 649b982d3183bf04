"""Results written to files, in the format that the name asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from ingest.errors import UsageError

Result = TypeVar("Result")


def writer(path: Path, formats: Mapping[str, Callable[[Result], bytes]]) -> Callable[[Result], None]:
    """What writes a result in the format of the suffix; `formats` give the content by suffix, as in ".csv".

    Raises `UsageError` for another suffix at once, and later where the file cannot be written.
    """
    content_of = formats.get(path.suffix.lower())
    if content_of is None:
        raise UsageError(f"Expected a file that ends in {' or '.join(formats)}, got {path}.")

    def write(result: Result) -> None:
        content = content_of(result)
        try:
            path.write_bytes(content)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}. Name another file.") from error

    return write
