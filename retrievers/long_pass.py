"""A second look at the best passages where their scores are close: whole sections, reranked once more.

A passage of 300 tokens may lack what decides: the exception two paragraphs below, the model that the section is about.
A reranker that reads 32,768 tokens can judge the section instead. Its scores are of longer texts and not to be compared
with those of passages, so they only settle the order among the close ones: these change places with each other, every
node keeps the score of the first pass, and all others stay where they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from llama_index.core.schema import NodeWithScore

from ingest.chunking import split_section
from ingest.collection import Collection
from retrievers.rerank.instructions import resolve
from retrievers.rerank.protocol import Reranker

CLOSE = 1.0
"""Log-odds: scores closer to the best one than this are a tie that rounding or wording may have decided."""

MOST_CLOSE = 6
LARGEST_LOG_ODDS = 36.0
"""A probability of exactly 0 or 1 was rounded; these are the log-odds of the last one before."""

SECTION_TOKENS = 32_768
BYTES_PER_TOKEN = 3
"""In English and Chinese about four of UTF-8 are a token; the rest is left to the question and the instruction."""


class LongPass:
    """Settles close scores of one collection with a reranker that gives probabilities and reads whole sections."""

    def __init__(self, collection: Collection, reranker: Reranker, *, section_tokens: int = SECTION_TOKENS) -> None:
        """`section_tokens` is what the reranker can read."""
        self._collection = collection
        self._reranker = reranker
        self._most_bytes = section_tokens * BYTES_PER_TOKEN

    def settle(self, question: str, ranked: Sequence[NodeWithScore], instruction: str | None) -> list[NodeWithScore]:
        """The ranking with its close leaders in the order of their sections, best first; ties keep their order."""
        leaders = close_leaders(ranked)
        sections = [self._section(leader) for leader in leaders]
        told = None if instruction is None else resolve(instruction)
        texts = list(dict.fromkeys(sections))
        scores = dict(zip(texts, self._reranker.score(question, texts, instruction=told), strict=True))
        order = sorted(range(len(leaders)), key=lambda place: -scores[sections[place]])
        return [*(leaders[place] for place in order), *ranked[len(leaders) :]]

    def _section(self, leader: NodeWithScore) -> str:
        """The section around a passage under its heading, as much as the reranker can read."""
        metadata = leader.node.metadata
        version = metadata["version"]
        around = _around(leader.node.node_id, self._collection.vectors.metadata(version))
        nodes = self._collection.vectors.get(around)
        texts = {key: nodes[key].get_content() for key in around if key in nodes}
        own = leader.node.node_id
        texts.setdefault(own, leader.node.get_content())
        return _heading(metadata) + "\n".join(_within(texts, own, self._most_bytes))


def close_leaders(ranked: Sequence[NodeWithScore]) -> Sequence[NodeWithScore]:
    """The first nodes whose scores are close to the best one, at least that one; none of an empty ranking."""
    scores = [node.score for node in takewhile(lambda node: node.score is not None, ranked[:MOST_CLOSE])]
    log_odds = [_log_odds(score) for score in scores if score is not None]
    count = len(list(takewhile(lambda value: log_odds[0] - value < CLOSE, log_odds)))
    return ranked[:count]


def _log_odds(probability: float) -> float:
    if not 0.0 < probability < 1.0:
        return math.copysign(LARGEST_LOG_ODDS, probability - 0.5)
    return math.log(probability / (1 - probability))


def _around(own: str, passages: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The ids of the neighbours of a passage that stand under the same headings, with its own, in reading order."""
    order = list(passages)
    if own not in passages:  # its document was replaced in the meantime
        return []
    headings = [split_section(passages[key]["section"])[0] for key in order]
    first = last = order.index(own)
    while first > 0 and headings[first - 1] == headings[first]:
        first -= 1
    while last + 1 < len(order) and headings[last + 1] == headings[last]:
        last += 1
    return order[first : last + 1]


def _within(texts: Mapping[str, str], own: str, most_bytes: int) -> list[str]:
    """The texts of a section, in order; of one too long, those nearest to its `own` passage."""
    order = list(texts)
    place = order.index(own)
    nearest = sorted(range(len(order)), key=lambda other: abs(other - place))
    kept: list[int] = []
    for other in nearest:
        most_bytes -= len(texts[order[other]].encode()) + 1
        if most_bytes < 0 and kept:
            break
        kept.append(other)
    return [texts[order[other]] for other in sorted(kept)]


def _heading(metadata: Mapping[str, Any]) -> str:
    headings = "\n".join(filter(None, (metadata["title"], split_section(metadata["section"])[0])))
    return f"{headings}\n\n"
