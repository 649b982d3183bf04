"""The passages of an answer: put together, numbered once, named for people, and written for a language model.

What a document says is data. In a prompt each passage stands between two tags, and no text of a document can form a
tag, a control token or the mark of a passage there: see `neutralise`.

Passages of one text in one document are one. In several documents they stay apart, for each must be citable: what both
contracts say is a fact about both. The prompt writes their text once, and behind the other labels where it stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ingest.chunking import join_sections, split_section
from ingest.errors import UsageError
from ingest.nodes import node_boxes
from rag_app.answer import GOVERNING, WHOLE, Link, Passage, Relation, Standing
from rag_app.sentences import is_table_row

MOST_MERGED_CHARACTERS = 3000
"""About two and a half chunks. A passage enters a prompt whole or not at all, so it may not become much larger."""

# A "<" that opens a word, a slash, a bar or another "<" could begin <|im_end|>, </think>, <s> or our own </passage>.
# "< 5 mm" and "<5 mm" stay. The fullwidth bar and letters are how some models write their tokens.
_TAG_OPENING = re.compile(r"[<＜﹤](?=[^\s\d=.,\-+]|\s{1,9}[/|])")
_BRACKETED_CONTROL = re.compile(r"[\[［](?=/?[A-Z_]{3,}[\]］])")
# What `marks.py` would take for the number of a passage.
_MARK_LIKE = re.compile(r"[\[【［](?=[\s^]{0,9}\d[\d\s,，、;；–—~^-]{0,60}[\]】］])")
# Zero-width characters, turned directions and the copies of ASCII that nothing shows: a reader of the page sees none.
_INVISIBLE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")


_ACTIVE: Mapping[Relation, str] = {
    "revises": "is the later version of",
    "drops": "is of a later version, which no longer has",
}
_PASSIVE: Mapping[Relation, str] = {
    "amends": "is amended by",
    "ends": "is ended by",
    "revises": "reads otherwise in the later version, see",
    "drops": "is no more in the later version, see",
}


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


@dataclass(frozen=True, slots=True)
class NodeLink:
    """What one node is to another, both by id; the rest as in `rag_app.answer.Link`."""

    node_id: str
    relation: Relation
    target: str
    of: str
    effective: str = ""
    dated: str = ""
    standing: Standing = "in force"


def number_passages(nodes: Sequence[ScoredNode]) -> tuple[Passage, ...]:
    """The ranked nodes as passages numbered from 1; prompt, marks and citations use these numbers."""
    return tuple(_passage(number, node) for number, node in enumerate(nodes, start=1))


def combine_passages(nodes: Sequence[ScoredNode], links: Sequence[NodeLink] = ()) -> tuple[Passage, ...]:
    """The ranked nodes as `number_passages` gives them, with neighbours of one section as one passage.

    A merged passage stands where the best of its nodes stood, and has the score and the id of that one. Where a
    document says the same twice the better one stays. Links between nodes become links between their passages.
    """
    by_text = {(node.metadata["document_id"], node.text): node for node in reversed(nodes)}
    rank = {node.node_id: place for place, node in enumerate(nodes)}
    kept = sorted(by_text.values(), key=lambda node: (node.metadata["version"], node.metadata["position"]))
    runs: list[list[ScoredNode]] = []
    for node in kept:
        if runs and _goes_on(runs[-1], node):
            runs[-1].append(node)
        else:
            runs.append([node])
    runs.sort(key=lambda run: min(rank[node.node_id] for node in run))
    number_of = {node.node_id: number for number, run in enumerate(runs, start=1) for node in run}
    for node in nodes:
        number_of.setdefault(node.node_id, number_of[by_text[node.metadata["document_id"], node.text].node_id])
    return tuple(
        replace(
            _merged(number, run, min(run, key=lambda node: rank[node.node_id])),
            links=_links(number, links, number_of),
        )
        for number, run in enumerate(runs, start=1)
    )


def _links(number: int, links: Sequence[NodeLink], number_of: Mapping[str, int]) -> tuple[Link, ...]:
    """What the passage with this number is to other passages; within one passage nothing need be told."""
    found = (
        Link(link.relation, link.target, number_of[link.of], link.effective, link.dated, link.standing)
        for link in links
        if number_of.get(link.node_id) == number and number_of.get(link.of, number) != number
    )
    return tuple(dict.fromkeys(found))


def _goes_on(run: Sequence[ScoredNode], node: ScoredNode) -> bool:
    """Whether a node comes directly behind the last one of a run, in its section, with room for both.

    Without boxes a passage has one page, or its quotes had none.
    """
    before, after = run[-1].metadata, node.metadata
    return (
        before["version"] == after["version"]
        and before["position"] + 1 == after["position"]
        and split_section(before["section"])[0] == split_section(after["section"])[0]
        and (before["page"] == after["page"] or (before["boxes"] != "[]" and after["boxes"] != "[]"))
        and sum(len(one.text) for one in (*run, node)) <= MOST_MERGED_CHARACTERS
    )


def _merged(number: int, run: Sequence[ScoredNode], best: ScoredNode) -> Passage:
    """The nodes of a run as one passage, in reading order."""
    first, *others = (_passage(number, node) for node in run)
    text, boxes, spans = first.text, list(first.boxes), list(first.box_spans)
    for part in others:
        repeated = _repeated_head(text, part.text)
        offset = len(text) + 1 - repeated
        text += "\n" + part.text[repeated:]
        for box, (start, end) in zip(part.boxes, part.box_spans, strict=True):
            if start >= repeated:  # the head has its boxes above
                boxes.append(box)
                spans.append((start + offset, end + offset))
    read = [part.ocr_confidence for part in (first, *others) if part.ocr_confidence is not None]
    return replace(
        _passage(number, best),
        text=text,
        page=first.page,
        page_label=first.page_label,
        section=join_sections([node.metadata["section"] for node in run]),
        boxes=tuple(boxes),
        box_spans=tuple(spans),
        ocr_confidence=min(read, default=None),
        clauses=tuple(dict.fromkeys(number for part in (first, *others) for number in part.clauses)),
    )


def _repeated_head(text: str, following: str) -> int:
    """How many characters at the start of a table that goes on `text` holds already: its caption and its head."""
    if not is_table_row(text[text.rfind("\n") + 1 :]):
        return 0
    ends = [match.end() for match in re.finditer("\n", following)]
    return next((end for end in reversed(ends) if f"\n{following[:end]}" in f"\n{text}"), 0)


def _passage(number: int, node: ScoredNode) -> Passage:
    metadata = node.metadata
    boxes, box_spans = node_boxes(metadata)
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
        boxes=boxes,
        box_spans=box_spans,
        ocr_confidence=metadata["ocr_confidence"] if metadata["ocr"] else None,
        clauses=tuple(json.loads(metadata["clauses"])),
    )


def source_label(passage: Passage) -> str:
    """The passage's place for a person: "HP-40 manual, p. 17, 4.3 Hydraulics"; no page where a format has none."""
    page = passage.page_label or (str(passage.page) if passage.page > 1 or passage.boxes else "")
    parts = (passage.title or passage.source, f"p. {page}" if page else "", passage.section)
    return ", ".join(" ".join(part.split()) for part in parts if part.strip())


