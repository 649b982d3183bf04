"""The questions of `samples/` agree with its documents: file, page and answer."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from docx import Document
from docx.oxml.ns import qn

SAMPLES = Path(__file__).parent.parent / "samples"
LINES = (SAMPLES / "questions.jsonl").read_text(encoding="utf-8").splitlines()
QUESTIONS: list[dict[str, Any]] = [json.loads(line) for line in LINES]
ANSWERABLE = [question for question in QUESTIONS if question["answerable"]]


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda question: question["id"])
def test_each_expected_page_holds_the_answer(question: dict[str, Any]) -> None:
    pages = page_texts(SAMPLES / question["file"])
    for number in question.get("pages") or [question["page"]]:
        assert without_space(question["answer"]) in pages[number - 1]


def test_there_are_thirty_questions_of_which_six_have_no_answer() -> None:
    assert len({question["id"] for question in QUESTIONS}) == len(QUESTIONS) == 30
    assert len(ANSWERABLE) == 24
    assert Counter(question["lang"] for question in QUESTIONS) == {"en": 22, "zh": 8}


def test_a_question_without_answer_names_no_place() -> None:
    for question in QUESTIONS:
        if not question["answerable"]:
            assert question["file"] is question["page"] is question["answer"] is None


def test_the_twin_manuals_give_different_answers_on_the_same_page() -> None:
    models = {"hp-40-service-manual.pdf", "hp-60-service-manual.pdf"}
    twins = [question for question in ANSWERABLE if question["file"] in models]
    for question in twins:
        assert question["file"][:5].upper() in question["question"]
    assert len(twins) >= 10


def test_front_matter_of_a_manual_is_numbered_in_roman() -> None:
    with pypdfium2.PdfDocument(SAMPLES / "hp-40-service-manual.pdf") as document:
        labels = [document.get_page_label(index) for index in range(len(document))]
    assert labels == ["i", "ii", "iii", *map(str, range(1, 12))]


@cache
def page_texts(path: Path) -> list[str]:
    """The text of each page, without white space."""
    texts = pdf_pages(path) if path.suffix == ".pdf" else docx_pages(path)
    return [without_space(text) for text in texts]


def pdf_pages(path: Path) -> list[str]:
    with pypdfium2.PdfDocument(path) as document:
        return [page.get_textpage().get_text_range() for page in document]


def docx_pages(path: Path) -> list[str]:
    pages = [""]
    for element in Document(str(path)).element.body.iter(qn("w:t"), qn("w:br")):
        if element.get(qn("w:type")) == "page":
            pages.append("")
        else:
            pages[-1] += element.text or ""
    return pages


def without_space(text: str) -> str:
    return "".join(text.split())
