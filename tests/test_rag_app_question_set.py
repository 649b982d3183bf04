"""Question sets on disk: what is read, which questions a sample asks, and errors that name file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.errors import UsageError
from rag_app import question_set
from rag_app.answer import Turn
from rag_app.question_set import QuestionSet, Sample, Span

CORPUS = [
    {"id": "d1", "title": "Lease", "text": "The rent is due on Monday.", "source": "lease.pdf", "lang": "en"},
    {"id": "d2", "title": "", "text": "租金在星期一支付。"},
]
QUERIES = [
    {"id": "q1", "text": "When is the rent due?", "lang": "en", "corpus_lang": "en"},
    {"id": "q2", "text": "租金何时支付？", "lang": "zh", "corpus_lang": None},
    {"id": "q3", "text": "Who is the landlord?", "lang": "en"},
    {"id": "q4", "text": "What is on the photo?", "lang": "en", "file": "images/door.jpg"},
]
QRELS = "q1\td1\t2\nq1\td2\t0\nq2\td2\t1\nq4\td1\t1\n\n"
SPANS = [{"query_id": "q1", "doc_id": "d1", "start": 16, "end": 25, "text": "on Monday"}]


def lines(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small set with every kind of row."""
    folder = tmp_path / "leases"
    folder.mkdir()
    for name, content in {
        "corpus.jsonl": lines(CORPUS),
        "queries.jsonl": lines(QUERIES),
        "qrels.tsv": QRELS,
        "spans.jsonl": lines(SPANS),
    }.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_a_set_is_read(folder: Path) -> None:
    loaded = QuestionSet.load(folder)

    assert loaded.name == "leases"
    assert [(document.id, document.title, document.lang) for document in loaded.documents] == [
        ("d1", "Lease", "en"),
        ("d2", "d2", ""),
    ]
    assert [query.corpus_lang for query in loaded.queries] == ["en", "", "", ""]
    assert loaded.grades == {"q1": {"d1": 2.0}, "q2": {"d2": 1.0}, "q4": {"d1": 1.0}}
    assert loaded.spans == {"q1": (Span("d1", 16, 25),)}


def test_follow_ups_have_the_turns_before_them(folder: Path) -> None:
    history = [
        {"role": "user", "text": "When is the rent due?"},
        {"role": "assistant", "text": "On Monday."},
        {"role": "user", "text": "And the deposit?"},
    ]
    with (folder / "queries.jsonl").open("a") as file:
        file.write(json.dumps({"id": "q5", "text": "Why?", "lang": "en", "history": history}) + "\n")
    with (folder / "qrels.tsv").open("a") as file:
        file.write("q5\td1\t1\n")

    (follow_up,) = QuestionSet.load(folder).answerable(Sample(follow_ups=True))

    assert follow_up.id == "q5"
    assert follow_up.history == (Turn("When is the rent due?", "On Monday."), Turn("And the deposit?", ""))


@pytest.mark.parametrize(
    "history", ["Why?", [{"role": "user"}], [{"role": "system", "text": "Obey."}], [7], {"role": "user", "text": "?"}]
)
def test_a_malformed_history_is_named(folder: Path, history: object) -> None:
    with (folder / "queries.jsonl").open("a") as file:
        file.write(json.dumps({"id": "q5", "text": "Why?", "history": history}) + "\n")

    with pytest.raises(UsageError, match=r"queries.jsonl, question q5: expected a history of"):
        QuestionSet.load(folder)


def test_spans_are_optional(folder: Path) -> None:
    (folder / "spans.jsonl").unlink()

    assert QuestionSet.load(folder).spans == {}


def test_questions_without_an_answer_and_on_images_are_not_asked(folder: Path) -> None:
    loaded = QuestionSet.load(folder)

    assert [query.id for query in loaded.answerable(Sample())] == ["q1", "q2"]
    assert [query.id for query in loaded.answerable(Sample(lang="zh"))] == ["q2"]
    assert loaded.answerable(Sample(lang="de")) == []


def test_a_limited_sample_is_drawn_by_its_seed(folder: Path) -> None:
    rows: list[dict[str, object]] = [{"id": f"q{number}", "text": "?"} for number in range(50)]
    (folder / "queries.jsonl").write_text(lines(rows), encoding="utf-8")
    (folder / "qrels.tsv").write_text("".join(f"{row['id']}\td1\t1\n" for row in rows), encoding="utf-8")
    loaded = QuestionSet.load(folder)

    ten = loaded.answerable(Sample(limit=10, split_seed=3))

    assert len({query.id for query in ten}) == 10
    assert ten == loaded.answerable(Sample(limit=10, split_seed=3))
    assert ten == loaded.answerable(Sample(limit=20, split_seed=3))[:10]
    assert ten != loaded.answerable(Sample(limit=10, split_seed=4))
    assert len(loaded.answerable(Sample(limit=100))) == 50


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("corpus.jsonl", '{"id": "d1", "text": "a"}\n{"id": ', r"corpus\.jsonl, line 2 is not valid JSON"),
        ("corpus.jsonl", "[" * 100_000, r"corpus\.jsonl, line 1 is not valid JSON"),
        ("corpus.jsonl", "\n[1]\n", r"corpus\.jsonl, line 2: expected a JSON object, got '\[1\]"),
        ("corpus.jsonl", '{"id": "d1"}', r"line 1: expected 'text' of type str, got nothing"),
        ("queries.jsonl", '{"id": "q1", "text": null}', r"line 1: expected 'text' of type str, got None"),
        ("spans.jsonl", '{"query_id": "q", "doc_id": "d", "start": "x", "end": 2}', r"'start' of type int, got 'x'"),
        ("qrels.tsv", "q1\td1\t1\nq1 d1 1\n", r"qrels\.tsv, line 2: expected query TAB document TAB grade"),
        ("qrels.tsv", "query\tdocument\tgrade\n", r"qrels\.tsv, line 1: expected query TAB document TAB grade"),
        ("qrels.tsv", "q1\td1\tinf\n", r"qrels\.tsv, line 1: expected query TAB document TAB grade"),
    ],
)
def test_a_malformed_line_is_named(folder: Path, name: str, content: str, message: str) -> None:
    (folder / name).write_text(content, encoding="utf-8")

    with pytest.raises(UsageError, match=message):
        QuestionSet.load(folder)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels.tsv"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()

    with pytest.raises(UsageError, match=f"{name} cannot be read: No such file"):
        QuestionSet.load(folder)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no folder .*nowhere"):
        QuestionSet.load(tmp_path / "nowhere")


def test_a_file_that_is_not_utf8_is_named(folder: Path) -> None:
    (folder / "corpus.jsonl").write_bytes(b'{"id": "d1", "text": "\xff"}\n')

    with pytest.raises(UsageError, match=r"corpus\.jsonl is not UTF-8 text"):
        QuestionSet.load(folder)


def test_a_file_beyond_the_limit_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question_set, "MAX_FILE_BYTES", 10)

    with pytest.raises(UsageError, match=r"corpus\.jsonl is larger than"):
        QuestionSet.load(folder)
