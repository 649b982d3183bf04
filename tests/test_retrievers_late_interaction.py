"""The embedded reranker, with the real model."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from ingest.embedding import MiniLmEncoder
from retrievers.rerank.late_interaction import LateInteractionReranker, word_at
from retrievers.rerank.protocol import Reranker

PUMP = "The pump stops when the oil temperature exceeds 70 degrees."
INVOICE = "Invoices are payable within thirty days of receipt."


@pytest.fixture(scope="module")
def reranker(encoder: MiniLmEncoder) -> LateInteractionReranker:
    return LateInteractionReranker(encoder)


def test_it_is_a_reranker(reranker: LateInteractionReranker) -> None:
    assert isinstance(reranker, Reranker)


def test_no_documents_give_no_scores(reranker: LateInteractionReranker) -> None:
    assert reranker.score("why", []) == []


@pytest.mark.parametrize("query", ["", " ", "?!"], ids=["empty", "space", "punctuation"])
def test_a_query_without_a_word_decides_nothing(reranker: LateInteractionReranker, query: str) -> None:
    scores = reranker.score(query, [PUMP, PUMP])

    assert scores[0] == scores[1]


@pytest.mark.parametrize(
    "text", [PUMP, "故障代码表示润滑油不足。", "E07 on the HP-40"], ids=["English", "Chinese", "codes"]
)
def test_the_same_text_scores_one(reranker: LateInteractionReranker, text: str) -> None:
    assert reranker.score(text, [text])[0] == pytest.approx(1.0, abs=0.02)


def test_scores_come_in_the_order_of_the_documents(reranker: LateInteractionReranker) -> None:
    query = "When does the pump switch off?"
    forward = reranker.score(query, [PUMP, INVOICE])
    backward = reranker.score(query, [INVOICE, PUMP])

    assert forward == backward[::-1]
    assert forward[0] > forward[1]


def test_scores_do_not_depend_on_batch_mates(encoder: MiniLmEncoder) -> None:
    """Padding must not leak; what is left is the rounding of the processor's arithmetic."""
    alone = LateInteractionReranker(encoder).score("oil temperature", [PUMP])[0]
    among = LateInteractionReranker(encoder).score("oil temperature", [INVOICE * 20, PUMP, "x"])[1]

    assert alone == pytest.approx(among, abs=0.02)


def test_identifiers_count_only_letter_for_letter(reranker: LateInteractionReranker) -> None:
    """Their vectors are nearly the same; the wrong sister model must not win."""
    right, wrong = reranker.score("E07 on the HP-60", ["HP-60: E07 water flow", "HP-40: E07 water flow"])

    assert right > wrong + 0.1


def test_a_rare_word_outweighs_common_ones(encoder: MiniLmEncoder) -> None:
    documents = ["the indemnity of the buyer", "what is in the agreement"]
    query = "what is the indemnity"
    weighing = LateInteractionReranker(encoder, rarity=lambda word: 10.0 if word == "indemnity" else 0.1)

    assert weighing.score(query, documents)[0] - weighing.score(query, documents)[1] > (
        LateInteractionReranker(encoder).score(query, documents)[0]
        - LateInteractionReranker(encoder).score(query, documents)[1]
    )


def test_words_that_stand_together_beat_scattered_ones(reranker: LateInteractionReranker) -> None:
    together = "Tighten the anchor bolts to 480 Nm. Clean the floor. Lift the press."
    scattered = "Tighten the belt. The anchor is heavy. Store the bolts. Apply 480 Nm."
    scores = reranker.score("Tighten the anchor bolts to 480 Nm", [together, scattered])

    assert scores[0] > scores[1]


def test_chinese_is_matched_by_pairs_of_characters(reranker: LateInteractionReranker) -> None:
    scores = reranker.score("润滑油多久更换一次", ["每4000小时更换润滑油。", "合同自签字之日起生效。"])

    assert scores[0] > scores[1] + 0.2


def test_cached_passages_score_the_same(reranker: LateInteractionReranker) -> None:
    assert reranker.score("pump", [PUMP, INVOICE]) == reranker.score("pump", [PUMP, INVOICE])


def test_many_threads_get_the_scores_of_one(encoder: MiniLmEncoder) -> None:
    reranker = LateInteractionReranker(encoder)
    expected = reranker.score("oil temperature", [PUMP, INVOICE])
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: reranker.score("oil temperature", [PUMP, INVOICE]), range(8)))

    assert found == [expected] * 8


@pytest.mark.parametrize(("start", "end", "word"), [(6, 8, "HP-60"), (0, 3, "torque"), (9, 10, "")])
def test_the_word_around_a_token(start: int, end: int, word: str) -> None:
    text = {"HP-60": "valve HP-60 x", "torque": "torque", "": "valve V1 . x"}[word]

    assert word_at(text, start, end) == word
