"""Any reranker as a LlamaIndex node postprocessor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from llama_index.core.bridge.pydantic import ConfigDict, Field
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle
from llama_index_instrumentation import get_dispatcher

from ingest.errors import UsageError
from retrievers.rerank.instructions import resolve
from retrievers.rerank.prompt import DEFAULT_MODEL
from retrievers.rerank.protocol import Reranker, TimedReranker

dispatcher = get_dispatcher(__name__)


class RerankPostprocessor(BaseNodePostprocessor):
    """The `top_n` best nodes by the reranker's score, best first; ties keep the order of the first stage.

    The nodes are copies; the metadata of each keeps its place and score before reranking as `retrieval_rank` (from 1)
    and `retrieval_score`. What is scored is the node's text with its embedded metadata in front. With `budget_ms`,
    nodes are scored in the order of the first stage until the time is spent; the others stand behind the scored ones,
    in that order and with the score None. Raises `UsageError` for a budget where the reranker cannot stop early.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    reranker: Reranker = Field(description="What scores the nodes.", exclude=True)
    top_n: int = Field(default=5, ge=1, description="How many nodes to keep.")
    instruction: str | None = Field(default=None, description="What counts as relevant: a name or a sentence.")
    budget_ms: float | None = Field(default=None, gt=0, description="The time for scoring; None: as long as it takes.")

    def model_post_init(self, context: Any, /) -> None:
        super().model_post_init(context)
        if self.budget_ms is not None and not isinstance(self.reranker, TimedReranker):
            raise UsageError(
                f"{type(self.reranker).__name__} scores all documents or none, so it cannot keep a budget of "
                f"{self.budget_ms:g} ms. Leave the budget out, or use Qwen3Reranker."
            )

    @classmethod
    def class_name(cls) -> str:
        return "RerankPostprocessor"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        if query_bundle is None:
            raise ValueError("Reranking needs the question: call postprocess_nodes(nodes, query_str=...).")
        if not nodes:
            return []
        name = self._model_name()
        dispatcher.event(ReRankStartEvent(query=query_bundle, nodes=nodes, top_n=self.top_n, model_name=name))
        texts = [node.node.get_content(metadata_mode=MetadataMode.EMBED) for node in nodes]
        best = rank_by_score(nodes, self._scores(query_bundle.query_str, texts))[: self.top_n]
        dispatcher.event(ReRankEndEvent(nodes=best))
        return best

    def _model_name(self) -> str:
        return type(self.reranker).__name__

    def _scores(self, query: str, texts: Sequence[str]) -> list[float]:
        instruction = None if self.instruction is None else resolve(self.instruction)
        if self.budget_ms is not None and isinstance(self.reranker, TimedReranker):
            return self.reranker.score_within(query, texts, self.budget_ms, instruction=instruction)
        return self.reranker.score(query, texts, instruction=instruction)


class Qwen3Rerank(RerankPostprocessor):
    """`RerankPostprocessor` with a Qwen3-Reranker from a local folder or the hub, which is loaded at once.

    `loading` are the arguments of `Qwen3Reranker.from_pretrained`: device, dtype, max_length, revision, self_test.
    """

    model: str = Field(default=DEFAULT_MODEL, description="The reranker's folder or its name on the hub.")

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        *,
        top_n: int = 5,
        instruction: str | None = None,
        budget_ms: float | None = None,
        **loading: Any,
    ) -> None:
        from retrievers.rerank.qwen3 import Qwen3Reranker

        reranker = Qwen3Reranker.from_pretrained(model, **loading)
        super().__init__(reranker=reranker, top_n=top_n, instruction=instruction, budget_ms=budget_ms)
        self.model = model

    @classmethod
    def class_name(cls) -> str:
        return "Qwen3Rerank"

    def _model_name(self) -> str:
        return self.model


def rank_by_score(nodes: Sequence[NodeWithScore], scores: Sequence[float]) -> list[NodeWithScore]:
    """Copies of the nodes with these scores, best first, that remember where they stood before.

    Nodes beyond the last score get None and stand behind the others in the order given.
    """
    scored = []
    for rank, (node, score) in enumerate(zip_longest(nodes, scores), start=1):
        metadata = {**node.node.metadata, "retrieval_rank": rank, "retrieval_score": node.score}
        scored.append(NodeWithScore(node=node.node.model_copy(update={"metadata": metadata}), score=score))
    return sorted(scored, key=lambda node: -math.inf if node.score is None else node.score, reverse=True)
