"""Sentences of manuals and contracts: where they end, and where a full stop does not end them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_app.sentences import MAX_SENTENCE_CHARACTERS, is_table_rule, sentences, table_head

TABLE = "Torques:\n| Bolt | Torque (Nm) |\n|---|---|\n| Ram | 45 |\n| Pump | 30.5 |"


def texts(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param(" \n\t", [], id="only space"),
        pytest.param("One. Two!  Three?", ["One.", "Two!", "Three?"], id="marks"),
        pytest.param("Clause 12.3(b) applies. Pay 3.5 EUR.", ["Clause 12.3(b) applies.", "Pay 3.5 EUR."], id="numbers"),
        pytest.param(
            "Use oil, e.g. No. 5 by Acme Inc. and wait.", ["Use oil, e.g. No. 5 by Acme Inc. and wait."], id="abc"
        ),
        pytest.param("Made by Acme Inc. The pump runs.", ["Made by Acme Inc.", "The pump runs."], id="final Inc."),
        pytest.param("Under U.S. law. No. The end.", ["Under U.S. law.", "No.", "The end."], id="U.S. and No."),
        pytest.param("1. Stop it. (b) Go on.", ["1. Stop it.", "(b) Go on."], id="list markers stay"),
        pytest.param("请关闭电源。然后打开！好吗？", ["请关闭电源。", "然后打开！", "好吗？"], id="chinese"),
        pytest.param("甲方付款；乙方“交货。”完", ["甲方付款；", "乙方“交货。”", "完"], id="chinese clauses and quotes"),
        pytest.param("He said “Stop.” Then left.", ["He said “Stop.”", "Then left."], id="closing quote"),
        pytest.param("no stop\nnext line", ["no stop", "next line"], id="lines"),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


def test_each_table_row_is_a_sentence() -> None:
    assert texts(TABLE) == ["Torques:", "| Bolt | Torque (Nm) |", "|---|---|", "| Ram | 45 |", "| Pump | 30.5 |"]


def test_a_row_knows_the_head_of_its_table() -> None:
    rows = sentences(TABLE)

    assert table_head(TABLE, rows[4]) == rows[1]
    assert table_head(TABLE, rows[1]) is None
    assert table_head(TABLE, rows[0]) is None
    assert is_table_rule(TABLE[slice(*rows[2])])


def test_a_long_sentence_is_cut_at_a_clause() -> None:
    text = "the supplier shall deliver; " * 40

    parts = texts(text)

    assert all(part.endswith(";") for part in parts)
    assert len(parts) > 1


@given(st.text(alphabet=st.sampled_from("aB1.,;!?。；| \n\r\t\u3000\u200b\u2028中“”(")) | st.text())
def test_spans_are_ordered_disjoint_and_hold_every_visible_character(text: str) -> None:
    spans = sentences(text)

    covered = {index for start, end in spans for index in range(start, end)}
    assert all(index in covered for index, character in enumerate(text) if not character.isspace())
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert all(0 < end - start <= MAX_SENTENCE_CHARACTERS for start, end in spans)


@given(st.integers(1, 3000), st.sampled_from(["x", "x ", "中", "中，"]))
def test_no_sentence_is_longer_than_the_limit(count: int, unit: str) -> None:
    assert all(end - start <= MAX_SENTENCE_CHARACTERS for start, end in sentences(unit * count))
