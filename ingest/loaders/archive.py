"""The ZIP archives that DOCX, PPTX, XLSX and ODT are: what may be unpacked, and what a damaged one raises."""

from __future__ import annotations

import errno
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.loaders.errors import UnreadableFileError

MAX_UNPACKED_BYTES = 2**30
# A part of XML is held as a tree, at ten times its size.
MAX_XML_BYTES = 2**27
MAX_ENTRIES = 50_000
_PIECE_BYTES = 2**20
_XML_SUFFIXES = (".xml", ".rels")

# What reading a damaged archive raises: RuntimeError for a password, NotImplementedError for an unknown compression,
# KeyError for a missing part, AttributeError, TypeError and IndexError for a part with other content, ValueError for
# another format, SyntaxError for broken XML.
_DAMAGE: tuple[type[Exception], ...] = (
    *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError),
    *(KeyError, AttributeError, TypeError, IndexError, ValueError, SyntaxError),
)


@contextmanager
def opened_archive(path: Path, damaged: str, *library_errors: type[Exception]) -> Iterator[None]:
    """Read the archive within; what is wrong with it, its XML or its content becomes the sentence `damaged`.

    Refuses, before anything is unpacked, an archive that would unpack to more than a document does. Raises
    `UnreadableFileError`.
    """
    try:
        _check(path)
        yield
    except (*_DAMAGE, *library_errors) as error:
        raise UnreadableFileError(damaged) from error
    except OSError as error:
        # Libraries give no number; EINVAL is an entry that lies before the file's beginning. Others are no damage.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise UnreadableFileError(damaged) from error


def _check(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        _check_sizes(archive.infolist())
        for entry in archive.infolist():
            # In pieces, which end where the declared size does: an entry that hides more fails its checksum here.
            with archive.open(entry) as file:
                while file.read(_PIECE_BYTES):
                    pass


def _check_sizes(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise UnreadableFileError(f"The file holds {len(entries)} parts; at most {MAX_ENTRIES} are read. Split it.")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES:
        raise UnreadableFileError(
            f"The file unpacks to {unpacked >> 20} MB; at most {MAX_UNPACKED_BYTES >> 20} MB are read. Split it."
        )
    largest = max((entry.file_size for entry in entries if entry.filename.endswith(_XML_SUFFIXES)), default=0)
    if largest > MAX_XML_BYTES:
        raise UnreadableFileError(
            f"A part of the file unpacks to {largest >> 20} MB of XML; at most {MAX_XML_BYTES >> 20} MB are read. "
            "Split it."
        )
