"""The mark of each kind of event, in the picture and in the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QIcon,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
)

from tray_app.desktop.theme.colours import Tone, Tones
from tray_app.history.events import Event, EventKind

if TYPE_CHECKING:
    from tray_app.history.timeline import Entry


_ICON_SIZES = (16, 24, 32, 48)

MARK_TONES = {
    EventKind.ISSUED: Tone.GOOD,
    EventKind.SAME: Tone.QUIET,
    EventKind.ADOPTED: Tone.GOOD,
    EventKind.STORED: Tone.GOOD,
    EventKind.SEEN: Tone.QUIET,
    EventKind.FAILED: Tone.BAD,
    EventKind.CLEARED: Tone.LOW,
    EventKind.REVOKED: Tone.LOW,
    EventKind.DIED: Tone.BAD,
    EventKind.GONE: Tone.LOW,
}


def kind_of(entry: Entry) -> EventKind | None:
    """Return the kind of an event, or None for a gap."""
    return entry.kind if isinstance(entry, Event) else None


def tone_of(entry: Entry) -> Tone:
    """Return the tone of a mark. A gap for a change of tokens, which took seconds, costs nothing."""
    if isinstance(entry, Event):
        return MARK_TONES[entry.kind]
    return Tone.QUIET if entry.is_change else Tone.BAD


def paint_mark(painter: QPainter, kind: EventKind | None, box: QRectF, colour: QColor) -> None:
    """Paint the mark of that kind of event into `box`; None stands for a gap in trading hours."""
    if kind is None:
        painter.fillRect(box.adjusted(box.width() * 0.27, -1, -box.width() * 0.27, 1), colour)
        return
    thickness = max(1.4, box.width() * 0.17)
    pen = QPen(colour, thickness, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    box = box.adjusted(thickness / 2, thickness / 2, -thickness / 2, -thickness / 2)
    left, right, top, bottom = box.left(), box.right(), box.top(), box.bottom()
    middle = box.center()
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if kind is EventKind.DIED:
        painter.drawLine(QPointF(middle.x(), top), QPointF(middle.x(), bottom))
        painter.drawLine(QPointF(left, middle.y()), QPointF(right, middle.y()))
        return
    if kind is EventKind.FAILED:
        painter.drawLine(box.topLeft(), box.bottomRight())
        painter.drawLine(box.topRight(), box.bottomLeft())
        return
    if kind is EventKind.SAME:
        for y in (top + box.height() * 0.28, bottom - box.height() * 0.28):
            painter.drawLine(QPointF(left, y), QPointF(right, y))
        return
    path = QPainterPath()
    if kind in {EventKind.ISSUED, EventKind.SEEN}:
        path.addEllipse(box)
    elif kind in {EventKind.ADOPTED, EventKind.STORED}:
        path.moveTo(left, top)
        path.lineTo(right, top)
        path.lineTo(middle.x(), bottom)
        path.closeSubpath()
    elif kind in {EventKind.CLEARED, EventKind.REVOKED}:
        path.moveTo(middle.x(), top)
        path.lineTo(right, middle.y())
        path.lineTo(middle.x(), bottom)
        path.lineTo(left, middle.y())
        path.closeSubpath()
    else:
        path.addRect(box)
    if kind in {EventKind.ISSUED, EventKind.STORED, EventKind.REVOKED}:
        painter.setBrush(colour)
    painter.drawPath(path)


def mark_icons(tones: Tones, selected: QColor) -> dict[tuple[EventKind | None, Tone], QIcon]:
    """Return the icon of each mark in the list, by kind and tone; `selected` is its colour in the selected row."""
    marks = (*MARK_TONES.items(), (None, Tone.BAD), (None, Tone.QUIET))
    return {(kind, tone): _mark_icon(kind, tones.of(tone), selected) for kind, tone in marks}


def _mark_icon(kind: EventKind | None, normal: QColor, selected: QColor) -> QIcon:
    icon = QIcon()
    for mode, colour in ((QIcon.Mode.Normal, normal), (QIcon.Mode.Selected, selected)):
        for size in _ICON_SIZES:
            pixmap = QPixmap(size, size)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            inset = size * 0.18
            paint_mark(painter, kind, QRectF(inset, inset, size - 2 * inset, size - 2 * inset), colour)
            painter.end()
            icon.addPixmap(pixmap, mode)
    return icon
