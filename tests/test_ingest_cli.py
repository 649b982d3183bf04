"""`python -m ingest`, as a program and as a function."""

from __future__ import annotations

import io
import json
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from ingest import cli
from ingest.cli import IngestRequest, print_report, progress_bar, reading_config, run_ingest, stopping
from ingest.collection import stored_kind
from ingest.config import ChunkingConfig, EmbeddingConfig, ReadingConfig, StoreConfig
from ingest.errors import IndexMismatchError, UsageError
from ingest.pipeline import Progress
from ingest.report import DocumentReport, IngestReport

ROOT = Path(__file__).parent.parent
KEYS = {
    "added",
    "updated",
    "unchanged",
    "duplicates",
    "deleted",
    "failed",
    "skipped",
    "pages",
    "ocr_pages",
    "problem_pages",
    "stopped",
    "chunks",
    "seconds",
}


def ingest(
    request: IngestRequest, home: StoreConfig, chunking: ChunkingConfig | None = None, *, as_json: bool = True
) -> int:
    """The exit code."""
    return run_ingest(request, home, EmbeddingConfig(), chunking or ChunkingConfig(), as_json=as_json)


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "manual.md"
    path.write_text("# Press\n\nDrain the oil.\n", encoding="utf-8")
    return path


def test_the_program_prints_one_json_object_and_nothing_else(document: Path, tmp_path: Path) -> None:
    arguments = [
        str(document),
        "--home",
        str(tmp_path / "home"),
        "--collection",
        "manuals",
        "--kind",
        "manual",
        "--json",
    ]

    done = subprocess.run(
        [sys.executable, "-m", "ingest", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report) == KEYS
    assert (report["added"], report["failed"], report["chunks"]) == (1, [], 1)
    assert stored_kind(StoreConfig(tmp_path / "home", "manuals")) == "manual"


def test_a_failed_file_is_an_exit_code_of_one_with_its_reason(
    document: Path, home: StoreConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = document.with_name("broken.pdf")
    broken.write_bytes(b"%PDF-1.7\n%%EOF\n")

    code = ingest(IngestRequest([document, broken]), home)

    report = json.loads(capsys.readouterr().out)
    assert code == 1
    assert report["added"] == 1
    assert report["failed"][0]["path"] == str(broken)
    assert report["failed"][0]["reason"].startswith("The PDF is damaged")


def test_other_settings_need_a_rebuild_and_get_one(
    document: Path, home: StoreConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    other = ChunkingConfig(max_tokens=100)
    assert ingest(IngestRequest([document]), home) == 0

    with pytest.raises(IndexMismatchError, match="--rebuild"):
        ingest(IngestRequest([document]), home, other)
    assert ingest(IngestRequest([document], rebuild=True), home, other, as_json=False) == 0
    assert "1 added: 1 pages, 1 passages" in capsys.readouterr().out


def test_a_kind_is_kept_until_another_is_given(
    document: Path, home: StoreConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    def kind_after(request: IngestRequest, chunking: ChunkingConfig | None = None) -> str | None:
        assert ingest(request, home, chunking) == 0
        return stored_kind(home)

    assert stored_kind(home) is None
    assert kind_after(IngestRequest([document])) == "general"
    assert kind_after(IngestRequest([document], kind="manual")) == "manual"
    assert kind_after(IngestRequest([document])) == "manual"
    assert kind_after(IngestRequest([document], rebuild=True), ChunkingConfig(max_tokens=100)) == "manual"
    assert kind_after(IngestRequest([document], rebuild=True, kind="contract")) == "contract"


def test_a_mistyped_path_drops_nothing(document: Path, home: StoreConfig) -> None:
    ingest(IngestRequest([document]), home)

    with pytest.raises(UsageError, match="Check the path"):
        ingest(IngestRequest([document / "typo"], rebuild=True), home)

    assert (home.folder / "catalog.sqlite").exists()


def test_an_error_is_a_sentence_on_stderr_and_the_exit_code_of_its_kind(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ingest", str(tmp_path / "typo"), "--home", str(tmp_path / "home")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("rag-app: There is no file or folder")
    assert "Traceback" not in done.stderr


def printed(report: IngestReport) -> str:
    stream = io.StringIO()
    print_report(report, Console(file=stream, width=200))
    return stream.getvalue()


def test_a_report_names_what_happened() -> None:
    documents = [
        DocumentReport("a.pdf", "added", pages=5, ocr_pages=2, chunks=6, problem_pages=1),
        DocumentReport("b.pdf", "added", pages=2, chunks=3),
        DocumentReport("c.pdf", "duplicate"),
        DocumentReport("d.pdf", "deleted"),
    ]

    assert printed(IngestReport(documents, seconds=1.23, skipped=["a.dwg"])) == (
        "2 added, 1 known under another name, 1 deleted: 7 pages (2 by OCR), 9 passages in 1.2 s\n"
        "1 files of other types were left out.\n"
        "1 pages could not be read whole; --report names them.\n"
    )
    assert printed(IngestReport()).startswith("nothing changed: 0 pages")


def test_file_names_are_never_markup() -> None:
    report = IngestReport([DocumentReport("[red]a[/red].pdf", "failed", reason="The file is empty.")])

    assert "failed: [red]a[/red].pdf: The file is empty." in printed(report)


def test_many_failures_are_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "MAX_REASONS_SHOWN", 2)

    text = printed(IngestReport([DocumentReport(f"{number}.pdf", "failed", reason="Empty.") for number in range(5)]))

    assert text.count("failed:") == 2
    assert "3 more failed" in text


@pytest.mark.parametrize("name", ["[/red]", "[bold]x[/bold].pdf", "a\\[b].pdf", "\\", "x" * 60 + "[/]" + "y" * 57])
def test_the_progress_bar_shows_any_file_name_as_it_is(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # draw, as on a terminal
    monkeypatch.setenv("COLUMNS", "200")
    with progress_bar() as show:
        show(Progress(1, 2, 3, 0.5, name))

    printed = capsys.readouterr()
    assert printed.out == ""
    assert name[-60:] in printed.err
    assert "1/2 files" in printed.err


# Reports, passwords, stopping, watching


def test_a_report_lists_every_document(document: Path, home: StoreConfig) -> None:
    hostile = document.with_name("<img src=x onerror=alert(1)>.txt")
    hostile.write_text("Drain the oil.", encoding="utf-8")
    (document.with_name("broken.pdf")).write_bytes(b"%PDF-1.7\n%%EOF\n")
    page, data = document.with_name("report.html"), document.with_name("report.json")

    assert ingest(IngestRequest([document.parent], report=page), home) == 1
    text = page.read_text(encoding="utf-8")
    page.unlink()
    assert ingest(IngestRequest([document.parent], report=data), home) == 1

    assert "<img" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;.txt" in text
    assert text.index("broken.pdf") < text.index("manual.md")  # what failed comes first
    documents = json.loads(data.read_text(encoding="utf-8"))["documents"]
    outcomes = {Path(entry["path"]).name: entry["outcome"] for entry in documents}
    assert outcomes == {"manual.md": "unchanged", hostile.name: "unchanged", "broken.pdf": "failed"}


@pytest.mark.parametrize("name", ["report.pdf", "nowhere/report.html"])
def test_a_report_that_could_not_be_written_is_refused_first(name: str, document: Path, home: StoreConfig) -> None:
    with pytest.raises(UsageError):
        ingest(IngestRequest([document], report=document.parent / name), home)

    assert not home.home.exists()


def test_passwords_come_from_options_and_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "passwords.txt"
    file.write_text("geheim\n读者\n\n", encoding="utf-8")

    assert reading_config(["secret"], file, ocr=False) == ReadingConfig(("secret", "geheim", "读者"), ocr=False)
    with pytest.raises(UsageError, match=r"gone\.txt cannot be read"):
        reading_config(None, tmp_path / "gone.txt", ocr=True)


def test_ctrl_c_asks_to_stop_and_a_second_one_insists(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with stopping() as stop:
        assert not stop.is_set()
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    assert signal.getsignal(signal.SIGINT) is before
    assert "Ctrl-C again" in capsys.readouterr().err


def test_an_interrupted_ingest_says_how_to_go_on_and_a_watching_one_reads_what_changes(tmp_path: Path) -> None:
    """As a person sees it: a process, real files and real signals."""
    folder, home = tmp_path / "documents", tmp_path / "home"
    folder.mkdir()
    (folder / "a.txt").write_text("Drain the oil.", encoding="utf-8")
    command = [sys.executable, "-m", "ingest", str(folder), "--home", str(home), "--watch", "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["added"] == 1
        while True:  # the watcher begins after the first report: write until it tells of it
            (folder / "b.txt").write_text(f"Fill in the oil at {time.time()}.", encoding="utf-8")
            if select.select([process.stdout], [], [], 2.0)[0]:
                break
        report = json.loads(process.stdout.readline())
        assert report["added"] + report["updated"] == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert "Stopping when the documents at hand are stored" in process.stderr.read()
