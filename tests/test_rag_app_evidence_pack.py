"""An answer packed with its evidence, read back from the files."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdf
import pytest
from fake_assistant import DOUBTFUL, HOSTILE, PASSAGES, QUOTED, FakeAssistant, answer_of, cite
from hypothesis import given, settings
from hypothesis import strategies as st
from pdf_pages import WIDTH, lines, write
from PIL import Image

from rag_app.answer import Answer, Finished, Link, Statement
from rag_app.assistant import Assistant, build_assistant
from rag_app.evidence_pack import MAX_PAGE_IMAGES, PACK_FORMATS, EvidencePack, evidence_pack
from rag_app.evidence_pdf import MAX_PASSAGE_CHARACTERS, as_pdf
from rag_app.settings import Settings
from rag_app.writing import writer

TORQUE = "To what torque are the cylinder head bolts tightened?"
DEPOSIT = "合同的保证金是多少？"
MARKUP = '<img src="file:///etc/hostname" width="9" height="9"/> <para>& </font> <a href="https://x.test">a</a> <br'


@contextmanager
def opened(folder: Path) -> Iterator[Assistant]:
    """An assistant over a manual as PDF, a contract in Chinese, and a note that tries to be markup, in this folder."""
    write(
        folder / "press.pdf",
        lines("1 Safety", "Lock the main switch before any work on the press."),
        lines("2 Torques", "Tighten the cylinder head bolts to 45 Nm in two steps, crosswise.", top=300),
    )
    (folder / "合同.md").write_text("# 采购合同\n\n本合同的保证金为人民币十万元整。\n", encoding="utf-8")
    (folder / "note.txt").write_text(f"The label on the control cabinet reads {MARKUP} in red letters.\n")
    assistant = build_assistant(Settings(home=folder / "home"), create=True)
    assistant.library.ingest(sorted(folder.glob("*.*")))
    yield assistant
    assistant.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("documents")


@pytest.fixture(scope="module")
def assistant(folder: Path) -> Iterator[Assistant]:
    with opened(folder) as assistant:
        yield assistant


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Assistant]:
    """An assistant whose files a test may spoil."""
    with opened(tmp_path) as assistant:
        yield assistant


def answered(assistant: Assistant, question: str) -> Answer:
    return next(event.answer for event in assistant.ask(question) if isinstance(event, Finished))


def packed(assistant: Assistant | FakeAssistant, answer: Answer, **values: Any) -> EvidencePack:
    return evidence_pack(assistant, answer, **{"asked": answer.question, **values})  # type: ignore[arg-type]  # a fake


def reader(pack: EvidencePack) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(as_pdf(pack)))


def text_of(pack: EvidencePack) -> str:
    """All text of the PDF without blanks: lines break anywhere."""
    return squeezed(" ".join(page.extract_text() for page in reader(pack).pages))


def squeezed(text: str) -> str:
    return "".join(text.split())


def images_of(pack: EvidencePack) -> list[Image.Image]:
    return [image.image for page in reader(pack).pages for image in page.images]


def test_the_pdf_says_what_was_asked_answered_cited_and_with_what(assistant: Assistant, folder: Path) -> None:
    answer = answered(assistant, TORQUE)
    moment = datetime(2025, 5, 1, 12, 30, tzinfo=UTC)

    text = text_of(packed(assistant, answer, asked="And the torque?", answered_at=moment, searched=["press.pdf"]))

    digest = hashlib.sha256((folder / "press.pdf").read_bytes()).hexdigest()
    best = answer.passages[0]
    for said in (
        *("And the torque?", TORQUE, "2025-05-01 12:30:00", "press.pdf", digest, answer.text, "verified", "2 Torques"),
        *(f"{best.score:.4f}", f"{best.retrieval_score:.4f}", f"{answer.evidence:.2f}"),
        *("all-MiniLM-L6-v2@53aa51172d14", "rag-app 0.1.0", "quoted from the documents"),
    ):
        assert squeezed(said) in text


def test_a_pack_says_what_is_not_in_force_yet(assistant: Assistant) -> None:
    answer = answered(assistant, TORQUE)
    link = Link("amends", "4.1", 1, "1 May 2030", standing="to come")
    pack = packed(assistant, replace(answer, passages=(replace(answer.passages[0], links=(link,)),)))

    assert squeezed("amends clause 4.1 in [1] (not yet in force: effective 1 May 2030)") in text_of(pack)
    assert pack.as_dict()["answer"]["passages"][0]["links"][0]["standing"] == "to come"


def test_the_json_holds_what_the_pdf_says(assistant: Assistant) -> None:
    pack = packed(assistant, answered(assistant, TORQUE))

    text, facts = text_of(pack), json.loads(pack.as_json())

    assert facts["answer"]["citations"]
    for said in (
        facts["asked"],
        facts["answer"]["text"],
        *(citation["quote"] for citation in facts["answer"]["citations"]),
        *(document["sha256"] for document in facts["documents"]),
        *facts["models"].values(),
        *facts["settings"],
    ):
        assert squeezed(said) in text
    assert [page["page"] for page in facts["pages"] if page["shown"]] == [2]
    assert len(images_of(pack)) == 1


def test_the_quote_is_boxed_on_the_image_of_its_page(assistant: Assistant) -> None:
    answer = answered(assistant, TORQUE)
    pack = packed(assistant, answer)

    [image] = images_of(pack)
    pages, lefts, tops, rights, bottoms = zip(*answer.citations[0].boxes, strict=True)
    scale = image.width / WIDTH

    assert set(pages) == {2}
    expected = [edge * scale for edge in (min(lefts), min(tops), max(rights), max(bottoms))]
    assert highlighted(image).getbbox() == pytest.approx(expected, abs=5)


def highlighted(image: Image.Image) -> Image.Image:
    """White where the image is yellow: much less blue than red."""
    red, _, blue = (band.tobytes() for band in image.split())
    return Image.frombytes("L", image.size, bytes(255 * (r - b > 50) for r, b in zip(red, blue, strict=True)))


def test_a_refusal_is_packed_with_the_nearest_passages(assistant: Assistant) -> None:
    answer = answered(assistant, "Who won the world cup of 1954?")
    pack = packed(assistant, answer)

    assert answer.refused
    assert "Thedocumentsdonottell" in text_of(pack)
    assert squeezed(answer.text) in text_of(pack)
    assert {page.file for page in pack.pages} == {passage.source for passage in answer.passages[:3]}


def test_statements_in_doubt_and_what_ocr_read_are_marked() -> None:
    read = replace(DOUBTFUL.citations[0], state="weak", ocr_confidence=0.87)

    text = text_of(packed(FakeAssistant(), replace(DOUBTFUL, citations=(read,))))

    assert squeezed("The bolts take 45 Nm [1]. ? weak They are <b>red</b> [2]. ✗ not supported") in text
    assert squeezed("read by OCR 87% sure") in text


def test_chinese_is_text_in_a_font_that_has_it(assistant: Assistant) -> None:
    answer = answered(assistant, DEPOSIT)
    pack = packed(assistant, answer)

    assert not answer.refused
    assert "本合同的保证金为人民币十万元整。" in text_of(pack)
    assert DEPOSIT in text_of(pack)
    fonts = reader(pack).pages[0]["/Resources"]["/Font"]
    assert "/STSong-Light" in {font.get_object()["/BaseFont"] for font in fonts.values()}


def test_markup_of_people_and_documents_is_text_and_loads_nothing(assistant: Assistant) -> None:
    answer = answered(assistant, "What does the label on the control cabinet read?")
    pack = packed(assistant, replace(answer, instruction=MARKUP), asked=f"{MARKUP} {HOSTILE}")

    assert text_of(pack).count(squeezed(MARKUP)) > 3
    assert images_of(pack) == []
    assert all("/Annots" not in page for page in reader(pack).pages)


ANY_TEXT = st.text(st.characters(exclude_categories=()), min_size=1, max_size=300)


@given(ANY_TEXT, ANY_TEXT)
@settings(max_examples=30, deadline=None)
def test_any_text_can_be_packed(question: str, text: str) -> None:
    answer = replace(QUOTED, text=text, statements=(Statement(0, len(text), (), "weak"),), citations=())

    pack = packed(FakeAssistant(), answer, asked=question)

    assert "?weak" in text_of(pack)
    assert json.loads(pack.as_json())["asked"] == question


@pytest.mark.parametrize("spoilt", ["changed", "gone"])
def test_a_page_whose_file_is_not_the_same_is_a_sentence(own: Assistant, tmp_path: Path, spoilt: str) -> None:
    answer = answered(own, TORQUE)
    if spoilt == "changed":
        write(tmp_path / "press.pdf", lines("Tighten nothing."), lines("At all, whatever anybody says."))
    else:
        (tmp_path / "press.pdf").unlink()

    pack = packed(own, answer)

    sentence = "has changed since it was read" if spoilt == "changed" else "is not there any more"
    assert f"The file press.pdf {sentence}" in pack.pages[0].problem
    assert squeezed(pack.pages[0].problem) in text_of(pack)
    assert images_of(pack) == []


def test_a_document_that_was_removed_is_named_as_such(own: Assistant) -> None:
    answer = answered(own, TORQUE)
    own.library.hide(answer.citations[0].document_id)

    pack = packed(own, answer)

    assert "has been removed" in pack.pages[0].problem
    assert "has been removed" in pack.documents[0].problem
    assert squeezed(pack.documents[0].problem) in text_of(pack)


def test_no_secret_address_or_path_is_packed(tmp_path: Path) -> None:
    secret = Settings(
        home=tmp_path / "home-of-nobody",
        reranker="vllm",
        rerank_base_url="http://user:geheim@rerank.test",
        rerank_api_key="geheim-1",
        llm_base_url="http://user:geheim@llm.test/v1",
        llm_model="gpt-oss",
        llm_api_key="geheim-2",
        embedding="openai",
        embedding_base_url="http://user:geheim@embed.test",
        embedding_api_key="geheim-3",
    )
    pack = packed(FakeAssistant(settings=secret), QUOTED)

    for content in (text_of(pack), pack.as_json(), str(reader(pack).metadata)):
        assert "geheim" not in content
        assert ".test" not in content
        assert str(tmp_path) not in content
    assert pack.models["language model"] == "gpt-oss (openai)"


def test_a_folder_with_a_model_is_known_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "my-reranker").mkdir()
    own = Settings(reranker="qwen3", rerank_model=str(tmp_path / "my-reranker"))

    assert packed(FakeAssistant(settings=own), QUOTED).models["reranker"] == "my-reranker (qwen3)"


def test_pages_beyond_the_limit_are_named_and_not_drawn() -> None:
    many = tuple(
        replace(cite(PASSAGES[0]), page=page, boxes=((page, 72.0, 120.0, 400.0, 134.0),))
        for page in range(1, MAX_PAGE_IMAGES + 3)
    )
    pack = packed(FakeAssistant(), answer_of("Many pages [1].", citations=many))

    assert [page.page for page in pack.pages if page.jpeg is None] == [MAX_PAGE_IMAGES + 1, MAX_PAGE_IMAGES + 2]
    assert all(f"at most {MAX_PAGE_IMAGES}" in page.problem for page in pack.pages if page.jpeg is None)


def test_a_long_passage_is_cut_in_the_pdf_and_whole_in_the_json() -> None:
    long = replace(PASSAGES[0], text="word " * 1000 + "the end")
    pack = packed(FakeAssistant(), answer_of("Long [1].", passages=(long,), citations=(cite(long, quote=long.text),)))

    assert squeezed(f"({len(long.text) - MAX_PASSAGE_CHARACTERS} more characters") in text_of(pack)
    assert json.loads(pack.as_json())["answer"]["passages"][0]["text"] == long.text


@pytest.mark.parametrize("suffix", [".pdf", ".JSON"])
def test_the_suffix_decides_what_is_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"pack{suffix}"

    writer(path, PACK_FORMATS)(packed(FakeAssistant(), QUOTED, asked="Typed in Latin-1: \udce9"))

    assert path.read_bytes().startswith(b"%PDF" if suffix == ".pdf" else b"{")


def test_rows_of_tables_are_shown_by_their_cells() -> None:
    row = "| E07 | | Oil \\| water |"
    answer = replace(QUOTED, text=f"| Code | Cause | Fluid |\n| --- | --- | --- |\n{row} [1]", citations=())

    text = squeezed(text_of(packed(FakeAssistant(), answer)))

    assert "Code·Cause·FluidE07·–·Oil|water·[1]" in text
    assert "---" not in text
