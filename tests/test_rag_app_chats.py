"""Chats in their file: whose they are, and what survives."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from fake_assistant import EXPLAINED, HOSTILE, WRITTEN

from ingest.errors import StorageError
from rag_app.chats import EXCHANGES, Chats, Exchange, Opinion, new_chat_id

ANNA, BERT = "a" * 24, "b" * 24


@pytest.fixture
def chats(tmp_path: Path) -> Chats:
    return Chats(tmp_path / "home")


def test_an_exchange_comes_back_as_it_was(tmp_path: Path, chats: Chats) -> None:
    exchange = Exchange(HOSTILE, "clause", {"id-1": "A title"}, text="It is so [1].", quoted=True)
    chats.begin(ANNA, "one", "default", 0, exchange)
    finished = replace(exchange, answer=EXPLAINED, opinion=Opinion(good=False, reason="incomplete", comment="更多"))
    chats.keep(ANNA, "one", finished)

    [kept] = Chats(tmp_path / "home").read(ANNA, "one").exchanges

    assert kept == finished


def test_what_was_being_answered_when_the_process_ended_is_stopped(chats: Chats) -> None:
    chats.begin(ANNA, "one", "default", 0, Exchange("Why?"))

    [kept] = chats.read(ANNA, "one").exchanges

    assert kept.stopped
    assert not kept.waiting


def test_nobody_else_reads_lists_changes_or_deletes_a_chat(chats: Chats) -> None:
    exchange = Exchange("Why?")
    chats.begin(ANNA, "one", "default", 0, exchange)

    chats.begin(BERT, "one", "default", 0, Exchange("Mine now?"))
    chats.keep(BERT, "one", replace(exchange, error="Broken."))
    chats.rename(BERT, "one", "Mine")
    chats.delete(BERT, "one")

    assert chats.read(BERT, "one") is None
    assert chats.entries(BERT, "default", 10) == []
    saved = chats.read(ANNA, "one")
    assert (saved.title, saved.exchanges[0].question, saved.exchanges[0].error) == ("Why?", "Why?", None)


def test_chats_are_listed_by_collection_the_one_changed_last_first(chats: Chats) -> None:
    for chat_id, collection in [("one", "default"), ("two", "default"), ("three", "contracts")]:
        chats.begin(ANNA, chat_id, collection, 0, Exchange(f"{chat_id}?"))
    chats.begin(ANNA, "one", "default", 1, Exchange("And then?"))

    assert [entry.title for entry in chats.entries(ANNA, "default", 10)] == ["one?", "two?"]
    assert [entry.chat_id for entry in chats.entries(ANNA, "default", 1)] == ["one"]
    assert [exchange.question for exchange in chats.read(ANNA, "one").exchanges] == ["one?", "And then?"]


def test_an_answer_that_comes_late_does_not_replace_the_one_asked_for_again(chats: Chats) -> None:
    first = Exchange("Why?")
    second = first.again()
    chats.begin(ANNA, "one", "default", 0, first)
    chats.begin(ANNA, "one", "default", 0, second)
    chats.keep(ANNA, "one", replace(second, answer=WRITTEN, text=WRITTEN.text))

    chats.keep(ANNA, "one", replace(first, stopped=True))

    assert chats.read(ANNA, "one").exchanges[0].answer == WRITTEN


def test_what_two_windows_ask_at_the_same_place_of_a_chat_is_kept_of_both(chats: Chats) -> None:
    first, here, there = Exchange("First?"), Exchange("Here?"), Exchange("There?")
    for place, exchange in ((0, first), (1, here), (1, there)):
        chats.begin(ANNA, "one", "default", place, exchange)
    chats.begin(ANNA, "one", "default", 1, here.again())

    saved = chats.read(ANNA, "one")

    assert saved is not None
    assert [exchange.question for exchange in saved.exchanges] == ["First?", "Here?", "There?"]


def test_a_deleted_chat_is_gone_from_the_file_and_does_not_come_back(tmp_path: Path, chats: Chats) -> None:
    exchange = Exchange("Where is the treasure?")
    chats.begin(ANNA, "one", "default", 0, exchange)
    chats.delete(ANNA, "one")
    chats.keep(ANNA, "one", replace(exchange, text="On the island."))

    assert chats.read(ANNA, "one") is None
    with sqlite3.connect(tmp_path / "home" / "chats.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM exchanges").fetchone() == (0,)
    connection.close()


def test_a_name_is_one_line_and_not_endless(chats: Chats) -> None:
    chats.begin(ANNA, "one", "default", 0, Exchange("Why\n\nnot?"))
    assert chats.read(ANNA, "one").title == "Why not?"

    chats.rename(ANNA, "one", "long " * 100)
    assert len(chats.read(ANNA, "one").title) <= 120


def test_fields_of_a_later_version_are_passed_over_and_missing_ones_have_their_default() -> None:
    [old] = EXCHANGES.validate_json('[{"question": "Why?", "text": "So.", "mood": "cheerful"}]')

    assert (old.question, old.text, old.answer, old.documents) == ("Why?", "So.", None, {})


def test_an_exchange_that_cannot_be_read_is_a_sentence_beside_its_question(tmp_path: Path, chats: Chats) -> None:
    chats.begin(ANNA, "one", "default", 0, Exchange("Why?"))
    with sqlite3.connect(tmp_path / "home" / "chats.sqlite") as connection:
        connection.execute("""UPDATE exchanges SET content = '{"question": "Why?", "answer": {"verdict": 7}}'""")
    connection.close()

    [kept] = chats.read(ANNA, "one").exchanges

    assert kept.question == "Why?"
    assert "another version of the program" in kept.error


def test_before_the_first_chat_there_is_no_file(tmp_path: Path, chats: Chats) -> None:
    assert chats.entries(ANNA, "default", 10) == []
    assert chats.read(ANNA, "one") is None
    assert not (tmp_path / "home").exists()


def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "chats.sqlite").write_bytes(b"not a database at all" * 100)

    with pytest.raises(StorageError, match=r"chats\.sqlite cannot be used"):
        Chats(tmp_path).entries(ANNA, "default", 10)


def test_many_threads_write_at_once(chats: Chats) -> None:
    def talk(number: int) -> None:
        for place in range(5):
            exchange = Exchange(f"{number}-{place}?")
            chats.begin(ANNA, f"chat-{number}", "default", place, exchange)
            chats.keep(ANNA, f"chat-{number}", replace(exchange, text="So."))

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    saved = [chats.read(ANNA, f"chat-{number}") for number in range(4)]
    assert [[exchange.text for exchange in chat.exchanges] for chat in saved] == [["So."] * 5] * 4


def test_the_ids_of_chats_are_not_guessed() -> None:
    assert len({new_chat_id() for _ in range(1000)}) == 1000
    assert len(new_chat_id()) >= 16


def test_chats_go_with_their_collection(chats: Chats) -> None:
    chats.forget_collection("contracts")
    for visitor, chat_id, collection in [(ANNA, "one", "contracts"), (BERT, "two", "contracts"), (ANNA, "three", "x")]:
        chats.begin(visitor, chat_id, collection, 0, Exchange("Why?"))
    chats.forget_collection("contracts")

    assert (chats.read(ANNA, "one"), chats.read(BERT, "two")) == (None, None)
    assert chats.read(ANNA, "three") is not None
