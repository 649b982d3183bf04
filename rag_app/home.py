"""What one process shares over all collections of a home: models, chats, grids, opinions, evaluations, assistants."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ingest.catalog import Kind, catalog_path, collection_names, require_collection
from ingest.collection import Collection, drop_collection
from ingest.errors import StorageError, UsageError
from rag_app.answering import RunningAnswers
from rag_app.chats import Chats, Exchange
from rag_app.evaluations import Evaluations
from rag_app.feedback import Feedback, FeedbackStore, ModelNames
from rag_app.grids import Grids
from rag_app.models import Models
from rag_app.rerankers import describe_reranker
from rag_app.settings import Settings
from retrievers.rerank.instructions import check_instruction

if TYPE_CHECKING:
    from rag_app.assistant import Assistant


class Home:
    """The folder below which everything lives, as one process has it open. Safe to use from several threads."""

    def __init__(
        self, settings: Settings, models: Models, assistant_over: Callable[[Settings, Collection, Home], Assistant]
    ) -> None:
        """`settings` name the collection that the process is started with."""
        self.models = models
        self.chats = Chats(settings.location.home)
        self.answers = RunningAnswers()
        self.grids = Grids(settings.location.home)
        self.evaluations = Evaluations(settings.location.home)
        self._feedback = FeedbackStore(settings.location.home)
        self._settings = settings
        self._assistant_over = assistant_over
        self._assistants: dict[str, Assistant] = {}
        self._lock = threading.RLock()

    def collections(self) -> list[str]:
        return collection_names(self._settings.location.home)

    def open(self, name: str, *, create: bool = False) -> Assistant:
        """The assistant over the collection of that name, one for all who ask: two would not see the same documents.

        With `create` the collection is made where there is none, else `UnknownCollectionError` is raised.
        """
        with self._lock:
            if name not in self._assistants:
                settings = self._settings_of(name)
                opening = Collection.create if create else Collection.open
                collection = opening(settings.location, settings.embedder, settings.chunking)
                self._assistants[name] = self._assistant_over(settings, collection, self)
                if name != self._settings.collection:  # the first one takes up its work when it is served
                    self._assistants[name].library.jobs.resume()
            return self._assistants[name]

    def create_collection(self, name: str, kind: Kind, instruction: str | None = None) -> None:
        """Makes an empty collection. Raises `UsageError` where there is one, and for what is no name."""
        check_instruction(instruction)
        settings = self._settings_of(name)
        with self._lock:
            if catalog_path(settings.location).exists():
                raise UsageError(f"There is a collection '{name}' already. Choose another name.")
            with Collection.create(settings.location, settings.embedder, settings.chunking) as made:
                made.catalog.set_kind(kind)
                made.catalog.set_instruction(instruction)

    def delete_collection(self, name: str) -> None:
        """Deletes a collection with its chats and grids, the opinions on its answers, its uploads and its index.

        What is being answered from it is stopped.

        Raises `UsageError` where there is none, and for the one that the process was started with; `StorageError` where
        something cannot be deleted.
        """
        location = self._settings_of(name).location
        require_collection(location)
        if name == self._settings.collection:
            raise UsageError(
                f"The chat was started with the collection '{name}'. Start it with another one to delete this one."
            )
        self.answers.stop(name)
        with self._lock:
            if name in self._assistants:
                self._assistants.pop(name).close()
            self.chats.forget_collection(name)
            self.grids.forget_collection(name)
            self._feedback.forget_collection(name)
            try:
                if location.uploads.exists():
                    shutil.rmtree(location.uploads)
                drop_collection(location)  # the last, so that a deletion which failed can be tried again
            except OSError as error:
                raise StorageError(
                    f"The collection '{name}' cannot be deleted whole ({error}). Mend that, then delete it again."
                ) from error

    def note_opinion(self, exchange: Exchange, collection: str) -> None:
        """Keeps what a reader says of an answered exchange, or forgets it where the opinion was taken back.

        Of a collection that was deleted while its answer was still shown nothing is kept.
        """
        if exchange.opinion is None or exchange.answer is None:
            self._feedback.withdraw(exchange.id)
            return
        writer = self.models.writer
        embedder = self._settings.embedder.identity
        names = ModelNames(describe_reranker(self._settings), embedder, writer.name if writer else None)
        told = Feedback(exchange.opinion, exchange.question, exchange.answer, collection, names, datetime.now(UTC))
        with self._lock:
            if collection in self.collections():
                self._feedback.put(exchange.id, told)

    def evaluate(self, question_set: str, strategies: Sequence[str], instructions: Sequence[str], limit: int) -> None:
        """Begins an evaluation beside the chat, with the same models; see `Evaluations.start`."""
        self.evaluations.start(question_set, strategies, instructions, limit, self._settings, self.models)

    def close(self) -> None:
        """Stops what is being answered, read or evaluated, and closes every collection."""
        self.answers.close()
        self.evaluations.close()
        with self._lock:
            while self._assistants:
                self._assistants.popitem()[1].close()

    def _settings_of(self, name: str) -> Settings:
        return self._settings.model_copy(update={"collection": name})
