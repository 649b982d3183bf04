"""The command line as a user meets it: what goes where, and which exit code comes back."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer
from fake_assistant import DOUBTFUL
from PIL import Image, ImageDraw, ImageFont
from word_reranker import WordReranker

from rag_app.answer import Finished, Token
from rag_app.cli import main
from rag_app.render import print_answer
from retrievers.rerank.instructions import INSTRUCTIONS

MANUAL = """# HP-60 service manual

## Fault codes

E07 means that the cooling water flow is too low. Open the shut-off valve.
"""


class Terminal:
    """Runs `rag-app` in this process and keeps what it wrote."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path) -> None:
        self._monkeypatch, self._capsys, self.home = monkeypatch, capsys, home
        self.out = self.err = ""

    def run(self, *arguments: str, home: bool = True) -> int:
        own = ["--home", str(self.home)] if home else []
        self._monkeypatch.setattr(sys, "argv", ["rag-app", *arguments, *own])
        with pytest.raises(SystemExit) as ended:
            main()
        self.out, self.err = self._capsys.readouterr()
        return int(ended.value.code or 0)

    def json(self, *arguments: str, home: bool = True) -> Any:
        """The one JSON object on stdout of a command that succeeds."""
        assert self.run(*arguments, "--json", home=home) == 0, self.err
        return json.loads(self.out)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Terminal:
    return Terminal(monkeypatch, capsys, tmp_path / "home")


@pytest.fixture
def manual(tmp_path: Path) -> Path:
    path = tmp_path / "documents" / "hp-60.md"
    path.parent.mkdir()
    path.write_text(MANUAL, encoding="utf-8")
    return path


@pytest.fixture
def filled(terminal: Terminal, manual: Path) -> Terminal:
    assert terminal.run("ingest", str(manual)) == 0, terminal.err
    return terminal


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> WordReranker:
    """A reranker that follows instructions ranks, in place of the one that the settings name."""
    reranker = WordReranker()
    monkeypatch.setattr("rag_app.models.open_reranker", lambda settings: reranker)
    return reranker


def test_ingest_reports_what_it_did(terminal: Terminal, manual: Path) -> None:
    report = terminal.json("ingest", str(manual.parent))

    assert set(report) >= {
        "added",
        "updated",
        "unchanged",
        "deleted",
        "failed",
        "pages",
        "ocr_pages",
        "chunks",
        "seconds",
    }
    assert (report["added"], report["failed"]) == (1, [])
    assert terminal.json("ingest", str(manual.parent))["unchanged"] == 1


def test_one_bad_file_is_reported_and_the_rest_is_read(terminal: Terminal, manual: Path) -> None:
    (manual.parent / "broken.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")

    assert terminal.run("ingest", str(manual.parent), "--json") == 1
    report = json.loads(terminal.out)
    assert report["added"] == 1
    assert report["failed"][0]["path"].endswith("broken.pdf")
    assert report["failed"][0]["reason"]


def test_search_prints_ranked_passages(filled: Terminal) -> None:
    found = filled.json("search", "cooling water", "--top-k", "2")

    assert set(found) == {"query", "strategy", "results", "instruction", "candidates", "scored", "timings_ms"}
    assert found["instruction"] is None
    assert found["scored"] == found["candidates"] > 0
    assert set(found["results"][0]) == {
        "rank", "score", "retrieval_score", "text", "source",
        "page", "page_label", "section", "document_id", "chunk_id",
    }  # fmt: skip
    assert found["results"][0]["source"] == "hp-60.md"


def test_ask_answers_with_citations(filled: Terminal) -> None:
    answer = filled.json("ask", "What does E07 mean on the HP-60?")

    assert set(answer) >= {"answer", "refused", "statements", "citations", "passages", "timings_ms"}
    assert answer["statements"][0]["state"] == "verified"
    assert answer["statements"][0]["text"] in answer["answer"]
    assert not answer["refused"]
    assert "cooling water flow is too low" in answer["answer"]
    assert set(answer["citations"][0]) == {
        "number", "source", "page", "page_label", "section", "quote", "verified", "state", "boxes",
        "ocr_confidence",
    }  # fmt: skip


