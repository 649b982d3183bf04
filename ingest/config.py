"""What can be set about ingest. Standard library only: reading a setting must not load a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CHUNKER_VERSION = "1"
"""Part of a collection's identity: raise it when the same file would give other chunks."""


SEGMENTATION_VERSION = "1"
"""Likewise for the words of the keyword index."""

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""The official model.safetensors of sentence-transformers/all-MiniLM-L6-v2."""

EMBEDDERS = {"embedded": f"all-MiniLM-L6-v2@{MINILM_SHA256[:12]}"}


@dataclass(frozen=True, slots=True)
class ReadingConfig:
    """How files are read: `passwords` are tried on encrypted ones, `ocr` reads pages without a usable text layer."""

    passwords: tuple[str, ...] = ()
    ocr: bool = True


@dataclass(frozen=True, slots=True)
class ChunkingConfig:
    """Sizes in tokens of the embedder. Chunks below `small_tokens` are joined with their neighbour section."""

    max_tokens: int = 220
    small_tokens: int = 60

    def __post_init__(self) -> None:
        if not 0 <= self.small_tokens <= self.max_tokens or self.max_tokens < 16:
            raise ValueError(
                f"Expected 0 <= small_tokens <= max_tokens and max_tokens >= 16, "
                f"got small_tokens={self.small_tokens}, max_tokens={self.max_tokens}."
            )


@dataclass(frozen=True, slots=True)
class EmbeddingConfig:
    """Which model turns text into vectors. "embedded" is all-MiniLM-L6-v2 from an installed package.

    `batch_tokens` bounds the padded tokens of one forward pass, and with it the memory.
    """

    model: str = "embedded"
    batch_tokens: int = 8192

    def __post_init__(self) -> None:
        if self.model not in EMBEDDERS:
            raise ValueError(f"Expected an embedding model of {sorted(EMBEDDERS)}, got '{self.model}'.")

    @property
    def identity(self) -> str:
        """Model and revision, as a collection remembers them; known without loading the model."""
        return EMBEDDERS[self.model]


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