def link_note(link: Link) -> str:
    """What a passage is to another one, for a person: "amends clause 9.1 in [2] (effective 1 March 2024)"."""
    if link.relation == "defines":
        return f"defines “{link.target}”, used in [{link.number}]"
    if link.relation == "holds":
        return f"holds {_place(link)}, to which [{link.number}] points"
    return f"{_ACTIVE.get(link.relation, link.relation)} {_place(link)} in [{link.number}]{_since(link)}"


def _place(link: Link) -> str:
    if link.target == WHOLE:
        return "the whole document"
    return f"clause {link.target}" if link.target[:1].isdigit() else link.target


def _since(link: Link) -> str:
    """From when a link holds: " (not yet in force: effective 1 March 2027)"."""
    day = f"effective {link.effective}" if link.effective else f"dated {link.dated}" if link.dated else ""
    if link.standing == "to come":
        return f" (not yet in force: {day})"
    if link.standing == "unknown":
        return f" ({day}, whether that has come is not known)" if day else " (from when on is not known)"
    return f" ({day})" if day else ""


def neutralise(text: str) -> str:
    """The text with each character that could begin a control token, a tag or a mark replaced by one that looks alike.

    `<|im_end|>` becomes `‹|im_end|>`, `[INST]` becomes `⟦INST]` and `[3]` becomes `⟦3]`: no tokenizer knows these, so
    they are read as text. A visible character is used because some tokenizers drop zero-width ones and would restore
    the token; invisible ones are taken out, for a model would read what no reader of the page can see.
    """
    visible = _TAG_OPENING.sub("‹", _INVISIBLE.sub("", text))
    return _MARK_LIKE.sub("⟦", _BRACKETED_CONTROL.sub("⟦", visible))


def fit_passages(passages: Sequence[Passage], fits: Callable[[Context], bool]) -> Context:
    """The passages for a prompt, best first and whole: as many of the first ones as fit.

    Raises UsageError when not even the first one fits.
    """
    for count in range(len(passages), 0, -1):
        shown, left_out = tuple(passages[:count]), tuple(passages[count:])
        context = Context("\n".join(_block(passage, shown, left_out) for passage in shown), shown, left_out)
        if fits(context):
            return context
    raise UsageError(
        "Expected room for the question and at least one passage in what the language model reads; not even the best "
        "one fits. Raise llm_context_tokens if the model reads more, or lower llm_answer_tokens or chunk_tokens."
    )


def _block(passage: Passage, shown: Sequence[Passage], left_out: Sequence[Passage]) -> str:
    """The passage under its label; where one before it has the same text, only a word that it stands there."""
    notes = "; ".join(_notes(passage, shown, left_out))
    label = f"[{passage.number}] {neutralise(source_label(passage))}{f' ({notes})' if notes else ''}"
    if twins := twins_of(passage, shown[: shown.index(passage)]):
        return f"{label}\nHere stand the same words as in [{twins[0].number}]."
    return f"{label}\n<passage>\n{neutralise(passage.text)}\n</passage>"


def _notes(passage: Passage, shown: Sequence[Passage], left_out: Sequence[Passage]) -> Iterator[str]:
    """What a model must know of a passage: what amends it, even where there is no room for that, and why it is here."""
    for other in (*shown, *left_out):
        for link in map(_neutralised, other.links):
            if link.relation in GOVERNING and link.number == passage.number:
                by = f"[{other.number}]" if other in shown else f"{neutralise(source_label(other))}, which is not shown"
                yield f"{_place(link)} {_PASSIVE[link.relation]} {by}{_since(link)}"
    for link in map(_neutralised, passage.links):
        if link.number <= len(shown) and (link.relation in GOVERNING or passage.retrieval_rank == 0):
            yield link_note(link)


def _neutralised(link: Link) -> Link:
    target, effective, dated = map(neutralise, (link.target, link.effective, link.dated))
    return replace(link, target=target, effective=effective, dated=dated)


def twins_of(passage: Passage, passages: Sequence[Passage]) -> list[Passage]:
    """Those of the passages that have the same text in another document, as copies of one form do."""
    return [other for other in passages if other.text == passage.text and other.document_id != passage.document_id]
