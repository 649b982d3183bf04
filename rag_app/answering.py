"""Answers on their way, each written in a thread of its own: a click on the page, a reload, another page, a closed
browser leave them alone.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from ingest.errors import RagError
from rag_app.answer import Event, Finished, Token
from rag_app.chats import Exchange

TICK_SECONDS = 0.25
MOST_ANSWERS = 16
"""Of a process at once: each has a thread, and a reader who has gone cannot stop it."""
_CLOSING_SECONDS = 10.0

_logger = logging.getLogger(__name__)

Events = Generator[Event, None, None]


@dataclass(frozen=True, slots=True)
class Words:
    """Sentences in the reader's language: for what went wrong without one of its own, and for too many answers."""

    unexpected: str
    busy: str


class RunningAnswer:
    """An exchange that is being answered. What comes of it is written into the exchange, which all who follow share."""

    def __init__(
        self, exchange: Exchange, events: Events, *, collection: str, words: Words, when_over: Callable[[], None]
    ) -> None:
        self.exchange = exchange
        self.collection = collection
        self._events = events
        self._words = words
        self._when_over = when_over
        self._happened: list[Event] = []
        self._over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"answer {exchange.id}", daemon=True)
        self._thread.start()

    def follow(self) -> Iterator[list[Event]]:
        """What has happened, from the beginning, as it happens; an empty list when nothing did for a while.

        Ends when nothing more will come, or as soon as it is stopped.
        """
        seen = 0
        while True:
            with self._changed:
                if seen == len(self._happened) and not self._ended:
                    self._changed.wait(TICK_SECONDS)
                news = self._happened[seen:]
                if not news and self._ended:
                    return
            seen += len(news)
            yield news

    def stop(self) -> None:
        """Leaves the exchange as it is now; the thread ends at the next event."""
        with self._changed:
            if self.exchange.waiting:
                self.exchange.stopped = True
                self._changed.notify_all()

    @property
    def _ended(self) -> bool:
        return self._over or self.exchange.stopped

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            with closing(self._events) as events:
                for event in events:
                    if not self._take(event):
                        break
        except RagError as error:
            self._fail(str(error))
        except Exception:  # The edge of the process: the reader gets a sentence, the log the traceback.
            _logger.exception("Answering failed.")
            self._fail(self._words.unexpected)
        finally:
            self._end()

    def _end(self) -> None:
        """Nobody waits for ever, whatever becomes of what is kept."""
        try:
            self._when_over()
        except Exception:  # The edge of the process: whoever follows still sees the answer.
            _logger.exception("What has come of a question is not kept.")
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _take(self, event: Event) -> bool:
        """Writes the event into the exchange; False when nobody waits for it any more."""
        exchange = self.exchange
        with self._changed:
            if not exchange.waiting:
                return False
            match event:
                case Token(text=text):
                    exchange.text += text
                case Finished(answer=answer):
                    exchange.text, exchange.answered_at = answer.text, datetime.now().astimezone()
                    exchange.answer = answer
            self._happened.append(event)
            self._changed.notify_all()
        return True

    def _fail(self, sentence: str) -> None:
        with self._changed:
            if self.exchange.waiting:
                self.exchange.error = sentence


class RunningAnswers:
    """All answers that are on their way, by the id of their exchange. Safe to use from several threads."""

    def __init__(self) -> None:
        self._running: dict[str, RunningAnswer] = {}
        self._lock = threading.Lock()
        self._closed = False

    def begin(
        self, exchange: Exchange, events: Events, *, collection: str, words: Words, when_over: Callable[[], None]
    ) -> None:
        """Begins to answer the exchange out of the collection, unless that has begun or nobody waits for it.

        `when_over` is called once nothing more will come, in the thread where one was begun. Beyond `MOST_ANSWERS` the
        exchange gets the sentence for that, and after `close` it is one that was stopped.
        """

        def end() -> None:
            try:
                when_over()
            finally:
                with self._lock:
                    del self._running[exchange.id]

        with self._lock:
            if exchange.id in self._running or not exchange.waiting:
                return
            if self._closed:
                exchange.stopped = True
            elif len(self._running) == MOST_ANSWERS:
                exchange.error = words.busy
            else:
                answer = RunningAnswer(exchange, events, collection=collection, words=words, when_over=end)
                self._running[exchange.id] = answer
                return
        when_over()

    def all(self) -> dict[str, RunningAnswer]:
        with self._lock:
            return dict(self._running)

    def of(self, exchange: Exchange) -> RunningAnswer | None:
        """The answer to this exchange, if it is on its way. Whoever also asks whether it waits asks that afterwards."""
        return self.all().get(exchange.id)

    def stop(self, collection: str) -> None:
        """Stops those over this collection, and waits a while for those that are just at a step."""
        _stop([answer for answer in self.all().values() if answer.collection == collection])

    def close(self) -> None:
        """Stops all of them in the same way; none is begun any more."""
        with self._lock:
            self._closed = True
        _stop(self.all().values())


def _stop(answers: Collection[RunningAnswer]) -> None:
    deadline = time.monotonic() + _CLOSING_SECONDS
    for answer in answers:
        answer.stop()
    for answer in answers:
        answer.join(max(0.0, deadline - time.monotonic()))
