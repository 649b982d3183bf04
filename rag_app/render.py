"""What the command line shows: tables and text for people, plain dictionaries for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID
from rich.table import Table

from ingest.catalog import Kind
from ingest.records import DocumentRecord, PageRecord
from rag_app.answer import Answer, Event, Finished, State, Token
from rag_app.context import link_note

if TYPE_CHECKING:
    from llama_index.core.schema import BaseNode, NodeWithScore

    from rag_app.assistant import SearchResult
    from rag_app.benchmark import OnProgress
    from rag_app.grid import Cell, Grid
    from rag_app.reranking import Ranking

EXCERPT_CHARACTERS = 300

_STATE_SIGNS: dict[State, str] = {"weak": "(?)", "unsupported": "(!)"}
_STATE_NOTES: dict[State, str] = {
    "weak": "weak: the cited passage agrees only in part; compare it",
    "unsupported": "unsupported: no cited passage says this",
}


def search_as_dict(found: SearchResult) -> dict[str, Any]:
    return {
        "query": found.query,
        "strategy": found.strategy,
        "results": [_hit_as_dict(rank, hit) for rank, hit in enumerate(found.hits, start=1)],
        "instruction": found.instruction,
        "candidates": found.candidates,
        "scored": found.scored,
        "timings_ms": found.timings_ms,
    }


def _hit_as_dict(rank: int, hit: NodeWithScore) -> dict[str, Any]:
    metadata = hit.node.metadata
    return {
        "rank": rank,
        "score": hit.score,
        "retrieval_score": metadata.get("retrieval_score", hit.score),
        "text": hit.text,
        **{key: metadata[key] for key in ("source", "page", "page_label", "section", "document_id")},
        "chunk_id": hit.node.node_id,
    }


def answer_as_dict(answer: Answer) -> dict[str, Any]:
    citation_keys = (
        "number",
        "source",
        "page",
        "page_label",
        "section",
        "quote",
        "verified",
        "state",
        "boxes",
        "ocr_confidence",
    )
    passages = [asdict(passage) for passage in answer.passages]
    return {
        "answer": answer.text,
        "refused": answer.refused,
        "citations": [{key: getattr(citation, key) for key in citation_keys} for citation in answer.citations],
        "statements": [{"text": answer.text[one.start : one.end], **asdict(one)} for one in answer.statements],
        "passages": [{key: value for key, value in passage.items() if key != "box_spans"} for passage in passages],
        "evidence": answer.evidence,
        "instruction": answer.instruction,
        "candidates": answer.candidates,
        "scored": answer.scored,
        "left_out": answer.left_out,
        "reasoning": answer.reasoning,
        "timings_ms": answer.timings_ms,
    }


def document_as_dict(record: DocumentRecord) -> dict[str, Any]:
    return {
        "document_id": record.document_id,
        "source": record.source,
        "title": record.title,
        "path": str(record.path),
        "copies": [file.source for file in record.files[1:]],
        "pages": record.pages,
        "ocr_pages": record.ocr_pages,
        "chunks": record.chunks,
        "media": record.media and {"kind": record.media.kind, **dict(record.media.facts)},
        "revision_of": record.revision_of or None,
        "tags": list(record.tags),
        "ingested_at": record.ingested_at.isoformat(),
    }


def ocr_note(confidence: float) -> str:
    """That a text was recognised in an image, and how surely: "read by OCR, 93 % sure"."""
    return f"read by OCR, {confidence:.0%} sure".replace("%", " %")


def pages_as_dicts(pages: Sequence[PageRecord]) -> list[dict[str, Any]]:
    """How each page was read: its characters, by OCR with what confidence and why, and what went wrong."""
    return [
        {
            "page": page.number,
            "page_label": page.label,
            "characters": page.characters,
            "ocr": page.ocr and asdict(page.ocr),
            "problem": page.problem or None,
        }
        for page in pages
    ]


def passages_as_dicts(nodes: Sequence[BaseNode]) -> list[dict[str, Any]]:
    keys = ("page", "page_label", "section", "modality")
    return [
        {"chunk_id": node.node_id, "text": node.get_content(), **{key: node.metadata[key] for key in keys}}
        for node in nodes
    ]


@contextmanager
def cells_shown(total: int) -> Iterator[Callable[[Cell], None]]:
    """A progress bar on stderr; what it gives is to be called with each cell of a grid."""
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Asking", total=total)
        yield lambda cell: bar.update(task, advance=1, description=escape(f"{cell.document.source}: {cell.state}"))


@contextmanager
def progress_shown() -> Iterator[OnProgress]:
    """A progress bar on stderr for each stage that it is called with."""
    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage.capitalize(), total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield show


def print_grid(grid: Grid) -> None:
    """A row for each document, a column for each question; a cell holds the answer and its pages."""
    table = Table(show_lines=True)
    table.add_column("Document")
    for question in grid.questions:
        table.add_column(escape(question))
    for row in grid.rows:
        table.add_row(escape(row[0].document.source), *(_cell_text(cell) for cell in row))
    Console().print(table)


def _cell_text(cell: Cell) -> str:
    if cell.state == "refused":
        return "[dim]does not tell[/dim]"
    pages = dict.fromkeys(f"p. {citation.page_label or citation.page}" for citation in cell.answer.citations)
    doubt = "not all of it is verified; " if cell.state == "doubtful" else ""
    return f"{escape(cell.text)}\n[dim]{doubt}{escape(', '.join(pages))}[/dim]"


def print_search(found: SearchResult) -> None:
    console = Console()
    if not found.hits:
        console.print("Nothing found: the collection is empty, or no word of the question stands in it.")
    for rank, hit in enumerate(found.hits, start=1):
        metadata = hit.node.metadata
        page = metadata["page_label"] or metadata["page"]
        place = escape(f"{metadata['source']}, p. {page}  {metadata['section']}")
        score = "not scored" if hit.score is None else f"{hit.score:.3f}"
        console.print(f"[bold]{rank}. {place}[/bold]  [dim]{score}[/dim]", highlight=False)
        console.print(escape(_excerpt(hit.text)), highlight=False)
        console.print()
    _print_ranking(found, console)


def print_answer(events: Iterable[Event]) -> Answer:
    """Writes the answer as it comes, then which of its statements are in doubt, then its citations; returns it.

    Raises ValueError where the events end without it.
    """
    console = Console()
    for event in events:
        if isinstance(event, Token):
            console.print(event.text, end="", markup=False, highlight=False, soft_wrap=True)
        elif isinstance(event, Finished):
            console.print("\n")
            _print_doubts(event.answer, console)
            _print_evidence(event.answer, console)
            return event.answer
    raise ValueError("Expected a finished answer as the last event, got none.")


def _print_doubts(answer: Answer, console: Console) -> None:
    """The statements that are not verified, each behind the sign of its state, and what the signs mean."""
    doubted = [statement for statement in answer.statements if statement.state != "verified"]
    for statement in doubted:
        words = " ".join(answer.text[statement.start : statement.end].split())
        console.print(f"[yellow]{_STATE_SIGNS[statement.state]}[/yellow] {escape(_excerpt(words))}", highlight=False)
    for state in dict.fromkeys(statement.state for statement in doubted):
        console.print(f"[dim]{_STATE_SIGNS[state]} {_STATE_NOTES[state]}[/dim]", highlight=False)
    if doubted:
        console.print()


def _print_evidence(answer: Answer, console: Console) -> None:
    cited = {citation.number for citation in answer.citations}
    links_of = {passage.number: passage.links for passage in answer.passages}
    lines = []
    for citation in answer.citations:
        page = citation.page_label or citation.page
        mark = "" if citation.verified else f"  [yellow]({_STATE_NOTES[citation.state]})[/yellow]"
        place = escape(f"[{citation.number}] {citation.source}, p. {page}  {citation.section}")
        if citation.ocr_confidence is not None:
            mark += f"  [yellow]({ocr_note(citation.ocr_confidence)})[/yellow]"
        notes = [link_note(link) for link in links_of[citation.number] if link.number in cited]
        if notes:
            mark += f"  [dim]({escape('; '.join(notes))})[/dim]"
        lines.append(f"[bold]{place}[/bold]{mark}")
    for line in dict.fromkeys(lines):  # two quotes of one place need one line
        console.print(line, highlight=False)
    if not answer.refused:
        others = [passage for passage in answer.passages if passage.number not in cited]
        places = dict.fromkeys(f"{passage.source}, p. {passage.page_label or passage.page}" for passage in others)
        if places:
            console.print(f"[dim]Also read: {escape('; '.join(places))}[/dim]", highlight=False)
    if answer.left_out:
        console.print(f"[yellow]{left_out_note(answer.left_out)}[/yellow]", highlight=False)
    if answer.reasoning:
        console.print(f"[dim]What the language model reasoned:\n{escape(answer.reasoning)}[/dim]", highlight=False)
    _print_ranking(answer, console)


def left_out_note(count: int) -> str:
    """That passages which were found had no room in the prompt."""
    passages = "1 passage was" if count == 1 else f"{count} passages were"
    return f"{passages} found but not read: the language model had no room for more (llm_context_tokens)."


def _print_ranking(result: SearchResult | Answer, console: Console) -> None:
    """What the reranker was told, how far it came, and the time of each stage."""
    if result.instruction is not None:
        console.print(f"[dim]Ranked by the instruction: {escape(result.instruction)}[/dim]", highlight=False)
    if result.scored < result.candidates:
        console.print(
            f"[dim]Only {result.scored} of {result.candidates} candidates were scored in the time allowed.[/dim]",
            highlight=False,
        )
    stages = ", ".join(f"{stage} {milliseconds:.0f} ms" for stage, milliseconds in result.timings_ms.items())
    console.print(f"[dim]{stages}[/dim]", highlight=False)


def print_rerank(ranking: Ranking) -> None:
    console = Console()
    for entry in ranking.results:
        console.print(
            f"{entry.score:.4f}  line {entry.index + 1}: {_excerpt(entry.text)}", markup=False, highlight=False
        )


def print_documents(records: Sequence[DocumentRecord], kind: Kind) -> None:
    # Ids and names are typed again into other commands: they are never cut.
    table = Table(caption=f"kind of the collection: {kind}")
    table.add_column("id", no_wrap=True)
    table.add_column("source", overflow="fold")
    for name in ("title", "pages", "passages", "ingested"):
        table.add_column(name)
    for record in records:
        table.add_row(
            record.document_id,
            escape(record.source),
            escape(record.title),
            str(record.pages),
            str(record.chunks),
            f"{record.ingested_at.astimezone():%Y-%m-%d %H:%M}",
        )
    Console().print(table)


def print_document(record: DocumentRecord, pages: Sequence[PageRecord], nodes: Sequence[BaseNode]) -> None:
    console = Console()
    console.print(f"[bold]{escape(record.title)}[/bold]  {escape(str(record.path))}", highlight=False)
    notes = [f"also as {file.path}" for file in record.files[1:]]
    notes += [f"a revision of {record.revision_of}"] if record.revision_of else []
    notes += [f"tags: {', '.join(record.tags)}"] if record.tags else []
    notes += [f"{name}: {value}" for name, value in (record.media.facts if record.media else ())]
    for page in pages:
        if page.ocr:
            notes.append(f"page {page.label or page.number} {ocr_note(page.ocr.confidence)}: {page.ocr.reason}")
        if page.problem:
            notes.append(f"page {page.label or page.number}: {page.problem}")
    for note in notes:
        console.print(f"[yellow]{escape(note)}[/yellow]", highlight=False)
    for node in nodes:
        page = node.metadata["page_label"] or node.metadata["page"]
        place = escape(f"p. {page}  {node.metadata['section']}")
        console.print(f"\n[bold]{place}[/bold]  [dim]{node.node_id}[/dim]", highlight=False)
        console.print(escape(_excerpt(node.get_content())), highlight=False)


def _excerpt(text: str) -> str:
    return text if len(text) <= EXCERPT_CHARACTERS else text[: EXCERPT_CHARACTERS - 3] + "..."
