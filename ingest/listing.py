"""Which documents a person wants to see, and in which order; as SQL, so that a large catalog need not be read whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Order = Literal["file", "title", "newest", "pages", "passages"]
ORDERS: tuple[Order, ...] = get_args(Order)

_FIRST_FILE = "(SELECT source FROM files WHERE files.document_id = live.document_id ORDER BY path LIMIT 1)"
_ALL_FILES = "(SELECT group_concat(source, ' ') FROM files WHERE files.document_id = live.document_id)"
_ORDERINGS: dict[Order, str] = {
    "file": f"casefold({_FIRST_FILE})",
    "title": "casefold(title)",
    "newest": "ingested_at DESC",
    "pages": "pages DESC",
    "passages": "chunks DESC",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """The documents whose title and file names hold every word of `words`, and that have all of these `tags`.

    Letters are compared without case. Names go from A to Z, everything else from the latest or largest down.
    """

    words: str = ""
    tags: tuple[str, ...] = ()
    order: Order = "file"

    def where(self) -> tuple[str, list[str]]:
        """The condition on rows of `live`, "" for none, and the values of its places."""
        words = self.words.casefold().split()
        conditions = [f"instr(casefold(title || ' ' || {_ALL_FILES}), ?)"] * len(words)
        conditions += ["document_id IN (SELECT document_id FROM tags WHERE tag = ?)"] * len(self.tags)
        return f"WHERE {' AND '.join(conditions)}" if conditions else "", [*words, *self.tags]

    def ordering(self) -> str:
        return f"{_ORDERINGS[self.order]}, document_id"
