"""The passages of an answer: numbered once, named for people, and written for a language model.

What a document says is data. In a prompt each passage stands between two tags, and no text of a document can form a
tag or a control token there: see `neutralise`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ingest.document import PageBox
from ingest.errors import UsageError
from rag_app.answer import Passage

# A "<" that opens a word, a slash, a bar or another "<" could begin <|im_end|>, </think>, <s> or our own </passage>.
# "< 5 mm" and "<5 mm" stay. The fullwidth bar and letters are how some models write their tokens.
_TAG_OPENING = re.compile(r"[<＜](?=[^\s\d=.,\-+])")
_BRACKETED_CONTROL = re.compile(r"\[(?=/?[A-Z_]{3,}\])")


class ScoredNode(Protocol):
    """What is read of LlamaIndex's `NodeWithScore`; its score is the reranker's, None where it was not reached."""

    @property
    def node_id(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def metadata(self) -> Mapping[str, Any]: ...
    @property
    def score(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Context:
    """The passages as the prompt shows them, numbered 1 to `len(shown)`, and those for which there was no room."""

    text: str
    shown: tuple[Passage, ...]
    left_out: tuple[Passage, ...]


def number_passages(nodes: Sequence[ScoredNode]) -> tuple[Passage, ...]:
    """The ranked nodes as passages numbered from 1; prompt, marks and citations use these numbers."""
    return tuple(_passage(number, node) for number, node in enumerate(nodes, start=1))


def _passage(number: int, node: ScoredNode) -> Passage:
    metadata = node.metadata
    return Passage(
        number=number,
        text=node.text,
        source=metadata["source"],
        title=metadata["title"],
        page=metadata["page"],
        page_label=metadata["page_label"],
        section=metadata["section"],
        document_id=metadata["document_id"],
        chunk_id=node.node_id,
        score=node.score,
        retrieval_score=metadata["retrieval_score"],
        retrieval_rank=metadata["retrieval_rank"],
        boxes=tuple(_page_box(box) for box in json.loads(metadata["boxes"])),
        box_spans=tuple((start, end) for start, end in json.loads(metadata["box_spans"])),
        ocr_confidence=metadata["ocr_confidence"] if metadata["ocr"] else None,
    )


def _page_box(box: Sequence[float]) -> PageBox:
    page, x0, y0, x1, y1 = box
    return int(page), x0, y0, x1, y1


def source_label(passage: Passage) -> str:
    """The passage's place for a person: "HP-40 manual, p. 17, 4.3 Hydraulics"; no page where a format has none."""
    page = passage.page_label or (str(passage.page) if passage.page > 1 or passage.boxes else "")
    parts = (passage.title or passage.source, f"p. {page}" if page else "", passage.section)
    return ", ".join(" ".join(part.split()) for part in parts if part.strip())


def neutralise(text: str) -> str:
    """The text with every character that could begin a control token or a tag replaced by one that looks like it.

    `<|im_end|>` becomes `‹|im_end|>` and `[INST]` becomes `⟦INST]`: no tokenizer knows these, so they are read as
    text. A visible character is used because some tokenizers drop zero-width ones and would restore the token.
    """
    return _BRACKETED_CONTROL.sub("⟦", _TAG_OPENING.sub("‹", text))


def fit_passages(passages: Sequence[Passage], fits: Callable[[Context], bool]) -> Context:
    """The passages for a prompt, best first and whole: as many of the first ones as fit.

    Raises UsageError when not even the first one fits.
    """
    blocks = [_block(passage) for passage in passages]
    for count in range(len(blocks), 0, -1):
        context = Context("\n".join(blocks[:count]), tuple(passages[:count]), tuple(passages[count:]))
        if fits(context):
            return context
    raise UsageError(
        "Expected room for the question and at least one passage in what the language model reads; not even the best "
        "one fits. Raise llm_context_tokens if the model reads more, or lower llm_answer_tokens or chunk_tokens."
    )


def _block(passage: Passage) -> str:
    label = neutralise(source_label(passage))
    return f"[{passage.number}] {label}\n<passage>\n{neutralise(passage.text)}\n</passage>"
