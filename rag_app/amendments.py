"""Which passages change which clauses: amendments found by what they say, their contracts by how they are named.

An amendment says "Clause 9.1 of the Agreement is deleted" (`ingest/amending.py` notes that in the passage), and its
title and opening say which agreement: by number, title, date and parties (`openings.py`). Whether it is in force is
seen on the day of the question (`effective.py`). Nothing is stored of this; it follows from the documents that are
there, whichever came first.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from llama_index.core.schema import BaseNode, NodeWithScore

from ingest.amending import amendings
from ingest.clauses import normal_number
from ingest.collection import Collection
from ingest.numbering import clause_number
from ingest.outline import Outline
from rag_app.answer import WHOLE, Relation, Standing
from rag_app.dates import Day, dates
from rag_app.effective import effective_day, since, standing
from rag_app.openings import Opening, is_meant, is_named, is_same_work

OPENING_PASSAGES = 2
MOST_READ = 60
"""Passages of an amendment that are read for the day from which it holds."""
CONTRACTS_LOOKED_AT = 30
"""Passages that the title of an amendment is searched in, to find the contract that it names."""
SEARCHED_CHARACTERS = 400
CACHED_DOCUMENTS = 512


@dataclass(frozen=True, slots=True)
class Change:
    """One passage changes a clause of another, both by chunk id; `clause` and the rest as in `Link`."""

    by: str
    of: str
    clause: str
    relation: Relation
    effective: str = ""
    dated: str = ""
    ordinal: int = 0
    standing: Standing = "in force"

    def on(self, today: date) -> Change:
        """The change as it stands on this day."""
        return replace(self, standing=standing(self.effective, self.dated, today))

    @property
    def since(self) -> tuple[tuple[Day, Day], int]:
        """From when it holds, as far as that is known, for sorting."""
        return since(self.effective, self.dated), self.ordinal


class Amendments:
    """Finds the changes of one collection."""

    def __init__(self, collection: Collection, outline: Callable[[str], Outline]) -> None:
        """`outline` gives that of a version of a document."""
        self._collection = collection
        self._outline = outline
        self._opening = lru_cache(CACHED_DOCUMENTS)(self._read_opening)
        self._text = lru_cache(CACHED_DOCUMENTS)(self._read_text)
        self._contracts = lru_cache(CACHED_DOCUMENTS)(self._find_contracts)
        self._changes_of = lru_cache(CACHED_DOCUMENTS)(self._read_changes)
        self._names = lru_cache(CACHED_DOCUMENTS)(self._compare)
        self._known: tuple[int, dict[str, list[BaseNode]]] = (-1, {})

    def changes(self, nodes: Sequence[NodeWithScore], today: date) -> list[Change]:
        """What changes one of these passages, and what they change themselves; the latest change first."""
        by_version = self._amending()
        ids_of: defaultdict[str, set[str]] = defaultdict(set)
        for hit in nodes:
            ids_of[hit.node.metadata["version"]].add(hit.node.node_id)
        found: dict[tuple[str, str, str], Change] = {}
        for amending in by_version:
            contracts = {version for version in ids_of if self._names(amending, version)}
            if amending in ids_of:
                contracts |= self._contracts(amending, self._collection.catalog.generation)
            for contract in contracts:
                for change in self._changes_of(contract, amending):
                    # What ends a whole contract brings none of its clauses.
                    changes_other = change.by in ids_of[amending] and change.clause != WHOLE
                    if change.of in ids_of[contract] or changes_other:
                        found.setdefault((change.by, change.of, change.clause), change.on(today))
        return sorted(found.values(), key=lambda change: (change.since, change.by, change.of), reverse=True)

    def _read_changes(self, contract: str, amending: str) -> tuple[Change, ...]:
        """All that one document changes in the other, on no day."""
        outline, opening, own = self._outline(contract), self._opening(contract), self._opening(amending)
        dated, theirs = own.dated(opening), dates(f"{opening.title}\n{opening.text}")
        found: list[Change] = []
        for passage in self._amending().get(amending, ()):
            for one in amendings(passage.get_content()):
                changed = outline.order if one.target == WHOLE else outline.find("clause", one.target)
                if changed and is_meant(opening, own, one.document):
                    effective = effective_day(one.sentence, own.text, self._text(amending), theirs)
                    relation: Relation = "ends" if one.ends else "amends"
                    by, more = passage.node_id, (relation, effective, dated, own.ordinal)
                    found += [Change(by, of, one.target, *more) for of in changed]
        return tuple(found)

    def _amending(self) -> dict[str, list[BaseNode]]:
        """The passages that change clauses, by version of their document; read again when documents came or went."""
        moment = self._collection.catalog.generation
        if self._known[0] != moment:
            by_version: defaultdict[str, list[BaseNode]] = defaultdict(list)
            nodes = self._collection.vectors.amending()
            for hit in self._collection.live([NodeWithScore(node=node) for node in nodes]):
                by_version[hit.node.metadata["version"]].append(hit.node)
            self._known = moment, dict(by_version)
        return self._known[1]

    def _find_contracts(self, amending: str, generation: int) -> set[str]:
        """The versions of the documents that an amendment names, as far as its title and first words find them."""
        opening = self._opening(amending)
        words = f"{opening.title} {opening.text[:SEARCHED_CHARACTERS]}"
        found = self._collection.keywords.search(words, CONTRACTS_LOOKED_AT)
        nodes = self._collection.vectors.get([chunk_id for chunk_id, _ in found])
        hits = self._collection.live([NodeWithScore(node=node) for node in nodes.values()])
        versions = {hit.node.metadata["version"] for hit in hits}
        return {version for version in versions if self._names(amending, version)}

    # Later versions

    def revisions(self, nodes: Sequence[NodeWithScore], today: date) -> list[Change]:
        """The clauses of these passages that read otherwise in the latest version of their document.

        Versions whose day is still to come are told beside the one that is in force.
        """
        earlier = self._collection.catalog.revisions()
        later = {before: after for after, before in earlier.items()}
        found = [change for hit in nodes for change in self._revisions_of(hit.node, later, today)]
        found += [change for hit in nodes for change in self._governing_until(hit.node, earlier, today)]
        return list(dict.fromkeys(found))

    def _revisions_of(self, node: BaseNode, later: Mapping[str, str], today: date) -> Iterator[Change]:
        own = node.metadata["version"]
        versions = [(version, self._begins(version, own)) for version in self._chain(node, later)]
        to_come = [(version, day) for version, day in versions if standing(day, "", today) == "to come"]
        for version, day in [one for one in versions if one not in to_come][-1:] + to_come:
            holds: Standing = "to come" if (version, day) in to_come else "in force"
            for clause, other in self._worded_otherwise(node, version):
                yield Change(other, node.node_id, clause, "revises", day, standing=holds)

    def _governing_until(self, node: BaseNode, earlier: Mapping[str, str], today: date) -> Iterator[Change]:
        """The same clauses in the version before, where that of this passage is not in force yet."""
        own = node.metadata["version"]
        for before in self._chain(node, earlier):
            day = self._begins(own, before)
            if standing(day, "", today) != "to come":
                return
            for clause, other in self._worded_otherwise(node, before):
                yield Change(node.node_id, other, clause, "revises", day, standing="to come")

    def _chain(self, node: BaseNode, next_of: Mapping[str, str]) -> list[str]:
        """The versions of one work that follow that of a passage, one after the other."""
        version = node.metadata["version"]
        document_id, seen = next_of.get(node.metadata["document_id"]), list[str]()
        while document_id:
            record = self._collection.catalog.document(document_id)
            if record is None or record.version in seen:
                break
            if not is_same_work(self._opening(version), self._opening(record.version)):
                break
            version = record.version
            seen.append(version)
            document_id = next_of.get(document_id)
        return seen

    def _begins(self, version: str, before: str) -> str:
        """The day from which a version holds, as it says in its opening, "" where it names none of its own."""
        day = effective_day("", "", self._opening(version).text, ())
        theirs = dates(self._opening(before).text)
        return "" if any(date_ in theirs for date_ in dates(day)) else day

    def _worded_otherwise(self, node: BaseNode, version: str) -> Iterator[tuple[str, str]]:
        """The clauses of a passage that another version words otherwise, each with the passage there."""
        outline = self._outline(version)
        held = {clause: outline.find("clause", clause) for clause in json.loads(node.metadata["clauses"])}
        texts = self._collection.vectors.get(list({ids[0] for ids in held.values() if ids}))
        for clause, ids in held.items():
            own = _clause_text(node, clause)
            other = _clause_text(texts[ids[0]], clause) if ids and ids[0] in texts else ""
            if own and other and own != other:
                yield clause, ids[0]

    # What documents say

    def _read_opening(self, version: str) -> Opening:
        passages = self._first(version, OPENING_PASSAGES)
        title = passages[0].metadata["title"] if passages else ""
        headings = [passage.metadata["section"] for passage in passages[:1]]
        return Opening(title, "\n".join([*headings, *(passage.get_content() for passage in passages)]))

    def _read_text(self, version: str) -> str:
        return "\n".join(passage.get_content() for passage in self._first(version, MOST_READ))

    def _first(self, version: str, count: int) -> list[BaseNode]:
        """The first passages of a version, in reading order."""
        first = self._outline(version).order[:count]
        nodes = self._collection.vectors.get(first)
        return [nodes[chunk_id] for chunk_id in first if chunk_id in nodes]

    def _compare(self, amending: str, contract: str) -> bool:
        return amending != contract and is_named(self._opening(contract), self._opening(amending))


def _clause_text(node: BaseNode, clause: str) -> str:
    """The words of a clause that begins in a passage, "" where none of this number does."""
    own: list[str] = []
    for line in node.get_content().split("\n"):
        printed = clause_number(line)
        if own and printed:
            break
        if own or (printed and normal_number(printed) == clause):
            own += line.split()
    return " ".join(own)
