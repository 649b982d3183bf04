"""Any reranker as a LangChain document compressor."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from pydantic import ConfigDict, Field

from retrievers.rerank.protocol import Reranker


class RerankCompressor(BaseDocumentCompressor):
    """The `top_n` best documents by the reranker's score, best first; ties keep the order they came in.

    The documents are copies with `metadata["relevance_score"]`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    reranker: Reranker = Field(exclude=True)
    top_n: int = Field(default=5, ge=1)
    instruction: str | None = None

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        texts = [document.page_content for document in documents]
        scores = self.reranker.score(query, texts, instruction=self.instruction)
        scored = [
            document.model_copy(update={"metadata": {**document.metadata, "relevance_score": score}})
            for document, score in zip(documents, scores, strict=True)
        ]
        return sorted(scored, key=lambda document: -document.metadata["relevance_score"])[: self.top_n]
