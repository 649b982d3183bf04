"""The files below the paths that a person names."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import RagError, UsageError
from ingest.loaders import SUPPORTED_SUFFIXES
from ingest.records import FileRecord


@dataclass(frozen=True, slots=True)
class Scan:
    """The files to read in order of path, and the paths that were left out because of their type."""

    files: tuple[FileRecord, ...]
    skipped: tuple[str, ...]


def check_paths(paths: Iterable[Path]) -> None:
    """Raises `UsageError` for a path that is neither a file nor a folder."""
    for path in paths:
        if not (path.expanduser().is_file() or path.expanduser().is_dir()):
            raise UsageError(f"There is no file or folder {path}. Check the path.")


def find_files(paths: Sequence[Path], *, missing_ok: bool = False, leave_out: Iterable[Path] = ()) -> Scan:
    """The files below `paths`; a file named itself is always among them, so that its failure is reported.

    Hidden files are not looked at, and neither is what lies at or below `leave_out`. Raises `UsageError` for a path
    that does not exist, but with `missing_ok`, and `RagError` for a folder that cannot be listed.
    """
    if not missing_ok:
        check_paths(paths)
    ours = {path.expanduser().resolve() for path in leave_out}
    files: dict[Path, FileRecord] = {}
    skipped: list[str] = []
    for given in paths:
        path = given.expanduser().resolve()
        if named := look_at(path, path.name):
            files.setdefault(path, named)
        elif path.is_dir():
            for found in _walk(path, ours):
                readable = found.suffix.lower() in SUPPORTED_SUFFIXES
                if readable and (file := look_at(found, found.relative_to(path).as_posix())):
                    files.setdefault(found, file)
                else:
                    skipped.append(str(found))
    return Scan(tuple(files[path] for path in sorted(files, key=str)), tuple(skipped))


def _walk(folder: Path, leave_out: set[Path]) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        raise RagError(f"The folder {error.filename} cannot be read: {error.strerror}.") from error

    for root, folders, names in os.walk(folder, onerror=unreadable):
        parent = Path(root)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and parent / name not in leave_out)
        for name in sorted(names):
            # ~$ marks the lock file that an office program leaves beside an open document.
            if not name.startswith((".", "~$")) and parent / name not in leave_out:
                yield parent / name


def look_at(path: Path, source: str, container: str = "") -> FileRecord | None:
    """The file as it is now; None where there is none, and for what is no file: a pipe, a link to nowhere."""
    try:
        status = path.stat()
    except OSError:  # among them files that have gone since the folder was listed
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return FileRecord(path, source, status.st_size, status.st_mtime_ns, container=container)


def hash_file(path: Path) -> str:
    """The SHA-256 of the content; the id of the document that it holds is how it begins."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
