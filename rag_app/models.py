"""The models that an assistant works with: loaded when first needed, once for all who wait, and given back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Generic, Literal, TypeVar

from ingest.config import EmbeddingConfig
from ingest.embedding import Encoder, MiniLmEncoder, open_encoder
from ingest.errors import RagError
from rag_app.llm import LanguageModel
from rag_app.llm.opening import open_language_model
from rag_app.memory import release
from rag_app.rerankers import describe_reranker, open_reranker
from rag_app.settings import Settings
from retrievers.rerank.protocol import Reranker, follows_instructions

logger = logging.getLogger(__name__)

T = TypeVar("T")

Role = Literal["embedding", "matching", "reranking", "writing"]
"""What a model is for: vectors of passages, late interaction, ranking, answers."""

State = Literal["waiting", "loading", "loaded", "failed"]

HEARTBEAT_SECONDS = 0.5
"""So often somebody who waits for a model hears of it, and can leave."""

# One at a time: transformers is not made to be imported and to load from several threads at once.
_loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="load-model")


class Model(Generic[T]):
    """A model of many gigabytes, which is loaded when it is first needed. Safe to use from several threads.

    Whoever asks for it while it is being loaded waits for that one load, and gets what came of it: the model, or the
    error. The next one who asks after an error tries again.
    """

    def __init__(self, role: Role, name: str, load: Callable[[], T]) -> None:
        self.role = role
        self.name = name
        self.can_be_unloaded = True
        self.seconds: float | None = None
        """How long the last load took; None for a model that was there from the start."""
        self._load = load
        self._lock = threading.Lock()
        self._loading: Future[T] | None = None

    @classmethod
    def ready(cls, role: Role, name: str, model: T) -> Model[T]:
        """A model that is small, or runs elsewhere: it is there already, and stays."""
        held = cls(role, name, lambda: model)
        held.can_be_unloaded = False
        held._loading = Future()
        held._loading.set_result(model)
        return held

    @property
    def state(self) -> State:
        loading = self._loading
        if loading is None:
            return "waiting"
        if not loading.done():
            return "loading"
        return "failed" if loading.exception() else "loaded"

    @property
    def failure(self) -> BaseException | None:
        """Why it could not be loaded, the last time."""
        loading = self._loading
        return loading.exception() if loading and loading.done() else None

    @property
    def loaded(self) -> T | None:
        """The model, where it is loaded; nothing is loaded for this."""
        loading = self._loading
        return loading.result() if loading and loading.done() and not loading.exception() else None

    @property
    def where(self) -> str:
        """Where it runs: "cuda:0, bfloat16", or the address of a server; "" before it is loaded."""
        return getattr(self.loaded, "where", "")

    def start(self) -> Future[T]:
        """The load that has ended well or goes on, else a new one; waits for nothing."""
        with self._lock:
            if self._loading is None or self.state == "failed":
                self._loading = _loader.submit(self._timed)
                self._loading.add_done_callback(_log_unexpected)
            return self._loading

    def get(self) -> T:
        """The model, loaded now where it is not. Raises the `RagError` of its load."""
        return self.start().result()

    def unload(self) -> None:
        """Gives its memory back; what is at work with it ends its work first. The next who asks loads it again."""
        with self._lock:
            if self.can_be_unloaded and self.state in ("loaded", "failed"):
                self._loading = None
        release()

    def _timed(self) -> T:
        started = time.perf_counter()
        model = self._load()
        self.seconds = time.perf_counter() - started
        return model


def _log_unexpected(loading: Future[Any]) -> None:
    error = loading.exception()
    if error and not isinstance(error, RagError):
        logger.error("A model could not be loaded.", exc_info=error)


@dataclass(frozen=True, slots=True)
class Models:
    """`reranker` None: late interaction ranks, over the token vectors of `embedded`; `writer` None: answers quote."""

    encoder: Model[Encoder]
    embedded: MiniLmEncoder
    reranker: Model[Reranker] | None = None
    writer: Model[LanguageModel] | None = None

    @property
    def all(self) -> list[Model[Any]]:
        """Each once, in the order in which a question needs them."""
        matching: list[Model[Any]] = []
        if self.encoder.loaded is not self.embedded:
            matching = [Model.ready("matching", MINILM, self.embedded)]
        return [model for model in (self.encoder, *matching, self.reranker, self.writer) if model]

    @property
    def follows_instructions(self) -> bool:
        """Whether an instruction changes the ranking; known without loading."""
        if self.reranker is None:
            return False
        loaded = self.reranker.loaded
        # The one reranker that waits to be loaded is Qwen3's, which follows them.
        return loaded is None or follows_instructions(loaded)

    def load(self) -> Iterator[str]:
        """Loads what is not there, one after the other, giving its name again and again until it is.

        Whoever stops listening leaves the load going on. Raises the `RagError` of a load.
        """
        for model in self.all:
            loading = None if model.state == "loaded" else model.start()
            while loading:
                yield model.name
                if wait([loading], HEARTBEAT_SECONDS).done:
                    loading.result()
                    break

    def check(self) -> None:
        """Raises the `RagError` of a model that could not be loaded the last time."""
        for model in self.all:
            if isinstance(model.failure, RagError):
                raise model.failure.with_traceback(None)


MINILM = "all-MiniLM-L6-v2"
_EMBEDDERS = {"embedded": MINILM, "multilingual": "multilingual-e5-small"}


def open_models(settings: Settings, *, writes: bool = True) -> Models:
    """The models of these settings; those that run here in torch or OpenVINO's generator wait to be needed.

    Without `writes` there is no language model. Raises `EmbeddingError`, `RerankerError` or `LanguageModelError` where
    a model that does not wait cannot be had.
    """
    encoder = _encoder(settings.embedder)
    same = encoder.loaded
    return Models(
        encoder,
        same if isinstance(same, MiniLmEncoder) else MiniLmEncoder(),
        _reranker(settings),
        _writer(settings) if writes else None,
    )


def _encoder(config: EmbeddingConfig) -> Model[Encoder]:
    if config.model == "qwen3":
        return Model("embedding", _short(config.name), lambda: open_encoder(config))
    return Model.ready("embedding", _EMBEDDERS.get(config.model, config.name), open_encoder(config))


def _reranker(settings: Settings) -> Model[Reranker] | None:
    def load() -> Reranker:
        reranker = open_reranker(settings)
        assert reranker is not None
        return reranker

    if settings.profile == "qwen3":
        return Model("reranking", _short(settings.rerank_model), load)
    opened = open_reranker(settings)
    return Model.ready("reranking", describe_reranker(settings), opened) if opened else None


def _writer(settings: Settings) -> Model[LanguageModel] | None:
    def load() -> LanguageModel:
        model = open_language_model(settings)
        assert model is not None
        return model

    match settings.writer:
        case None:
            return None
        case "openai":
            return Model.ready("writing", settings.llm_name, load())
        case "qwen3" | "openvino":
            return Model("writing", _short(settings.llm_name), load)


def _short(name: str) -> str:
    """A model's name without the organisation or the folders in front of it, and without the suffix of a file."""
    return PurePath(name).name.removesuffix(".gguf")
