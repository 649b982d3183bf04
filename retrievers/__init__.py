"""From a question to ranked evidence: `open_retriever("home").retrieve("question")`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retrievers.hybrid import HybridRetriever
    from retrievers.open import open_retriever
    from retrievers.rerank.compressor import RerankCompressor
    from retrievers.rerank.late_interaction import LateInteractionReranker
    from retrievers.rerank.postprocessor import RerankPostprocessor

__all__ = [
    "HybridRetriever",
    "LateInteractionReranker",
    "RerankCompressor",
    "RerankPostprocessor",
    "open_retriever",
]

_MODULES = {
    "HybridRetriever": "retrievers.hybrid",
    "LateInteractionReranker": "retrievers.rerank.late_interaction",
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
