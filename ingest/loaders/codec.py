"""A `Document` as plain JSON values and back: what crosses from a worker process to the one that it works for.

Not pickle: a hostile file that takes over its reader must not take over who listens to it.
"""

from __future__ import annotations

import base64
from typing import Any

from ingest.document import Attachment, Block, Document, Line, Media, Ocr, Page


def document_to_json(document: Document) -> dict[str, Any]:
    return {
        "title": document.title,
        "pages": [_page_to_json(page) for page in document.pages],
        "attachments": [
            {"name": attachment.name, "content": base64.b64encode(attachment.content).decode("ascii")}
            for attachment in document.attachments
        ],
        "media": document.media and {"kind": document.media.kind, "facts": document.media.facts},
    }


def _text(value: Any) -> str:
    """The text without halves of surrogate pairs, which some PDFs hold and no index can store."""
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def document_from_json(values: dict[str, Any]) -> Document:
    """The document that `document_to_json` was given.

    Raises `KeyError`, `TypeError` or `ValueError` for anything else.
    """
    media = values["media"]
    return Document(
        title=_text(values["title"]),
        pages=tuple(_page_from_json(page) for page in values["pages"]),
        attachments=tuple(
            Attachment(_text(attachment["name"]), base64.b64decode(attachment["content"], validate=True))
            for attachment in values["attachments"]
        ),
        media=media and Media(media["kind"], tuple((_text(name), _text(value)) for name, value in media["facts"])),
    )


def _page_to_json(page: Page) -> dict[str, Any]:
    return {
        "number": page.number,
        "label": page.label,
        "size": (page.width, page.height),
        "ocr": page.ocr and (page.ocr.confidence, page.ocr.reason),
        "problem": page.problem,
        "blocks": [(block.kind, block.level, [(line.text, line.box) for line in block.lines]) for block in page.blocks],
    }


def _page_from_json(values: dict[str, Any]) -> Page:
    width, height = values["size"]
    return Page(
        number=int(values["number"]),
        label=_text(values["label"]),
        blocks=tuple(
            Block(kind, tuple(_line(text, box) for text, box in lines), int(level))
            for kind, level, lines in values["blocks"]
        ),
        width=float(width),
        height=float(height),
        ocr=values["ocr"] and Ocr(float(values["ocr"][0]), _text(values["ocr"][1])),
        problem=_text(values["problem"]),
    )


def _line(text: str, box: list[float] | None) -> Line:
    if box is None:
        return Line(_text(text))
    x0, y0, x1, y1 = map(float, box)
    return Line(_text(text), (x0, y0, x1, y1))
