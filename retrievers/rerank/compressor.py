"""Any reranker as a LangChain document compressor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from pydantic import ConfigDict, Field

from retrievers.rerank.instructions import resolve
from retrievers.rerank.prompt import DEFAULT_MODEL
from retrievers.rerank.protocol import Reranker


class RerankCompressor(BaseDocumentCompressor):
    """The `top_n` best documents by the reranker's score, best first; ties keep the order they came in.

    The documents are copies with `metadata["relevance_score"]`. `instruction` is a name or a sentence.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    reranker: Reranker = Field(exclude=True)
    top_n: int = Field(default=5, ge=1)
    instruction: str | None = None

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        texts = [document.page_content for document in documents]
        instruction = None if self.instruction is None else resolve(self.instruction)
        scores = self.reranker.score(query, texts, instruction=instruction)
        scored = [
            document.model_copy(update={"metadata": {**document.metadata, "relevance_score": score}})
            for document, score in zip(documents, scores, strict=True)
        ]
        return sorted(scored, key=lambda document: -document.metadata["relevance_score"])[: self.top_n]


class Qwen3RerankCompressor(RerankCompressor):
    """`RerankCompressor` with a Qwen3-Reranker from a local folder or the hub, which is loaded at once.

    `loading` are the arguments of `Qwen3Reranker.from_pretrained`: device, dtype, max_length, revision, self_test.
    """

    def __init__(
        self, model: str = DEFAULT_MODEL, *, top_n: int = 5, instruction: str | None = None, **loading: Any
    ) -> None:
        from retrievers.rerank.qwen3 import Qwen3Reranker

        super().__init__(reranker=Qwen3Reranker.from_pretrained(model, **loading), top_n=top_n, instruction=instruction)
