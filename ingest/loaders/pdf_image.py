"""The picture of a PDF page, for OCR, drawn only when it is small enough. The caller holds pdfium's lock."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pypdfium2.raw as pdfium
from PIL import Image

from ingest.loaders.errors import UnreadableFileError

# Enough for print of 6 points; more is only slower.
POINTS_PER_PIXEL = 72 / 150
# Pages drawn to another scale, smaller or larger than paper, are seen at this many pixels along their longer side.
LEAST_PIXELS = 1_600
MOST_PIXELS = 5_000
# An A0 sheet scanned at 300 dots an inch has 140 million.
MAX_IMAGE_PIXELS = 200_000_000
MAX_OBJECTS = 20_000


def shows_something(page: Any) -> bool:
    """Whether an image or a drawing is on the page."""
    return any(_objects(page, pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_SHADING))


def covered_by_image(page: Any) -> float:
    """The largest part of the page, up to 1, that one image covers."""
    width, height = page.get_size()
    areas: list[float] = [0.0]
    for image in _objects(page, pdfium.FPDF_PAGEOBJ_IMAGE):
        left, bottom, right, top = image.get_bounds()
        areas.append((right - left) * (top - bottom))
    share: float = max(areas) / max(width * height, 1.0)
    return min(share, 1.0)


def picture(page: Any) -> Image.Image:
    """The page as it is displayed. Raises `UnreadableFileError` where an image on it is too large to be decoded."""
    for image in _objects(page, pdfium.FPDF_PAGEOBJ_IMAGE):
        width, height = image.get_px_size()
        if width * height > MAX_IMAGE_PIXELS:
            raise UnreadableFileError(
                f"An image on the page has {width}x{height} pixels; at most {MAX_IMAGE_PIXELS // 1_000_000} million "
                "are decoded."
            )
    longer = max(page.get_size())
    pixels = min(max(longer / POINTS_PER_PIXEL, LEAST_PIXELS), MOST_PIXELS)
    drawn: Image.Image = page.render(scale=pixels / longer).to_pil().convert("RGB")
    return drawn


def _objects(page: Any, *kinds: int) -> Iterator[Any]:
    return islice(page.get_objects(filter=kinds), MAX_OBJECTS)
