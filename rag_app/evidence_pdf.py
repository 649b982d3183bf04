"""An evidence pack as a PDF of A4 pages.

Whatever documents, models and people wrote is escaped before reportlab, which reads a markup with images and links in
it, sees it. Chinese, Japanese and Korean are set in the fonts that every PDF viewer brings for them: none that may be
passed on is small enough to be embedded.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import matplotlib
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    Image,
    KeepTogether,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from rag_app.answer import Answer, Citation, Passage, State
from rag_app.context import link_note, source_label
from rag_app.evidence_pack import EvidencePack, PackedDocument, PackedPage
from rag_app.sentences import is_table_row, is_table_rule

MAX_PASSAGE_CHARACTERS = 3000
_TITLE_CHARACTERS = 120

_MARGIN = 18 * mm
_PADDING = 6  # what reportlab leaves free around the text of a page
_WIDTH = A4[0] - 2 * (_MARGIN + _PADDING)
# With a heading and its caption above, a page image fills a page of the pack.
_IMAGE_HEIGHT = A4[1] - 2 * (_MARGIN + _PADDING) - 25 * mm

_SANS, _BOLD = "DejaVuSans", "DejaVuSans-Bold"  # they come with matplotlib
_CHINESE, _KOREAN = "STSong-Light", "HYSMyeongJo-Medium"
_HAN = "[\u2e80-\u312f\u3190-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]"
# Quotation marks beside Chinese belong to it: it then knows that no line may begin with a closing one.
_CHINESE_RUN = re.compile(f"[“‘…—]*{_HAN}+(?:[“”‘’…—·]+{_HAN}*)*")
_KOREAN_RUN = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]+")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

_TEXT = ParagraphStyle("text", fontName=_SANS, fontSize=9, leading=13, wordWrap="CJK")
_SMALL = ParagraphStyle("small", _TEXT, fontSize=7.5, leading=10.5, textColor=HexColor("#444444"))
_NAME = ParagraphStyle("name", _SMALL, fontName=_BOLD)
_TITLE = ParagraphStyle("title", _TEXT, fontName=_BOLD, fontSize=15, leading=20, spaceAfter=6)
_HEADING = ParagraphStyle("heading", _TEXT, fontName=_BOLD, fontSize=11, leading=15, spaceBefore=12, spaceAfter=4)
_CAPTION = ParagraphStyle("caption", _TEXT, fontName=_BOLD, spaceBefore=8, spaceAfter=3)
_QUOTE = ParagraphStyle(
    "quote", _TEXT, backColor=HexColor("#fff6d9"), borderPadding=4, leftIndent=6, rightIndent=6, spaceBefore=5
)

_STATES: dict[State, tuple[str, str]] = {
    "verified": ("✓ verified", "#1a6b3c"),
    "weak": ("? weak", "#8a5a00"),
    "unsupported": ("✗ not supported", "#a12622"),
}
_MEANINGS = (
    "verified: every figure, date, name and code stands in the cited passage, and the words agree. "
    "weak: nothing speaks against it, but the words agree only in part. not supported: no cited passage says this."
)


def as_pdf(pack: EvidencePack) -> bytes:
    """The whole pack; nothing but its content and our fonts is read."""
    _register_fonts()
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=f"Evidence: {_shortened(pack.asked, _TITLE_CHARACTERS)}",
        author=pack.program,
        creator=pack.program,
        lang="en",
    )

    def foot(canvas: Canvas, template: SimpleDocTemplate) -> None:
        canvas.setFont(_SANS, 7)
        canvas.drawString(_MARGIN, _MARGIN / 2, f"Evidence pack by {pack.program}, {_time(pack.made_at)}")
        canvas.drawRightString(A4[0] - _MARGIN, _MARGIN / 2, f"Page {template.page}")

    document.build(list(_flowables(pack)), onFirstPage=foot, onLaterPages=foot)
    return buffer.getvalue()


@cache
def _register_fonts() -> None:
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name in (_SANS, _BOLD):
        registerFont(TTFont(name, folder / f"{name}.ttf"))
    for name in (_CHINESE, _KOREAN):
        registerFont(UnicodeCIDFont(name))


def _flowables(pack: EvidencePack) -> Iterator[Flowable]:
    documents = {document.document_id: document for document in pack.documents}
    yield Paragraph("Evidence for an answer", _SMALL)
    yield Paragraph(_markup(pack.asked), _TITLE)
    yield _facts(_summary(pack))
    yield _heading("The documents do not tell" if pack.answer.refused else "Answer")
    yield Paragraph(_with_states(pack.answer), _TEXT)
    if pack.answer.statements:
        yield Spacer(0, 4)
        yield Paragraph(_MEANINGS, _SMALL)
    if pack.answer.citations:
        yield _heading("What it cites")
        for citation in pack.answer.citations:
            yield from _cited(citation, documents[citation.document_id])
    yield _heading("Passages in the order of their rank")
    if pack.answer.passages:
        yield _ranking(pack.answer.passages)
    yield Paragraph(_how_ranked(pack.answer), _SMALL)
    yield _heading("Documents")
    for document in pack.documents:
        yield from _document(document)
    yield _heading("Models and settings when this pack was made")
    yield _facts([*pack.models.items(), *((name, str(value) or "none") for name, value in pack.settings.items())])
    if pack.answer.passages:
        yield _heading("Passages as they were read")
    for passage in pack.answer.passages:
        yield from _passage(passage)
    if any(page.jpeg for page in pack.pages):
        yield PageBreak()
    if pack.pages:
        yield _heading("Pages")
    for page in pack.pages:
        yield from _page(page)


def _heading(text: str) -> Flowable:
    heading = Paragraph(text, _HEADING)
    heading.keepWithNext = True
    return heading


def _summary(pack: EvidencePack) -> Iterator[tuple[str, str]]:
    answer = pack.answer
    if answer.question != pack.asked:
        yield "understood as", answer.question
    if pack.answered_at:
        yield "answered", _time(pack.answered_at)
    yield "collection", pack.collection
    yield "searched", ", ".join(pack.searched) or "all of its documents"
    yield "words", _whose_words(answer)
    gate = pack.settings["gate"]
    yield "evidence", f"probability {answer.evidence:.2f} that the passages hold the answer; refused below {gate:.2f}"


def _whose_words(answer: Answer) -> str:
    if answer.refused:
        return "a refusal"
    return "quoted from the documents, no language model" if answer.quoted else "written by the language model"


def _with_states(answer: Answer) -> str:
    """The answer as markup, behind each statement its state."""
    pieces, done = [], 0
    for statement in sorted(answer.statements, key=lambda one: one.end):
        name, color = _STATES[statement.state]
        pieces.append(_markup(answer.text[done : statement.end]))
        pieces.append(f' <font name="{_BOLD}" size="7" color="{color}">{name}</font>')
        done = statement.end
    return "".join([*pieces, _markup(answer.text[done:])])


def _cited(citation: Citation, document: PackedDocument) -> Iterator[Flowable]:
    name, color = _STATES[citation.state]
    head = f'[{citation.number}] {_markup(citation.title)} <font size="7" color="{color}">{name}</font>'
    facts = [
        ("file", citation.source),
        ("SHA-256", document.sha256 or document.problem),
        ("page", _page_names(citation.page, citation.page_label)),
        ("section", citation.section),
    ]
    if citation.ocr_confidence is not None:
        facts.append(("read by OCR", f"{citation.ocr_confidence:.0%} sure"))
    yield KeepTogether([Paragraph(head, _CAPTION), _facts(facts)])
    yield Paragraph(_markup(f"“{_read_aloud(citation.quote)}”"), _QUOTE)
    yield Spacer(0, 6)


def _ranking(passages: Sequence[Passage]) -> Flowable:
    """Each passage with its place and score before and after reranking."""
    head = ("before", "after", "passage", "search score", "reranker score")
    rows = [
        (
            str(passage.retrieval_rank or "–"),
            str(passage.number),
            source_label(passage),
            f"{passage.retrieval_score:.4f}",
            "not scored" if passage.score is None else f"{passage.score:.4f}",
        )
        for passage in passages
    ]
    cells = [
        [Paragraph(name, _NAME) for name in head],
        *([Paragraph(_markup(text), _SMALL) for text in row] for row in rows),
    ]
    widths = (14 * mm, 12 * mm, _WIDTH - 76 * mm, 24 * mm, 26 * mm)
    return Table(cells, widths, repeatRows=1, splitInRow=1, hAlign="LEFT", style=_LINED)


def _how_ranked(answer: Answer) -> str:
    told = f"Ranked by the instruction: {answer.instruction}. " if answer.instruction is not None else ""
    stages = ", ".join(f"{stage} {milliseconds:.0f} ms" for stage, milliseconds in answer.timings_ms.items())
    left_out = f"{answer.left_out} passages were left out for want of room. " if answer.left_out else ""
    return _markup(f"{told}{answer.scored} of {answer.candidates} candidates were scored. {left_out}{stages}")


def _document(document: PackedDocument) -> Iterator[Flowable]:
    facts = [
        ("file", document.file),
        ("SHA-256", document.sha256),
        ("pages", str(document.pages or "")),
        ("read", _time(document.read_at) if document.read_at else ""),
        ("note", document.problem),
    ]
    yield KeepTogether([Paragraph(_markup(document.title), _CAPTION), _facts(facts)])


def _passage(passage: Passage) -> Iterator[Flowable]:
    yield Paragraph(_markup(f"[{passage.number}] {source_label(passage)}"), _CAPTION)
    if passage.links:
        yield Paragraph(_markup("; ".join(map(link_note, passage.links))), _SMALL)
    text = passage.text[:MAX_PASSAGE_CHARACTERS]
    if rest := len(passage.text) - len(text):
        text += f" … ({rest} more characters of it are in the document)"
    yield Paragraph(_markup(text), _SMALL)


def _page(page: PackedPage) -> Iterator[Flowable]:
    marks = "".join(f"[{number}]" for number in page.numbers)
    caption = Paragraph(_markup(f"{marks} {page.file}, page {_page_names(page.page, page.page_label)}"), _CAPTION)
    if page.jpeg is None:
        yield KeepTogether([caption, Paragraph(_markup(page.problem), _TEXT)])
        return
    width, height = ImageReader(io.BytesIO(page.jpeg)).getSize()
    scale = min(_WIDTH / width, _IMAGE_HEIGHT / height)
    image = Image(io.BytesIO(page.jpeg), width * scale, height * scale)
    yield KeepTogether([caption, Table([[image]], hAlign="LEFT", style=_FRAMED)])


_PLAIN = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
    ]
)
_LINED = TableStyle([("LINEBELOW", (0, 0), (-1, -1), 0.25, HexColor("#bbbbbb"))], parent=_PLAIN)
_FRAMED = TableStyle([("BOX", (0, 0), (-1, -1), 0.5, HexColor("#999999"))], parent=_PLAIN)


def _facts(rows: Iterator[tuple[str, str]] | Sequence[tuple[str, str]]) -> Flowable:
    """Names and what they stand for, in two columns; empty ones are left out."""
    cells = [[Paragraph(_markup(name), _NAME), Paragraph(_markup(text), _SMALL)] for name, text in rows if text]
    return Table(cells, (38 * mm, _WIDTH - 38 * mm), splitInRow=1, hAlign="LEFT", style=_PLAIN)


def _page_names(page: int, label: str) -> str:
    """The page as it is printed and as it is counted."""
    return str(page) if label in ("", str(page)) else f"{label} as printed, {page} as counted"


def _markup(text: str) -> str:
    """The text as reportlab's markup: nothing in it is a tag, and each script has a font that holds it."""
    markup = escape(_NOT_TEXT.sub(" ", _read_aloud(text)))
    markup = _CHINESE_RUN.sub(rf'<font name="{_CHINESE}">\g<0></font>', markup)
    markup = _KOREAN_RUN.sub(rf'<font name="{_KOREAN}">\g<0></font>', markup)
    return markup.replace("\n", "<br/>")


def _read_aloud(text: str) -> str:
    """The text with the rows of Markdown tables as their cells alone, which is how people read them."""
    lines = (line for line in text.split("\n") if not is_table_rule(line))
    return "\n".join(" · ".join(_cells(line)) if is_table_row(line) else line for line in lines)


def _cells(row: str) -> list[str]:
    """Each cell of a row; an empty one has a dash, or those behind it would seem to stand under other heads."""
    cells = _CELL_BORDER.split(row.strip())[1:]
    if not cells[-1].strip():  # behind the last border
        cells.pop()
    return [cell.strip().replace("\\|", "|") or "–" for cell in cells]


def _shortened(text: str, limit: int) -> str:
    line = " ".join(_NOT_TEXT.sub(" ", text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %z}"
