"""An answer to be filed: with it whatever shows what it rests on, as JSON and, by `evidence_pdf`, as a PDF."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from ingest.config import EmbeddingConfig
from ingest.document import PageBox
from ingest.errors import RagError, UsageError
from rag_app.answer import Answer, Citation, Passage
from rag_app.calibration import model_for
from rag_app.gate import NEAREST_PASSAGES
from rag_app.rerankers import describe_reranker
from rag_app.settings import Settings

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

MAX_PAGE_IMAGES = 20
_JPEG_QUALITY = 85

# Those that change what is found and said. No key, password or address is among them.
_SETTINGS = (
    "chunk_tokens",
    "embedding",
    "embedding_dimensions",
    "embedding_instruction",
    "candidates",
    "top_k",
    "rerank_dtype",
    "rerank_max_length",
    "rerank_budget_ms",
    "gate",
    "llm_context_tokens",
    "llm_answer_tokens",
    "llm_thinking",
    "strict",
)


@dataclass(frozen=True, slots=True)
class PackedDocument:
    """A document that passages of the answer come from.

    `file` is its file's name, `sha256` that of the file when it was read, at `read_at`. `problem` is a sentence where
    the document is not in the collection any more; what only the collection knows is missing then.
    """

    document_id: str
    title: str
    file: str
    sha256: str = ""
    pages: int = 0
    read_at: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PackedPage:
    """A page that the answer leans on, counted from 1, with the marks that point to it and the boxes of their quotes.

    `jpeg` shows it with the boxes drawn; where that is None, `problem` says in a sentence why.
    """

    document_id: str
    file: str
    page: int
    page_label: str
    numbers: tuple[int, ...]
    boxes: tuple[PageBox, ...]
    jpeg: bytes | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class EvidencePack:
    """What was asked, what was answered, and all that the answer rests on.

    `asked` is the question as it was typed; `answered_at` is None where nobody noted it. `searched` are the documents
    that the question was kept to; none: the whole collection. `models` maps the part that a model plays to its name
    and revision, `settings` are those that change an answer; both are as they were in force at `made_at`.
    """

    asked: str
    answer: Answer
    answered_at: datetime | None
    made_at: datetime
    collection: str
    searched: tuple[str, ...]
    documents: tuple[PackedDocument, ...]
    pages: tuple[PackedPage, ...]
    models: dict[str, str]
    settings: dict[str, Any]
    program: str

    def as_dict(self) -> dict[str, Any]:
        """All of it but the images, for JSON."""
        packed = asdict(self)
        for page in packed["pages"]:
            page["shown"] = page.pop("jpeg") is not None
        for key in ("answered_at", "made_at"):
            packed[key] = packed[key] and packed[key].isoformat(timespec="seconds")
        for document in packed["documents"]:
            document["read_at"] = document["read_at"] and document["read_at"].isoformat(timespec="seconds")
        return packed

    def as_json(self) -> str:
        return json.dumps(self.as_dict(), ensure_ascii=False, indent=2) + "\n"


def evidence_pack(
    assistant: Assistant,
    answer: Answer,
    *,
    asked: str,
    answered_at: datetime | None = None,
    searched: Sequence[str] = (),
) -> EvidencePack:
    """The pack of an answer or a refusal of this assistant; pages are drawn now, from the files as they are.

    A file that has changed or gone since it was read raises nothing: the pack says so in place of the page. Raises
    `UsageError` for a calibration that cannot be read.
    """
    settings = assistant.settings
    return EvidencePack(
        asked=asked,
        answer=answer,
        answered_at=answered_at,
        made_at=datetime.now().astimezone(),
        collection=assistant.collection,
        searched=tuple(searched),
        documents=tuple(_documents(assistant, answer)),
        pages=tuple(_pages(assistant, answer)),
        models=_models(settings),
        settings=settings.model_dump(mode="json", include=set(_SETTINGS)),
        program=f"rag-app {version('rag-app')}",
    )


def _pdf(pack: EvidencePack) -> bytes:
    from rag_app.evidence_pdf import as_pdf

    return as_pdf(pack)


def _json(pack: EvidencePack) -> bytes:
    # What a terminal hands over may be no text; written so, it is an escape of JSON.
    return pack.as_json().encode(errors="backslashreplace")


PACK_FORMATS: dict[str, Callable[[EvidencePack], bytes]] = {".pdf": _pdf, ".json": _json}


def _documents(assistant: Assistant, answer: Answer) -> Iterator[PackedDocument]:
    """Every document of the passages and citations, that of the best passage first."""
    named: list[Passage | Citation] = [*answer.passages, *answer.citations]
    for document_id, (title, source) in {one.document_id: (one.title, one.source) for one in named}.items():
        try:
            record = assistant.library.document(document_id)
        except UsageError:
            problem = "It has been removed from the collection since the answer was given."
            yield PackedDocument(document_id, title, source, problem=problem)
        else:
            yield PackedDocument(
                document_id,
                record.title,
                record.source,
                record.content_hash,
                record.pages,
                record.ingested_at.astimezone(),
            )


def _pages(assistant: Assistant, answer: Answer) -> Iterator[PackedPage]:
    """The pages of the citations, or of the nearest passages of a refusal, in the order of these."""
    shown = answer.passages[:NEAREST_PASSAGES] if answer.refused else answer.citations
    by_page: dict[tuple[str, int], list[Citation | Passage]] = {}
    for one in shown:
        for page in dict.fromkeys(box[0] for box in one.boxes) or (one.page,):
            by_page.setdefault((one.document_id, page), []).append(one)
    for place, ((document_id, page), leaning) in enumerate(by_page.items()):
        boxes = tuple(box for one in leaning for box in one.boxes if box[0] == page)
        if place < MAX_PAGE_IMAGES:
            jpeg, problem = _drawn(assistant, document_id, page, boxes)
        else:
            jpeg, problem = None, f"It is not shown: a pack holds the images of at most {MAX_PAGE_IMAGES} pages."
        yield PackedPage(
            document_id,
            leaning[0].source,
            page,
            next((one.page_label for one in leaning if one.page == page), ""),
            tuple(dict.fromkeys(one.number for one in leaning)),
            boxes,
            jpeg,
            problem,
        )


def _drawn(assistant: Assistant, document_id: str, page: int, boxes: Sequence[PageBox]) -> tuple[bytes | None, str]:
    """The page as JPEG with its boxes; or None, and the sentence that says why it cannot be drawn."""
    try:
        image = assistant.library.page_image(document_id, page, boxes)
    except RagError as error:
        return None, f"It cannot be shown as it was read. {_without_path(assistant, document_id, str(error))}"
    if image is None:
        return None, "It cannot be shown: only pages of PDF files are drawn. The passage stands above as it was read."
    buffer = io.BytesIO()
    Image.open(io.BytesIO(image.png)).convert("RGB").save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue(), ""


def _without_path(assistant: Assistant, document_id: str, sentence: str) -> str:
    """The sentence with the file's name in place of its path: a pack is handed to others."""
    try:
        record = assistant.library.document(document_id)
    except UsageError:
        return sentence
    return sentence.replace(str(record.path), record.source)


