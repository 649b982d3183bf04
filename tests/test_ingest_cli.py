"""`python -m ingest`, as a program and as a function."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from ingest import cli
from ingest.cli import IngestRequest, print_report, progress_bar, run_ingest
from ingest.collection import stored_kind
from ingest.config import ChunkingConfig, StoreConfig
from ingest.errors import IndexMismatchError, UsageError
from ingest.pipeline import Failure, IngestReport, Progress

ROOT = Path(__file__).parent.parent
KEYS = {
    "added",
    "updated",
    "unchanged",
    "deleted",
    "failed",
    "skipped",
    "pages",
    "ocr_pages",
    "chunks",
    "seconds",
}


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
    broken.write_bytes(b"no PDF")

    code = run_ingest(IngestRequest([document, broken]), home, ChunkingConfig(), as_json=True)

    report = json.loads(capsys.readouterr().out)
    assert code == 1
    assert report["added"] == 1
    assert report["failed"][0]["path"] == str(broken)
    assert report["failed"][0]["reason"].startswith("This is not a PDF")


def test_other_settings_need_a_rebuild_and_get_one(
    document: Path, home: StoreConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    other = ChunkingConfig(max_tokens=100)
    assert run_ingest(IngestRequest([document]), home, ChunkingConfig(), as_json=True) == 0

    with pytest.raises(IndexMismatchError, match="--rebuild"):
        run_ingest(IngestRequest([document]), home, other, as_json=True)
    assert run_ingest(IngestRequest([document], rebuild=True), home, other, as_json=False) == 0
    assert "1 added: 1 pages, 1 passages" in capsys.readouterr().out


def test_a_kind_is_kept_until_another_is_given(
    document: Path, home: StoreConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    def kind_after(request: IngestRequest, chunking: ChunkingConfig | None = None) -> str | None:
        assert run_ingest(request, home, chunking or ChunkingConfig(), as_json=True) == 0
        return stored_kind(home)

    assert stored_kind(home) is None
    assert kind_after(IngestRequest([document])) == "general"
    assert kind_after(IngestRequest([document], kind="manual")) == "manual"
    assert kind_after(IngestRequest([document])) == "manual"
    assert kind_after(IngestRequest([document], rebuild=True), ChunkingConfig(max_tokens=100)) == "manual"
    assert kind_after(IngestRequest([document], rebuild=True, kind="contract")) == "contract"


def test_a_mistyped_path_drops_nothing(document: Path, home: StoreConfig) -> None:
    run_ingest(IngestRequest([document]), home, ChunkingConfig(), as_json=True)

    with pytest.raises(UsageError, match="Check the path"):
        run_ingest(IngestRequest([document / "typo"], rebuild=True), home, ChunkingConfig(), as_json=True)

    assert (home.folder / "catalog.sqlite").exists()


def test_an_error_is_a_sentence_on_stderr_and_the_exit_code_of_its_kind(tmp_path: Path) -> None:
    import typer

    from ingest.__main__ import ingest

    app = typer.Typer()
    app.command()(ingest)

    result = CliRunner().invoke(app, [str(tmp_path / "typo"), "--home", str(tmp_path / "home")])

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("rag-app: There is no file or folder")
    assert "Traceback" not in result.stderr


def printed(report: IngestReport) -> str:
    stream = io.StringIO()
    print_report(report, Console(file=stream, width=200))
    return stream.getvalue()


def test_a_report_names_what_happened() -> None:
    report = IngestReport(added=2, deleted=1, pages=7, chunks=9, seconds=1.23, skipped=["a.dwg"])

    assert printed(report) == (
        "2 added, 1 deleted: 7 pages, 9 passages in 1.2 s\n1 files of other types were left out.\n"
    )
    assert printed(IngestReport()).startswith("nothing changed: 0 pages")


def test_file_names_are_never_markup() -> None:
    report = IngestReport(failed=[Failure("[red]a[/red].pdf", "The file is empty.")])

    assert "failed: [red]a[/red].pdf: The file is empty." in printed(report)


def test_many_failures_are_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "MAX_REASONS_SHOWN", 2)

    text = printed(IngestReport(failed=[Failure(f"{number}.pdf", "Empty.") for number in range(5)]))

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
