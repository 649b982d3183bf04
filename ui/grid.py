"""The clause grid: the same questions asked of many documents, a cell for each answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ingest.errors import RagError, StorageError
from ingest.records import DocumentRecord
from rag_app.answer import Event
from rag_app.grid import GRID_FORMATS, Cell, Grid, ask_cell, questions_in
from rag_app.grids import Place, SavedGrid
from ui import history
from ui.choosing import choose_documents
from ui.markup import answer_html, escape_label, place, shorten
from ui.sources import chips, document_pane
from ui.state import Chat, answer_sources, cited_sources
from ui.text import say
from ui.uploading import empty_collection

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

MAX_QUESTIONS = 20
MAX_CELLS = 2000
_ROWS_SHOWN = 20
_TITLE_LENGTH = 90
_CELL_LENGTH = 150
_PROGRESS_LENGTH = 60
_FORM_HEIGHT = 124

# No state is told by its colour alone.
# A quote is the document's own words, which is not to say that they answer.
Shown = Literal["found", "quoted", "doubtful", "refused"]
_SIGNS: dict[Shown, str] = {"found": "✓", "quoted": "“”", "doubtful": "?", "refused": "–"}
_MARK = re.compile(r" ?\[\d{1,3}\]")
_TABLE_HEAD = re.compile(r"^\|.*\|\s*\n\|(?:\s*:?-+:?\s*\|)+\s*$", re.MULTILINE)
_BORDERS = re.compile(r"(?: ?(?<!\\)\| ?)+")


@dataclass(slots=True)
class Run:
    """The questions that were asked of documents of a collection, and the cells answered so far.

    `opened` is the cell that is shown whole. `error` is the sentence that ended the asking, `trouble` the one that says
    why it is not kept; `grid_id` is what it is kept under, "" where it is not.
    """

    collection: str
    questions: tuple[str, ...]
    documents: tuple[DocumentRecord, ...]
    cells: dict[Place, Cell] = field(default_factory=dict)
    running: bool = True
    error: str = ""
    opened: Place | None = None
    trouble: str = ""
    grid_id: str = ""

    @property
    def size(self) -> int:
        return len(self.questions) * len(self.documents)

    def missing(self) -> list[tuple[DocumentRecord, str]]:
        """What is still to be asked, document by document."""
        return [
            (document, question)
            for document in self.documents
            for question in self.questions
            if (document.document_id, question) not in self.cells
        ]

    def grid(self) -> Grid:
        """The documents that have answered every question."""
        rows = [
            tuple(self.cells[document.document_id, question] for question in self.questions)
            for document in self.documents
            if all((document.document_id, question) in self.cells for question in self.questions)
        ]
        return Grid(self.questions, tuple(rows))

    def resume(self) -> None:
        self.running, self.error = True, ""

    def stop(self) -> None:
        self.running = False


def page(assistant: Assistant, chat: Chat) -> None:
    """What to ask of which documents, the cells as they are answered, and the one that was opened beside them.

    A click anywhere ends this run of the script; the next one goes on with the cells that are missing.
    """
    st.title(say("app.grid"), anchor=False)
    if not assistant.library.document_count:
        empty_collection(assistant, chat)
        return
    st.markdown(say("grid.purpose"))
    run = _run_of(assistant)
    with st.expander(say("grid.form"), expanded=run is None):
        _form(assistant, chat, run)
    if run is None:
        return
    beside = st.container()
    if run.opened in run.cells:
        beside, pane = st.columns([3, 2], gap="medium")
        with pane:
            _opened_cell(assistant, chat, run, run.cells[run.opened])
    with beside:
        progress = st.empty()
        places = _table(chat, run)
        if run.running:
            _ask(assistant, chat, run, progress, places)
        with progress.container():
            _outcome(run)


def _run_of(assistant: Assistant) -> Run | None:
    """What was last asked of this collection: in this session, else in this browser."""
    run: Run | None = st.session_state.get("grid-run")
    if run and run.collection == assistant.collection:
        return run
    try:
        saved = assistant.home.grids.read(history.visitor(), assistant.collection)
    except StorageError as error:  # questions can be asked without the grid before
        st.warning(escape_label(str(error)))
        return None
    if saved and (run := _as_it_was(assistant, saved)):
        st.session_state["grid-run"] = run
        return run
    return None


def _as_it_was(assistant: Assistant, saved: SavedGrid) -> Run | None:
    """The grid that was kept, as one that was stopped; without the documents that have gone, None where all have."""
    records = filter(None, map(assistant.library.catalog.document, saved.documents))
    documents = {record.document_id: record for record in records}
    cells = {
        (document_id, question): Cell(documents[document_id], question, answer)
        for (document_id, question), answer in saved.answers.items()
        if document_id in documents
    }
    if not documents:
        return None
    asked = tuple(documents.values())
    return Run(assistant.collection, saved.questions, asked, cells, running=False, grid_id=saved.grid_id)


def _begin(assistant: Assistant, run: Run) -> None:
    """Notes what is asked, so that the browser finds it again."""
    if visitor := history.visitor():
        ids = [document.document_id for document in run.documents]
        try:
            run.grid_id = assistant.home.grids.begin(visitor, run.collection, run.questions, ids)
        except StorageError as error:
            run.trouble = str(error)


def _keep(assistant: Assistant, run: Run, where: Place) -> None:
    if run.grid_id:
        try:
            assistant.home.grids.keep(run.grid_id, where, run.cells[where].answer)
        except StorageError as error:
            run.trouble = str(error)


def _form(assistant: Assistant, chat: Chat, run: Run | None) -> None:
    """Each collection has its own questions and documents, at first those of the grid that is shown."""
    documents_key = f"grid-documents-{assistant.collection}"
    if run and len(run.documents) < assistant.library.document_count:
        st.session_state.setdefault(documents_key, [document.document_id for document in run.documents])
    with st.form("grid-form", border=False):
        left, right = st.columns(2, gap="medium")
        text = left.text_area(
            say("grid.questions"),
            value="\n".join(run.questions) if run else "",
            placeholder=say("grid.questions-example"),
            height=_FORM_HEIGHT,
            key=f"grid-questions-{assistant.collection}",
            persist_state="session",
        )
        with right:
            chosen = choose_documents(
                assistant,
                say("grid.documents"),
                key=documents_key,
                placeholder=say("grid.all-documents", count=assistant.library.document_count),
            )
            asked = st.form_submit_button(say("grid.ask"), type="primary", key="grid-ask")
    if asked:
        questions = questions_in(text)
        read = [one for one in assistant.library.documents() if not chosen or one.document_id in chosen]
        if problem := _problem(questions, read):
            st.error(problem)
        else:
            st.session_state["grid-run"] = run = Run(assistant.collection, tuple(questions), tuple(read))
            _begin(assistant, run)
            chat.open(None)
            st.rerun()  # the form above gives way to the cells


def _problem(questions: Sequence[str], documents: Sequence[DocumentRecord]) -> str:
    """Why this cannot be asked, in a sentence; "" where it can."""
    if not questions:
        return say("grid.no-questions")
    if len(questions) > MAX_QUESTIONS:
        return say("grid.many-questions", most=MAX_QUESTIONS, questions=len(questions))
    if len(questions) * len(documents) > MAX_CELLS:
        return say("grid.many-cells", most=MAX_CELLS, questions=len(questions), documents=len(documents))
    return ""


def _table(chat: Chat, run: Run) -> dict[Place, DeltaGenerator]:
    """A row a document, a column a question; the places of the cells that are shown."""
    pages = -(-len(run.documents) // _ROWS_SHOWN)
    first = (st.pagination(pages, key="grid-page") - 1) * _ROWS_SHOWN if pages > 1 else 0
    places: dict[Place, DeltaGenerator] = {}
    with st.container(key="grid-table", gap=None):
        with _row("head"):
            st.markdown(f"**{say('grid.document')}**")
            for question in run.questions:
                st.markdown(f"**{escape_label(question)}**")
        for number, document in enumerate(run.documents[first : first + _ROWS_SHOWN]):
            with _row(str(number)):
                st.markdown(f"{escape_label(_title(document))}  \n:small[{escape_label(document.source)}]")
                for question in run.questions:
                    where = document.document_id, question
                    places[where] = st.empty()
                    _draw_cell(chat, run, where, places[where])
    return places


def _row(name: str) -> DeltaGenerator:
    return st.container(horizontal=True, wrap=False, gap=None, key=f"grid-row-{name}")


def _draw_cell(chat: Chat, run: Run, where: Place, there: DeltaGenerator) -> None:
    cell = run.cells.get(where)
    if cell is None:
        if run.running:
            there.caption(say("grid.waiting"))
        return
    document_id, question = where
    there.button(
        _summary(cell),
        key=f"grid-cell-{_shown(cell)}-{document_id}-{run.questions.index(question)}",
        help=escape_label(f"{_title(cell.document)}: {question}"),
        type="primary" if where == run.opened else "secondary",
        width="stretch",
        wrap=True,
        on_click=_open,
        args=(chat, run, where),
    )


def _summary(cell: Cell) -> str:
    """The label of a cell: its state, where the answer stands, and how it begins."""
    head = f"**{_SIGNS[_shown(cell)]} {say(f'grid.state-{_shown(cell)}')}**"
    if cell.state == "refused":
        return head
    pages = [place(one.page, one.page_label, has_pages=bool(one.boxes)) for one in cell.answer.citations]
    where = "".join(f" · {escape_label(page)}" for page in dict.fromkeys(filter(None, pages)))
    return f"{head}{where}  \n{escape_label(_beginning(cell.text))}"


def _beginning(text: str) -> str:
    """The first words of an answer, without its marks and the heads and lines of its tables."""
    line = " ".join(_TABLE_HEAD.sub("", _MARK.sub("", text)).split())
    words = _BORDERS.sub(" · ", line).strip(" ·")
    return words if len(words) <= _CELL_LENGTH else f"{words[:_CELL_LENGTH]}…"


def _shown(cell: Cell) -> Shown:
    return "quoted" if cell.state == "found" and cell.answer.quoted else cell.state


def _open(chat: Chat, run: Run, where: Place | None) -> None:
    """Shows a cell whole, and the page of its first citation; None closes it."""
    run.opened = where
    sources = cited_sources(run.cells[where].answer) if where else []
    chat.open(sources[0] if sources else None)


def _opened_cell(assistant: Assistant, chat: Chat, run: Run, cell: Cell) -> None:
    answer = cell.answer
    with st.container(key="grid-cell", border=True):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            st.markdown(f"**{escape_label(cell.question)}**", width="stretch")
            st.button(
                say("grid.close"),
                icon=":material/close:",
                key="grid-close",
                type="tertiary",
                on_click=_open,
                args=(chat, run, None),
            )
        state, meaning = say(f"grid.state-{_shown(cell)}"), say(f"grid.meaning-{_shown(cell)}")
        st.caption(f"{escape_label(_title(cell.document))} · {_SIGNS[_shown(cell)]} {state}: {meaning}")
        st.html(answer_html(answer))
        chips(chat, answer_sources(answer), "grid")
    if chat.opened:
        document_pane(assistant, chat, chat.opened)


def _ask(
    assistant: Assistant, chat: Chat, run: Run, progress: DeltaGenerator, places: Mapping[Place, DeltaGenerator]
) -> None:
    """Asks what is missing, cell by cell, until a click ends this run of the script."""
    with progress.container(horizontal=True, vertical_alignment="center", wrap=False):
        bar = st.progress(0.0, width="stretch")
        st.button(say("grid.stop"), icon=":material/stop_circle:", key="grid-stop", type="tertiary", on_click=run.stop)
    for document, question in run.missing():
        where = document.document_id, question
        now = shorten(f"{document.source}: {question}", _PROGRESS_LENGTH)
        text = f"{say('grid.progress', done=len(run.cells), all=run.size)} · {escape_label(now)}"
        # Whatever is shown is where a click takes effect: also in the middle of a long answer.
        show = partial(_show_progress, bar, len(run.cells) / run.size, text)
        try:
            run.cells[where] = ask_cell(assistant, document, question, on_event=show)
        except RagError as error:
            run.error = str(error)
            break
        _keep(assistant, run, where)
        if where in places:
            _draw_cell(chat, run, where, places[where])
    run.stop()
    st.rerun()


def _show_progress(bar: DeltaGenerator, fraction: float, text: str, event: Event) -> None:
    bar.progress(fraction, text=text)


def _outcome(run: Run) -> None:
    """How the cells turned out, what is missing, and the files to take along."""
    if run.error:
        st.error(escape_label(run.error), icon=":material/error:")
    if run.trouble:
        st.warning(escape_label(run.trouble))
    with st.container(horizontal=True, vertical_alignment="center", key="grid-outcome"):
        st.markdown(" · ".join(_counts(run)), width="stretch")
        if run.missing():
            st.button(say("grid.resume"), icon=":material/play_arrow:", key="grid-resume", on_click=run.resume)
        grid = run.grid()
        for suffix, content_of in GRID_FORMATS.items():
            st.download_button(
                suffix.removeprefix(".").upper(),
                data=partial(content_of, grid),
                file_name=f"{run.collection}-grid{suffix}",
                icon=":material/download:",
                key=f"grid-download{suffix}",
                help=say("grid.download", format=suffix.removeprefix(".").upper()),
                disabled=not grid.rows,
                on_click="ignore",
            )
    if run.missing():
        st.caption(say("grid.unfinished", done=len(run.cells), all=run.size))


def _counts(run: Run) -> Iterator[str]:
    states = [_shown(cell) for cell in run.cells.values()]
    for state, sign in _SIGNS.items():
        if state in states:
            yield f"{sign} {states.count(state)} {say(f'grid.state-{state}')}"


def _title(document: DocumentRecord) -> str:
    return document.title or document.source
