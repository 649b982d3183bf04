"""Why an answer says what it says: its stages, what was ranked and how, and what another instruction would change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ingest.errors import RagError
from rag_app.answer import Answer, RankedCandidate
from retrievers.rerank.instructions import INSTRUCTIONS
from ui.choosing import choose_instruction
from ui.markup import escape_label, gate_html, ranking_html, reranked_html, timings_html
from ui.sources import chip_label
from ui.state import Chat, passage_sources
from ui.text import say

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

# So many of a ranking stand side by side with another one.
_COMPARED = 10


def panel(assistant: Assistant, chat: Chat, answer: Answer) -> None:
    """The panel, to be drawn in a dialog: what is clicked here leaves the page behind it alone."""
    times, gate = st.columns(2, gap="medium")
    with times:
        _heading(say("why.stages"))
        st.html(timings_html(answer.timings_ms))
    with gate:
        _heading(say("why.gate"))
        if answer.gate:
            st.html(gate_html(answer.gate))
            st.caption(say("why.refused" if answer.gate.probability < answer.gate.threshold else "why.sufficed"))
        else:
            st.caption(say("why.nothing-found"))
    _instruction(answer)
    _ranking(chat, answer)
    _try_another(assistant, answer)


def _heading(words: str) -> None:
    st.subheader(words, anchor=False)


def _instruction(answer: Answer) -> None:
    _heading(say("why.instruction"))
    if answer.instruction is None:
        st.caption(say("why.no-instruction"))
    elif answer.instruction in INSTRUCTIONS:
        st.markdown(f"**{escape_label(answer.instruction)}**: {escape_label(INSTRUCTIONS[answer.instruction])}")
    else:
        st.markdown(escape_label(answer.instruction))


def _ranking(chat: Chat, answer: Answer) -> None:
    """All candidates; below them, the passages that can be opened."""
    _heading(say("why.candidates"))
    notes = [say("why.given", count=len(answer.passages))]
    if answer.scored < answer.candidates:
        notes.append(say("chat.scored", scored=answer.scored, candidates=answer.candidates))
    if answer.left_out:
        notes.append(say("chat.left-out", count=answer.left_out))
    cut = sum(candidate.tokens_kept != candidate.tokens for candidate in answer.ranking)
    if cut:
        notes.append(say("why.cut", count=cut))
    st.caption(" ".join(notes))
    if answer.ranking:
        with st.container(key="why-ranking"):
            st.html(ranking_html(answer.ranking, _given(answer)))
    with st.container(horizontal=True, gap="small", key="chips-why"):
        for source in passage_sources(answer.passages):
            name = escape_label(chip_label(source))
            if st.button(name, key=f"why-chip-{source.number}", on_click=chat.open, args=(source,)):
                st.rerun()  # the page opens beside the answer: the dialog goes


def _given(answer: Answer) -> set[str]:
    """The candidates that the answer was made from: a passage may be several of them put together."""
    ids = {passage.chunk_id for passage in answer.passages}
    read = [(passage.document_id, " ".join(passage.text.split())) for passage in answer.passages]
    return {
        one.chunk_id
        for one in answer.ranking
        if one.chunk_id in ids
        or any(one.document_id == document_id and one.excerpt.rstrip("…") in text for document_id, text in read)
    }


def _try_another(assistant: Assistant, answer: Answer) -> None:
    """Another instruction over the same candidates, the two rankings side by side."""
    _heading(say("why.another"))
    if not assistant.follows_instructions:
        st.caption(say("why.cannot"))
        return
    if not answer.ranking:
        st.caption(say("why.nothing-found"))
        return
    instruction = choose_instruction("why-instruction", automatic=False)
    if not st.button(
        say("why.rank-again"), icon=":material/swap_vert:", key="rank-again", type="primary", disabled=not instruction
    ):
        return
    try:
        with st.spinner(say("why.ranking")):
            ranked = assistant.rerank(answer, instruction or "")
    except RagError as error:
        st.error(escape_label(str(error)))
        return
    gone = len(answer.ranking) - len(ranked)
    if gone:
        st.caption(say("why.gone", count=gone))
    _side_by_side(answer.ranking, ranked)


def _side_by_side(before: tuple[RankedCandidate, ...], after: tuple[RankedCandidate, ...]) -> None:
    places = {candidate.chunk_id: candidate.rank for candidate in before}
    shown = min(_COMPARED, len(before))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**{say('why.before', count=shown)}**")
        st.html(reranked_html(before[:shown], places))
    with right:
        st.markdown(f"**{say('why.after', count=shown)}**")
        st.html(reranked_html(after[:shown], places))
