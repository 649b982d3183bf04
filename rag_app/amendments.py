"""Which passages change which clauses: amendments found by what they say, their contracts by how they are named.

An amendment says "Clause 9.1 of the Agreement is deleted" (`ingest/amending.py` notes that in the passage), and its
title and opening say which agreement: by number, title, date and parties (`openings.py`). Whether it is in force is
seen on the day of the question (`effective.py`). Nothing is stored of this; it follows from the documents that are
there, whichever came first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from llama_index.core.schema import BaseNode, NodeWithScore

from ingest.amending import amendings
from ingest.collection import Collection
from ingest.outline import Outline
from rag_app.answer import WHOLE, Relation, Standing
from rag_app.dates import Day, dates
from rag_app.effective import effective_day, since, standing
from rag_app.openings import is_meant, is_named, is_same_work, signed
from rag_app.texts import Texts

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

    def __init__(self, collection: Collection, outline: Callable[[str], Outline], texts: Texts) -> None:
        """`outline` gives that of a version of a document."""
        self._collection = collection
        self._outline = outline
        self._texts = texts
        self._contracts = lru_cache(CACHED_DOCUMENTS)(self._find_contracts)
        self._changes_of = lru_cache(CACHED_DOCUMENTS)(self._read_changes)
        self._names = lru_cache(CACHED_DOCUMENTS)(self._compare)
        self._known: tuple[int, dict[str, list[BaseNode]]] = (-1, {})
        self._speaks_of_another: dict[str, bool] = {}

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
        outline, opening, own = self._outline(contract), self._texts.opening(contract), self._texts.opening(amending)
        text = self._texts.beginning(amending)
        dated, theirs = own.dated(opening) or signed(text), dates(f"{opening.title}\n{opening.text}")
        found: list[Change] = []
        # A version of an agreement supersedes what its first one did; `versions` tells what a new one changes.
        is_version = is_same_work(opening, own) and opening.is_restated == own.is_restated
        for passage in self._amending().get(amending, ()):
            for one in amendings(passage.get_content()):
                if is_version and one.target == WHOLE:
                    continue
                changed = outline.order if one.target == WHOLE else outline.find("clause", one.target)
                if changed and is_meant(opening, own, one.document):
                    effective = effective_day(one.sentence, own.text, text, theirs)
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
            known = self._speaks_of_another
            self._speaks_of_another = {
                version: known[version] if version in known else self._changes_another(version, passages)
                for version, passages in by_version.items()
            }
            self._known = moment, {key: by_version[key] for key, does in self._speaks_of_another.items() if does}
        return self._known[1]

    def _changes_another(self, version: str, passages: Sequence[BaseNode]) -> bool:
        """Whether it is an amendment, or names what it changes; "The hose in Section 4.2 is replaced" does neither."""
        names_one = (one.document for passage in passages for one in amendings(passage.get_content()))
        return any(names_one) or self._texts.opening(version).is_amendment

    def _find_contracts(self, amending: str, generation: int) -> set[str]:
        """The versions of the documents that an amendment names, as far as its title and first words find them."""
        opening = self._texts.opening(amending)
        words = f"{opening.title} {opening.text[:SEARCHED_CHARACTERS]}"
        found = self._collection.keywords.search(words, CONTRACTS_LOOKED_AT)
        nodes = self._collection.vectors.get([chunk_id for chunk_id, _ in found])
        hits = self._collection.live([NodeWithScore(node=node) for node in nodes.values()])
        versions = {hit.node.metadata["version"] for hit in hits}
        return {version for version in versions if self._names(amending, version)}

    def _compare(self, amending: str, contract: str) -> bool:
        return amending != contract and is_named(self._texts.opening(contract), self._texts.opening(amending))
