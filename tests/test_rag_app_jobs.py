"""Reading beside the chat: what waits is read, what fails says why, and nothing is lost when the process ends."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from fake_assistant import QUOTED
from hostile_pdf import endless_pdf
from records import document

from ingest.catalog import Catalog
from ingest.errors import StorageError, UsageError
from ingest.pipeline import Progress
from ingest.reading import OnReading
from ingest.records import NEVER_READ, FileRecord
from ingest.report import DocumentReport, IngestReport
from rag_app import jobs as jobs_module
from rag_app.answer import Event, Token
from rag_app.answering import Words
from rag_app.assistant import Assistant, build_assistant
from rag_app.chats import Exchange, Opinion
from rag_app.feedback import FeedbackStore
from rag_app.jobs import GONE, UNEXPECTED, Job, Jobs
from rag_app.settings import load_settings

GOOD, EMPTY = b"The warranty of the press lasts thirty months.", b""


@pytest.fixture
def assistant(tmp_path: Path) -> Iterator[Assistant]:
    opened = build_assistant(load_settings(home=tmp_path / "home"), create=True)
    yield opened
    opened.close()


def upload(assistant: Assistant, **contents: bytes) -> None:
    """Files of these names, with a suffix."""
    assistant.library.jobs.add(
        [assistant.library.save_upload(f"{name}.txt", content) for name, content in contents.items()]
    )


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def finished(jobs: Jobs) -> dict[str, Job]:
    """The jobs by name, when nothing is left to do."""
    wait_until(lambda: not jobs.busy)
    return {job.name: job for job in jobs.all()}


def titles(assistant: Assistant) -> list[str]:
    return [record.title for record in assistant.library.documents()]


def test_uploads_are_read_beside_and_one_that_fails_says_why(assistant: Assistant) -> None:
    upload(assistant, good=GOOD, empty=EMPTY)
    done = finished(assistant.library.jobs)

    assert (done["good.txt"].state, done["empty.txt"].state) == ("done", "failed")
    assert done["empty.txt"].reason == "The file is empty."
    assert done["good.txt"].report is not None
    assert done["good.txt"].report.outcome == "added"
    assert titles(assistant) == ["good"]
    assert [file.problem for file in assistant.library.catalog.failed_files()] == ["The file is empty."]


def test_a_failed_file_is_read_again_on_demand(assistant: Assistant) -> None:
    upload(assistant, note=EMPTY)
    finished(assistant.library.jobs)
    (failed,) = assistant.library.catalog.failed_files()
    assistant.library.jobs.retry([failed])
    assert finished(assistant.library.jobs)["note.txt"].reason == "The file is empty."

    failed.path.write_bytes(GOOD)
    assistant.library.jobs.retry([failed])

    assert finished(assistant.library.jobs)["note.txt"].state == "done"
    assert assistant.library.catalog.failed_files() == []


def test_what_waited_when_the_process_ended_is_taken_up_by_the_next(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path / "home")
    first = build_assistant(settings, create=True)
    first.library.save_upload("note.txt", GOOD)
    lost = first.library.save_upload("lost.txt", GOOD)
    lost.unlink()
    first.close()

    second = build_assistant(settings)
    second.library.jobs.resume()
    done = finished(second.library.jobs)

    assert (done["note.txt"].state, done["lost.txt"].reason) == ("done", GONE)
    assert titles(second) == ["note"]
    assert second.library.catalog.waiting_files() == []
    second.close()


def test_closing_stops_a_reading_and_keeps_it_for_the_next_process(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path / "home")
    first = build_assistant(settings, create=True)
    first.library.jobs.add(
        [first.library.save_upload("good.txt", GOOD), first.library.save_upload("endless.pdf", endless_pdf())]
    )
    wait_until(
        lambda: [job for job in first.library.jobs.all() if (job.name, job.page, job.pages) == ("endless.pdf", 2, 2)]
    )
    assert first.search("warranty").timings_ms  # a question does not wait

    started = time.monotonic()
    first.close()

    assert time.monotonic() - started < 20  # the limit of a page is a minute
    second = build_assistant(settings)
    assert "endless.pdf" in [file.source for file in second.library.catalog.waiting_files()]
    second.close()


def test_a_new_content_of_a_name_replaces_the_old_one_when_it_is_read(assistant: Assistant) -> None:
    upload(assistant, note=GOOD)
    finished(assistant.library.jobs)
    assistant.library.save_upload("note.txt", b"The warranty of the press lasts three years.")
    assert titles(assistant) == ["note"]

    assistant.library.jobs.resume()

    report = finished(assistant.library.jobs)["note.txt"].report
    assert report is not None
    assert report.outcome == "updated"
    assert "three years" in assistant.search("warranty").hits[0].node.get_content()
    assert len(titles(assistant)) == 1


def test_a_hidden_document_is_not_found_and_goes_for_good_in_time(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(assistant, note=GOOD)
    finished(assistant.library.jobs)
    (record,) = assistant.library.documents()
    assistant.library.hide(record.document_id)
    assert assistant.search("warranty").hits == []
    with pytest.raises(UsageError, match="No document"):
        assistant.search("warranty", documents=[record.document_id])
    assistant.library.restore(record.document_id)
    assert len(assistant.search("warranty").hits) == 1

    monkeypatch.setattr("ingest.collection.UNDO", -timedelta(1))
    monkeypatch.setattr(jobs_module, "SWEEP_SECONDS", 0.05)
    assistant.library.hide(record.document_id)

    wait_until(lambda: not assistant.library.catalog.hidden())
    assert not record.path.exists()
    assert assistant.library.catalog.files() == {}


def test_collections_are_made_opened_once_and_deleted(assistant: Assistant) -> None:
    assistant.home.create_collection("contracts", "contract", "deadline")
    contracts = assistant.home.open("contracts")
    assert contracts is assistant.home.open("contracts") is contracts.home.open("contracts")
    assert contracts.home.open("default") is assistant
    assert (contracts.library.kind, contracts.library.catalog.instruction()) == ("contract", "deadline")
    upload(contracts, note=GOOD)
    finished(contracts.library.jobs)
    with pytest.raises(UsageError, match="already"):
        assistant.home.create_collection("contracts", "general")

    assistant.home.delete_collection("contracts")

    assert assistant.home.collections() == ["default"]
    assert not contracts.settings.location.uploads.exists()
    with pytest.raises(UsageError, match="No collection"):
        assistant.home.delete_collection("contracts")
    with pytest.raises(UsageError, match="started with"):
        assistant.home.delete_collection("default")
    assistant.home.create_collection("contracts", "general")
    assert assistant.home.open("contracts").library.documents() == []


@pytest.mark.parametrize(("name", "instruction"), [("a/b", None), ("fine", "nonsense")])
def test_a_collection_that_cannot_be_is_refused_before_anything_is_made(
    assistant: Assistant, name: str, instruction: str | None
) -> None:
    with pytest.raises(UsageError):
        assistant.home.create_collection(name, "general", instruction)

    assert assistant.home.collections() == ["default"]


class Scripted:
    """Stands for the reading of files: waits until it may go on, raises or reports what it was told."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[str], bool]] = []
        self.go = threading.Event()
        self.at_work = threading.Event()
        self.error: Exception | None = None
        self.early: DocumentReport | None = None  # told of before the others are at work on

    @property
    def early_path(self) -> str:
        return self.early.path if self.early else ""

    def __call__(
        self,
        paths: Sequence[Path],
        *,
        retry_failed: bool,
        on_progress: Callable[[Progress], None],
        on_reading: OnReading,
        stop: Callable[[], bool],
    ) -> IngestReport:
        self.asked.append(([path.name for path in paths], retry_failed))
        on_reading(paths[0], 3, 9)
        if self.early:
            on_progress(Progress(1, len(paths), 0, 0.5, "", self.early))
        self.at_work.set()
        assert self.go.wait(30)
        if self.error:
            raise self.error
        others = [DocumentReport(str(path), "added", pages=1) for path in paths if str(path) != self.early_path]
        report = IngestReport([*([self.early] if self.early else []), *others])
        for number, done in enumerate(others, start=1):
            on_progress(Progress(number, len(paths), number, number / len(paths), "", done))
        return report


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
def jobs(scripted: Scripted, tmp_path: Path) -> Iterator[Jobs]:
    catalog = Catalog(tmp_path / "catalog.sqlite")
    for name in "abc":
        (tmp_path / name).write_text(name)
    jobs = Jobs(catalog, scripted, lambda: None)
    yield jobs
    scripted.go.set()
    jobs.close()
    catalog.close()


