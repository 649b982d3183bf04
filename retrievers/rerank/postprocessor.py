"""Any reranker as a LlamaIndex node postprocessor."""

from __future__ import annotations

from llama_index.core.bridge.pydantic import ConfigDict, Field
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle
from llama_index_instrumentation import get_dispatcher

from retrievers.rerank.protocol import Reranker

dispatcher = get_dispatcher(__name__)


class RerankPostprocessor(BaseNodePostprocessor):
    """The `top_n` best nodes by the reranker's score, best first; ties keep the order of the first stage.

    The nodes are copies; the metadata of each keeps its place and score before reranking as `retrieval_rank` (from 1)
    and `retrieval_score`. What is scored is the node's text with its embedded metadata in front.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    reranker: Reranker = Field(description="What scores the nodes.", exclude=True)
    top_n: int = Field(default=5, ge=1, description="How many nodes to keep.")
    instruction: str | None = Field(default=None, description="What counts as relevant.")

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
        name = type(self.reranker).__name__
        dispatcher.event(ReRankStartEvent(query=query_bundle, nodes=nodes, top_n=self.top_n, model_name=name))
        texts = [node.node.get_content(metadata_mode=MetadataMode.EMBED) for node in nodes]
        scores = self.reranker.score(query_bundle.query_str, texts, instruction=self.instruction)
        best = rank_by_score(nodes, scores)[: self.top_n]
        dispatcher.event(ReRankEndEvent(nodes=best))
        return best


def rank_by_score(nodes: list[NodeWithScore], scores: list[float]) -> list[NodeWithScore]:
    """Copies of the nodes with these scores, best first, that remember where they stood before."""
    scored = []
    for rank, (node, score) in enumerate(zip(nodes, scores, strict=True), start=1):
        metadata = {**node.node.metadata, "retrieval_rank": rank, "retrieval_score": node.score}
        scored.append(NodeWithScore(node=node.node.model_copy(update={"metadata": metadata}), score=score))
    return sorted(scored, key=lambda node: -(node.score or 0.0))
