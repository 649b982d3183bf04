"""Line drawings for the manuals, made of plain shapes so that they stay sharp and small."""

from __future__ import annotations

from reportlab.graphics.shapes import Circle, Drawing, Group, Line, Rect, String
from reportlab.lib.colors import Color, HexColor, white

INK = HexColor("#1f2933")
STEEL = HexColor("#d5dde5")
DARK = HexColor("#8fa1b3")


def drawing(model: str, callouts: bool) -> Drawing:
    """The front view of a machine, 330 x 250 points; with `callouts` its parts are numbered."""
    return compressor() if model.startswith("KT") else press(callouts)


def press(callouts: bool) -> Drawing:
    """A four-column press with its hydraulic unit beside it."""
    sheet = Drawing(330, 250)
    parts = [
        (60, 10, 30, 12, DARK),
        (170, 10, 30, 12, DARK),
        (50, 22, 160, 48, STEEL),
        (66, 70, 12, 110, white),
        (182, 70, 12, 110, white),
        (58, 70, 144, 8, DARK),
        (60, 120, 140, 26, STEEL),
        (122, 146, 16, 34, white),
        (50, 180, 160, 30, STEEL),
        (106, 210, 48, 32, DARK),
        (240, 22, 74, 62, STEEL),
        (252, 84, 30, 34, DARK),
        (288, 84, 16, 22, white),
    ]
    for x, y, width, height, fill in parts:
        sheet.add(_box(x, y, width, height, fill))
    sheet.add(Line(40, 10, 320, 10, strokeColor=INK, strokeWidth=1.2))
    sheet.add(Line(296, 106, 296, 226, strokeColor=INK, strokeWidth=0.9))
    sheet.add(Line(154, 226, 296, 226, strokeColor=INK, strokeWidth=0.9))
    if callouts:
        marks = ((130, 226, 1), (100, 133, 2), (188, 160, 3), (76, 46, 4), (277, 53, 5))
        for x, y, number in marks:
            sheet.add(_callout(x, y, number))
        sheet.add(_dimension_a())
        sheet.add(_dimension_b())
        sheet.add(_dimension_c())
    return sheet


def compressor() -> Drawing:
    """A compressor cabinet with its panel, its air inlet and its outlet."""
    sheet = Drawing(330, 250)
    sheet.add(_box(60, 20, 210, 190, STEEL))
    sheet.add(_box(60, 20, 210, 14, DARK))
    for x in (84, 204):
        sheet.add(_box(x, 8, 44, 12, white))
    sheet.add(Line(165, 34, 165, 210, strokeColor=INK, strokeWidth=0.8))
    sheet.add(_box(186, 140, 62, 46, white))
    sheet.add(_box(194, 158, 46, 20, DARK))
    for x, fill in ((200, HexColor("#3f9142")), (217, HexColor("#ba2525")), (234, HexColor("#f0b429"))):
        sheet.add(Circle(x, 149, 4, fillColor=fill, strokeColor=INK, strokeWidth=0.6))
    for row in range(9):
        sheet.add(Line(80, 60 + 7 * row, 146, 60 + 7 * row, strokeColor=INK, strokeWidth=0.8))
    sheet.add(_box(92, 210, 58, 18, DARK))
    sheet.add(_box(270, 84, 26, 12, white))
    sheet.add(_box(296, 80, 6, 20, DARK))
    sheet.add(Line(40, 8, 310, 8, strokeColor=INK, strokeWidth=1.2))
    return sheet


def _box(x: float, y: float, width: float, height: float, fill: Color) -> Rect:
    return Rect(x, y, width, height, fillColor=fill, strokeColor=INK, strokeWidth=0.9)


def _callout(x: float, y: float, number: int) -> Group:
    return Group(
        Circle(x, y, 7, fillColor=white, strokeColor=INK, strokeWidth=0.8),
        _text(x, y - 3, str(number)),
    )


def _text(x: float, y: float, text: str) -> String:
    return String(x, y, text, fontName="Helvetica", fontSize=8, textAnchor="middle", fillColor=INK)


def _rule(x0: float, y0: float, x1: float, y1: float) -> Line:
    return Line(x0, y0, x1, y1, strokeColor=INK, strokeWidth=0.5)


def _dimension_a() -> Group:
    return Group(_rule(50, 0, 50, 8), _rule(210, 0, 210, 8), _rule(50, 3, 210, 3), _text(220, 0, "A"))


def _dimension_b() -> Group:
    return Group(_rule(24, 242, 104, 242), _rule(24, 10, 40, 10), _rule(28, 10, 28, 242), _text(20, 124, "B"))


def _dimension_c() -> Group:
    return Group(_rule(34, 70, 56, 70), _rule(38, 10, 38, 70), _text(45, 38, "C"))
