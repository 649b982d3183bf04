"""Which passages change which clauses: amendments found by what they say, their contracts by how they are named.

An amendment says "Clause 9.1 of the Agreement is deleted" (`ingest/amending.py` notes that in the passage), and its
title and opening say which agreement: by number, title, date and parties. Nothing is stored of this; it follows from
the documents that are there, whichever came first.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from llama_index.core.schema import BaseNode, NodeWithScore

from ingest.clauses import normal_number
from ingest.collection import Collection
from ingest.numbering import clause_number
from ingest.outline import Outline
from ingest.references import definitions
from ingest.segmentation import fold
from rag_app.answer import Relation
from rag_app.dates import Date, dates, written_dates
from rag_app.names import names
from rag_app.words import codes, content_words, has_code

OPENING_PASSAGES = 2
CONTRACTS_LOOKED_AT = 30
"""Passages that the title of an amendment is searched in, to find the contract that it names."""
SEARCHED_CHARACTERS = 400
NAMES_IN_COMMON = 2
EVIDENCE_NEEDED = 2
CACHED_DOCUMENTS = 512
# How far behind "effective" its date may stand.
_EFFECTIVE = re.compile(
    r"(?i:effective|in\s{1,3}force|takes?\s{1,3}effect|with\s{1,3}effect)\b[^.;\n]{0,60}|自.{0,30}生效"
)


@dataclass(frozen=True, slots=True)
class Change:
    """One passage changes a clause of another, both by chunk id. The dates are as written, "" where none is."""

    by: str
    of: str
    clause: str
    effective: str = ""
    dated: str = ""
    relation: Relation = "amends"

    @property
    def since(self) -> tuple[int, int, int]:
        """The day from which it holds, as far as it is known, for sorting."""
        readings = dates(self.effective or self.dated)
        date = readings[0][0] if readings else Date(None)
        return date.year or 0, date.month or 0, date.day or 0


@dataclass(frozen=True, slots=True)
class Opening:
    """How a document names itself, and what it names: its title and its first words."""

    title: str
    text: str

    @property
    def folded(self) -> str:
        return fold(f"{self.title}\n{self.text}")

    @property
    def names(self) -> set[str]:
        """Who and what is named, without roles such as "Buyer" and the words of the title."""
        title = fold(self.title)
        found = {fold(name) for name in names(self.text)} - {fold(term) for term in definitions(self.text)}
        return {name for name in found if name not in title}


class Amendments:
    """Finds the changes of one collection."""

    def __init__(self, collection: Collection, outline: Callable[[str], Outline]) -> None:
        """`outline` gives that of a version of a document."""
        self._collection = collection
        self._outline = outline
        self._opening = lru_cache(CACHED_DOCUMENTS)(self._read_opening)
        self._contracts = lru_cache(CACHED_DOCUMENTS)(self._find_contracts)
        self._names = lru_cache(CACHED_DOCUMENTS)(self._compare)
        self._known: tuple[int, dict[str, list[BaseNode]]] = (-1, {})

    def changes(self, nodes: Sequence[NodeWithScore]) -> list[Change]:
        """What changes one of these passages, and what they change themselves; the latest change first."""
        by_version = self._amending()
        ids_of: defaultdict[str, set[str]] = defaultdict(set)
        for hit in nodes:
            ids_of[hit.node.metadata["version"]].add(hit.node.node_id)
        found: dict[tuple[str, str, str], Change] = {}
        for amending, passages in by_version.items():
            contracts = {version for version in ids_of if self._names(amending, version)}
            if amending in ids_of:
                contracts |= self._contracts(amending, self._collection.catalog.generation)
            for contract in contracts:
                for change in self._changes_of(contract, amending, passages):
                    if change.of in ids_of[contract] or change.by in ids_of[amending]:
                        found.setdefault((change.by, change.of, change.clause), change)
        return sorted(found.values(), key=lambda change: change.since, reverse=True)

    def revisions(self, nodes: Sequence[NodeWithScore]) -> list[Change]:
        """The clauses of these passages that read otherwise in the latest version of their document."""
        later = {before: after for after, before in self._collection.catalog.revisions().items()}
        return [change for hit in nodes for change in self._revisions_of(hit.node, later)]

    def _revisions_of(self, node: BaseNode, later: Mapping[str, str]) -> Iterator[Change]:
        latest = node.metadata["version"]
        document_id, seen = later.get(node.metadata["document_id"]), set[str]()
        while document_id and document_id not in seen:
            record = self._collection.catalog.document(document_id)
            if record is None or not is_same_work(self._opening(latest), self._opening(record.version)):
                break
            latest = record.version
            seen.add(document_id)
            document_id = later.get(document_id)
        if seen:
            outline = self._outline(latest)
            held = {clause: outline.find("clause", clause) for clause in json.loads(node.metadata["clauses"])}
            texts = self._collection.vectors.get(list({ids[0] for ids in held.values() if ids}))
            for clause, ids in held.items():
                before = _clause_text(node, clause)
                after = _clause_text(texts[ids[0]], clause) if ids and ids[0] in texts else ""
                if before and after and before != after:
                    yield Change(ids[0], node.node_id, clause, relation="revises")

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

    def _changes_of(self, contract: str, amending: str, passages: Sequence[BaseNode]) -> Iterator[Change]:
        outline = self._outline(contract)
        effective, dated = self._dates(contract, amending, passages)
        for passage in passages:
            for clause in json.loads(passage.metadata["amends"]):
                for changed in outline.find("clause", clause):
                    yield Change(passage.node_id, changed, clause, effective, dated)

    def _dates(self, contract: str, amending: str, passages: Sequence[BaseNode]) -> tuple[str, str]:
        """From when the amendment holds, and its own date: the first in its opening that is not the contract's."""
        opening = self._opening(amending)
        text = "\n".join([opening.text, *(passage.get_content() for passage in passages)])
        effective = [date for match in _EFFECTIVE.finditer(text) for date in written_dates(match.group())]
        theirs = dates(f"{self._opening(contract).title}\n{self._opening(contract).text}")
        own = [date for date in written_dates(opening.text) if not any(date_ in theirs for date_ in dates(date))]
        return next(iter(effective), ""), next(iter(own), "")

    def _read_opening(self, version: str) -> Opening:
        first = self._outline(version).order[:OPENING_PASSAGES]
        nodes = self._collection.vectors.get(first)
        passages = [nodes[chunk_id] for chunk_id in first if chunk_id in nodes]
        title = passages[0].metadata["title"] if passages else ""
        headings = [passage.metadata["section"] for passage in passages[:1]]
        return Opening(title, "\n".join([*headings, *(passage.get_content() for passage in passages)]))

    def _compare(self, amending: str, contract: str) -> bool:
        return amending != contract and is_named(self._opening(contract), self._opening(amending))


