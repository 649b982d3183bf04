"""`rag-app`: every command of the product. Commands import what they run, so that --help is quick."""

from __future__ import annotations

import json as jsonlib
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ingest.cli import IngestRequest, JsonOption, ingest_command, run_ingest
from ingest.errors import RagError, UsageError

if TYPE_CHECKING:
    from rag_app.assistant import Assistant
    from rag_app.settings import Settings

app = typer.Typer(
    help="Answers questions about your manuals and contracts, with citations that open the right page.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
documents_app = typer.Typer(help="The documents of a collection.", no_args_is_help=True)
config_app = typer.Typer(help="The settings in force.", no_args_is_help=True)
feedback_app = typer.Typer(help="What readers said of answers.", no_args_is_help=True)
app.add_typer(documents_app, name="documents")
app.add_typer(config_app, name="config")
app.add_typer(feedback_app, name="feedback")

HomeOption = Annotated[Path | None, typer.Option("--home", help="Where the collections live (RAG_HOME).")]
CollectionOption = Annotated[str | None, typer.Option("--collection", help="The collection (RAG_COLLECTION).")]
InstructionOption = Annotated[
    str | None,
    typer.Option(
        "--instruction",
        help="What counts as relevant: a name such as fault-code or clause, or a sentence. Read by rerankers that "
        "follow instructions; not given: the one that fits the question and the kind of the collection.",
    ),
]
DocumentOption = Annotated[
    list[str] | None,
    typer.Option("--document", help="Read only this document, by name or id; may be repeated."),
]
StrategyName = Literal["bm25", "dense", "hybrid", "rerank"]


def main() -> None:
    """Runs the command line; errors written for people are printed as one sentence, without a traceback."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except RagError as error:
        typer.echo(f"rag-app: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("rag-app: stopped.", err=True)
        sys.exit(130)


def _ingest(request: IngestRequest, home: Path | None, collection: str | None, as_json: bool) -> int:
    settings = _settings(home, collection)
    return run_ingest(request, settings.location, settings.embedder, settings.chunking, as_json=as_json)


app.command()(ingest_command(_ingest))


@app.command()
def search(
    query: Annotated[str, typer.Argument(show_default=False)],
    strategy: Annotated[StrategyName, typer.Option(help="How to rank.")] = "rerank",
    top_k: Annotated[int, typer.Option(min=1, max=1000, help="How many passages.")] = 8,
    instruction: InstructionOption = None,
    document: DocumentOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
    collection: CollectionOption = None,
) -> None:
    """Show the passages that match a question best."""
    from rag_app.render import print_search, search_as_dict

    with _assistant(_settings(home, collection), writes=False) as assistant:
        found = assistant.search(
            query, strategy=strategy, top_k=top_k, instruction=instruction, documents=document or ()
        )
        _note_unused(instruction, found.instruction)
    if json:
        _print_json(search_as_dict(found))
    else:
        print_search(found)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(show_default=False)],
    history: Annotated[
        Path | None, typer.Option(help='Earlier turns: a JSON list of {"question", "answer"}, oldest first.')
    ] = None,
    instruction: InstructionOption = None,
    document: DocumentOption = None,
    thinking: Annotated[
        bool, typer.Option("--thinking", help="Let the language model reason, and show it below (RAG_LLM_THINKING).")
    ] = False,
    evidence: Annotated[
        Path | None,
        typer.Option(help="Write the answer with its quotes, pages, scores and models to this file, .pdf or .json."),
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
    collection: CollectionOption = None,
) -> None:
    """Answer a question from the documents, with citations; or say that they do not tell."""
    from datetime import datetime

    from rag_app.answer import Finished
    from rag_app.evidence_pack import PACK_FORMATS, evidence_pack
    from rag_app.history import read_history
    from rag_app.render import answer_as_dict, print_answer
    from rag_app.writing import writer

    turns = read_history(history) if history else ()
    write = writer(evidence, PACK_FORMATS) if evidence else None
    with _assistant(_settings(home, collection, llm_thinking=thinking or None)) as assistant:
        if not assistant.follows_instructions:
            _note_unused(instruction, None)
        events = assistant.ask(question, turns, instruction=instruction, documents=document or ())
        if json:
            answer = next(event.answer for event in events if isinstance(event, Finished))
            _print_json(answer_as_dict(answer))
        else:
            answer = print_answer(events)
        if write:
            now = datetime.now().astimezone()
            write(evidence_pack(assistant, answer, asked=question, answered_at=now, searched=document or ()))


@app.command()
def grid(
    questions: Annotated[Path, typer.Argument(help="A text file with one question a line.", show_default=False)],
    document: DocumentOption = None,
    out: Annotated[Path | None, typer.Option(help="Write the grid to this file, .csv or .xlsx.")] = None,
    json: JsonOption = False,
    home: HomeOption = None,
    collection: CollectionOption = None,
) -> None:
    """Ask the same questions of many documents, each alone: one cited answer or refusal in each cell."""
    from rag_app.grid import GRID_FORMATS, ask_grid, read_questions
    from rag_app.render import cells_shown, print_grid
    from rag_app.writing import writer

    asked = read_questions(questions)
    write = writer(out, GRID_FORMATS) if out else None
    with _assistant(_settings(home, collection)) as assistant:
        cells = len(asked) * len(document or assistant.library.documents())
        with cells_shown(cells) as on_cell:
            answered = ask_grid(assistant, asked, document or (), on_cell=on_cell)
    if write:
        write(answered)
    if json:
        _print_json(answered.as_dict())
    else:
        print_grid(answered)


@app.command()
def rerank(
    query: Annotated[str, typer.Option("--query", help="The question.", show_default=False)],
    documents: Annotated[
        Path, typer.Option("--documents", help='One text a line, or JSON lines with "text".', show_default=False)
    ],
    instruction: InstructionOption = None,
    json: JsonOption = False,
) -> None:
    """Rank the texts of a file for a question; no index is needed."""
    from rag_app.render import print_rerank
    from rag_app.reranking import rerank_file

    result = rerank_file(query, documents, _settings(None, None), instruction=instruction)
    _note_unused(instruction, result.instruction)
    if json:
        _print_json(result.as_dict())
    else:
        print_rerank(result)


@app.command(name="eval")
def evaluate(
    dataset: Annotated[Path, typer.Argument(help="A folder with corpus.jsonl, queries.jsonl and qrels.tsv.")],
    strategies: Annotated[str, typer.Option(help="Of bm25, dense, hybrid, rerank; separated by commas.")] = (
        "bm25,dense,hybrid,rerank"
    ),
    instructions: Annotated[
        str, typer.Option(help="Ask strategy rerank once with each of these; names or texts, separated by commas.")
    ] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="Ask only so many questions, drawn by the seed.")] = None,
    split_seed: Annotated[int, typer.Option(help="The seed of that draw.")] = 0,
    lang: Annotated[str | None, typer.Option(help="Ask only questions of this language.")] = None,
    follow_ups: Annotated[
        bool, typer.Option("--follow-ups", help="Ask only follow-ups: as they were typed, and made to stand alone.")
    ] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw quality against time into this PNG.")] = None,
    details: Annotated[
        bool, typer.Option("--details", help="With --json also every question and the passages that came first.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Measure the ranking on a question set, strategies side by side."""
    from rag_app.benchmark import run_benchmark
    from rag_app.question_set import Sample
    from rag_app.render import progress_shown

    if details and not json:
        raise UsageError("--details belongs to --json; add it, or open the evaluation on the page of the chat.")
    with progress_shown() as on_progress:
        report = run_benchmark(
            dataset,
            _listed(strategies),
            Sample(limit, split_seed, lang, follow_ups),
            _settings(None, None),
            instructions=_listed(instructions),
            on_progress=on_progress,
        )
    if plot:
        from rag_app.plot import plot_report

        plot_report(report, plot)
    if json:
        _print_json(report.as_dict(details=details))
    else:
        from rich.console import Console

        from rag_app.evaluation import report_table

        Console().print(report_table(report))


@app.command()
def calibrate(
    datasets: Annotated[list[Path], typer.Argument(help="Folders as `eval` reads them.", show_default=False)],
    limit: Annotated[
        int | None, typer.Option(min=1, help="Ask only so many answerable and unanswerable questions of each.")
    ] = None,
    split_seed: Annotated[int, typer.Option(help="The seed of that draw.")] = 0,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Fit the gate to labelled questions, for the reranker in force, and keep that in the home."""
    from datetime import date

    from rag_app.benchmark import observe
    from rag_app.calibration import calibrate, calibration_tables, keep, report_as_dict
    from rag_app.gate import LATE_INTERACTION_FEATURES, OWN_SCORE_FEATURES
    from rag_app.question_set import Sample
    from rag_app.render import progress_shown
    from rag_app.rerankers import describe_reranker

    settings = _settings(home, None)
    with progress_shown() as on_progress:
        observations = observe(datasets, Sample(limit, split_seed), settings, on_progress=on_progress)
    report = calibrate(
        observations,
        LATE_INTERACTION_FEATURES if settings.profile == "embedded" else OWN_SCORE_FEATURES,
        reranker=describe_reranker(settings),
        date=date.today().isoformat(),
        threshold=settings.gate,
    )
    path = keep(report.model, settings.location.home)
    if json:
        _print_json(report_as_dict(report))
    else:
        from rich.console import Console

        for table in calibration_tables(report):
            Console().print(table)
        typer.echo(f"Kept in {path}.")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on (RAG_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port to listen on (RAG_PORT).")] = None,
    home: HomeOption = None,
    collection: CollectionOption = None,
) -> None:
    """Serve the chat, and the HTTP API beside it, until Ctrl-C.

    Large models are loaded when the first question needs them, or on the page Models. Where one cannot be used, the
    chat and the API say so instead of answering worse.
    """
    from rag_app.serve import listen
    from rag_app.serve import serve as serve_assistant

    settings = _settings(home, collection, host=host, port=port)
    listener = listen(settings.host, settings.port)
    address, bound_port = listener.getsockname()[:2]
    typer.echo(f"The chat is at http://{address}:{bound_port} in a few seconds (Ctrl-C stops it).")
    with _assistant(settings, create=True, load=False) as assistant:
        serve_assistant(assistant, listener)


@app.command()
def doctor(
    repair: Annotated[bool, typer.Option("--repair", help="Mend what does not agree in the index.")] = False,
    json: JsonOption = False,
    home: HomeOption = None,
    collection: CollectionOption = None,
) -> None:
    """Say what is installed, which profile runs, where the index is and whether it is consistent."""
    from rag_app.doctor import examine, mend, print_checks

    settings = _settings(home, collection)
    done = mend(settings) if repair else []
    report = examine(settings)
    if json:
        _print_json({**report.as_dict(), "repaired": done})
    else:
        for sentence in done or (["There was nothing to mend."] if repair else []):
            typer.echo(sentence)
        print_checks(report)
    raise typer.Exit(0 if report.healthy else 1)


@documents_app.command("list")
def list_documents(json: JsonOption = False, home: HomeOption = None, collection: CollectionOption = None) -> None:
    """List the documents of a collection."""
    from rag_app.render import document_as_dict, print_documents

    with _catalog(_settings(home, collection)) as catalog:
        records = catalog.documents()
        kind = catalog.kind()
    if json:
        _print_json({"kind": kind, "documents": [document_as_dict(record) for record in records]})
    else:
        print_documents(records, kind)


@documents_app.command("show")
def show_document(
    document: Annotated[str, typer.Argument(help="Its id or its source name.", show_default=False)],
    json: JsonOption = False,
    home: HomeOption = None,
    collection: CollectionOption = None,
) -> None:
    """Show a document and its passages."""
    from rag_app.library import find_document
    from rag_app.render import document_as_dict, pages_as_dicts, passages_as_dicts, print_document

    with _collection(_settings(home, collection)) as opened:
        record = find_document(opened.catalog, document)
        pages = opened.catalog.pages(record.document_id)
        nodes = opened.vectors.get_version(record.version)
    if json:
        details = {"page_records": pages_as_dicts(pages), "passages": passages_as_dicts(nodes)}
        _print_json({**document_as_dict(record), **details})
    else:
        print_document(record, pages, nodes)


@documents_app.command("tag")
def tag_document(
    document: Annotated[str, typer.Argument(help="Its id or its source name.", show_default=False)],
    add: Annotated[list[str] | None, typer.Option(help="A tag to add; may be repeated.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="A tag to take off; may be repeated.")] = None,
    json: JsonOption = False,
    home: HomeOption = None,
    collection: CollectionOption = None,
) -> None:
    """Add tags to a document, take them off, and show those that it has."""
    from rag_app.library import find_document

    with _catalog(_settings(home, collection)) as catalog:
        record = find_document(catalog, document)
        for tag in add or ():
            catalog.tag(record.document_id, tag)
        for tag in remove or ():
            catalog.untag(record.document_id, tag)
        tags = find_document(catalog, record.document_id).tags
    if json:
        _print_json({"document_id": record.document_id, "source": record.source, "tags": list(tags)})
    else:
        typer.echo(f"{record.source}: {', '.join(tags) or 'no tags'}")


@documents_app.command("remove")
def remove_document(
    document: Annotated[str, typer.Argument(help="Its id or its source name.", show_default=False)],
    json: JsonOption = False,
    home: HomeOption = None,
    collection: CollectionOption = None,
) -> None:
    """Remove a document from the collection; its file stays, unless it was uploaded in the chat."""
    from rag_app.library import find_document

    with _collection(_settings(home, collection)) as opened:
        record = find_document(opened.catalog, document)
        opened.remove(record.document_id)
    if json:
        _print_json({"removed": record.document_id, "source": record.source})
    else:
        typer.echo(f"Removed {record.source}.")


@feedback_app.command("export")
def export_feedback(
    file: Annotated[Path, typer.Argument(help="Where to write JSON lines.", show_default=False)],
    home: HomeOption = None,
) -> None:
    """Write what readers said of passages as training pairs: query, instruction, positive and negative passages."""
    from rag_app.feedback import FeedbackStore, export_pairs

    feedback = FeedbackStore(_settings(home, None).location.home).all()
    written = export_pairs(feedback, file)
    typer.echo(f"{written} training pairs written to {file}; {len(feedback) - written} opinions label no passage.")


@config_app.command("show")
def show_config(json: JsonOption = False, home: HomeOption = None, collection: CollectionOption = None) -> None:
    """Show every setting in force; keys and passwords are masked."""
    from rag_app.settings import config_file

    values = jsonlib.loads(_settings(home, collection).model_dump_json())
    if json:
        _print_json(values)
        return
    state = "" if config_file().is_file() else " (not there)"
    typer.echo(f"# {config_file()}{state}")
    for name, value in values.items():
        typer.echo(f"{name} = {jsonlib.dumps(value, ensure_ascii=False)}")


def _settings(home: Path | None, collection: str | None, **options: Any) -> Settings:
    from rag_app.settings import load_settings

    return load_settings(home=home, collection=collection, **options)


@contextmanager
def _assistant(
    settings: Settings, *, create: bool = False, writes: bool = True, load: bool = True
) -> Iterator[Assistant]:
    from rag_app.assistant import build_assistant

    assistant = build_assistant(settings, create=create, writes=writes, load=load)
    try:
        yield assistant
    finally:
        assistant.home.close()


@contextmanager
def _collection(settings: Settings) -> Iterator[Any]:
    from ingest.collection import Collection

    with Collection.open(settings.location, settings.embedder, settings.chunking) as collection:
        yield collection


@contextmanager
def _catalog(settings: Settings) -> Iterator[Any]:
    """The catalog alone: listing documents needs neither the indexes nor the lock of the home."""
    from ingest.catalog import Catalog, catalog_path, require_collection

    require_collection(settings.location)
    catalog = Catalog(catalog_path(settings.location))
    try:
        yield catalog
    finally:
        catalog.close()


def _note_unused(wanted: str | None, used: str | None) -> None:
    """Says on stderr that an instruction which was asked for has changed nothing."""
    if wanted is not None and used is None:
        typer.echo("rag-app: The instruction was not used: nothing that ranked here follows instructions.", err=True)


def _listed(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _print_json(value: Any) -> None:
    typer.echo(jsonlib.dumps(value, ensure_ascii=False))
