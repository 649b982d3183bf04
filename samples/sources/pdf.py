"""Items to PDF: manuals with cover, contents, outline and printed page labels; contracts with a plain footer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.lib import textsplit
from reportlab.lib.colors import HexColor, white
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import registerFont, registerFontFamily
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)
from reportlab.platypus.tableofcontents import TableOfContents
from sources.drawings import drawing
from sources.markup import Item

INK, GREY, LINE, SHADE = (HexColor(code) for code in ("#1f2933", "#52606d", "#cbd2d9", "#eef2f6"))
WIDTH, HEIGHT = A4
MARGIN = 22 * mm
TEXT_WIDTH = WIDTH - 2 * MARGIN
SIGNALS = {"DANGER": "#ba2525", "WARNING": "#c65d07", "CAUTION": "#b38600", "NOTICE": "#2463a8"}
SIGNALS |= {"危险": SIGNALS["DANGER"], "警告": SIGNALS["WARNING"]}
LONGEST_WHOLE_TABLE = 16
CJK_FONT = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")


@dataclass(frozen=True, slots=True)
class Look:
    """Typeface and colours of a document. `cjk` breaks lines between any two Chinese characters."""

    regular: str
    bold: str
    size: float
    accent: str
    cjk: bool = False

    def style(self, name: str, **changes: object) -> ParagraphStyle:
        leading = self.size * (1.55 if self.cjk else 1.38)
        base = {"fontName": self.regular, "fontSize": self.size, "leading": leading, "textColor": INK}
        bullet = {"bulletFontName": self.regular, "bulletFontSize": self.size, "allowWidows": 0, "allowOrphans": 0}
        wrap = {"wordWrap": "CJK"} if self.cjk else {}
        return ParagraphStyle(name, **(base | bullet | wrap | changes))


MANUAL = Look("Helvetica", "Helvetica-Bold", 9.5, "#0b4f79")
CONTRACT = Look("Times-Roman", "Times-Bold", 11.5, "#1f2933")
CHINESE = Look("MicroHei", "MicroHei", 10, "#0b5d4e", cjk=True)


def write_pdf(path: Path, items: Sequence[Item], values: Mapping[str, str], look: Look) -> None:
    """Write the items as a PDF; the same items give the same bytes. Chinese needs `fonts-wqy-microhei`."""
    if look.cjk:
        _register_cjk()
    SampleDocument(path, values, look).multiBuild([flow for item in items for flow in _flow(item, values, look)])


def _register_cjk() -> None:
    if not CJK_FONT.exists():
        raise FileNotFoundError(f"Expected the font {CJK_FONT}; install the Debian package fonts-wqy-microhei.")
    # Full-width comma, semicolon, colon and closing quote are missing from reportlab's list.
    textsplit.ALL_CANNOT_START += "，；：”"
    registerFont(TTFont("MicroHei", str(CJK_FONT), subfontIndex=0))
    registerFontFamily("MicroHei", normal="MicroHei", bold="MicroHei", italic="MicroHei", boldItalic="MicroHei")


class SampleDocument(BaseDocTemplate):
    """Knows the running chapter and where the numbered body begins; pages before it have roman labels."""

    def __init__(self, path: Path, values: Mapping[str, str], look: Look) -> None:
        super().__init__(
            str(path), pagesize=A4, invariant=1, title=values["pdf_title"], author=values["maker"], lang=values["lang"]
        )
        self.values, self.look = values, look
        manual = "document_number" in values
        frame = Frame(MARGIN, 24 * mm, TEXT_WIDTH, HEIGHT - 48 * mm, 0, 0, 0, 0)
        cover = PageTemplate("cover", frame, onPage=self.draw_cover)
        front = PageTemplate("front", frame, onPageEnd=self.draw_running, autoNextPageTemplate="front")
        body = PageTemplate("body", frame, onPage=self.begin_body, onPageEnd=self.draw_running)
        contract = PageTemplate("contract", frame, onPageEnd=self.draw_footer)
        self.addPageTemplates([cover, front, body] if manual else [contract])

    def beforeDocument(self) -> None:
        self.front, self.chapter, self.level = 0, "", -1

    def label(self, page: int) -> str:
        roman = ("", "i", "ii", "iii", "iv", "v", "vi")
        return str(page - self.front) if self.front else roman[page]

    def begin_body(self, canvas: Canvas, _: BaseDocTemplate) -> None:
        if not self.front:
            self.front = canvas.getPageNumber() - 1
            canvas.addPageLabel(0, "ROMAN_LOWER", 1)
            canvas.addPageLabel(self.front, "ARABIC", 1)

    def afterFlowable(self, flowable: Flowable) -> None:
        if isinstance(flowable, Paragraph) and flowable.style.name == "contents":
            self.chapter = flowable.getPlainText()
        if not isinstance(flowable, Paragraph) or not re.fullmatch(r"heading\d", flowable.style.name):
            return
        text = flowable.getPlainText()
        level = min(int(flowable.style.name[-1]) - 1, self.level + 1)
        self.chapter = self.chapter if level else text
        self.level = level
        key = f"h{self.page}-{self.frame._y:.0f}"
        self.canv.bookmarkPage(key, fit="XYZ", top=self.frame._y + flowable.height + 6)
        self.canv.addOutlineEntry(text, key, level)
        if self.front:
            self.notify("TOCEntry", (level, escape(text), self.page - self.front, key))

    def draw_cover(self, canvas: Canvas, _: BaseDocTemplate) -> None:
        canvas.setFillColor(HexColor(self.look.accent))
        canvas.rect(0, HEIGHT - 62 * mm, WIDTH, 62 * mm, stroke=0, fill=1)
        canvas.rect(0, 0, WIDTH, 6 * mm, stroke=0, fill=1)
        canvas.setFillColor(white)
        canvas.setFont(self.look.bold, 13)
        canvas.drawString(MARGIN, HEIGHT - 26 * mm, self.values["maker"])
        canvas.setFont(self.look.bold, 30)
        canvas.drawString(MARGIN, HEIGHT - 46 * mm, self.values["title"])

    def draw_running(self, canvas: Canvas, _: BaseDocTemplate) -> None:
        top = HEIGHT - 17 * mm
        canvas.setStrokeColor(LINE)
        canvas.line(MARGIN, top - 2 * mm, WIDTH - MARGIN, top - 2 * mm)
        canvas.setFillColor(GREY)
        canvas.setFont(self.look.bold, 8)
        canvas.drawString(MARGIN, top, f"{self.values['model']}  {self.values['kind']}")
        canvas.setFont(self.look.regular, 8)
        canvas.drawRightString(WIDTH - MARGIN, top, self.chapter)
        self.draw_footer(canvas, _)

    def draw_footer(self, canvas: Canvas, _: BaseDocTemplate) -> None:
        canvas.setStrokeColor(LINE)
        canvas.line(MARGIN, 17 * mm, WIDTH - MARGIN, 17 * mm)
        canvas.setFillColor(GREY)
        canvas.setFont(self.look.regular, 8)
        canvas.drawString(MARGIN, 13 * mm, self.values["footer"])
        manual = "document_number" in self.values
        canvas.drawRightString(WIDTH - MARGIN, 13 * mm, self.label(self.page) if manual else f"Page {self.page}")


def _flow(item: Item, values: Mapping[str, str], look: Look) -> list[Flowable]:
    match item.kind:
        case "break":
            return [PageBreak()]
        case "body":
            return [NextPageTemplate("body"), PageBreak()]
        case "cover":
            return _cover(values, look)
        case "toc":
            return _contents(item.text, look)
        case "table":
            return _captioned_table(item, look)
        case "notice":
            return [_notice(item.text, look)]
        case "sign":
            return [_signatures(item.text, look)]
        case "figure":
            caption = _paragraph(item.text, look.style("caption", fontSize=8.5, textColor=GREY, alignment=1))
            figure = drawing(values["model"], callouts=True)
            figure.hAlign = "CENTER"
            return [KeepTogether([Spacer(1, 8), figure, Spacer(1, 8), caption, Spacer(1, 8)])]
    return _prose(item, look)


def _prose(item: Item, look: Look) -> list[Flowable]:
    accent, size = HexColor(look.accent), look.size
    rise = 2.5 if look is CONTRACT else 6.5
    heads = {"fontName": look.bold, "textColor": accent, "keepWithNext": 1}
    styles: dict[str, dict[str, object]] = {
        "title": {"fontName": look.bold, "fontSize": 17, "leading": 22, "alignment": 1, "spaceAfter": 4},
        "subtitle": {"fontSize": size + 0.5, "leading": 16, "alignment": 1, "spaceAfter": 12},
        "heading1": heads | {"fontSize": size + rise, "leading": size + rise + 4, "spaceBefore": 18, "spaceAfter": 8},
        "heading2": heads | {"fontSize": size + 1.5, "leading": size + 6, "spaceBefore": 9, "spaceAfter": 4},
        "bullet": {"leftIndent": 14, "bulletIndent": 3, "spaceAfter": 3},
        "numbered": {"leftIndent": 30 if look is CONTRACT else 16, "spaceAfter": 4},
        "quote": {"leftIndent": 22, "rightIndent": 12, "spaceAfter": 6, "alignment": 0 if look.cjk else 4},
        "text": {"spaceAfter": 6, "alignment": 4 if look is CONTRACT else 0},
    }
    style = look.style(item.kind, **styles[item.kind])
    if item.kind == "numbered":
        style.bulletIndent = style.leftIndent - 16
        mark, _, rest = item.text.partition(" ")
        return [Paragraph(_inline(rest), style, bulletText=mark)]
    if item.kind == "bullet":
        return [Paragraph(_inline(item.text), style, bulletText="•")]
    lead = [CondPageBreak(45 * mm)] if item.kind == "heading1" else []
    return [*lead, _paragraph(item.text, style)]


def _inline(text: str) -> str:
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape(text))


def _paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(_inline(text), style)


def _cover(values: Mapping[str, str], look: Look) -> list[Flowable]:
    art = drawing(values["model"], callouts=False)
    art.scale(1.25, 1.25)
    art.width, art.height, art.hAlign = 412, 312, "CENTER"
    big = look.style("kind", fontName=look.bold, fontSize=20, leading=26, textColor=HexColor(look.accent))
    small = look.style("cover", fontSize=11, leading=17)
    lines = (values["document_number"], values["edition"], values["cover_note"])
    return [
        Spacer(1, 58 * mm),
        _paragraph(values["kind"], big),
        Spacer(1, 14 * mm),
        art,
        Spacer(1, 14 * mm),
        *(_paragraph(line, small) for line in lines),
        NextPageTemplate("front"),
        PageBreak(),
    ]


def _contents(title: str, look: Look) -> list[Flowable]:
    contents = TableOfContents(dotsMinLevel=0)
    contents.tableStyle = TableStyle(
        [
            ("TOPPADDING", (0, 0), (-1, -1), 1),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0.5),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ]
    )
    contents.levelStyles = [
        look.style("toc1", fontName=look.bold, spaceBefore=6, leading=14),
        look.style("toc2", leftIndent=14, leading=12.5),
    ]
    heading = look.style("contents", fontName=look.bold, fontSize=16, leading=24, textColor=HexColor(look.accent))
    return [_paragraph(title, heading), Spacer(1, 4), contents]


def _captioned_table(item: Item, look: Look) -> list[Flowable]:
    cell = look.style("cell", fontSize=look.size - 0.8, leading=(look.size - 0.8) * 1.3)
    head = look.style("head", fontName=look.bold, fontSize=cell.fontSize, leading=cell.leading, textColor=white)
    rows = [[_paragraph(text, head if not index else cell) for text in row] for index, row in enumerate(item.rows)]
    table = Table(rows, [TEXT_WIDTH * width / sum(item.widths) for width in item.widths], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), HexColor(look.accent)),
                ("ROWBACKGROUNDS", (0, 1), (-1, -1), [white, SHADE]),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
                ("BOX", (0, 0), (-1, -1), 0.6, GREY),
                ("LINEBELOW", (0, "splitlast"), (-1, "splitlast"), 0.6, GREY),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("TOPPADDING", (0, 0), (-1, -1), 3),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
            ]
        )
    )
    whole = len(rows) <= LONGEST_WHOLE_TABLE
    style = look.style("table-caption", fontName=look.bold, keepWithNext=int(whole), spaceBefore=6, spaceAfter=3)
    lead = [] if whole else [CondPageBreak(60 * mm)]
    return [*lead, _paragraph(item.text, style), table, Spacer(1, 10)]


def _notice(text: str, look: Look) -> Flowable:
    signal, body = re.split(r"[:：]\s*", text, maxsplit=1)
    colour = HexColor(SIGNALS[signal])
    label = _paragraph(signal, look.style("signal", fontName=look.bold, textColor=white, alignment=1))
    table = Table([[label, _paragraph(body, look.style("notice"))]], [24 * mm, TEXT_WIDTH - 24 * mm])
    table.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (0, 0), colour),
                ("BOX", (0, 0), (-1, -1), 0.8, colour),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("TOPPADDING", (0, 0), (-1, -1), 5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
            ]
        )
    )
    return KeepTogether([Spacer(1, 3), table, Spacer(1, 8)])


def _signatures(text: str, look: Look) -> Flowable:
    parties = [party.split(" ; ") for party in text.split(" | ")]
    names = [_paragraph(f"**{company}**", look.style("party")) for company, _ in parties]
    people = [_paragraph(person, look.style("person")) for _, person in parties]
    column, gap, line = TEXT_WIDTH / 2 - 15, 30, 36
    rows = [[names[0], "", names[1]], ["", "", ""], [people[0], "", people[1]]]
    table = Table(rows, [column, gap, column], [None, line, None])
    rules = [("LINEBELOW", (index, 1), (index, 1), 0.6, GREY) for index in (0, 2)]
    table.setStyle(TableStyle([*rules, ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
    return KeepTogether([Spacer(1, 16), table, Spacer(1, 16)])
