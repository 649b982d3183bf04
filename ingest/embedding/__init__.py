"""Vectors of texts: `open_encoder(config)` is the encoder of these settings, `MiniLmEncoder` the embedded one."""

from ingest.embedding.minilm import MiniLmEncoder, TokenVectors, token_counter
from ingest.embedding.opening import embedded_encoder, open_encoder
from ingest.embedding.protocol import Encoder

__all__ = ["Encoder", "MiniLmEncoder", "TokenVectors", "embedded_encoder", "open_encoder", "token_counter"]
