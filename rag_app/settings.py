"""Every setting, from one TOML file and from the environment; the only module that reads either.

A setting `top_k` is `top_k = 8` in the file and `RAG_TOP_K=8` in the environment, which wins; options of a command
win over both. A name that is not known is an error.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Any, Literal, Self

import platformdirs
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ingest.config import QWEN3_EMBEDDING, ChunkingConfig, Embedder, EmbeddingConfig, StoreConfig
from ingest.errors import UsageError
from rag_app.gate import THRESHOLD
from retrievers.rerank.prompt import DEFAULT_MODEL

ENV_PREFIX = "RAG_"
CONFIG_VARIABLE = "RAG_CONFIG"

Profile = Literal["embedded", "qwen3", "vllm", "vllm-score", "tei", "cohere", "jina"]
"""What ranks the passages: a model in this process, or the server of that kind."""

LOCAL_PROFILES = ("embedded", "qwen3")

Writer = Literal["openai", "qwen3", "openvino"]
"""What writes the answers: a server, or a model in this process."""

QWEN3 = "Qwen/Qwen3-4B-Instruct-2507"


class Settings(BaseSettings):
    """The settings of one process, frozen; `load_settings` reads them."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True)

    home: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("rag-app"), description="Where the collections live."
    )
    collection: str = Field(default="default", description="The collection that is asked.")
    store: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="A Chroma server that keeps the vectors, such as http://localhost:8000; empty: the home does.",
    )
    chunk_tokens: int = Field(default=300, ge=16, le=480, description="The longest passage, in the embedder's tokens.")
    embedding: Embedder = Field(
        default="embedded",
        description="What turns passages into vectors: a model in this process (embedded: English; multilingual: needs "
        "the extra of that name; qwen3) or a server that speaks OpenAI's /v1/embeddings (openai).",
    )
    embedding_model: str = Field(
        default=QWEN3_EMBEDDING,
        min_length=1,
        description="The model of qwen3 (hub name or folder), or of the server.",
    )
    embedding_dimensions: int = Field(
        default=0, ge=0, description="Cut the vectors of qwen3 or of the server to so many numbers; 0: not."
    )
    embedding_instruction: str = Field(
        default="",
        description="What questions look for, in a sentence, for Qwen3-Embedding; empty: what it was trained with, or "
        "nothing to a server.",
    )
    embedding_base_url: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="The address of the embedding server, such as http://localhost:8000.",
    )
    embedding_api_key: SecretStr = Field(
        default=SecretStr(""), description="The key of that server, where it wants one."
    )
    embedding_timeout_s: float = Field(
        default=60.0, gt=0, description="How long to wait for each answer of the embedding server."
    )
    candidates: int = Field(default=30, ge=1, le=200, description="How many passages are reranked.")
    top_k: int = Field(default=6, ge=1, le=50, description="How many passages an answer may use.")
    reranker: Literal["auto", Profile] = Field(
        default="auto",
        description="What ranks the passages: a model in this process (embedded, qwen3) or a server of that kind; "
        "auto is qwen3 with a CUDA GPU and embedded without.",
    )
    rerank_model: str = Field(
        default=DEFAULT_MODEL,
        min_length=1,
        description="The model of qwen3 (hub name or folder), or of the server.",
    )
    rerank_device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$",
        description="Where qwen3 runs; auto: on a CUDA GPU if there is one.",
    )
    rerank_dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto", description="The precision of qwen3; auto: bfloat16 on a GPU, float32 on a CPU."
    )
    rerank_max_length: int = Field(
        default=32_768, ge=256, le=32_768, description="The longest prompt of qwen3 in tokens; longer passages are cut."
    )
    rerank_self_test: bool = Field(default=True, description="Whether qwen3 must rank known pairs rightly to be used.")
    rerank_budget_ms: float = Field(
        default=0.0,
        ge=0,
        description="How long qwen3 may take to rank what a search finds, what this leans on not counted; passages it "
        "does not reach stay unscored; 0: no limit.",
    )
    rerank_long: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="Whether whole sections are reranked once more where the best passages are close; auto: by qwen3 "
        "on a CUDA GPU without a time limit. For on, a server must read 32,768 tokens.",
    )
    rerank_base_url: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="The address of the rerank server, such as http://localhost:8000.",
    )
    rerank_api_key: SecretStr = Field(default=SecretStr(""), description="The key of that server, where it wants one.")
    rerank_timeout_s: float = Field(default=30.0, gt=0, description="How long to wait for the rerank server.")
    gate: float = Field(
        default=THRESHOLD,
        ge=0.0,
        le=1.0,
        description="The probability that the passages hold the answer, below which a question is refused; 0 answers "
        "always.",
    )
    llm: Literal["auto", Writer] = Field(
        default="auto",
        description="What writes the answers: a server that speaks OpenAI's protocol (openai), or a model in this "
        "process (qwen3: safetensors through transformers; openvino: GGUF or OpenVINO on the CPU, needs the extra of "
        "that name); auto is the server where llm_base_url is set, and else none: passages are quoted.",
    )
    llm_base_url: str = Field(
        default="", description="An OpenAI-compatible endpoint, such as http://localhost:11434/v1."
    )
    llm_model: str = Field(
        default="",
        description="The language model's name on that server; of qwen3 (hub name or folder), "
        f"empty: {QWEN3}; of openvino (file or folder).",
    )
    llm_api_key: SecretStr = Field(default=SecretStr(""), description="The key of that endpoint, where it wants one.")
    llm_timeout_s: float = Field(default=120.0, gt=0, description="How long to wait for the language model.")
    llm_context_tokens: int = Field(
        default=0,
        ge=0,
        description="How many tokens the language model reads, question, passages and reply together; 0: what the "
        "model was made for, and for a server, where tokens are estimated, 8192.",
    )
    llm_answer_tokens: int = Field(
        default=1024, ge=1, description="How many of these are kept for the reply, its reasoning included."
    )
    llm_thinking: bool = Field(
        default=False,
        description="Whether a model in this process that can reason does so before it answers, and whether what any "
        "model has reasoned is shown apart from the answer; it is never part of it.",
    )
    strict: bool = Field(
        default=False,
        description="Whether sentences of the language model that no cited passage bears out are dropped; else they "
        "are marked.",
    )
    host: str = Field(default="127.0.0.1", description="The address that `serve` listens on.")
    port: int = Field(default=8501, ge=0, le=65535, description="The port that `serve` listens on.")

    @property
    def chunking(self) -> ChunkingConfig:
        return ChunkingConfig(max_tokens=self.chunk_tokens, small_tokens=min(60, self.chunk_tokens))

    @property
    def embedder(self) -> EmbeddingConfig:
        return EmbeddingConfig(
            self.embedding,
            self.embedding_model,
            self.embedding_dimensions,
            self.embedding_instruction,
            self.embedding_base_url,
            self.embedding_api_key.get_secret_value(),
            self.embedding_timeout_s,
        )

    @property
    def location(self) -> StoreConfig:
        return StoreConfig(self.home.expanduser(), self.collection, self.store)

    @property
    def writer(self) -> Writer | None:
        """What writes the answers; None: they quote the passages."""
        if self.llm != "auto":
            return self.llm
        return "openai" if self.llm_base_url else None

    @property
    def llm_name(self) -> str:
        """The language model's name or folder; "" where none writes."""
        return self.llm_model or (QWEN3 if self.writer == "qwen3" else "")

    @property
    def profile(self) -> Profile:
        """What ranks the passages; "auto" is settled by this machine."""
        if self.reranker != "auto":
            return self.reranker
        return "qwen3" if _has_cuda_gpu() else "embedded"

    @property
    def reads_sections(self) -> bool:
        """Whether whole sections are reranked where the best passages are close."""
        if self.rerank_long != "auto":
            return self.rerank_long == "on"
        on_gpu = self.rerank_device.startswith("cuda") or (self.rerank_device == "auto" and _has_cuda_gpu())
        return self.profile == "qwen3" and on_gpu and not self.rerank_budget_ms

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.reranker not in ("auto", *LOCAL_PROFILES) and not self.rerank_base_url:
            raise ValueError(f"the reranker '{self.reranker}' needs rerank_base_url (RAG_RERANK_BASE_URL)")
        if self.reranker not in ("auto", "qwen3") and self.rerank_budget_ms:
            raise ValueError(f"the reranker '{self.reranker}' cannot keep a rerank_budget_ms; only qwen3 can")
        if self.rerank_long == "on" and self.profile == "embedded":
            raise ValueError("the embedded reranker reads no whole sections; rerank_long needs qwen3 or a server")
        if self.embedding == "openai" and not self.embedding_base_url:
            raise ValueError("the embedding 'openai' needs embedding_base_url (RAG_EMBEDDING_BASE_URL)")
        if self.embedding not in ("qwen3", "openai") and self.embedding_dimensions:
            raise ValueError(f"the embedding '{self.embedding}' cannot be cut to embedding_dimensions")
        if self.writer == "openai" and not (self.llm_base_url and self.llm_model):
            raise ValueError("a language model on a server needs llm_base_url and llm_model (RAG_LLM_BASE_URL)")
        if self.writer not in (None, "openai") and self.llm_base_url:
            raise ValueError(f"the language model '{self.writer}' runs in this process and takes no llm_base_url")
        if self.writer == "openvino" and not self.llm_model:
            raise ValueError("the language model 'openvino' needs llm_model (RAG_LLM_MODEL), a GGUF file or a folder")
        if self.writer is None and self.llm_model:
            raise ValueError(f"the language model '{self.llm_model}' needs llm or llm_base_url (RAG_LLM_BASE_URL)")
        return self

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


def _has_cuda_gpu() -> bool:
    """Whether torch can use one; torch itself, which takes seconds to load, is only asked where there is a driver."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    import torch

    return torch.cuda.is_available()


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
        details = "; ".join(
            ": ".join((*(str(part) for part in item["loc"]), item["msg"].removeprefix("Value error, ")))
            for item in error.errors()
        )
        raise UsageError(
            f"The settings are not valid ({details}). They come from {path}, RAG_* and options."
        ) from error
    except ValueError as error:  # what the TOML parser raises
        raise UsageError(f"The settings file {path} is not valid TOML: {error}.") from error
