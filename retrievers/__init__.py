"""From a question to ranked evidence: `open_retriever("home").retrieve("question")`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retrievers.hybrid import HybridRetriever
    from retrievers.open import open_retriever
    from retrievers.rerank.compressor import Qwen3RerankCompressor, RerankCompressor
    from retrievers.rerank.late_interaction import LateInteractionReranker
    from retrievers.rerank.postprocessor import Qwen3Rerank, RerankPostprocessor
    from retrievers.rerank.qwen3 import Qwen3Reranker
    from retrievers.rerank.remote import RemoteReranker

__all__ = [
    "HybridRetriever",
    "LateInteractionReranker",
    "Qwen3Rerank",
    "Qwen3RerankCompressor",
    "Qwen3Reranker",
    "RemoteReranker",
    "RerankCompressor",
    "RerankPostprocessor",
    "open_retriever",
]

_MODULES = {
    "HybridRetriever": "retrievers.hybrid",
    "LateInteractionReranker": "retrievers.rerank.late_interaction",
    "Qwen3Rerank": "retrievers.rerank.postprocessor",
    "Qwen3RerankCompressor": "retrievers.rerank.compressor",
    "Qwen3Reranker": "retrievers.rerank.qwen3",
    "RemoteReranker": "retrievers.rerank.remote",
    "RerankCompressor": "retrievers.rerank.compressor",
    "RerankPostprocessor": "retrievers.rerank.postprocessor",
    "open_retriever": "retrievers.open",
}


def __getattr__(name: str) -> Any:
    # Importing this package must stay quick; torch and LlamaIndex load when a name is used.
    if name not in _MODULES:
        raise AttributeError(f"module 'retrievers' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)
