"""What the best passages lean on: the terms that they use, the clauses that they point to, what amends them.

A clause is often not understood alone. Its targets are looked up in the outline of its document, reranked with the
question like any other passage, and come along where they are at least as good as the last passage that was found. A
definition may point on ("the price stated in clause 5.1"): that is the second and last hop. Amendments come along in
any case, for a clause that was replaced must not be read without being told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from llama_index.core.schema import BaseNode, MetadataMode, NodeWithScore

from ingest.amending import runs_on
from ingest.collection import Collection
from ingest.outline import Outline
from ingest.references import Reference, references, says_what_it_means
from rag_app.amendments import Amendments, Change
from rag_app.context import NodeLink
from rag_app.texts import Texts
from rag_app.versions import Versions
from retrievers.rerank.instructions import resolve
from retrievers.rerank.protocol import Reranker

SOURCES = 4
"""The best passages, whose targets are looked up."""
MOST_SCORED = 4
"""Scoring is what takes time here; what the best passage leans on comes first."""
MOST_PASSAGES = 8
"""What fills more of them is a part of the document and no place to point to."""
MOST_TARGETS = 2
MOST_FURTHER_TARGETS = 2
CACHED_OUTLINES = 256


@dataclass(frozen=True, slots=True)
class Evidence:
    """The ranked nodes with what came along, in the order in which they are to be read, and the links between them."""

    nodes: Sequence[NodeWithScore]
    links: Sequence[NodeLink] = ()


class Closure:
    """Completes what a search has found in one collection."""

    def __init__(self, collection: Collection, reranker: Callable[[], Reranker]) -> None:
        """`reranker` gives what ranks: kept here, a model could not be unloaded."""
        self._collection = collection
        self._reranker = reranker
        self._outline = lru_cache(CACHED_OUTLINES)(self._read_outline)
        texts = Texts(collection, self._outline)
        self._amendments = Amendments(collection, self._outline, texts)
        self._versions = Versions(collection, self._outline, texts)

    def complete(
        self, question: str, hits: Sequence[NodeWithScore], today: date, instruction: str | None = None
    ) -> Evidence:
        """The hits in their order, each followed by what amends it or what it amends, then the targets of the best.

        What comes along is scored by the reranker, as the hits are. What is in force is so on the day `today`. Raises
        what the reranker raises.
        """
        targets, links = self._targets(question, hits, instruction)
        found = [*hits, *targets]
        nodes = [node for hit in found for node in (hit, *self._going_on(hit, _ids(found)))]
        changes = self._changes(nodes, today)
        came = self._beside(question, nodes, changes, instruction)
        nodes = _with_beside(nodes, came)
        # What amends those amendments again; their other clauses are no matter here.
        amending = [node for together in came.values() for node in together]
        again = [change for change in self._changes(amending, today) if change.of in _ids(amending)]
        changes += [change for change in again if change not in changes]
        nodes = _with_beside(nodes, self._beside(question, nodes, again, instruction))
        links += [NodeLink(c.by, c.relation, c.clause, c.of, c.effective, c.dated, c.standing) for c in changes]
        return Evidence(nodes, links)

    def _changes(self, nodes: Sequence[NodeWithScore], today: date) -> list[Change]:
        return [*self._amendments.changes(nodes, today), *self._versions.changes(nodes, today)]

    def _targets(
        self, question: str, hits: Sequence[NodeWithScore], instruction: str | None
    ) -> tuple[list[NodeWithScore], list[NodeLink]]:
        """The targets of the best hits that are as good as the last hit, best first, and the links to all of them."""
        bar = min((hit.score for hit in hits if hit.score is not None), default=float("inf"))
        known = {hit.node.node_id: hit for hit in hits}
        links = self._resolved([link for hit in hits[:SOURCES] for link in self._leads(hit.node)], known)
        scored = self._scored(question, _others(links, known, hits), instruction)
        targets = [node for node in scored if node.score is not None and node.score >= bar][:MOST_TARGETS]

        shown = [*hits, *targets]
        definitions = [link for link in links if link.relation == "defines" and link.node_id in _ids(shown)]
        onward = [lead for link in definitions for lead in self._onward(known[link.node_id].node, link.target)]
        further = self._resolved(onward, known)
        targets += self._scored(question, _others(further, known, shown), instruction)[:MOST_FURTHER_TARGETS]
        together = _ids([*hits, *targets])
        return targets, [link for link in _unique([*links, *further]) if link.node_id in together]

    def _resolved(self, links: Sequence[NodeLink], known: dict[str, NodeWithScore]) -> list[NodeLink]:
        """The links whose target exists and is what they say; `known` nodes by id are added to."""
        missing = dict.fromkeys(link.node_id for link in links if link.node_id not in known)
        known |= {node.node.node_id: node for node in self._fetch(list(missing))}
        return [
            link
            for link in links
            if link.node_id in known
            and (link.relation != "defines" or says_what_it_means(link.target, known[link.node_id].node.get_content()))
        ]

    def _leads(self, node: BaseNode) -> Iterator[NodeLink]:
        """The links from the targets of a node to it."""
        metadata = node.metadata
        outline = self._outline(metadata["version"])
        elsewhere = json.loads(metadata["amends"])  # "Clause 4.1 of the Agreement" is not the amendment's own
        for reference in json.loads(metadata["refers_to"]):
            if reference["target"] not in elsewhere:
                yield from self._held(node, outline, Reference(**reference))
        own = json.loads(metadata["defines"])
        for term, chunk_id in outline.terms.items():
            if chunk_id != node.node_id and term not in own and _uses(node.get_content(), term):
                yield NodeLink(chunk_id, "defines", term, node.node_id)

    def _onward(self, node: BaseNode, term: str) -> Iterator[NodeLink]:
        """The links from the targets of a definition alone, without those of its neighbours."""
        outline = self._outline(node.metadata["version"])
        for line in node.get_content().split("\n"):
            if term in line:
                for reference in references(line):
                    yield from self._held(node, outline, reference)

    def _held(self, node: BaseNode, outline: Outline, reference: Reference) -> Iterator[NodeLink]:
        held = outline.find(reference.kind, reference.target)
        for chunk_id in held if len(held) <= MOST_PASSAGES and node.node_id not in held else ():
            yield NodeLink(chunk_id, "holds", reference.name, node.node_id)

    def _beside(
        self, question: str, nodes: Sequence[NodeWithScore], changes: Sequence[Change], instruction: str | None
    ) -> dict[str, list[NodeWithScore]]:
        """What is to be read with each of these nodes: the other end of its changes, where no other one brings it."""
        known = {node.node.node_id for node in nodes}
        placed: dict[str, str] = {}  # an id, and that of the node which it stands behind
        for change in changes:
            for chunk_id, behind in ((change.by, change.of), (change.of, change.by)):
                if chunk_id not in known and behind in known:
                    placed.setdefault(chunk_id, behind)
        scored = self._scored(question, self._fetch(list(placed)), instruction, limit=len(placed))
        beside: dict[str, list[NodeWithScore]] = {}
        for node in sorted(scored, key=lambda node: list(placed).index(node.node.node_id)):
            together = beside.setdefault(placed[node.node.node_id], [])
            together += [node, *self._going_on(node, known | set(placed))]
        return beside

    def _going_on(self, node: NodeWithScore, known: set[str]) -> list[NodeWithScore]:
        """The passage behind an amending one whose new wording is cut."""
        metadata = node.node.metadata
        if not json.loads(metadata["amends"]) or not runs_on(node.node.get_content()):
            return []
        chunk_id = self._outline(metadata["version"]).behind(node.node.node_id)
        return [] if chunk_id is None or chunk_id in known else self._fetch([chunk_id])

    def _scored(
        self, question: str, nodes: Sequence[NodeWithScore], instruction: str | None, limit: int = MOST_SCORED
    ) -> list[NodeWithScore]:
        """The first of these nodes with their scores, best first."""
        if not nodes:
            return []
        told = None if instruction is None else resolve(instruction)
        texts = [node.node.get_content(MetadataMode.EMBED) for node in nodes[:limit]]
        scores = self._reranker().score(question, texts, instruction=told)
        scored = [NodeWithScore(node=node.node, score=score) for node, score in zip(nodes, scores, strict=False)]
        return sorted(scored, key=lambda node: node.score or 0.0, reverse=True)

    def _fetch(self, chunk_ids: Sequence[str]) -> list[NodeWithScore]:
        """The live ones of these passages, as a search gives them, but without a place in one."""
        stored = self._collection.vectors.get(chunk_ids)
        found = self._collection.live([NodeWithScore(node=stored[key]) for key in chunk_ids if key in stored])
        return [
            NodeWithScore(
                node=hit.node.model_copy(
                    update={"metadata": {**hit.node.metadata, "retrieval_rank": 0, "retrieval_score": 0.0}}
                )
            )
            for hit in found
        ]

    def _read_outline(self, version: str) -> Outline:
        return Outline.of(self._collection.vectors.metadata(version))


def _with_beside(nodes: Sequence[NodeWithScore], beside: Mapping[str, Sequence[NodeWithScore]]) -> list[NodeWithScore]:
    return [node for hit in nodes for node in (hit, *beside.get(hit.node.node_id, ()))]


def _ids(nodes: Sequence[NodeWithScore]) -> set[str]:
    return {node.node.node_id for node in nodes}


def _others(
    links: Sequence[NodeLink], known: Mapping[str, NodeWithScore], shown: Sequence[NodeWithScore]
) -> list[NodeWithScore]:
    """The targets of the links that are not shown yet, in order, once each."""
    wanted = dict.fromkeys(link.node_id for link in links)
    return [known[chunk_id] for chunk_id in wanted if chunk_id not in _ids(shown)]


def _uses(text: str, term: str) -> bool:
    """Whether a text uses a defined term, in singular or plural; a capital tells it from the common word."""
    if term not in text or term.islower():
        return False
    return not term.isascii() or re.search(rf"(?<!\w){re.escape(term)}(?:s|es)?(?!\w)", text) is not None


def _unique(links: Sequence[NodeLink]) -> list[NodeLink]:
    """The links, of several that say the same of one node the first."""
    return list({(link.node_id, link.relation, link.target): link for link in reversed(links)}.values())[::-1]
