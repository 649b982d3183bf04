"""Files and folders brought into a collection, again and again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from pdf_pages import PROSE, lines, write

from ingest.collection import Collection
from ingest.config import ChunkingConfig, EmbeddingConfig, ReadingConfig, StoreConfig
from ingest.embedding import MiniLmEncoder
from ingest.engines.local import LocalEngine
from ingest.errors import RagError, UsageError
from ingest.pipeline import Ingester, Progress
from ingest.repair import find_damage
from ingest.report import IngestReport
from ingest.scanning import find_files

CHUNKING = ChunkingConfig()


@pytest.fixture
def ingester(home: StoreConfig, encoder: MiniLmEncoder) -> Iterator[Ingester]:
    with Collection.create(home, EmbeddingConfig(), CHUNKING) as collection:
        yield Ingester(collection, LocalEngine(encoder, CHUNKING))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    (folder / "press").mkdir(parents=True)
    (folder / "contract.txt").write_text("4.1 The Seller shall deliver in May.\n", encoding="utf-8")
    (folder / "press" / "manual.md").write_text("# Press HP-40\n\nDrain the oil.\n", encoding="utf-8")
    return folder


def counts(report: IngestReport) -> tuple[int, int, int, int, int]:
    """Added, updated, unchanged, deleted, failed."""
    return report.added, report.updated, report.unchanged, report.deleted, len(report.failed)


def passages(ingester: Ingester) -> list[str]:
    collection = ingester.collection
    assert not find_damage(collection)
    return sorted(
        node.get_content()
        for record in collection.catalog.documents()
        for node in collection.vectors.get_version(record.version)
    )


def test_a_folder_is_added_whole(ingester: Ingester, folder: Path) -> None:
    report = ingester.sync([folder])

    assert counts(report) == (2, 0, 0, 0, 0)
    assert (report.pages, report.chunks, report.skipped) == (2, 2, [])
    assert report.seconds > 0
    assert [record.source for record in ingester.collection.catalog.documents()] == ["contract.txt", "press/manual.md"]
    assert passages(ingester) == ["4.1 The Seller shall deliver in May.", "Drain the oil."]


def test_a_document_is_stored_as_it_was_read(ingester: Ingester, folder: Path, encoder: MiniLmEncoder) -> None:
    ingester.sync([folder / "press"])

    (record,) = ingester.collection.catalog.documents()
    (node,) = ingester.collection.vectors.get_version(record.version)
    assert (record.title, record.pages, record.chunks) == ("Press HP-40", 1, 1)
    assert record.path == (folder / "press" / "manual.md").resolve()
    assert node.metadata["document_id"] == record.document_id
    assert (node.metadata["source"], node.metadata["section"]) == ("manual.md", "Press HP-40")
    question = ingester.collection.vectors.nearest(encoder.encode_documents(["draining oil"])[0].tolist(), 1)
    assert question[0].node.node_id == node.node_id


def test_a_second_run_changes_nothing(ingester: Ingester, folder: Path) -> None:
    ingester.sync([folder])
    before = ingester.collection.catalog.documents()

    report = ingester.sync([folder])

    assert counts(report) == (0, 0, 2, 0, 0)
    assert (report.pages, report.chunks) == (0, 0)
    assert ingester.collection.catalog.documents() == before


def test_a_touched_file_with_the_same_content_is_not_read_again(ingester: Ingester, folder: Path) -> None:
    ingester.sync([folder])
    before = ingester.collection.catalog.documents()
    os.utime(folder / "contract.txt", ns=(1, 1))

    assert counts(ingester.sync([folder])) == (0, 0, 2, 0, 0)

    after = ingester.collection.catalog.documents()
    assert [record.ingested_at for record in after] == [record.ingested_at for record in before]
    assert after[0].file.modified_ns == 1


def test_a_changed_file_replaces_its_passages(ingester: Ingester, folder: Path) -> None:
    ingester.sync([folder])
    (folder / "contract.txt").write_text("4.1 The Seller shall deliver in June.\n", encoding="utf-8")

    assert counts(ingester.sync([folder])) == (0, 1, 1, 0, 0)

    assert passages(ingester) == ["4.1 The Seller shall deliver in June.", "Drain the oil."]


def test_a_document_whose_file_is_gone_stays_until_pruned(ingester: Ingester, folder: Path) -> None:
    ingester.sync([folder])
    (folder / "contract.txt").unlink()

    assert counts(ingester.sync([folder])) == (0, 0, 1, 0, 0)
    assert len(passages(ingester)) == 2
    assert counts(ingester.sync([folder], prune=True)) == (0, 0, 1, 1, 0)
    assert passages(ingester) == ["Drain the oil."]


def test_pruning_looks_only_below_the_paths_given(ingester: Ingester, folder: Path) -> None:
    ingester.sync([folder])
    (folder / "contract.txt").unlink()

    assert counts(ingester.sync([folder / "press"], prune=True)) == (0, 0, 1, 0, 0)


def test_a_folder_that_is_gone_can_be_pruned_but_not_read(ingester: Ingester, folder: Path) -> None:
    ingester.sync([folder])
    shutil.rmtree(folder)

    with pytest.raises(UsageError, match="There is no file or folder"):
        ingester.sync([folder])
    assert counts(ingester.sync([folder], prune=True)) == (0, 0, 0, 2, 0)
    assert passages(ingester) == []


def test_a_bad_file_is_reported_and_the_rest_goes_on(ingester: Ingester, folder: Path) -> None:
    (folder / "a-broken.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    (folder / "empty.txt").touch()

    report = ingester.sync([folder])

    assert counts(report) == (2, 0, 0, 0, 2)
    assert [(Path(failure.path).name, failure.reason) for failure in report.failed] == [
        ("a-broken.pdf", "The PDF is damaged and could not be repaired. Save it anew with a PDF program."),
        ("empty.txt", "The file is empty."),
    ]


def test_a_document_stays_when_its_file_becomes_unreadable(ingester: Ingester, folder: Path) -> None:
    ingester.sync([folder])
    (folder / "contract.txt").write_bytes(b"\0" * 100)

    assert counts(ingester.sync([folder])) == (0, 0, 1, 0, 1)

    assert "4.1 The Seller shall deliver in May." in passages(ingester)


def test_a_file_that_vanishes_before_it_is_read_is_reported(ingester: Ingester, folder: Path) -> None:
    def remove_last(progress: Progress) -> None:
        (folder / "press" / "manual.md").unlink(missing_ok=True)

    report = ingester.sync([folder], on_progress=remove_last)

    assert counts(report) == (1, 0, 0, 0, 1)
    assert report.failed[0].reason == "The file cannot be read: No such file or directory."


def test_a_file_of_another_type_is_skipped_in_a_folder_and_reported_by_name(ingester: Ingester, folder: Path) -> None:
    drawing = folder / "drawing.dwg"
    drawing.write_bytes(b"AC1032\0\0\0\1")

    assert ingester.sync([folder]).skipped == [str(drawing)]
    (failure,) = ingester.sync([drawing]).failed
    assert "'.dwg' cannot be read" in failure.reason


def test_hidden_files_and_office_locks_are_not_looked_at(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "notes.txt").write_text("hidden", encoding="utf-8")
    (folder / ".hidden.txt").write_text("hidden", encoding="utf-8")
    (folder / "~$contract.docx").write_text("lock", encoding="utf-8")

    scan = find_files([folder])

    assert [file.source for file in scan.files] == ["contract.txt", "press/manual.md"]
    assert scan.skipped == ()


def test_a_file_named_twice_is_read_once(folder: Path) -> None:
    scan = find_files([folder, folder / "contract.txt", folder / "press" / ".." / "contract.txt"])

    assert len(scan.files) == 2


def test_a_folder_without_documents_is_an_error(ingester: Ingester, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()

    with pytest.raises(RagError, match=r"Nothing to ingest in .*empty\. Expected files"):
        ingester.sync([empty])
    (empty / "drawing.dwg").touch()
    with pytest.raises(RagError, match="1 files of other types"):
        ingester.sync([empty])


def test_a_folder_that_cannot_be_listed_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("press"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)

    with pytest.raises(RagError, match=r"press cannot be read: Permission denied"):
        find_files([folder])


def test_links_to_nowhere_and_pipes_are_left_out(ingester: Ingester, folder: Path) -> None:
    """Opening a pipe would wait for a writer forever."""
    (folder / "link.txt").symlink_to(folder / "gone.txt")
    os.mkfifo(folder / "pipe.txt")

    report = ingester.sync([folder])

    assert counts(report) == (2, 0, 0, 0, 0)
    assert report.skipped == [str(folder / "link.txt"), str(folder / "pipe.txt")]


def test_progress_runs_from_nothing_to_all(ingester: Ingester, folder: Path) -> None:
    seen: list[Progress] = []

    ingester.sync([folder], on_progress=seen.append)

    assert [(step.files_done, step.files_total) for step in seen] == [(0, 2), (1, 2), (2, 2)]
    assert seen[0].current == ""
    assert {step.current for step in seen[1:]} == {"contract.txt", "press/manual.md"}
    fractions = [step.fraction for step in seen]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)


def test_what_a_crash_left_is_swept_by_the_next_run(ingester: Ingester, folder: Path) -> None:
    ingester.collection.catalog.begin(["d1-dead"])

    ingester.sync([folder])

    assert not find_damage(ingester.collection)


# Failures and what is tried again


def test_a_file_that_failed_is_reported_again_and_not_read_again_until_it_changes(
    ingester: Ingester, folder: Path
) -> None:
    broken = folder / "broken.txt"
    broken.write_bytes(b"\0" * 100)
    first = ingester.sync([folder])

    second = ingester.sync([folder])

    assert second.failed == first.failed
    assert next(entry for entry in first.documents if entry.outcome == "failed").seconds > 0
    assert next(entry for entry in second.documents if entry.outcome == "failed").seconds == 0  # not read
    assert counts(second) == (0, 0, 2, 0, 1)
    broken.write_text("It is mended.", encoding="utf-8")
    assert counts(ingester.sync([folder])) == (1, 0, 2, 0, 0)


def test_what_failed_is_tried_again_when_that_is_wanted(ingester: Ingester, folder: Path) -> None:
    (folder / "broken.txt").write_bytes(b"\0" * 100)
    ingester.sync([folder])

    report = ingester.sync([folder], retry_failed=True)

    assert counts(report) == (0, 0, 2, 0, 1)
    assert next(entry for entry in report.documents if entry.outcome == "failed").seconds > 0


def test_a_locked_file_is_tried_whenever_it_is_met(home: StoreConfig, encoder: MiniLmEncoder, tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", lines(PROSE), encrypt="secret")
    with Collection.create(home, EmbeddingConfig(), CHUNKING) as collection:
        (failure,) = Ingester(collection, LocalEngine(encoder, CHUNKING)).sync([path]).failed
        assert "--password" in failure.reason

        engine = LocalEngine(encoder, CHUNKING, ReadingConfig(passwords=("secret",)))
        assert counts(Ingester(collection, engine).sync([path])) == (1, 0, 0, 0, 0)


# The same content under several names


def test_identical_files_are_one_document_known_under_both_names(ingester: Ingester, folder: Path) -> None:
    shutil.copy(folder / "contract.txt", folder / "press" / "copy.txt")

    report = ingester.sync([folder])

    assert (counts(report), report.duplicates) == ((2, 0, 0, 0, 0), 1)
    contract, manual = ingester.collection.catalog.documents()
    assert [file.source for file in contract.files] == ["contract.txt", "press/copy.txt"]
    assert manual.source == "press/manual.md"
    assert len(passages(ingester)) == 2
    assert counts(ingester.sync([folder])) == (0, 0, 3, 0, 0)


def test_a_copy_that_comes_later_is_not_read(ingester: Ingester, folder: Path) -> None:
    ingester.sync([folder])
    shutil.copy(folder / "contract.txt", folder / "zz.txt")

    report = ingester.sync([folder])

    assert (report.duplicates, report.chunks) == (1, 0)
    (note,) = next(entry.notes for entry in report.documents if entry.outcome == "duplicate")
    assert note == f"The same content as {folder / 'contract.txt'}."


def test_a_document_stays_when_one_of_its_files_goes_or_changes(ingester: Ingester, folder: Path) -> None:
    for name in ("x.txt", "y.txt"):
        shutil.copy(folder / "contract.txt", folder / name)
    ingester.sync([folder])
    (folder / "x.txt").unlink()
    (folder / "y.txt").write_text("4.1 The Seller shall deliver in June.\n", encoding="utf-8")

    report = ingester.sync([folder], prune=True)

    assert counts(report) == (0, 1, 2, 1, 0)
    assert passages(ingester) == [
        "4.1 The Seller shall deliver in June.",
        "4.1 The Seller shall deliver in May.",
        "Drain the oil.",
    ]


def test_a_file_that_was_moved_is_not_read_again(ingester: Ingester, folder: Path) -> None:
    ingester.sync([folder])
    shutil.move(folder / "press" / "manual.md", folder / "manual.md")

    report = ingester.sync([folder])

    assert (counts(report), report.chunks) == ((0, 0, 2, 0, 0), 0)
    assert [record.source for record in ingester.collection.catalog.documents()] == ["contract.txt", "manual.md"]
    (note,) = next(entry.notes for entry in report.documents if entry.notes)
    assert note.startswith("Moved from ")
    assert note.endswith("press/manual.md.")


def test_a_title_that_is_the_name_of_the_file_follows_it(ingester: Ingester, folder: Path) -> None:
    """Title and text are embedded together: after any history the index is that of a clean ingest."""
    ingester.sync([folder])
    before = ingester.collection.catalog.documents()[0]
    shutil.move(folder / "contract.txt", folder / "supply-agreement.txt")

    ingester.sync([folder])

    _, after = ingester.collection.catalog.documents()
    assert (before.title, after.title) == ("contract", "supply-agreement")
    assert after.document_id == before.document_id
    assert len(passages(ingester)) == 2


def test_an_ingest_that_is_told_to_stop_keeps_what_it_has_and_goes_on_later(ingester: Ingester, folder: Path) -> None:
    for number in range(100):
        (folder / f"{number:03}.txt").write_text(f"Clause {number} is new.", encoding="utf-8")
    done: list[int] = []

    report = ingester.sync(
        [folder], on_progress=lambda progress: done.append(progress.files_done), stop=lambda: done[-1] >= 5
    )

    assert report.stopped
    assert 5 <= report.added < 102
    assert not find_damage(ingester.collection)
    rest = ingester.sync([folder])
    assert not rest.stopped
    assert report.added + rest.added == 102
    assert rest.unchanged == report.added


def test_names_that_are_no_text_are_refused_by_name(ingester: Ingester, folder: Path) -> None:
    odd = os.fsencode(folder) + b"/caf\xe9.txt"
    with open(odd, "wb") as file:
        file.write(b"Coffee.")

    report = ingester.sync([folder])

    assert counts(report) == (2, 0, 0, 0, 1)
    assert report.failed[0].reason.endswith("not valid UTF-8. Rename it.")


# Files inside files


def mail(subject: str, text: str, attachments: dict[str, bytes] | None = None) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", subject
    message["Date"] = "Mon, 02 Mar 2026 10:00:00 +0000"
    message.set_content(text)
    for name, content in (attachments or {}).items():
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message


def test_attachments_are_documents_of_their_own_and_go_with_their_mail(
    ingester: Ingester, folder: Path, tmp_path: Path
) -> None:
    inner = mail("The offer", "See the price list.", {"prices.txt": b"A pump costs 40 Euro."})
    path = folder / "offer.eml"
    path.write_bytes(
        mail("Forwarded", "Read this.", {"note.txt": b"Ten pumps.", "inner.eml": inner.as_bytes()}).as_bytes()
    )

    report = ingester.sync([folder])

    assert counts(report) == (6, 0, 0, 0, 0)
    sources = [record.source for record in ingester.collection.catalog.documents()]
    assert sources[1:5] == [
        "offer.eml",
        "offer.eml > inner.eml",
        "offer.eml > inner.eml > prices.txt",
        "offer.eml > note.txt",
    ]
    assert {"A pump costs 40 Euro.", "Ten pumps."} <= set(passages(ingester))
    assert counts(ingester.sync([folder])) == (0, 0, 3, 0, 0)

    path.unlink()
    ingester.sync([folder], prune=True)
    assert passages(ingester) == ["4.1 The Seller shall deliver in May.", "Drain the oil."]
    assert not any(ingester.collection.config.attachments.rglob("*.txt"))


def test_attachments_that_a_crash_left_unread_are_read_by_the_next_run(
    ingester: Ingester, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "offer.eml").write_bytes(mail("Offer", "Read this.", {"note.txt": b"Ten pumps."}).as_bytes())

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ingest.pipeline._Run.read_attachments", cut)
        with pytest.raises(KeyboardInterrupt):
            ingester.sync([folder])
    assert "Ten pumps." not in passages(ingester)

    assert counts(ingester.sync([folder])) == (1, 0, 3, 0, 0)
    assert "Ten pumps." in passages(ingester)


def test_a_bad_attachment_is_reported_by_the_file_that_it_came_in(ingester: Ingester, folder: Path) -> None:
    (folder / "offer.eml").write_bytes(mail("Offer", "Read this.", {"drawing.txt": bytes(500)}).as_bytes())

    (failure,) = ingester.sync([folder]).failed

    assert failure.path == "offer.eml > drawing.txt"
    assert [record.source for record in ingester.collection.catalog.documents()][1] == "offer.eml"


def test_mails_within_mails_are_read_to_a_depth(ingester: Ingester, folder: Path) -> None:
    message = mail("0", "The innermost mail.")
    for depth in range(1, 8):
        message = mail(str(depth), f"Mail number {depth}.", {"inner.eml": message.as_bytes()})
    (folder / "deep.eml").write_bytes(message.as_bytes())

    report = ingester.sync([folder])

    assert len(report.failed) == 1
    assert report.failed[0].reason == "Attachments are read 4 levels deep; this one lies deeper."
    assert counts(ingester.sync([folder])) == (0, 0, 3, 0, 0)
