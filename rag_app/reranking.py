"""Ranking texts without an index: those of a file for the command line, those of the rerank workbench for a person."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ingest.embedding import MiniLmEncoder
from ingest.errors import UsageError
from rag_app.answer import Passage
from rag_app.csv_file import csv_bytes
from rag_app.models import Model, Models
from rag_app.rerankers import open_reranker
from rag_app.settings import Profile, Settings
from retrievers.hybrid import check_question
from retrievers.rerank.instructions import resolve
from retrievers.rerank.late_interaction import LateInteractionReranker
from retrievers.rerank.protocol import BatchingReranker, Reranker, follows_instructions

MAX_FILE_BYTES = 64 * 2**20
MAX_CANDIDATES = 300
MAX_CANDIDATE_CHARACTERS = 20_000
"""Both of the workbench, where a person waits for the ranking."""

Scale = Literal["probability", "similarity", "server"]
"""What scores are: how likely a text is what the instruction asks for, how well words match, or a server's own."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text to rank, where it comes from ("line 3"), and the passage that it is where the collection holds it."""

    text: str
    origin: str
    passage: Passage | None = None


@dataclass(frozen=True, slots=True)
class Contestant:
    """A reranker that the workbench offers.

    `weights` tells the two forms of late interaction apart: words weigh as they are rare in the collection, or all the
    same; "" for other rerankers.
    """

    name: str
    scale: Scale
    model: Model[Reranker]
    follows_instructions: bool = False
    weights: Literal["", "collection", "equal"] = ""

    @property
    def row_tokens(self) -> int | None:
        """The most new tokens of a forward pass; None where nothing is to be set, or is known before it is loaded."""
        loaded = self.model.loaded
        return loaded.row_tokens if isinstance(loaded, BatchingReranker) else None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A text in its place: `index` is where it stood in the list given, from 0."""

    index: int
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """Texts, best first, and the milliseconds that took; `instruction` is None where the reranker follows none."""

    query: str
    results: tuple[Ranked, ...]
    instruction: str | None
    milliseconds: float

    @property
    def ranks(self) -> dict[int, int]:
        """The place of each index, from 1."""
        return {result.index: rank for rank, result in enumerate(self.results, start=1)}

    def as_dict(self) -> dict[str, Any]:
        """As `rag-app rerank --json` prints it."""
        return {
            "results": [{"index": result.index, "score": result.score, "text": result.text} for result in self.results],
            "instruction": self.instruction,
            "timings_ms": {"rerank": self.milliseconds},
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same candidates, ranked once or several times; `names` are those of the rerankers."""

    query: str
    candidates: tuple[Candidate, ...]
    names: tuple[str, ...]
    rankings: tuple[Ranking, ...]

    def as_dict(self) -> dict[str, Any]:
        """Each ranking as `rag-app rerank --json` prints it, with its reranker, ranks and origins."""
        rankings = []
        for name, ranking in zip(self.names, self.rankings, strict=True):
            known = ranking.as_dict()
            known["results"] = [
                {"rank": rank, **result, "origin": self.candidates[result["index"]].origin}
                for rank, result in enumerate(known["results"], start=1)
            ]
            rankings.append({"reranker": name, **known})
        return {"query": self.query, "rankings": rankings}

    def as_csv(self) -> bytes:
        """A row for each text and ranking; nothing in it is read as a formula."""
        rows: list[Sequence[str]] = [("ranking", "reranker", "instruction", "rank", "score", "origin", "text")]
        for number, (name, ranking) in enumerate(zip(self.names, self.rankings, strict=True), start=1):
            for rank, result in enumerate(ranking.results, start=1):
                origin = self.candidates[result.index].origin
                told = ranking.instruction or ""
                rows.append((str(number), name, told, str(rank), f"{result.score:.6f}", origin, result.text))
        return csv_bytes(rows)


