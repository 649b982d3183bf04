"""BM25 over the project's own words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llama_index.core.schema import TextNode

from ingest.errors import RagError
from ingest.keyword import KeywordIndex


def node(name: str, text: str, *, title: str = "Press", section: str = "") -> TextNode:
    return TextNode(id_=name, text=text, metadata={"title": title, "section": section})


NODES = [
    node("cooler", "When fault E07 appears, clean the cooler."),
    node("pump", "When fault E05 appears, fill up the oil of the pump.", section="4.3 Hydraulics"),
    node("penalty", "逾期交货的，违约金为合同总价的百分之五。", title="合同"),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> KeywordIndex:
    index = KeywordIndex(tmp_path_factory.mktemp("keywords"))
    index.add({"v1": NODES})
    return index


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("E07", "cooler"),
        ("e05?", "pump"),
        ("hydraulics", "pump"),
        ("how large is 违约金", "penalty"),
        ("clean oil of the cooler", "cooler"),
        ('AND ( text:"cooler', "cooler"),
    ],
)
def test_the_passage_with_the_rarest_words_comes_first(index: KeywordIndex, query: str, best: str) -> None:
    hits = index.search(query, 10)

    assert hits[0][0] == best
    assert [score for _, score in hits] == sorted((score for _, score in hits), reverse=True)


def test_a_word_of_the_text_weighs_more_than_of_the_heading(tmp_path: Path) -> None:
    index = KeywordIndex(tmp_path)
    index.add({"v1": [node("heading", "drain it now", section="oil"), node("text", "drain oil now", section="it")]})

    assert [name for name, _ in index.search("oil", 5)] == ["text", "heading"]


def test_passages_without_any_word_are_no_hits(index: KeywordIndex) -> None:
    assert {name for name, _ in index.search("fault", 10)} == {"cooler", "pump"}
    assert index.search("zebra", 10) == []
    assert index.search("?!", 10) == []
    assert index.search("", 10) == []
    assert len(index.search("fault", 1)) == 1


def test_document_frequency_counts_passages(index: KeywordIndex) -> None:
    assert index.document_frequency("fault") == 2
    assert index.document_frequency("违约") == 1
    assert index.document_frequency("zebra") == 0


def test_an_empty_index_finds_nothing(tmp_path: Path) -> None:
    index = KeywordIndex(tmp_path)

    assert len(index) == 0
    assert index.search("oil", 5) == []
    assert index.document_frequency("oil") == 0


def test_adding_a_version_again_replaces_it(tmp_path: Path) -> None:
    index = KeywordIndex(tmp_path)
    index.add({"v1": NODES})
    index.add({"v1": [node("new", "Only this is left.")]})
    index.add({"v2": [node("other", "And this.")]})

    assert len(index) == 2
    assert index.search("cooler", 5) == []


def test_deleting_a_version_leaves_the_others(tmp_path: Path) -> None:
    index = KeywordIndex(tmp_path)
    index.add({"v1": NODES})
    index.add({"v2": [node("other", "Clean the filter.")]})

    index.delete_versions(["v1", "unknown"])

    assert [name for name, _ in index.search("clean", 5)] == ["other"]
    assert len(index) == 1


def test_the_index_is_there_after_a_restart(tmp_path: Path) -> None:
    KeywordIndex(tmp_path).add({"v1": NODES})

    assert KeywordIndex(tmp_path).search("E07", 5)[0][0] == "cooler"


def test_an_index_of_another_layout_names_the_rebuild(tmp_path: Path) -> None:
    KeywordIndex(tmp_path).add({"v1": NODES})
    (tmp_path / "meta.json").write_text("{}", encoding="utf-8")

    with pytest.raises(RagError, match="--rebuild"):
        KeywordIndex(tmp_path)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300))
def test_any_query_can_be_asked(index: KeywordIndex, query: str) -> None:
    assert len(index.search(query, 3)) <= 3


def test_a_query_of_many_words_is_cut(index: KeywordIndex) -> None:
    words = " ".join(f"word{'x' * (number % 7)}{number}" for number in range(5000))

    assert index.search(f"cooler {words}", 3)[0][0] == "cooler"
