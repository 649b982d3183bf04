"""The Qwen3-Reranker engine against the official recipe, and what it does when time, memory or kernels run out."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qwen3_checkpoint import load_smollm2, qwen3_tokenizer, tiny_qwen3
from torch import Tensor
from transformers import AutoTokenizer, PreTrainedModel

from ingest.errors import UsageError
from retrievers.rerank import qwen3
from retrievers.rerank.attention import PackedRow, choose_kernel, sdpa_attention, varlen_attention
from retrievers.rerank.errors import RerankerError, RerankerMemoryError
from retrievers.rerank.prompt import DEFAULT_INSTRUCTION, PREFIX, SUFFIX, RerankPrompt
from retrievers.rerank.qwen3 import Qwen3Reranker
from retrievers.rerank.selftest import RED_PLANET, plain_log_odds

QUERY = "What does fault E07 mean on the HP-40?"
INSTRUCTION = "Given a fault code, retrieve passages that explain it"


def texts(count: int, seed: int = 0, longest: int = 60) -> list[str]:
    draw = random.Random(seed)
    words = ["pump", "valve", "E07", "pressure", "12,5", "N·m", "第十二条", "clause", "überprüfen", "🔧", "oil\n"]
    return [" ".join(draw.choice(words) for _ in range(draw.randint(0, longest))) for _ in range(count)]


DOCUMENTS = texts(12)


@pytest.fixture(scope="module")
def prompt() -> RerankPrompt:
    return RerankPrompt.build(qwen3_tokenizer())


@pytest.fixture(scope="module")
def exact(prompt: RerankPrompt) -> Qwen3Reranker:
    """The engine in double precision; what it knows is forgotten before each test."""
    return Qwen3Reranker(tiny_qwen3().double(), prompt, revision="tiny")


@pytest.fixture(autouse=True)
def _nothing_cached(request: pytest.FixtureRequest) -> None:
    if "exact" in request.fixturenames:
        forget(request.getfixturevalue("exact"))


def forget(reranker: Qwen3Reranker) -> None:
    reranker._cache._scores.clear()


@cache
def published_tokenizer(folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(folder, padding_side="left")


@torch.no_grad()
def official(
    model: PreTrainedModel, folder: Path, documents: Sequence[str], batch: int, instruction: str = INSTRUCTION
) -> list[float]:
    """Log-odds as the model card computes them, in left-padded batches of one tokenized string a pair."""
    tokenizer = published_tokenizer(folder)
    prefix, suffix = (tokenizer.encode(text, add_special_tokens=False) for text in (PREFIX, SUFFIX))
    yes, no = (tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    found: list[float] = []
    for start in range(0, len(documents), batch):
        bodies = [
            f"<Instruct>: {instruction}\n<Query>: {QUERY}\n<Document>: {document}"
            for document in documents[start : start + batch]
        ]
        ids = tokenizer(bodies, padding=False, truncation="longest_first", max_length=8144)["input_ids"]
        padded = tokenizer.pad({"input_ids": [prefix + body + suffix for body in ids]}, return_tensors="pt")
        logits = model(**padded, logits_to_keep=1).logits[:, -1, :]  # else 150,000 numbers for every token
        found += (logits[:, yes].double() - logits[:, no].double()).tolist()
    return found


# Exactness


def test_double_precision_equals_the_official_recipe_pair_by_pair(exact: Qwen3Reranker, qwen3_folder: Path) -> None:
    reference = official(tiny_qwen3().double(), qwen3_folder, DOCUMENTS, batch=1)

    found = exact.logits(QUERY, DOCUMENTS, INSTRUCTION)

    assert found == pytest.approx(reference, abs=1e-9)
    assert max(found) - min(found) > 1  # random weights of this size tell the documents apart


@pytest.mark.parametrize("batch", [1, 4, 12])
def test_single_precision_equals_the_official_recipe_padded_or_not(
    prompt: RerankPrompt, qwen3_folder: Path, batch: int
) -> None:
    reference = official(tiny_qwen3(), qwen3_folder, DOCUMENTS, batch)

    found = Qwen3Reranker(tiny_qwen3(), prompt, revision="tiny").logits(QUERY, DOCUMENTS, INSTRUCTION)

    assert found == pytest.approx(reference, abs=1e-4)


def test_half_precision_errs_no_more_than_the_official_recipe_does(
    exact: Qwen3Reranker, prompt: RerankPrompt, qwen3_folder: Path
) -> None:
    documents = texts(48, seed=3)
    truth = torch.tensor(exact.logits(QUERY, documents, INSTRUCTION))
    recipe = torch.tensor(official(tiny_qwen3().bfloat16(), qwen3_folder, documents, batch=8))
    engine = Qwen3Reranker(tiny_qwen3().bfloat16(), prompt, revision="tiny")

    found = torch.tensor(engine.logits(QUERY, documents, INSTRUCTION))

    assert (found - truth).abs().mean() <= 1.5 * (recipe - truth).abs().mean()


@pytest.mark.parametrize("row_tokens", [1, 64, 300, 100_000])
def test_scores_do_not_depend_on_how_rows_are_cut(exact: Qwen3Reranker, row_tokens: int) -> None:
    expected = [exact.logits(QUERY, [document], INSTRUCTION)[0] for document in DOCUMENTS]
    forget(exact)
    exact.row_tokens, before = row_tokens, exact.row_tokens

    found = exact.logits(QUERY, DOCUMENTS, INSTRUCTION)

    exact.row_tokens = before
    assert found == pytest.approx(expected, abs=1e-9)


@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_scores_do_not_depend_on_order_or_on_what_else_is_scored(exact: Qwen3Reranker, data: st.DataObject) -> None:
    forget(exact)
    expected = dict(zip(DOCUMENTS, exact.logits(QUERY, DOCUMENTS, INSTRUCTION), strict=True))
    forget(exact)
    others = data.draw(st.lists(st.sampled_from(texts(8, seed=9)), max_size=3))
    mixed = data.draw(st.permutations(DOCUMENTS[:5] + others))

    found = exact.logits(QUERY, mixed, INSTRUCTION)

    assert [value for text, value in zip(mixed, found, strict=True) if text in expected] == pytest.approx(
        [expected[text] for text in mixed if text in expected], abs=1e-9
    )


def test_several_queries_share_rows_and_keep_their_own_scores(exact: Qwen3Reranker) -> None:
    requests = [
        (QUERY, DOCUMENTS[:5], INSTRUCTION),
        ("Who bears the risk?", DOCUMENTS[3:9], None),
        ("empty", [], None),
        (QUERY, DOCUMENTS[:5], None),
    ]
    alone = []
    for query, documents, instruction in requests:
        forget(exact)
        alone.append(exact.score(query, documents, instruction=instruction))
    forget(exact)

    together = exact.score_many(requests)

    assert [len(scores) for scores in together] == [5, 6, 0, 5]
    for found, expected in zip(together, alone, strict=True):
        assert found == pytest.approx(expected, abs=1e-9)


def test_scores_are_the_sigmoid_of_the_log_odds(exact: Qwen3Reranker) -> None:
    logits = torch.tensor(exact.logits(QUERY, DOCUMENTS), dtype=torch.float64)

    assert exact.score(QUERY, DOCUMENTS) == pytest.approx(torch.sigmoid(logits).tolist(), abs=1e-12)


def test_no_instruction_is_the_default_instruction(exact: Qwen3Reranker) -> None:
    assert exact.logits(QUERY, DOCUMENTS[:2]) == exact.logits(QUERY, DOCUMENTS[:2], DEFAULT_INSTRUCTION)
    assert exact.logits(QUERY, DOCUMENTS[:2]) != exact.logits(QUERY, DOCUMENTS[:2], INSTRUCTION)


def test_layers_of_an_unknown_kind_are_not_pruned_and_give_the_same(
    exact: Qwen3Reranker, prompt: RerankPrompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qwen3, "PRUNABLE_LAYERS", frozenset())
    whole = Qwen3Reranker(tiny_qwen3().double(), prompt, revision="tiny")

    assert whole.logits(QUERY, DOCUMENTS) == pytest.approx(exact.logits(QUERY, DOCUMENTS), abs=1e-9)


def test_a_long_document_of_several_query_blocks_equals_the_official_recipe(
    exact: Qwen3Reranker, qwen3_folder: Path
) -> None:
    documents = ["pump valve " * 300, "E07"]

    reference = official(tiny_qwen3().double(), qwen3_folder, documents, batch=1)

    assert exact.logits(QUERY, documents, INSTRUCTION) == pytest.approx(reference, abs=1e-9)


def test_sentence_transformers_gives_the_same_on_the_same_checkpoint(qwen3_folder: Path) -> None:
    from sentence_transformers import CrossEncoder

    encoder = CrossEncoder(str(qwen3_folder), device="cpu")
    expected = encoder.predict(
        [(QUERY, document) for document in DOCUMENTS], prompt=INSTRUCTION, activation_fn=torch.nn.Identity()
    )

    engine = Qwen3Reranker.from_pretrained(qwen3_folder, device="cpu", self_test=False)

    assert engine.logits(QUERY, DOCUMENTS, INSTRUCTION) == pytest.approx(expected.tolist(), abs=1e-4)


def test_real_weights_of_another_architecture_give_the_plain_forward_pass() -> None:
    model, tokenizer = load_smollm2()
    prompt = RerankPrompt.build(tokenizer)
    plain = plain_log_odds(model, prompt, RED_PLANET)

    found = Qwen3Reranker(model, prompt, revision="smollm2").logits(
        RED_PLANET.query, RED_PLANET.documents, RED_PLANET.instruction
    )

    assert found == pytest.approx(plain, abs=1e-4)


@pytest.mark.skipif("QWEN3_RERANKER" not in os.environ, reason="QWEN3_RERANKER names no Qwen3-Reranker-0.6B")
def test_the_real_checkpoint_gives_the_published_log_odds() -> None:
    engine = Qwen3Reranker.from_pretrained(os.environ["QWEN3_RERANKER"], dtype="float32", self_test=False)

    assert engine.logits(RED_PLANET.query, RED_PLANET.documents) == pytest.approx(
        [-3.1092978, 7.1203899, -0.3787546, 3.5416374], abs=1e-3
    )
    (beijing,) = engine.score("What is the capital of China?", ["The capital of China is Beijing."])
    assert beijing == pytest.approx(0.9995, abs=1e-3)


# Length


def test_only_the_end_of_the_document_is_cut(prompt: RerankPrompt) -> None:
    head = len(prompt.head(INSTRUCTION, QUERY))
    for room in (1, 7, 30):
        engine = Qwen3Reranker(
            tiny_qwen3().double(), prompt, revision="tiny", max_length=head + room + len(prompt.suffix)
        )
        long = "pump valve pressure " * 40
        kept = prompt.plain.decode(prompt.plain.encode(f" {long}", add_special_tokens=False).ids[:room])[1:]

        assert engine.logits(QUERY, [long], INSTRUCTION) == pytest.approx(
            engine.logits(QUERY, [kept], INSTRUCTION), abs=1e-9
        )


def test_a_query_that_leaves_no_room_is_an_error_with_the_numbers(exact: Qwen3Reranker, prompt: RerankPrompt) -> None:
    head = len(prompt.head(DEFAULT_INSTRUCTION, QUERY))
    engine = Qwen3Reranker(tiny_qwen3(), prompt, revision="tiny", max_length=head + len(prompt.suffix))

    with pytest.raises(UsageError, match=rf"{head} tokens.*max_length {head + 9}"):
        engine.logits(QUERY, ["document"])


def test_max_length_is_at_most_what_the_model_was_made_for(prompt: RerankPrompt) -> None:
    engine = Qwen3Reranker(tiny_qwen3(max_position_embeddings=512), prompt, revision="tiny")

    assert engine.max_length == 512
    assert len(engine.logits(QUERY, ["pump " * 2000])) == 1


# Time, memory, kernels, cache


class Clock:
    """Seconds that pass only when a row is computed."""

    def __init__(self, engine: Qwen3Reranker, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        score_row = engine._score_row
        monkeypatch.setattr(qwen3.time, "perf_counter", lambda: self.now)

        def timed(*args: object) -> list[float]:
            self.now += 1.0
            return score_row(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(engine, "_score_row", timed)


def test_scoring_stops_when_the_time_is_spent_and_keeps_the_first_stage_order(
    exact: Qwen3Reranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = exact.score(QUERY, DOCUMENTS)
    forget(exact)
    exact.row_tokens, before = 100, exact.row_tokens
    Clock(exact, monkeypatch)

    found = exact.score_within(QUERY, DOCUMENTS, 2500)

    exact.row_tokens = before
    assert 0 < len(found) < len(DOCUMENTS)
    assert found == pytest.approx(expected[: len(found)], abs=1e-9)


def test_without_time_nothing_is_scored_and_with_enough_everything_is(exact: Qwen3Reranker) -> None:
    assert exact.score_within(QUERY, DOCUMENTS, 0) == []
    assert len(exact.score_within(QUERY, DOCUMENTS, 600_000)) == len(DOCUMENTS)


def test_what_is_cached_needs_no_time(exact: Qwen3Reranker) -> None:
    expected = exact.score(QUERY, DOCUMENTS)

    assert exact.score_within(QUERY, DOCUMENTS, 0) == expected


def test_a_repeated_question_costs_no_forward_pass(exact: Qwen3Reranker, monkeypatch: pytest.MonkeyPatch) -> None:
    first = exact.logits(QUERY, DOCUMENTS)

    def refuse(*args: object) -> list[float]:
        raise AssertionError("a forward pass was made")

    monkeypatch.setattr(exact, "_score_row", refuse)
    assert exact.logits(QUERY, DOCUMENTS[::-1]) == first[::-1]
    with pytest.raises(AssertionError):
        exact.logits(QUERY, ["something new"])


class SmallDevice:
    """An attention kernel on a device whose memory holds rows of so many tokens."""

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens

    def __call__(self, query: Tensor, key: Tensor, value: Tensor, row: PackedRow, scale: float) -> Tensor:
        if len(query) > self.tokens:
            raise torch.OutOfMemoryError(f"tried to hold {len(query)} tokens")
        return sdpa_attention(query, key, value, row, scale)


@pytest.fixture
def fresh(prompt: RerankPrompt) -> Iterator[Qwen3Reranker]:
    return Qwen3Reranker(tiny_qwen3().double(), prompt, revision="tiny")


def test_out_of_memory_rows_are_halved_until_they_fit(
    exact: Qwen3Reranker, fresh: Qwen3Reranker, caplog: pytest.LogCaptureFixture
) -> None:
    documents = ["pump valve pressure"] * 3 + [f"clause {number} " * 10 for number in range(12)]
    fresh.kernel = SmallDevice(130)

    found = fresh.logits(QUERY, documents)

    assert found == pytest.approx(exact.logits(QUERY, documents), abs=1e-9)
    assert fresh.row_tokens < 300
    assert "Out of memory" in caplog.text


def test_one_pair_that_does_not_fit_is_an_error_with_the_numbers(fresh: Qwen3Reranker) -> None:
    fresh.kernel = SmallDevice(130)

    with pytest.raises(RerankerMemoryError, match=r"One pair of \d,\d{3} tokens .*32,768"):
        fresh.logits(QUERY, ["short", "pump " * 2000])


def test_a_device_without_the_fast_kernel_uses_the_plain_one(caplog: pytest.LogCaptureFixture) -> None:
    like = torch.empty(0, dtype=torch.bfloat16)  # the flash kernel does not run on a CPU

    assert choose_kernel(varlen_attention, 4, 2, 32, like) is sdpa_attention
    assert "does not run here" in caplog.text


def test_a_kernel_that_is_wrong_is_not_used(caplog: pytest.LogCaptureFixture) -> None:
    def sees_everything(query: Tensor, key: Tensor, value: Tensor, row: PackedRow, scale: float) -> Tensor:
        return torch.nn.functional.scaled_dot_product_attention(
            query.transpose(0, 1),
            key.repeat_interleave(2, 1).transpose(0, 1),
            value.repeat_interleave(2, 1).transpose(0, 1),
        ).transpose(0, 1)

    assert choose_kernel(sees_everything, 4, 2, 32, torch.empty(0)) is sdpa_attention
    assert "is off by" in caplog.text
    assert choose_kernel(SmallDevice(1000), 4, 2, 32, torch.empty(0)) is not sdpa_attention


@pytest.mark.skipif(not torch.cuda.is_available(), reason="the flash kernel needs a CUDA GPU")
def test_the_fast_kernel_equals_the_plain_one(exact: Qwen3Reranker, prompt: RerankPrompt) -> None:
    engine = Qwen3Reranker(tiny_qwen3().bfloat16().cuda(), prompt, revision="tiny")
    assert engine.kernel is varlen_attention
    plain = Qwen3Reranker(tiny_qwen3().bfloat16().cuda(), prompt, revision="tiny")
    plain.kernel = sdpa_attention
    truth = torch.tensor(exact.logits(QUERY, DOCUMENTS))

    fast, slow = (torch.tensor(one.logits(QUERY, DOCUMENTS)) for one in (engine, plain))

    assert (fast - truth).abs().mean() <= 1.5 * (slow - truth).abs().mean()


def test_threads_share_one_engine(exact: Qwen3Reranker) -> None:
    expected = exact.logits(QUERY, DOCUMENTS)
    forget(exact)

    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: exact.logits(QUERY, DOCUMENTS), range(8)):
            assert found == pytest.approx(expected, abs=1e-9)


def test_scores_that_are_no_numbers_are_an_error(prompt: RerankPrompt) -> None:
    model = tiny_qwen3()
    with torch.no_grad():
        model.model.norm.weight.fill_(float("inf"))

    with pytest.raises(RerankerError, match="no numbers"):
        Qwen3Reranker(model, prompt, revision="tiny").logits(QUERY, ["document"])


# Careless use


def test_one_string_in_place_of_documents_is_refused(exact: Qwen3Reranker) -> None:
    with pytest.raises(TypeError, match="list"):
        exact.logits(QUERY, "document")


def test_no_documents_have_no_scores(exact: Qwen3Reranker) -> None:
    assert exact.logits(QUERY, []) == []
    assert exact.score_within(QUERY, [], 100) == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RerankerError, match=r"There is no folder .*nothing-here"):
        Qwen3Reranker.from_pretrained(tmp_path / "nothing-here")


def test_a_folder_without_a_model_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(RerankerError, match="cannot be loaded"):
        Qwen3Reranker.from_pretrained(tmp_path)


def test_weights_that_are_no_safetensors_are_not_read(tmp_path: Path, qwen3_folder: Path) -> None:
    for file in qwen3_folder.iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")

    with pytest.raises(RerankerError, match="safetensors"):
        Qwen3Reranker.from_pretrained(tmp_path)


@pytest.mark.parametrize("arguments", [{"dtype": "int8"}, {"max_length": 10}])
def test_impossible_settings_are_named(qwen3_folder: Path, arguments: dict[str, object]) -> None:
    with pytest.raises(RerankerError, match=r"Expected a (dtype|max_length)"):
        Qwen3Reranker.from_pretrained(qwen3_folder, **arguments)  # type: ignore[arg-type]


def test_models_with_a_sliding_window_are_refused(prompt: RerankPrompt) -> None:
    window = tiny_qwen3(use_sliding_window=True, sliding_window=8, max_window_layers=0)

    with pytest.raises(NotImplementedError, match="window"):
        Qwen3Reranker(window, prompt, revision="tiny").logits(QUERY, ["document"])


def test_the_engine_needs_none_of_the_frameworks() -> None:
    program = (
        "import sys, retrievers.rerank.qwen3\n"
        "print([name for name in ('llama_index', 'langchain_core', 'chromadb', 'streamlit') if name in sys.modules])"
    )
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root, check=True)

    assert done.stdout.strip() == "[]"
