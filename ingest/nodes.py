"""Chunks as LlamaIndex nodes. The metadata vocabulary of the whole project is declared here, once.

Metadata is flat, as the vector store wants it: lists are JSON strings. Title and section path stand in front of the
text that is embedded and reranked (`MetadataMode.EMBED`), never in the text that is quoted (`MetadataMode.NONE`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypedDict

from llama_index.core.schema import MetadataMode, TextNode

from ingest.amending import amended
from ingest.chunking import Chunk
from ingest.document import PageBox
from ingest.records import DocumentRecord
from ingest.references import definitions, references

# A title or a heading path longer than this would push the passage itself out of the embedder's window.
MAX_HEADING_CHARACTERS = 200


class NodeMetadata(TypedDict):
    """What every node carries. `page` is 1-based and physical, `page_label` is as printed.

    `boxes` is a JSON list of [page, x0, y0, x1, y1] in points from the top left corner, in reading order; `box_spans`
    is a JSON list of the [start, end] characters of the text that each box covers. `version` names the content of
    the document that the node belongs to, `position` counts the nodes of a document from 0.

    `clauses`, `defines`, `refers_to` and `amends` are JSON lists: of the full numbers of what begins or goes on in the
    text ("12.3(b)", "Exhibit B", "Table 4"), of the terms that it defines, of the places of the same document that it
    points to, {"kind", "target"} with the kinds and targets of `references.Reference`, and of the clauses of another
    document that it changes, which `refers_to` may name too. A target is looked up in an `Outline`.
    `ocr_confidence` is the lowest of the pages recognised, 1 where `ocr` is false.
    """

    document_id: str
    version: str
    content_hash: str
    position: int
    source: str
    title: str
    page: int
    page_label: str
    section: str
    modality: str
    ocr: bool
    ocr_confidence: float
    boxes: str
    box_spans: str
    clauses: str
    defines: str
    refers_to: str
    amends: str


_EMBEDDED_KEYS = {"title", "section"}
# The last two are added by a search: the place (from 1) and score of a candidate before it was reranked.
_HIDDEN_KEYS = sorted({*NodeMetadata.__annotations__, "retrieval_rank", "retrieval_score"} - _EMBEDDED_KEYS)


def node_from_chunk(chunk: Chunk, position: int, record: DocumentRecord) -> TextNode:
    """The chunk as a node whose id depends only on the document, its content and the chunk's place in it."""
    elsewhere = [
        reference
        for reference in references(chunk.text)
        if reference.kind == "page" or reference.target not in chunk.clauses
    ]
    metadata = NodeMetadata(
        document_id=record.document_id,
        version=record.version,
        content_hash=record.content_hash,
        position=position,
        source=record.source,
        title=record.title[:MAX_HEADING_CHARACTERS],
        page=chunk.page,
        page_label=chunk.page_label,
        # The deepest headings say most: keep the end.
        section=chunk.section[-MAX_HEADING_CHARACTERS:],
        modality=chunk.modality,
        ocr=chunk.ocr is not None,
        ocr_confidence=1.0 if chunk.ocr is None else round(chunk.ocr, 3),
        boxes=json.dumps([[box[0], *(round(value, 1) for value in box[1:])] for box in chunk.boxes]),
        box_spans=json.dumps(chunk.box_spans),
        clauses=json.dumps(chunk.clauses, ensure_ascii=False),
        defines=json.dumps(definitions(chunk.text), ensure_ascii=False),
        refers_to=json.dumps([asdict(reference) for reference in elsewhere], ensure_ascii=False),
        amends=json.dumps(amended(chunk.text), ensure_ascii=False),
    )
    return TextNode(
        id_=hashlib.sha256(f"{record.version}\0{position}".encode()).hexdigest()[:32],
        text=chunk.text,
        metadata=dict(metadata),
        excluded_embed_metadata_keys=_HIDDEN_KEYS,
        excluded_llm_metadata_keys=_HIDDEN_KEYS,
        metadata_template="{value}",
        text_template="{metadata_str}\n\n{content}",
    )


def embedded_text(node: TextNode) -> str:
    """Title, section path and text: what is embedded, and what a reranker reads."""
    return node.get_content(MetadataMode.EMBED)


def node_boxes(metadata: Mapping[str, Any]) -> tuple[tuple[PageBox, ...], tuple[tuple[int, int], ...]]:
    """The boxes of a node and the ranges of characters they cover, as tuples."""
    boxes: Sequence[Sequence[float]] = json.loads(metadata["boxes"])
    spans: Sequence[Sequence[int]] = json.loads(metadata["box_spans"])
    return (
        tuple((int(box[0]), box[1], box[2], box[3], box[4]) for box in boxes),
        tuple((span[0], span[1]) for span in spans),
    )