def test_a_search_loads_no_language_model(filled: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RAG_LLM", "qwen3")
    monkeypatch.setenv("RAG_LLM_MODEL", str(tmp_path / "none"))

    assert filled.json("search", "cooling water")["results"]
    assert filled.run("ask", "What does E07 mean on the HP-60?") == 1
    assert "There is no folder" in filled.err


def test_ask_shows_what_a_model_reasoned_only_where_that_is_asked(
    filled: Terminal, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_LLM_BASE_URL", server.address)
    monkeypatch.setenv("RAG_LLM_MODEL", "qwen3")
    server.pieces = ["<think>The manual [bold] says", " so.</think>", "The flow is too low [1]."]
    question = "What does E07 mean on the HP-60?"

    assert filled.run("ask", question) == 0
    assert filled.out.startswith("The flow is too low [1].")
    assert "says so" not in filled.out
    assert filled.json("ask", question)["reasoning"] == ""
    assert filled.run("ask", question, "--thinking") == 0
    assert filled.out.startswith("The flow is too low [1].")
    assert "The manual [bold] says so." in filled.out
    assert filled.json("ask", question, "--thinking")["reasoning"] == "The manual [bold] says so."


def test_statements_in_doubt_are_listed_with_a_sign_and_what_it_means(capsys: pytest.CaptureFixture[str]) -> None:
    print_answer([Token(DOUBTFUL.text), Finished(DOUBTFUL)])
    shown = capsys.readouterr().out

    assert "(?) The bolts take 45 Nm [1]." in shown
    assert "(!) They are <b>red</b> [2]." in shown
    assert "(!) unsupported: no cited passage says this" in shown


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_ask_packs_an_answer_with_its_evidence(filled: Terminal, tmp_path: Path, option: list[str]) -> None:
    path = tmp_path / "evidence.json"

    question = "What does E07 mean on the HP-60?"
    assert filled.run("ask", question, "--document", "hp-60.md", "--evidence", str(path), *option) == 0, filled.err

    pack = json.loads(path.read_text(encoding="utf-8"))
    assert (pack["asked"], pack["searched"], pack["collection"]) == (question, ["hp-60.md"], "default")
    assert "cooling water flow is too low" in pack["answer"]["text"]
    assert pack["answer"]["text"].splitlines()[-1] in (json.loads(filled.out)["answer"] if option else filled.out)


def test_ask_refuses_an_evidence_file_of_another_kind_before_it_asks(filled: Terminal, tmp_path: Path) -> None:
    assert filled.run("ask", "What does E07 mean?", "--evidence", str(tmp_path / "pack.docx")) == 2

    assert filled.out == ""
    assert "ends in .pdf or .json" in filled.err


def test_ask_refuses_what_is_not_there(filled: Terminal) -> None:
    assert filled.json("ask", "Who won the world cup in 2018?")["refused"]


def test_a_follow_up_takes_its_subject_from_the_history(filled: Terminal, tmp_path: Path) -> None:
    history = tmp_path / "history.json"
    history.write_text(
        json.dumps([{"question": "What does E07 mean on the HP-60?", "answer": "..."}]), encoding="utf-8"
    )

    assert "water flow" in filled.json("ask", "And what is it?", "--history", str(history))["answer"]


@pytest.mark.parametrize("content", ["{}", "not json", '[{"question": 1}]'], ids=["object", "text", "wrong type"])
def test_a_history_of_another_shape_is_refused(filled: Terminal, tmp_path: Path, content: str) -> None:
    history = tmp_path / "history.json"
    history.write_text(content, encoding="utf-8")

    assert filled.run("ask", "And then?", "--history", str(history)) == 2
    assert "no history" in filled.err


def test_document_text_is_shown_as_text(filled: Terminal, tmp_path: Path) -> None:
    """Neither HTML, nor a model's control tokens, nor the terminal's own markup does anything."""
    hostile = tmp_path / "hostile.txt"
    hostile.write_text("The <script>alert(1)</script> and <|im_end|> and [bold red] are text.", encoding="utf-8")
    assert filled.run("ingest", str(hostile)) == 0
    assert filled.run("search", "alert script", "--strategy", "bm25") == 0

    assert "<script>alert(1)</script>" in filled.out
    assert "<|im_end|>" in filled.out
    assert "[bold red]" in filled.out


def test_documents_are_listed_shown_and_removed(filled: Terminal, manual: Path) -> None:
    listed = filled.json("documents", "list")["documents"]
    shown = filled.json("documents", "show", "hp-60.md")
    removed = filled.json("documents", "remove", listed[0]["document_id"])

    assert [record["source"] for record in listed] == ["hp-60.md"]
    assert shown["title"] == "HP-60 service manual"
    assert any("E07" in passage["text"] for passage in shown["passages"])
    assert removed["removed"] == listed[0]["document_id"]
    assert filled.json("documents", "list")["documents"] == []
    assert manual.exists()


def test_rerank_needs_no_index(terminal: Terminal, tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text('{"text": "The invoice is due."}\n{"text": "The pump is hot."}\n', encoding="utf-8")
    ranked = terminal.json("rerank", "--query", "Why is the pump hot?", "--documents", str(texts), home=False)

    assert [entry["index"] for entry in ranked["results"]] == [1, 0]
    assert set(ranked) == {"results", "instruction", "timings_ms"}


def test_rerank_uses_a_local_checkpoint_on_real_passages(
    terminal: Terminal, tmp_path: Path, tested_qwen3_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nda = Path(__file__).parent.parent / "samples" / "mutual-nda.pdf"
    assert terminal.run("ingest", str(nda)) == 0
    passages = [entry["text"] for entry in terminal.json("documents", "show", nda.name)["passages"]]
    texts = tmp_path / "passages.jsonl"
    texts.write_text("\n".join(json.dumps({"text": text}) for text in passages), encoding="utf-8")
    monkeypatch.setenv("RAG_RERANKER", "qwen3")
    monkeypatch.setenv("RAG_RERANK_MODEL", str(tested_qwen3_folder))
    query = "How long does the duty of confidentiality last?"

    ranked = terminal.json("rerank", "--query", query, "--documents", str(texts), "--instruction", "clause", home=False)

    from retrievers import Qwen3Reranker

    engine = Qwen3Reranker.from_pretrained(tested_qwen3_folder)
    expected = engine.score(query, passages, instruction=INSTRUCTIONS["clause"])
    assert len(passages) > 5
    assert [entry["score"] for entry in ranked["results"]] == pytest.approx(sorted(expected, reverse=True), abs=1e-5)
    assert {entry["index"]: entry["text"] for entry in ranked["results"]} == dict(enumerate(passages))
    assert ranked["instruction"] == "clause"


def test_a_reranker_that_fails_its_self_test_answers_nothing(
    filled: Terminal, qwen3_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_RERANKER", "qwen3")
    monkeypatch.setenv("RAG_RERANK_MODEL", str(qwen3_folder))

    assert filled.run("ask", "What does E07 mean?") == 1
    assert "Which planet is known as the Red Planet?" in filled.err
    assert filled.out == ""


@pytest.fixture
def faults(tmp_path: Path) -> Path:
    """A question set of one question over two documents."""
    folder = tmp_path / "faults"
    folder.mkdir()
    (folder / "corpus.jsonl").write_text(
        '{"id": "e07", "title": "E07", "text": "The water flow is too low."}\n'
        '{"id": "e09", "title": "E09", "text": "The door is open."}\n',
        encoding="utf-8",
    )
    (folder / "queries.jsonl").write_text('{"id": "q1", "text": "Why is the door open?"}\n', encoding="utf-8")
    (folder / "qrels.tsv").write_text("q1\te09\t1\n", encoding="utf-8")
    return folder


def test_a_question_can_be_kept_to_one_document(filled: Terminal, manual: Path) -> None:
    other = manual.with_name("hp-40.md")
    other.write_text(MANUAL.replace("HP-60", "HP-40").replace("water flow is too low", "oil is too hot"))
    assert filled.run("ingest", str(other)) == 0

    answer = filled.json("ask", "What does E07 mean?", "--document", "hp-40.md")

    assert "oil is too hot" in answer["answer"]
    assert {passage["source"] for passage in answer["passages"]} == {"hp-40.md"}


def test_a_grid_asks_every_document_every_question(filled: Terminal, tmp_path: Path) -> None:
    questions, out = tmp_path / "questions.txt", tmp_path / "grid.xlsx"
    questions.write_text("What does E07 mean on the HP-60?\nWhat colour is the moon?\n", encoding="utf-8")

    grid = filled.json("grid", str(questions), "--out", str(out))

    ((fault, moon),) = [document["cells"] for document in grid["documents"]]
    assert (fault["state"], moon["state"]) == ("found", "refused")
    assert "cooling water flow" in fault["citations"][0]["quote"]
    assert out.read_bytes().startswith(b"PK")
    assert filled.run("grid", str(questions)) == 0
    assert "does not tell" in filled.out


def test_eval_measures_the_strategies(terminal: Terminal, faults: Path, tmp_path: Path) -> None:
    plot = tmp_path / "plot.png"
    report = terminal.json("eval", str(faults), "--plot", str(plot), home=False)

    assert set(report) >= {"dataset", "queries", "strategies"}
    assert list(report["strategies"]) == ["bm25", "dense", "hybrid", "rerank"]
    assert report["strategies"]["rerank"]["hit@1"] == 1.0
    assert set(report["strategies"]["rerank"]) >= {"ndcg@5", "hit@1", "mrr@10", "recall@20", "ms_per_query"}
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_eval_compares_follow_ups_as_typed_with_what_is_made_of_them(terminal: Terminal, faults: Path) -> None:
    with (faults / "queries.jsonl").open("a") as file:
        file.write('{"id": "q2", "text": "And E09?", "history": [{"role": "user", "text": "What does E07 mean?"}]}\n')
    with (faults / "corpus.jsonl").open("a") as file:
        file.write('{"id": "mean", "title": "Mean values", "text": "E09 has a mean value."}\n')
    with (faults / "qrels.tsv").open("a") as file:
        file.write("q2\tmean\t1\n")

    report = terminal.json("eval", str(faults), "--strategies", "bm25", "--follow-ups", home=False)

    assert report["queries"] == 1
    assert list(report["strategies"]) == ["bm25", "bm25[as typed]"]
    assert report["strategies"]["bm25"]["hit@1"] == 1.0


def test_eval_compares_instructions(terminal: Terminal, faults: Path, told: WordReranker) -> None:
    report = terminal.json(
        "eval", str(faults), "--strategies", "hybrid,rerank", "--instructions", "manual,Find the door", home=False
    )

    assert list(report["strategies"]) == ["hybrid", "rerank[manual]", "rerank[Find the door]"]
    assert set(told.instructions) == {INSTRUCTIONS["manual"], "Find the door"}
    assert terminal.run("eval", str(faults), "--strategies", "rerank", "--instructions", "code", home=False) == 0
    assert "rerank[code]" in terminal.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--instructions", "manual"], "'embedded' follows no instructions"),
        (["--instructions", "manul"], "no instruction 'manul'"),
        (["--instructions", "manual", "--strategies", "bm25"], "strategy rerank only"),
    ],
    ids=["nobody follows", "mistyped", "nothing reranked"],
)
def test_instructions_that_compare_nothing_are_refused(
    terminal: Terminal, faults: Path, arguments: list[str], sentence: str
) -> None:
    assert terminal.run("eval", str(faults), *arguments, home=False) == 2
    assert sentence in terminal.err


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    """A question set: the colours of twenty pumps, and of as many that it has no document of."""
    folder = tmp_path / "colours"
    folder.mkdir()
    pumps = [f"P-{number}" for number in range(10, 50)]
    rows = [{"id": pump, "title": f"Pump {pump}", "text": f"The pump {pump} is painted blue."} for pump in pumps[:20]]
    asked = [{"id": f"q{pump}", "text": f"Which colour is the pump {pump} painted?"} for pump in pumps]
    for name, lines in (("corpus", rows), ("queries", asked)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (folder / "qrels.tsv").write_text("".join(f"q{pump}\t{pump}\t1\n" for pump in pumps[:20]), encoding="utf-8")
    return folder


@pytest.mark.parametrize("reranker", ["embedded", "qwen3"])
def test_calibrate_keeps_a_model_for_the_reranker_in_force(
    filled: Terminal, colours: Path, reranker: str, told: WordReranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_RERANKER", reranker)
    report = filled.json("calibrate", str(colours))

    assert (report["refusals"][0]["asked"], report["refusals"][0]["unanswerable"]) == (40, 20)
    assert list(report["model"]["weights"]) == (
        ["own_score"] if reranker == "qwen3" else ["relevance", "lead", "missing"]
    )
    checks = {check["name"]: check for check in filled.json("doctor")["checks"]}
    assert checks["gate"]["state"] == "ok"
    assert "60 questions of colours" in checks["gate"]["finding"]


def test_doctor_says_that_a_reranker_was_never_calibrated(filled: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_RERANKER", "qwen3")
    checks = {check["name"]: check for check in filled.json("doctor")["checks"]}

    assert checks["gate"]["state"] == "note"
    assert "never calibrated, so late interaction judges" in checks["gate"]["finding"]


def test_an_instruction_that_nobody_follows_is_noted(filled: Terminal, tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("The pump is hot.\n", encoding="utf-8")
    note = "The instruction was not used"

    for arguments in (["search", "pump"], ["ask", "Which pump?"]):
        assert filled.run(*arguments, "--instruction", "manual", "--json") == 0
        assert note in filled.err
        assert json.loads(filled.out)["instruction"] is None
    assert filled.run("rerank", "--query", "pump", "--documents", str(texts), "--instruction", "code", home=False) == 0
    assert note in filled.err
    assert filled.run("search", "pump") == 0
    assert note not in filled.err


def test_the_instruction_that_was_used_is_shown(filled: Terminal, manual: Path, told: WordReranker) -> None:
    assert filled.run("ingest", str(manual), "--kind", "manual") == 0

    assert filled.json("ask", "What does E07 mean?")["instruction"] == "fault-code"
    assert filled.json("search", "E07", "--instruction", "code")["instruction"] == "code"
    assert filled.err == ""
    assert filled.run("ask", "What does E07 mean?", "--instruction", "Find [red] valves") == 0
    assert "Ranked by the instruction: Find [red] valves" in filled.out
    assert filled.run("ask", "What does E07 mean?", "--instruction", "manul") == 2


def test_what_was_not_scored_in_time_is_said(
    filled: Terminal, manual: Path, told: WordReranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    manual.with_name("other.md").write_text("# HP-40\n\nE07 means that the oil is hot.\n", encoding="utf-8")
    assert filled.run("ingest", str(manual.parent)) == 0
    monkeypatch.setenv("RAG_RERANK_BUDGET_MS", "1")
    monkeypatch.setenv("RAG_RERANKER", "auto")
    found = filled.json("search", "What does E07 mean?")

    assert [result["score"] is None for result in found["results"]] == [False, True]
    assert (found["scored"], found["candidates"]) == (1, 2)
    assert filled.run("search", "What does E07 mean?") == 0
    assert "not scored" in filled.out
    assert "Only 1 of 2 candidates" in filled.out


def test_the_kind_of_a_collection_is_shown(filled: Terminal, manual: Path) -> None:
    assert filled.json("documents", "list")["kind"] == "general"
    assert filled.run("ingest", str(manual), "--kind", "contract") == 0

    assert filled.json("documents", "list")["kind"] == "contract"
    assert filled.run("documents", "list") == 0
    assert "contract" in filled.out
    assert any("(contract)" in check["finding"] for check in filled.json("doctor")["checks"])


def test_a_reranker_that_cannot_be_used_is_one_sentence(
    filled: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_RERANKER", "qwen3")
    monkeypatch.setenv("RAG_RERANK_MODEL", str(tmp_path / "no model"))
    assert filled.run("ask", "What does E07 mean?") == 1

    assert filled.err.startswith("rag-app: ")
    assert "no model" in filled.err
    assert "Traceback" not in filled.err
    assert filled.out == ""


def test_doctor_names_what_ranks(filled: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_RERANKER", "tei")
    monkeypatch.setenv("RAG_RERANK_BASE_URL", "http://localhost:1")
    checks = {check["name"]: check["finding"] for check in filled.json("doctor")["checks"]}

    assert checks["profile"].startswith("tei: ")
    assert "http://localhost:1" in checks["profile"]


def test_doctor_finds_a_sound_installation(filled: Terminal) -> None:
    report = filled.json("doctor")

    assert report["healthy"]
    assert any(check["name"] == "index" and "1 documents" in check["finding"] for check in report["checks"])


def test_config_shows_every_setting(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_LLM_API_KEY", "sk-secret")

    assert terminal.json("config", "show")["top_k"] == 6
    assert "sk-secret" not in terminal.out


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["search", "x"], 2, "No collection 'default'"),
        (["ask", "x", "--collection", "none"], 2, "No collection 'none'"),
        (["ingest", "/no/such/file"], 2, "There is no file or folder"),
        (["documents", "show", "x"], 2, "No collection"),
        (["ask", "x", "--collection", "../x"], 2, "A collection's name"),
    ],
    ids=["no index", "unknown collection", "no file", "no documents", "bad name"],
)
def test_usage_errors_are_one_sentence(terminal: Terminal, arguments: list[str], code: int, sentence: str) -> None:
    assert terminal.run(*arguments) == code
    assert sentence in terminal.err
    assert "Traceback" not in terminal.err
    assert terminal.out == ""


@pytest.mark.parametrize("question", ["", "x" * 100_000], ids=["empty", "endless"])
def test_a_question_that_is_none_exits_with_2(filled: Terminal, question: str) -> None:
    assert filled.run("ask", question) == 2
    assert filled.err.startswith("rag-app: The question ")


def test_an_empty_folder_exits_with_1_and_says_what_is_read(terminal: Terminal, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()

    assert terminal.run("ingest", str(empty)) == 1
    assert ".pdf" in terminal.err


def test_a_scan_is_called_one_wherever_it_is_shown(terminal: Terminal, tmp_path: Path) -> None:
    """An image of a page is read by OCR; the answer, the document and its passages say so."""
    font = ImageFont.load_default(size=34)
    image = Image.new("RGB", (1200, 400), "white")
    draw = ImageDraw.Draw(image)
    draw.text((60, 60), "Fault E42: the belt of the conveyor has torn.", font=font, fill="black")
    draw.text((60, 130), "Replace the belt and acknowledge the fault.", font=font, fill="black")
    folder = tmp_path / "scans"
    folder.mkdir()
    image.save(folder / "note.png")

    assert terminal.json("ingest", str(folder))["ocr_pages"] == 1
    answer = terminal.json("ask", "What does fault E42 mean?")

    assert "belt" in answer["answer"]
    assert 0.5 < answer["citations"][0]["ocr_confidence"] <= 1.0
    assert terminal.run("ask", "What does fault E42 mean?") == 0
    assert "read by OCR" in terminal.out
    document = terminal.json("documents", "show", "note.png")
    assert document["page_records"][0]["ocr"]["reason"] == "The text stands in an image."
    assert (document["media"]["kind"], document["media"]["width"]) == ("image", "1200")
    assert terminal.run("documents", "show", "note.png") == 0
    assert "read by OCR" in terminal.out


def test_doctor_mends_what_it_is_asked_to(filled: Terminal) -> None:
    assert filled.json("doctor", "--repair")["repaired"] == []
    assert filled.run("doctor", "--repair") == 0
    assert filled.out.startswith("There was nothing to mend.")


def test_eval_tells_every_question_on_demand(terminal: Terminal, faults: Path) -> None:
    report = terminal.json("eval", str(faults), "--strategies", "bm25,rerank", "--details", home=False)

    [question] = report["questions"]
    assert question["found"]["rerank"]["rank"] == 1
    assert set(report["passages"]) >= set(question["found"]["rerank"]["passages"])
    assert terminal.run("eval", str(faults), "--details", home=False) == 2


def test_tags_are_added_and_taken_off(filled: Terminal, manual: Path) -> None:
    tagged = filled.json("documents", "tag", manual.name, "--add", "plant 2", "--add", "压机")
    assert tagged["tags"] == ["plant 2", "压机"]

    assert filled.json("documents", "tag", manual.name, "--remove", "plant 2")["tags"] == ["压机"]
    assert filled.json("documents", "list")["documents"][0]["tags"] == ["压机"]
