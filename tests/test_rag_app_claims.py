"""What an answer states: which words each mark vouches for, and what states nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_app.claims import units


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param("Use 45 Nm [1].", [("Use 45 Nm .", (1,))], id="one"),
        pytest.param(
            "Use 45 Nm. [1] Check oil [2].",
            [("Use 45 Nm.", (1,)), ("Check oil .", (2,))],
            id="after the full stop",
        ),
        pytest.param(
            "The ram takes 45 Nm [1] and the pump takes 30 Nm [2].",
            [("The ram takes 45 Nm", (1,)), ("and the pump takes 30 Nm .", (2,))],
            id="each its own part",
        ),
        pytest.param("The ram takes [1] 45 Nm.", [("The ram takes 45 Nm.", (1,))], id="words after the last mark"),
        pytest.param("Both rams move [1][2].", [("Both rams move .", (1, 2))], id="neighbours"),
        pytest.param("1. Tighten the bolts [1]", [("Tighten the bolts", (1,))], id="list marker"),
        pytest.param("| Ram | 45 |\n\n[1]", [("| Ram | 45 |", (1,))], id="below a table"),
        pytest.param("| a | b |\n|---|---|\n| c | d |", [("| c | d |", ())], id="head of a table"),
        pytest.param("Nothing is cited.", [("Nothing is cited.", ())], id="no mark"),
        pytest.param("[1]", [("", (1,))], id="only a mark"),
        pytest.param("Do this:\n- Stop it [1].", [("Stop it .", (1,))], id="lead-in"),
        pytest.param("请按以下步骤操作：", [], id="Chinese lead-in"),
        pytest.param("The torque is 45 Nm:", [("The torque is 45 Nm:", ())], id="a figure is no lead-in"),
        pytest.param("## 4.3 Torques\n**Two ram bolts**", [], id="headings"),
        pytest.param("Which press do you mean?", [], id="question"),
        pytest.param("The documents do not answer this question.", [], id="no answer"),
    ],
)
def test_each_mark_vouches_for_its_words(answer: str, expected: list[tuple[str, tuple[int, ...]]]) -> None:
    claims = [(" ".join(claim.words.split()), claim.numbers) for unit in units(answer) for claim in unit.claims]

    assert claims == expected


def test_a_unit_holds_its_marks() -> None:
    text = "Use 45 Nm. [1] Check oil [2].\n\n| a | b |\n| c | d |\n\n[3]\n\nEnd."

    assert [text[unit.start : unit.end] for unit in units(text)] == [
        "Use 45 Nm. [1]",
        "Check oil [2].",
        "| a | b |\n| c | d |\n\n[3]",
        "End.",
    ]


@settings(deadline=None)  # the first call loads the dictionary of Chinese words
@given(st.text(alphabet=st.sampled_from("[12]. aB45\n|-#:?*`三日。"), max_size=60))
def test_no_word_is_lost_between_units(text: str) -> None:
    found = units(text)
    starts, ends = [unit.start for unit in found], [unit.end for unit in found]
    between = list(zip([0, *ends], [*starts, len(text)], strict=True))

    assert all(left <= right for left, right in between)
    assert not any(character.isalpha() for left, right in between for character in text[left:right])
