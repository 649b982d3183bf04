"""Why a file cannot be read, in a sentence without its path."""

from __future__ import annotations

from ingest.errors import RagError


class UnsupportedFileError(RagError):
    """The file's type is not one that can be read."""


class UnreadableFileError(RagError):
    """The file is damaged, locked by a password, empty, or not what its name says."""
