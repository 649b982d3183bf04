"""Errors whose message is written for the person who reads it.

Each class stands for what the catcher will do. The command line prints the sentence and exits with `exit_code`;
the chat shows it; a program catches `RagError`.
"""

from __future__ import annotations


class RagError(Exception):
    """Something failed that the user can understand and act on."""

    exit_code = 1


class UsageError(RagError):
    """The request itself cannot be met: an empty question, an unknown name, a value out of range."""

    exit_code = 2


class UnknownCollectionError(UsageError):
    """No collection of that name exists in this home."""


class IndexMismatchError(RagError):
    """The collection was made with another embedder or chunker; its vectors do not fit."""


class StorageError(RagError):
    """The index cannot be written: a full disk, a read-only home, a store that does not answer."""


class HomeLockedError(RagError):
    """Another process owns this home."""