def states(jobs: Jobs) -> dict[str, str]:
    return {job.name: job.state for job in jobs.all()}


def test_pages_are_counted_while_others_wait(jobs: Jobs, scripted: Scripted, tmp_path: Path) -> None:
    jobs.add([tmp_path / "a", tmp_path / "b"])
    assert scripted.at_work.wait(30)
    jobs.add([tmp_path / "c"])

    assert states(jobs) == {"a": "reading", "b": "waiting", "c": "waiting"}
    reading = jobs.all()[0]
    assert (reading.page, reading.pages, reading.fraction) == (3, 9, 2 / 9)
    scripted.go.set()
    assert {job.state for job in finished(jobs).values()} == {"done"}
    assert scripted.asked == [(["a", "b"], False), (["c"], False)]


def test_a_file_that_is_handed_in_again_while_it_is_read_is_read_once_more(
    jobs: Jobs, scripted: Scripted, tmp_path: Path
) -> None:
    jobs.add([tmp_path / "a"])
    assert scripted.at_work.wait(30)
    jobs.add([tmp_path / "a"])
    scripted.go.set()
    finished(jobs)

    assert scripted.asked == [(["a"], False)] * 2


@pytest.mark.parametrize(
    ("error", "reason"), [(StorageError("The disk is full."), "The disk is full."), (ZeroDivisionError(), UNEXPECTED)]
)
def test_an_ingest_that_breaks_off_fails_its_files_and_the_next_are_read(
    jobs: Jobs, scripted: Scripted, tmp_path: Path, error: Exception, reason: str
) -> None:
    scripted.error = error
    jobs.add([tmp_path / "a", tmp_path / "b"])
    scripted.go.set()
    assert {job.reason for job in finished(jobs).values()} == {reason}

    scripted.error = None
    jobs.add([tmp_path / "c"])
    assert finished(jobs)["c"].state == "done"


