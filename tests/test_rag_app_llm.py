"""The language model: a real server on the loopback, real streams, reasoning never shown, failures explained."""

from __future__ import annotations

import json
import socket
from datetime import date

import pytest
from chat_server import KEY, ChatServer, event
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage
from qwen3_checkpoint import qwen3_tokenizer

from ingest.errors import UsageError
from rag_app.context import Context
from rag_app.llm import LanguageModelError
from rag_app.llm.model import estimate_tokens
from rag_app.llm.reasoning import ReasoningSplitter
from rag_app.llm.remote import open_remote
from rag_app.prompts import answer_messages

HELLO = [HumanMessage("Hello")]
TEXTS = [
    "Tighten the head bolts to 45 Nm. Repeat after the first ten hours of operation.",
    "12.3(b) The Supplier's total liability shall not exceed EUR 1,250,000.00 in any calendar year.",
    "| E07 | 0.35 | 0.40 | 12 |\n| E08 | 1.25 | 2.50 | 24 |",
    "柱塞螺栓的拧紧扭矩为 45 牛米，每 500 小时检查一次。",
    "Αποσυνδέστε το τροφοδοτικό πριν από τη συντήρηση.",
]


def test_the_answer_streams_from_the_passages(server: ChatServer) -> None:
    server.pieces = ["45", " Nm", " [1]."]

    text = server.model().complete(
        answer_messages("Which torque?", Context("[1] HP-40 manual", (), ()), date(2026, 3, 1))
    )

    assert text == "45 Nm [1]."
    assert "[1] HP-40 manual\n\nQuestion: Which torque?" in json.dumps(server.requests[0]).replace("\\n", "\n")
    assert server.requests[0]["model"] == "qwen3"
    assert server.keys == [f"Bearer {KEY}"]


def test_half_of_an_emoji_becomes_a_question_mark(server: ChatServer) -> None:
    server.pieces = ["45 Nm \ud83d", "."]

    assert server.model().complete(HELLO) == "45 Nm ?."


def test_a_key_of_the_environment_is_not_sent_elsewhere(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-service")
    server.pieces = ["Hello."]

    open_remote(server.address, "qwen3").complete(HELLO)

    assert server.keys == ["Bearer none"]


def test_reasoning_is_never_shown(server: ChatServer) -> None:
    model = server.model()
    server.pieces = ["<thi", "nk>secret", "</th", "ink>\n\n", "It is ", "45."]
    assert list(model.stream(HELLO)) == ["It is ", "45."]

    other = server.model()
    server.pieces = ["sec", "ret</think", ">\n\nIt is ", "45."]
    assert other.complete(HELLO) == "It is 45."
    assert list(other.stream(HELLO)) == ["It is ", "45."]


def test_after_its_first_reply_a_model_streams_at_once(server: ChatServer) -> None:
    model = server.model()
    server.pieces = ["It is ", "45."]

    assert list(model.stream(HELLO)) == ["It is 45."]
    assert list(model.stream(HELLO)) == ["It is ", "45."]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param(401, "rejected the API key", id="401"),
        pytest.param(403, "refuses this key the model", id="403"),
        pytest.param(404, "does not know the model or the address", id="404"),
        pytest.param(429, "too many requests", id="429"),
        pytest.param(400, "status 400", id="400"),
        pytest.param(500, "status 500", id="500"),
    ],
)
def test_what_the_server_refuses_is_said_in_a_sentence(server: ChatServer, status: int, expected: str) -> None:
    server.status = status

    with pytest.raises(LanguageModelError) as raised:
        server.model().complete(HELLO)

    assert expected in str(raised.value)
    assert server.address in str(raised.value)
    assert KEY not in str(raised.value)


def test_a_server_that_is_not_there_is_said() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"

        with pytest.raises(LanguageModelError, match=r"cannot be reached\. Check the address"):
            open_remote(address, "qwen3").complete(HELLO)


def test_a_server_that_is_too_slow_is_said(server: ChatServer) -> None:
    server.delay_s = 0.5

    with pytest.raises(LanguageModelError, match="did not answer in time"):
        server.model(timeout_s=0.1).complete(HELLO)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>Welcome</html>", id="a web page"),
        pytest.param(b"data: {broken\n\n", id="broken"),
        pytest.param(b"data: [DONE]\n\n", id="no chunks"),
        pytest.param(event("<think>so", "stop"), id="only reasoning"),
        pytest.param(event("  ", "stop"), id="only space"),
    ],
)
def test_a_reply_without_an_answer_is_an_error(server: ChatServer, body: bytes) -> None:
    server.body = body

    with pytest.raises(LanguageModelError, match="Check that the address"):
        server.model().complete(HELLO)


