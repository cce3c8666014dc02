"""The legend: what the marks mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from tray_app.core.language import msg, tr
from tray_app.desktop.history.marks import MARK_TONES, paint_mark
from tray_app.desktop.theme.colours import Tone, Tones, window_tones
from tray_app.history.events import EventKind
from tray_app.history.timeline import Week

if TYPE_CHECKING:
    from collections.abc import Iterator


class Legend(QWidget):
    """Explain the marks that occur in the picture."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("legend")
        self._week: Week | None = None
        self._tones = window_tones(self.palette())
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_week(self, week: Week | None) -> None:
        self._week = week
        self.setAccessibleName(", ".join(text for _, text in self._items()))
        self.updateGeometry()
        self.update()

    def set_tones(self, tones: Tones) -> None:
        self._tones = tones
        self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        rows = {round(box.top()) for _, _, box in self._places(width)}
        return max(1, len(rows)) * round(self._line())

    def sizeHint(self) -> QSize:
        return QSize(400, self.heightForWidth(max(400, self.width())))

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for what, text, box in self._places(self.width()):
            side = self._mark()
            glyph = QRectF(box.left(), box.center().y() - side / 2, side, side)
            if what != _OTHER_GAP:
                kind = what if isinstance(what, EventKind) else None
                paint_mark(painter, kind, glyph, self._tones.of(MARK_TONES[kind] if kind else Tone.BAD))
            else:
                painter.setPen(QPen(self._tones.bad, 2, Qt.PenStyle.DotLine))
                painter.drawLine(QPointF(glyph.left(), box.center().y()), QPointF(glyph.right(), box.center().y()))
            painter.setPen(self._tones.quiet)
            words = box.adjusted(side + 5, 0, 0, 0)
            painter.drawText(words, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _items(self) -> list[tuple[EventKind | str, str]]:
        if self._week is None:
            return []
        there = {event.kind for event in self._week.events}
        items: list[tuple[EventKind | str, str]] = [(kind, tr(_SHORT[kind])) for kind in EventKind if kind in there]
        if any(gap.trading and not gap.is_change for gap in self._week.gaps):
            items.append((_TRADING_GAP, tr("Gap in trading hours")))
        if any(not gap.trading for gap in self._week.gaps):
            items.append((_OTHER_GAP, tr("Other gap")))
        return items

    def _places(self, width: float) -> Iterator[tuple[EventKind | str, str, QRectF]]:
        metrics = QFontMetricsF(self.font())
        x = y = 0.0
        for what, text in self._items():
            wide = self._mark() + 5 + metrics.horizontalAdvance(text) + 4
            if x > 0 and x + wide > width:
                x, y = 0.0, y + self._line()
            yield what, text, QRectF(x, y, wide, self._line())
            x += wide + 14

    def _mark(self) -> float:
        return max(9.0, QFontMetricsF(self.font()).height() * 0.62)

    def _line(self) -> float:
        return QFontMetricsF(self.font()).height() + 5


_TRADING_GAP, _OTHER_GAP = "trading gap", "other gap"


_SHORT = {
    EventKind.ISSUED: msg("Issued"),
    EventKind.SAME: msg("Same token"),
    EventKind.ADOPTED: msg("From another tool"),
    EventKind.STORED: msg("Stored"),
    EventKind.SEEN: msg("Found"),
    EventKind.FAILED: msg("Failed"),
    EventKind.CLEARED: msg("Removed"),
    EventKind.REVOKED: msg("Revoked"),
    EventKind.DIED: msg("Stopped working"),
    EventKind.GONE: msg("Missing"),
}
"""Each kind of event in one or two words."""
