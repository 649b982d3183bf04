"""Text recognised in images: Chinese and English, pages that lie on their side or upside down, scans askew.

The models come inside the package `rapidocr`; nothing is downloaded.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import rapidocr
from numpy.typing import NDArray
from PIL import Image

from ingest.document import Block, Ocr
from ingest.loaders.layout import Style, displayed_blocks
from ingest.loaders.reading_order import in_reading_order
from ingest.loaders.runs import PageText, Point, Run, turned_box

# Finding lines needs fewer pixels than reading them.
DETECTION_PIXELS = 1280
# What is smaller shows no text.
LEAST_PIXELS = 16
# Lines below this confidence are no text: dirt, handwriting, pictures.
LEAST_CONFIDENCE = 0.5
# So many of the longest lines tell whether the page stands upside down. Upright ones are read at 0.98, others at 0.76
# at best.
SAMPLE_LINES = 3
SURE = 0.9
# A line is upright when its box is so many times as tall as wide: most of these, and the page lies on its side.
TALL = 1.5
# Lines of at least so many times their height tell how far a scan lies askew.
LONG = 5.0
# The height of a box depends on the letters in it: only what is so much taller is set in a larger font.
HEADING_HEIGHT = 1.4

_LOCK = threading.Lock()

Picture = NDArray[np.uint8]
Corners = NDArray[np.float32]
"""Four points (x, y) around a line in pixels: top left, top right, bottom right, bottom left."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What was read on an image; `confidence` is 0 to 1, the mean over its characters."""

    text: PageText
    confidence: float


@dataclass(frozen=True, slots=True)
class _Line:
    """A line as it was read in the picture turned upright."""

    text: str
    confidence: float
    corners: Corners

    @property
    def length(self) -> float:
        return math.dist(self.corners[0], self.corners[1])

    @property
    def height(self) -> float:
        return math.dist(self.corners[0], self.corners[3])

    @property
    def slope(self) -> float:
        """How far the line falls to the right, in degrees."""
        (x0, y0), (x1, y1) = self.corners[0], self.corners[1]
        return math.degrees(math.atan2(y1 - y0, x1 - x0))


def recognise_image(image: Image.Image, width: float, height: float) -> tuple[tuple[Block, ...], Ocr] | None:
    """The text in an image that is shown `width` x `height` points large, with boxes there; None without text."""
    found = recognise(image, width, height)
    if found is None:
        return None
    blocks = displayed_blocks(found.text, found.text.runs, Style.of(found.text.runs, {}))
    return blocks, Ocr(found.confidence, "The text stands in an image.")


def recognise(image: Image.Image, width: float, height: float) -> Recognised | None:
    """The text in an image that is shown `width` x `height` points large; None without text."""
    if min(image.size) < LEAST_PIXELS:
        return None
    upright = np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])
    with _LOCK:
        turn, lines = _read_upright(upright)
    if not lines:
        return None
    size = (height, width) if turn % 180 else (width, height)
    pixels = (image.height, image.width) if turn % 180 else (image.width, image.height)
    characters = [len(line.text) for line in lines]
    confidence = float(np.average([line.confidence for line in lines], weights=characters))
    skew = median([line.slope for line in lines if line.length > LONG * line.height] or [0.0])
    runs = _runs(lines, size, (size[0] / pixels[0], size[1] / pixels[1]), skew)
    return Recognised(PageText(*size, turn, in_reading_order(runs), [], skew), confidence)


def _read_upright(picture: Picture) -> tuple[int, list[_Line]]:
    """The lines of the picture when its text stands upright, and by how many degrees clockwise it was turned from
    there."""
    turn = 0
    boxes = _find_lines(picture)
    if 2 * sum(_is_tall(box) for box in boxes) > len(boxes):
        turn, picture = 270, _turned_clockwise(picture)
        boxes = _find_lines(picture)
    sample = sorted(boxes, key=lambda box: math.dist(box[0], box[1]))[-SAMPLE_LINES:]
    cuttings = [_cut_out(picture, box) for box in sample]
    sureness = _sureness(cuttings)
    if sureness < SURE and sureness < _sureness([_upside_down(cutting) for cutting in cuttings]):
        turn, picture = (turn + 180) % 360, _upside_down(picture)
        boxes = _find_lines(picture)
    read = (_Line(*_read_line(_cut_out(picture, box)), box) for box in boxes)
    return turn, [line for line in read if line.text and line.confidence >= LEAST_CONFIDENCE]


def _sureness(cuttings: Sequence[Picture]) -> float:
    return median(_read_line(cutting)[1] for cutting in cuttings) if cuttings else 0.0


def _upside_down(picture: Picture) -> Picture:
    return np.ascontiguousarray(picture[::-1, ::-1])


def _is_tall(box: Corners) -> bool:
    return math.dist(box[0], box[3]) > TALL * math.dist(box[0], box[1])


def _turned_clockwise(picture: Picture) -> Picture:
    return np.ascontiguousarray(np.rot90(picture, -1))


def _find_lines(picture: Picture) -> list[Corners]:
    found = _engine()(picture, use_det=True, use_cls=False, use_rec=False).boxes
    return [] if found is None else [np.asarray(box, np.float32) for box in found]


def _cut_out(picture: Picture, box: Corners) -> Picture:
    cutting: Picture = _engine().crop_text_regions(picture, [box])[0]
    return cutting


def _read_line(cutting: Picture) -> tuple[str, float]:
    """The text of a cut out line and the mean confidence of its characters."""
    found = _engine()(cutting, use_det=False, use_cls=False, use_rec=True)
    return found.txts[0].strip(), float(found.scores[0])


@cache
def _engine() -> Any:
    models = Path(rapidocr.__file__).parent / "models"
    return rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_preprocess_img": False,
            # Named by their paths, models are never looked up on the network.
            "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),
            "Rec.model_path": str(models / "PP-OCRv6_rec_small.onnx"),
            "Det.limit_type": "max",
            "Det.limit_side_len": DETECTION_PIXELS,
            # Files are read side by side in processes: a second thread in each would only wait for the first.
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            # A fifth faster, for 150 MB.
            "EngineConfig.onnxruntime.enable_cpu_mem_arena": True,
        }
    )


def _runs(lines: Sequence[_Line], size: tuple[float, float], scale: Point, skew: float) -> list[Run]:
    """The lines as runs on a page of `size` points, straightened; `scale` is points a pixel."""
    heights = [line.height * scale[1] for line in lines]
    usual = median(height for line, height in zip(lines, heights, strict=True) for _ in line.text)
    runs = []
    for line, height in zip(lines, heights, strict=True):
        points = [(float(x) * scale[0], float(y) * scale[1]) for x, y in line.corners]
        font = height if height > HEADING_HEIGHT * usual else usual
        runs.append(Run(line.text, turned_box(points, -skew, size), font, False, 0))
    return runs
