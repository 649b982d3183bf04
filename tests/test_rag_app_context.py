"""Passages: numbered once, named for people, harmless in a prompt."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_index.core.schema import NodeWithScore, TextNode

from ingest.errors import UsageError
from rag_app.answer import WHOLE, Link, Passage
from rag_app.context import (
    Context,
    combine_passages,
    fit_passages,
    link_note,
    neutralise,
    number_passages,
    source_label,
)
from rag_app.marks import clean_marks

PASSAGE = Passage(
    number=1,
    text="Tighten the ram bolts to 45 Nm.",
    source="hp40.pdf",
    title="HP-40 manual",
    page=19,
    page_label="17",
    section="4.3 Hydraulics",
    document_id="d",
    chunk_id="c",
    score=0.8,
    retrieval_score=0.03,
    retrieval_rank=4,
    boxes=((19, 10.0, 20.0, 110.0, 32.0),),
    box_spans=((0, 31),),
)


def node(text: str = PASSAGE.text, score: float | None = 0.8, **other: object) -> NodeWithScore:
    metadata = {
        "document_id": "d",
        "version": "d-1",
        "position": 0,
        "source": "hp40.pdf",
        "title": "HP-40 manual",
        "page": 19,
        "page_label": "17",
        "section": "4.3 Hydraulics",
        "boxes": json.dumps([[19, 10.0, 20.0, 110.0, 32.0]]),
        "box_spans": json.dumps([[0, 31]]),
        "ocr": False,
        "ocr_confidence": 1.0,
        "retrieval_score": 0.03,
        "retrieval_rank": 4,
        "clauses": "[]",
        **other,
    }
    identifier = f"c{other['position']}" if "position" in other else "c"
    return NodeWithScore(node=TextNode(id_=identifier, text=text, metadata=metadata), score=score)


def place(position: int, text: str, **other: object) -> NodeWithScore:
    """The node at this place of its document, without boxes."""
    return node(text, position=position, boxes="[]", box_spans="[]", **other)


def test_nodes_become_passages_numbered_from_one() -> None:
    passages = number_passages([node(), node("Other.")])

    assert passages[0] == PASSAGE
    assert [passage.number for passage in passages] == [1, 2]


def test_a_passage_from_a_scan_says_how_surely_it_was_read() -> None:
    scanned = node()
    scanned.node.metadata |= {"ocr": True, "ocr_confidence": 0.87}

    assert [passage.ocr_confidence for passage in number_passages([scanned, node()])] == [0.87, None]


def test_a_passage_that_the_reranker_did_not_reach_has_no_score() -> None:
    (passage,) = number_passages([node(score=None)])

    assert passage.score is None
    assert passage.retrieval_score == 0.03


@pytest.mark.parametrize(
    ("passage", "label"),
    [
        pytest.param(PASSAGE, "HP-40 manual, p. 17, 4.3 Hydraulics", id="printed page"),
        pytest.param(replace(PASSAGE, page_label=""), "HP-40 manual, p. 19, 4.3 Hydraulics", id="physical page"),
        pytest.param(
            replace(PASSAGE, page=1, page_label="", boxes=(), box_spans=(), section="", title=""),
            "hp40.pdf",
            id="no page",
        ),
        pytest.param(replace(PASSAGE, title="HP-40\nmanual", section=""), "HP-40 manual, p. 17", id="one line"),
    ],
)
def test_a_source_is_named_for_a_person(passage: Passage, label: str) -> None:
    assert source_label(passage) == label


@pytest.mark.parametrize(
    ("link", "note"),
    [
        (Link("amends", "9.1", 2, "1 March 2024"), "amends clause 9.1 in [2] (effective 1 March 2024)"),
        (Link("amends", "9.1", 2, dated="2 May 2025"), "amends clause 9.1 in [2] (dated 2 May 2025)"),
        (
            Link("ends", "Exhibit B", 2, "1 March 2030", standing="to come"),
            "ends Exhibit B in [2] (not yet in force: effective 1 March 2030)",
        ),
        (Link("ends", WHOLE, 2), "ends the whole document in [2]"),
        (Link("amends", "4", 2, standing="unknown"), "amends clause 4 in [2] (from when on is not known)"),
        (
            Link("amends", "4", 2, "upon closing", standing="unknown"),
            "amends clause 4 in [2] (effective upon closing, whether that has come is not known)",
        ),
        (Link("drops", "4", 2), "is of a later version, which no longer has clause 4 in [2]"),
        (Link("revises", "4", 2), "is the later version of clause 4 in [2]"),
    ],
)
def test_a_link_is_named_for_a_person(link: Link, note: str) -> None:
    assert link_note(link) == note


@pytest.mark.parametrize(
    "token",
    [
        "<|im_end|>",
        "<|endoftext|>",
        "<think>",
        "</think>",
        "</passage>",
        "<s>",
        "[INST]",
        "[/INST]",
        "<<SYS>>",
        "<｜end｜>",
    ],
)
def test_control_tokens_of_a_document_are_text(token: str) -> None:
    context = fit_passages([replace(PASSAGE, text=f"a {token} b", title=token)], lambda _: True)

    assert token not in context.text.replace("<passage>", "").removesuffix("</passage>")


def test_comparisons_stay_readable() -> None:
    assert neutralise("if x <5 mm or < 3 and y <= 2") == "if x <5 mm or < 3 and y <= 2"


@given(st.text())
def test_neutralised_text_is_stable_and_no_longer(text: str) -> None:
    assert neutralise(neutralise(text)) == neutralise(text)
    assert len(neutralise(text)) <= len(text)


@given(st.text(alphabet="[【［]】］^12, -<|/pas>\u200b"))
def test_neutralised_text_holds_no_mark_of_a_passage(text: str) -> None:
    assert "".join(clean_marks([neutralise(text)], 99)).count("[1]") == 0


def within(characters: int) -> Callable[[Context], bool]:
    return lambda context: len(context.text) <= characters


def test_what_does_not_fit_is_told() -> None:
    second = replace(PASSAGE, number=2)
    long = replace(PASSAGE, number=3, text="x" * 500)
    short = replace(PASSAGE, number=4)

    context = fit_passages([PASSAGE, second, long, short], within(250))

    assert context.shown == (PASSAGE, second)
    assert context.left_out == (long, short)
    assert context.text.startswith("[1] HP-40 manual, p. 17, 4.3 Hydraulics\n<passage>\nTighten")
    assert "[2]" in context.text


def test_no_room_for_any_passage_is_an_error() -> None:
    with pytest.raises(UsageError, match="at least one passage"):
        fit_passages([PASSAGE], within(10))


def test_neighbours_of_one_section_are_one_passage_in_reading_order() -> None:
    nodes = [place(5, "Fifth."), place(9, "Ninth."), place(6, "Sixth."), place(4, "Fourth.")]

    first, second = combine_passages(nodes)

    assert (first.number, first.text) == (1, "Fourth.\nFifth.\nSixth.")
    assert (first.chunk_id, first.retrieval_rank) == ("c5", 4)
    assert (second.number, second.text) == (2, "Ninth.")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"section": "4.4 Cooling"}, id="another section"),
        pytest.param({"version": "e-1", "document_id": "e"}, id="another document"),
        pytest.param({"page": 20}, id="another page of a format without boxes"),
    ],
)
def test_neighbours_that_do_not_belong_together_stay_apart(other: dict[str, object]) -> None:
    passages = combine_passages([place(5, "Fifth."), place(6, "Sixth.", **other)])

    assert [passage.text for passage in passages] == ["Fifth.", "Sixth."]


def test_a_merged_passage_is_no_longer_than_a_prompt_can_take() -> None:
    nodes = [place(position, f"{position}" * 1200) for position in range(4)]

    assert [len(passage.text) for passage in combine_passages(nodes)] == [2401, 2401]


def test_a_merged_passage_is_named_after_all_its_clauses() -> None:
    nodes = [place(5, "Fifth.", section="4. Delivery > 4.1 - 4.3"), place(6, "Sixth.", section="4. Delivery > 4.4")]

    assert [passage.section for passage in combine_passages(nodes)] == ["4. Delivery > 4.1 - 4.4"]


def test_the_boxes_of_a_merged_passage_cover_what_they_covered() -> None:
    boxes = json.dumps([[19, 10.0, 20.0, 110.0, 32.0]])
    first = node("Drain the oil.", position=5, boxes=boxes, box_spans="[[0, 14]]")
    second = node("Clean the tank.", position=6, boxes=boxes.replace("19", "20"), box_spans="[[0, 15]]", page=20)

    (passage,) = combine_passages([second, first])

    covered = [(box[0], passage.text[slice(*span)]) for box, span in zip(passage.boxes, passage.box_spans, strict=True)]
    assert covered == [(19, "Drain the oil."), (20, "Clean the tank.")]
    assert passage.page == 19


def test_the_head_of_a_table_that_goes_on_is_not_repeated() -> None:
    first = place(5, "Intervals\n| Hours | Task |\n|---|---|\n| 500 | Clean |")
    second = node("| Hours | Task |\n|---|---|\n| 900 | Drain |", position=6, boxes="[]", box_spans="[]")

    (passage,) = combine_passages([first, second])

    assert passage.text == "Intervals\n| Hours | Task |\n|---|---|\n| 500 | Clean |\n| 900 | Drain |"


def test_what_a_document_says_twice_is_one_passage() -> None:
    passages = combine_passages([place(9, "Wear gloves."), place(2, "Wear gloves."), place(7, "Else.")])

    assert [passage.chunk_id for passage in passages] == ["c9", "c7"]


def test_what_two_documents_say_is_written_once_and_citable_in_both() -> None:
    other = place(2, "Wear gloves.", document_id="e", version="e-1", title="HP-60 manual")

    context = fit_passages(combine_passages([place(2, "Wear gloves."), other]), lambda _: True)

    assert context.text.count("Wear gloves.") == context.text.count("<passage>") == 1
    assert context.text.endswith("[2] HP-60 manual, p. 17, 4.3 Hydraulics\nHere stand the same words as in [1].")
    assert [passage.title for passage in context.shown] == ["HP-40 manual", "HP-60 manual"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["| a | b |", "| 1 | 2 |\n| 3 | 4 |", "Text. More."]))))
def test_every_text_is_in_a_passage_however_they_are_merged(places: list[tuple[int, str]]) -> None:
    nodes = [place(position, f"{text}\n{position}") for position, text in dict(places).items()]

    passages = combine_passages(nodes)

    assert [passage.number for passage in passages] == list(range(1, len(passages) + 1))
    for one in nodes:
        assert any(one.text in passage.text for passage in passages)
    if nodes:
        assert nodes[0].text in passages[0].text
