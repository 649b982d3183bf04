"""Calibrations of the gate: fitted to labelled questions, measured on questions they were not fitted to, and kept.

What is fitted is plain logistic regression with a small penalty. Questions with and without evidence are weighted as if
`EVIDENCE_SHARE` of all had it: a set has as many without as its author wrote, which says nothing about its users. What
is reported comes from cross-validation only: a question set is judged by the model of the other sets, a single one in
folds by document, so that no two questions on one document stand on both sides.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from rich.markup import escape
from rich.table import Table

from ingest.errors import UsageError
from rag_app.gate import EMBEDDED, SHIPPED, GateModel

FILE_NAME = "calibration.json"
FEWEST_OF_A_KIND = 10
"""Fewer questions with or without evidence say nothing about a probability."""

EVIDENCE_SHARE = 2 / 3
"""The part of the questions that is taken to have its evidence found; in the sets of the shipped model it was 68 %."""

PENALTY = 1.0
FOLDS = 5
BINS = 5
_MOST_STEPS = 100

_MODELS = TypeAdapter(list[GateModel])


@dataclass(frozen=True, slots=True)
class Observation:
    """A question, the features of the passages found, and whether one of these is labelled as evidence (`sufficient`).

    `answerable`: the set has an answer to it. `left_out`: it was asked as if its documents were not in the set. What
    stands in the same `group`, a document, is judged by the same model.
    """

    question_set: str
    group: str
    features: Mapping[str, float]
    answerable: bool
    sufficient: bool
    left_out: bool = False


@dataclass(frozen=True, slots=True)
class Bin:
    """Observations of about the same probability: the mean of it, how often the passages sufficed, how many.

    The first two are weighted as if `EVIDENCE_SHARE` of all questions had evidence.
    """

    predicted: float
    observed: float
    count: int


@dataclass(frozen=True, slots=True)
class Refusals:
    """What the gate does with the questions of a set at a threshold; those with documents left out are not counted.

    `refused_without_evidence` counts refusals where none of the passages was evidence, of unanswerable questions and of
    others; the rest of `refused` was needless.
    """

    question_set: str
    asked: int
    unanswerable: int
    without_evidence: int
    refused: int
    refused_unanswerable: int
    refused_without_evidence: int

    def shares(self) -> dict[str, float | None]:
        """Precision and recall against unanswerable questions and against missing evidence; None: nothing to divide."""
        return {
            "precision": _share(self.refused_unanswerable, self.refused),
            "recall": _share(self.refused_unanswerable, self.unanswerable),
            "precision_evidence": _share(self.refused_without_evidence, self.refused),
            "recall_evidence": _share(self.refused_without_evidence, self.without_evidence),
        }


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """The fitted model, and how well models fitted without a question judge it."""

    model: GateModel
    threshold: float
    bins: tuple[Bin, ...]
    refusals: tuple[Refusals, ...]


def calibrate(
    observations: Sequence[Observation], names: Sequence[str], *, reranker: str, date: str, threshold: float
) -> CalibrationReport:
    """The model for this reranker over the features of these names, and its cross-validated figures.

    Raises `UsageError` where too few questions have evidence, or too few have none.
    """
    features = np.array([[observation.features[name] for name in names] for observation in observations], dtype=float)
    sufficient = np.array([observation.sufficient for observation in observations], dtype=float)
    _check_enough(sufficient)
    intercept, weights = fit(features, sufficient)
    sets = dict.fromkeys(observation.question_set for observation in observations)
    fitted_on = f"{len(observations)} questions of {', '.join(sets)}; {date}"
    model = GateModel(reranker, intercept, dict(zip(names, weights, strict=True)), fitted_on)
    probabilities = _cross_validated(observations, features, sufficient)
    return CalibrationReport(
        model,
        threshold,
        tuple(reliability(probabilities, sufficient)),
        tuple(count_refusals(observations, probabilities, threshold)),
    )


def fit(features: NDArray[np.float64], sufficient: NDArray[np.float64]) -> tuple[float, list[float]]:
    """Intercept and weights of logistic regression by Newton's method, the classes weighted by `EVIDENCE_SHARE`.

    `features` is `[n, k]`, `sufficient` `[n]` of 0 and 1. The penalty is on the weights of standardised features.
    """
    shares = class_weights(sufficient)
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    deviation[deviation == 0] = 1.0
    design = np.column_stack((np.ones(len(features)), (features - mean) / deviation))
    penalty = np.diag([0.0] + [PENALTY] * features.shape[1])
    weights = np.zeros(design.shape[1])
    for _ in range(_MOST_STEPS):
        expected = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (shares * (expected - sufficient)) + penalty @ weights
        step = np.linalg.solve((design.T * (shares * expected * (1 - expected))) @ design + penalty, gradient)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    slopes = weights[1:] / deviation
    return float(weights[0] - slopes @ mean), slopes.tolist()


def class_weights(sufficient: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each observation counts, 1 on average, so that `EVIDENCE_SHARE` of the whole is sufficient."""
    share = sufficient.mean()
    weights: NDArray[np.float64] = np.where(sufficient == 1, EVIDENCE_SHARE / share, (1 - EVIDENCE_SHARE) / (1 - share))
    return weights


