"""Which document a question names: its models are looked for, its title is not taken for evidence."""

from __future__ import annotations

from collections.abc import Sequence

from rag_app.answer import Passage
from rag_app.naming import about_the_named, scored_unnamed, unnamed


def passage(text: str, title: str = "HP-40 manual") -> Passage:
    return Passage(1, text, "hp.pdf", title, 3, "3", "4.3 Torques", "d", "c", 0.8, 0.03, 1)


def test_the_passages_with_most_of_the_named_codes_are_about_them() -> None:
    sister, asked = passage("Ram bolts: 45 Nm."), passage("Ram bolts: 60 Nm.", "HP-60 manual")

    assert about_the_named("Ram bolts of the HP 60?", [sister, asked]) == [asked]
    assert about_the_named("Ram bolts?", [sister, asked]) == [sister, asked]


def test_an_acronym_names_a_document() -> None:
    purchase, secret = passage("English law governs.", "Purchase agreement"), passage("Swedish law.", "Mutual NDA")

    assert about_the_named("Which law governs the NDA?", [purchase, secret]) == [secret]
    assert about_the_named("WHICH LAW GOVERNS?", [purchase, secret]) == [purchase, secret]


def test_only_the_words_that_name_the_document_are_left_out() -> None:
    words = unnamed("What does the HP-40 manual say of E07?", passage("E07")).split()

    assert words == ["What", "does", "the", "say", "of", "E07?"]
    assert unnamed("HP-40 manual", passage("E07")) == "HP-40 manual"
    assert unnamed("液压油多久更换一次？", passage("E07")) == "液压油多久更换一次？"


def test_each_text_is_scored_for_what_is_asked_apart_from_its_own_document() -> None:
    asked: list[str] = []

    def score(question: str, texts: Sequence[str]) -> list[float]:
        asked.append(" ".join(question.split()))
        return [float(text) for text in texts]

    passages = [passage("a"), passage("b", "HP-60 manual"), passage("c")]

    assert scored_unnamed("Is E07 in the HP-40 manual?", passages, ["1", "2", "3"], score) == [1.0, 2.0, 3.0]
    assert asked == ["Is E07 in the ?", "Is E07 in the HP-40 ?"]
