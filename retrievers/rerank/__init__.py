"""Rerankers, and their adapters for LlamaIndex and LangChain."""
