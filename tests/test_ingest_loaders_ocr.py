"""Text recognised in images that are drawn here with fonts that come with the libraries."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
import reportlab
from PIL import Image, ImageDraw, ImageFont

from ingest.document import Block, Box, Ocr
from ingest.loaders.ocr import recognise, recognise_image

FONT = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
DOTS = 100 / 72
WIDTH, HEIGHT = 400.0, 300.0
LINES = (
    "Press HP-40 service manual",
    "The pump delivers oil to the manifold.",
    "Error E07: oil pressure below 12 bar.",
)


def page(*texts: str, left: float = 40, top: float = 60, image: Image.Image | None = None) -> Image.Image:
    """Lines of 12 points below each other on a page of 400x300 points at 100 dots an inch."""
    image = image or Image.new("RGB", (round(WIDTH * DOTS), round(HEIGHT * DOTS)), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(str(FONT), 12 * DOTS)
    for number, text in enumerate(texts):
        draw.text((left * DOTS, (top + 20 * number) * DOTS), text, fill="black", font=font)
    return image


def read(image: Image.Image, width: float = WIDTH, height: float = HEIGHT) -> tuple[tuple[Block, ...], Ocr]:
    found = recognise_image(image, width, height)
    assert found is not None
    return found


def printed(blocks: Sequence[Block]) -> list[str]:
    return [line.text for block in blocks for line in block.lines]


@cache
def upright() -> tuple[tuple[Block, ...], Ocr]:
    return read(page(*LINES))


def test_lines_are_read_with_their_words_and_the_confidence_of_their_characters() -> None:
    blocks, ocr = upright()

    assert printed(blocks) == list(LINES)
    assert 0.9 < ocr.confidence <= 1
    assert ocr.reason.endswith(".")


def test_boxes_are_in_points_around_the_ink() -> None:
    blocks, _ = upright()

    x0, y0, x1, y1 = blocks[0].lines[0].box or (0, 0, 0, 0)
    width = ImageFont.truetype(str(FONT), 120).getlength(LINES[0]) / 10
    assert (x0, x1) == (pytest.approx(40, abs=5), pytest.approx(40 + width, abs=5))
    assert 55 < y0 < 65
    assert 68 < y1 < 80


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_page_is_read_upright_with_boxes_where_it_is_displayed(turn: int) -> None:
    image = page(*LINES).rotate(-turn, expand=True)
    width, height = (HEIGHT, WIDTH) if turn % 180 else (WIDTH, HEIGHT)

    blocks, _ = read(image, width, height)

    def displayed(box: Box) -> Box:
        x0, y0, x1, y1 = box
        turned: dict[int, Box] = {
            90: (HEIGHT - y1, x0, HEIGHT - y0, x1),
            180: (WIDTH - x1, HEIGHT - y1, WIDTH - x0, HEIGHT - y0),
            270: (y0, WIDTH - x1, y1, WIDTH - x0),
        }
        return turned[turn]

    assert printed(blocks) == list(LINES)
    boxes = [line.box for block in blocks for line in block.lines]
    expected = [line.box for block in upright()[0] for line in block.lines]
    for box, straight in zip(boxes, expected, strict=True):
        assert box is not None
        assert straight is not None
        assert box == pytest.approx(displayed(straight), abs=6)


def test_a_page_askew_is_read_by_lines() -> None:
    image = page(*LINES).rotate(2, fillcolor="white", resample=Image.Resampling.BICUBIC)

    blocks, _ = read(image)

    assert printed(blocks) == list(LINES)
    assert recognise(image, WIDTH, HEIGHT).text.skew == pytest.approx(-2, abs=0.5)  # type: ignore[union-attr]


def test_two_columns_are_read_one_after_another() -> None:
    columns = [[f"{side} column line {number} of text" for number in range(5)] for side in ("Left", "Right")]

    blocks, _ = read(page(*columns[1], left=220, image=page(*columns[0], left=10)))

    assert printed(blocks) == [*columns[0], *columns[1]]


def test_cells_below_each_other_become_a_table() -> None:
    rows = [("Code", "Fault", "Remedy"), ("E05", "Oil low", "Fill up"), ("E07", "Oil hot", "Cool it")]
    image = None
    for place, cells in enumerate(zip(*rows, strict=True)):
        image = page(*cells, left=20 + 130 * place, image=image)
    assert image is not None

    blocks, _ = read(image)

    assert [block.kind for block in blocks] == ["table"]
    assert printed(blocks) == [f"| {' | '.join(row)} |" for row in rows]


@pytest.mark.parametrize("size", [(500, 400), (8, 8), (1, 2000), (20, 20_000)])
def test_an_image_without_text_gives_nothing(size: tuple[int, int]) -> None:
    assert recognise_image(Image.new("L", size, 255), 100, 100) is None
