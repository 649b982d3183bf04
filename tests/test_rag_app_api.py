from __future__ import annotations

from fake_assistant import FakeAssistant
from fastapi.testclient import TestClient

from rag_app.api import create_api


def test_health_names_the_collection_and_counts_its_documents() -> None:
    response = TestClient(create_api(FakeAssistant(collection="contracts"))).get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"status": "ok", "collection": "contracts", "documents": 2}
