"""Evaluations kept below the home, the question sets that they may ask, and the one that runs beside the chat.

    HOME/question-sets/NAME/    corpus.jsonl, queries.jsonl, qrels.tsv and maybe spans.jsonl
    HOME/evaluations/NAME.json  what `rag-app eval --json --details` prints

Nobody who looks at the pages names a path: folders and files are chosen from these two lists, or handed over.
"""

from __future__ import annotations

import json
import logging
import math
import re
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import TypeAdapter, ValidationError

from ingest.errors import RagError, StorageError, UsageError
from rag_app.benchmark import run_benchmark
from rag_app.evaluation import Excerpt, QuestionResult
from rag_app.metrics import METRICS
from rag_app.models import Models
from rag_app.question_set import QuestionSet, Sample
from rag_app.settings import Settings

logger = logging.getLogger(__name__)

MAX_REPORT_BYTES = 64 * 2**20
MAX_NAME = 60

SET_FILES = ("corpus.jsonl", "queries.jsonl", "qrels.tsv", "spans.jsonl")
NEEDED_FILES = SET_FILES[:3]

_UNSAFE_IN_NAMES = re.compile(r"[^\w-]+")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A finished evaluation as it was kept; `questions` and `passages` are empty where it was made without details."""

    dataset: str
    queries: int
    without_evidence: int
    media: int
    strategies: dict[str, dict[str, float]]
    questions: tuple[QuestionResult, ...] = ()
    passages: dict[str, Excerpt] = field(default_factory=dict)

    def missed(self, strategy: str, within: int) -> list[QuestionResult]:
        """The questions for which this strategy has nothing relevant among its first so many."""
        found = ((question, question.found.get(strategy)) for question in self.questions)
        return [question for question, one in found if one and (one.rank is None or one.rank > within)]


class Stopped(RagError):
    """Somebody has stopped the evaluation."""


@dataclass(slots=True)
class Run:
    """The evaluation that runs, or ran last: how far it is, and where it was kept or why it was not."""

    question_set: str
    stage: str = "opening"
    done: int = 0
    total: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _work: Future[str] | None = None

    @property
    def running(self) -> bool:
        return self._work is not None and not self._work.done()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    @property
    def failure(self) -> BaseException | None:
        return self._work.exception() if self._work and self._work.done() else None

    @property
    def kept_as(self) -> str | None:
        """The name of the finished evaluation."""
        return self._work.result() if self._work and self._work.done() and not self._work.exception() else None

    def start(self, work: Callable[[], str], pool: ThreadPoolExecutor) -> None:
        self._work = pool.submit(work)
        self._work.add_done_callback(_log_unexpected)

    def stop(self) -> None:
        """Ends it after the question that is asked now."""
        self._stop.set()

    def note(self, stage: str, done: int, total: int) -> None:
        """Keeps how far it is. Raises `Stopped` where it shall end."""
        if self._stop.is_set():
            raise Stopped("The evaluation was stopped; what it has indexed is kept for the next one.")
        self.stage, self.done, self.total = stage, done, total


class Evaluations:
    """What a home keeps of evaluations; one runs at a time. Safe to use from several threads."""

    def __init__(self, home: Path) -> None:
        self._sets = home / "question-sets"
        self._kept = home / "evaluations"
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="evaluation")
        self._lock = threading.Lock()
        self.run: Run | None = None

    def question_sets(self) -> list[str]:
        """The names of the sets that can be asked."""
        return sorted(path.parent.name for path in self._sets.glob("[!.]*/queries.jsonl"))

    def keep_question_set(self, name: str, files: Mapping[str, bytes]) -> str:
        """Keeps the files of a set, by their names, under a safe form of `name`, which it returns; replaces that one.

        Raises `UsageError` for files that a set does not have, for missing ones and for what cannot be read, and
        `StorageError` where the set cannot be written.
        """
        unknown = sorted(files.keys() - set(SET_FILES))
        missing = [needed for needed in NEEDED_FILES if needed not in files]
        if unknown or missing:
            raise UsageError(
                f"A question set has the files {', '.join(NEEDED_FILES)} and maybe {SET_FILES[3]}; "
                + (f"{', '.join(missing)} is missing." if missing else f"{', '.join(unknown)} is none of them.")
            )
        safe = _safe(name)
        if not safe:
            raise UsageError("The question set has no name. Give it one of letters and digits.")
        try:
            with self._lock:
                self._replace_set(safe, files)
        except OSError as error:
            raise StorageError(f"The question set {self._sets / safe} cannot be written ({error}).") from error
        return safe

    def _replace_set(self, name: str, files: Mapping[str, bytes]) -> None:
        self._sets.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._sets, prefix=".") as folder:
            for file, content in files.items():
                (Path(folder) / file).write_bytes(content)
            QuestionSet.load(Path(folder))
            if (self._sets / name).exists():
                shutil.rmtree(self._sets / name)
            shutil.copytree(folder, self._sets / name)

    def start(
        self,
        question_set: str,
        strategies: Sequence[str],
        instructions: Sequence[str],
        limit: int | None,
        settings: Settings,
        models: Models,
    ) -> Run:
        """Begins an evaluation and returns at once. Raises `UsageError` while one runs, and for an unknown set."""
        if question_set not in self.question_sets():
            raise UsageError(f"There is no question set '{question_set[:MAX_NAME]}'. Add its files first.")
        with self._lock:
            if self.run and self.run.running:
                raise UsageError("An evaluation is running already. Wait for its end, or stop it.")
            run = self.run = Run(question_set)

            def work() -> str:
                report = run_benchmark(
                    self._sets / question_set,
                    strategies,
                    Sample(limit),
                    settings,
                    instructions=instructions,
                    models=models,
                    on_progress=run.note,
                )
                return self._keep(question_set, json.dumps(report.as_dict(details=True), ensure_ascii=False))

            run.start(work, self._pool)
        return run

    def kept(self) -> list[str]:
        """The names of the finished evaluations, the newest first."""
        return sorted((path.stem for path in self._kept.glob("*.json")), reverse=True)

    def load(self, name: str) -> Evaluation:
        """A finished evaluation. Raises `UsageError` where there is none of that name, or it cannot be read."""
        if name not in self.kept():
            raise UsageError(f"There is no evaluation '{name[:MAX_NAME]}' any more. Choose another one.")
        return read_evaluation((self._kept / f"{name}.json").read_bytes(), name)

    def add(self, content: bytes, name: str) -> str:
        """Keeps what `rag-app eval --json` has printed and returns its name. Raises `UsageError` for anything else."""
        evaluation = read_evaluation(content, name)
        return self._keep(evaluation.dataset, content.decode("utf-8-sig"))

    def remove(self, name: str) -> None:
        """Deletes a finished evaluation. Raises `StorageError` where that cannot be done."""
        if name not in self.kept():
            return
        path = self._kept / f"{name}.json"
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"The evaluation {path} cannot be deleted ({error.strerror}).") from error

    def close(self) -> None:
        """Stops what runs; waits for nothing."""
        if self.run:
            self.run.stop()

    def _keep(self, dataset: str, text: str) -> str:
        self._kept.mkdir(parents=True, exist_ok=True)
        name = f"{datetime.now():%Y-%m-%d %H.%M.%S} {_safe(dataset)}"
        (self._kept / f"{name}.json").write_text(text, encoding="utf-8")
        return name


_EVALUATION = TypeAdapter(Evaluation)


def read_evaluation(content: bytes, name: str) -> Evaluation:
    """What `rag-app eval --json` prints, with or without details. Raises `UsageError` that gives the `name`."""
    if len(content) > MAX_REPORT_BYTES:
        raise UsageError(f"{name} is larger than {MAX_REPORT_BYTES >> 20} MB. Ask fewer questions with --limit.")
    try:
        evaluation = _EVALUATION.validate_json(content.removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise UsageError(
            f"{name} is no evaluation ({place}: {first['msg']}). Expected what rag-app eval --json prints."
        ) from error
    for strategy, values in evaluation.strategies.items():
        missing = [metric for metric in (*METRICS, "ms_per_query") if not math.isfinite(values.get(metric, math.nan))]
        if missing:
            raise UsageError(f"{name} has no {', '.join(missing)} for '{strategy[:MAX_NAME]}'. Evaluate again.")
    if not evaluation.strategies:
        raise UsageError(f"{name} measures no strategy. Evaluate again.")
    return evaluation


def _safe(name: str) -> str:
    return _UNSAFE_IN_NAMES.sub("_", name).strip("_")[:MAX_NAME]


def _log_unexpected(work: Future[str]) -> None:
    error = work.exception()
    if error and not isinstance(error, RagError):
        logger.error("An evaluation failed.", exc_info=error)
