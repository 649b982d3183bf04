"""Items to DOCX: headings, clauses, tables and explicit page breaks, with a page number in the footer."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from sources.markup import Item

INK = RGBColor(0x1F, 0x29, 0x33)
STYLES = {"title": "Title", "heading1": "Heading 1", "heading2": "Heading 2", "quote": "Quote"}


def write_docx(path: Path, items: Sequence[Item], values: Mapping[str, str]) -> None:
    """Write the items as a Word document; the same items give the same bytes."""
    document = Document()
    _set_up(document, values)
    for item in items:
        _add(document, item)
    packed = BytesIO()
    document.save(packed)
    path.write_bytes(_without_times(packed))


def _set_up(document: Any, values: Mapping[str, str]) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.5)
    section.top_margin = section.bottom_margin = Cm(2.2)
    for name, size, before, after in (
        ("Normal", 11, 0, 6),
        ("Title", 18, 24, 6),
        ("Heading 1", 14, 12, 6),
        ("Heading 2", 12, 12, 4),
    ):
        style = document.styles[name]
        style.font.name, style.font.size, style.font.color.rgb = values["font"], Pt(size), INK
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for key in [key for key in fonts.attrib if key.endswith("Theme")]:
            del fonts.attrib[key]
        fonts.set(qn("w:eastAsia"), values["font"])
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)
    language = OxmlElement("w:lang")
    language.set(qn("w:eastAsia"), "zh-CN")
    document.styles["Normal"].element.rPr.append(language)
    document.styles["Normal"].paragraph_format.line_spacing = 1.15
    core = document.core_properties
    core.title, core.author, core.language = values["pdf_title"], values["maker"], values["lang"]
    core.created = core.modified = datetime.fromisoformat(values["date"])
    _footer(section.footer.paragraphs[0], values["footer"])


def _footer(paragraph: Any, text: str) -> None:
    paragraph.style.font.size = Pt(8)
    paragraph.style.paragraph_format.tab_stops.clear_all()
    paragraph.paragraph_format.tab_stops.add_tab_stop(Cm(16), WD_TAB_ALIGNMENT.RIGHT)
    paragraph.add_run(f"{text}\t")
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    paragraph._p.append(field)


def _add(document: Any, item: Item) -> None:
    if item.kind == "break":
        document.add_page_break()
    elif item.kind == "table":
        _table(document, item)
    elif item.kind == "sign":
        _signatures(document, item.text)
    else:
        paragraph = document.add_paragraph(style=STYLES.get(item.kind, "Normal"))
        for index, text in enumerate(re.split(r"\*\*", item.text)):
            paragraph.add_run(text).bold = True if index % 2 or item.kind == "subtitle" else None
        if item.kind in ("title", "subtitle"):
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        if item.kind == "numbered":
            paragraph.paragraph_format.left_indent = Cm(1)


def _table(document: Any, item: Item) -> None:
    caption = document.add_paragraph()
    caption.add_run(item.text).bold = True
    caption.paragraph_format.keep_with_next = True
    caption.paragraph_format.space_before = Pt(8)
    table = document.add_table(rows=0, cols=len(item.widths), style="Table Grid")
    table.autofit = False
    for column, width in zip(table.columns, item.widths, strict=True):
        column.width = Cm(16 * width / sum(item.widths))
    for index, row in enumerate(item.rows):
        for cell, text, width in zip(table.add_row().cells, row, item.widths, strict=True):
            cell.width = Cm(16 * width / sum(item.widths))
            run = cell.paragraphs[0].add_run(text)
            run.bold, run.font.size = index == 0, Pt(9.5)
            cell.paragraphs[0].paragraph_format.space_after = Pt(3)
            cell.paragraphs[0].paragraph_format.space_before = Pt(3)
            if index == 0:
                _shade(cell)
    document.add_paragraph().paragraph_format.space_after = Pt(0)


def _shade(cell: Any) -> None:
    shade = OxmlElement("w:shd")
    shade.set(qn("w:val"), "clear")
    shade.set(qn("w:fill"), "E4E9EE")
    cell._tc.get_or_add_tcPr().append(shade)


def _signatures(document: Any, text: str) -> None:
    table = document.add_table(rows=1, cols=2)
    for cell, party in zip(table.rows[0].cells, text.split(" | "), strict=True):
        company, _, person = party.partition(" ; ")
        cell.paragraphs[0].add_run(company).bold = True
        cell.paragraphs[0].paragraph_format.space_before = Pt(18)
        cell.add_paragraph("____________________________").paragraph_format.space_before = Pt(30)
        cell.add_paragraph(person)


def _without_times(packed: BytesIO) -> bytes:
    """The same archive with every member dated 1980, so that rebuilding gives the same bytes."""
    fixed = BytesIO()
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            target.writestr(member, source.read(name), zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