def test_finished_files_are_forgotten_on_demand_and_when_new_ones_come(
    jobs: Jobs, scripted: Scripted, tmp_path: Path
) -> None:
    scripted.go.set()
    jobs.add([tmp_path / "a"])
    finished(jobs)
    jobs.add([tmp_path / "b"])
    assert list(finished(jobs)) == ["b"]

    jobs.forget_finished()
    assert jobs.all() == []


def test_a_file_from_inside_another_is_read_again_with_that(jobs: Jobs, scripted: Scripted, tmp_path: Path) -> None:
    jobs._catalog.make_live(document("d1", str(tmp_path / "a")))
    inside = FileRecord(tmp_path / "x", "a > x", *NEVER_READ, problem="It is damaged.", container="d1")
    jobs._catalog.put_files([inside])
    scripted.go.set()
    jobs.retry([inside])
    finished(jobs)

    assert scripted.asked == [(["a"], True)]


def forget_one(jobs: Jobs, path: Path) -> None:
    jobs.forget(path)


def forget_all_finished(jobs: Jobs, path: Path) -> None:
    jobs.forget_finished()


FORGETTING = pytest.mark.parametrize("forget", [forget_one, forget_all_finished])


def read_with_a_failure(jobs: Jobs, scripted: Scripted, folder: Path) -> None:
    """Until "a" has failed and "b" is being read."""
    scripted.early = DocumentReport(str(folder / "a"), "failed", reason="It is empty.")
    jobs.add([folder / "a", folder / "b"])
    assert scripted.at_work.wait(30)
    assert states(jobs)["a"] == "failed"


@FORGETTING
def test_a_failure_that_is_forgotten_while_others_are_read_does_not_come_back(
    jobs: Jobs, scripted: Scripted, tmp_path: Path, forget: Callable[[Jobs, Path], None]
) -> None:
    read_with_a_failure(jobs, scripted, tmp_path)
    forget(jobs, tmp_path / "a")
    scripted.go.set()
    wait_until(lambda: not jobs._at_hand)

    assert states(jobs) == {"b": "done"}


