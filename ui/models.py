"""The models page: what is loaded and where, how much memory it takes, load and unload, the self-test."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from ingest.errors import RagError
from rag_app.doctor import Report, installation
from rag_app.memory import gpu_memory, process_bytes
from rag_app.models import Model, Models, State
from retrievers.rerank.protocol import ProvenReranker
from ui.markup import escape_label, head_html
from ui.state import Chat
from ui.text import say

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

REFRESH_SECONDS = 1.0
_COLOURS: dict[State, str] = {"waiting": "gray", "loading": "orange", "loaded": "green", "failed": "red"}
_INSTALLATION = "models-installation"


def page(assistant: Assistant, chat: Chat) -> None:
    """Each model, the memory, the self-test of the reranker, and on demand what is installed."""
    st.title(say("app.models"), anchor=False)
    about = f" {say('models.about')}" if any(model.can_be_unloaded for model in assistant.models.all) else ""
    st.caption(say("models.profile", name=escape_label(assistant.profile)) + about)
    loading = any(model.state == "loading" for model in assistant.models.all)
    st.fragment(_state, run_every=REFRESH_SECONDS if loading else None)(assistant.models, was_loading=loading)
    _self_test(assistant)
    _installation(assistant)


def _state(models: Models, *, was_loading: bool) -> None:
    """Drawn anew every second while something is loaded; then the whole page is."""
    if was_loading and not any(model.state == "loading" for model in models.all):
        st.rerun()
    for number, model in enumerate(models.all):
        _model(model, number)
    _memory()


def _model(model: Model[Any], number: int) -> None:
    with (
        st.container(border=True, key=f"model-{number}"),
        st.container(horizontal=True, vertical_alignment="center"),
    ):
        with st.container(gap=None):
            state = say(f"models.state-{model.state}")
            st.markdown(f"**{escape_label(model.name)}** :{_COLOURS[model.state]}-badge[{state}]")
            st.caption(" · ".join([say(f"models.role-{model.role}"), *map(escape_label, _facts(model))]))
            if model.state == "failed":
                known = isinstance(model.failure, RagError)
                st.error(escape_label(str(model.failure)) if known else say("models.unexpected"))
        if model.can_be_unloaded:
            _buttons(model, number)


def _facts(model: Model[Any]) -> list[str]:
    facts = [model.where] if model.where else []
    if model.state == "loaded" and model.seconds is not None:
        facts.append(say("models.seconds", seconds=f"{model.seconds:.1f}"))
    return facts


def _buttons(model: Model[Any], number: int) -> None:
    """One that fits the state; each names its model for whoever hears the page."""
    if model.state == "loaded":
        if st.button(
            say("models.unload"),
            icon=":material/eject:",
            key=f"unload-{number}",
            help=say("models.unload-help", name=escape_label(model.name)),
        ):
            model.unload()
            st.rerun()
    elif st.button(
        say("models.again") if model.state == "failed" else say("models.load"),
        icon=":material/download:",
        key=f"load-{number}",
        help=say("models.load-help", name=escape_label(model.name)),
        disabled=model.state == "loading",
    ):
        model.start()
        st.rerun()


def _memory() -> None:
    st.subheader(say("models.memory"), anchor=False)
    with st.container(horizontal=True, gap="large"):
        st.metric(say("models.process"), _gigabytes(process_bytes()), width="content")
        for gpu in gpu_memory():
            st.metric(
                escape_label(gpu.name),
                say("models.gpu", held=_gigabytes(gpu.held), free=_gigabytes(gpu.free), total=_gigabytes(gpu.total)),
                width="content",
            )


def _self_test(assistant: Assistant) -> None:
    """What the reranker answered when it was loaded; nothing for one that has no such test."""
    if assistant.profile != "qwen3" or assistant.models.reranker is None:
        return
    st.subheader(say("models.self-test"), anchor=False)
    reranker = assistant.models.reranker.loaded
    if reranker is None:
        st.caption(say("models.self-test-waits"))
    elif not isinstance(reranker, ProvenReranker) or reranker.self_test is None:
        st.caption(say("models.self-test-off"))
    else:
        test = reranker.self_test
        st.caption(say("models.self-test-passed", query=escape_label(test.pairs.query)))
        known = test.pairs.log_odds or (None,) * len(test.log_odds)
        names = ("document", "score", "log-odds", "expected")
        head = head_html(*(say(f"models.{name}") for name in names))
        rows = "".join(
            f'<tr><th scope="row">{escape(document)}</th><td>{1 / (1 + math.exp(-found)):.4f}</td>'
            f"<td>{found:.3f}</td><td>{'' if expected is None else f'{expected:.3f}'}</td></tr>"
            for document, found, expected in zip(test.pairs.documents, test.log_odds, known, strict=True)
        )
        st.html(f'<table class="measured test">{head}<tbody>{rows}</tbody></table>')


def _installation(assistant: Assistant) -> None:
    st.subheader(say("models.installation"), anchor=False)
    if st.button(say("models.examine"), icon=":material/fact_check:", key="models-examine"):
        st.session_state[_INSTALLATION] = installation(assistant.settings)
    report: Report | None = st.session_state.get(_INSTALLATION)
    if report:
        rows = "".join(
            f'<tr><th scope="row">{escape(check.name)}</th><td>{escape(say(f"models.check-{check.state}"))}</td>'
            f"<td>{escape(check.finding)}</td></tr>"
            for check in report.checks
        )
        st.html(f'<table class="measured checks"><tbody>{rows}</tbody></table>')


def _gigabytes(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
