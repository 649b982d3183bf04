"""What comes along with an answer: definitions, targets, amendments, over real documents."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from assistants import assistant_with
from chat_server import ChatServer

from ingest.embedding import MiniLmEncoder
from rag_app.answer import Answer, Finished, Link, Passage
from rag_app.assistant import Assistant
from rag_app.llm import LanguageModel
from rag_app.settings import load_settings

AGREEMENT = """# Master Services Agreement No. MSA-2023-88

This agreement is made on 1 February 2023 between Alder Peak Systems Ltd (the "Supplier") and Highfield Logistics
Group Ltd (the "Customer") and governs the running of the warehouse software.

## 1. Definitions

1.1 "Availability Bonus" means the sum that is stated in clause 8.2 of this agreement and nothing else whatsoever.

## 4. Termination

4.1 The Customer may terminate this agreement by giving ninety days' notice in writing to the Supplier at its office.

## 5. Support

5.1 The Supplier answers requests of the Customer by telephone within four hours on every working day of the year.

## 7. Reward

7.1 A Supplier whose software runs without a stop for a quarter earns the Availability Bonus at the quarter's end.

## 8. Figures

8.1 All figures in this part are without value added tax, which the Customer owes in addition, and they are rounded.

8.2 The sum is EUR 4,200 and is paid together with the invoice of the month that follows the end of each quarter.
"""
AMENDMENT = """# Amendment No. {number} to Master Services Agreement

This amendment is made on {day} between Alder Peak Systems Ltd and Highfield Logistics Group Ltd and amends the
Master Services Agreement No. MSA-2023-88 of 1 February 2023. It is effective {effective} and is signed twice.

## 1. Notice

