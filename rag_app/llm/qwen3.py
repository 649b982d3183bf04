"""Qwen3, and other causal language models with a chat template, through transformers.    [leaf: torch, transformers]"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, StoppingCriteria, StoppingCriteriaList, TextStreamer

from rag_app.llm.errors import LanguageModelError
from rag_app.llm.local import Draft


class Qwen3Engine:
    """A model of the hub or of a folder: in bfloat16 on the first CUDA device, else in float32 on the CPU.

    It reads `context_tokens`, at most what it was made for (0: just that). Only safetensors are read and no code of the
    checkpoint is run. Raises LanguageModelError where it cannot be loaded.
    """

    def __init__(self, name: str, *, context_tokens: int = 0) -> None:
        self.name = name
        self._tokenizer, self._model = _load(name)
        self.where = f"{self._model.device}, {str(self._model.dtype).removeprefix('torch.')}"
        longest: int = self._model.config.max_position_embeddings
        self.context_tokens = min(context_tokens or longest, longest)

    def prompt(self, messages: Sequence[dict[str, str]], *, thinking: bool) -> str:
        """By the tokenizer's chat template; one that cannot switch reasoning off ignores `thinking`."""
        written: str = self._tokenizer.apply_chat_template(
            list(messages), tokenize=False, add_generation_prompt=True, enable_thinking=thinking
        )
        return written

    def count_tokens(self, prompt: str) -> int:
        return len(self._tokenizer(prompt, add_special_tokens=False).input_ids)

    def write(self, prompt: str, most_tokens: int, draft: Draft) -> bool:
        """Samples as the checkpoint's generation_config.json says; see `Engine.write`."""
        inputs = self._tokenizer(prompt, add_special_tokens=False, return_tensors="pt").to(self._model.device)
        try:
            with torch.inference_mode():
                [written] = self._model.generate(
                    **inputs,
                    max_new_tokens=most_tokens,
                    pad_token_id=self._tokenizer.pad_token_id,
                    streamer=_IntoDraft(self._tokenizer, draft),
                    stopping_criteria=StoppingCriteriaList([_DraftStopped(draft)]),
                )
        except torch.OutOfMemoryError as error:
            raise LanguageModelError(
                f'The language model "{self.name}" has no room in the memory of {self._model.device} for a prompt of '
                f"{inputs.input_ids.shape[1]:,} tokens. Lower llm_context_tokens, take a smaller model, or free the "
                "device."
            ) from error
        return int(written[-1]) in self._ends or written.shape[0] - inputs.input_ids.shape[1] < most_tokens

    @property
    def _ends(self) -> list[int]:
        """The tokens that end a reply."""
        ends = self._model.generation_config.eos_token_id
        return ends if isinstance(ends, list) else [ends]


class _IntoDraft(TextStreamer):
    """Whole words and characters go into the draft, without the tokens that end a reply."""

    def __init__(self, tokenizer: Any, draft: Draft) -> None:
        super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
        self._draft = draft

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        if text:
            self._draft.put(text)


class _DraftStopped(StoppingCriteria):
    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        return torch.full((input_ids.shape[0],), self._draft.stopped, device=input_ids.device)


def _load(name: str) -> tuple[Any, Any]:
    if name.startswith((".", "/")) and not Path(name).is_dir():  # the hub would complain about the form of the name
        raise LanguageModelError(
            f"There is no folder {name}. Expected that of a language model, or its name on the hub."
        )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        model: Any = AutoModelForCausalLM.from_pretrained(
            name, dtype=dtype, use_safetensors=True, trust_remote_code=False
        )
        model = model.to(device).eval()
    except (OSError, ValueError, KeyError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise LanguageModelError(
            f"The language model '{name}' cannot be loaded: {reason} Expected the name of a model on the hub, or a "
            "folder with config.json, tokenizer.json and safetensors of a causal language model."
        ) from error
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise LanguageModelError(
            f"The language model '{name}' does not fit into the memory of {device}. Take a smaller one, or free memory."
        ) from error
    if tokenizer.chat_template is None:
        raise LanguageModelError(
            f"The language model '{name}' has no chat template. Expected one that was made to chat."
        )
    return tokenizer, model
