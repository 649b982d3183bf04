"""A reranker without a trained head: the question's words and the passage's, matched one by one.

MaxSim as in ColBERT (Khattab and Zaharia, SIGIR 2020): each token of the question takes its most similar token of the
passage, here by the token vectors of the embedding model itself. Three things are added: a token counts as much as its
word is rare in the collection, so that "E07" and "indemnify" decide and not "what" and "the"; the very same token
counts a little more than a similar one; and a part of the score is that of the best single sentence or table row, so
that words which stand together win over words scattered over the passage.

Two kinds of words are not left to vectors, in which "HP-40" and "HP-60" are nearly the same: identifiers (models, fault
codes, clause numbers) count only where they stand letter for letter, and Chinese, Japanese and Korean, which the
embedded model does not read, are matched by pairs of characters.
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
from ingest.segmentation import cjk_bigrams, identifiers, is_cjk

Rarity = Callable[[str], float]

EXACT_MATCH_BONUS = 0.2
"""Added to a token's best cosine when the passage holds the same token, before scaling back to at most 1."""

SENTENCE_SHARE = 0.25
"""The part of the score that is the best sentence's; the rest is the whole passage's."""

IDENTIFIER_WEIGHT = 2.0
"""How many common words of the same rarity an identifier weighs."""

CACHED_PASSAGES = 512
"""Token vectors kept of recent passages, 0.3 MB each: the candidates of follow-up questions are often the same."""

MAX_HEADING_CHARACTERS = 500

_SENTENCE_END = re.compile(r"(?<=[.;:!?])\s+|\n|(?<=[。；！？])")


@dataclass(frozen=True, slots=True)
class _Question:
    """What is looked for: tokens `[m]` that the model reads, then words `[p]` that are matched letter for letter.

    `weights` is `[m + p]`, their sum is 1.
    """

    vectors: NDArray[np.float32]
    token_ids: NDArray[np.int64]
    literals: tuple[str, ...]
    weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Passage:
    """A text in sentences. `bounds[i]` is the first token of sentence i; sentence 0 is the heading, maybe empty."""

    tokens: TokenVectors
    bounds: tuple[int, ...]
    literals: tuple[frozenset[str], ...]


class LateInteractionReranker:
    """Weighted MaxSim over the token vectors of a `MiniLmEncoder`; scores lie between -1 and 1, the same text gets 1.

    What stands before the first blank line of a document is its heading, and belongs to each of its sentences.
    `rarity` maps a word to its weight, 0 or more; without it every word weighs the same. Instructions are not
    followed: this model was not trained to read them.
    """

    follows_instructions = False

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
        words = [word_at(query, start, end) for start, end in tokens.offsets]
        read = [place for place, word in enumerate(words) if not is_cjk(word) and not identifiers(word)]
        literals = _literals(query)
        weights = np.asarray(
            [self._rarity(words[place]) for place in read]
            + [self._rarity(word) * (1.0 if is_cjk(word) else IDENTIFIER_WEIGHT) for word in literals],
            dtype=np.float32,
        )
        if not weights.sum() > 0:
            return None
        return _Question(tokens.vectors[read], tokens.token_ids[read], literals, weights / weights.sum())

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
    borders = [0, heading_end, *sorted({end for end in ends if heading_end < end < len(text)}), len(text)]
    starts = np.asarray([start for start, _ in tokens.offsets], dtype=np.int64)
    return _Passage(
        tokens,
        tuple(int(place) for place in np.searchsorted(starts, borders[:-1])),
        tuple(frozenset(_literals(text[left:right])) for left, right in pairwise(borders)),
    )


def _literals(text: str) -> tuple[str, ...]:
    """The text's identifiers and its pairs of CJK characters, once each."""
    return tuple(dict.fromkeys((*identifiers(text), *cjk_bigrams(text))))


def _score(question: _Question, passage: _Passage) -> float:
    """The weighted match of the whole passage, and with its share that of the best sentence and the heading."""
    matches = np.vstack((_token_matches(question, passage), _literal_matches(question, passage)))
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


def _literal_matches(question: _Question, passage: _Passage) -> NDArray[np.float32]:
    """`[p, sentences]`: 1 where the sentence holds the word, else 0."""
    found = [[float(word in held) for held in passage.literals] for word in question.literals]
    return np.asarray(found, dtype=np.float32).reshape(len(question.literals), len(passage.literals))


def word_at(text: str, start: int, end: int) -> str:
    """The whole word around the characters `start:end`: a model's token may be a part of it, as "60" is of "HP-60"."""
    while start > 0 and not text[start - 1].isspace() and (text[start - 1].isalnum() or text[start - 1] in "-./"):
        start -= 1
    while end < len(text) and not text[end].isspace() and (text[end].isalnum() or text[end] in "-./"):
        end += 1
    return text[start:end].strip("-./")