def _models(settings: Settings) -> dict[str, str]:
    reranker = describe_reranker(settings)
    gate = model_for(reranker, settings.location.home)
    embedded = f"late interaction over {EmbeddingConfig().identity}"
    return {
        "embedder": _embedder(settings),
        "reranker": embedded if settings.profile == "embedded" else _model(settings.rerank_model, settings.profile),
        "judge of citations": embedded,
        "gate": f"{'' if gate.reranker == reranker else 'that of late interaction, '}fitted to {gate.fitted_on}",
        "language model": _model(settings.llm_name, settings.writer) if settings.writer else "none, answers quote",
    }


def _embedder(settings: Settings) -> str:
    if settings.embedding in ("embedded", "multilingual"):
        return settings.embedder.identity
    return _model(settings.embedding_model, settings.embedding)


def _model(name: str, runner: str) -> str:
    """A model by name and, where that is known, revision, and what runs it: "Qwen/Qwen3-Reranker-4B@f16f... (vllm)".

    Of a folder or file just its own name. What a server runs is known by name alone.
    """
    if Path(name).expanduser().exists():
        return f"{Path(name).name} ({runner})"
    if runner == "qwen3":
        from huggingface_hub import try_to_load_from_cache

        config = try_to_load_from_cache(name, "config.json")
        if isinstance(config, str):  # it lies in a folder named after the commit
            return f"{name}@{Path(config).parent.name} ({runner})"
    return f"{name} ({runner})"
