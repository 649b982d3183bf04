"""The prompt of Qwen3-Reranker, token by token."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qwen3_checkpoint import CONTROL_TOKENS, qwen3_tokenizer

from retrievers.rerank.prompt import DEFAULT_INSTRUCTION, PREFIX, SUFFIX, RerankPrompt

GOLDEN = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "qwen3_prompts.jsonl").read_text(encoding="utf-8").splitlines()
]
"""Prompts that the published tokenizer.json of Qwen3-Reranker made of whole strings, as the model card does."""


@pytest.fixture(scope="module")
def prompt() -> RerankPrompt:
    return RerankPrompt.build(qwen3_tokenizer())


def whole(prompt: RerankPrompt, instruction: str, query: str, document: str, room: int = 10**9) -> list[int]:
    return prompt.head(instruction, query) + prompt.tails([document], room)[0]


def text_of(ids: list[int]) -> str:
    return str(qwen3_tokenizer().decode(ids, skip_special_tokens=False))


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: repr(case["document"][:20]))
def test_ids_are_those_of_the_published_tokenizer(prompt: RerankPrompt, case: dict[str, object]) -> None:
    found = whole(prompt, str(case["instruction"]), str(case["query"]), str(case["document"]))

    assert found == case["ids"]


def test_prefix_suffix_and_answers_are_the_trained_ones(prompt: RerankPrompt) -> None:
    assert len(prompt.prefix) == 39
    assert prompt.prefix[:3] == (151644, 8948, 198)
    assert prompt.suffix == (151645, 198, 151644, 77091, 198, 151667, 271, 151668, 271)
    assert (prompt.yes, prompt.no) == (9693, 2152)


def test_the_default_head_has_the_length_of_the_reference(prompt: RerankPrompt) -> None:
    assert len(prompt.head(DEFAULT_INSTRUCTION, "What is the capital of China?")) == 69


AWKWARD = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            [*"abcXYZ019 .,:;!?'\"<>|\n\r\t-_/()", "\u0301", "é", "中", "文", "🔧", "\u200d", "\u00a0", "\u3000"]
        ),
        st.characters(codec="utf-8"),
    ),
    max_size=40,
)


@given(query=AWKWARD, document=AWKWARD)
@settings(max_examples=300, deadline=None)
def test_cutting_before_the_space_never_changes_a_token(prompt: RerankPrompt, query: str, document: str) -> None:
    body = f"<Instruct>: {DEFAULT_INSTRUCTION}\n<Query>: {query}\n<Document>: {document}"

    expected = [*prompt.prefix, *prompt.plain.encode(body, add_special_tokens=False).ids, *prompt.suffix]

    assert whole(prompt, DEFAULT_INSTRUCTION, query, document) == expected


@pytest.mark.parametrize("token", CONTROL_TOKENS)
def test_control_tokens_in_texts_are_read_as_text(prompt: RerankPrompt, token: str) -> None:
    control = {qwen3_tokenizer().token_to_id(name) for name in CONTROL_TOKENS}
    body = whole(prompt, token, f"a{token}b", f"{token} c {token}")[len(prompt.prefix) : -len(prompt.suffix)]

    assert not control & set(body)
    assert text_of(body).count(token) == 4


@given(room=st.integers(1, 60))
@settings(max_examples=40, deadline=None)
def test_truncation_takes_from_the_end_of_the_document_only(prompt: RerankPrompt, room: int) -> None:
    document = " ".join(f"number {index}" for index in range(30))
    full = prompt.tails([document], 10**9)[0][: -len(prompt.suffix)]

    cut = prompt.tails([document], room)[0]

    assert cut == [*full[:room], *prompt.suffix]


def test_prefix_and_suffix_decode_to_the_published_text(prompt: RerankPrompt) -> None:
    assert text_of(list(prompt.prefix)) == PREFIX
    assert text_of(list(prompt.suffix)) == SUFFIX


def test_a_tokenizer_without_a_single_yes_is_refused() -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    letters = Tokenizer(models.WordLevel({letter: place for place, letter in enumerate("yesno")}, unk_token="y"))
    letters.pre_tokenizer = pre_tokenizers.Split("", "isolated")

    with pytest.raises(ValueError, match="one token"):
        RerankPrompt.build(letters)
