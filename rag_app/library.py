"""The documents of a collection: what they are, adding, removing and showing them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.catalog import Catalog, Kind
from ingest.collection import Collection
from ingest.document import PageBox
from ingest.engines.local import LocalEngine
from ingest.errors import UsageError
from ingest.loaders import SUPPORTED_SUFFIXES
from ingest.loaders.signature import format_of
from ingest.pipeline import Ingester, Progress
from ingest.reading import OnReading
from ingest.records import DocumentRecord
from ingest.report import IngestReport
from rag_app.jobs import Jobs
from rag_app.models import Models
from rag_app.originals import Original, check_unchanged, find_original
from rag_app.settings import Settings
from rag_app.suggestions import suggested_questions

_UNSAFE_IN_NAMES = re.compile(r"[^\w.() -]+")
# File systems take 255, of which the suffix needs some.
MOST_NAME_BYTES = 200
PAGE_WIDTH = 1000
"""Pixels of a page image that is not enlarged."""


@dataclass(frozen=True, slots=True)
class PageImage:
    """A page as PNG with its highlights drawn, so many pixels wide.

    `page` is its number from 1 of `pages`, `label` what is printed for it, as far as the file says.
    """

    png: bytes
    width: int
    page: int
    label: str
    pages: int


class Library:
    """The documents of one collection. Safe to use from several threads."""

    def __init__(self, settings: Settings, collection: Collection, models: Models) -> None:
        """Over an open collection, whose vectors are those of the encoder of these `models`."""
        self._settings = settings
        self._collection = collection
        self._models = models
        self._writing = threading.Lock()
        self.jobs = Jobs(collection.catalog, self.ingest, self._sweep)

    @property
    def catalog(self) -> Catalog:
        """What the collection is and what it holds: documents, tags, files that failed."""
        return self._collection.catalog

    @property
    def kind(self) -> Kind:
        """What the documents of the collection are."""
        return self._collection.catalog.kind()

    @property
    def document_count(self) -> int:
        """How many documents there are; quick, also for very many."""
        return len(self.catalog.sources())

    def documents(self) -> list[DocumentRecord]:
        return self.catalog.documents()

    def document(self, name: str) -> DocumentRecord:
        """The document of that id or source name. Raises `UsageError` where none or several match."""
        return find_document(self.catalog, name)

    def ingest(
        self,
        paths: Sequence[Path],
        *,
        retry_failed: bool = False,
        on_progress: Callable[[Progress], None] = lambda progress: None,
        on_reading: OnReading = lambda path, page, pages: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> IngestReport:
        """Reads files and folders into the collection; one ingest at a time, others wait. See `Ingester.sync`.

        `on_reading` is called from several threads, before each page.
        """
        engine = LocalEngine(self._models.encoder.get(), self._settings.chunking, on_reading=on_reading, stop=stop)
        with self._writing:
            return Ingester(self._collection, engine).sync(
                paths, retry_failed=retry_failed, on_progress=on_progress, stop=stop
            )

    def hide(self, document_id: str) -> None:
        """Removes a document from every answer at once, for good after a while; until then `restore` undoes it.

        It waits for no ingest. Raises `UsageError` where there is no document of that id.
        """
        self._collection.hide(document_id)
        self.jobs.wake()

    def restore(self, document_id: str) -> None:
        """Raises `UsageError` where the document has been removed for good."""
        self._collection.restore(document_id)

    def forget_failed(self, path: Path) -> None:
        """Forgets a file that could not be read, so that it is not spoken of any more; an upload is deleted."""
        self._collection.forget_failed(path)

    def _sweep(self) -> None:
        with self._writing:
            self._collection.sweep()

    def save_upload(self, name: str, content: bytes) -> Path:
        """Keeps an uploaded file below the home by its `upload_name`; the same name replaces it.

        It is noted as waiting, so that it is read even if the process ends before `jobs` have come to it.
        Raises `UsageError` for a type that is not supported, and `StorageError` where the file cannot be written.
        """
        return self._collection.save_upload(upload_name(name), content)

    def original(self, document_id: str, collection: str = "") -> Original:
        """The file that a document of this collection, or of another one of this home, was read from.

        Raises `UsageError` for what the catalog does not know, `RagError` when the file has gone or changed.
        """
        location = replace(self._settings.location, collection=collection or self._settings.collection)
        return find_original(location, document_id)

    def page_image(
        self, document_id: str, page: int, boxes: Sequence[PageBox] = (), *, zoom: float = 1.0
    ) -> PageImage | None:
        """A page with these boxes highlighted (those of other pages are left out); None for formats without pages.

        It is `zoom` times `PAGE_WIDTH` pixels wide. Raises `RagError` when the file has gone or changed since it was
        read: its boxes would lie.
        """
        record = self.catalog.document(document_id)
        if record is None:
            raise UsageError("This document has been removed from the collection.")
        check_unchanged(record)
        if format_of(record.path) != "pdf":
            return None
        from ingest.loaders.pdf import render_page

        shown = [box[1:] for box in boxes if box[0] == page]
        width = round(zoom * PAGE_WIDTH)
        png = render_page(record.path, page, boxes=shown, width=width)
        label = self.catalog.page_labels(document_id).get(page, "")
        return PageImage(png, width, page, label, record.pages)

    def suggested_questions(self) -> list[str]:
        """A few questions that the newest documents answer, made from their headings; none for an empty collection."""
        return suggested_questions(self._collection)

    def close(self) -> None:
        """Stops what is being read and closes the collection."""
        self.jobs.close()
        self._collection.close()


def upload_name(name: str) -> str:
    """The last part of the name without what could mean something to a file system.

    Raises `UsageError` for a type that is not supported.
    """
    plain = Path(_UNSAFE_IN_NAMES.sub("_", Path(name.replace("\\", "/")).name).strip(". "))
    stem = plain.stem.encode()[:MOST_NAME_BYTES].decode(errors="ignore")
    if not stem or plain.suffix.lower() not in SUPPORTED_SUFFIXES:
        kinds = ", ".join(sorted(SUPPORTED_SUFFIXES))
        raise UsageError(f"'{name[:80]}' is of a type that cannot be read. Expected one of {kinds}.")
    return f"{stem}{plain.suffix}"


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
