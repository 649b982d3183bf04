"""What an ingest did: counts, and every document with what became of it; as JSON and as a page to read."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ingest.errors import StorageError, UsageError

Outcome = Literal["added", "updated", "unchanged", "duplicate", "deleted", "failed"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be ingested, and why, in a sentence."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class DocumentReport:
    """What became of one file: `seconds` of reading, pages that could not be read whole, and sentences to say so.

    `reason` says why it failed; `notes` say what else there is to know.
    """

    path: str
    outcome: Outcome
    pages: int = 0
    ocr_pages: int = 0
    chunks: int = 0
    seconds: float = 0.0
    problem_pages: int = 0
    reason: str = ""
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class IngestReport:
    """What an ingest did. Counts are of files, but for pages and chunks, which were read anew.

    `stopped` tells that it was asked to stop before the end; `failed` holds files that failed now and those that have
    failed before and not changed since.
    """

    documents: list[DocumentReport] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    seconds: float = 0.0
    stopped: bool = False

    def count(self, outcome: Outcome) -> int:
        return sum(document.outcome == outcome for document in self.documents)

    @property
    def added(self) -> int:
        return self.count("added")

    @property
    def updated(self) -> int:
        return self.count("updated")

    @property
    def unchanged(self) -> int:
        return self.count("unchanged")

    @property
    def duplicates(self) -> int:
        return self.count("duplicate")

    @property
    def deleted(self) -> int:
        return self.count("deleted")

    @property
    def failed(self) -> list[Failure]:
        return [Failure(entry.path, entry.reason) for entry in self.documents if entry.outcome == "failed"]

    @property
    def pages(self) -> int:
        return sum(document.pages for document in self.documents)

    @property
    def ocr_pages(self) -> int:
        return sum(document.ocr_pages for document in self.documents)

    @property
    def chunks(self) -> int:
        return sum(document.chunks for document in self.documents)

    @property
    def problem_pages(self) -> int:
        return sum(document.problem_pages for document in self.documents)

    def summary(self) -> dict[str, Any]:
        """The counts, the failures and what was skipped: what `--json` prints."""
        return {
            "added": self.added,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "duplicates": self.duplicates,
            "deleted": self.deleted,
            "failed": [asdict(failure) for failure in self.failed],
            "skipped": self.skipped,
            "pages": self.pages,
            "ocr_pages": self.ocr_pages,
            "problem_pages": self.problem_pages,
            "chunks": self.chunks,
            "seconds": self.seconds,
            "stopped": self.stopped,
        }


def check_report_path(path: Path) -> None:
    """Raises `UsageError` for a report that could not be written at the end of hours of work."""
    if path.suffix.lower() not in (".html", ".json"):
        raise UsageError(f"A report is written as .html or .json; got '{path.name}'.")
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {path.parent} for the report. Make it first.")


def write_report(report: IngestReport, path: Path) -> None:
    """The report with every document as JSON or as an HTML page, by the suffix. Raises `StorageError`."""
    if path.suffix.lower() == ".json":
        everything = {**report.summary(), "documents": [asdict(document) for document in report.documents]}
        text = json.dumps(everything, ensure_ascii=False, indent=1)
    else:
        text = "\n".join(_html(report))
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")  # names of files may be no valid text
    except OSError as error:
        raise StorageError(f"The report {path} cannot be written ({error.strerror}).") from error


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1c2430; }
h1 { font-size: 1.4rem; } p { margin: .3rem 0; } table { border-collapse: collapse; width: 100%; margin-top: 1rem; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #dde3ea; vertical-align: top; }
td:nth-child(n+3):nth-child(-n+6), th:nth-child(n+3):nth-child(-n+6) { text-align: right; white-space: nowrap; }
td:first-child { overflow-wrap: anywhere; } .failed { color: #b3261e; } .note { color: #7a5b00; }
@media (prefers-color-scheme: dark) {
  body { background: #12161c; color: #e3e8ee; } th, td { border-color: #2b333d; }
  .failed { color: #ff8a80; } .note { color: #e6c260; }
}
"""
# What a reader has to act on comes first.
_ORDER: tuple[Outcome, ...] = ("failed", "added", "updated", "duplicate", "deleted", "unchanged")


def _html(report: IngestReport) -> Iterable[str]:
    yield '<!doctype html><html lang="en"><meta charset="utf-8"><title>Ingest report</title>'
    yield f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
    yield f"<h1>Ingest report, {datetime.now().astimezone():%Y-%m-%d %H:%M}</h1>"
    counts = ", ".join(f"{report.count(name)} {name}" for name in _ORDER if report.count(name)) or "nothing to do"
    yield f"<p>{counts}: {report.pages} pages, {report.ocr_pages} of them by OCR, {report.chunks} passages"
    yield f"in {report.seconds:.1f} s.{' Stopped before the end.' if report.stopped else ''}</p>"
    if report.skipped:
        yield f"<p>{len(report.skipped)} files of other types were left out.</p>"
    yield "<table><thead><tr><th>File<th>Outcome<th>Pages<th>OCR<th>Passages<th>Seconds<th>Notes<tbody>"
    for document in sorted(report.documents, key=lambda document: (_ORDER.index(document.outcome), document.path)):
        notes = [f'<div class="failed">{html.escape(document.reason)}</div>'] if document.reason else []
        notes += [f'<div class="note">{html.escape(note)}</div>' for note in document.notes]
        yield (
            f"<tr><td>{html.escape(document.path)}<td>{document.outcome}<td>{document.pages}"
            f"<td>{document.ocr_pages}<td>{document.chunks}<td>{document.seconds:.2f}<td>{''.join(notes)}"
        )
    yield "</table></html>"
