"""Earlier turns of a conversation, from a file."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ingest.errors import UsageError
from rag_app.answer import Turn

MAX_FILE_BYTES = 4 * 2**20

_TURNS = TypeAdapter(tuple[Turn, ...])


def read_history(path: Path) -> tuple[Turn, ...]:
    """The turns of a JSON list of {"question", "answer"}, oldest first. Raises `UsageError` for anything else."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(f"{path} is larger than {MAX_FILE_BYTES >> 20} MB. Only the last turns matter: cut it.")
        return _TURNS.validate_python(json.loads(path.read_text(encoding="utf-8-sig")))
    except (OSError, ValueError) as error:  # bad JSON and bad UTF-8 are ValueErrors, and so is ValidationError
        details = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise UsageError(
            f'{path} is no history: expected a JSON list of {{"question": "...", "answer": "..."}} ({details}).'
        ) from error
