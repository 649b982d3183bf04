"""First questions from the headings of real documents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from llama_index.core.schema import TextNode

from rag_app.answer import Finished
from rag_app.assistant import Assistant, build_assistant
from rag_app.settings import load_settings
from rag_app.suggestions import best_heading

LONG = "The operator checks the filter and writes the date into the log. " * 6

GUIDE = f"""# Press Guide

## 1 Introduction

{LONG * 3}

## 2 Changing the oil filter

Close the valve. Unscrew the oil filter with the strap wrench and screw the new one in by hand. {LONG}
"""

CHINESE = """# 采购合同

## 第二条 交货期限和地点

卖方应在合同签订后九十日内将设备交付至买方工厂，运输费用由卖方承担。逾期交货的，每逾期一日按合同总价的千分之一支付违约金，
但违约金总额不超过合同总价的百分之五。买方应在收到设备后三日内派人到场开箱验收，并签署验收记录。
"""


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder = tmp_path_factory.mktemp("documents")
    (folder / "guide.md").write_text(GUIDE, encoding="utf-8")
    (folder / "contract.md").write_text(CHINESE, encoding="utf-8")
    opened = build_assistant(load_settings(home=tmp_path_factory.mktemp("home")), create=True)
    opened.library.ingest([folder])
    yield opened
    opened.close()


def node(section: str, text: str = LONG) -> TextNode:
    return TextNode(text=text, metadata={"section": section})


def test_questions_name_a_heading_in_the_language_of_its_document(assistant: Assistant) -> None:
    assert sorted(assistant.library.suggested_questions()) == [
        "What does Press Guide say about “Changing the oil filter”?",
        "《采购合同》中关于“交货期限和地点”是怎么规定或说明的？",
    ]


def test_the_collection_answers_what_it_suggests(assistant: Assistant) -> None:
    for question in assistant.library.suggested_questions():
        *_, last = assistant.ask(question)
        assert isinstance(last, Finished)
        assert not last.answer.refused, question


def test_an_empty_collection_suggests_nothing(tmp_path: Path) -> None:
    empty = build_assistant(load_settings(home=tmp_path), create=True)
    try:
        assert empty.library.suggested_questions() == []
        assert empty.library.document_count == 0
    finally:
        empty.close()


@pytest.mark.parametrize(
    ("section", "heading"),
    [
        ("7 Maintenance > 7.3 Head bolts", "Head bolts"),
        ("Article II - Obligations of the Recipient > Section 2.1 - Section 2.6", "Obligations of the Recipient"),
        ("第四条 付款方式 > 4.1 - 4.5", "付款方式"),
        ("IV. Warranty", "Warranty"),
        ("1 Introduction", ""),
        ("Schedule A", ""),
        ("Service manual", ""),
        ("A", ""),
        ("----- 2 -----", ""),
        ("", ""),
    ],
)
def test_numbers_and_what_any_document_has_are_no_heading(section: str, heading: str) -> None:
    assert best_heading("HP-40 Service Manual", [node(section)]) == heading


def test_a_heading_with_little_below_it_is_passed_over() -> None:
    nodes = [node("Torques", "45 Nm."), node("Oil change", LONG), node("Noise", LONG[:250])]

    assert best_heading("Press", nodes) == "Oil change"
