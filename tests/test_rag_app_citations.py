"""Citations: the words that bear a statement out, checked, and boxed on the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.embedding import MiniLmEncoder
from rag_app.answer import CitedText, Link, Passage, State
from rag_app.citations import cite, quote_boxes
from rag_app.support import Judge
from retrievers.rerank.late_interaction import LateInteractionReranker

PROSE = "The press has two rams. Tighten the ram bolts to 45 Nm in a cross pattern. Check the oil every 500 hours."
TABLE = "| Bolt | Torque (Nm) |\n|---|---|\n| Ram | 45 |\n| Pump | 30 |"


def passage(text: str = PROSE, number: int = 1) -> Passage:
    return Passage(number, text, "hp40.pdf", "HP-40 manual", 19, "17", "4.3 Torques", "d", f"c{number}", 0.8, 0.03, 1)


def agrees(statement: str, quotes: Sequence[str]) -> list[float]:
    """A judge that finds that everything is borne out: what is unsupported then breaks a rule."""
    return [1.0] * len(quotes)


@pytest.fixture(scope="module")
def judge(encoder: MiniLmEncoder) -> Judge:
    return LateInteractionReranker(encoder).score


def states(reply: CitedText) -> list[tuple[str, State]]:
    return [(reply.text[one.start : one.end], one.state) for one in reply.statements]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        pytest.param("Tighten the ram bolts to 45 Nm [1].", "verified", id="same words"),
        pytest.param("The HP-40's ram bolts are tightened to 45 Nm [1].", "verified", id="model from the title"),
        pytest.param("Tighten the ram bolts to 54 Nm [1].", "unsupported", id="other number"),
        pytest.param("Tighten the ram bolts to 45 bar [1].", "unsupported", id="other unit"),
        pytest.param("Tighten the ram bolts of the HP-60 to 45 Nm [1].", "unsupported", id="other model"),
        pytest.param("[1]", "unsupported", id="no words"),
        pytest.param("Paint the housing blue [1].", "unsupported", id="other words"),
        pytest.param("It says “Tighten the ram bolts to 45 Nm” [1].", "verified", id="quoted"),
        pytest.param("It says “Tighten the ram bolts to at least 45 Nm” [1].", "unsupported", id="misquoted"),
        pytest.param("Check oil every five hundred days or 500 hours [1].", "unsupported", id="one more figure"),
        pytest.param("Do not tighten the ram bolts to 45 Nm [1].", "unsupported", id="denied"),
        pytest.param("Tighten the ram bolts to 45 Nm with a Helmdorf key [1].", "unsupported", id="other name"),
        pytest.param("Check the oil every 500 hours from 1 May 2025 [1].", "unsupported", id="a date"),
        pytest.param("Each ram of the press needs new bolts in time [1].", "weak", id="about the same"),
        pytest.param("Tighten the ram bolts to 45 Nm.", "unsupported", id="no mark"),
        pytest.param("压机有两个柱塞[1]。", "weak", id="another language"),
        pytest.param("压机的螺栓扭矩为 54 Nm[1]。", "unsupported", id="other number in another language"),
    ],
)
def test_a_statement_is_as_good_as_what_bears_it_out(answer: str, state: State, judge: Judge) -> None:
    reply = cite(answer, [passage()], judge)

    assert states(reply) == [(answer, state)]
    assert [citation.state for citation in reply.citations] == ([state] if "[1]" in answer else [])
    assert all(citation.quote in PROSE for citation in reply.citations)


def test_a_judge_decides_what_no_rule_does() -> None:
    answer = "Tighten the ram bolts to 45 Nm [1]."
    found = [cite(answer, [passage()], lambda s, quotes, score=score: [score]) for score in (0.9, 0.5, 0.1)]

    assert [reply.statements[0].state for reply in found] == ["verified", "weak", "unsupported"]


def test_one_passage_is_enough_and_the_other_is_not_verified() -> None:
    other = passage("Clean the housing with a dry cloth.", 2)
    reply = cite("Tighten the ram bolts to 45 Nm [1][2].", [passage(), other], agrees)

    assert reply.statements[0].state == "verified"
    assert [(citation.number, citation.state) for citation in reply.citations] == [(1, "verified"), (2, "unsupported")]


def test_the_day_of_an_amendment_is_known_by_its_link() -> None:
    amending = replace(
        passage("Clause 4 is replaced by: the fee is 45."), links=(Link("amends", "4", 2, "1 May 2024"),)
    )

    reply = cite("The fee is 45 since 1 May 2024 [1]. It is 45 since 2 May 2024 [1].", [amending], agrees)

    assert [state for _, state in states(reply)] == ["verified", "unsupported"]


def test_two_passages_bear_out_together_what_neither_does_alone() -> None:
    torque, oil = passage("Ram bolts: 45 Nm."), passage("Check the oil every 500 hours.", 2)
    reply = cite("Ram bolts take 45 Nm and the oil is checked every 500 hours [1][2].", [torque, oil], agrees)

    assert reply.statements[0].state == "verified"
    assert [citation.verified for citation in reply.citations] == [True, True]


def test_each_part_of_a_sentence_is_checked_against_its_own_mark() -> None:
    torque, oil = passage("Ram bolts take 45 Nm."), passage("Check the oil every 500 hours.", 2)
    reply = cite("Ram bolts take 45 Nm [1] and oil is checked every 600 hours [2].", [torque, oil], agrees)

    assert reply.statements[0].state == "unsupported"
    assert [citation.state for citation in reply.citations] == ["verified", "unsupported"]


def test_the_quote_is_the_sentence_that_says_it() -> None:
    (found,) = cite("The ram bolts need 45 Nm [1].", [passage()], agrees).citations

    assert found.quote == "Tighten the ram bolts to 45 Nm in a cross pattern."


def test_a_table_row_is_read_with_its_head(judge: Judge) -> None:
    answer = "The ram bolt torque is 45 Nm [1]. The pump bolt torque is 45 Nm [2]."
    ram, wrong = cite(answer, [passage(TABLE), passage(TABLE, 2)], judge).citations

    assert ram.quote == "| Ram | 45 |"
    assert ram.verified
    assert "45" in wrong.quote


def test_a_table_is_as_good_as_its_worst_row() -> None:
    right = cite("| Bolt | Nm |\n|---|---|\n| Ram | 45 |\n| Pump | 30 |\n\n[1]", [passage(TABLE)], agrees)
    wrong = cite("| Bolt | Nm |\n|---|---|\n| Ram | 45 |\n| Pump | 31 |\n\n[1]", [passage(TABLE)], agrees)

    assert [statement.state for statement in right.statements] == ["verified"]
    assert [statement.state for statement in wrong.statements] == ["unsupported"]


def test_chinese_numerals_meet_digits(judge: Judge) -> None:
    text = "第七条 交货。卖方应在三十日内交货。逾期每日支付百分之一违约金。"

    (right,) = cite("卖方应在30天内交货 [1]。", [passage(text)], judge).citations
    (wrong,) = cite("卖方应在40天内交货 [1]。", [passage(text)], judge).citations

    assert right.quote == "卖方应在三十日内交货。"
    assert (right.verified, wrong.verified) == (True, False)


def test_thousands_may_be_written_apart() -> None:
    (found,) = cite("The pump turns at 1450 rpm [1].", [passage("The pump turns at 1 450 rpm.")], agrees).citations

    assert found.verified


def test_one_citation_for_each_passage_and_quote() -> None:
    answer = "The ram bolts need 45 Nm [1]. Tighten the ram bolts to 45 Nm [1]. Check oil every 500 hours [1]."
    citations = cite(answer, [passage()], agrees).citations

    assert [(citation.number, citation.verified) for citation in citations] == [(1, True), (1, True)]


BOXED = replace(
    passage("first line second line"),
    boxes=((19, 0.0, 10.0, 100.0, 20.0), (20, 0.0, 10.0, 110.0, 20.0)),
    box_spans=((0, 10), (11, 22)),
)


def test_boxes_are_cut_to_the_quote() -> None:
    assert quote_boxes(BOXED, 6, 17) == ((19, 60.0, 10.0, 100.0, 20.0), (20, 0.0, 10.0, 60.0, 20.0))
    assert quote_boxes(BOXED, 10, 11) == ()
    assert quote_boxes(passage(), 0, 5) == ()


def test_a_quote_over_two_pages_is_boxed_on_both_and_opens_at_the_first() -> None:
    (found,) = cite("It says “line second line” [1].", [BOXED], agrees).citations

    assert found.quote == "line second line"
    assert found.boxes == ((19, 60.0, 10.0, 100.0, 20.0), (20, 0.0, 10.0, 110.0, 20.0))
    assert (found.page, found.page_label) == (19, "17")


def test_a_sentence_that_a_page_break_cuts_is_quoted_whole() -> None:
    text = "Before the first start the ram bolts\nmust be tightened to 45 Nm by a fitter. Check the oil."
    cut = replace(passage(text), boxes=BOXED.boxes, box_spans=((0, 36), (37, len(text))))
    (found,) = cite(
        "Before the first start the ram bolts are tightened to 45 Nm by a fitter [1].", [cut], agrees
    ).citations

    assert found.quote == text.removesuffix(" Check the oil.")
    assert [box[0] for box in found.boxes] == [19, 20]
    assert (found.page, found.verified) == (19, True)


def test_a_quote_on_the_second_page_opens_there() -> None:
    (found,) = cite(
        "It says “second line of it” [1].", [replace(BOXED, text="first line second line of it")], agrees
    ).citations

    assert (found.page, found.page_label) == (20, "18")


@settings(deadline=None)  # the first call loads the dictionary of Chinese words
@given(st.text() | st.text(alphabet=st.sampled_from("[12]. ab45Nm\n|`“”三十")), st.text(alphabet="ab 45Nm.|\n中三十日"))
def test_any_answer_is_cited_word_for_word(answer: str, text: str) -> None:
    reply = cite(answer, [passage(text)], agrees)

    assert reply.text == answer
    assert all(found.number == 1 and found.quote in text for found in reply.citations)
    ends = [0, *(one.end for one in reply.statements)]
    assert all(end <= one.start <= one.end for end, one in zip(ends, reply.statements, strict=False))
