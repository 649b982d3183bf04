"""Calibrations: what is fitted, what is reported of questions it was not fitted to, and what is kept in the home."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from ingest.errors import UsageError
from rag_app.calibration import (
    EVIDENCE_SHARE,
    FILE_NAME,
    Observation,
    calibrate,
    calibration_tables,
    count_refusals,
    fit,
    keep,
    model_for,
    reliability,
)
from rag_app.gate import EMBEDDED, SHIPPED, GateModel

MODEL = GateModel("qwen3", intercept=-1.0, weights={"own_score": 0.5}, fitted_on="3 questions of leases; 2026-11-21")


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def observations(question_set: str, count: int, seed: int) -> list[Observation]:
    """Questions whose evidence is there with the probability sigmoid(2 x - 1)."""
    draw = np.random.default_rng(seed)
    values = draw.normal(size=count)
    sufficient = draw.random(count) < sigmoid(2 * values - 1)
    return [
        Observation(question_set, f"d{place}", {"x": float(value)}, answerable=bool(found), sufficient=bool(found))
        for place, (value, found) in enumerate(zip(values, sufficient, strict=True))
    ]


def test_the_weights_that_made_the_labels_are_found() -> None:
    draw = np.random.default_rng(7)
    features = draw.normal(size=(20_000, 2)) * [1.0, 50.0] + [3.0, 0.0]
    sufficient = (draw.random(20_000) < sigmoid(1.5 * (features[:, 0] - 3) - 0.02 * features[:, 1])).astype(float)

    intercept, weights = fit(features, sufficient)

    assert weights == pytest.approx([1.5, -0.02], rel=0.1)
    prior = np.log(EVIDENCE_SHARE / (1 - EVIDENCE_SHARE))  # half of these have evidence; that share is assumed
    assert intercept == pytest.approx(-4.5 + prior, abs=0.3)


def test_a_feature_that_never_changes_is_left_alone_and_one_that_tells_all_stays_finite() -> None:
    features = np.column_stack((np.ones(40), np.repeat([0.0, 1.0], 20)))

    _, weights = fit(features, np.repeat([0.0, 1.0], 20))

    assert weights[0] == 0.0
    assert 1.0 < weights[1] < 20.0


def test_predicted_probabilities_are_observed() -> None:
    asked = observations("leases", 3000, seed=1) + observations("manuals", 3000, seed=2)
    report = calibrate(asked, ["x"], reranker="r", date="2026-11-21", threshold=0.67)

    assert report.model.fitted_on == "6000 questions of leases, manuals; 2026-11-21"
    assert sum(entry.count for entry in report.bins) == 6000
    for entry in report.bins:
        assert entry.observed == pytest.approx(entry.predicted, abs=0.05)


def test_a_set_is_judged_by_the_others_only() -> None:
    """The labels of one set are turned round: a model that had seen them would not be so wrong about it."""
    straight = observations("leases", 300, seed=1) + observations("manuals", 300, seed=2)
    turned = [
        Observation("turned", "d", observation.features, not observation.answerable, not observation.sufficient)
        for observation in observations("turned", 30, seed=3)
    ]
    by_set = {
        row.question_set: row
        for row in calibrate(straight + turned, ["x"], reranker="r", date="", threshold=0.67).refusals
    }

    assert by_set["leases"].shares()["precision"] > 0.6  # type: ignore[operator] # some were refused
    assert by_set["turned"].shares()["precision"] < 0.5  # type: ignore[operator] # some were refused


def test_one_set_alone_is_judged_in_folds_by_document() -> None:
    report = calibrate(observations("leases", 400, seed=1), ["x"], reranker="r", date="", threshold=0.67)

    assert sum(entry.count for entry in report.bins) == 400


def test_too_few_questions_of_a_kind_are_an_error() -> None:
    answered = [Observation("leases", f"d{place}", {"x": 1.0}, True, True) for place in range(50)]

    with pytest.raises(UsageError, match="got 50 and 0"):
        calibrate(answered, ["x"], reranker="r", date="", threshold=0.67)


def test_refusals_are_counted_without_the_questions_whose_documents_were_left_out() -> None:
    asked = [
        Observation("leases", "a", {}, answerable=True, sufficient=True),
        Observation("leases", "b", {}, answerable=True, sufficient=False),
        Observation("leases", "c", {}, answerable=False, sufficient=False),
        Observation("leases", "d", {}, answerable=False, sufficient=False),
        Observation("leases", "a", {}, answerable=True, sufficient=False, left_out=True),
    ]
    (row,) = count_refusals(asked, np.array([0.9, 0.1, 0.2, 0.8, 0.1]), 0.5)

    assert (row.asked, row.unanswerable, row.refused) == (4, 2, 2)
    assert row.shares() == {
        "precision": 1 / 2,
        "recall": 1 / 2,
        "precision_evidence": 2 / 2,
        "recall_evidence": 2 / 3,
    }
    (nothing,) = count_refusals(asked[:1], np.array([0.9]), 0.5)
    assert set(nothing.shares().values()) == {None}


def test_reliability_weighs_the_kinds_as_the_fit_does() -> None:
    (entry,) = reliability(np.full(4, 0.7), np.array([1.0, 0.0, 0.0, 0.0]))

    assert (entry.predicted, entry.observed, entry.count) == (pytest.approx(0.7), pytest.approx(EVIDENCE_SHARE), 4)


def test_the_kept_model_is_used_for_its_reranker_only(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert model_for("qwen3", home) == model_for(EMBEDDED, home) == SHIPPED

    keep(MODEL, home)
    own = GateModel(EMBEDDED, 0.5, {"relevance": 1.0}, "here")
    keep(own, home)

    assert model_for("qwen3", home) == MODEL
    assert model_for(EMBEDDED, home) == model_for("another", home) == own


@pytest.mark.parametrize("content", ["", "[", '{"reranker": "x"}', '[{"reranker": "x"}]', "\x00"])
def test_a_damaged_calibration_is_an_error_that_names_the_file(content: str, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(content, encoding="utf-8")

    with pytest.raises(UsageError, match=FILE_NAME):
        model_for("qwen3", tmp_path)


def test_what_is_kept_can_be_read_by_people(tmp_path: Path) -> None:
    (entry,) = json.loads(keep(MODEL, tmp_path).read_text(encoding="utf-8"))

    assert entry["weights"] == {"own_score": 0.5}
    assert entry["fitted_on"] == MODEL.fitted_on


def test_the_tables_show_probabilities_and_refusals() -> None:
    asked = observations("[/b] leases", 200, seed=1) + observations("manuals", 200, seed=2)
    printed = io.StringIO()
    for table in calibration_tables(calibrate(asked, ["x"], reranker="r", date="", threshold=0.67)):
        Console(file=printed, width=140).print(table)

    text = printed.getvalue()
    assert "[/b] leases" in text
    assert all(word in text for word in ("predicted", "observed", "precision", "recall", "Refusals below 0.67"))
