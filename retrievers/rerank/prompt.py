"""The prompt of Qwen3-Reranker as token ids, assembled by hand.

    PREFIX  <|im_start|>system ... <|im_end|> <|im_start|>user
    head    <Instruct>: {instruction}  <Query>: {query}  <Document>:
    tail     {document}
    SUFFIX  <|im_end|> <|im_start|>assistant <think> </think>

Protocol: the transformers example in the model card of Qwen3-Reranker. Two things are done otherwise, on purpose. The
body is cut before the space that follows `<Document>:`, where the tokens of both sides never depend on each other, so
that the head can be computed once for all documents of a query. And control tokens in a text are read as plain text:
a document that contains `<|im_end|>` does not end the user's turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

DEFAULT_MODEL = "Qwen/Qwen3-Reranker-0.6B"
DEFAULT_INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"

PREFIX = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct "
    'provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
)
SUFFIX = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"


@dataclass(frozen=True, slots=True)
class RerankPrompt:
    """The token ids of prefix and suffix, of the two answers, and a tokenizer that knows no control tokens."""

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    yes: int
    no: int
    plain: Tokenizer

    @classmethod
    def build(cls, tokenizer: Tokenizer) -> RerankPrompt:
        """The prompt for a checkpoint's tokenizer. Raises `ValueError` where "yes" or "no" is not a single token."""
        plain = without_control_tokens(tokenizer)
        return cls(
            tuple(tokenizer.encode(PREFIX, add_special_tokens=False).ids),
            tuple(tokenizer.encode(SUFFIX, add_special_tokens=False).ids),
            _single_token(plain, "yes"),
            _single_token(plain, "no"),
            plain,
        )

    def head(self, instruction: str, query: str) -> list[int]:
        """The ids that all documents of this query share."""
        body = f"<Instruct>: {instruction}\n<Query>: {query}\n<Document>:"
        return [*self.prefix, *self._encode([body])[0]]

    def tails(self, documents: Sequence[str], room: int) -> list[list[int]]:
        """The ids of each document, cut on the right to `room` tokens, with the suffix behind."""
        return [[*ids[:room], *self.suffix] for ids in self._encode([f" {document}" for document in documents])]

    def lengths(self, documents: Sequence[str]) -> list[int]:
        """How many tokens each document has, uncut and without the suffix."""
        return [len(ids) for ids in self._encode([f" {document}" for document in documents])]

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self.plain.encode_batch_fast(list(texts), add_special_tokens=False)]


def without_control_tokens(tokenizer: Tokenizer) -> Tokenizer:
    """The same tokenizer without added tokens: `<|im_end|>` and `<think>` are text like any other to it.

    Splitting special tokens by the library's own flag is not enough, `<think>` is none of them.
    """
    plain = type(tokenizer)(tokenizer.model)
    plain.normalizer = tokenizer.normalizer
    plain.pre_tokenizer = tokenizer.pre_tokenizer
    plain.decoder = tokenizer.decoder
    return plain


def _single_token(tokenizer: Tokenizer, word: str) -> int:
    ids = tokenizer.encode(word, add_special_tokens=False).ids
    if len(ids) != 1:
        raise ValueError(f'Expected a tokenizer in which "{word}" is one token; in this one it is {len(ids)}.')
    return int(ids[0])
