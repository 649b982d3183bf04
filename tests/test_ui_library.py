"""The library page without a browser, on a list of documents."""

from __future__ import annotations

from fake_assistant import AGREEMENT, MANUAL, FakeAssistant, record
from pages import labels, page, plain


def test_an_upload_tells_each_file_that_failed_and_why() -> None:
    app = page(FakeAssistant(), "library")

    files = [("a.pdf", b"%PDF", "application/pdf"), ("b.txt", b" ", "text/plain"), ("c.pdf", b"", "application/pdf")]
    app.file_uploader(key="files").set_value(files)
    app.button(key="add").click().run()

    assert [plain(notice.value) for notice in app.success] == ["1 added (24 pages read)."]
    assert [plain(notice.value) for notice in app.warning] == [
        "c.pdf: The file c.pdf is empty. Choose one with text in it.",
        "b.txt: There is no text in it.",
    ]


def test_a_document_is_removed_only_after_it_is_confirmed() -> None:
    assistant = FakeAssistant()
    app = page(assistant, "library")

    app.button(key=f"remove-{MANUAL.document_id}").click().run()
    assert assistant.documents() == [MANUAL, AGREEMENT]

    app.button(key="confirm-removal").click().run()
    assert assistant.documents() == [AGREEMENT]


def test_removing_what_has_gone_already_is_a_sentence() -> None:
    assistant = FakeAssistant()
    app = page(assistant, "library")
    app.button(key=f"remove-{MANUAL.document_id}").click().run()
    assistant.remove(MANUAL.document_id)

    app.button(key="confirm-removal").click().run()

    assert "no document" in app.warning[0].value


def test_a_long_list_of_documents_can_be_searched() -> None:
    assistant = FakeAssistant(records=[record(f"manual-{number}.pdf") for number in range(60)])
    app = page(assistant, "library")
    rows = [label for label in labels(app) if "manual" in label and "purpose" not in label]
    assert len(rows) == 50

    app.text_input[0].set_value("manual-59").run()

    assert len([label for label in labels(app) if "manual" in label and "purpose" not in label]) == 1
