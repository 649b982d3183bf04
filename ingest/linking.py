"""Which documents are revisions of others: near-identical texts, linked to the one that came before."""

from __future__ import annotations

from ingest.catalog import Catalog
from ingest.records import DocumentRecord
from ingest.revisions import REVISION_LIKENESS, similarity

# Of a form that was filled in a thousand times, so many are looked at.
MOST_ALIKE = 50


def link_revisions(catalog: Catalog) -> None:
    """Links the documents that have come, those like them, and those whose earlier one has gone.

    A document is a revision of the most similar one that is earlier by the time of its file, by its path among equal
    times. What comes out depends on the documents that are there, not on the order in which they came.
    """
    records = {record.document_id: record for record in catalog.documents()}
    lost = {name for name, record in records.items() if record.revision_of and record.revision_of not in records}
    come = catalog.unlinked()
    affected = lost | come | {other for document_id in come for other in catalog.alike(document_id, MOST_ALIKE)}
    if not affected:
        return
    catalog.set_revisions(
        {document_id: _earlier(catalog, records, document_id) for document_id in affected if document_id in records}
    )


def _earlier(catalog: Catalog, records: dict[str, DocumentRecord], document_id: str) -> str:
    alike = catalog.alike(document_id, MOST_ALIKE)
    own = alike.pop(document_id, None)
    if own is None:  # a document without words
        return ""
    likeness = {
        other: similarity(own, values)
        for other, values in alike.items()
        if other in records and _place(records[other]) < _place(records[document_id])
    }
    best = max(likeness, key=lambda other: (likeness[other], _place(records[other])), default="")
    return best if best and likeness[best] >= REVISION_LIKENESS else ""


def _place(record: DocumentRecord) -> tuple[int, str]:
    """The time of the file, then its path: copied archives often have one time for all."""
    return record.file.modified_ns, str(record.path)
