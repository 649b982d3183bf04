"""The assistant over a real collection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from assistants import assistant_with
from chat_server import ChatServer
from reportlab.pdfgen.canvas import Canvas
from word_reranker import WordReranker

from ingest.catalog import Catalog, Kind, catalog_path
from ingest.embedding import MiniLmEncoder
from ingest.errors import RagError, UsageError
from rag_app.answer import Answer, Finished, StageDone, Token, Turn
from rag_app.assistant import Assistant, build_assistant
from rag_app.settings import load_settings
from retrievers.rerank.errors import RerankerError
from retrievers.rerank.instructions import INSTRUCTIONS


def write_manual(path: Path, *lines: str) -> None:
    canvas = Canvas(str(path), invariant=1)
    for place, line in enumerate(lines):
        canvas.drawString(72, 720 - 40 * place, line)
    canvas.showPage()
    canvas.save()


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("documents") / "hp-60.pdf"
    write_manual(
        path, "E07 on the HP-60 means that the cooling water flow is too low.", "Change the oil every 3000 hours."
    )
    return path


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory, manual: Path) -> Iterator[Assistant]:
    opened = build_assistant(load_settings(home=tmp_path_factory.mktemp("home")), create=True)
    opened.library.ingest([manual])
    yield opened
    opened.close()


def finished(assistant: Assistant, question: str, history: tuple[Turn, ...] = ()) -> Answer:
    *_, last = assistant.ask(question, history)
    assert isinstance(last, Finished)
    return last.answer


def test_stages_come_before_words_and_the_answer_last(assistant: Assistant) -> None:
    events = list(assistant.ask("What does E07 mean on the HP-60?"))
    stages = [event.stage for event in events if isinstance(event, StageDone)]

    assert stages == ["standalone", "dense", "keyword", "fuse", "rerank", "gate", "closure", "answer"]
    assert isinstance(events[-1], Finished)
    assert "".join(event.text for event in events if isinstance(event, Token)) == events[-1].answer.text
    assert list(events[-1].answer.timings_ms) == stages


def test_without_a_model_the_answer_quotes(assistant: Assistant) -> None:
    answer = finished(assistant, "What does E07 mean on the HP-60?")
    citation = answer.citations[0]

    assert answer.quoted
    assert not answer.refused
    assert citation.verified
    assert citation.quote in answer.passages[0].text
    assert (citation.source, citation.page) == ("hp-60.pdf", 1)
    assert citation.boxes[0][0] == 1


def test_another_model_is_refused_with_the_nearest_passages(assistant: Assistant) -> None:
    answer = finished(assistant, "What does E07 mean on the HP-80?")

    assert answer.refused
    assert answer.citations == ()
    assert answer.passages


def test_a_follow_up_is_searched_with_its_subject(assistant: Assistant) -> None:
    answer = finished(assistant, "And E07?", (Turn("What does E08 mean on the HP-60?", "..."),))

    assert "HP-60" in answer.question
    assert not answer.refused


def test_a_page_image_is_made_for_a_pdf_only(assistant: Assistant) -> None:
    (record,) = assistant.library.documents()
    image = assistant.library.page_image(record.document_id, 1, [(1, 72.0, 100.0, 300.0, 120.0)])

    assert image is not None
    assert image.png.startswith(b"\x89PNG")
    assert (image.page, image.pages) == (1, 1)


@pytest.mark.parametrize("name", ["../../etc/passwd.txt", "..\\x.md", "a/b/c.txt", "C:\\x\\c.txt"])
def test_an_upload_stays_in_its_folder(assistant: Assistant, name: str) -> None:
    path = assistant.library.save_upload(name, b"text")

    assert path.parent == assistant.settings.location.uploads
    assert path.read_bytes() == b"text"


def test_a_long_name_is_cut_to_what_file_systems_take(assistant: Assistant) -> None:
    path = assistant.library.save_upload("使用说明书" * 50 + ".txt", b"text")

    assert len(path.name.encode()) <= 255
    assert path.read_bytes() == b"text"


@pytest.mark.parametrize("name", ["x.exe", "", ".pdf", "..", "x"])
def test_an_upload_of_another_type_is_refused(assistant: Assistant, name: str) -> None:
    with pytest.raises(UsageError, match=r"Expected one of .*\.pdf"):
        assistant.library.save_upload(name, b"")


def test_an_upload_waits_to_be_read_and_what_its_name_held_stays_till_then(tmp_path: Path) -> None:
    opened = build_assistant(load_settings(home=tmp_path / "home"), create=True)
    path = opened.library.save_upload("note.txt", b"The pump is blue.")
    assert [file.path for file in opened.library.catalog.waiting_files()] == [path]
    opened.library.ingest([path])
    assert opened.library.catalog.waiting_files() == []

    opened.library.save_upload("note.txt", b"The pump is red.")

    assert [file.path for file in opened.library.catalog.waiting_files()] == [path]
    assert len(opened.library.documents()) == 1
    opened.close()


def test_a_file_that_has_changed_shows_no_page(tmp_path: Path) -> None:
    """Its boxes would point at other words."""
    path = tmp_path / "manual.pdf"
    write_manual(path, "The pump is blue and stands in the cellar.")
    assistant = build_assistant(load_settings(home=tmp_path / "home"), create=True)
    assistant.library.ingest([path])
    (record,) = assistant.library.documents()
    write_manual(path, "The pump is red.", "It stands in the attic.", "Nobody knows why.")
    with pytest.raises(RagError, match="has changed"):
        assistant.library.page_image(record.document_id, 1)
    path.unlink()
    with pytest.raises(RagError, match="not there any more"):
        assistant.library.page_image(record.document_id, 1)
    assistant.close()


def test_a_removed_document_answers_no_more(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("The warranty lasts thirty months.", encoding="utf-8")
    assistant = build_assistant(load_settings(home=tmp_path / "home"), create=True)
    assistant.library.ingest([path])
    before = finished(assistant, "How long does the warranty last?")
    (record,) = assistant.library.documents()
    assistant.library.hide(record.document_id)
    after = finished(assistant, "How long does the warranty last?")
    assistant.close()

    assert not before.refused
    assert after.refused
    assert after.passages == ()


def test_a_language_model_writes_the_answer_and_its_marks_are_checked(
    tmp_path: Path, manual: Path, server: ChatServer
) -> None:
    """A real endpoint on the loopback: its reasoning stays hidden, and a mark that points nowhere is dropped."""
    server.pieces = [
        "<think>E07 is",
        " in [1]</think>",
        "The cooling water flow",
        " is too low [1]",
        ". Ask a fitter [9].",
    ]
    settings = load_settings(home=tmp_path, llm_base_url=server.address, llm_model="qwen3")
    assistant = build_assistant(settings, create=True)
    assistant.library.ingest([manual])
    answer = finished(assistant, "What does E07 mean on the HP-60?")
    assistant.close()

    assert not answer.quoted
    assert "think" not in answer.text
    assert answer.reasoning == ""
    assert "[9]" not in answer.text
    assert answer.text.startswith("The cooling water flow is too low [1]")
    assert (answer.citations[0].number, answer.citations[0].verified) == (1, True)


def test_what_the_language_model_has_no_room_for_is_counted(
    assistant: Assistant, encoder: MiniLmEncoder, server: ChatServer, tmp_path: Path
) -> None:
    server.pieces = ["The cooling water flow is too low [1]."]
    settings = load_settings(
        home=tmp_path, llm_base_url=server.address, llm_model="qwen3", llm_context_tokens=1600, chunk_tokens=16
    )
    opened = build_assistant(settings, create=True)
    manual = tmp_path / "manual.md"
    manual.write_text("\n\n".join(f"# E0{n}\n\nE0{n} on the HP-60: pump {n} is hot." for n in range(1, 9)), "utf-8")
    opened.library.ingest([manual])
    answer = finished(opened, "What does E07 mean on the HP-60?")
    opened.close()

    assert answer.left_out > 0
    assert answer.left_out + len(answer.passages) == settings.top_k
    assert f"[{len(answer.passages)}]" in str(server.requests[0]["messages"])
    assert f"[{len(answer.passages) + 1}] manual" not in str(server.requests[0]["messages"])


def test_reasoning_is_shown_apart_from_the_answer_where_that_is_wanted(
    tmp_path: Path, manual: Path, server: ChatServer
) -> None:
    server.pieces = ["<thi", "nk>E07 is", " in [1]</th", "ink>\n\nThe flow is", " too low [", "1][1", "7]."]
    settings = load_settings(home=tmp_path, llm_base_url=server.address, llm_model="qwen3", llm_thinking=True)
    assistant = build_assistant(settings, create=True)
    assistant.library.ingest([manual])
    answer = finished(assistant, "What does E07 mean on the HP-60?")
    assistant.close()

    assert answer.reasoning == "E07 is in [1]"
    assert answer.text == "The flow is too low [1]."


def answered(
    tmp_path: Path, manual: Path, server: ChatServer, *pieces: str, **options: object
) -> tuple[list[str], Answer]:
    """What a language model that says these pieces streams, and the answer that it ends in."""
    server.pieces = list(pieces)
    settings = load_settings(home=tmp_path, llm_base_url=server.address, llm_model="qwen3", **options)
    assistant = build_assistant(settings, create=True)
    assistant.library.ingest([manual])
    events = list(assistant.ask("What does E07 mean on the HP-60?"))
    assistant.close()
    assert isinstance(events[-1], Finished)
    return [event.text for event in events if isinstance(event, Token)], events[-1].answer


TRUE = "E07 on the HP-60 means that the cooling water flow is too low [1]."
WRONG = "E07 on the HP-40 means that the oil is too hot [1]."


def test_a_wrong_sentence_is_shown_and_marked(tmp_path: Path, manual: Path, server: ChatServer) -> None:
    _, answer = answered(tmp_path, manual, server, f"{TRUE} ", WRONG)

    assert answer.text == f"{TRUE} {WRONG}"
    assert [(answer.text[one.start : one.end], one.state) for one in answer.statements] == [
        (TRUE, "verified"),
        (WRONG, "unsupported"),
    ]
    assert not answer.refused


def test_a_strict_answer_never_shows_a_wrong_sentence(tmp_path: Path, manual: Path, server: ChatServer) -> None:
    streamed, answer = answered(tmp_path, manual, server, f"{WRONG} {TRUE[:20]}", f"{TRUE[20:]} {WRONG}", strict=True)

    assert "".join(streamed) == answer.text == TRUE
    assert [(one.start, one.end, one.state) for one in answer.statements] == [(0, len(TRUE), "verified")]
    assert [citation.state for citation in answer.citations] == ["verified"]
    assert not answer.refused


def test_a_strict_answer_with_nothing_left_is_a_refusal(tmp_path: Path, manual: Path, server: ChatServer) -> None:
    streamed, answer = answered(tmp_path, manual, server, "As follows:\n", WRONG, strict=True)

    assert answer.refused
    assert "".join(streamed) == answer.text
    assert "do not seem to answer" in answer.text
    assert (answer.statements, answer.citations) == ((), ())


def open_with(ranks: WordReranker, home: Path, encoder: MiniLmEncoder, **options: object) -> Assistant:
    """The assistant over an existing collection with this reranker."""
    return assistant_with(load_settings(home=home, **options), encoder, reranker=ranks)


@pytest.fixture
def told(assistant: Assistant, encoder: MiniLmEncoder) -> Iterator[tuple[Assistant, WordReranker]]:
    """The same collection, ranked by a reranker that follows instructions."""
    reranker = WordReranker()
    opened = open_with(reranker, assistant.settings.home, encoder)
    yield opened, reranker
    opened.close()


@pytest.mark.parametrize(
    ("kind", "question", "name"),
    [
        ("general", "What does E07 on the HP-60 stand for?", "web"),
        ("manual", "What does E07 on the HP-60 stand for?", "fault-code"),
        ("manual", "Is there cooling water?", "manual"),
        ("contract", "Is there cooling water?", "clause"),
    ],
)
def test_a_question_is_ranked_by_the_instruction_that_fits(
    told: tuple[Assistant, WordReranker], kind: Kind, question: str, name: str
) -> None:
    opened, reranker = told
    catalog = Catalog(catalog_path(opened.settings.location))
    catalog.set_kind(kind)
    catalog.close()
    answer = finished(opened, question)

    assert answer.instruction == name
    assert reranker.instructions == [INSTRUCTIONS[name]]
    assert opened.search(question).instruction == name


def test_the_default_instruction_of_the_collection_goes_before_what_fits(
    told: tuple[Assistant, WordReranker],
) -> None:
    opened, reranker = told
    opened.library.catalog.set_instruction("Find the oil")
    finished(opened, "What does E07 on the HP-60 stand for?")
    opened.search("What does E07 mean?", instruction="code")
    opened.library.catalog.set_instruction(None)

    assert reranker.instructions == ["Find the oil", INSTRUCTIONS["code"]]


def test_an_instruction_of_the_question_wins(told: tuple[Assistant, WordReranker]) -> None:
    opened, reranker = told
    *_, last = opened.ask("What does E07 mean?", instruction="Find the oil")
    found = opened.search("What does E07 mean?", instruction="code")

    assert isinstance(last, Finished)
    assert last.answer.instruction == "Find the oil"
    assert found.instruction == "code"
    assert reranker.instructions == ["Find the oil", INSTRUCTIONS["code"]]


def test_where_nothing_follows_an_instruction_none_was_used(
    assistant: Assistant, told: tuple[Assistant, WordReranker]
) -> None:
    *_, last = assistant.ask("What does E07 mean?", instruction="code")

    assert isinstance(last, Finished)
    assert last.answer.instruction is None
    assert told[0].search("E07", strategy="bm25", instruction="code").instruction is None


@pytest.mark.parametrize("strategy", ["rerank", "bm25"])
def test_a_mistyped_instruction_is_an_error_also_where_nobody_reads_it(assistant: Assistant, strategy: str) -> None:
    with pytest.raises(UsageError, match="no instruction 'manul'"):
        assistant.search("E07", strategy=strategy, instruction="manul")  # type: ignore[arg-type] # parametrised
    with pytest.raises(UsageError, match="no instruction 'manul'"):
        list(assistant.ask("E07", instruction="manul"))


def test_the_evidence_does_not_depend_on_whose_scores_rank(
    assistant: Assistant, told: tuple[Assistant, WordReranker]
) -> None:
    """The gate was fitted to one reranker; probabilities of another must not open or close it."""
    for question in ("What does E07 mean on the HP-60?", "What does E07 mean on the HP-80?"):
        one, other = finished(assistant, question), finished(told[0], question)

        assert one.passages[0].score != other.passages[0].score
        assert (one.evidence, one.refused) == (other.evidence, other.refused)


def test_passages_that_a_budget_does_not_reach_are_shown_without_a_score(
    tmp_path: Path, encoder: MiniLmEncoder
) -> None:
    notes = [tmp_path / f"{name}.txt" for name in ("pump", "valve", "motor")]
    for note in notes:
        note.write_text(f"The {note.stem} is painted blue and stands in the cellar.", encoding="utf-8")
    first = build_assistant(load_settings(home=tmp_path / "home"), create=True)
    first.library.ingest(notes)
    first.close()
    opened = open_with(WordReranker(), tmp_path / "home", encoder, reranker="qwen3", rerank_budget_ms=1)
    answer = finished(opened, "Where does the pump stand?")
    found = opened.search("Where does the pump stand?")
    opened.close()

    assert [passage.score is None for passage in answer.passages] == [False, True, True]
    assert (answer.scored, answer.candidates) == (found.scored, found.candidates) == (1, 3)


def test_another_collection_is_ranked_by_the_same_reranker(told: tuple[Assistant, WordReranker]) -> None:
    opened, reranker = told
    again = opened.home.open("default")
    again.search("E07", instruction="code")

    assert reranker.instructions == [INSTRUCTIONS["code"]]


def test_a_model_that_cannot_be_loaded_is_an_error_and_leaves_the_home_free(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path / "home", reranker="qwen3", rerank_model=str(tmp_path / "no model"))
    with pytest.raises(RerankerError, match="no model"):
        build_assistant(settings, create=True)

    build_assistant(load_settings(home=tmp_path / "home")).close()


def test_without_a_gate_a_collection_that_holds_nothing_refuses(tmp_path: Path) -> None:
    empty = build_assistant(load_settings(home=tmp_path / "home", gate=0.0), create=True)
    answer = finished(empty, "What does E07 mean?")
    empty.close()

    assert answer.refused
    assert not answer.quoted
