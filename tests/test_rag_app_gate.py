"""The gate: a wrong sister model, an unknown code and words the documents lack are not answered."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.embedding import MiniLmEncoder
from rag_app.answer import Passage
from rag_app.gate import EMBEDDED, OWN_SCORE_FEATURES, SHIPPED, THRESHOLD, Gate, GateModel, missing, refusal
from rag_app.rerankers import describe_reranker
from rag_app.settings import load_settings
from retrievers.rerank.late_interaction import LateInteractionReranker

PASSAGE = Passage(
    number=1,
    text="Tighten the ram bolts to a torque of 45 Nm. Fault E07 means low oil. Check the oil every 500 hours.",
    source="hp40.pdf",
    title="HP-40 manual",
    page=19,
    page_label="17",
    section="4.3 Hydraulics",
    document_id="d",
    chunk_id="c",
    score=0.7,
    retrieval_score=0.03,
    retrieval_rank=1,
)
OTHERS = (
    replace(PASSAGE, number=2, chunk_id="o", text="The press stands on level ground."),
    replace(PASSAGE, number=3, chunk_id="p", text="Switch the main switch off."),
)


@pytest.fixture(scope="module")
def gate(encoder: MiniLmEncoder) -> Gate:
    return Gate(SHIPPED, LateInteractionReranker(encoder))


def evidence(gate: Gate, question: str, *passages: Passage) -> float:
    reading = gate.reading(question, passages, [passage.text for passage in passages], threshold=THRESHOLD)
    return reading.probability if reading else 0.0


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        pytest.param("What torque for the ram bolts of the HP-40?", True, id="right model"),
        pytest.param("What torque for the ram bolts of the HP 40?", True, id="spaced model"),
        pytest.param("What torque for the ram bolts of the HP-60?", False, id="sister model"),
        pytest.param("What does fault E07 mean?", True, id="known code"),
        pytest.param("What does fault E09 mean?", False, id="unknown code"),
        pytest.param("Which warranty covers paint damage by seawater?", False, id="other subject"),
    ],
)
def test_the_gate_opens_for_what_the_passages_speak_of(gate: Gate, question: str, answered: bool) -> None:
    assert (evidence(gate, question, PASSAGE, *OTHERS) >= THRESHOLD) is answered


def test_codes_must_stand_together_in_one_passage(gate: Gate) -> None:
    other = replace(PASSAGE, number=2, title="HP-60 manual", source="hp60.pdf", text="The HP-60 has two rams.")

    assert evidence(gate, "What does fault E07 of the HP-60 mean?", PASSAGE, other) < THRESHOLD


def test_to_name_the_document_is_no_evidence_of_what_it_says(gate: Gate) -> None:
    plain, named = "Who pays for the paint?", "Who pays for the paint, by the HP-40 manual?"
    features = [gate.features(question, [PASSAGE], [PASSAGE.text]) for question in (plain, named)]

    assert features[0]["relevance"] == pytest.approx(features[1]["relevance"], abs=0.1)


@pytest.mark.parametrize(
    ("question", "share"),
    [
        ("Is “cross pattern” used here?", 1.0),
        ("What is E09?", 1.0),
        ("Does Acme or Fault sell oil?", 0.5),
        ("Which oil?", 0.0),
        ("How much does the oil cost?", 1.0),
        ("Which torque do the ram bolts need?", 0.0),
        ("After how many weeks is the oil checked?", 0.0),
    ],
)
def test_what_is_missing_is_a_share(question: str, share: float) -> None:
    assert missing(question, PASSAGE) == share


def test_no_passages_is_no_evidence(gate: Gate) -> None:
    assert evidence(gate, "torque?") == 0.0


def test_a_reranker_that_gives_a_probability_is_judged_by_its_best(gate: Gate) -> None:
    model = GateModel("qwen3", intercept=0.0, weights={OWN_SCORE_FEATURES[0]: 1.0}, fitted_on="a test")
    own = Gate(model, LateInteractionReranker(MiniLmEncoder()))
    unscored = replace(PASSAGE, score=None)

    assert evidence(own, "oil?", unscored, PASSAGE) == pytest.approx(0.7)
    assert evidence(own, "oil?", replace(PASSAGE, score=1.0)) > 0.999
    assert evidence(own, "oil?", unscored) < 0.001


def test_the_shipped_model_is_that_of_the_embedded_reranker() -> None:
    assert SHIPPED.reranker == EMBEDDED == describe_reranker(load_settings(reranker="embedded"))


def test_a_refusal_says_what_was_searched_and_shows_the_nearest_passages() -> None:
    text = refusal("Which colour?", [PASSAGE], collection="presses", documents=12)

    assert "12 documents of the collection 'presses'" in text
    assert text.endswith("- HP-40 manual, p. 17, 4.3 Hydraulics [1]")
    chinese = refusal("什么颜色？", [PASSAGE], collection="presses", documents=12)
    assert chinese.startswith("这些文档似乎没有回答这个问题。")
    assert "“presses”中的 12 个文档" in chinese
    assert "1 document of" in refusal("Which colour?", [], collection="presses", documents=1)
    assert "add some first" in refusal("Which colour?", [], collection="presses", documents=0)


@settings(deadline=None, max_examples=50)  # the first call loads the dictionary of Chinese words
@given(question=st.text(), score=st.none() | st.floats(), text=st.text())
def test_evidence_is_between_zero_and_one(gate: Gate, question: str, score: float | None, text: str) -> None:
    passage = replace(PASSAGE, text=text, score=score)

    assert 0.0 <= evidence(gate, question, passage) <= 1.0