@FORGETTING
def test_uploads_are_read_after_an_ingest_broke_off_whose_failure_was_forgotten(
    jobs: Jobs, scripted: Scripted, tmp_path: Path, forget: Callable[[Jobs, Path], None]
) -> None:
    read_with_a_failure(jobs, scripted, tmp_path)
    forget(jobs, tmp_path / "a")
    scripted.error = StorageError("The disk is full.")
    scripted.go.set()
    assert finished(jobs)["b"].reason == "The disk is full."

    scripted.error = scripted.early = None
    jobs.add([tmp_path / "c"])
    assert finished(jobs)["c"].state == "done"


def test_new_files_are_read_after_an_ingest_broke_off_that_had_finished_all_its_own(
    jobs: Jobs, scripted: Scripted, tmp_path: Path
) -> None:
    scripted.early = DocumentReport(str(tmp_path / "a"), "failed", reason="It is empty.")
    scripted.error = StorageError("The disk is full.")
    jobs.add([tmp_path / "a"])
    assert scripted.at_work.wait(30)
    jobs.add([tmp_path / "c"])
    scripted.go.set()
    wait_until(lambda: len(scripted.asked) == 2)

    assert finished(jobs)["c"].reason == "The disk is full."


def test_a_thread_that_ended_is_started_again(jobs: Jobs, scripted: Scripted, tmp_path: Path) -> None:
    ended = threading.Thread(target=lambda: None)
    ended.start()
    ended.join()
    jobs._thread = ended
    scripted.go.set()
    jobs.add([tmp_path / "a"])

    assert finished(jobs)["a"].state == "done"


def hide_note(assistant: Assistant) -> str:
    (record,) = assistant.library.documents()
    assistant.library.hide(record.document_id)
    return record.document_id


