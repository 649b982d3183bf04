"""The language model in this process: a tiny Qwen3 with random weights and the real tokenizer streams and stops."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage, SystemMessage
from qwen3_checkpoint import save_checkpoint, tiny_qwen3
from transformers import AutoModelForCausalLM, AutoTokenizer

from rag_app.llm import LanguageModelError
from rag_app.llm.local import Draft, LocalChatModel, open_local, up_to_stop
from rag_app.llm.qwen3 import Qwen3Engine

HELLO = [SystemMessage("Answer briefly."), HumanMessage("Which torque? 扭矩是多少？")]

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n"
)
QWEN3 = CHATML + "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
QWEN3_THINKING = CHATML + "<think>\n"


def saved(folder: Path, template: str | None, **changes: object) -> Path:
    model = tiny_qwen3(num_hidden_layers=2, **changes)
    model.generation_config.eos_token_id = [151_645, 151_643]
    return save_checkpoint(model, folder, chat_template=template)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("qwen3") / "chat", QWEN3)


@pytest.fixture(scope="module")
def engine(folder: Path) -> Qwen3Engine:
    return Qwen3Engine(str(folder))


def chat(engine: Qwen3Engine, *, answer_tokens: int = 24, thinking: bool = False) -> LocalChatModel:
    return LocalChatModel(engine=engine, answer_tokens=answer_tokens, thinking=thinking)


def test_the_stream_is_what_the_model_generates(folder: Path, engine: Qwen3Engine) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    messages = [{"role": "system", "content": HELLO[0].text}, {"role": "user", "content": HELLO[1].text}]
    prompt = tokenizer.apply_chat_template(messages, tokenize=False, enable_thinking=False)
    ids = tokenizer(prompt, return_tensors="pt")
    expected = model.generate(**ids, do_sample=False, max_new_tokens=24)[0, ids.input_ids.shape[1] :]

    pieces = [chunk.text for chunk in chat(engine).stream(HELLO)]

    assert "".join(pieces) == tokenizer.decode(expected, skip_special_tokens=True)
    assert len([piece for piece in pieces if piece]) > 3
    assert chat(engine).invoke(HELLO).text == "".join(pieces)


def test_the_prompt_is_counted_as_the_model_reads_it(engine: Qwen3Engine, folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompt = engine.prompt([{"role": "user", "content": "Hello"}], thinking=False)

    assert prompt == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    assert chat(engine).get_num_tokens_from_messages([HumanMessage("Hello")]) == len(tokenizer(prompt).input_ids)


def test_a_model_may_reason_where_that_is_wanted(engine: Qwen3Engine) -> None:
    assert engine.prompt([{"role": "user", "content": "Hello"}], thinking=True).endswith("assistant\n")


def test_reasoning_that_the_template_opens_is_marked(tmp_path: Path) -> None:
    engine = Qwen3Engine(str(saved(tmp_path / "thinking", QWEN3_THINKING)))

    assert chat(engine).invoke(HELLO).text.startswith("<think>")
    with pytest.raises(LanguageModelError, match="token limit"):
        open_local(engine, answer_tokens=8).complete(HELLO)


def test_closing_the_stream_stops_the_model(engine: Qwen3Engine) -> None:
    before = threading.active_count()
    started = time.perf_counter()
    with closing(chat(engine, answer_tokens=30_000).stream(HELLO)) as chunks:
        next(chunks)

    assert time.perf_counter() - started < 60
    assert threading.active_count() == before


def test_a_stop_text_ends_the_reply_and_is_not_part_of_it(engine: Qwen3Engine) -> None:
    whole = chat(engine).invoke(HELLO).text
    stop = whole[len(whole) // 2 :][:3]

    assert chat(engine).invoke(HELLO, stop=[stop]).text == whole[: whole.index(stop)]


def test_a_reply_that_is_cut_off_is_said(engine: Qwen3Engine) -> None:
    with pytest.raises(LanguageModelError, match="token limit"):
        open_local(engine, answer_tokens=3).complete(HELLO)


def test_a_reply_that_ends_is_whole(engine: Qwen3Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    first = engine._tokenizer(chat(engine, answer_tokens=1).invoke(HELLO).text).input_ids[0]
    monkeypatch.setattr(engine._model.generation_config, "eos_token_id", first)
    reasons = [chunk.response_metadata.get("finish_reason") for chunk in chat(engine, answer_tokens=1).stream(HELLO)]

    assert "stop" in reasons
    assert "length" not in reasons


def test_the_budget_is_the_models_own_and_is_obeyed(engine: Qwen3Engine, folder: Path) -> None:
    assert engine.context_tokens == 40_960
    assert Qwen3Engine(str(folder), context_tokens=100_000).context_tokens == 40_960
    model = open_local(Qwen3Engine(str(folder), context_tokens=60), answer_tokens=20)

    assert model.fits([HumanMessage("torque " * 20)])
    assert not model.fits([HumanMessage("torque " * 40)])
    with pytest.raises(LanguageModelError, match="given at most 40"):
        model.complete([HumanMessage("torque " * 40)])


def test_threads_take_turns(engine: Qwen3Engine) -> None:
    model = chat(engine)
    expected = model.invoke(HELLO).text
    replies: list[str] = []
    threads = [threading.Thread(target=lambda: replies.append(model.invoke(HELLO).text)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert replies == [expected] * 3


def test_memory_that_runs_out_is_said(engine: Qwen3Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*args: object, **kwargs: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(engine._model, "generate", no_memory)

    with pytest.raises(LanguageModelError, match="no room in the memory of cpu"):
        chat(engine).invoke(HELLO)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(LanguageModelError, match="There is no folder"):
        Qwen3Engine(str(tmp_path / "none"))


def test_a_model_that_was_not_made_to_chat_is_said(tmp_path: Path) -> None:
    with pytest.raises(LanguageModelError, match="has no chat template"):
        Qwen3Engine(str(saved(tmp_path / "chat", None)))


def test_a_folder_without_a_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(LanguageModelError, match="cannot be loaded"):
        Qwen3Engine(str(tmp_path))


STOPS = st.lists(st.sampled_from(["END", "ab", "E"]), max_size=2)


@given(st.text(alphabet="abEND", max_size=30), STOPS, st.integers(1, 5))
def test_a_stop_text_is_found_however_the_reply_is_cut(reply: str, stops: list[str], size: int) -> None:
    pieces = [reply[start : start + size] for start in range(0, len(reply), size)]
    ends = [reply.index(stop) for stop in stops if stop in reply]

    assert "".join(up_to_stop(pieces, stops)) == reply[: min(ends, default=len(reply))]


def test_what_a_writer_raises_reaches_the_reader() -> None:
    def fails(draft: Draft) -> bool:
        draft.put("It is")
        raise LanguageModelError("No more memory.")

    pieces = iter(Draft(fails))

    assert next(pieces) == "It is"
    with pytest.raises(LanguageModelError, match="No more memory"):
        next(pieces)
