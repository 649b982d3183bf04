"""What the reranker saw and did, in few words: the candidates of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

from llama_index.core.schema import MetadataMode, NodeWithScore

from rag_app.answer import RankedCandidate
from retrievers.rerank.instructions import resolve
from retrievers.rerank.protocol import CountingReranker, Reranker

EXCERPT_CHARACTERS = 160


def candidates_of(
    question: str, ranked: Sequence[NodeWithScore], reranker: Reranker, instruction: str | None
) -> tuple[RankedCandidate, ...]:
    """The nodes that were reranked for the question, best first, with their tokens where the reranker counts them."""
    counts: Sequence[tuple[int, int]] | repeat[tuple[None, None]] = repeat((None, None), len(ranked))
    if isinstance(reranker, CountingReranker):
        texts = [hit.node.get_content(MetadataMode.EMBED) for hit in ranked]
        counts = reranker.token_counts(question, texts, instruction=instruction and resolve(instruction))
    return tuple(
        _candidate(rank, hit, *count) for rank, (hit, count) in enumerate(zip(ranked, counts, strict=True), start=1)
    )


def _candidate(rank: int, hit: NodeWithScore, tokens: int | None, kept: int | None) -> RankedCandidate:
    metadata = hit.node.metadata
    text = " ".join(hit.text.split())
    return RankedCandidate(
        chunk_id=hit.node.node_id,
        document_id=metadata["document_id"],
        source=metadata["source"],
        page=metadata["page"],
        page_label=metadata["page_label"],
        section=metadata["section"],
        excerpt=text if len(text) <= EXCERPT_CHARACTERS else f"{text[: EXCERPT_CHARACTERS - 1]}…",
        rank=rank,
        retrieval_rank=metadata["retrieval_rank"],
        score=hit.score,
        retrieval_score=metadata["retrieval_score"],
        tokens=tokens,
        tokens_kept=kept,
    )
