"""The evaluation page: run or load an evaluation, its table and plot, and the questions that a strategy got wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ingest.errors import RagError
from rag_app.evaluations import MAX_NAME, MAX_REPORT_BYTES, Evaluation, Evaluations, Run, Stopped
from rag_app.metrics import METRICS
from retrievers.hybrid import STRATEGIES
from retrievers.rerank.instructions import INSTRUCTIONS
from ui.evaluated import missed_html, strategies_html
from ui.markup import escape_label
from ui.state import Chat
from ui.text import say

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

REFRESH_SECONDS = 1.0
QUESTIONS = 50
MOST_QUESTIONS = 10_000
MOST_SHOWN = 50
DEPTHS = (1, 5, 20)

_CHOSEN, _ADDED, _SEEN = "evaluation-chosen", "evaluation-added", "evaluation-seen"


def page(assistant: Assistant, chat: Chat) -> None:
    """What runs, what has been measured, and below it how to measure."""
    evaluations = assistant.home.evaluations
    st.title(say("app.evaluation"), anchor=False)
    st.caption(say("evaluation.about"))
    if evaluations.run:
        _run_state(evaluations.run)
    if kept := evaluations.kept():
        _results(evaluations, kept)
    with st.expander(say("evaluation.new"), icon=":material/play_arrow:", expanded=not kept):
        _new(assistant)
    with st.expander(say("evaluation.add-set"), icon=":material/folder_open:"):
        _add_question_set(evaluations)
    with st.expander(say("evaluation.add-report"), icon=":material/upload_file:"):
        _add_report(evaluations)


def _run_state(run: Run) -> None:
    """How far the run is, drawn anew every second until it ends; then the page is."""
    if run.running:
        st.fragment(_progress, run_every=REFRESH_SECONDS)(run)
    elif run.failure and not isinstance(run.failure, RagError):
        st.error(say("evaluation.unexpected"), icon=":material/error:")
    elif run.failure:
        show = st.info if isinstance(run.failure, Stopped) else st.error
        show(escape_label(f"{run.question_set}: {run.failure}"))


def _progress(run: Run) -> None:
    if not run.running:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", key="evaluation-running"):
        words = say(f"evaluation.{run.stage}", name=escape_label(run.question_set), done=run.done, total=run.total)
        st.progress(run.done / run.total if run.total else 0.0, text=words)
        st.button(
            say("evaluation.stopping") if run.stopping else say("evaluation.stop"),
            icon=":material/stop_circle:",
            key="evaluation-stop",
            disabled=run.stopping,
            on_click=run.stop,
        )


def _results(evaluations: Evaluations, kept: list[str]) -> None:
    _turn_to_new(evaluations.run)
    if st.session_state.get(_CHOSEN) not in kept:
        st.session_state[_CHOSEN] = kept[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(say("evaluation.kept"), kept, key=_CHOSEN)
        with st.popover(say("evaluation.remove"), icon=":material/delete:"):
            st.markdown(say("evaluation.confirm", name=escape_label(name)))
            st.button(
                say("evaluation.remove-it"),
                key="evaluation-remove",
                type="primary",
                on_click=evaluations.remove,
                args=(name,),
            )
    try:
        evaluation = evaluations.load(name)
    except RagError as error:
        st.error(escape_label(str(error)), icon=":material/error:")
        return
    dataset = escape_label(evaluation.dataset)
    st.subheader(say("evaluation.of", name=dataset, count=evaluation.queries), anchor=False)
    st.html(strategies_html(evaluation))
    notes = [
        say(f"evaluation.{kind}", count=count)
        for kind, count in (("without-evidence", evaluation.without_evidence), ("media", evaluation.media))
        if count
    ]
    if notes:
        st.caption(" ".join(notes))
    _plot(evaluation)
    _missed(evaluation)


def _turn_to_new(run: Run | None) -> None:
    """Chooses what was added in the click before, or what has been measured since this was looked at, once."""
    if _ADDED in st.session_state:
        st.session_state[_CHOSEN] = st.session_state.pop(_ADDED)
    if run and run.kept_as and st.session_state.get(_SEEN) is not run:
        st.session_state[_SEEN] = run
        st.session_state[_CHOSEN] = run.kept_as


def _plot(evaluation: Evaluation) -> None:
    """A group of bars for each metric; the table above holds the same figures."""
    metric, strategy, quality = say("evaluation.metric"), say("evaluation.strategy"), say("evaluation.quality")
    st.bar_chart(
        [
            {metric: column, strategy: name, quality: values[column]}
            for name, values in evaluation.strategies.items()
            for column in METRICS
        ],
        x=metric,
        y=quality,
        color=strategy,
        stack=False,
        sort=False,
        alt=say("evaluation.bars"),
    )


def _missed(evaluation: Evaluation) -> None:
    st.subheader(say("evaluation.missed"), anchor=False)
    if not evaluation.questions:
        st.caption(say("evaluation.without-details"))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        strategy = st.selectbox(
            say("evaluation.strategy"),
            list(evaluation.strategies),
            index=len(evaluation.strategies) - 1,
            key=f"evaluation-strategy-{'-'.join(evaluation.strategies)}",
        )
        within = st.segmented_control(
            say("evaluation.within"),
            DEPTHS,
            default=DEPTHS[0],
            format_func=str,
            required=True,
            key="evaluation-within",
        )
    missed = evaluation.missed(strategy, within)
    st.caption(say("evaluation.missed-of", count=len(missed), total=len(evaluation.questions)))
    if missed:
        st.html(missed_html(missed[:MOST_SHOWN], strategy, evaluation))
    if len(missed) > MOST_SHOWN:
        st.caption(say("evaluation.more", count=len(missed) - MOST_SHOWN))


def _new(assistant: Assistant) -> None:
    sets = assistant.home.evaluations.question_sets()
    if not sets:
        st.caption(say("evaluation.no-set"))
        return
    question_set = st.selectbox(say("evaluation.set"), sets, key="evaluation-set")
    strategies = st.multiselect(
        say("evaluation.strategies"), STRATEGIES, default=list(STRATEGIES), key="evaluation-strategies"
    )
    instructions: list[str] = []
    if assistant.follows_instructions and "rerank" in strategies:
        instructions = st.multiselect(
            say("evaluation.instructions"),
            list(INSTRUCTIONS),
            placeholder=say("evaluation.instructions-none"),
            key="evaluation-instructions",
        )
    limit = st.number_input(
        say("evaluation.limit"), min_value=1, max_value=MOST_QUESTIONS, value=QUESTIONS, key="evaluation-limit"
    )
    if st.button(say("evaluation.go"), icon=":material/play_arrow:", type="primary", key="evaluation-go"):
        try:
            assistant.home.evaluate(question_set, strategies, instructions, limit)
        except RagError as error:
            st.error(escape_label(str(error)), icon=":material/error:")
            return
        st.rerun()


def _add_question_set(evaluations: Evaluations) -> None:
    with st.form("evaluation-set-form", border=False):
        name = st.text_input(say("evaluation.set-name"), max_chars=MAX_NAME, key="evaluation-set-name")
        files = st.file_uploader(
            say("evaluation.set-files"),
            type=["jsonl", "tsv"],
            accept_multiple_files=True,
            help=say("evaluation.set-help"),
            key="evaluation-set-files",
        )
        if st.form_submit_button(say("evaluation.add"), key="evaluation-add-set"):
            if not name.strip() or not files:
                missing = "files" if name.strip() else "name"
                st.error(say(f"evaluation.no-{missing}"), icon=":material/error:")
                return
            try:
                evaluations.keep_question_set(name, {file.name: file.getvalue() for file in files})
            except RagError as error:
                st.error(escape_label(str(error)), icon=":material/error:")
                return
            st.rerun()


def _add_report(evaluations: Evaluations) -> None:
    with st.form("evaluation-report-form", border=False, clear_on_submit=True):
        file = st.file_uploader(
            say("evaluation.report-file"),
            type=["json"],
            max_upload_size=MAX_REPORT_BYTES >> 20,
            help=say("evaluation.report-help"),
            key="evaluation-report-file",
        )
        if st.form_submit_button(say("evaluation.add"), key="evaluation-add-report"):
            if not file:
                st.error(say("evaluation.no-files"), icon=":material/error:")
                return
            try:
                st.session_state[_ADDED] = evaluations.add(file.getvalue(), file.name)
            except RagError as error:
                st.error(escape_label(str(error)), icon=":material/error:")
                return
            st.rerun()
