"""Why a file cannot be read, in a sentence without its path."""

from __future__ import annotations

from ingest.errors import RagError


class UnsupportedFileError(RagError):
    """The file's type is not one that can be read."""


class UnreadableFileError(RagError):
    """The file is damaged, empty, or not what its name says."""


class LockedFileError(UnreadableFileError):
    """The file needs a password that was not among those given."""
