"""Passages: numbered once, named for people, harmless in a prompt."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.schema import NodeWithScore, TextNode

from ingest.errors import UsageError
from rag_app.answer import Passage
from rag_app.context import Context, fit_passages, neutralise, number_passages, source_label

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


def node(text: str = PASSAGE.text, score: float | None = 0.8) -> NodeWithScore:
    metadata = {
        "document_id": "d",
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
    }
    return NodeWithScore(node=TextNode(id_="c", text=text, metadata=metadata), score=score)


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
def test_neutralised_text_is_stable_and_as_long(text: str) -> None:
    assert neutralise(neutralise(text)) == neutralise(text)
    assert len(neutralise(text)) == len(text)


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
