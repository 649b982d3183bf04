"""From a document as read to what is stored of it: chunks with their vectors, page records, a sketch of its text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ingest.chunking import CountTokens, chunk_document
from ingest.config import ChunkingConfig
from ingest.document import Document
from ingest.embedding import Encoder
from ingest.nodes import embedded_text, node_from_chunk
from ingest.records import DocumentRecord, Entry, FileRecord, PageRecord, version_of
from ingest.revisions import sketch


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file to be read, with the SHA-256 of its content."""

    file: FileRecord
    content_hash: str

    @property
    def document_id(self) -> str:
        """Its content's: a file that is moved, or is there twice, is one document."""
        return self.content_hash[:16]


def make_entry(hashed: HashedFile, document: Document, chunking: ChunkingConfig, count_tokens: CountTokens) -> Entry:
    """The document as an entry whose nodes wait for their vectors."""
    title = document.title or hashed.file.path.stem
    chunks = chunk_document(document, chunking, count_tokens)
    pages = tuple(map(PageRecord.of, document.pages))
    record = DocumentRecord(
        document_id=hashed.document_id,
        # Of everything that is stored: reading the same content otherwise, with OCR or a password, is a new version.
        version=version_of(hashed.document_id, _digest((title, chunks, pages, document.media))),
        content_hash=hashed.content_hash,
        title=title,
        titled_by_name=not document.title,
        pages=len(pages),
        ocr_pages=sum(page.ocr is not None for page in pages),
        chunks=len(chunks),
        media=document.media,
        ingested_at=datetime.now(UTC),
        files=(replace(hashed.file, document_id=hashed.document_id),),
    )
    nodes = [node_from_chunk(chunk, position, record) for position, chunk in enumerate(chunks)]
    return Entry(record, nodes, pages, sketch(_text(document)), document.attachments)


def embed(entries: Sequence[Entry], encoder: Encoder) -> None:
    """Gives every node of the entries its vector; of several entries at once, so that batches are of like length."""
    nodes = [node for entry in entries for node in entry.nodes]
    vectors = encoder.encode_documents([embedded_text(node) for node in nodes])
    for node, vector in zip(nodes, vectors, strict=True):
        node.embedding = vector.tolist()


def _text(document: Document) -> str:
    return "\n".join(block.text for page in document.pages for block in page.blocks)


def _digest(values: object) -> str:
    """Of dataclasses, tuples, texts and numbers, whose `repr` says all there is."""
    return hashlib.sha256(repr(values).encode("utf-8", "surrogatepass")).hexdigest()[:16]
