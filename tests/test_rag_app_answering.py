"""Answers in threads of their own: whoever follows sees all of it, and nobody has to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator

import pytest
from fake_assistant import WRITTEN

from ingest.errors import UsageError
from rag_app.answer import Event, Finished, StageDone, Token
from rag_app.answering import MOST_ANSWERS, RunningAnswer, RunningAnswers, Words
from rag_app.chats import Exchange

WORDS = Words(unexpected="Something went wrong.", busy="Too many are asking.")


class Slow:
    """Words that come when they are let through."""

    def __init__(self, ending: Exception | None = None) -> None:
        self.go_on = threading.Semaphore(0)
        self.closed = threading.Event()
        self._ending = ending

    def events(self) -> Generator[Event, None, None]:
        try:
            yield StageDone("gate", 1.0)
            for word in ("The ", "bolts"):
                self.go_on.acquire()
                yield Token(word)
            self.go_on.acquire()
            if self._ending:
                raise self._ending
            yield Finished(WRITTEN)
        finally:
            self.closed.set()


def begun(answers: RunningAnswers, slow: Slow, kept: list[str]) -> RunningAnswer:
    exchange = Exchange("How tight?")
    begin(answers, exchange, slow, lambda: kept.append(exchange.text))
    running = answers.of(exchange)
    assert running
    return running


def begin(
    answers: RunningAnswers,
    exchange: Exchange,
    slow: Slow,
    when_over: Callable[[], None] = lambda: None,
    collection: str = "default",
) -> None:
    answers.begin(exchange, slow.events(), collection=collection, words=WORDS, when_over=when_over)


def followed(running: RunningAnswer) -> list[Event]:
    return [event for events in running.follow() for event in events]


def test_whoever_follows_sees_it_from_the_beginning_and_it_is_kept_before_they_have_seen_the_end() -> None:
    answers, slow, kept = RunningAnswers(), Slow(), list[str]()
    running = begun(answers, slow, kept)
    slow.go_on.release(3)

    for _ in range(2):
        assert followed(running) == [StageDone("gate", 1.0), Token("The "), Token("bolts"), Finished(WRITTEN)]
    assert running.exchange.answer is WRITTEN
    assert running.exchange.answered_at
    assert kept == [WRITTEN.text]
    assert answers.of(running.exchange) is None


def test_while_nothing_happens_followers_get_their_turn() -> None:
    answers, slow = RunningAnswers(), Slow()
    following = begun(answers, slow, []).follow()
    while next(following):
        pass  # the stage, which may have come already

    assert next(following) == []
    answers.close()


def test_an_exchange_is_answered_once() -> None:
    answers, slow = RunningAnswers(), Slow()
    running = begun(answers, slow, [])

    begin(answers, running.exchange, Slow())
    assert answers.of(running.exchange) is running

    slow.go_on.release(3)
    followed(running)
    begin(answers, running.exchange, Slow())
    assert answers.of(running.exchange) is None


def test_stopping_keeps_the_words_so_far_and_ends_the_writing() -> None:
    answers, slow, kept = RunningAnswers(), Slow(), list[str]()
    running = begun(answers, slow, kept)
    slow.go_on.release(1)
    following = running.follow()
    while not running.exchange.text:
        next(following)

    running.stop()
    assert [events for events in following if events] in ([], [[Token("The ")]])
    slow.go_on.release(1)
    assert slow.closed.wait(10)
    running.join(10)

    assert (running.exchange.text, running.exchange.stopped, running.exchange.answer) == ("The ", True, None)
    assert kept == ["The "]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(UsageError("Ask less."), "Ask less."), (ZeroDivisionError("secret"), WORDS.unexpected)],
)
def test_a_failure_is_a_sentence(error: Exception, sentence: str) -> None:
    slow, kept = Slow(error), list[str]()
    running = begun(RunningAnswers(), slow, kept)
    slow.go_on.release(3)

    assert followed(running)[-1] == Token("bolts")
    assert running.exchange.error == sentence
    assert kept == ["The bolts"]


def test_followers_see_the_end_of_an_answer_that_cannot_be_kept() -> None:
    answers, slow = RunningAnswers(), Slow()
    exchange = Exchange("How tight?")

    def keep() -> None:
        raise ValueError("half of an emoji")

    begin(answers, exchange, slow, keep)
    running = answers.of(exchange)
    assert running
    slow.go_on.release(3)

    assert followed(running)[-1] == Finished(WRITTEN)
    assert answers.of(exchange) is None


def test_closing_stops_what_is_on_its_way() -> None:
    answers, slow = RunningAnswers(), Slow()
    running = begun(answers, slow, [])
    slow.go_on.release(1)

    closing = threading.Thread(target=answers.close)
    closing.start()
    slow.go_on.release(2)
    closing.join(10)

    assert running.exchange.stopped
    assert slow.closed.is_set()


def test_nothing_is_begun_after_closing() -> None:
    answers, kept = RunningAnswers(), list[bool]()
    answers.close()
    exchange = Exchange("How tight?")

    begin(answers, exchange, Slow(), lambda: kept.append(exchange.stopped))

    assert answers.all() == {}
    assert kept == [True]


def test_beyond_the_most_at_once_a_question_gets_a_sentence() -> None:
    answers, slow, kept = RunningAnswers(), Slow(), list[str | None]()
    running = [begun(answers, slow, []) for _ in range(MOST_ANSWERS)]
    exchange = Exchange("One more?")

    begin(answers, exchange, slow, lambda: kept.append(exchange.error))

    assert kept == [WORDS.busy]
    assert answers.all().keys() == {one.exchange.id for one in running}
    slow.go_on.release(3 * MOST_ANSWERS)
    answers.close()


def test_the_answers_from_one_collection_are_stopped() -> None:
    answers, slow, other = RunningAnswers(), Slow(), Slow()
    here, elsewhere = Exchange("How tight?"), Exchange("Who pays?")
    begin(answers, here, slow)
    begin(answers, elsewhere, other, collection="contracts")

    slow.go_on.release(3)
    answers.stop("default")

    assert slow.closed.is_set()
    assert answers.all().keys() == {elsewhere.id}
    other.go_on.release(3)
    answers.close()
