"""The samples' own thirty questions, asked of the whole product on the embedded profile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag_app.answer import Answer, Finished
from rag_app.assistant import Assistant, build_assistant
from rag_app.settings import load_settings

SAMPLES = Path(__file__).parent.parent / "samples"
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (SAMPLES / "questions.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    opened = build_assistant(load_settings(home=tmp_path_factory.mktemp("samples")), create=True)
    report = opened.library.ingest([SAMPLES])
    assert not report.failed
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def answers(assistant: Assistant) -> dict[str, Answer]:
    return {question["id"]: ask(assistant, question["question"]) for question in QUESTIONS}


def ask(assistant: Assistant, question: str) -> Answer:
    *_, last = assistant.ask(question)
    assert isinstance(last, Finished)
    return last.answer


def is_right(question: dict[str, Any], answer: Answer) -> bool:
    if not answer.citations:
        return False
    first = answer.citations[0]
    return first.source == question["file"] and first.page in (question.get("pages") or [question["page"]])


def test_the_first_citation_opens_the_expected_page(answers: dict[str, Answer]) -> None:
    answerable = [question for question in QUESTIONS if question["answerable"]]
    right = [question["id"] for question in answerable if is_right(question, answers[question["id"]])]

    assert len(answerable) == 24
    assert len(right) >= 23, sorted({question["id"] for question in answerable} - set(right))


def test_an_amended_warranty_is_told_with_what_it_was(answers: dict[str, Answer]) -> None:
    answer = answers["q14"]
    cited = {citation.source for citation in answer.citations}

    assert cited == {"purchase-agreement-amendment-1.pdf", "purchase-agreement.docx"}
    told = answer.text.index("This amends clause 9.1 (amendment of 11 July 2025). Before, it read:")
    assert answer.text.index("for 24 months") < told < answer.text.index("for 18 months")


def test_a_limit_comes_with_the_price_that_it_is_a_share_of(answers: dict[str, Answer]) -> None:
    quotes = [citation.quote for citation in answers["q16"].citations]

    assert any("40 % of the Contract Price" in quote for quote in quotes)
    assert any("EUR 274,000" in quote for quote in quotes)


def test_what_the_documents_do_not_say_is_refused(answers: dict[str, Answer]) -> None:
    unanswerable = [question["id"] for question in QUESTIONS if not question["answerable"]]

    assert len(unanswerable) == 6
    assert sum(answers[identifier].refused for identifier in unanswerable) >= 5


@pytest.mark.parametrize(("model", "other"), [("HP-40", "hp-60"), ("HP-60", "hp-40")])
def test_the_sister_model_is_never_cited_for_a_fault_code(assistant: Assistant, model: str, other: str) -> None:
    """The two manuals are alike but for their values; the wrong one is the worst answer there is."""
    for code in ("E03", "E07", "E11", "E15"):
        answer = ask(assistant, f"What does fault {code} mean on the {model}?")

        assert answer.citations
        assert not any(citation.source.startswith(other) for citation in answer.citations)


def test_every_quote_stands_word_for_word_in_its_passage(answers: dict[str, Answer]) -> None:
    for answer in answers.values():
        passages = {passage.number: passage for passage in answer.passages}
        for citation in answer.citations:
            assert citation.quote in passages[citation.number].text


def test_quotes_from_a_pdf_are_boxed_on_their_page(answers: dict[str, Answer]) -> None:
    citations = [citation for answer in answers.values() for citation in answer.citations]
    boxed = [citation for citation in citations if citation.source.endswith(".pdf")]

    assert boxed
    assert all(citation.boxes and citation.boxes[0][0] == citation.page for citation in boxed)
