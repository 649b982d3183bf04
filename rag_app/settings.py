"""Every setting, from one TOML file and from the environment; the only module that reads either.

A setting `top_k` is `top_k = 8` in the file and `RAG_TOP_K=8` in the environment, which wins; options of a command
win over both. A name that is not known is an error.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ingest.config import ChunkingConfig, EmbeddingConfig, StoreConfig
from ingest.errors import UsageError
from rag_app.gate import THRESHOLD

ENV_PREFIX = "RAG_"
CONFIG_VARIABLE = "RAG_CONFIG"


class Settings(BaseSettings):
    """The settings of one process, frozen; `load_settings` reads them."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True)

    home: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("rag-app"), description="Where the collections live."
    )
    collection: str = Field(default="default", description="The collection that is asked.")
    chunk_tokens: int = Field(default=220, ge=16, le=480, description="The longest passage, in the embedder's tokens.")
    candidates: int = Field(default=30, ge=1, le=200, description="How many passages are reranked.")
    top_k: int = Field(default=6, ge=1, le=50, description="How many passages an answer may use.")
    gate: float = Field(
        default=THRESHOLD,
        ge=0.0,
        le=1.0,
        description="The evidence below which a question is refused; 0 answers always.",
    )
    llm_base_url: str = Field(
        default="", description="An OpenAI-compatible endpoint, such as http://localhost:11434/v1."
    )
    llm_model: str = Field(default="", description="The language model's name there; empty: passages are quoted.")
    llm_api_key: SecretStr = Field(default=SecretStr(""), description="The key of that endpoint, where it wants one.")
    llm_timeout_s: float = Field(default=120.0, gt=0, description="How long to wait for the language model.")
    context_characters: int = Field(
        default=24_000, ge=1000, description="How much text of passages the language model is shown."
    )
    host: str = Field(default="127.0.0.1", description="The address that `serve` listens on.")
    port: int = Field(default=8501, ge=0, le=65535, description="The port that `serve` listens on.")

    @property
    def chunking(self) -> ChunkingConfig:
        return ChunkingConfig(max_tokens=self.chunk_tokens, small_tokens=min(60, self.chunk_tokens))

    @property
    def embedding(self) -> EmbeddingConfig:
        return EmbeddingConfig()

    @property
    def store(self) -> StoreConfig:
        return StoreConfig(self.home.expanduser(), self.collection)

    @property
    def profile(self) -> str:
        return "embedded"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options of a command, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=config_file())


def config_file() -> Path:
    """The settings file: what RAG_CONFIG names, else `config.toml` in the platform's folder for configuration."""
    named = os.environ.get(CONFIG_VARIABLE)
    return Path(named) if named else platformdirs.user_config_path("rag-app") / "config.toml"


def load_settings(**options: Any) -> Settings:
    """The settings with the options given (None: not given). Raises `UsageError` that names what is wrong."""
    known = {f"{ENV_PREFIX}{name}".upper() for name in Settings.model_fields} | {CONFIG_VARIABLE}
    unknown = sorted(name for name in os.environ if name.upper().startswith(ENV_PREFIX) and name.upper() not in known)
    if unknown:
        raise UsageError(
            f"Unknown settings in the environment: {', '.join(unknown)}. Known: {', '.join(sorted(known))}."
        )
    path = config_file()
    if CONFIG_VARIABLE in os.environ and not path.is_file():
        raise UsageError(f"{CONFIG_VARIABLE} names {path}, which is no file. Create it or unset the variable.")
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        details = "; ".join(f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors())
        raise UsageError(
            f"The settings are not valid ({details}). They come from {path}, RAG_* and options."
        ) from error
    except ValueError as error:  # what the TOML parser raises
        raise UsageError(f"The settings file {path} is not valid TOML: {error}.") from error
