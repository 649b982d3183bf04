"""The same questions over many documents: one cited cell each, as a table, CSV or XLSX."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ingest.errors import UsageError
from ingest.records import DocumentRecord
from rag_app.answer import Answer, Event, Finished
from rag_app.context import source_label
from rag_app.csv_file import csv_bytes
from rag_app.quoting import LEAD_IN
from rag_app.words import language

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

MAX_QUESTIONS_BYTES = 2**20
MAX_CELL_CHARACTERS = 32_000
"""A little less than a cell of a spreadsheet holds."""

CellState = Literal["found", "doubtful", "refused"]
"""Doubtful: not every statement of the answer is verified, see `rag_app.answer.State`."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one document answers to one question."""

    document: DocumentRecord
    question: str
    answer: Answer

    @property
    def state(self) -> CellState:
        if self.answer.refused:
            return "refused"
        return "found" if all(one.state == "verified" for one in self.answer.statements) else "doubtful"

    @property
    def text(self) -> str:
        """The answer, without the words that lead in quotes; "" where the document does not tell."""
        if self.answer.refused:
            return ""
        return self.answer.text.removeprefix(LEAD_IN[language(self.question)]).strip()

    @property
    def sources(self) -> str:
        """Where the answer stands: a line a citation, "[1] HP-40 manual, p. 17, 4.3 Hydraulics: “quote”"."""
        passages = {passage.number: passage for passage in self.answer.passages}
        return "\n".join(
            f"[{citation.number}] {source_label(passages[citation.number])}: “{citation.quote}”"
            for citation in self.answer.citations
        )


@dataclass(frozen=True, slots=True)
class Grid:
    """A row for each document, in the order asked for, and in it a cell for each question."""

    questions: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "questions": list(self.questions),
            "documents": [
                {
                    "document_id": row[0].document.document_id,
                    "source": row[0].document.source,
                    "title": row[0].document.title,
                    "cells": [_cell_as_dict(cell) for cell in row],
                }
                for row in self.rows
            ],
        }


def _cell_as_dict(cell: Cell) -> dict[str, Any]:
    return {
        "state": cell.state,
        "answer": cell.text,
        "evidence": cell.answer.evidence,
        "citations": [
            {key: getattr(citation, key) for key in ("number", "page", "page_label", "section", "quote", "state")}
            for citation in cell.answer.citations
        ],
    }


def ask_grid(
    assistant: Assistant,
    questions: Sequence[str],
    documents: Sequence[str] = (),
    *,
    on_cell: Callable[[Cell], None] = lambda cell: None,
) -> Grid:
    """Asks each question of each document alone; all of the collection where none are named by id or source.

    Raises `UsageError` without questions or documents and for an unknown one, and what `Assistant.ask` raises.
    """
    records = [assistant.library.document(name) for name in documents] or assistant.library.documents()
    if not questions or not records:
        raise UsageError("Expected at least one question and one document in the collection; one of them is missing.")
    rows = []
    for record in {record.document_id: record for record in records}.values():
        row = []
        for question in questions:
            cell = ask_cell(assistant, record, question)
            on_cell(cell)
            row.append(cell)
        rows.append(tuple(row))
    return Grid(tuple(questions), tuple(rows))


def ask_cell(
    assistant: Assistant,
    document: DocumentRecord,
    question: str,
    *,
    on_event: Callable[[Event], object] = lambda event: None,
) -> Cell:
    """Asks one question of one document, and raises what `Assistant.ask` raises; what `on_event` raises stops it."""
    with closing(assistant.ask(question, documents=[document.document_id])) as events:
        for event in events:
            on_event(event)
            if isinstance(event, Finished):
                return Cell(document, question, event.answer)
    raise ValueError("Expected a finished answer as the last event, got none.")


def read_questions(path: Path) -> list[str]:
    """The questions of a text file. Raises `UsageError` where it cannot be read."""
    try:
        if path.stat().st_size > MAX_QUESTIONS_BYTES:
            raise UsageError(f"{path} is larger than {MAX_QUESTIONS_BYTES >> 20} MB. Expected one question a line.")
        return questions_in(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}. Name a text file with one question a line."
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: {error.reason}. Save it as UTF-8.") from error


def questions_in(text: str) -> list[str]:
    """The lines that are not blank, once each."""
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _table(grid: Grid) -> list[list[str]]:
    header = ["Document"]
    for question in grid.questions:
        header += [question, "State", "Sources"]
    rows = [[row[0].document.source, *(text for cell in row for text in _texts(cell))] for row in grid.rows]
    return [header, *rows]


def _texts(cell: Cell) -> Iterable[str]:
    return (cell.text, cell.state, cell.sources)


def _as_csv(grid: Grid) -> bytes:
    return csv_bytes(_table(grid))


def _as_xlsx(grid: Grid) -> bytes:
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Alignment, Font

    workbook = Workbook()
    sheet = workbook.active
    for row_number, row in enumerate(_table(grid), start=1):
        for column, text in enumerate(row, start=1):
            cell = sheet.cell(row_number, column)
            cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)[:MAX_CELL_CHARACTERS]
            cell.data_type = "s"  # never a formula
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.font = Font(bold=row_number == 1 or column == 1)
    for column in sheet.columns:
        sheet.column_dimensions[column[0].column_letter].width = 12 if column[0].value == "State" else 48
    sheet.freeze_panes = "B2"
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


GRID_FORMATS: dict[str, Callable[[Grid], bytes]] = {".csv": _as_csv, ".xlsx": _as_xlsx}
"""A suffix to what makes a file of that kind: the document, then for each question its answer, state and sources."""
