"""The HTTP API, mounted at /api beside the chat. It answers what the command line prints with --json."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from ingest.errors import RagError, UsageError
from ingest.loaders.encoding import decode
from rag_app.answer import Finished
from rag_app.originals import PLAIN_TEXT
from rag_app.render import answer_as_dict, search_as_dict

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

# A file of the collection is what a stranger wrote: its type is what we say, and no other site may read it.
_UNTRUSTED = {"x-content-type-options": "nosniff", "cross-origin-resource-policy": "same-origin"}
_NO_SCRIPTS = {"content-security-policy": "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"}

MAX_TOP_K = 200
MAX_DOCUMENTS = 1000

# Characters beyond these are refused before anything is read; the assistant's own limits are lower and speak.
Text = Annotated[str, Field(max_length=20_000)]

Documents = Annotated[list[Text], Field(max_length=MAX_DOCUMENTS)]


class Health(BaseModel):
    """What /healthz answers where no model has failed to load: the collection, and how many documents it holds."""

    status: Literal["ok"] = "ok"
    collection: str
    documents: int


class Ask(BaseModel):
    """A question; `instruction` is a name or a text, by default the one that fits.

    `documents` are the ids or names of those that are read, by default all.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    question: Text
    instruction: Text | None = None
    documents: Documents = []


class Search(BaseModel):
    """A search without an answer, with the options of `rag-app search`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    query: Text
    strategy: Literal["bm25", "dense", "hybrid", "rerank"] = "rerank"
    top_k: int = Field(default=8, ge=1, le=MAX_TOP_K)
    instruction: Text | None = None
    documents: Documents = []


def create_api(assistant: Callable[[], Assistant]) -> FastAPI:
    """The API over the assistant that this gives.

    Handlers are plain functions: FastAPI runs them in threads of their own.
    """
    api = FastAPI(title="rag-app", openapi_url=None)

    @api.exception_handler(RagError)
    def say(request: Request, error: RagError) -> JSONResponse:
        """What the request got wrong is 400; what this installation cannot do now is 503."""
        return JSONResponse({"detail": str(error)}, status_code=400 if isinstance(error, UsageError) else 503)

    @api.get("/healthz")
    def healthz() -> Health:
        served = assistant()
        served.models.check()
        return Health(collection=served.collection, documents=served.library.document_count)

    @api.post("/ask")
    def ask(body: Ask) -> dict[str, Any]:
        events = assistant().ask(body.question, instruction=body.instruction, documents=body.documents)
        return next(answer_as_dict(event.answer) for event in events if isinstance(event, Finished))

    @api.post("/search")
    def search(body: Search) -> dict[str, Any]:
        return search_as_dict(
            assistant().search(
                body.query,
                strategy=body.strategy,
                top_k=body.top_k,
                instruction=body.instruction,
                documents=body.documents,
            )
        )

    @api.get("/documents/{document_id}/original")
    def original(document_id: str, collection: str = "") -> Response:
        """The file itself. A browser opens PDF, pictures and plain text, and saves everything else; nothing runs."""
        found = assistant().library.original(document_id, collection)
        if found.media_type == PLAIN_TEXT:
            return PlainTextResponse(decode(found.path.read_bytes()), headers=_UNTRUSTED | _NO_SCRIPTS)
        return FileResponse(
            found.path,
            media_type=found.media_type,
            filename=found.name,
            content_disposition_type="inline" if found.shown else "attachment",
            # Browsers show PDF with a program of their own, and not at all within a sandbox.
            headers=_UNTRUSTED if found.media_type == "application/pdf" else _UNTRUSTED | _NO_SCRIPTS,
        )

    return api
