"""The library page without a browser, over a real collection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fake_assistant import HOSTILE
from pages import html, labels, page, plain, read_whole
from pypdf import PdfWriter
from pypdf.constants import PageLabelStyle
from records import document
from reportlab.pdfgen.canvas import Canvas
from streamlit.testing.v1 import AppTest

from ingest.document import Ocr
from ingest.records import FileRecord, PageRecord
from ingest.report import DocumentReport
from rag_app.assistant import Assistant, build_assistant
from rag_app.jobs import Job
from rag_app.settings import load_settings
from ui import uploading
from ui.document import facts

MANUAL = "# Press HP-40\n\n## 1 Torques\n\nTighten the head bolts to 45 Nm.\n\n## 2 Oil\n\nChange the oil every year.\n"


@pytest.fixture
def assistant(tmp_path: Path) -> Iterator[Assistant]:
    """Over one manual and one note."""
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "press.md").write_text(MANUAL)
    (folder / "note.txt").write_text("The gate is locked at night.")
    opened = build_assistant(load_settings(home=tmp_path / "home"), create=True)
    opened.library.ingest([folder])
    yield opened
    opened.close()


def library(assistant: Assistant) -> AppTest:
    app = page(assistant, "library")
    assert not app.exception
    return app


def document_id(assistant: Assistant, source: str) -> str:
    return assistant.library.document(source).document_id


def rows(app: AppTest) -> list[str]:
    """The titles in the list."""
    return [plain(button.label).split("  \n")[0] for button in app.button if (button.key or "").startswith("open-")]


def opened(assistant: Assistant, source: str) -> AppTest:
    return library(assistant).button(key=f"open-{document_id(assistant, source)}").click().run()


def put(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    (box,) = [box for box in app.file_uploader if (box.key or "").startswith("files-")]
    return box.set_value([(name, content, "") for name, content in files]).run()


def shown(elements: Any) -> list[str]:
    return [plain(element.value) for element in elements]


def test_an_upload_is_read_beside_and_tells_each_file_that_failed_and_why(assistant: Assistant) -> None:
    app = put(library(assistant), ("manual.txt", b"The pump is blue."), ("empty.pdf", b""), ("a.exe", b"MZ"))
    assert "a.exe was not added: files of this type cannot be read" in shown(app.warning)[0]
    read_whole(assistant)
    app.run()

    assert "**2 of 2 files read · 1 failed**" in shown(app.markdown)
    assert "<b>manual.txt</b> <span>added</span>" in html(app)
    assert "<b>empty.pdf</b> <span>failed</span><div>The file is empty.</div>" in html(app)
    assert "1 file could not be read" in [box.label for box in app.expander]
    assert "manual" in rows(app)
    assert not app.exception


def test_a_failed_file_can_be_tried_again_and_be_forgotten(assistant: Assistant) -> None:
    put(library(assistant), ("manual.txt", b""))
    read_whole(assistant)
    (failed,) = assistant.library.catalog.failed_files()
    failed.path.write_bytes(b"The pump is blue.")
    app = library(assistant)
    app.button(key=f"retry-{failed.path}").click().run()
    read_whole(assistant)
    assert "manual" in rows(app.run())

    put(app, ("other.txt", b""))
    read_whole(assistant)
    (failed,) = assistant.library.catalog.failed_files()
    app.run().button(key=f"forget-{failed.path}").click().run()
    assert not failed.path.exists()
    assert not [box for box in app.expander if "could not be read" in box.label]


def test_too_many_files_are_refused_as_a_whole(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "MOST_FILES", 1)

    app = put(library(assistant), ("a.txt", b"One."), ("b.txt", b"Two."))

    assert "2 files with 0 MB are too many" in shown(app.warning)[0]
    assert assistant.library.jobs.all() == []


def test_two_files_of_one_name_in_an_upload_do_not_replace_each_other(assistant: Assistant) -> None:
    app = put(library(assistant), ("a_b.txt", b"One."), ("a?b.txt", b"Two."), (" .txt", b"Three."))
    read_whole(assistant)

    assert ["another file of this name" in shown(app.warning)[0], " .txt" in shown(app.warning)[1]] == [True, True]
    assert assistant.library.document("a_b.txt").path.read_bytes() == b"One."


def test_a_deleted_document_can_be_restored_and_is_not_found_meanwhile(assistant: Assistant) -> None:
    app = library(assistant)
    removed = document_id(assistant, "press.md")
    app.button(key=f"remove-{removed}").click().run()

    assert rows(app) == ["note"]
    assert "Press HP-40 (press.md) is deleted: nothing is answered from it." in " ".join(shown(app.markdown)).replace(
        "**", ""
    )
    assert {hit.node.metadata["source"] for hit in assistant.search("head bolts").hits} <= {"note.txt"}

    app.button(key=f"undo-{removed}").click().run()
    assert rows(app) == ["note", "Press HP-40"]


def test_restoring_what_has_gone_for_good_is_a_sentence(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    app = library(assistant)
    removed = document_id(assistant, "press.md")
    app.button(key=f"remove-{removed}").click().run()
    with monkeypatch.context() as patch:
        patch.setattr("ingest.collection.UNDO", timedelta(0))
        assistant.library._sweep()

    app.button(key=f"undo-{removed}").click().run()

    assert "removed for good" in shown(app.warning)[0]


def test_a_long_list_is_shown_in_pages_and_can_be_searched_sorted_and_filtered(assistant: Assistant) -> None:
    for number in range(60):
        record = document(f"d{number}", f"/docs/manual-{number:02}.pdf", title=f"Manual {number:02}", pages=number + 1)
        assistant.library.catalog.make_live(record)
    assistant.library.catalog.tag("d7", "plant 2")
    app = library(assistant)
    assert app.subheader[0].value == "Documents · 62"
    assert (len(rows(app)), rows(app)[0]) == (25, "Manual 00")
    assert "1–25 of 62" in shown(app.markdown)

    app.button(key="next-rows").click().run().button(key="next-rows").click().run()
    assert "51–62 of 62" in shown(app.markdown)
    assert app.button(key="next-rows").disabled

    app.selectbox(key="list-order").select("pages").run()
    assert rows(app)[0] == "Manual 59"
    app.text_input(key="list-words").set_value("manual 5").run()
    assert len(rows(app)) == 15
    app.text_input(key="list-words").set_value("").run()
    app.multiselect(key="list-tags").set_value(["plant 2"]).run()
    assert rows(app) == ["Manual 07"]
    assert not app.exception


def test_a_search_within_a_document_opens_the_place(assistant: Assistant) -> None:
    app = opened(assistant, "press.md")
    app.text_input(key=f"within-{document_id(assistant, 'press.md')}").set_value("head bolts torque")
    app.button(key="find-within").click().run()
    first = next(button for button in app.button if button.key == "found-1")
    assert "45 Nm" in plain(first.label)

    first.click().run()

    assert "45 Nm" in html(app)
    app.button(key="back").click().run()
    assert rows(app) == ["note", "Press HP-40"]


def test_a_search_within_a_document_names_pages_as_they_are_printed(assistant: Assistant, tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "plain.pdf"), pagesize=(300, 400))
    for line in ("Preface of the manual.", "Grease the hinges in May."):
        canvas.drawString(40, 300, line)
        canvas.showPage()
    canvas.save()
    writer = PdfWriter(clone_from=str(tmp_path / "plain.pdf"))
    writer.set_page_label(0, 1, style=PageLabelStyle.LOWERCASE_ROMAN)
    writer.write(tmp_path / "printed.pdf")
    assistant.library.ingest([tmp_path / "printed.pdf"])

    app = opened(assistant, "printed.pdf")
    app.text_input(key=f"within-{document_id(assistant, 'printed.pdf')}").set_value("hinges")
    app.button(key="find-within").click().run()
    found = next(button for button in app.button if button.key == "found-1")
    assert plain(found.label).startswith("**p. ii**")

    found.click().run()
    assert "Page ii (2 of 2)" in [element.value for element in app.markdown]
    app.button(key="previous-page").click().run()
    assert "Page i (1 of 2)" in [element.value for element in app.markdown]


def test_tags_are_added_taken_off_and_refused_when_they_are_none(assistant: Assistant) -> None:
    wanted = document_id(assistant, "note.txt")
    app = opened(assistant, "note.txt")
    app.multiselect(key=f"tags-{wanted}").set_value(["gate", "night"]).run()
    assert assistant.library.catalog.tags() == {"gate": 1, "night": 1}

    app.multiselect(key=f"tags-{wanted}").set_value(["night"]).run()
    assert assistant.library.catalog.tags() == {"night": 1}

    app.multiselect(key=f"tags-{wanted}").set_value(["night", "x" * 50]).run()
    assert "1 to 40 characters" in app.error[0].value
    assert assistant.library.catalog.tags() == {"night": 1}
    assert not app.exception


def test_pages_by_ocr_unread_pages_and_revisions_are_told(assistant: Assistant) -> None:
    pages = [
        PageRecord(1, "", 80, Ocr(0.97, "The page has no text layer."), ""),
        PageRecord(2, "", 70, Ocr(0.61, "The page has no text layer."), ""),
        PageRecord(3, "", 0, None, "The page cannot be read."),
    ]
    assistant.library.catalog.make_live(document("d1", "/docs/scan.pdf", title="Scan", pages=3), pages)
    assistant.library.catalog.make_live(document("d2", "/docs/scan-2.pdf", title="Newer scan", pages=3))
    assistant.library.catalog.set_revisions({"d2": "d1"})
    app = opened(assistant, "scan.pdf")

    assert {"2 of 3 pages were recognised in images", "1 page could not be read whole"} <= {
        box.label for box in app.expander
    }
    assert {"p. 1 · 97 %", ":orange[p. 2 · 61 %]", "“Newer scan” (scan-2.pdf), added later, is nearly the same"} <= set(
        map(plain, labels(app))
    )
    app.button(key="ocr-2").click().run()
    assert "The file /docs/scan.pdf is not there any more" in shown(app.error)[0]
    app.button(key="revision-d2").click().run()
    assert app.subheader[0].value == "Newer scan"


def test_hostile_names_titles_and_tags_are_shown_as_text(assistant: Assistant) -> None:
    record = document("d1", "/docs/<script>.pdf", title=HOSTILE)
    assistant.library.catalog.make_live(record)
    assistant.library.catalog.tag("d1", "<b>x</b>")
    failed = FileRecord(Path("/docs/<i>.pdf"), "<i>.pdf", 1, 1, problem=HOSTILE)
    assistant.library.catalog.put_files([failed])
    app = library(assistant)

    for text in [*labels(app), *(element.value for element in app.markdown)]:
        assert "<script" not in text.replace("\\<script", "")
        assert "![" not in text.replace("\\!\\[", "")
    job = Job(Path("/docs/<i>"), "<i>", "failed", report=DocumentReport("<i>", "failed"), reason="<b>no</b>")
    assert "<b>no" not in uploading.jobs_html([job])
    assert "&lt;b&gt;no" in uploading.jobs_html([job])


def test_facts_of_a_document_are_a_line() -> None:
    assert plain(facts(document("d1", "/docs/press.pdf"))) == "press.pdf · 12 pages · 2025-05-01"


def test_kind_and_default_instruction_of_a_collection_are_kept(assistant: Assistant) -> None:
    app = library(assistant)
    app.selectbox(key="kind").select("contract").run()
    app.selectbox(key="default-instruction").select("deadline").run()
    app.button(key="save-collection").click().run()
    assert (assistant.library.kind, assistant.library.catalog.instruction()) == ("contract", "deadline")

    app.selectbox(key="default-instruction").select("own words").run()
    app.text_area(key="own-default-instruction").set_value("nonsense").run()
    app.button(key="save-collection").click().run()
    assert "There is no instruction" in app.error[0].value
    assert assistant.library.catalog.instruction() == "deadline"


def test_a_collection_is_made_and_deleted_after_its_name_was_typed(assistant: Assistant) -> None:
    app = library(assistant)
    app.text_input(key="new-name").set_value("contracts").run()
    app.button(key="create-collection").click().run()
    assert app.title[0].value == "Add your first documents"
    assert assistant.home.collections() == ["contracts", "default"]

    app.text_input(key="typed-name").set_value("contract").run()
    assert app.button(key="delete-collection").disabled
    app.text_input(key="typed-name").set_value("contracts").run()
    app.button(key="delete-collection").click().run()

    assert assistant.home.collections() == ["default"]
    assert rows(app) == ["note", "Press HP-40"]
    assert not app.exception


def test_a_collection_that_another_visitor_has_deleted_is_left(assistant: Assistant) -> None:
    assistant.home.create_collection("contracts", "contract")
    app = library(assistant)
    app.sidebar.selectbox[0].set_value("contracts").run()
    assistant.home.delete_collection("contracts")

    app.run()

    assert rows(app) == ["note", "Press HP-40"]
    assert not app.exception