@pytest.mark.parametrize("promised", [None, 10_000], ids=["looks like the end", "shorter than promised"])
def test_a_reply_that_breaks_off_is_an_error_and_what_came_is_shown(server: ChatServer, promised: int | None) -> None:
    model = server.model()
    server.pieces = ["Known now."]
    model.complete(HELLO)
    server.body, server.promised = event("The torque") + event(" is 4"), promised
    shown: list[str] = []

    with pytest.raises(LanguageModelError, match="broke off in the middle"):
        shown.extend(model.stream(HELLO))

    assert "".join(shown) == "The torque is 4"


@pytest.mark.parametrize(
    "error",
    [
        pytest.param({"message": "too long", "code": "context_length_exceeded"}, id="OpenAI"),
        pytest.param({"message": "This model's maximum context length is 4096 tokens.", "code": 400}, id="vLLM"),
        pytest.param(
            {"message": "the request exceeds the available context size.", "type": "exceed_context_size_error"},
            id="llama.cpp",
        ),
    ],
)
def test_a_server_that_reads_less_than_was_set_is_said(server: ChatServer, error: dict[str, object]) -> None:
    server.status, server.error = 400, error

    with pytest.raises(LanguageModelError, match=r"cannot read so long a prompt\. Set llm_context_tokens"):
        server.model().complete(HELLO)


def test_a_prompt_that_does_not_fit_is_not_sent(server: ChatServer) -> None:
    model = server.model(context_tokens=2000, answer_tokens=500)
    server.pieces = ["Yes."]

    assert model.complete([HumanMessage("x" * 2900)]) == "Yes."
    with pytest.raises(LanguageModelError, match=r"The prompt has 1,508 tokens.* at most 1,500"):
        model.complete([HumanMessage("x" * 3000)])

    assert len(server.requests) == 1


def test_a_budget_without_room_for_a_question_is_an_error(server: ChatServer) -> None:
    with pytest.raises(LanguageModelError, match="Lower llm_answer_tokens"):
        server.model(context_tokens=1000, answer_tokens=1000)


@pytest.mark.parametrize("text", TEXTS)
def test_the_estimate_is_never_below_what_a_tokenizer_counts(text: str) -> None:
    counted = len(qwen3_tokenizer().encode(text, add_special_tokens=False).ids)

    assert counted <= estimate_tokens([HumanMessage(text)])


def test_an_error_inside_the_stream_is_said(server: ChatServer) -> None:
    server.body = event("It is") + b'data: {"error": {"message": "out of memory"}}\n\n'

    with pytest.raises(LanguageModelError, match="Look at the server's log"):
        server.model().complete(HELLO)


def test_an_answer_cut_off_by_a_limit_is_said(server: ChatServer) -> None:
    server.pieces, server.finish_reason = ["I wonder whether"], "length"
    shown: list[str] = []

    with pytest.raises(LanguageModelError, match="token limit"):
        shown.extend(server.model().stream(HELLO))

    assert shown == []


def test_the_key_is_in_no_repr(server: ChatServer) -> None:
    assert KEY not in repr(server.model())


REPLIES = st.text(alphabet="ab <>/\n", max_size=20)


@given(REPLIES, REPLIES, st.booleans(), st.integers(1, 7))
def test_tags_are_found_however_the_reply_is_cut(before: str, after: str, opens: bool, size: int) -> None:
    reasoning: list[str] = []
    reply = ("<think>" if opens else "") + before + "</think>" + after
    pieces = [reply[start : start + size] for start in range(0, len(reply), size)]
    splitter = ReasoningSplitter(begins_inside=None, on_reasoning=reasoning.append)

    assert "".join(splitter.visible(pieces)) == after
    assert "".join(reasoning) == before
    assert splitter.began_inside is (not opens)


@given(st.text(), st.sampled_from([None, False]), st.integers(1, 7))
def test_a_reply_without_tags_is_whole(reply: str, begins_inside: bool | None, size: int) -> None:
    pieces = [reply[start : start + size] for start in range(0, len(reply), size)]

    assert "".join(ReasoningSplitter(begins_inside=begins_inside).visible(pieces)) == reply


def test_a_model_that_reasons_only_sometimes_is_learned_again() -> None:
    splitter = ReasoningSplitter(begins_inside=True)

    assert "".join(splitter.visible(["no tags at all"])) == ""
    assert splitter.began_inside is None


def test_an_address_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(UsageError, match="llm_api_key") as refused:
        open_remote("https://anna:secret@models.example/v1", "qwen3")

    assert "secret" not in str(refused.value)