def _cross_validated(
    observations: Sequence[Observation], features: NDArray[np.float64], sufficient: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The probability of each observation by a model that saw no observation of its fold."""
    folds = np.array(_folds(observations))
    probabilities = np.empty(len(observations))
    for fold in np.unique(folds):
        inside = folds == fold
        _check_enough(sufficient[~inside])
        intercept, weights = fit(features[~inside], sufficient[~inside])
        probabilities[inside] = 1 / (1 + np.exp(-(intercept + features[inside] @ np.array(weights))))
    return probabilities


def _folds(observations: Sequence[Observation]) -> list[str]:
    if len({observation.question_set for observation in observations}) > 1:
        return [observation.question_set for observation in observations]
    return [str(hashlib.sha256(observation.group.encode()).digest()[0] % FOLDS) for observation in observations]


def _check_enough(sufficient: NDArray[np.float64]) -> None:
    having, lacking = int(sufficient.sum()), int((1 - sufficient).sum())
    if min(having, lacking) < FEWEST_OF_A_KIND:
        raise UsageError(
            f"Expected at least {FEWEST_OF_A_KIND} questions whose evidence is found and as many others in the rest of "
            f"every fold; got {having} and {lacking}. Name more question sets, or larger ones."
        )


def reliability(probabilities: NDArray[np.float64], sufficient: NDArray[np.float64]) -> Iterator[Bin]:
    """Equally wide bins of the probability, without the empty ones."""
    places = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    shares = class_weights(sufficient)
    for place in np.unique(places):
        inside = places == place
        predicted, observed = (np.average(of[inside], weights=shares[inside]) for of in (probabilities, sufficient))
        yield Bin(float(predicted), float(observed), int(inside.sum()))


def count_refusals(
    observations: Sequence[Observation], probabilities: NDArray[np.float64], threshold: float
) -> Iterator[Refusals]:
    """What a gate of this threshold does with each set, in order."""
    for name in dict.fromkeys(observation.question_set for observation in observations):
        judged = [
            (observation, probability < threshold)
            for observation, probability in zip(observations, probabilities, strict=True)
            if observation.question_set == name and not observation.left_out
        ]
        refused = [observation for observation, is_refused in judged if is_refused]
        yield Refusals(
            name,
            asked=len(judged),
            unanswerable=sum(not observation.answerable for observation, _ in judged),
            without_evidence=sum(not observation.sufficient for observation, _ in judged),
            refused=len(refused),
            refused_unanswerable=sum(not observation.answerable for observation in refused),
            refused_without_evidence=sum(not observation.sufficient for observation in refused),
        )


def model_for(reranker: str, home: Path) -> GateModel:
    """The model kept in the home for this reranker; else the embedded one's, kept or shipped: see `gate.py`.

    Raises `UsageError` for a file that cannot be read.
    """
    kept = kept_models(home)
    return kept.get(reranker) or kept.get(EMBEDDED) or SHIPPED


def kept_models(home: Path) -> dict[str, GateModel]:
    """The models kept in this home by reranker; empty where nothing was calibrated."""
    path = home / FILE_NAME
    try:
        models = _MODELS.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        raise UsageError(f"The calibration {path} cannot be read ({error}). Remove it, or calibrate again.") from error
    return {model.reranker: model for model in models}


def keep(model: GateModel, home: Path) -> Path:
    """Keeps the model in the home, in place of an earlier one of the same reranker; returns the file."""
    models = {**kept_models(home), model.reranker: model}
    home.mkdir(parents=True, exist_ok=True)
    path = home / FILE_NAME
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps([asdict(kept) for kept in models.values()], indent=2), encoding="utf-8")
    os.replace(beside, path)
    return path


def calibration_tables(report: CalibrationReport) -> tuple[Table, Table]:
    """Reliability and refusals for a terminal."""
    bins = Table(title=escape(f"{report.model.reranker}: probability that the passages suffice"))
    for column in ("predicted", "observed", "questions"):
        bins.add_column(column, justify="right")
    for entry in report.bins:
        bins.add_row(f"{entry.predicted:.2f}", f"{entry.observed:.2f}", str(entry.count))
    refusals = Table(title=f"Refusals below {report.threshold:g}", caption="* of refusing where no passage is evidence")
    refusals.add_column("set", overflow="fold")
    for column in ("asked", "unanswerable", "refused", "precision", "recall", "precision*", "recall*"):
        refusals.add_column(column, justify="right", overflow="fold")
    for row in report.refusals:
        shares = ["-" if share is None else f"{share:.2f}" for share in row.shares().values()]
        refusals.add_row(escape(row.question_set), str(row.asked), str(row.unanswerable), str(row.refused), *shares)
    return bins, refusals


def report_as_dict(report: CalibrationReport) -> dict[str, object]:
    values = asdict(report)
    values["refusals"] = [{**asdict(row), **row.shares()} for row in report.refusals]
    return values


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
