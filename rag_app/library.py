"""Finding a document in a catalog by what a person types."""

from __future__ import annotations

from ingest.catalog import Catalog
from ingest.errors import UsageError
from ingest.records import DocumentRecord


def find_document(catalog: Catalog, name: str) -> DocumentRecord:
    """The document of that id, else of that source name. Raises `UsageError` where none or several match."""
    if record := catalog.document(name):  # programs ask by id, again and again; names are looked for in all records
        return record
    matching = [record for record in catalog.documents() if any(name == file.source for file in record.files)]
    if not matching:
        raise UsageError(f"No document is called '{name}'. List them: rag-app documents list.")
    if len(matching) > 1:
        ids = ", ".join(f"{record.document_id} ({record.path})" for record in matching)
        raise UsageError(f"Several documents are called '{name}'. Name one by its id: {ids}.")
    return matching[0]