def sweep_for_good(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.collection.UNDO", -timedelta(1))
    assistant.library._sweep()
    assert assistant.library.catalog.hidden() == []


NEWER = b"The warranty lasts three years."


@pytest.mark.parametrize("hidden_first", [True, False])
def test_an_unread_upload_survives_the_document_of_its_name(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch, hidden_first: bool
) -> None:
    upload(assistant, note=GOOD)
    finished(assistant.library.jobs)
    if hidden_first:
        hide_note(assistant)
    path = assistant.library.save_upload("note.txt", NEWER)
    if not hidden_first:
        hide_note(assistant)

    sweep_for_good(assistant, monkeypatch)

    assert path.read_bytes() == NEWER
    assert [file.path for file in assistant.library.catalog.waiting_files()] == [path]
    assistant.library.jobs.resume()
    assert finished(assistant.library.jobs)["note.txt"].state == "done"
    assert "three years" in assistant.search("warranty").hits[0].node.get_content()


@pytest.mark.parametrize("hidden_first", [True, False])
def test_the_same_file_uploaded_again_and_unread_goes_with_its_document_unless_that_was_deleted_before(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch, hidden_first: bool
) -> None:
    upload(assistant, note=GOOD)
    finished(assistant.library.jobs)
    if hidden_first:
        hide_note(assistant)
    path = assistant.library.save_upload("note.txt", GOOD)
    if hidden_first:
        later = time.time_ns() + 10**9  # the clock of files is a little behind
        os.utime(path, ns=(later, later))
    else:
        hide_note(assistant)

    sweep_for_good(assistant, monkeypatch)

    assert path.exists() is hidden_first
    assert [file.path for file in assistant.library.catalog.waiting_files()] == ([path] if hidden_first else [])


def test_an_upload_that_came_while_the_file_before_was_read_survives_it(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ingest then notes the file as it was when it began."""
    path = assistant.library.save_upload("note.txt", GOOD)
    assistant.library.ingest([path])
    path.write_bytes(NEWER)
    hide_note(assistant)

    sweep_for_good(assistant, monkeypatch)

    assert path.read_bytes() == NEWER
    assert [file.path for file in assistant.library.catalog.waiting_files()] == [path]


def test_a_file_goes_with_its_document_though_its_times_have_changed(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of a home do that is copied."""
    path = assistant.library.save_upload("note.txt", GOOD)
    assistant.library.ingest([path])
    os.utime(path, ns=(0, 0))
    hide_note(assistant)

    sweep_for_good(assistant, monkeypatch)

    assert not path.exists()
    assert assistant.library.catalog.files() == {}


def test_an_upload_that_could_not_be_read_survives_the_document_of_its_name(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(assistant, note=GOOD)
    finished(assistant.library.jobs)
    upload(assistant, note=EMPTY)
    finished(assistant.library.jobs)
    hide_note(assistant)

    sweep_for_good(assistant, monkeypatch)

    (failed,) = assistant.library.catalog.failed_files()
    assert (failed.path.exists(), failed.document_id) == (True, None)


def test_a_hidden_document_can_be_restored_until_another_upload_of_its_name_is_read(assistant: Assistant) -> None:
    upload(assistant, note=GOOD)
    finished(assistant.library.jobs)
    hidden = hide_note(assistant)
    path = assistant.library.save_upload("note.txt", NEWER)
    assistant.library.restore(hidden)
    assert [record.document_id for record in assistant.library.documents()] == [hidden]

    assistant.library.hide(hidden)
    assistant.library.ingest([path])

    with pytest.raises(UsageError, match="removed for good"):
        assistant.library.restore(hidden)


def test_forgetting_a_failed_file_leaves_the_upload_that_took_its_place(assistant: Assistant) -> None:
    upload(assistant, note=EMPTY)
    finished(assistant.library.jobs)
    path = assistant.library.save_upload("note.txt", GOOD)

    assistant.library.forget_failed(path)

    assert path.read_bytes() == GOOD
    assert [file.path for file in assistant.library.catalog.waiting_files()] == [path]


def test_uploads_of_one_name_at_once_leave_one_of_them_whole(assistant: Assistant) -> None:
    contents = [bytes([97 + number]) * 1_000_000 for number in range(8)]
    with ThreadPoolExecutor(len(contents)) as pool:
        paths = set(pool.map(lambda content: assistant.library.save_upload("note.txt", content), contents))

    (path,) = paths
    assert path.read_bytes() in contents


def test_a_deleted_collection_takes_chats_grids_and_opinions_with_it(assistant: Assistant) -> None:
    home = assistant.home
    home.create_collection("contracts", "contract")
    judged = {name: Exchange("Who pays?", answer=QUOTED, opinion=Opinion(True)) for name in ("contracts", "default")}
    for collection, exchange in judged.items():
        home.chats.begin("anna", f"in {collection}", collection, 0, exchange)
        home.grids.begin("anna", collection, ["Who pays?"], ["d1"])
        home.note_opinion(exchange, collection)

    home.delete_collection("contracts")
    home.note_opinion(judged["contracts"], "contracts")  # in a window that still shows the answer

    assert home.chats.entries("anna", "contracts", 10) == []
    assert len(home.chats.entries("anna", "default", 10)) == 1
    assert home.grids.read("anna", "contracts") is None
    assert home.grids.read("anna", "default") is not None
    kept = FeedbackStore(assistant.settings.location.home).all()
    assert [feedback.collection for feedback in kept] == ["default"]


def test_an_answer_from_a_deleted_collection_is_stopped_before_the_collection_is_closed(assistant: Assistant) -> None:
    home = assistant.home
    home.create_collection("contracts", "contract")
    library, counts = home.open("contracts").library, list[int]()

    def events() -> Generator[Event, None, None]:
        try:
            while True:
                yield Token("word ")
        finally:
            counts.append(library.document_count)

    exchange, words = Exchange("Who pays?"), Words(unexpected="", busy="")
    home.answers.begin(exchange, events(), collection="contracts", words=words, when_over=lambda: None)

    home.delete_collection("contracts")

    assert exchange.stopped
    assert counts == [0]


def test_uploads_that_cannot_be_deleted_are_told_and_the_deletion_can_be_tried_again(assistant: Assistant) -> None:
    assistant.home.create_collection("contracts", "contract")
    uploads = assistant.home.open("contracts").settings.location.uploads
    uploads.parent.mkdir(parents=True, exist_ok=True)
    uploads.write_bytes(b"This is no folder.")
    with pytest.raises(StorageError, match="'contracts' cannot be deleted whole"):
        assistant.home.delete_collection("contracts")

    uploads.unlink()
    assistant.home.delete_collection("contracts")
    assert assistant.home.collections() == ["default"]
