"""Instructions by name, and which one a question gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import UsageError
from retrievers.rerank.instructions import DEFAULTS, INSTRUCTIONS, KINDS, MAX_CHARACTERS, RULES, Kind, resolve, route


def test_web_is_the_instruction_that_the_models_were_trained_with() -> None:
    assert resolve("web") == "Given a web search query, retrieve relevant passages that answer the query"


@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_every_instruction_is_one_english_line_of_the_same_form(name: str) -> None:
    text = resolve(name)

    assert text.startswith("Given a")
    assert " retrieve " in text
    assert text.isascii()
    assert text == " ".join(text.split())
    assert len(text) <= MAX_CHARACTERS


def test_every_rule_and_every_kind_names_an_instruction() -> None:
    assert {rule.name for rule in RULES} | set(DEFAULTS.values()) <= set(INSTRUCTIONS)
    assert set(DEFAULTS) == set(KINDS)


@pytest.mark.parametrize(
    ("given_text", "text"),
    [
        ("Prefer tables.", "Prefer tables."),
        (" Prefer\n tables ", "Prefer tables"),
        ("只找现行有效的条款", "只找现行有效的条款"),
        (" manual ", INSTRUCTIONS["manual"]),
    ],
    ids=["sentence", "one line", "Chinese without spaces", "name with spaces around"],
)
def test_free_text_is_itself_on_one_line(given_text: str, text: str) -> None:
    assert resolve(given_text) == text


@pytest.mark.parametrize("unknown", ["manul", "Manual", "fault_code", "", "  ", "<script>"])
def test_an_unknown_word_is_an_error_that_lists_the_names(unknown: str) -> None:
    with pytest.raises(UsageError, match=r"web, manual, fault-code, .*academic"):
        resolve(unknown)


@pytest.mark.parametrize("endless", ["word " * 300, "x" * 2000], ids=["words", "one word"])
def test_an_endless_instruction_is_an_error_with_its_length(endless: str) -> None:
    with pytest.raises(UsageError, match=r"has [12],\d{3} characters; at most 1,000"):
        resolve(endless)


@pytest.mark.parametrize(
    ("kind", "question", "name"),
    [
        ("manual", "What does E07 mean on the HP-60?", "fault-code"),
        ("manual", "HP-60 E07", "fault-code"),
        ("manual", "The display shows E12. What now?", "fault-code"),
        ("manual", "How do I clear fault 21?", "fault-code"),
        ("manual", "Cause of error code 0x80070005", "fault-code"),
        ("manual", "HP-60 显示E07怎么办？", "fault-code"),
        ("manual", "故障代码E12的原因", "fault-code"),
        ("manual", "F0021是什么意思？", "fault-code"),
        ("manual", "How do I change the oil filter?", "procedure"),
        ("manual", "How is the belt replaced?", "procedure"),
        ("manual", "What should I do when the pump is hot?", "procedure"),
        ("manual", "如何更换滤芯？", "procedure"),
        ("manual", "怎么校准压力传感器？", "procedure"),
        ("manual", "How tight do the anchor bolts of the HP-60 have to be?", "specification"),
        ("manual", "What is the oil capacity of the HP-40?", "specification"),
        ("manual", "What torque do the head bolts need?", "specification"),
        ("manual", "How often must the oil be changed?", "specification"),
        ("manual", "HP-60的额定压力是多少？", "specification"),
        ("contract", 'What does "Effective Date" mean?', "definition"),
        ("contract", "How is Confidential Information defined?", "definition"),
        ("general", "What does idempotent mean?", "definition"),
        ("contract", "“不可抗力”是什么意思？", "definition"),
        ("general", "什么是重排序？", "definition"),
        ("contract", "By when must the supplier deliver?", "deadline"),
        ("contract", "How many calendar days does the buyer have to pay?", "deadline"),
        ("contract", "When is the second instalment due?", "deadline"),
        ("general", "What is the deadline for travel expenses?", "deadline"),
        ("contract", "付款期限是什么？", "deadline"),
        ("contract", "卖方什么时候交货？", "deadline"),
        ("contract", "What must the Receiving Party do with copies?", "obligation"),
        ("contract", "Is the seller obliged to insure the goods?", "obligation"),
        ("contract", "买方必须提供哪些文件？", "obligation"),
    ],
)
def test_a_question_gets_the_sharper_instruction(kind: Kind, question: str, name: str) -> None:
    assert route(question, kind) == name


@pytest.mark.parametrize(
    ("kind", "question"),
    [
        ("manual", "How do I know that the pump is worn?"),
        ("manual", "Does the HP-60 have a water filter?"),
        ("manual", "Can I print on A4 paper?"),
        ("manual", "Why does the press stop?"),
        ("manual", "What does the F10 key do?"),
        ("manual", "What is the pressure valve for?"),
        ("manual", "Is the torque wrench included?"),
        ("manual", "Who must sign the maintenance log?"),
        ("manual", "Which parts are there in the 2024 edition?"),
        ("manual", "水泵怎么回事？"),
        ("contract", "What does it mean if the buyer stays silent?"),
        ("contract", "Who pays the customs duties?"),
        ("contract", "May the receiving party keep a copy?"),
        ("contract", "What happens when the contract ends?"),
        ("contract", "E07"),
        ("contract", "How do I terminate?"),
        ("contract", "为什么是卖方承担费用？"),
        ("general", "What must I bring?"),
        ("general", "How to install it?"),
        ("general", "What does E07 say?"),
        ("general", "When did the war end?"),
        ("general", ""),
    ],
)
def test_an_ordinary_question_gets_the_default_of_its_collection(kind: Kind, question: str) -> None:
    assert route(question, kind) == DEFAULTS[kind]


@given(st.text(max_size=200), st.sampled_from(KINDS))
def test_any_question_gets_a_named_instruction(question: str, kind: Kind) -> None:
    assert route(question, kind) in INSTRUCTIONS
