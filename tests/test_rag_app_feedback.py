"""What an opinion tells about passages, and how it leaves the house."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fake_assistant import PASSAGES, QUOTED, REFUSED, cite
from typer.testing import CliRunner

from ingest.errors import StorageError, UsageError
from rag_app.answer import Answer
from rag_app.chats import Opinion, Reason
from rag_app.cli import app
from rag_app.database import transaction
from rag_app.feedback import Feedback, FeedbackStore, ModelNames, export_pairs, training_pair
from retrievers.rerank.instructions import INSTRUCTIONS

UP = Opinion(good=True)


def feedback(opinion: Opinion = UP, answer: Answer = QUOTED) -> Feedback:
    models = ModelNames("Qwen/Qwen3-Reranker-0.6B", "minilm", None)
    return Feedback(opinion, "And how tight?", answer, "default", models, datetime(2026, 5, 1, tzinfo=UTC))


def down(reason: Reason | None) -> Opinion:
    return Opinion(good=False, reason=reason)


def numbers(opinion: Opinion, answer: Answer = QUOTED) -> tuple[list[int], list[int]]:
    """The numbers of the positive and of the negative passages."""
    pair = training_pair(feedback(opinion, answer))
    return [passage.number for passage in pair.positives], [passage.number for passage in pair.negatives]


def test_what_a_good_answer_cites_is_positive_and_the_rest_is_not_judged() -> None:
    assert numbers(UP) == ([1, 2], [])


def test_a_cited_passage_that_does_not_bear_the_answer_out_is_no_positive() -> None:
    answer = replace(QUOTED, citations=(cite(PASSAGES[0]), cite(PASSAGES[1], state="unsupported")))

    assert numbers(UP, answer) == ([1], [])


def test_wrong_passages_are_those_that_were_cited() -> None:
    assert numbers(down("wrong-passage")) == ([], [1, 2])


@pytest.mark.parametrize("reason", ["wrong-answer", "incomplete", "other", None])
def test_other_complaints_blame_no_passage(reason: Reason | None) -> None:
    assert numbers(down(reason)) == ([], [])


@pytest.mark.parametrize("opinion", [UP, down("refused-wrongly")])
def test_opinions_on_a_refusal_label_nothing(opinion: Opinion) -> None:
    assert numbers(opinion, REFUSED) == ([], [])


def test_pairs_go_by_what_was_ranked_and_told(tmp_path: Path) -> None:
    answer = replace(QUOTED, question="How tight are the head bolts of the HP-40?", instruction="specification")
    file = tmp_path / "pairs.jsonl"

    assert export_pairs([feedback(answer=answer), feedback(down("incomplete"))], file) == 1

    [line] = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    assert line["query"] == answer.question
    assert line["instruction"] == INSTRUCTIONS["specification"]
    assert line["reranker"] == "Qwen/Qwen3-Reranker-0.6B"
    assert [passage["text"] for passage in line["positives"]] == [PASSAGES[0].text, PASSAGES[1].text]
    assert line["positives"][0]["section"] == PASSAGES[0].section
    assert line["negatives"] == []


def test_a_changed_mind_replaces_and_a_withdrawn_one_forgets(tmp_path: Path) -> None:
    store = FeedbackStore(tmp_path)
    store.put("attempt", feedback())
    store.put("attempt", feedback(down("wrong-passage")))
    assert store.all() == [feedback(down("wrong-passage"))]

    store.withdraw("attempt")
    assert store.all() == []


def test_feedback_is_exported_from_the_command_line(tmp_path: Path) -> None:
    FeedbackStore(tmp_path / "home").put("attempt", feedback())
    file = tmp_path / "pairs.jsonl"

    done = CliRunner().invoke(app, ["feedback", "export", str(file), "--home", str(tmp_path / "home")])

    assert done.exit_code == 0
    assert "1 training pairs written" in done.output
    assert len(file.read_text(encoding="utf-8").splitlines()) == 1


def test_a_folder_that_does_not_exist_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        export_pairs([], tmp_path / "nowhere" / "pairs.jsonl")


def test_feedback_of_another_version_is_a_sentence(tmp_path: Path) -> None:
    store = FeedbackStore(tmp_path)
    store.put("attempt", feedback())
    with transaction(tmp_path / "feedback.sqlite", "") as connection:
        connection.execute("UPDATE feedback SET content = '{}'")

    with pytest.raises(StorageError, match="another version"):
        store.all()
