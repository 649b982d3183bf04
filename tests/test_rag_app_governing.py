"""What is told of a clause that several passages change."""

from __future__ import annotations

from datetime import date

from rag_app.answer import Link, Passage
from rag_app.governing import Governing
from rag_app.quotes import quotes_of

AMENDMENTS = 14


def passage(number: int, text: str, *links: Link) -> Passage:
    return Passage(
        number=number,
        text=text,
        source=f"{number}.pdf",
        title=f"Amendment {number}",
        page=1,
        page_label="1",
        section="",
        document_id=f"d{number}",
        chunk_id=f"c{number}",
        score=0.5,
        retrieval_score=0.1,
        retrieval_rank=1,
        clauses=("1.1",),
        links=links,
    )


def test_amendments_that_change_all_before_them_are_told_once_each() -> None:
    agreement = passage(1, "1.1 The rent is EUR 900.")
    amendments = [
        passage(
            number,
            f"1.1 Clause 1.1 of the Agreement and of all amendments before is replaced by “EUR {number}”.",
            *(Link("amends", "1.1", before) for before in range(1, number)),
        )
        for number in range(2, AMENDMENTS + 2)
    ]
    governing = Governing([agreement, *amendments], lambda texts: [len(text) for text in texts], date(2026, 1, 1))

    told = governing.told(next(quotes_of(agreement)))

    assert sorted(quote.passage.number for _, quote in told) == list(range(1, AMENDMENTS + 2))
    assert told[-1][1].passage is agreement
