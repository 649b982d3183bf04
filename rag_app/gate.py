"""Whether the passages suffice to answer the question, and what is said when they do not.

The evidence of an answer is the probability, from 0 to 1, that its passages hold what is asked: logistic regression
over a few features of the question and its best `EVIDENCE_PASSAGES` passages.

relevance  the best late-interaction score, 0 at the low and 1 at the high end of SCORE_RANGE; may leave both. A passage
           is scored for the question without the words that name its own document (`unnamed`): that it stands in the
           HP-40 manual tells nothing of what it says
lead       how far that score is above the mean of the others, in the same unit; a passage too few has the low end
missing    the share of the question's names that the passage which holds most of them lacks; 1 where it lacks a code,
           or the pressure, torque, temperature, voltage or price asked for. They must stand together: "E07 of the
           HP-60" is not answered by E07 of the HP-40 and something on the HP-60
own_score  the log-odds of the best score of whatever ranked the passages, read as a probability

A model is fitted to one reranker (`calibration.py`). The shipped one is that of the embedded reranker, by the first
three. That of a reranker which gives a probability itself, such as Qwen3, reads `own_score` alone. The scores of a
reranker that was never calibrated are not read, for what they mean is not known: the embedded reranker's model judges
the passages that it has chosen, and `rag-app doctor` says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest.segmentation import fold
from rag_app.answer import GateReading, Passage
from rag_app.context import source_label
from rag_app.figures import lacks_asked_figure
from rag_app.naming import scored_unnamed, searchable
from rag_app.quoting import escape_marks
from rag_app.words import Language, codes, has_code, language
from retrievers.rerank.protocol import Reranker

EMBEDDED = "late interaction"
"""The name of the embedded reranker."""

LATE_INTERACTION_FEATURES = ("relevance", "lead", "missing")
OWN_SCORE_FEATURES = ("own_score",)

# Right where a wrong answer costs somewhat more than a needless refusal: 0.55 against 0.45. From there on, refusals of
# answerable questions grow faster than those of unanswerable ones (docs/benchmarks.md).
THRESHOLD = 0.55
# Chinese is matched by pairs of characters, of which even a good passage holds only a part.
SCORE_RANGE: dict[Language, tuple[float, float]] = {"en": (0.35, 0.75), "zh": (0.1, 0.5)}
# A float32 probability of exactly 0 or 1 was rounded; its log-odds are taken to end here.
LARGEST_LOG_ODDS = 15.0
EVIDENCE_PASSAGES = 5
NEAREST_PASSAGES = 3

_QUOTED_NAME = re.compile(r"[\"“「『《]([^\"“”「」『』《》]{2,80})[\"”」』》]")
_NAME = re.compile(r"(?<=[^\s.?!:;])\s+[\"“‘(]?([A-Z][\w-]+)")

_REFUSAL: dict[Language, tuple[str, str, str, str]] = {
    "en": (
        "The documents do not seem to answer this question.",
        "Searched: {documents} {noun} of the collection '{collection}'.",
        "The nearest passages are:",
        "There are no documents to look in yet; add some first.",
    ),
    "zh": (
        "这些文档似乎没有回答这个问题。",
        "已查找文档集“{collection}”中的 {documents} 个文档。",
        "最接近的段落：",
        "还没有可供查找的文档，请先添加文档。",
    ),
}


@dataclass(frozen=True, slots=True)
class GateModel:
    """The log-odds that the passages suffice: `intercept`, and `weights` times the features of these names.

    `reranker` is the name of what ranked the passages it was fitted to, as `describe_reranker` gives it; `fitted_on`
    says for people on which questions and when.
    """

    reranker: str
    intercept: float
    weights: Mapping[str, float]
    fitted_on: str

    def probability(self, features: Mapping[str, float]) -> float:
        """The probability from 0 to 1 that passages with these features suffice."""
        log_odds = self.intercept + sum(weight * features[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-log_odds)) if log_odds >= 0 else math.exp(log_odds) / (1 + math.exp(log_odds))


SHIPPED = GateModel(
    EMBEDDED,
    intercept=-0.173,
    weights={"relevance": 1.299, "lead": 2.089, "missing": -2.237},
    fitted_on="1471 questions of contractnli-nda, cuad-contracts, esp-faq-en, esp-faq-zh, gitlab-handbook, "
    "mtrag-un-multiturn, pdf-manuals-qa, privacyqa-policies, synthetic-zh-contract, tidb-manual-zh; 2026-11-21",
)
"""The embedded reranker's model; docs/benchmarks.md has the command that fits it."""


