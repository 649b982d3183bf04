"""The HTTP API, mounted at /api beside the chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fastapi import FastAPI
from pydantic import BaseModel

if TYPE_CHECKING:
    from rag_app.assistant import Assistant


class Health(BaseModel):
    """What /healthz answers: the collection that is served and how many documents it holds."""

    status: Literal["ok"] = "ok"
    collection: str
    documents: int


def create_api(assistant: Assistant) -> FastAPI:
    """The API over this assistant. Handlers are plain functions: FastAPI runs them in threads of their own."""
    api = FastAPI(title="rag-app", openapi_url=None)

    @api.get("/healthz")
    def healthz() -> Health:
        return Health(collection=assistant.collection, documents=len(assistant.documents()))

    return api
