"""Which clauses a later version of a document words otherwise, or lacks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache

from llama_index.core.schema import BaseNode, NodeWithScore

from ingest.clauses import normal_number
from ingest.collection import Collection
from ingest.numbering import clause_number
from ingest.outline import Outline, levels
from ingest.revisions import held
from rag_app.amendments import Change
from rag_app.answer import Relation, Standing
from rag_app.dates import dates
from rag_app.effective import effective_day, standing
from rag_app.openings import is_same_work
from rag_app.texts import CACHED_WHOLE, Texts

KEPT_AT_LEAST = 0.3
"""The share of a clause's runs of words from which on a version has it, renumbered and reworded."""


class Versions:
    """Compares the versions of the documents of one collection."""

    def __init__(self, collection: Collection, outline: Callable[[str], Outline], texts: Texts) -> None:
        """`outline` gives that of a version of a document."""
        self._collection = collection
        self._outline = outline
        self._texts = texts
        self._clauses = lru_cache(CACHED_WHOLE)(self._read_clauses)

    def changes(self, nodes: Sequence[NodeWithScore], today: date) -> list[Change]:
        """The clauses of these passages that the latest version of their document words otherwise, or lacks.

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
        in_force = [place for place, (_, day) in enumerate(versions) if _standing(day, today) == "in force"]
        last = max(in_force, default=0)
        for place, (version, day) in enumerate(versions):
            holds = _standing(day, today)
            if place < last and holds != "to come":
                continue
            for clause, other, relation in self._worded_otherwise(node, version):
                yield Change(other, node.node_id, clause, relation, day, standing=holds)

    def _governing_until(self, node: BaseNode, earlier: Mapping[str, str], today: date) -> Iterator[Change]:
        """The same clauses in the version before, where that of this passage is not in force for sure."""
        own = node.metadata["version"]
        for before in self._chain(node, earlier):
            day = self._begins(own, before)
            holds = _standing(day, today)
            if holds == "in force":
                return
            for clause, other, relation in self._worded_otherwise(node, before):
                if relation == "revises":
                    yield Change(node.node_id, other, clause, relation, day, standing=holds)

    def _chain(self, node: BaseNode, next_of: Mapping[str, str]) -> list[str]:
        """The versions of one work that follow that of a passage, one after the other."""
        version = node.metadata["version"]
        document_id, seen = next_of.get(node.metadata["document_id"]), list[str]()
        while document_id:
            record = self._collection.catalog.document(document_id)
            if record is None or record.version in seen:
                break
            if not is_same_work(self._texts.opening(version), self._texts.opening(record.version)):
                break
            version = record.version
            seen.append(version)
            document_id = next_of.get(document_id)
        return seen

    def _begins(self, version: str, before: str) -> str:
        """The day from which a version holds, as it says in its opening, "" where it names none of its own."""
        day = effective_day("", "", self._texts.opening(version).text, ())
        theirs = dates(self._texts.opening(before).text)
        return "" if any(date_ in theirs for date_ in dates(day)) else day

    def _worded_otherwise(self, node: BaseNode, version: str) -> Iterator[tuple[str, str, Relation]]:
        """The clauses of a passage that another version words otherwise or lacks, each with the passage there.

        What stands there word for word under another number is unchanged: a new clause moves those behind it.
        """
        outline = self._outline(version)
        held_in = {clause: outline.find("clause", clause) for clause in json.loads(node.metadata["clauses"])}
        texts = self._collection.vectors.get(list({ids[0] for ids in held_in.values() if ids}))
        for clause, ids in held_in.items():
            own = _clause_text(node, clause)
            other = _clause_text(texts[ids[0]], clause) if ids and ids[0] in texts else ""
            if not own or own == other or self._has_all_of(version, own, node.metadata["version"]):
                continue
            if other:
                yield clause, ids[0], "revises"
            elif not ids and outline.order and held(own, self._texts.runs(version)) < KEPT_AT_LEAST:
                near = (found[0] for within in levels(_before(clause)) if (found := outline.find("clause", within)))
                yield clause, next(near, outline.order[0]), "drops"

    def _has_all_of(self, version: str, clause: str, own: str) -> bool:
        """Whether a version has a clause of just these words, with all that stands behind the end of the passage."""
        words = _words(clause)
        whole = {text for text in self._clauses(own) if text.startswith(words)}
        return not whole.isdisjoint(self._clauses(version))

    def _read_clauses(self, version: str) -> frozenset[str]:
        return frozenset(_words(text) for _, text in _clauses(self._texts.whole(version)))


def _standing(day: str, today: date) -> Standing:
    """Whether a version holds, which does so from the beginning where it names no day."""
    return standing(day, "", today) if day else "in force"


def _before(clause: str) -> str:
    """The number before that of a clause: "4.2" for "4.3"."""
    return re.sub(r"\d+(?=\D*$)", lambda number: str(int(number.group()) - 1), clause)


def _words(clause: str) -> str:
    """The words of a clause without its number and blanks, which differ by how a file is read."""
    printed = clause_number(clause) or ""
    return "".join(clause.removeprefix(printed).split())


def _clause_text(node: BaseNode, clause: str) -> str:
    """The words of a clause that begins in a passage, "" where none of this number does."""
    return next((text for number, text in _clauses(node.get_content()) if number == clause), "")


def _clauses(text: str) -> Iterator[tuple[str, str]]:
    """The clauses that begin in a text, each with its number and its words."""
    number, words = "", list[str]()
    for line in text.split("\n"):
        if printed := clause_number(line):
            if words:
                yield number, " ".join(words)
            number, words = normal_number(printed), []
        if number:
            words += line.split()
    if words:
        yield number, " ".join(words)
