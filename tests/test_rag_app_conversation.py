"""Follow-up questions: recognised, and completed with the subject they lean on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from rag_app.answer import Turn
from rag_app.conversation import is_follow_up, standalone
from rag_app.llm import LanguageModel

RAM = Turn("What torque for the ram bolts of the HP-40?", "45 Nm [1].")
RAM_ZH = Turn("HP-40 的柱塞螺栓扭矩是多少？", "45 牛米 [1]。")


@pytest.mark.parametrize(
    ("turn", "question", "expected"),
    [
        pytest.param(RAM, "And for the HP-60?", "What torque for the ram bolts of the HP-60?", id="sister model"),
        pytest.param(RAM, "What about the HP-60?", "What torque for the ram bolts of the HP-60?", id="what about"),
        pytest.param(RAM, "and the hp60?", "What torque for the ram bolts of the hp60?", id="written otherwise"),
        pytest.param(RAM, "What is the pressure?", "What is the pressure? (HP-40)", id="another thing of it"),
        pytest.param(RAM, "How often?", "How often? (torque ram bolts HP-40)", id="question words alone"),
        pytest.param(
            Turn("Which law governs the NDA?", ""), "And the lease?", "And the lease? (law governs)", id="document"
        ),
        pytest.param(
            Turn("KT-200 面板显示 F08，是什么故障？", ""), "怎么处理？", "怎么处理？ (KT-200 F08)", id="chinese whole"
        ),
        pytest.param(RAM, "Why is it limited?", "Why is it limited? (torque ram bolts HP-40)", id="pronoun"),
        pytest.param(RAM, "Why?", "Why? (torque ram bolts HP-40)", id="one word"),
        pytest.param(RAM, "Why is that limited?", "Why is that limited? (torque ram bolts HP-40)", id="that"),
        pytest.param(
            RAM, "And the pump bolts of the HP-60?", "And the pump bolts of the HP-60? (torque ram)", id="more"
        ),
        pytest.param(RAM_ZH, "那 HP-60 呢？", "HP-60 的柱塞螺栓扭矩是多少？", id="chinese model"),
        pytest.param(RAM_ZH, "那备用泵呢？", "那备用泵呢？ (HP-40 柱塞螺栓扭矩)", id="chinese subject"),
        pytest.param(RAM_ZH, "它多久检查一次？", "它多久检查一次？ (HP-40 柱塞螺栓扭矩)", id="chinese pronoun"),
    ],
)
def test_a_follow_up_takes_over_the_subject(turn: Turn, question: str, expected: str) -> None:
    assert standalone(question, [turn]) == expected


@pytest.mark.parametrize(
    "question",
    [
        "How long is the warranty of the KT-200 pump?",
        "Who signs the amendment of the purchase contract?",
        "What does fault E07 mean?",
        "If the hydraulic pump leaks oil on the floor, is it dangerous for people nearby?",
        "How long is the warranty on the presses, now that the contract has been amended?",
        "What colour is the moon?",
        "Which clause says that notice must be given in writing?",
        "买卖合同的交货期限是多少天？",
    ],
)
def test_a_question_that_stands_alone_is_left_alone(question: str) -> None:
    assert not is_follow_up(question)
    assert standalone(question, [RAM]) == question


@pytest.mark.parametrize(
    ("earlier", "question"),
    [
        ("How long is the warranty on the presses?", "By when must the presses be delivered?"),
        ("What does the purchase agreement say about delivery?", "Who is the seller?"),
        ("KT-200 面板显示 F08，是什么故障？", "空压机应该加哪种润滑油？"),
        ("卖方晚交货，每天要付多少违约金？", "质保期多长？"),
    ],
)
def test_a_question_on_something_else_takes_nothing_over(earlier: str, question: str) -> None:
    assert standalone(question, [Turn(earlier, "")]) == question


def test_names_of_another_kind_are_kept() -> None:
    history = [Turn("How do I clear fault E05 on the HP-40?", ""), Turn("And for the HP-60?", "")]

    assert standalone("And E07?", history) == "How do I clear fault E07 on the HP-60?"


def test_without_a_history_nothing_changes() -> None:
    assert standalone("And for the HP-60?", []) == "And for the HP-60?"


def fake_model(reply: str) -> LanguageModel:
    return LanguageModel(GenericFakeChatModel(messages=iter([AIMessage(reply)])), name="fake")


def test_a_model_rewrites_the_question() -> None:
    model = fake_model("<think>They mean the torque.</think>What torque do the ram bolts of the HP-60 need?")

    assert standalone("And for the HP-60?", [RAM], model) == "What torque do the ram bolts of the HP-60 need?"


@pytest.mark.parametrize("reply", ["A question?\nAnd an explanation.", "x" * 1000], ids=["two lines", "too long"])
def test_a_reply_that_is_no_question_is_logged_and_the_rule_stands(
    reply: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = standalone("And for the HP-60?", [RAM], fake_model(reply))

    assert found == "What torque for the ram bolts of the HP-60?"
    assert "completed by rule" in caplog.text


@settings(deadline=None)  # the first call loads the dictionary of Chinese words
@given(st.text(min_size=1), st.lists(st.text(min_size=1), max_size=3))
def test_any_conversation_gives_a_question(question: str, earlier: list[str]) -> None:
    found = standalone(question, [Turn(text, "") for text in earlier])

    assert found
    assert len(found) <= max(map(len, [question, *earlier])) * 2 + 210
