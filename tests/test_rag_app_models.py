"""Models that wait: loaded once for all who ask, tried again after an error, given back."""

from __future__ import annotations

import gc
import shutil
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from qwen3_checkpoint import save_checkpoint, tiny_qwen3

from ingest.embedding import MiniLmEncoder
from rag_app.answer import Finished, Loading
from rag_app.assistant import build_assistant
from rag_app.models import Model, Models, open_models
from rag_app.settings import load_settings
from retrievers.rerank.errors import RerankerError, RerankerSelfTestError
from retrievers.rerank.qwen3 import Qwen3Reranker


class Network:
    """Something that takes its time to load."""

    where = "cuda:0, bfloat16"


def waiting_for(event: threading.Event, loads: list[Network]) -> Model[Network]:
    def load() -> Network:
        assert event.wait(10)
        loads.append(Network())
        return loads[-1]

    return Model("reranking", "tiny", load)


def test_a_model_is_loaded_once_for_all_who_ask_at_the_same_time() -> None:
    begin, loads = threading.Event(), []
    model = waiting_for(begin, loads)

    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(model.get) for _ in range(4)]
        model.start()
        assert model.state == "loading"
        assert (model.loaded, model.where) == (None, "")
        begin.set()

    assert {id(one.result()) for one in found} == {id(loads[0])}
    assert len(loads) == 1
    assert (model.state, model.where) == ("loaded", "cuda:0, bfloat16")
    assert model.seconds is not None


def test_all_who_wait_read_why_a_model_cannot_be_loaded_and_the_next_one_tries_again() -> None:
    begin, tries = threading.Event(), []

    def load() -> Network:
        assert begin.wait(10)
        tries.append(None)
        if len(tries) == 1:
            raise RerankerError("There is no folder /models. Name one.")
        return Network()

    model = Model("reranking", "tiny", load)
    waiting = [model.start(), model.start()]
    begin.set()

    for one in waiting:
        with pytest.raises(RerankerError, match="no folder /models"):
            one.result()
    assert tries == [None]
    assert model.get().where == "cuda:0, bfloat16"
    assert (model.state, model.failure) == ("loaded", None)


def test_a_failed_model_says_why_until_it_is_tried_again(encoder: MiniLmEncoder) -> None:
    def load() -> Network:
        raise RerankerSelfTestError("It ranks known pairs wrongly.")

    model = Model("reranking", "tiny", load)
    with pytest.raises(RerankerSelfTestError):
        model.get()
    models = Models(Model.ready("embedding", "MiniLM", encoder), encoder, reranker=model)

    assert model.state == "failed"
    with pytest.raises(RerankerSelfTestError, match="known pairs wrongly"):
        models.check()


def test_whoever_waits_for_a_model_hears_of_it_and_may_leave(encoder: MiniLmEncoder) -> None:
    begin, loads = threading.Event(), []
    model = waiting_for(begin, loads)
    models = Models(Model.ready("embedding", "MiniLM", encoder), encoder, reranker=model)
    waiting = models.load()

    assert [next(waiting), next(waiting)] == ["tiny", "tiny"]
    waiting.close()
    begin.set()

    assert model.get() is loads[0]
    assert list(models.load()) == []


def test_an_unloaded_model_is_given_back_and_loaded_again_when_it_is_needed() -> None:
    begin, loads = threading.Event(), []
    begin.set()
    model = waiting_for(begin, loads)
    first = weakref.ref(model.get())
    loads.clear()

    model.unload()
    gc.collect()

    assert first() is None
    assert model.state == "waiting"
    assert model.get() is loads[0]


def test_a_model_that_is_always_there_is_not_unloaded() -> None:
    network = Network()
    model = Model.ready("embedding", "MiniLM", network)
    model.unload()

    assert model.loaded is network
    assert not model.can_be_unloaded


def test_the_small_models_are_there_at_once_and_listed_once() -> None:
    models = open_models(load_settings())

    assert [(model.role, model.state) for model in models.all] == [("embedding", "loaded")]
    assert not models.follows_instructions
    assert list(models.load()) == []


def test_the_models_of_qwen3_wait_and_are_known_before_they_are_loaded(qwen3_folder: Path) -> None:
    settings = load_settings(
        embedding="qwen3", embedding_model=str(qwen3_folder), reranker="qwen3", llm="qwen3", llm_model="a/b/Qwen3-4B"
    )
    models = open_models(settings)

    assert [(model.role, model.name, model.state) for model in models.all] == [
        ("embedding", "tiny-reranker", "waiting"),
        ("matching", "all-MiniLM-L6-v2", "loaded"),
        ("reranking", "Qwen3-Reranker-0.6B", "waiting"),
        ("writing", "Qwen3-4B", "waiting"),
    ]
    assert models.follows_instructions
    assert models.encoder.get().identity == str(qwen3_folder)
    assert models.encoder.where == "cpu, float32"


def test_a_question_loads_what_it_needs_and_says_so(tested_qwen3_folder: Path, tmp_path: Path) -> None:
    note = tmp_path / "note.md"
    note.write_text("E07 on the HP-60 means that the oil pressure is too low.", encoding="utf-8")
    settings = load_settings(home=tmp_path / "home", reranker="qwen3", rerank_model=str(tested_qwen3_folder), gate=0)
    assistant = build_assistant(settings, create=True, load=False)
    assistant.library.ingest([note])
    [reranker] = [model for model in assistant.models.all if model.role == "reranking"]
    assert reranker.state == "waiting"

    first = list(assistant.ask("What does E07 mean?"))
    second = list(assistant.ask("What does E07 mean?"))
    network = weakref.ref(reranker.get())
    reranker.unload()
    gone = network() is None
    third = list(assistant.ask("What does E07 mean?"))
    assistant.close()

    assert {event for event in first if isinstance(event, Loading)} == {Loading("reranker")}
    assert not [event for event in second if isinstance(event, Loading)]
    assert gone
    assert isinstance(third[0], Loading)
    assert isinstance(third[-1], Finished)
    assert isinstance(reranker.loaded, Qwen3Reranker)


def test_a_reranker_that_fails_its_self_test_answers_no_question_until_it_is_mended(
    qwen3_folder: Path, tested_qwen3_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "reranker"
    save_checkpoint(tiny_qwen3(), folder)
    settings = load_settings(home=tmp_path / "home", reranker="qwen3", rerank_model=str(folder))
    assistant = build_assistant(settings, create=True, load=False)

    for _ in range(2):
        with pytest.raises(RerankerSelfTestError, match="Red Planet"):
            list(assistant.ask("What does E07 mean?"))
    with pytest.raises(RerankerSelfTestError):
        assistant.search("What does E07 mean?")
    shutil.copy(tested_qwen3_folder / "rerank_self_test.json", folder)
    assistant.search("What does E07 mean?")
    assistant.models.check()
    assistant.close()
