"""Where in a document a clause, a page or a term is to be found: the targets of `references.Reference` and of terms."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ingest.references import Kind

# What may be left off the end of a number to get the one that it stands within: "12.3(b)" in "12.3", that in "12".
_LAST_LEVEL = re.compile(r"(?:\.\d+|\([^()]*\))$")
_LAST_ITEM = re.compile(r"\([^()]*\)$")


@dataclass(frozen=True, slots=True)
class Outline:
    """The passages of one version of a document by what they hold, as chunk ids in reading order."""

    order: tuple[str, ...] = ()
    clauses: dict[str, list[str]] = field(default_factory=dict)
    pages: dict[str, list[str]] = field(default_factory=dict)
    terms: dict[str, str] = field(default_factory=dict)
    """Where each term is defined first."""

    @classmethod
    def of(cls, passages: Mapping[str, Mapping[str, Any]]) -> Outline:
        """The outline of passages given by id in reading order, with their metadata."""
        outline = cls(tuple(passages))
        for chunk_id, metadata in passages.items():
            for number in dict.fromkeys(within for own in json.loads(metadata["clauses"]) for within in levels(own)):
                outline.clauses.setdefault(number, []).append(chunk_id)
            outline.pages.setdefault(metadata["page_label"] or str(metadata["page"]), []).append(chunk_id)
            for term in json.loads(metadata["defines"]):
                outline.terms.setdefault(term, chunk_id)
        return outline

    def find(self, kind: Kind, target: str) -> list[str]:
        """The passages that hold this clause, table, attachment or page; none where the document has it not."""
        if kind == "page":
            return self.pages.get(target, [])
        while target not in self.clauses and _LAST_ITEM.search(target):
            target = _LAST_ITEM.sub("", target)
        return self.clauses.get(target, [])

    def behind(self, chunk_id: str) -> str | None:
        """The passage that follows this one; None behind the last one, and for one that has gone."""
        if chunk_id not in self.order:
            return None
        place = self.order.index(chunk_id) + 1
        return self.order[place] if place < len(self.order) else None


def levels(number: str) -> Iterator[str]:
    """The full number of a clause and of each one that it stands within: "12.3(b)", "12.3", "12"."""
    while number:
        yield number
        shorter = _LAST_LEVEL.sub("", number)
        number = shorter if shorter != number else ""


def touches(changed: str, number: str) -> bool:
    """Whether what changes one clause changes the other: it is that one, stands within it or holds it."""
    return changed in levels(number) or number in levels(changed)