def is_named(contract: Opening, by: Opening) -> bool:
    """Whether the opening of an amendment names this contract.

    Two of these must agree: the contract's number, the words of its title, a date, the parties. A number of the
    contract that the amendment lacks speaks against it, and so does a date where the amendment has others.
    """
    numbers = codes(contract.title)
    own = [number for number in numbers if has_code(number, fold(contract.text))]  # "final-v2" is a file's, not its own
    if not all(has_code(number, by.folded) for number in own):
        return False
    same_number = any(has_code(number, by.folded) for number in numbers)
    theirs, named = dates(contract.text), dates(f"{by.title}\n{by.text}")
    same_date = any(date in named for date in theirs)
    if theirs and named and not same_date and not same_number:
        return False
    words = {word for word in content_words(contract.title) if word.isalpha()}
    same_title = bool(words) and words <= set(content_words(by.folded))
    same_parties = len(contract.names & by.names) >= NAMES_IN_COMMON
    return same_number + same_title + same_date + same_parties >= EVIDENCE_NEEDED


def is_same_work(one: Opening, other: Opening) -> bool:
    """Whether two documents of nearly the same words are versions of one: by title, its numbers, and who is named.

    Manuals of two models, and a form filled in for two customers, are as alike as versions are.
    """
    if fold(one.title) != fold(other.title):
        return False
    return 2 * len(one.names & other.names) >= min(len(one.names), len(other.names))


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
