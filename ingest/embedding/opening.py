"""Which model embeds: the only place that maps the settings to encoders."""

from __future__ import annotations

from ingest.config import EmbeddingConfig
from ingest.embedding.minilm import MiniLmEncoder
from ingest.embedding.protocol import Encoder


def open_encoder(config: EmbeddingConfig) -> Encoder:
    """The loaded encoder of these settings. Raises `EmbeddingError` where it cannot be had."""
    match config.model:
        case "embedded":
            return MiniLmEncoder(config)
        case "multilingual":
            from ingest.embedding.multilingual import MultilingualEncoder

            return MultilingualEncoder(config)
        case "qwen3":
            from ingest.embedding.qwen3 import Qwen3Encoder

            return Qwen3Encoder(config)
        case "openai":
            from ingest.embedding.remote import RemoteEncoder

            return RemoteEncoder(config)


def embedded_encoder(encoder: Encoder) -> MiniLmEncoder:
    """The embedded model, for what needs token vectors: `encoder` itself, where it is that model."""
    return encoder if isinstance(encoder, MiniLmEncoder) else MiniLmEncoder()
