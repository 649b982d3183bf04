"""What one visitor's session remembers between clicks. Streamlit runs the page anew for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import streamlit as st

from ingest.document import PageBox
from ingest.records import DocumentRecord
from rag_app.answer import STATES, Answer, Link, Passage, State
from rag_app.chats import Exchange, SavedChat, new_chat_id
from rag_app.gate import NEAREST_PASSAGES


@dataclass(frozen=True, slots=True)
class OpenSource:
    """What the document pane shows: a page, and the passage and quotes that led there.

    `number` is the passage's mark in the answer; 0 where a document was opened from the list. `state` is the worst of
    the quotes'; `links` say what the passage is to others.
    """

    number: int
    document_id: str
    source: str
    title: str
    page: int
    page_label: str = ""
    section: str = ""
    text: str = ""
    quotes: tuple[str, ...] = ()
    boxes: tuple[PageBox, ...] = ()
    state: State = "verified"
    ocr_confidence: float | None = None
    links: tuple[Link, ...] = ()

    def at(self, page: int) -> OpenSource:
        """The same source at another page."""
        return replace(self, page=page, page_label="", ocr_confidence=None)


@dataclass(slots=True)
class Chat:
    """`collection` is "" for the one that is served; `notices` are sentences about what could not be done.

    `uploads` counts how often files were taken; `reading`: some were being read when the page began to be drawn, so
    that it may lack what has come since.

    `instruction` and `documents` go with the questions asked from now on: a name or a text (None: automatic), and the
    titles of those to read, by id (none: all). `chat_id` and `title` are those under which the chat is kept, "" before
    the first question; `trouble` is a sentence that says why it is not kept, or not found. `suggestions` are None until
    they are made.
    """

    exchanges: list[Exchange] = field(default_factory=list)
    opened: OpenSource | None = None
    collection: str = ""
    instruction: str | None = None
    documents: Mapping[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    uploads: int = 0
    reading: bool = False
    chat_id: str = ""
    title: str = ""
    trouble: str = ""
    suggestions: list[str] | None = None

    def ask(self, question: str) -> None:
        self.trouble = ""
        if not self.exchanges:
            self.chat_id, self.title = new_chat_id(), question
        self.exchanges.append(Exchange(question, self.instruction, self.documents))

    def ask_again(self) -> None:
        """The last question once more; its answer takes the place of the one before."""
        self.exchanges[-1] = self.exchanges[-1].again()

    def open(self, source: OpenSource | None) -> None:
        """Shows the source in the document pane; None closes it."""
        self.opened = source

    def turn(self, by: int, pages: int) -> None:
        """Shows a page further on or back; from where the reader is now, for quick clicks come before the next run."""
        if self.opened:
            self.opened = self.opened.at(min(max(self.opened.page + by, 1), pages))

    def restart(self) -> None:
        """An empty chat; the one before stays kept."""
        self.exchanges = []
        self.opened = None
        self.suggestions = None
        self.chat_id = self.title = self.trouble = ""

    def resume(self, saved: SavedChat) -> None:
        """Goes on with a chat that was kept."""
        self.restart()
        self.chat_id, self.title, self.exchanges = saved.chat_id, saved.title, saved.exchanges

    def switch(self, collection: str) -> None:
        """Another collection is another conversation."""
        self.collection = collection
        self.documents = {}
        self.notices.clear()
        self.restart()


def current_chat() -> Chat:
    """This session's chat."""
    if "chat" not in st.session_state:
        st.session_state["chat"] = Chat()
    chat: Chat = st.session_state["chat"]
    return chat


def answer_sources(answer: Answer) -> list[OpenSource]:
    """What an answer cites; of a refusal, the nearest passages, which its text lists."""
    return passage_sources(answer.passages[:NEAREST_PASSAGES]) if answer.refused else cited_sources(answer)


def cited_sources(answer: Answer) -> list[OpenSource]:
    """One for each passage and page that the answer cites, in the order in which it cites them."""
    passages = {passage.number: passage for passage in answer.passages}
    places = dict.fromkeys((citation.number, citation.page) for citation in answer.citations)
    sources = []
    for number, page in places:
        citations = [citation for citation in answer.citations if (citation.number, citation.page) == (number, page)]
        first = citations[0]
        sources.append(
            OpenSource(
                number=number,
                document_id=first.document_id,
                source=first.source,
                title=first.title,
                page=page,
                page_label=first.page_label,
                section=first.section,
                text=passages[number].text,
                quotes=tuple(citation.quote for citation in citations),
                boxes=tuple(box for citation in citations for box in citation.boxes),
                state=max((citation.state for citation in citations), key=STATES.index),
                ocr_confidence=first.ocr_confidence,
                links=passages[number].links,
            )
        )
    return sources


def passage_sources(passages: Sequence[Passage]) -> list[OpenSource]:
    """The passages themselves, whole."""
    return [
        OpenSource(
            number=passage.number,
            document_id=passage.document_id,
            source=passage.source,
            title=passage.title,
            page=passage.page,
            page_label=passage.page_label,
            section=passage.section,
            text=passage.text,
            boxes=passage.boxes,
            ocr_confidence=passage.ocr_confidence,
            links=passage.links,
        )
        for passage in passages
    ]


def document_source(record: DocumentRecord) -> OpenSource:
    """The first page of a document."""
    return OpenSource(number=0, document_id=record.document_id, source=record.source, title=record.title, page=1)
