"""Presentations, from files that python-pptx writes here."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pptx
import pytest
from pptx.util import Inches

from ingest.config import ReadingConfig
from ingest.document import Document
from ingest.loaders.errors import UnreadableFileError
from ingest.loaders.reading import Reading
from ingest.loaders.slides import load_pptx

TITLE_ONLY = 5


def add_slide(presentation: Any, title: str) -> Any:
    slide = presentation.slides.add_slide(presentation.slide_layouts[TITLE_ONLY])
    slide.shapes.title.text = title
    return slide


def add_text(shapes: Any, text: str, left: float, top: float) -> None:
    box = shapes.add_textbox(Inches(left), Inches(top), Inches(2), Inches(0.5))
    box.text_frame.text = text


def outline(document: Document) -> list[list[tuple[str, str]]]:
    return [[(block.kind, block.text) for block in page.blocks] for page in document.pages]


@pytest.fixture
def read(tmp_path: Path) -> Callable[[Any], Document]:
    def _read(presentation: Any) -> Document:
        presentation.save(str(tmp_path / "a.pptx"))
        return load_pptx(tmp_path / "a.pptx")

    return _read


def test_a_slide_is_a_page_with_its_shapes_from_top_to_bottom(read: Callable[[Any], Document]) -> None:
    presentation = pptx.Presentation()
    slide = add_slide(presentation, "Oil change")
    add_text(slide.shapes, "Refill.", 1, 5)
    add_text(slide.shapes, "right", 5, 3.05)
    add_text(slide.shapes, "left", 1, 3.1)
    add_text(slide.shapes.add_group_shape().shapes, "Drain.\nWait.", 1, 2)
    slide.notes_slide.notes_text_frame.text = "Say this.\nAnd that."
    add_slide(presentation, "Filter")

    document = read(presentation)

    assert document.title == "Oil change"
    assert [page.label for page in document.pages] == ["1", "2"]
    assert (document.pages[0].width, document.pages[0].height) == (720.0, 540.0)
    assert outline(document) == [
        [
            ("heading", "Oil change"),
            ("text", "Drain."),
            ("text", "Wait."),
            ("text", "left"),
            ("text", "right"),
            ("text", "Refill."),
            ("text", "Notes: Say this."),
            ("text", "And that."),
        ],
        [("heading", "Filter")],
    ]


def test_a_table_keeps_merged_cells_in_their_columns(read: Callable[[Any], Document]) -> None:
    presentation = pptx.Presentation()
    table = add_slide(presentation, "Codes").shapes.add_table(2, 3, 0, 0, Inches(6), Inches(2)).table
    for row, texts in enumerate((("Code", "", "Cause"), ("E07", "E08", "oil"))):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    table.cell(0, 0).merge(table.cell(0, 1))

    assert outline(read(presentation))[0][1] == ("table", "| Code |  | Cause |\n| E07 | E08 | oil |")


def test_labels_count_from_the_number_that_the_file_gives(read: Callable[[Any], Document]) -> None:
    presentation = pptx.Presentation()
    presentation.element.set("firstSlideNum", "7")
    add_slide(presentation, "Oil")

    assert read(presentation).pages[0].label == "7"


def test_a_slide_to_be_skipped_is_announced_and_left_empty(tmp_path: Path) -> None:
    presentation = pptx.Presentation()
    for title in ("One", "Two"):
        add_slide(presentation, title)
    presentation.save(str(tmp_path / "a.pptx"))
    announced: list[tuple[int, int]] = []
    reading = Reading(ReadingConfig(), lambda page, pages: announced.append((page, pages)), {1: "It took too long."})

    pages = load_pptx(tmp_path / "a.pptx", reading).pages

    assert announced == [(1, 2), (2, 2)]
    assert [page.problem for page in pages] == ["It took too long.", ""]
    assert [len(page.blocks) for page in pages] == [0, 1]


@pytest.mark.parametrize("part", ["ppt/presentation.xml", "ppt/slides/slide1.xml"])
@pytest.mark.parametrize("content", [b"<broken", b"<p/>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_a_damaged_part_is_a_sentence(part: str, content: bytes, tmp_path: Path) -> None:
    presentation = pptx.Presentation()
    add_slide(presentation, "Oil")
    presentation.save(str(tmp_path / "whole.pptx"))
    with (
        zipfile.ZipFile(tmp_path / "whole.pptx") as whole,
        zipfile.ZipFile(tmp_path / "a.pptx", "w") as damaged,
    ):
        for name in whole.namelist():
            damaged.writestr(name, content if name == part else whole.read(name))

    with pytest.raises(UnreadableFileError, match="PowerPoint"):
        load_pptx(tmp_path / "a.pptx")
