"""Shapes that the icons are made of."""

from __future__ import annotations

from PySide6 import QtCore  # `Qt` itself, with all its enumerations, only once the icon is there
from PySide6.QtCore import QRectF
from PySide6.QtGui import (
    QPainterPath,
    QPainterPathStroker,
)

_TOP = 90.0


def ring(box: QRectF, thickness: float, start: float, span: float) -> QPainterPath:
    """Return a segment of a ring that fills `box`, in Qt's degrees: 90 is the top, positive is counter-clockwise."""
    path = QPainterPath()
    inner = box.adjusted(thickness, thickness, -thickness, -thickness)
    if abs(span) >= 360:
        path.addEllipse(box)
        hole = QPainterPath()
        hole.addEllipse(inner)
        return path.subtracted(hole)
    path.arcMoveTo(box, start)
    path.arcTo(box, start, span)
    path.arcTo(inner, start + span, -span)
    path.closeSubpath()
    return path


def life_arc(box: QRectF, thickness: float, fraction: float) -> QPainterPath:
    """Return the remaining part of the ring, whose gap starts at the top and grows clockwise."""
    return ring(box, thickness, _TOP, 360.0 * fraction)


def thin_ring(box: QRectF, thickness: float, width: float) -> QPainterPath:
    """Return a ring of `width`, centred within one of `thickness`."""
    inset = (thickness - width) / 2
    return ring(box.adjusted(inset, inset, -inset, -inset), width, 0, 360)


def dotted_ring(box: QRectF, thickness: float, dots: int) -> QPainterPath:
    path = QPainterPath()
    step = 360.0 / dots
    for number in range(dots):
        path.addPath(ring(box, thickness, _TOP + step * (number - 0.29), step * 0.58))
    return path


def hourglass(box: QRectF, bar: float) -> QPainterPath:
    """Return an hourglass: two triangles that meet in the middle, between bars of this height."""
    path = QPainterPath()
    path.setFillRule(QtCore.Qt.FillRule.WindingFill)
    inside = box.adjusted(bar / 2, bar, -bar / 2, -bar)
    for edge, rim in ((inside.top(), box.top()), (inside.bottom(), box.bottom() - bar)):
        path.addRect(QRectF(box.left(), rim, box.width(), bar))
        path.moveTo(inside.left(), edge)
        path.lineTo(inside.right(), edge)
        path.lineTo(inside.center().x() + bar / 2, box.center().y())
        path.lineTo(inside.center().x() - bar / 2, box.center().y())
        path.closeSubpath()
    return path


def rectangle(box: QRectF) -> QPainterPath:
    path = QPainterPath()
    path.addRect(box)
    return path


_DIGITS = ("755557", "262227", "717447", "717117", "557111", "747117", "747757", "711111", "757757", "757117")
"""Each digit row by row, three pixels wide: 4, 2 and 1 stand for the left, the middle and the right one."""

DIGIT_COLUMNS, DIGIT_ROWS = 3, 6


def digit(value: int, left: float, top: float, cell: float) -> QPainterPath:
    """Return a digit of squares that are `cell` wide: legible where a font would be a blur."""
    path = QPainterPath()
    path.setFillRule(QtCore.Qt.FillRule.WindingFill)
    for row, bits in enumerate(_DIGITS[value]):
        for column in range(DIGIT_COLUMNS):
            if int(bits) & (4 >> column):
                path.addRect(QRectF(left + column * cell, top + row * cell, cell, cell))
    return path.simplified()


def widened(path: QPainterPath, width: float) -> QPainterPath:
    return outline(path, width).united(path)


def outline(path: QPainterPath, width: float) -> QPainterPath:
    stroker = QPainterPathStroker()
    stroker.setWidth(width)
    stroker.setJoinStyle(QtCore.Qt.PenJoinStyle.RoundJoin)
    return stroker.createStroke(path)
