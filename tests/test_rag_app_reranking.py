"""Ranking texts: by any reranker, side by side, and what leaves the page as a file."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from word_reranker import WordReranker

from ingest.embedding import MiniLmEncoder
from ingest.errors import UsageError
from rag_app.models import Model, Models
from rag_app.reranking import (
    MAX_CANDIDATE_CHARACTERS,
    MAX_CANDIDATES,
    Candidate,
    Comparison,
    check_candidates,
    contestants,
    numbered_texts,
    parse_documents,
    rank,
    unique,
)
from rag_app.words import matching_places
from retrievers.rerank.instructions import INSTRUCTIONS
from retrievers.rerank.late_interaction import LateInteractionReranker
from retrievers.rerank.qwen3 import Qwen3Reranker

TEXTS = ["The invoice is due.", "The pump is hot.", "Why is the pump hot?"]


def test_texts_come_best_first_and_remember_where_they_stood() -> None:
    reranker = WordReranker()
    ranking = rank("Why is the pump hot?", TEXTS, reranker, instruction="code")

    assert [result.index for result in ranking.results] == [2, 1, 0]
    assert ranking.ranks == {2: 1, 1: 2, 0: 3}
    assert [result.text for result in ranking.results] == [TEXTS[2], TEXTS[1], TEXTS[0]]
    assert reranker.instructions == [INSTRUCTIONS["code"]]
    assert ranking.instruction == "code"


def test_texts_of_the_same_score_stay_in_their_order() -> None:
    ranking = rank("pump", ["a pump", "the pump", "pump"], WordReranker())

    assert [result.index for result in ranking.results] == [0, 1, 2]


def test_an_instruction_that_nothing_follows_is_not_named() -> None:
    assert rank("pump", TEXTS, WordReranker(follows_instructions=False), instruction="code").instruction is None


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("\ufeffone\n\n two \r\nthree", ["one", " two ", "three"]),
        ('{"text": "one"}\n{"text": "two", "id": 1}\n', ["one", "two"]),
        ('{"text": "one"}\nand more', ['{"text": "one"}', "and more"]),
    ],
    ids=["lines", "JSON lines", "a line that only looks like JSON"],
)
def test_files_hold_lines_or_json_lines(content: str, texts: list[str]) -> None:
    assert parse_documents(content.encode(), "texts.txt") == texts


def test_blank_lines_count_though_they_are_left_out() -> None:
    assert numbered_texts(b"one\n\ntwo", "texts.txt") == [(1, "one"), (3, "two")]
    assert numbered_texts(b'\n{"text": "one"}\n\n{"text": "two"}', "texts.txt") == [(2, "one"), (4, "two")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe", "texts.txt cannot be read as UTF-8 text"),
        (b"\n \n", "texts.txt is empty"),
        (b'{"text": 1}', 'Line 1 of texts.txt has no "text"'),
        (b'{"text": ', "Line 1 of texts.txt is not valid JSON"),
        (b'{"text": "one"}\n\n\n{"text": ', "Line 4 of texts.txt is not valid JSON"),
    ],
)
def test_a_file_that_holds_no_texts_is_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        parse_documents(content, "texts.txt")


@pytest.mark.parametrize(
    ("candidates", "sentence"),
    [
        ([], "nothing to rank"),
        ([Candidate(str(number), "line") for number in range(MAX_CANDIDATES + 1)], "301 texts; at most 300"),
        ([Candidate("x" * (MAX_CANDIDATE_CHARACTERS + 1), "line 7")], "line 7 has 20,001 characters"),
    ],
    ids=["none", "too many", "too long"],
)
def test_what_cannot_be_ranked_is_a_sentence(candidates: list[Candidate], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        check_candidates(candidates)


def test_a_text_that_is_given_twice_is_ranked_once() -> None:
    once = unique([Candidate("a", "line 1"), Candidate("b", "line 2"), Candidate("a", "x.txt, line 1")])

    assert [(one.text, one.origin) for one in once] == [("a", "line 1, x.txt, line 1"), ("b", "line 2")]


def test_what_ranks_in_the_chat_comes_first_and_late_interaction_is_always_there(encoder: MiniLmEncoder) -> None:
    late = LateInteractionReranker(encoder)
    small = Models(Model.ready("embedding", "MiniLM", encoder), encoder)
    waiting = Model("reranking", "Qwen3-Reranker-0.6B", WordReranker)
    large = Models(small.encoder, encoder, reranker=waiting)

    assert [one.scale for one in contestants(small, "embedded", late, late)] == ["similarity", "similarity"]
    [first, *_] = contestants(large, "qwen3", late, late)
    assert (first.name, first.scale, first.follows_instructions) == ("Qwen3-Reranker-0.6B", "probability", True)
    assert first.row_tokens is None
    assert waiting.state == "waiting"


def test_smaller_forward_passes_give_the_same_scores(
    tested_qwen3_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Qwen3Reranker.from_pretrained(tested_qwen3_folder, device="cpu")
    again = Qwen3Reranker.from_pretrained(tested_qwen3_folder, device="cpu")
    rows: list[int] = []
    score_row = again._score_row
    monkeypatch.setattr(again, "_score_row", lambda row, *others: rows.append(len(row)) or score_row(row, *others))
    texts = [f"Text number {number} about pumps." for number in range(8)]

    whole = rank("Which pump?", texts, engine)
    parts = rank("Which pump?", texts, again, row_tokens=150)

    assert len(rows) > 1
    expected = [result.score for result in whole.results]
    assert [result.score for result in parts.results] == pytest.approx(expected, abs=1e-5)
    assert again.row_tokens == engine.row_tokens


def test_exports_hold_every_ranking_and_run_no_formula() -> None:
    candidates = (
        Candidate("=HYPERLINK(1)", "line 1"),
        Candidate("-0.5", "line 2"),
        Candidate("@pump", "hp.txt, line 1"),
    )
    texts = [candidate.text for candidate in candidates]
    rankings = tuple(rank("pump", texts, WordReranker(), instruction=told) for told in ("web", "=cmd|'/c calc'!A1 x"))
    comparison = Comparison("pump", candidates, ("words", "words"), rankings)

    [head, *rows] = csv.reader(io.StringIO(comparison.as_csv().decode("utf-8-sig")))
    known = json.loads(json.dumps(comparison.as_dict()))

    assert head == ["ranking", "reranker", "instruction", "rank", "score", "origin", "text"]
    assert rows[0][:4] == ["1", "words", "web", "1"]
    assert {row[6] for row in rows} == {"'=HYPERLINK(1)", "-0.5", "'@pump"}
    assert {row[2] for row in rows} == {"web", "'=cmd|'/c calc'!A1 x"}
    assert [ranking["reranker"] for ranking in known["rankings"]] == ["words", "words"]
    assert known["rankings"][0]["results"][0] == {
        "rank": 1, "index": 2, "score": rankings[0].results[0].score, "text": "@pump", "origin": "hp.txt, line 1"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "text", "words"),
    [
        ("How tight are the bolts?", "Bolts are tight; a bolt is bolted.", ["Bolts", "tight", "bolt", "bolted"]),
        ("the HP-40", "HP-40, HP-60 and the HP40", ["HP-40", "HP40"]),
        ("HP 40", "HP-40, HP-60", ["HP-40"]),
        ("缸盖螺栓", "拧紧缸盖螺栓", ["缸盖", "盖螺", "螺栓"]),
        ("", "anything", []),
    ],
)
def test_the_words_of_the_query_are_found_in_a_text(query: str, text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in matching_places(query, text)] == words
