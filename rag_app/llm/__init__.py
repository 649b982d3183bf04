"""Language models: any LangChain chat model behind one budget of tokens, with its reasoning kept out of its words."""

from rag_app.llm.errors import LanguageModelError
from rag_app.llm.model import LanguageModel

__all__ = ["LanguageModel", "LanguageModelError"]
