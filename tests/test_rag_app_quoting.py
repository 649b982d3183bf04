"""Answers without a language model: honest quotes, the best passage first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_app.answer import Passage
from rag_app.marks import find_marks
from rag_app.quoting import LEAD_IN, quote_answer
from rag_app.words import content_words

TODAY = date(2026, 3, 1)


def passage(text: str, number: int = 1, title: str = "HP-40 manual") -> Passage:
    return Passage(number, text, "hp.pdf", title, 3, "3", "4.3 Torques", "d", f"c{number}", 0.8, 0.03, 1)


def shared_words(question: str, texts: Sequence[str]) -> list[float]:
    """A plain scorer: the share of the question's words in each text."""
    asked = set(content_words(question))
    return [len(asked & set(content_words(text))) / len(asked) for text in texts]


def quotes(question: str, *passages: Passage) -> list[tuple[int, str]]:
    citations = quote_answer(question, passages, shared_words, TODAY).citations
    return [(citation.number, citation.quote) for citation in citations]


def test_the_best_sentence_is_quoted_word_for_word_with_its_mark() -> None:
    best = passage("The press is green. Tighten the ram bolts to 45 Nm. Clean it daily with a dry cloth.")

    reply = quote_answer("What torque to tighten the ram bolts?", [best], shared_words, TODAY)

    assert reply.text == f"{LEAD_IN['en']}\n\n“Tighten the ram bolts to 45 Nm.” [1]"
    assert [(citation.quote, citation.verified) for citation in reply.citations] == [
        ("Tighten the ram bolts to 45 Nm.", True)
    ]


def test_a_slightly_better_sentence_elsewhere_does_not_lead() -> None:
    first = passage("Tighten the ram bolts firmly. Unrelated words stand here.")
    second = passage("Tighten all the ram bolts to the torque given.", 2)

    assert quotes("Which torque tighten ram bolts cross pattern?", first, second)[0][0] == 1


def test_a_clearly_better_sentence_elsewhere_leads() -> None:
    first = passage("The housing is green and made of steel.")
    second = passage("Tighten the ram bolts to a torque of 45 Nm.", 2)

    assert quotes("Which torque for the ram bolts?", first, second)[0][0] == 2


def test_a_table_row_comes_with_its_head() -> None:
    table = passage("| Bolt | Torque (Nm) |\n|---|---|\n| Ram cylinder bolt | 45 |\n| Pump flange bolt | 30 |")

    reply = quote_answer("torque of the ram cylinder bolt", [table], shared_words, TODAY)

    assert "| Bolt | Torque (Nm) |\n|---|---|\n| Ram cylinder bolt | 45 |\n\n[1]" in reply.text
    assert reply.citations[0].quote == "| Ram cylinder bolt | 45 |"


def test_beside_the_entry_of_a_code_nothing_that_mentions_it_is_quoted() -> None:
    table = "| Code | Fault |\n|---|---|\n| E07 | Oil level low |\n\nFault E07 is new in this edition."

    assert quotes("What does fault E07 mean?", passage(table)) == [(1, "| E07 | Oil level low |")]


def test_a_cell_with_words_and_a_number_is_no_figure() -> None:
    edition = passage(
        "| Edition | Date | What has changed |\n|---|---|---|\n| B | May 2025 | Interval of the oil change |"
    )
    elsewhere = passage("Change the oil after 4000 hours.", 2)

    assert quotes("How often is the oil changed, by its interval?", edition, elsewhere)[0][0] == 2


