"""What an answer tells of its making, and its candidates ranked by another instruction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from assistants import assistant_with
from word_reranker import WordReranker

from ingest.embedding import MiniLmEncoder
from ingest.errors import UsageError
from rag_app.answer import Answer, Finished
from rag_app.assistant import Assistant, build_assistant
from rag_app.chats import EXCHANGES, Exchange
from rag_app.settings import load_settings
from retrievers.rerank.instructions import resolve

NOTES = {
    "torque": "Tighten the head bolts to 45 Nm in two steps.",
    "oil": "Change the oil of the press every 2000 hours.",
    "water": "The cooling water of the press must flow at 12 l/min.",
    "noise": "The noise of the press is 74 dB at the operator's place.",
}
QUESTION = "How tight are the head bolts?"


class CountingWordReranker(WordReranker):
    """Reads six words of a document."""

    def token_counts(
        self, query: str, documents: list[str], *, instruction: str | None = None
    ) -> list[tuple[int, int]]:
        return [(len(document.split()), min(6, len(document.split()))) for document in documents]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder = tmp_path_factory.mktemp("notes")
    for name, text in NOTES.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    opened = build_assistant(load_settings(home=tmp_path_factory.mktemp("home"), top_k=2), create=True)
    opened.library.ingest([folder])
    yield opened
    opened.close()


@pytest.fixture
def told(embedded: Assistant, encoder: MiniLmEncoder) -> Iterator[Assistant]:
    """The same collection, ranked by a reranker that follows instructions and counts."""
    opened = assistant_with(embedded.settings, encoder, reranker=CountingWordReranker())
    yield opened
    opened.close()


def finished(assistant: Assistant, instruction: str | None = None) -> Answer:
    *_, last = assistant.ask(QUESTION, instruction=instruction)
    assert isinstance(last, Finished)
    return last.answer


def test_the_ranking_holds_all_candidates_not_only_the_passages(embedded: Assistant) -> None:
    answer = finished(embedded)

    assert len(answer.passages) == 2
    assert sorted(one.source for one in answer.ranking) == ["noise.txt", "oil.txt", "torque.txt", "water.txt"]
    assert [one.rank for one in answer.ranking] == [1, 2, 3, 4]
    assert sorted(one.retrieval_rank for one in answer.ranking) == [1, 2, 3, 4]
    assert [one.chunk_id for one in answer.ranking[:2]] == [passage.chunk_id for passage in answer.passages]
    assert [one.score for one in answer.ranking[:2]] == [passage.score for passage in answer.passages]
    assert answer.ranking[0].excerpt == NOTES["torque"]
    assert {one.tokens for one in answer.ranking} == {None}


def test_the_gate_tells_its_features_and_threshold(embedded: Assistant) -> None:
    answer = finished(embedded)

    assert answer.gate is not None
    assert answer.gate.probability == answer.evidence
    assert answer.gate.threshold == embedded.settings.gate
    assert set(answer.gate.weights) <= set(answer.gate.features)


def test_a_reranker_that_counts_tells_what_it_cut(told: Assistant) -> None:
    torque = next(one for one in finished(told).ranking if one.source == "torque.txt")

    assert torque.tokens_kept == 6
    assert torque.tokens is not None
    assert torque.tokens > 6


def test_another_instruction_ranks_the_same_candidates_anew(told: Assistant) -> None:
    answer = finished(told, "Find what is told of bolts")
    instruction = "Find the noise in dB at the place of the operator"

    again = told.rerank(answer, instruction)

    assert {one.chunk_id for one in again} == {one.chunk_id for one in answer.ranking}
    assert again[0].source == "noise.txt"
    assert answer.ranking[0].source == "torque.txt"
    assert {one.chunk_id: one.retrieval_rank for one in again} == {
        one.chunk_id: one.retrieval_rank for one in answer.ranking
    }
    assert again == finished(told, instruction).ranking


def test_candidates_that_were_removed_since_are_left_out(told: Assistant) -> None:
    answer = finished(told)
    gone = replace(answer.ranking[0], chunk_id="0" * 32)

    again = told.rerank(replace(answer, ranking=(gone, *answer.ranking[1:])), "web")

    assert {one.chunk_id for one in again} == {one.chunk_id for one in answer.ranking[1:]}


def test_a_mistyped_instruction_and_a_reranker_without_any_are_sentences(told: Assistant, embedded: Assistant) -> None:
    answer = finished(told)

    with pytest.raises(UsageError, match="no instruction 'manul'"):
        told.rerank(answer, "manul")
    with pytest.raises(UsageError, match="follows no instructions"):
        embedded.rerank(answer, "web")


def test_a_real_answer_survives_being_kept(told: Assistant) -> None:
    answer = finished(told)
    [kept] = EXCHANGES.validate_json(EXCHANGES.dump_json([Exchange(QUESTION, answer=answer)]))

    assert kept.answer == answer


def test_qwen3_counts_the_tokens_that_its_prompt_has_room_for(qwen3_folder: Path) -> None:
    from retrievers.rerank.protocol import CountingReranker
    from retrievers.rerank.qwen3 import Qwen3Reranker

    reranker = Qwen3Reranker.from_pretrained(qwen3_folder, device="cpu", self_test=False, max_length=256)
    documents = [NOTES["oil"], NOTES["oil"] * 40]

    (short, short_kept), (long, long_kept) = reranker.token_counts(QUESTION, documents, instruction=resolve("web"))

    assert isinstance(reranker, CountingReranker)
    assert short == short_kept > 5
    assert long > 300 > long_kept
    head = reranker.prompt.head(resolve("web"), QUESTION)
    assert len(head) + long_kept + len(reranker.prompt.suffix) == 256
