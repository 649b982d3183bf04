"""The files themselves, as the API hands them out: only what the catalog knows, and nothing that runs."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document
from fastapi.testclient import TestClient
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from rag_app.api import create_api
from rag_app.assistant import Assistant, build_assistant
from rag_app.settings import load_settings

SENTENCE = "The warranty of the pump lasts thirty months from delivery."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    canvas = Canvas(str(folder / "press.pdf"), pagesize=(300, 400))
    canvas.drawString(40, 300, SENTENCE)
    canvas.save()
    (folder / "page.html").write_text(f"<html><body><script>alert(1)</script><p>{SENTENCE}</p></body></html>")
    (folder / "note.txt").write_text(f"<script>alert(2)</script> {SENTENCE} Größe", encoding="cp1252")
    (folder / "text.pdf").write_text(f"Called PDF. {SENTENCE}")
    (folder / "web.pdf").write_text(f"<html><body><p>A page. {SENTENCE}</p></body></html>")
    for name in ("word.pdf", "word.txt"):
        written = Document()
        written.add_paragraph(f"{name}: {SENTENCE}")
        written.save(str(folder / name))
    canvas = Canvas(str(folder / "PRESS.PDF"), pagesize=(300, 400))
    canvas.drawString(40, 300, "In capitals.")
    canvas.save()
    (folder / "secret.txt").write_text("Nobody has ingested this.")
    return folder


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Assistant]:
    opened = build_assistant(load_settings(home=tmp_path_factory.mktemp("home")), create=True)
    opened.library.ingest([path for path in folder.iterdir() if path.name != "secret.txt"])
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def client(assistant: Assistant) -> TestClient:
    return TestClient(create_api(lambda: assistant))


def get(client: TestClient, assistant: Assistant, name: str) -> object:
    return client.get(f"/documents/{assistant.library.document(name).document_id}/original")


def test_a_pdf_opens_in_the_browser_as_it_is(client: TestClient, assistant: Assistant, folder: Path) -> None:
    response = get(client, assistant, "press.pdf")

    assert response.content == (folder / "press.pdf").read_bytes()
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["content-disposition"] == 'inline; filename="press.pdf"'
    assert response.headers["x-content-type-options"] == "nosniff"


def test_a_web_page_is_saved_and_never_run(client: TestClient, assistant: Assistant) -> None:
    response = get(client, assistant, "page.html")

    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"].startswith("attachment")
    assert response.headers["content-security-policy"].startswith("sandbox;")
    assert response.headers["x-content-type-options"] == "nosniff"


def test_a_text_that_is_called_pdf_is_shown_as_the_text_that_it_is(client: TestClient, assistant: Assistant) -> None:
    response = get(client, assistant, "text.pdf")

    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.text == f"Called PDF. {SENTENCE}"
    document_id = assistant.library.document("text.pdf").document_id
    assert assistant.library.page_image(document_id, 1) is None


@pytest.mark.parametrize(
    ("name", "saved"),
    [("web.pdf", "web.pdf.html"), ("word.pdf", "word.pdf.docx"), ("word.txt", "word.txt.docx"), ("PRESS.PDF", "")],
)
def test_a_file_is_saved_under_a_name_that_says_what_it_is(
    client: TestClient, assistant: Assistant, name: str, saved: str
) -> None:
    response = get(client, assistant, name)

    assert response.headers["content-disposition"].endswith(f'filename="{saved or name}"')


def test_plain_text_is_shown_as_text_whatever_its_encoding(client: TestClient, assistant: Assistant) -> None:
    response = get(client, assistant, "note.txt")

    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["content-security-policy"].startswith("sandbox;")
    assert response.text.endswith("Größe")


@pytest.mark.parametrize(
    "path",
    [
        "/documents/nobody/original",
        "/documents/..%2F..%2Fsecret.txt/original",
        "/documents/secret.txt/original",
        "/documents/press.pdf/original",
        "/documents/nobody/original?collection=..%2F..",
        "/documents/nobody/original?collection=contracts",
    ],
)
def test_only_ids_of_the_catalog_lead_to_a_file(client: TestClient, path: str) -> None:
    response = client.get(path)

    assert response.status_code in (400, 404)
    assert "ingested this" not in response.text


def test_a_file_that_changed_since_it_was_read_is_not_handed_out(tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text(SENTENCE)
    opened = build_assistant(load_settings(home=tmp_path / "home"), create=True)
    try:
        opened.library.ingest([note])
        address = f"/documents/{opened.library.documents()[0].document_id}/original"
        client = TestClient(create_api(lambda: opened))
        assert client.get(address).text == SENTENCE

        note.write_text("Something else altogether.")
        changed = client.get(address)
        note.unlink()
        gone = client.get(address)
    finally:
        opened.close()

    assert (changed.status_code, gone.status_code) == (503, 503)
    assert "has changed since it was read" in changed.json()["detail"]
    assert "is not there any more" in gone.json()["detail"]


def test_a_document_of_another_collection_is_found_there(assistant: Assistant, tmp_path: Path) -> None:
    note = tmp_path / "clause.txt"
    note.write_text("The buyer pays within thirty days.")
    other = build_assistant(assistant.settings.model_copy(update={"collection": "contracts"}), create=True)
    try:
        other.library.ingest([note])
        document_id = other.library.documents()[0].document_id
    finally:
        other.close()

    assert assistant.library.original(document_id, "contracts").path == note
    with pytest.raises(Exception, match="removed from the collection"):
        assistant.library.original(document_id)


def test_an_enlarged_page_has_as_many_more_pixels(assistant: Assistant) -> None:
    document_id = assistant.library.document("press.pdf").document_id
    sizes = []
    for zoom in (1.0, 2.0):
        image = assistant.library.page_image(document_id, 1, zoom=zoom)
        assert image is not None
        with Image.open(BytesIO(image.png)) as picture:
            sizes.append(picture.width)

    assert sizes == [1000, 2000]
