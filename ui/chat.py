"""The conversation: questions, answers as they are written, and what can be done with them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ingest.errors import RagError
from ingest.records import DocumentRecord
from rag_app.answer import Answer, Finished, Loading, StageDone, Token, Turn
from rag_app.render import left_out_note
from retrievers.rerank.instructions import INSTRUCTIONS, MAX_CHARACTERS
from ui.markup import STATE_MEANINGS, STATE_NAMES, escape_label, quoted_html, shorten, written_html
from ui.sources import chips, document_pane, evidence
from ui.state import Chat, Exchange, cited_sources, current_chat, passage_sources
from ui.text import say
from ui.uploading import empty_collection

if TYPE_CHECKING:
    from rag_app.assistant import Assistant

_logger = logging.getLogger(__name__)

_UNEXPECTED = "Something went wrong while answering. The log of the server says what; ask again, or ask in other words."

# What goes on once a stage has ended, in words that a reader of manuals understands.
_AFTER_STAGE = {
    "standalone": "Searching the documents",
    "fuse": "Comparing the best passages",
    "rerank": "Checking the evidence",
    "gate": "Writing the answer",
}
_BEFORE_ANY_STAGE = "Searching the documents"

_AUTOMATIC, _OWN_WORDS = "Automatic", "Own words"
_INSTRUCTION_HELP = "What the ranking looks for. Automatic takes what fits each question. Own words: best in English."

_DOCUMENTS_HELP = "Answers then come from these documents alone, such as the manual of the one model in front of you."
_TITLE_LENGTH = 60

_SUGGESTIONS = 3
_SUGGESTED_QUESTION = "What is the purpose of “{}”?"
_SUGGESTED_QUESTION_CHINESE = "《{}》的主要内容是什么？"

# While words still arrive, nobody knows which passages will be cited: any short number may be a mark.
_POSSIBLE_MARKS = range(1, 100)


# The selector sends every title to the browser.
_MOST_TO_CHOOSE_FROM = 1000


def page(assistant: Assistant, chat: Chat) -> None:
    """The conversation, and the document pane beside it."""
    documents = assistant.documents()
    with st.sidebar:
        _sidebar(assistant, chat, documents)
    if not documents:
        empty_collection(assistant, chat)
        return
    # The input is drawn first, and the pane before the conversation: while an answer is written both are in place.
    st.chat_input("Ask about your documents", key="question", on_submit=_ask_typed_question)
    # Lines of an answer stay readable when alone; with a page beside it, all the width is used.
    st.set_page_config(layout="wide" if chat.opened else "centered")
    beside = st.container()
    if chat.opened:
        beside, pane = st.columns(2, gap="medium")
        with pane:
            document_pane(assistant, chat, chat.opened)
    with beside:
        if chat.exchanges:
            conversation(assistant, chat)
        else:
            welcome(chat, documents)


def _ask_typed_question() -> None:
    current_chat().ask(st.session_state["question"])


def _sidebar(assistant: Assistant, chat: Chat, documents: Sequence[DocumentRecord]) -> None:
    st.button(
        "New chat",
        icon=":material/edit_square:",
        key="new-chat",
        width="stretch",
        disabled=not chat.exchanges,
        on_click=chat.restart,
    )
    if assistant.follows_instructions:
        choose_instruction(chat)
    if 1 < len(documents) <= _MOST_TO_CHOOSE_FROM:
        choose_documents(chat, documents)


def conversation(assistant: Assistant, chat: Chat) -> None:
    """All exchanges of the session; the last one is answered here if it waits for its answer."""
    for index, exchange in enumerate(chat.exchanges):
        with st.chat_message("user", avatar=":material/person:"):
            st.text(exchange.question, width="stretch")
        with st.chat_message("assistant", avatar=":material/menu_book:"):
            reply = st.empty()
            if exchange.waiting:
                _answer(assistant, exchange, chat.history(), reply)
            with reply.container():
                _reply(chat, exchange, key=str(index))


def welcome(chat: Chat, documents: Sequence[DocumentRecord]) -> None:
    """What a visitor sees before the first question."""
    with st.container(key="welcome"):
        st.title("What would you like to know?", anchor=False)
        st.markdown("Answers come from your documents alone, and each one opens the page it stands on.")
        for question in suggested_questions(documents):
            st.button(
                escape_label(question),
                key=f"suggestion-{question}",
                icon=":material/arrow_outward:",
                on_click=chat.ask,
                args=(question,),
            )


def choose_instruction(chat: Chat) -> None:
    """A small selector of what counts as relevant, for the questions asked from now on."""
    choice = st.selectbox(
        "What counts as relevant", [_AUTOMATIC, *INSTRUCTIONS, _OWN_WORDS], key="instruction", help=_INSTRUCTION_HELP
    )
    if choice == _OWN_WORDS:
        words = st.text_area(
            "In your own words",
            placeholder="Given a question about ..., retrieve passages that ...",
            max_chars=MAX_CHARACTERS,
            key="own-instruction",
        )
        chat.instruction = words.strip() or None
    elif choice == _AUTOMATIC:
        chat.instruction = None
    else:
        chat.instruction = choice
        st.caption(escape_label(INSTRUCTIONS[choice]))


def choose_documents(chat: Chat, documents: Sequence[DocumentRecord]) -> None:
    """A selector of the documents that are read, for the questions asked from now on."""
    titles = {document.document_id: document.title or document.source for document in documents}
    # What is not there any more cannot stay chosen.
    st.session_state["documents-read"] = [kept for kept in st.session_state.get("documents-read", ()) if kept in titles]
    chosen = st.multiselect(
        "Read only",
        list(titles),
        format_func=lambda document_id: shorten(titles[document_id], _TITLE_LENGTH),  # shown as text, not as Markdown
        placeholder="All documents",
        key="documents-read",
        help=_DOCUMENTS_HELP,
    )
    chat.documents = {document_id: titles[document_id] for document_id in chosen}


def suggested_questions(documents: Sequence[DocumentRecord]) -> list[str]:
    """A first question about each of a few documents, in the language of its title."""
    return [
        (_SUGGESTED_QUESTION_CHINESE if _is_chinese(document.title) else _SUGGESTED_QUESTION).format(
            shorten(" ".join(document.title.split()), 60)
        )
        for document in documents[:_SUGGESTIONS]
    ]


def _answer(assistant: Assistant, exchange: Exchange, history: tuple[Turn, ...], reply: DeltaGenerator) -> None:
    """Fills the exchange while showing it. A click anywhere ends this run of the script at the next thing shown."""
    exchange.quoted = assistant.language_model is None
    exchange.stopped = True  # Stays so unless the loop below comes to its end.
    with reply.container(key="answering"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            activity = st.empty()
            # Any click ends the run, so the button needs no work of its own.
            st.button("Stop", icon=":material/stop_circle:", key="stop", type="tertiary")
        words = st.empty()
        activity.markdown(f":gray[{_BEFORE_ANY_STAGE} …]", width="stretch")
        try:
            events = assistant.ask(
                exchange.question, history, instruction=exchange.instruction, documents=list(exchange.documents)
            )
            with closing(events):
                for event in events:
                    match event:
                        case Loading(model=model):
                            loading = escape_label(say("models.loading", name=model))
                            activity.markdown(f":gray[{loading}]", width="stretch")
                        case StageDone(stage=stage) if stage in _AFTER_STAGE:
                            activity.markdown(f":gray[{_AFTER_STAGE[stage]} …]", width="stretch")
                        case Token(text=text):
                            exchange.text += text
                            words.html(_partial_html(exchange))
                        case Finished(answer=answer):
                            exchange.answer = answer
                            exchange.text = answer.text
        except RagError as error:
            exchange.error = str(error)
        except Exception:  # The edge of the process: the reader gets a sentence, the log the traceback.
            _logger.exception("Answering failed.")
            exchange.error = _UNEXPECTED
    exchange.stopped = False


def _reply(chat: Chat, exchange: Exchange, key: str) -> None:
    if exchange.error:
        st.error(escape_label(exchange.error), icon=":material/error:")
    elif exchange.answer:
        if exchange.answer.question != exchange.question:
            st.caption(f"Understood as: {escape_label(exchange.answer.question)}")
        if exchange.documents:
            titles = ", ".join(shorten(title, _TITLE_LENGTH) for title in exchange.documents.values())
            st.caption(escape_label(f"Read only: {titles}"))
        show = _refusal if exchange.answer.refused else _cited_answer
        show(chat, exchange.answer, key)
    else:
        _stopped(chat, exchange, key)


def _cited_answer(chat: Chat, answer: Answer, key: str) -> None:
    numbers = {citation.number for citation in answer.citations}
    st.html(
        quoted_html(answer.text, numbers) if answer.quoted else written_html(answer.text, numbers, answer.statements)
    )
    chips(chat, cited_sources(answer), key)
    _notes(answer)
    if answer.reasoning:
        with st.expander("What the language model reasoned"):
            st.text(answer.reasoning, width="stretch")
    evidence(chat, answer, key)


def _refusal(chat: Chat, answer: Answer, key: str) -> None:
    # The chips below are the list of passages that the text ends with, and can be opened.
    text = "\n".join(line for line in answer.text.splitlines() if not line.startswith("- "))
    with st.container(border=True, key=f"refusal-{key}"):
        st.html(f'<div class="refusal">{quoted_html(text, ())}</div>')
        chips(chat, passage_sources(answer.passages), key)
    _notes(answer)
    evidence(chat, answer, key)


def _notes(answer: Answer) -> None:
    """Whose words these are, what the signs in them mean, what the ranking looked for, and how far it came."""
    notes = []
    if answer.quoted:
        notes.append("Quoted from the documents, no language model.")
    for state in dict.fromkeys(statement.state for statement in answer.statements if statement.state != "verified"):
        notes.append(f"“{STATE_NAMES[state]}”: {STATE_MEANINGS[state]}.")
    if answer.instruction is not None:
        notes.append(f"Ranked by the instruction “{escape_label(answer.instruction)}”.")
    if answer.scored < answer.candidates:
        notes.append(f"Only {answer.scored} of {answer.candidates} candidates were scored in the time allowed.")
    if answer.left_out:
        notes.append(left_out_note(answer.left_out))
    if notes:
        st.caption(" ".join(notes))


def _stopped(chat: Chat, exchange: Exchange, key: str) -> None:
    if exchange.text:
        st.html(_partial_html(exchange))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Stopped before the answer was finished.", width="content")
        st.button(
            "Ask again",
            icon=":material/refresh:",
            key=f"again-{key}",
            type="tertiary",
            on_click=chat.ask,
            args=(exchange.question,),
        )


def _partial_html(exchange: Exchange) -> str:
    to_html = quoted_html if exchange.quoted else written_html
    return to_html(exchange.text, _POSSIBLE_MARKS)


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)
