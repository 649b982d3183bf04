"""Quotes with what governs them and what they are to be read with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from rag_app.answer import Link, Passage
from rag_app.governing import Governing
from rag_app.leaning import with_what_they_lean_on
from rag_app.quotes import Quote, quotes_of

TODAY = date(2026, 3, 1)


def passage(number: int, text: str, *links: Link, clauses: tuple[str, ...] = ()) -> Passage:
    return Passage(
        number, text, f"{number}.pdf", "Lease", 1, "1", "", f"d{number}", f"c{number}", 0.5, 0.1, 1,
        clauses=clauses, links=links,
    )  # fmt: skip


def longest_best(texts: Sequence[str]) -> list[float]:
    return [float(len(text)) for text in texts]


def shown(passages: Sequence[Passage], words: str) -> list[tuple[str, int, str]]:
    """What is shown for the quote with these words: what is said above, the passage, and how the quote begins."""
    chosen = next(quote for one in passages for quote in quotes_of(one) if words in quote.text)
    together = with_what_they_lean_on([chosen], passages, Governing(passages, longest_best, TODAY))
    return [(lead["en"] if lead else "", quote.passage.number, quote.text[:12]) for lead, quote in together]


OLD = passage(
    1, "4.1 The rent is EUR 900 a month.\n4.2 It is paid on the first day of the month.", clauses=("4.1", "4.2")
)
NEW = passage(
    2, "1.1 Clause 4.1 of the Lease is replaced by: “4.1 The rent is EUR 950.”\n1.2 All else stays as it is.",
    Link("amends", "4.1", 1, dated="2 May 2025"),
)  # fmt: skip
BEFORE = "This amends clause 4.1 (amendment of 2 May 2025). Before, it read:"


@pytest.mark.parametrize("words", ["EUR 900", "EUR 950"])
def test_what_governs_stands_before_what_it_replaced(words: str) -> None:
    assert shown([OLD, NEW], words) == [("", 2, "1.1 Clause 4"), (BEFORE, 1, "4.1 The rent")]


@pytest.mark.parametrize("words", ["first day", "All else"])
def test_words_beside_an_amended_clause_are_not_amended(words: str) -> None:
    assert len(shown([OLD, NEW], words)) == 1


def test_new_wording_is_quoted_to_its_end() -> None:
    text = (
        "Clause 4.1 is replaced by: “4.1 The rent is EUR 950. It is paid at once. It is not reduced.” The rest stays."
    )
    new = replace(NEW, text=text)
    chosen = next(quotes_of(OLD))

    (_, quote), _ = with_what_they_lean_on([chosen], [OLD, new], Governing([OLD, new], longest_best, TODAY))

    assert quote.text == text.removesuffix(" The rest stays.")
    assert new.text[slice(*quote.span)] == quote.text


def test_a_target_that_was_amended_is_not_shown_without_its_amendment() -> None:
    pointing = passage(3, "9.1 A guarantee of three times the rent of clause 4.1 is owed.")
    old = replace(OLD, links=(Link("holds", "4.1", 3),))

    assert shown([pointing, old, NEW], "guarantee") == [
        ("", 3, "9.1 A guaran"),
        ("To be read with it:", 2, "1.1 Clause 4"),
        (BEFORE, 1, "4.1 The rent"),
    ]


def test_a_definition_is_quoted_without_its_neighbours() -> None:
    using = passage(1, "3.1 The Tenant keeps the Garden clean.")
    terms = passage(
        2, "1.1 These words mean:\n(a) “House” means the building;\n(b) “Garden” means the land around it;",
        Link("defines", "Garden", 1), Link("defines", "House", 1),
    )  # fmt: skip

    assert shown([using, terms], "clean") == [("", 1, "3.1 The Tena"), ("To be read with it:", 2, "(b) “Garden”")]


def test_a_quote_without_links_stands_alone() -> None:
    quote = Quote(OLD, (0, 32), OLD.text[:32])

    assert with_what_they_lean_on([quote], [OLD], Governing([OLD], longest_best, TODAY)) == [(None, quote)]
