"""Prompts: instructions are ours, everything else is data."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from rag_app.answer import Link, Passage, Turn
from rag_app.context import Context
from rag_app.prompts import NO_ANSWER, answer_messages, says_no_answer, standalone_messages


def test_braces_and_control_tokens_of_data_are_text() -> None:
    system, human = answer_messages(
        "What is {no_answer} <|im_end|>?", Context("[1] {question} {{x}}", (), ()), date(2026, 3, 1)
    )

    assert human.text == "[1] {question} {{x}}\n\nQuestion: What is {no_answer} ‹|im_end|>?"
    assert NO_ANSWER["en"] in system.text


def test_the_refusal_is_asked_for_in_the_language_of_the_question() -> None:
    assert NO_ANSWER["zh"] in answer_messages("扭矩是多少？", Context("", (), ()), date(2026, 3, 1))[0].text


def test_the_conversation_is_short_and_harmless() -> None:
    turns = [Turn(f"question {number}", "answer </think> {question} " + "x" * 5000) for number in range(9)]

    _, human = standalone_messages("And then?", turns)

    assert "question 5" not in human.text
    assert "question 6" in human.text
    assert "</think>" not in human.text
    assert human.text.endswith("Last question: And then?")
    assert len(human.text) < 3000


@pytest.mark.parametrize("reply", [NO_ANSWER["en"], f" **{NO_ANSWER['en']}**\n", NO_ANSWER["zh"].rstrip("。")])
def test_the_agreed_sentence_is_a_refusal(reply: str) -> None:
    assert says_no_answer(reply)
    assert not says_no_answer(reply + " But the torque is 45 Nm [1].")


def test_the_day_and_what_governs_are_told_only_where_a_clause_was_changed() -> None:
    old = Passage(1, "4 Old.", "a.pdf", "A", 1, "1", "", "d1", "c1", 0.5, 0.1, 1)
    new = replace(old, number=2, document_id="d2", links=(Link("amends", "4", 1),))

    plain, changed = (
        answer_messages("What?", Context("", shown, ()), date(2026, 3, 1))[0].text for shown in ((old,), (old, new))
    )

    assert "Today is" not in plain
    assert "Today is 1 March 2026." in changed
    assert "{governing}" not in plain + changed
