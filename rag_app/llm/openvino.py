"""GGUF files and OpenVINO folders on the CPU, by openvino-genai (extra `openvino`).     [leaf: openvino_genai, gguf]"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rag_app.llm.errors import LanguageModelError
from rag_app.llm.local import Draft

# It loads openvino, whose reports to Google Analytics are kept away as in ingest/embedding/bert.py.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # the documented value, not in the stubs

try:
    import openvino_genai
    from gguf import GGUFReader
except ModuleNotFoundError as error:
    raise LanguageModelError(
        f"A language model in OpenVINO needs the package {error.name}. Install it: pip install rag-app[openvino]."
    ) from error


class OpenVinoEngine:
    """A model of a GGUF file, or of a folder that OpenVINO's tools have written, on the CPU.

    It reads `context_tokens`, at most what it was made for (0: just that). Nothing is downloaded. Raises
    LanguageModelError where it cannot be loaded.
    """

    where = "cpu, OpenVINO"

    def __init__(self, path: Path, *, context_tokens: int = 0) -> None:
        self.name = path.stem
        longest = _longest_context(path)
        self.context_tokens = min(context_tokens or longest, longest)
        try:
            self._pipeline = openvino_genai.LLMPipeline(path, "CPU")
        except RuntimeError as error:
            raise _unreadable(path, error) from error
        self._tokenizer = self._pipeline.get_tokenizer()
        if not self._tokenizer.chat_template:
            raise LanguageModelError(f"The language model {path} has no chat template. Take one that was made to chat.")

    def prompt(self, messages: Sequence[dict[str, str]], *, thinking: bool) -> str:
        """By the model's chat template; one that cannot switch reasoning off ignores `thinking`."""
        written: str = self._tokenizer.apply_chat_template(
            list(messages), add_generation_prompt=True, extra_context={"enable_thinking": thinking}
        )
        return written

    def count_tokens(self, prompt: str) -> int:
        count: int = self._encoded(prompt).input_ids.shape[1]
        return count

    def write(self, prompt: str, most_tokens: int, draft: Draft) -> bool:
        """Greedily for GGUF, for a folder as its generation_config.json says; see `Engine.write`."""

        def put(piece: str) -> openvino_genai.StreamingStatus:
            draft.put(piece)
            status = openvino_genai.StreamingStatus
            return status.CANCEL if draft.stopped else status.RUNNING

        config = self._pipeline.get_generation_config()
        config.max_new_tokens = most_tokens
        try:
            written = self._pipeline.generate(self._encoded(prompt), config, put)
        except RuntimeError as error:
            raise LanguageModelError(
                f'The language model "{self.name}" failed while it wrote ({_last_line(error)}). If the memory is full, '
                "lower llm_context_tokens or take a smaller model."
            ) from error
        return openvino_genai.GenerationFinishReason.LENGTH not in written.finish_reasons

    def _encoded(self, prompt: str) -> openvino_genai.TokenizedInputs:
        return self._tokenizer.encode(prompt, add_special_tokens=False)


def _longest_context(path: Path) -> int:
    """How many tokens the model was made for, by the header of the file or the folder's config.json."""
    try:
        if path.is_dir():
            found = json.loads((path / "config.json").read_text(encoding="utf-8"))["max_position_embeddings"]
        else:
            fields = GGUFReader(path).fields
            found = fields[f"{fields['general.architecture'].contents()}.context_length"].contents()
        return int(found)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> LanguageModelError:
    return LanguageModelError(
        f"The language model {path} cannot be loaded ({_last_line(error)}). Expected a GGUF file of Llama, Qwen2 or "
        "Qwen3, or a folder with config.json and openvino_model.xml."
    )


def _last_line(error: Exception) -> str:
    """The end of a message, where OpenVINO says what went wrong; before it stands where in its sources."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1].strip()}" if lines else type(error).__name__
