"""Which documents are revisions of others: near-identical texts, linked to the one that came before."""

from __future__ import annotations

from collections.abc import Mapping

from ingest.catalog import Catalog
from ingest.revisions import REVISION_LIKENESS, Sketch, similarity

# Of a form that was filled in a thousand times, so many are looked at.
MOST_ALIKE = 50


def link_revisions(catalog: Catalog) -> None:
    """Links the documents that have come, those like them, and those whose earlier one has gone.

    A document is a revision of the most similar one that is earlier by the time of its file, by its path among equal
    times. What comes out depends on the documents that are there, not on the order in which they came.
    """
    links: dict[str, str] = {}
    others: set[str] = set()
    come = catalog.unlinked()
    for document_id in come:
        alike = catalog.alike(document_id, MOST_ALIKE)
        links[document_id] = _earlier(catalog, document_id, alike)
        others.update(alike)
    for document_id in others.difference(come):
        links[document_id] = _earlier(catalog, document_id, catalog.alike(document_id, MOST_ALIKE))
    if links:
        catalog.set_revisions(links)


def _earlier(catalog: Catalog, document_id: str, alike: Mapping[str, Sketch]) -> str:
    """The id of the most similar document among the `alike` that came before this one, "" for none."""
    own, place = alike.get(document_id), _place(catalog, document_id)
    if own is None or place is None:  # it has no words, or was hidden meanwhile
        return ""
    earlier = [
        (likeness, before, other)
        for other, values in alike.items()
        if (likeness := similarity(own, values)) >= REVISION_LIKENESS
        and (before := _place(catalog, other)) is not None
        and before < place
    ]
    return max(earlier)[-1] if earlier else ""


def _place(catalog: Catalog, document_id: str) -> tuple[int, str] | None:
    """The time of the file, then its path: copied archives often have one time for all; None for one out of sight."""
    record = catalog.document(document_id)
    return (record.file.modified_ns, str(record.path)) if record else None