class Gate:
    """Judges the evidence for the questions asked of one collection."""

    def __init__(self, model: GateModel, late_interaction: Reranker) -> None:
        self.model = model
        self._late_interaction = late_interaction

    def reading(
        self, question: str, passages: Sequence[Passage], texts: Sequence[str], *, threshold: float
    ) -> GateReading | None:
        """The probability that the passages suffice, and what it comes from; None without any. See `features`."""
        if not passages:
            return None
        features = self.features(question, passages, texts)
        return GateReading(self.model.probability(features), threshold, features, dict(self.model.weights))

    def features(self, question: str, passages: Sequence[Passage], texts: Sequence[str]) -> dict[str, float]:
        """Every feature of the passages, best first, by its name; `texts[i]` is `passages[i]` as rerankers read it.

        Raises ValueError without passages.
        """
        if not passages:
            raise ValueError("Expected at least one passage to judge; without any there is no evidence.")
        own = [passage.score for passage in passages if passage.score is not None]
        passages, texts = passages[:EVIDENCE_PASSAGES], texts[:EVIDENCE_PASSAGES]
        scores = scored_unnamed(question, passages, texts, self._late_interaction.score)
        low, high = SCORE_RANGE[language(question)]
        best, *others = sorted(scores, reverse=True)
        others += [low] * (EVIDENCE_PASSAGES - 1 - len(others))
        return {
            "relevance": (best - low) / (high - low),
            "lead": (best - sum(others) / len(others)) / (high - low),
            "missing": min(missing(question, passage) for passage in passages),
            "own_score": _log_odds(max(own, default=0.0)),
        }


def _log_odds(probability: float) -> float:
    """What lies outside 0 to 1 counts as the end that it is beyond."""
    if probability <= 0.0 or probability >= 1.0:
        return math.copysign(LARGEST_LOG_ODDS, probability - 0.5)
    return max(-LARGEST_LOG_ODDS, min(LARGEST_LOG_ODDS, math.log(probability / (1 - probability))))


def missing(question: str, passage: Passage) -> float:
    """The share of the question's names that the passage holds nowhere.

    It is 1 where the passage lacks a code, a quoted name, or the pressure, torque, temperature, voltage or price asked
    for. Names are capitalised within a sentence; text, section, title and source of the passage are searched.
    """
    text = searchable(passage)
    quoted = [fold(name).strip() for name in _QUOTED_NAME.findall(question)]
    if not all(has_code(code, text) for code in codes(question)) or not all(name in text for name in quoted):
        return 1.0
    if lacks_asked_figure(question, passage.text):
        return 1.0
    names = {fold(match.group(1)) for match in _NAME.finditer(question)}
    return sum(name not in text for name in names) / len(names) if names else 0.0


def refusal(question: str, passages: Sequence[Passage], *, collection: str, documents: int) -> str:
    """A sentence that the documents do not seem to answer, what was searched, and the nearest passages with marks."""
    no_answer, searched, nearest, no_documents = _REFUSAL[language(question)]
    if not documents:
        return f"{no_answer} {no_documents}"
    noun = "document" if documents == 1 else "documents"
    scope = searched.format(documents=documents, noun=noun, collection=collection)
    places = [f"- {escape_marks(source_label(passage))} [{passage.number}]" for passage in passages[:NEAREST_PASSAGES]]
    return "\n".join([no_answer, "", scope, *([nearest, "", *places] if places else [])])
