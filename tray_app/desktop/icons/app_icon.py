"""The program's own icon."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QIcon,
    QImage,
    QLinearGradient,
    QPainter,
    QPainterPath,
    QPixmap,
)

from tray_app.desktop.icons.shapes import life_arc, thin_ring, widened

APP_ICON_SIZES = (16, 20, 24, 32, 40, 48, 64, 128, 256)


@lru_cache(maxsize=1)
def app_icon() -> QIcon:
    """Return the program's own icon, for windows and task switchers."""
    icon = QIcon()
    for size in APP_ICON_SIZES:
        icon.addPixmap(QPixmap.fromImage(paint_app_icon(size)))
    return icon


def paint_app_icon(size: int) -> QImage:
    """Paint a nearly full ring and a keyhole on a dark tile."""
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    tile, *marks = app_icon_paths(size)
    ground = QLinearGradient(0, 0, 0, size)
    ground.setColorAt(0, QColor(APP_ICON_COLOURS[0]))
    ground.setColorAt(1, QColor(APP_ICON_COLOURS[1]))
    painter.fillPath(tile, ground)
    for path, colour in zip(marks, APP_ICON_COLOURS[2:], strict=True):
        painter.fillPath(path, QColor(colour))
    painter.end()
    return image


APP_ICON_COLOURS = ("#17545b", "#0b3138", "#3e7a7d", "#57e3c3", "#f4fbfa")
"""Top and bottom of the tile, elapsed ring, remaining ring, keyhole."""


def app_icon_paths(size: int) -> tuple[QPainterPath, QPainterPath, QPainterPath, QPainterPath]:
    """Return the paths of tile, elapsed ring, remaining ring and keyhole."""
    unit = size / 16
    tile = QPainterPath()
    tile.addRoundedRect(QRectF(0, 0, size, size), 3.6 * unit, 3.6 * unit)
    inset = max(2, int(2.3 * unit + 0.5))
    box = QRectF(inset, inset, size - 2 * inset, size - 2 * inset)
    thickness = max(2, int(2 * unit + 0.5))
    life = life_arc(box, thickness, 0.78)
    spent = thin_ring(box, thickness, thickness / 2).subtracted(widened(life, 0.8 * unit))
    middle = size / 2
    hole = QPainterPath()
    hole.addEllipse(QPointF(middle, middle - 0.8 * unit), 1.45 * unit, 1.45 * unit)
    leg = QPainterPath(QPointF(middle - 0.55 * unit, middle - 0.8 * unit))
    leg.lineTo(middle + 0.55 * unit, middle - 0.8 * unit)
    leg.lineTo(middle + 1.15 * unit, middle + 2.5 * unit)
    leg.lineTo(middle - 1.15 * unit, middle + 2.5 * unit)
    leg.closeSubpath()
    return tile, spent, life, hole.united(leg)
