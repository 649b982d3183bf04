"""What can go wrong with a language model, in sentences for the person who reads them."""

from __future__ import annotations

from ingest.errors import RagError


class LanguageModelError(RagError):
    """A language model could not be loaded, or did not answer; the message names it and says what to do."""
