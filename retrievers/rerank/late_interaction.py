"""A reranker without a trained head: the question's words and the passage's, matched one by one.

MaxSim as in ColBERT (Khattab and Zaharia, SIGIR 2020): each token of the question takes its most similar token of the
passage, here by the token vectors of the embedding model itself. Three things are added, each measured in
docs/benchmarks.md: a token counts as much as its word is rare in the collection, so that "E07" and "indemnify" decide
and not "what" and "the"; the very same token counts a little more than a similar one; and half of the score is that of
the best single sentence or table row, so that words which stand together win over words scattered over the passage.

The embedded model does not read Chinese, Japanese or Korean. Those questions are matched by character pairs instead.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ingest.embedding import MiniLmEncoder, TokenVectors
from ingest.segmentation import cjk_bigrams, is_cjk

Rarity = Callable[[str], float]

EXACT_MATCH_BONUS = 0.1
"""Added to a token's best cosine when the passage holds the same token, before scaling back to at most 1."""

SENTENCE_SHARE = 0.5
"""The part of the score that is the best sentence's; the rest is the whole passage's."""

CACHED_PASSAGES = 512
"""Token vectors kept of recent passages, 0.3 MB each: the candidates of follow-up questions are often the same."""

MAX_HEADING_CHARACTERS = 500

_SENTENCE_END = re.compile(r"(?<=[.;:!?])\s+|\n|(?<=[。；！？])")


@dataclass(frozen=True, slots=True)
class _Question:
    """What is looked for: tokens `[m]` that the model reads, then CJK pairs `[p]`; `weights` is `[m + p]`, sum 1."""

    vectors: NDArray[np.float32]
    token_ids: NDArray[np.int64]
    pairs: tuple[str, ...]
    weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Passage:
    """A text in sentences. `bounds[i]` is the first token of sentence i; sentence 0 is the heading, maybe empty."""

    tokens: TokenVectors
    bounds: tuple[int, ...]
    sentences: tuple[str, ...]


class LateInteractionReranker:
    """Weighted MaxSim over the token vectors of a `MiniLmEncoder`; scores lie between -1 and 1, the same text gets 1.

    What stands before the first blank line of a document is its heading, and belongs to each of its sentences.
    `rarity` maps a word to its weight, 0 or more; without it every word weighs the same. Instructions are not
    followed: this model was not trained to read them.
    """

    def __init__(self, encoder: MiniLmEncoder, *, rarity: Rarity = lambda word: 1.0) -> None:
        self._encoder = encoder
        self._rarity = rarity
        self._cache: OrderedDict[str, _Passage] = OrderedDict()
        self._lock = threading.Lock()

    def score(self, query: str, documents: Sequence[str], *, instruction: str | None = None) -> list[float]:
        """One score a document, in the order given; 0 everywhere for a query without any word."""
        if not documents:
            return []
        question = self._question(query)
        if question is None:
            return [0.0] * len(documents)
        return [_score(question, passage) for passage in self._passages(documents)]

    def _question(self, query: str) -> _Question | None:
        tokens = self._encoder.encode_tokens([query])[0]
        read = [place for place, (start, end) in enumerate(tokens.offsets) if not is_cjk(query[start:end])]
        pairs = tuple(dict.fromkeys(cjk_bigrams(query)))
        words = [word_at(query, *tokens.offsets[place]) for place in read]
        weights = np.asarray([self._rarity(word) for word in (*words, *pairs)], dtype=np.float32)
        if not weights.sum() > 0:
            return None
        return _Question(tokens.vectors[read], tokens.token_ids[read], pairs, weights / weights.sum())

    def _passages(self, documents: Sequence[str]) -> list[_Passage]:
        with self._lock:
            known = {text: self._cache[text] for text in documents if text in self._cache}
        missing = [text for text in dict.fromkeys(documents) if text not in known]
        vectors = self._encoder.encode_tokens(missing)
        known.update((text, _passage(text, tokens)) for text, tokens in zip(missing, vectors, strict=True))
        with self._lock:
            for text in documents:
                self._cache[text] = known[text]
                self._cache.move_to_end(text)
            while len(self._cache) > CACHED_PASSAGES:
                self._cache.popitem(last=False)
        return [known[text] for text in documents]


def _passage(text: str, tokens: TokenVectors) -> _Passage:
    blank = text.find("\n\n", 0, MAX_HEADING_CHARACTERS)
    heading_end = blank + 2 if blank >= 0 else 0
    ends = [match.end() for match in _SENTENCE_END.finditer(text, heading_end)]
    borders = [0, heading_end, *(end for end in ends if heading_end < end < len(text)), len(text)]
    starts = np.asarray([start for start, _ in tokens.offsets], dtype=np.int64)
    return _Passage(
        tokens,
        tuple(int(place) for place in np.searchsorted(starts, borders[:-1])),
        tuple(text[left:right] for left, right in pairwise(borders)),
    )


def _score(question: _Question, passage: _Passage) -> float:
    """Half the weighted match of the whole passage, half that of its best sentence together with the heading."""
    matches = np.vstack((_token_matches(question, passage), _pair_matches(question, passage)))
    whole = matches.max(axis=1)
    with_heading = np.maximum(matches[:, 1:], matches[:, :1]) if matches.shape[1] > 1 else matches
    sentence = (question.weights @ with_heading).max()
    return float((1 - SENTENCE_SHARE) * (question.weights @ whole) + SENTENCE_SHARE * sentence)


def _token_matches(question: _Question, passage: _Passage) -> NDArray[np.float32]:
    """`[m, sentences]`: each token's best match in each sentence; -1 in a sentence without tokens."""
    best = np.full((len(question.vectors), len(passage.bounds)), -1.0, dtype=np.float32)
    if best.size == 0:
        return best
    cosines = question.vectors @ passage.tokens.vectors.T
    same = question.token_ids[:, None] == passage.tokens.token_ids[None, :]
    matches = (cosines + EXACT_MATCH_BONUS * same) / (1 + EXACT_MATCH_BONUS)
    for sentence, (first, last) in enumerate(zip(passage.bounds, (*passage.bounds[1:], None), strict=True)):
        part = matches[:, first:last]
        if part.shape[1]:
            best[:, sentence] = part.max(axis=1)
    return best


def _pair_matches(question: _Question, passage: _Passage) -> NDArray[np.float32]:
    """`[p, sentences]`: 1 where the sentence holds the pair of characters, else 0."""
    held = [set(cjk_bigrams(sentence)) if question.pairs else set() for sentence in passage.sentences]
    return np.asarray([[float(pair in words) for words in held] for pair in question.pairs], dtype=np.float32).reshape(
        len(question.pairs), len(passage.sentences)
    )


def word_at(text: str, start: int, end: int) -> str:
    """The whole word around the characters `start:end`: a model's token may be a part of it."""
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return text[start:end]