1.1 Clause 4.1 of the Agreement is hereby deleted and replaced by the following: "4.1 The Customer may terminate this
agreement by giving {notice} days' notice in writing to the Supplier at its office."
"""
SISTER = AGREEMENT.replace("MSA-2023-88", "MSA-2024-12").replace("1 February 2023", "5 May 2024")
FIRST = AMENDMENT.format(number=1, day="3 June 2024", effective="1 July 2024", notice="sixty")
SECOND = AMENDMENT.format(number=2, day="9 September 2025", effective="1 October 2025", notice="thirty")

TODAY = date(2026, 3, 1)

NOTICE = "With how many days' notice may the Customer terminate the agreement MSA-2023-88?"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "agreement.md").write_text(AGREEMENT, encoding="utf-8")
    return folder


def open_assistant(home: Path, encoder: MiniLmEncoder, model: LanguageModel | None = None, top_k: int = 2) -> Assistant:
    """Over small passages, of which few are found."""
    settings = load_settings(home=home, gate=0.0, chunk_tokens=40, top_k=top_k)
    return assistant_with(settings, encoder, model=model, create=True)


@pytest.fixture
def assistant(tmp_path: Path, encoder: MiniLmEncoder) -> Iterator[Assistant]:
    with closing(open_assistant(tmp_path / "home", encoder)) as opened:
        yield opened


def ask(assistant: Assistant, folder: Path, question: str, today: date = TODAY) -> Answer:
    assert not assistant.library.ingest([folder]).failed
    *_, last = assistant.ask(question, today=today)
    assert isinstance(last, Finished)
    return last.answer


def linked(answer: Answer, relation: str) -> list[tuple[Passage, Link]]:
    return [(passage, link) for passage in answer.passages for link in passage.links if link.relation == relation]


def holding(answer: Answer, words: str) -> Passage:
    (passage,) = (passage for passage in answer.passages if words in passage.text)
    return passage


def test_a_definition_comes_along_and_what_it_points_to(folder: Path, tmp_path: Path, encoder: MiniLmEncoder) -> None:
    with closing(open_assistant(tmp_path / "home", encoder, top_k=4)) as assistant:
        answer = ask(assistant, folder, "What does a Supplier earn whose software runs without a stop?")

    clause, definition, price = (holding(answer, words) for words in ("7.1 A Supplier", "1.1 ", "EUR 4,200"))
    assert clause.number == 1
    assert Link("defines", "Availability Bonus", clause.number) in definition.links
    assert Link("holds", "8.2", definition.number) in price.links
    assert {citation.number for citation in answer.citations} >= {clause.number, definition.number, price.number}
    quotes = [citation.quote for citation in answer.citations]
    assert [quote.split(" ", 1)[0] for quote in quotes][:1] == ["7.1"]
    assert any("EUR 4,200" in quote for quote in quotes)


def test_what_came_along_was_found_by_no_search(assistant: Assistant, folder: Path) -> None:
    answer = ask(assistant, folder, "What does a Supplier earn whose software runs without a stop?")

    ranks = [passage.retrieval_rank for passage in answer.passages]
    assert ranks.count(0) == len(answer.passages) - 2
    assert all(passage.links for passage in answer.passages if passage.retrieval_rank == 0)


def test_a_clause_that_leans_on_nothing_comes_alone(assistant: Assistant, folder: Path) -> None:
    answer = ask(assistant, folder, "Within how many hours are requests by telephone answered?")

    assert len(answer.passages) == 2
    assert len(answer.citations) == 1


def test_an_amended_clause_is_never_shown_without_its_amendment(assistant: Assistant, folder: Path) -> None:
    (folder / "amendment.md").write_text(FIRST, encoding="utf-8")

    answer = ask(assistant, folder, NOTICE)

    old, new = holding(answer, "ninety"), holding(answer, "sixty")
    assert new.links == (Link("amends", "4.1", old.number, "1 July 2024", "3 June 2024"),)
    first, second = (answer.text.index(f"{words} days' notice") for words in ("sixty", "ninety"))
    assert first < answer.text.index("This amends clause 4.1, effective 1 July 2024. Before, it read:") < second
    assert {old.number, new.number} <= {citation.number for citation in answer.citations}


@pytest.mark.parametrize("top_k", [1, 4])
def test_whichever_of_both_is_found_the_other_comes_along(
    top_k: int, folder: Path, tmp_path: Path, encoder: MiniLmEncoder
) -> None:
    (folder / "amendment.md").write_text(FIRST, encoding="utf-8")

    with closing(open_assistant(tmp_path / "home", encoder, top_k=top_k)) as assistant:
        answer = ask(assistant, folder, NOTICE)

    assert holding(answer, "ninety").number != holding(answer, "sixty").number


def test_a_contract_that_is_asked_alone_is_told_to_be_amended(assistant: Assistant, folder: Path) -> None:
    (folder / "amendment.md").write_text(FIRST, encoding="utf-8")
    assistant.library.ingest([folder])

    *_, last = assistant.ask(NOTICE, documents=["agreement.md"])

    assert isinstance(last, Finished)
    assert linked(last.answer, "amends")


def test_of_several_amendments_the_latest_comes_first(assistant: Assistant, folder: Path) -> None:
    (folder / "a-first.md").write_text(FIRST, encoding="utf-8")
    (folder / "b-second.md").write_text(SECOND, encoding="utf-8")

    text = ask(assistant, folder, NOTICE).text

    places = [text.index(f"{words} days' notice") for words in ("thirty", "sixty", "ninety")]
    assert places == sorted(places)
    assert places[0] < text.index("An earlier amendment of it, effective 1 July 2024:") < places[1]


def test_a_contract_of_the_same_form_is_not_amended(assistant: Assistant, folder: Path) -> None:
    (folder / "amendment.md").write_text(FIRST, encoding="utf-8")
    (folder / "sister.md").write_text(SISTER, encoding="utf-8")

    answer = ask(assistant, folder, NOTICE.replace("MSA-2023-88", "MSA-2024-12"))

    sisters = {passage.number for passage in answer.passages if passage.source == "sister.md"}
    assert sisters
    assert not any(link.number in sisters for _, link in linked(answer, "amends"))


def test_an_amendment_that_was_removed_amends_no_more(assistant: Assistant, folder: Path) -> None:
    (folder / "amendment.md").write_text(FIRST, encoding="utf-8")
    assert linked(ask(assistant, folder, NOTICE), "amends")
    assistant.library.hide(assistant.library.document("amendment.md").document_id)

    *_, last = assistant.ask(NOTICE)

    assert isinstance(last, Finished)
    assert not linked(last.answer, "amends")
    assert "Before, it read" not in last.answer.text


def test_a_language_model_is_told_what_governs(
    folder: Path, tmp_path: Path, encoder: MiniLmEncoder, server: ChatServer
) -> None:
    (folder / "amendment.md").write_text(FIRST, encoding="utf-8")
    server.pieces = ["With sixty days' notice [2], which replaced ninety days' notice [1]."]

    with closing(open_assistant(tmp_path / "home", encoder, server.model())) as assistant:
        answer = ask(assistant, folder, NOTICE)

    old, new = holding(answer, "ninety").number, holding(answer, "sixty").number
    system, human = (message["content"] for message in server.requests[0]["messages"])  # type: ignore[attr-defined]
    assert "the amending or later passage governs" in system
    labels = [line for line in human.split("\n") if line.startswith("[")]
    assert labels[old - 1].endswith(f"(clause 4.1 is amended by [{new}] (effective 1 July 2024))")
    assert f"amends clause 4.1 in [{old}] (effective 1 July 2024)" in labels[new - 1]


def test_a_refusal_fetches_nothing(folder: Path, tmp_path: Path, encoder: MiniLmEncoder) -> None:
    settings = load_settings(home=tmp_path / "home", gate=1.0, chunk_tokens=40, top_k=2)
    with closing(assistant_with(settings, encoder, create=True)) as assistant:
        answer = ask(assistant, folder, "What does a Supplier earn whose software runs without a stop?")

    assert answer.refused
    assert len(answer.passages) == 2


def test_a_clause_that_a_later_version_words_otherwise_comes_with_it(assistant: Assistant, folder: Path) -> None:
    later = folder / "agreement-v2.md"
    later.write_text(AGREEMENT.replace("ninety", "thirty"), encoding="utf-8")
    os.utime(folder / "agreement.md", (1_700_000_000, 1_700_000_000))

    answer = ask(assistant, folder, NOTICE)

    old, new = holding(answer, "ninety"), holding(answer, "thirty")
    assert new.links == (Link("revises", "4.1", old.number),)
    told = answer.text.index("This is clause 4.1 in the later version of the document. Before, it read:")
    assert answer.text.index("thirty days") < told < answer.text.index("ninety days")


def test_a_form_filled_in_for_another_customer_is_no_later_version(assistant: Assistant, folder: Path) -> None:
    other = AGREEMENT.replace("ninety", "thirty").replace("Alder Peak Systems", "Cedar Hill Foods")
    (folder / "other.md").write_text(other.replace("Highfield Logistics\nGroup", "Dune\nTextiles"), encoding="utf-8")
    os.utime(folder / "agreement.md", (1_700_000_000, 1_700_000_000))

    assert not linked(ask(assistant, folder, NOTICE), "revises")
