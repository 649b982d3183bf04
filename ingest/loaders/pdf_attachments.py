"""Files that are attached to a PDF, through pypdf, whose decoders stop at a limit."""

from __future__ import annotations

import io
from pathlib import Path

import pypdf

from ingest.document import Attachment
from ingest.loaders.attached import MAX_ATTACHED_BYTES, MAX_ATTACHMENTS, safe_name
from ingest.loaders.pdf_facts import PYPDF_DAMAGE


def read_attachments(source: Path | bytes, password: str | None) -> tuple[tuple[Attachment, ...], tuple[str, ...]]:
    """The attached files with their names made safe, and a sentence for each that was left out."""
    found: list[Attachment] = []
    problems: list[str] = []
    room = MAX_ATTACHED_BYTES
    try:
        reader = pypdf.PdfReader(io.BytesIO(source) if isinstance(source, bytes) else source)
        if reader.is_encrypted:
            reader.decrypt(password or "")
        for number, file in enumerate(reader.attachment_list, start=1):
            if number > MAX_ATTACHMENTS:
                problems.append(f"Only the first {MAX_ATTACHMENTS} attached files were read.")
                break
            name = safe_name(file.alternative_name or file.name)
            try:
                content = file.content
            except PYPDF_DAMAGE as error:
                problems.append(f"The attached file '{name}' is damaged or too large: {error}.")
                continue
            if len(content) > room:
                problems.append(f"The attached file '{name}' was left out: the limit is {room >> 20} MB.")
                continue
            room -= len(content)
            found.append(Attachment(name, content))
    # The list of attachments itself may be damaged.
    except PYPDF_DAMAGE as error:
        problems.append(f"The list of attached files is damaged: {error}.")
    return tuple(found), tuple(problems)
