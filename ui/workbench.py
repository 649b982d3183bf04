"""The rerank workbench: texts ranked for a query by one reranker and instruction, or by two side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from ingest.errors import RagError
from rag_app.reranking import (
    MAX_CANDIDATES,
    Candidate,
    Comparison,
    Contestant,
    check_candidates,
    numbered_texts,
    rank,
    unique,
)
from retrievers.hybrid import MAX_QUESTION_CHARACTERS
from retrievers.rerank.instructions import INSTRUCTIONS
from ui.choosing import choose_documents, choose_instruction
from ui.markup import escape_label, shorten
from ui.ranked import ranked_html
from ui.sources import chips, document_pane
from ui.state import Chat, passage_sources
from ui.text import say

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

MAX_FILE_MEGABYTES = 5
LEAST_ROW_TOKENS = 256

_RESULT = "workbench-result"
_TITLE_LENGTH = 60
_CHIPS = 8


@dataclass(frozen=True, slots=True)
class Side:
    """What one ranking is made by; `row_tokens` None: as the reranker has it."""

    contestant: Contestant
    instruction: str | None
    row_tokens: int | None


@dataclass(frozen=True, slots=True)
class Result:
    """What the page shows until the next ranking, also when something else on it changes."""

    collection: str
    sides: tuple[Side, ...]
    comparison: Comparison


def page(assistant: Assistant, chat: Chat) -> None:
    """What to rank and by what, and below it the ranking; a page beside it where one is opened."""
    beside = st.container()
    if chat.opened:
        beside, pane = st.columns(2, gap="medium")
        with pane:
            document_pane(assistant, chat, chat.opened)
    with beside:
        st.title(say("app.workbench"), anchor=False)
        st.caption(say("workbench.about"))
        query = st.text_input(say("workbench.query"), max_chars=MAX_QUESTION_CHARACTERS, key="workbench-query")
        gathered = _candidates(assistant)
        sides = _sides(assistant.contestants())
        if st.button(say("workbench.go"), icon=":material/swap_vert:", type="primary", key="workbench-go"):
            _rank(assistant, query, gathered, sides)
        result: Result | None = st.session_state.get(_RESULT)
        if result and result.collection == assistant.collection:
            _show(chat, result)


def _candidates(assistant: Assistant) -> list[Candidate] | RagError:
    """All texts that the page was given, or what is wrong with one of its sources, which "Rank" shows."""
    typed = st.text_area(
        say("workbench.texts"),
        height=180,
        placeholder=say("workbench.texts-example"),
        help=say("workbench.texts-help", most=MAX_CANDIDATES),
        key="workbench-texts",
    )
    found = [
        Candidate(line.strip(), say("workbench.line", number=number))
        for number, line in enumerate(typed.splitlines(), start=1)
        if line.strip()
    ]
    with st.expander(say("workbench.more"), icon=":material/attach_file:"):
        files = st.file_uploader(
            say("workbench.files"),
            type=["txt", "jsonl"],
            accept_multiple_files=True,
            max_upload_size=MAX_FILE_MEGABYTES,
            help=say("workbench.files-help"),
            key="workbench-files",
        )
        documents = choose_documents(
            assistant,
            say("workbench.documents"),
            key="workbench-documents",
            placeholder=say("workbench.documents-none"),
        )
    try:
        for file in files:
            found += [
                Candidate(text.strip(), f"{file.name}, {say('workbench.line', number=number)}")
                for number, text in numbered_texts(file.getvalue(), file.name)
            ]
        for document in documents:
            found += assistant.candidates(document)
    except RagError as error:
        return error
    return found


def _sides(contestants: Sequence[Contestant]) -> list[Side]:
    """The reranker and what it is told; two where they are to be compared."""
    compared = st.toggle(say("workbench.compare"), key="workbench-compare")
    columns = st.columns(2, gap="medium") if compared else [st.container()]
    sides = []
    for number, column in enumerate(columns):
        with column:
            sides.append(_side(contestants, number, compared=compared))
    return sides


def _side(contestants: Sequence[Contestant], number: int, *, compared: bool) -> Side:
    numbers = range(len(contestants))
    # Two instructions are compared where one is followed, else two rerankers.
    other = 1 if number and not contestants[0].follows_instructions else 0
    label = say("workbench.reranker-of", letter="AB"[number]) if compared else say("workbench.reranker")
    chosen = st.selectbox(
        label,
        numbers,
        index=other,
        format_func=lambda index: contestant_name(contestants[index]),
        key=f"workbench-reranker-{number}",
    )
    contestant = contestants[chosen]
    instruction = None
    if contestant.follows_instructions:
        name = list(INSTRUCTIONS)[number]  # two that differ, where two are compared
        key = f"workbench-instruction-{number}"
        # Without words yet there is nothing to rank by; None would be the reranker's own instruction.
        instruction = choose_instruction(key, automatic=False, chosen=name) or ""
    else:
        st.caption(say("workbench.follows-none"))
    return Side(contestant, instruction, _row_tokens(contestant, number))


def _row_tokens(contestant: Contestant, number: int) -> int | None:
    """A choice only where the reranker has one and is loaded: its device decides the most that makes sense."""
    most = contestant.row_tokens
    if most is None or most <= LEAST_ROW_TOKENS:
        return None
    sizes = [LEAST_ROW_TOKENS]
    while sizes[-1] * 2 <= most:
        sizes.append(sizes[-1] * 2)
    if sizes[-1] != most:
        sizes.append(most)
    return st.select_slider(
        say("workbench.batch"),
        sizes,
        value=most,
        help=say("workbench.batch-help"),
        key=f"workbench-batch-{number}-{contestant.name}-{most}",
    )


def _rank(assistant: Assistant, query: str, gathered: list[Candidate] | RagError, sides: Sequence[Side]) -> None:
    """Keeps the result for the page; what went wrong is a sentence on it."""
    try:
        if isinstance(gathered, RagError):
            raise gathered
        candidates = unique(gathered)
        check_candidates(candidates)
        texts = [candidate.text for candidate in candidates]
        rankings = []
        for side in sides:
            model = side.contestant.model
            if model.state != "loaded":
                with st.spinner(say("models.loading", name=escape_label(model.name))):
                    model.get()
            with st.spinner(say("workbench.ranking", count=len(texts))):
                told = None if side.instruction is None else side.instruction.strip()
                rankings.append(rank(query, texts, model.get(), instruction=told, row_tokens=side.row_tokens))
    except RagError as error:
        st.session_state.pop(_RESULT, None)
        st.error(escape_label(str(error)), icon=":material/error:")
        return
    names = tuple(side.contestant.name for side in sides)
    comparison = Comparison(query, candidates, names, tuple(rankings))
    st.session_state[_RESULT] = Result(assistant.collection, tuple(sides), comparison)


def _show(chat: Chat, result: Result) -> None:
    comparison = result.comparison
    st.subheader(say("workbench.results", count=len(comparison.candidates)), anchor=False)
    columns = st.columns(len(result.sides), gap="medium")
    for number, (column, side, ranking) in enumerate(zip(columns, result.sides, comparison.rankings, strict=True)):
        with column:
            st.markdown(f"**{escape_label(_heading(side, ranking.instruction))}**")
            scale = say(f"workbench.scale-{side.contestant.scale}")
            st.caption(f"{scale} {say('workbench.took', seconds=f'{ranking.milliseconds / 1000:.2f}')}")
            before = comparison.rankings[0].ranks if number else {}
            st.html(ranked_html(ranking, comparison.candidates, side.contestant.scale, before))
    _originals(chat, comparison)
    with st.container(horizontal=True):
        st.download_button(
            say("workbench.json"),
            json.dumps(comparison.as_dict(), ensure_ascii=False, indent=1),
            file_name="ranking.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
            key="workbench-json",
        )
        st.download_button(
            say("workbench.csv"),
            comparison.as_csv(),
            file_name="ranking.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            key="workbench-csv",
        )


def _heading(side: Side, instruction: str | None) -> str:
    name = contestant_name(side.contestant)
    return f"{name} · {shorten(instruction, _TITLE_LENGTH)}" if instruction else name


def _originals(chat: Chat, comparison: Comparison) -> None:
    """Buttons that open the pages of the best passages of the collection."""
    passages = []
    for position, result in enumerate(comparison.rankings[0].results, start=1):
        passage = comparison.candidates[result.index].passage
        if passage:
            passages.append((position, passage))
    if passages:
        st.caption(say("workbench.originals"))
        sources = passage_sources([replace(passage, number=position) for position, passage in passages[:_CHIPS]])
        chips(chat, sources, "workbench")


def contestant_name(contestant: Contestant) -> str:
    """The reranker's name in the reader's language."""
    return say(f"workbench.late-{contestant.weights}") if contestant.weights else contestant.name
