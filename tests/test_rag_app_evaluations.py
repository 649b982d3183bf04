"""Evaluations beside the chat: kept, read back, run and stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from word_reranker import WordReranker

from ingest.embedding import MiniLmEncoder
from ingest.errors import StorageError, UsageError
from rag_app.evaluations import Evaluations, Stopped, read_evaluation
from rag_app.metrics import METRICS
from rag_app.models import Model, Models
from rag_app.settings import load_settings

FAULTS = {
    "corpus.jsonl": b'{"id": "e07", "title": "Flow", "text": "E07 means that the cooling water flow is too low."}\n'
    b'{"id": "e08", "title": "Door", "text": "E08 means that the door is open."}\n',
    "queries.jsonl": b'{"id": "q1", "text": "What does E07 mean?"}\n{"id": "q2", "text": "Is the door open?"}\n',
    "qrels.tsv": b"q1\te07\t1\nq2\te07\t1\n",
}
VALUES = dict.fromkeys([*METRICS, "ms_per_query"], 0.5)


@pytest.fixture
def evaluations(tmp_path: Path) -> Iterator[Evaluations]:
    kept = Evaluations(tmp_path / "home")
    yield kept
    kept.close()


@pytest.fixture
def models(encoder: MiniLmEncoder) -> Models:
    return Models(Model.ready("embedding", "MiniLM", encoder), encoder)


def ended(evaluations: Evaluations) -> None:
    deadline = time.monotonic() + 60
    while evaluations.run and evaluations.run.running:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def report(**values: object) -> bytes:
    known = {"dataset": "faults", "queries": 2, "without_evidence": 0, "media": 0, "strategies": {"bm25": VALUES}}
    return json.dumps(known | values).encode()


def test_a_run_is_kept_with_every_question_and_can_be_read_back(evaluations: Evaluations, models: Models) -> None:
    name = evaluations.keep_question_set("../my faults", FAULTS)
    run = evaluations.start(name, ["bm25", "rerank"], [], None, load_settings(), models)
    ended(evaluations)

    assert name == "my_faults"
    assert evaluations.question_sets() == ["my_faults"]
    assert run.failure is None
    assert evaluations.kept() == [run.kept_as]
    assert (run.stage, run.done, run.total) == ("asking", 2, 2)
    found = evaluations.load(evaluations.kept()[0])
    [missed] = found.missed("rerank", 1)
    assert (missed.text, missed.expected[0].title) == ("Is the door open?", "Flow")
    assert missed.found["rerank"].rank == 2
    first = found.passages[missed.found["rerank"].passages[0]]
    assert (first.title, first.text) == ("Door", "E08 means that the door is open.")
    assert found.missed("rerank", 5) == []


def test_the_models_of_the_chat_are_shared(evaluations: Evaluations, encoder: MiniLmEncoder) -> None:
    reranker = WordReranker()
    models = Models(Model.ready("embedding", "MiniLM", encoder), encoder, Model("reranking", "words", lambda: reranker))
    name = evaluations.keep_question_set("faults", FAULTS)
    evaluations.start(name, ["rerank"], ["code", "Find the door"], None, load_settings(), models)
    ended(evaluations)

    assert list(evaluations.load(evaluations.kept()[0]).strategies) == ["rerank[code]", "rerank[Find the door]"]
    assert reranker.instructions


def test_a_run_can_be_stopped_and_another_one_waits_for_its_end(
    evaluations: Evaluations, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*arguments: object, on_progress: Callable[[str, int, int], None], **options: object) -> None:
        for done in range(1000):
            on_progress("asking", done, 1000)
            time.sleep(0.01)

    monkeypatch.setattr("rag_app.evaluations.run_benchmark", slow)
    name = evaluations.keep_question_set("faults", FAULTS)
    run = evaluations.start(name, ["bm25"], [], None, load_settings(), models)
    with pytest.raises(UsageError, match="running already"):
        evaluations.start(name, ["bm25"], [], None, load_settings(), models)
    run.stop()
    ended(evaluations)

    assert isinstance(run.failure, Stopped)
    assert evaluations.kept() == []


def test_what_goes_wrong_in_a_run_is_its_failure(evaluations: Evaluations, models: Models) -> None:
    name = evaluations.keep_question_set("faults", FAULTS)
    run = evaluations.start(name, ["rerank"], ["code"], None, load_settings(), models)
    ended(evaluations)

    assert "follows no instructions" in str(run.failure)
    with pytest.raises(UsageError, match="no question set"):
        evaluations.start("../../etc", ["bm25"], [], None, load_settings(), models)


@pytest.mark.parametrize(
    ("name", "files", "sentence"),
    [
        ("faults", {"corpus.jsonl": b""}, "queries.jsonl, qrels.tsv is missing"),
        ("faults", FAULTS | {"../../evil.txt": b""}, "evil.txt is none of them"),
        ("..", FAULTS, "has no name"),
        ("faults", FAULTS | {"qrels.tsv": b"q1 e07"}, "expected query TAB document TAB grade"),
    ],
    ids=["missing", "unknown", "no name", "unreadable"],
)
def test_a_question_set_that_cannot_be_asked_is_not_kept(
    evaluations: Evaluations, name: str, files: dict[str, bytes], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        evaluations.keep_question_set(name, files)

    assert evaluations.question_sets() == []


def test_a_finished_evaluation_of_the_command_line_is_added_and_removed(evaluations: Evaluations) -> None:
    name = evaluations.add(b"\xef\xbb\xbf" + report(), "report.json")

    assert name.endswith(" faults")
    assert evaluations.load(name).strategies == {"bm25": VALUES}
    assert evaluations.load(name).questions == ()
    evaluations.remove(name)
    with pytest.raises(UsageError, match="no evaluation"):
        evaluations.load(name)
    with pytest.raises(UsageError, match="no evaluation"):
        evaluations.load("../settings")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{", "report.json is no evaluation"),
        (b"[]", "report.json is no evaluation"),
        (report(strategies={}), "measures no strategy"),
        (report(strategies={"bm25": {"ndcg@5": 1}}), "has no ndcg@10"),
        (report(strategies={"bm25": VALUES | {"mrr@10": float("nan")}}), "has no mrr@10"),
        (report(questions=[{"id": 1}]), r"questions\.0"),
    ],
    ids=["no JSON", "a list", "no strategy", "metrics missing", "no number", "broken details"],
)
def test_anything_else_is_no_evaluation(content: bytes, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        read_evaluation(content, "report.json")


def test_a_question_set_is_replaced_also_by_several_at_once(evaluations: Evaluations) -> None:
    with ThreadPoolExecutor(8) as pool:
        kept = set(pool.map(lambda _: evaluations.keep_question_set("faults", FAULTS), range(16)))

    assert kept == {"faults"}
    assert evaluations.question_sets() == ["faults"]


def test_what_cannot_be_written_or_deleted_is_a_sentence(evaluations: Evaluations, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "question-sets").mkdir(parents=True)
    (home / "question-sets" / "faults").write_bytes(b"This is no folder.")
    with pytest.raises(StorageError, match=r"faults cannot be written"):
        evaluations.keep_question_set("faults", FAULTS)

    (home / "evaluations" / "old.json").mkdir(parents=True)
    with pytest.raises(StorageError, match=r"old\.json cannot be deleted"):
        evaluations.remove("old")