def test_a_bare_number_in_a_table_is_a_figure() -> None:
    table = passage("| Year | Ducks |\n|---|---|\n| 2021 | 150 |\n| 2022 | 170 |")
    elsewhere = passage("Ducks on stamps were shown for 3 days in 2013. Many came.", 2)

    assert quotes("How many ducks were seen in 2022?", table, elsewhere)[0] == (1, "| 2022 | 170 |")


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        pytest.param(
            "Ram bolt torque\nUse 45 Nm for each of them.", "Ram bolt torque\nUse 45 Nm for each of them.", id="heading"
        ),
        pytest.param("Which torque do ram bolts need? They need 45 Nm when cold.", None, id="question"),
        pytest.param("Section 4.1 Ram bolt torque. They need 45 Nm when cold.", None, id="run-in heading"),
        pytest.param("Torque of the Ram Bolts. They need 45 Nm when cold.", None, id="run-in heading in capitals"),
        pytest.param("Ram bolts:", None, id="only a fragment"),
        pytest.param("Warning! Ram bolts break above 60 Nm torque.", None, id="one word"),
    ],
)
def test_what_says_nothing_alone_goes_with_its_neighbour(text: str, quote: str | None) -> None:
    assert quotes("ram bolt torque", passage(text)) == [(1, quote or text)]


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("5.1 The Ram Price is EUR 274. It is due now.", "5.1 The Ram Price is EUR 274."),
        ("1. Switch off the ram.\n2. Open the valve.", "1. Switch off the ram."),
    ],
)
def test_a_short_sentence_is_no_heading(text: str, quote: str) -> None:
    assert quotes("ram", passage(text))[0] == (1, quote)


def test_only_what_holds_the_kind_of_figure_asked_for_is_quoted() -> None:
    best = passage("The ram accumulator is filled to a volume of 4 l. The precharge pressure is 90 bar at 20 °C.")

    assert quotes("To what pressure is the ram accumulator filled?", best) == [
        (1, "The precharge pressure is 90 bar at 20 °C.")
    ]


def test_what_a_figure_belongs_to_may_stand_in_the_sentence_before() -> None:
    table = "| Sensor | Signal |\n|---|---|\n| Accumulator pressure switch | opens below 80 bar |"
    best = passage("The accumulator of the press is filled with nitrogen. The pressure is 90 bar.\n\n" + table)

    first, *_ = quotes("To what pressure is the nitrogen accumulator of the press filled?", best)

    assert first == (1, "The pressure is 90 bar.")


def test_the_name_of_the_document_in_a_sentence_is_half_a_reason_to_quote_it() -> None:
    best = passage("The HP-40 manual was printed in the HP-40 works. Bolts are oiled.")

    assert quotes("By the HP-40 manual, are bolts oiled?", best)[0] == (1, "Bolts are oiled.")


def test_a_sister_model_is_not_quoted() -> None:
    sister = passage("Tighten the ram bolts to a torque of 45 Nm.")
    asked = passage("Tighten the ram bolts to a torque of 60 Nm.", 2, title="HP-60 manual")

    assert quotes("Which torque for the ram bolts of the HP-60?", sister, asked) == [(2, asked.text)]


def test_chinese_is_quoted_in_chinese_form() -> None:
    best = passage("请先关闭电源。柱塞螺栓的扭矩为45牛米。")
    text = quote_answer("柱塞螺栓的扭矩是多少？", [best], shared_words, TODAY).text

    assert text == "以下为文档原文：\n\n“柱塞螺栓的扭矩为45牛米。”[1]"


def test_a_mark_of_the_document_is_no_mark_of_the_answer() -> None:
    best = passage("Ram bolts torque is in reference [7] below.")
    text = quote_answer("ram bolts torque", [best], shared_words, TODAY).text

    assert [mark.number for mark in find_marks(text)] == [1]


def test_no_passages_is_an_error() -> None:
    with pytest.raises(ValueError, match="refuse the question"):
        quote_answer("torque?", [], shared_words, TODAY)


@settings(deadline=None)  # the first call loads the dictionary of Chinese words
@given(st.lists(st.text(alphabet="ab 45.?|\n-[1]中。", min_size=1), min_size=1, max_size=4))
def test_every_quote_stands_in_its_passage(texts: list[str]) -> None:
    passages = [passage(text, number) for number, text in enumerate(texts, start=1)]

    reply = quote_answer("a b 45?", passages, shared_words, TODAY)

    assert 1 <= len(reply.citations) <= 3
    assert all(citation.quote in passages[citation.number - 1].text for citation in reply.citations)
    assert {mark.number for mark in find_marks(reply.text)} == {citation.number for citation in reply.citations}
    assert [statement.state for statement in reply.statements] == ["verified"] * len(reply.statements)
    for statement in reply.statements:
        marks = find_marks(reply.text[statement.start : statement.end])
        assert tuple(mark.number for mark in marks) == statement.numbers
