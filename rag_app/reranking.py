"""Ranking the texts of a file, without an index."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from ingest.errors import UsageError
from rag_app.rerankers import open_reranker
from rag_app.settings import Settings
from retrievers.hybrid import check_question
from retrievers.rerank.instructions import resolve
from retrievers.rerank.protocol import follows_instructions

MAX_FILE_BYTES = 64 * 2**20


def read_documents(path: Path) -> list[str]:
    """The texts of a file: its lines, or the "text" of its JSON lines where every line is a JSON object."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(f"{path} is larger than {MAX_FILE_BYTES >> 20} MB. Split it.")
        lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as UTF-8 text: {error}.") from error
    if not lines:
        raise UsageError(f"{path} is empty. Write one text a line.")
    if not all(line.lstrip().startswith("{") for line in lines):
        return lines
    return [_text_of(line, number, path) for number, line in enumerate(lines, start=1)]


def _text_of(line: str, number: int, path: Path) -> str:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise UsageError(f"Line {number} of {path} is not valid JSON: {error}.") from error
    text = value.get("text")
    if not isinstance(text, str):
        raise UsageError(f'Line {number} of {path} has no "text". This profile reranks text only.')
    return text


def rerank_file(query: str, path: Path, settings: Settings, *, instruction: str | None = None) -> dict[str, Any]:
    """The texts with their scores, best first, as `rag-app rerank --json` prints them.

    `instruction` is a name or a text, None stands for "web"; in the result it is None where the reranker follows none.
    """
    check_question(query)
    instruction = "web" if instruction is None else instruction
    documents = read_documents(path)
    told = resolve(instruction)
    from ingest.embedding import MiniLmEncoder
    from retrievers.rerank.late_interaction import LateInteractionReranker

    reranker = open_reranker(settings) or LateInteractionReranker(MiniLmEncoder())
    started = time.perf_counter()
    scores = reranker.score(query, documents, instruction=told)
    milliseconds = (time.perf_counter() - started) * 1000
    order = sorted(range(len(documents)), key=lambda index: -scores[index])
    return {
        "results": [{"index": index, "score": scores[index], "text": documents[index]} for index in order],
        "instruction": instruction if follows_instructions(reranker) else None,
        "timings_ms": {"rerank": milliseconds},
    }