def rank(
    query: str,
    texts: Sequence[str],
    reranker: Reranker,
    *,
    instruction: str | None = None,
    row_tokens: int | None = None,
) -> Ranking:
    """The texts by their score for the query, best first; of two with the same score the first one given.

    `instruction` is a name or a text, None stands for "web". `row_tokens` makes the forward passes of a
    `BatchingReranker` smaller. Raises `UsageError` for a query or an instruction that cannot be used, and what the
    reranker raises.
    """
    check_question(query)
    instruction = "web" if instruction is None else instruction
    told = resolve(instruction)
    started = time.perf_counter()
    if row_tokens is not None and isinstance(reranker, BatchingReranker):
        scores = reranker.score_in_rows(query, texts, row_tokens, instruction=told)
    else:
        scores = reranker.score(query, texts, instruction=told)
    milliseconds = (time.perf_counter() - started) * 1000
    order = sorted(range(len(texts)), key=lambda index: -scores[index])
    return Ranking(
        query,
        tuple(Ranked(index, scores[index], texts[index]) for index in order),
        instruction if follows_instructions(reranker) else None,
        milliseconds,
    )


def contestants(
    models: Models, profile: Profile, weighted: LateInteractionReranker, equal: LateInteractionReranker
) -> list[Contestant]:
    """What the workbench can rank by, first what ranks in the chat; late interaction is always there, in both forms."""
    found = [
        Contestant(
            "late interaction, rare words weigh more",
            "similarity",
            Model.ready("matching", "late interaction", weighted),
            weights="collection",
        ),
        Contestant(
            "late interaction, all words weigh the same",
            "similarity",
            Model.ready("matching", "late interaction", equal),
            weights="equal",
        ),
    ]
    if models.reranker is None:
        return found
    scale: Scale = "probability" if profile == "qwen3" else "server"
    return [Contestant(models.reranker.name, scale, models.reranker, models.follows_instructions), *found]


def rerank_file(query: str, path: Path, settings: Settings, *, instruction: str | None = None) -> Ranking:
    """The texts of a file, ranked by the reranker of these settings."""
    documents = read_documents(path)
    reranker = open_reranker(settings) or LateInteractionReranker(MiniLmEncoder())
    return rank(query, documents, reranker, instruction=instruction)


def read_documents(path: Path) -> list[str]:
    """The texts of a file, see `parse_documents`. Raises `UsageError` where it cannot be read."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(f"{path} is larger than {MAX_FILE_BYTES >> 20} MB. Split it.")
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read as UTF-8 text: {error}.") from error
    return parse_documents(content, str(path))


def parse_documents(content: bytes, name: str) -> list[str]:
    """The texts of `numbered_texts`, which raises."""
    return [text for _, text in numbered_texts(content, name)]


def numbered_texts(content: bytes, name: str) -> list[tuple[int, str]]:
    """The lines of a file, or the "text" of its JSON lines where every line is a JSON object, each with its number.

    Lines count from 1; blank ones count and are left out. Raises `UsageError` that gives the `name` and says what was
    expected.
    """
    try:
        read = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} cannot be read as UTF-8 text: {error}.") from error
    lines = [(number, line) for number, line in enumerate(read, start=1) if line.strip()]
    if not lines:
        raise UsageError(f"{name} is empty. Write one text a line.")
    if not all(line.lstrip().startswith("{") for _, line in lines):
        return lines
    return [(number, _text_of(line, number, name)) for number, line in lines]


def check_candidates(candidates: Sequence[Candidate]) -> None:
    """Raises `UsageError` for none, for too many and for one that is too long."""
    if not candidates:
        raise UsageError("There is nothing to rank. Write one text a line, add a file, or choose a document.")
    if len(candidates) > MAX_CANDIDATES:
        raise UsageError(
            f"There are {len(candidates):,} texts; at most {MAX_CANDIDATES:,} are ranked here. Take fewer, or rank a "
            "file with rag-app rerank."
        )
    for candidate in candidates:
        if len(candidate.text) > MAX_CANDIDATE_CHARACTERS:
            raise UsageError(
                f"The text of {candidate.origin} has {len(candidate.text):,} characters; at most "
                f"{MAX_CANDIDATE_CHARACTERS:,} are ranked here. Split it."
            )


def unique(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Each text once, with all its origins."""
    known: dict[str, Candidate] = {}
    for candidate in candidates:
        first = known.get(candidate.text)
        known[candidate.text] = replace(first, origin=f"{first.origin}, {candidate.origin}") if first else candidate
    return tuple(known.values())


def _text_of(line: str, number: int, name: str) -> str:
    try:
        value = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise UsageError(f"Line {number} of {name} is not valid JSON: {error}.") from error
    text = value.get("text")
    if not isinstance(text, str):
        raise UsageError(f'Line {number} of {name} has no "text". This profile reranks text only.')
    return text
