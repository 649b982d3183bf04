"""Citations: the words that bear a statement out, checked, and boxed on the page."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_app.answer import Passage
from rag_app.citations import cite, quote_boxes, statements

PROSE = "The press has two rams. Tighten the ram bolts to 45 Nm in a cross pattern. Check the oil every 500 hours."
TABLE = "| Bolt | Torque (Nm) |\n|---|---|\n| Ram | 45 |\n| Pump | 30 |"


def passage(text: str = PROSE, number: int = 1) -> Passage:
    return Passage(number, text, "hp40.pdf", "HP-40 manual", 19, "17", "4.3 Torques", "d", f"c{number}", 0.8, 0.03, 1)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param("Use 45 Nm [1].", [(1, "Use 45 Nm .")], id="one"),
        pytest.param(
            "Use 45 Nm. [1] Check oil [2].", [(1, "Use 45 Nm."), (2, "Check oil .")], id="after the full stop"
        ),
        pytest.param(
            "The ram takes 45 Nm [1] and the pump takes 30 Nm [2].",
            [(1, "The ram takes 45 Nm"), (2, "and the pump takes 30 Nm  .")],
            id="each its own part",
        ),
        pytest.param("The ram takes [1] 45 Nm.", [(1, "The ram takes   45 Nm.")], id="words after the last mark"),
        pytest.param("Both rams move [1][2].", [(1, "Both rams move  ."), (2, "Both rams move  .")], id="neighbours"),
        pytest.param("1. Tighten the bolts [1]", [(1, "Tighten the bolts")], id="list marker"),
        pytest.param("| Ram | 45 |\n\n[1]", [(1, "| Ram | 45 |")], id="below a table"),
        pytest.param("Nothing here.", [], id="no mark"),
        pytest.param("[1]", [(1, "")], id="only a mark"),
    ],
)
def test_a_mark_vouches_for_the_words_before_it(answer: str, expected: list[tuple[int, str]]) -> None:
    assert [(number, text.split()) for number, text in statements(answer)] == [
        (number, text.split()) for number, text in expected
    ]


@pytest.mark.parametrize(
    ("answer", "verified"),
    [
        pytest.param("Tighten the ram bolts to 45 Nm [1].", True, id="same words"),
        pytest.param("The HP-40's ram bolts are tightened to 45 Nm [1].", True, id="model from the title"),
        pytest.param("Tighten the ram bolts to 54 Nm [1].", False, id="other number"),
        pytest.param("Tighten the ram bolts to 45 bar [1].", False, id="other unit"),
        pytest.param("Tighten the ram bolts of the HP-60 to 45 Nm [1].", False, id="other model"),
        pytest.param("[1]", False, id="no words"),
        pytest.param("Paint the housing blue [1].", False, id="other words"),
        pytest.param("It says “Tighten the ram bolts to 45 Nm” [1].", True, id="quoted"),
        pytest.param("It says “Tighten the ram bolts to at least 45 Nm” [1].", False, id="misquoted"),
        pytest.param("Check oil every five hundred days or 500 hours [1].", False, id="one more figure"),
    ],
)
def test_a_citation_is_verified_only_when_the_quote_bears_it_out(answer: str, verified: bool) -> None:
    (found,) = cite(answer, [passage()])

    assert found.verified is verified
    assert found.quote in PROSE


def test_the_quote_is_the_sentence_that_says_it() -> None:
    (found,) = cite("The ram bolts need 45 Nm [1].", [passage()])

    assert found.quote == "Tighten the ram bolts to 45 Nm in a cross pattern."


def test_a_table_row_is_read_with_its_head() -> None:
    ram, wrong = cite(
        "The ram bolt torque is 45 Nm [1]. The pump bolt torque is 45 Nm [2].", [passage(TABLE), passage(TABLE, 2)]
    )

    assert ram.quote == "| Ram | 45 |"
    assert ram.verified
    assert "45" in wrong.quote


def test_chinese_numerals_meet_digits() -> None:
    text = "第七条 交货。卖方应在三十日内交货。逾期每日支付百分之一违约金。"

    (right,) = cite("卖方应在30天内交货 [1]。", [passage(text)])
    (wrong,) = cite("卖方应在40天内交货 [1]。", [passage(text)])

    assert right.quote == "卖方应在三十日内交货。"
    assert (right.verified, wrong.verified) == (True, False)


def test_one_citation_for_each_passage_and_quote() -> None:
    answer = (
        "The ram bolts need 45 Nm [1]. Tighten the ram bolts in a cross pattern [1]. Check oil every 500 hours [1]."
    )

    assert [(c.number, c.verified) for c in cite(answer, [passage()])] == [(1, True), (1, True)]


BOXED = replace(
    passage("first line second line"),
    boxes=((19, 0.0, 10.0, 100.0, 20.0), (20, 0.0, 10.0, 110.0, 20.0)),
    box_spans=((0, 10), (11, 22)),
)


def test_boxes_are_cut_to_the_quote() -> None:
    assert quote_boxes(BOXED, 6, 17) == ((19, 60.0, 10.0, 100.0, 20.0), (20, 0.0, 10.0, 60.0, 20.0))
    assert quote_boxes(BOXED, 10, 11) == ()
    assert quote_boxes(passage(), 0, 5) == ()


def test_the_page_is_where_the_quote_begins() -> None:
    (found,) = cite("See the words “second line” [1]", [replace(BOXED, text="first line second line")])

    assert (found.page, found.page_label) in [(19, "17"), (20, "18")]


@settings(deadline=None)  # the first call loads the dictionary of Chinese words
@given(st.text() | st.text(alphabet=st.sampled_from("[12]. ab45Nm\n|`“”三十")), st.text(alphabet="ab 45Nm.|\n中三十日"))
def test_any_answer_is_cited_word_for_word(answer: str, text: str) -> None:
    for found in cite(answer, [passage(text)]):
        assert found.number == 1
        assert found.quote in text
