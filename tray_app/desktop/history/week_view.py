"""The picture of the last days: a row for each day, a bar for each token, a mark for each event.

Everything has a shape of its own, so that it can be recognised without colour: a token is an outlined bar, a gap in
trading hours a solid block, any other gap a dotted line, and each kind of event a mark of its own.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from tray_app.core.language import tr
from tray_app.desktop.history.marks import paint_mark, tone_of
from tray_app.desktop.history.week_layout import Piece, Spot, WeekLayout
from tray_app.desktop.theme.colours import Tones, edge_colour, window_tones
from tray_app.desktop.theme.dark_mode import is_high_contrast
from tray_app.history.events import TAKES
from tray_app.history.timeline import Gap, Lifespan, Week
from tray_app.history.words import day_text, gap_text, life_text, mark_text, week_text

if TYPE_CHECKING:
    from tray_app.history.timeline import Entry


_HOURS = (0, 4, 8, 12, 16, 20, 24)

_SMALLEST_ROW = 24
_SMALLEST_WIDTH = 300


class WeekView(QWidget):
    """Draw a `Week`. `pointed(str)` is the text under the mouse, `picked(Entry)` a click on a mark or a gap."""

    pointed = Signal(str)
    picked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("week")
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._week: Week | None = None
        self._highlighted: Entry | None = None
        self._layout: WeekLayout | None = None
        self.spots: tuple[Spot, ...] = ()
        """The areas with a tooltip: the boxes of tokens, gaps and events, and their texts."""
        self._tones = window_tones(self.palette())

    def show_week(self, week: Week | None) -> None:
        self._week = week
        self.setAccessibleDescription("" if week is None else week_text(week))
        self._rebuild_layout()

    def highlight(self, entry: Entry | None) -> None:
        """Highlight the mark of that event, or that gap."""
        self._highlighted = entry
        self.update()

    def set_tones(self, tones: Tones) -> None:
        self._tones = tones
        self.update()

    def text_at(self, position: QPointF) -> str:
        """Return the text for that position; empty where there is nothing."""
        spot = self._spot_at(position)
        return "" if spot is None else spot.text

    def text_about(self, event: Entry) -> str:
        """Return the tooltip of that event, and of the gap or token it belongs to."""
        if isinstance(event, Gap):
            return gap_text(event)
        lines = [mark_text(event)]
        if self._week is not None:
            gap = self._week.gap_at(event.at)
            life = self._week.life_at(event.at) if event.kind not in TAKES else self._week.life_until(event.at)
            if gap is not None:
                lines.append(gap_text(gap))
            elif life is not None:
                lines.append(life_text(life, origin=life.start != event.at).replace("\n", "  "))
        return "\n".join(lines)

    def sizeHint(self) -> QSize:
        return QSize(820, round(self.fontMetrics().height() * 2 + 7 * 44))

    def minimumSizeHint(self) -> QSize:
        return QSize(_SMALLEST_WIDTH, round(self.fontMetrics().height() + 8 + 7 * _SMALLEST_ROW))

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            spot = self._spot_at(QPointF(event.pos()))
            if spot is None:
                QToolTip.hideText()
            else:
                text = f"<p style='white-space: pre'>{escape(spot.text)}</p>"  # otherwise Qt guesses whether it is HTML
                QToolTip.showText(event.globalPos(), text, self, spot.box.toAlignedRect())
            return True
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange}:
            self._rebuild_layout()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._rebuild_layout()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointed.emit(self.text_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit("")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        spot = self._spot_at(event.position())
        if spot is not None and spot.entry is not None:
            self.picked.emit(spot.entry)

    def paintEvent(self, _: QPaintEvent) -> None:
        if self._layout is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        layout = self._layout
        self._paint_days(painter, layout)
        if not layout.week.lives and not layout.week.events:
            self._paint_nothing(painter, layout)
        for number, life in enumerate(layout.week.lives):
            self._paint_life(painter, layout, life, deeper=number % 2 == 1)
        for gap in layout.week.gaps:
            self._paint_gap(painter, layout, gap)
        self._paint_now(painter, layout)
        for event, box in layout.marks():
            if event == self._highlighted:
                self._paint_highlight(painter, box)
            paint_mark(painter, event.kind, box, self._tones.of(tone_of(event)))

    def _rebuild_layout(self) -> None:
        layout = None if self._week is None else WeekLayout(self._week, self.size(), QFontMetricsF(self.font()))
        self._layout = layout
        self.spots = () if layout is None else tuple(layout.spots())
        self.update()

    def _spot_at(self, position: QPointF) -> Spot | None:
        return next((spot for spot in self.spots if spot.box.contains(position)), None)

    def _text(self, share: float = 1.0) -> QColor:
        colour = self.palette().color(QPalette.ColorGroup.Active, QPalette.ColorRole.WindowText)
        colour.setAlphaF(colour.alphaF() * (1.0 if is_high_contrast() else share))
        return colour

    def _paint_days(self, painter: QPainter, layout: WeekLayout) -> None:
        """Paint the hours along the top, a row a day, and the trading hours as a background."""
        line = self._text(0.14)
        for number, day in enumerate(layout.week.days):
            box = layout.row_box(number)
            if day.session is not None:
                left, right = (layout.x(day, instant) for instant in day.session)
                band = QRectF(left, box.top() + 1, right - left, box.height() - 2)
                if is_high_contrast():
                    painter.setPen(QPen(self._text(), 1, Qt.PenStyle.DotLine))
                    painter.drawRect(band)
                else:
                    painter.fillRect(band, self._text(0.075))
                    painter.setPen(QPen(edge_colour(self.palette()), 1))
                    painter.drawLine(band.topLeft(), band.bottomLeft())
                    painter.drawLine(band.topRight(), band.bottomRight())
            today = number == len(layout.week.days) - 1
            font = QFont(self.font())
            font.setBold(today)
            painter.setFont(font)
            painter.setPen(self._text() if today else self._tones.quiet)
            name = QRectF(4, box.top(), layout.left - 12, box.height())
            painter.drawText(name, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, day_text(day.start))
        painter.setFont(self.font())
        bottom = layout.row_box(len(layout.week.days) - 1).bottom()
        for hour in _HOURS:
            x = layout.left + (layout.right - layout.left) * hour / 24
            painter.setPen(QPen(line, 1))
            painter.drawLine(QPointF(x, layout.top - 3), QPointF(x, layout.top if is_high_contrast() else bottom))
            painter.setPen(self._tones.quiet)
            label = QRectF(x - 30, 0, 60, layout.top - 5)
            painter.drawText(label, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, f"{hour:02}")

    def _paint_nothing(self, painter: QPainter, layout: WeekLayout) -> None:
        text = tr("Nothing has happened yet.\nThe next token will appear here.")
        painter.setPen(self._text())
        area = QRectF(layout.left, layout.top, layout.right - layout.left, self.height() - layout.top)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)

    def _paint_life(self, painter: QPainter, layout: WeekLayout, life: Lifespan, *, deeper: bool) -> None:
        """Paint one token. Neighbouring tokens differ in depth, and the future is dotted."""
        now = layout.week.now
        ground = QColor(self._tones.good)
        ground.setAlphaF(0.0 if is_high_contrast() else 0.42 if deeper else 0.28)
        for piece in layout.pieces(life.start, min(life.end, now), layout.bar):
            self._paint_bar(painter, piece, ground, Qt.PenStyle.SolidLine, ends=piece.last and life.end <= now)
        if life.end > now:
            for piece in layout.pieces(now, life.end, layout.bar):
                later = Piece(piece.box, first=False, last=piece.last)
                self._paint_bar(painter, later, QColor(0, 0, 0, 0), Qt.PenStyle.DotLine, ends=piece.last)

    def _paint_bar(self, painter: QPainter, piece: Piece, ground: QColor, style: Qt.PenStyle, *, ends: bool) -> None:
        """Paint a bar with round ends where the token begins or ends, open ends where the row does."""
        box = piece.box.adjusted(0.75 if piece.first else 0, 0.75, -0.75 if ends else 0, -0.75)
        round_by = min(4.0, box.width() / 2)
        path = QPainterPath()
        if ends:
            path.moveTo(box.left() + (round_by if piece.first else 0), box.top())
            path.lineTo(box.right() - round_by, box.top())
            path.quadTo(box.topRight(), QPointF(box.right(), box.top() + round_by))
            path.lineTo(box.right(), box.bottom() - round_by)
            path.quadTo(box.bottomRight(), QPointF(box.right() - round_by, box.bottom()))
        else:
            path.moveTo(box.left() + (round_by if piece.first else 0), box.top())
            path.lineTo(box.topRight())
            path.moveTo(box.bottomRight())
        if piece.first:
            path.lineTo(box.left() + round_by, box.bottom())
            path.quadTo(box.bottomLeft(), QPointF(box.left(), box.bottom() - round_by))
            path.lineTo(box.left(), box.top() + round_by)
            path.quadTo(box.topLeft(), QPointF(box.left() + round_by, box.top()))
        else:
            path.lineTo(box.bottomLeft())
        whole = QPainterPath()
        whole.addRoundedRect(box, round_by, round_by)
        if not piece.first:
            whole.addRect(box.adjusted(0, 0, -round_by, 0))
        if not ends:
            whole.addRect(box.adjusted(round_by, 0, 0, 0))
        whole.setFillRule(Qt.FillRule.WindingFill)
        painter.fillPath(whole, ground)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self._tones.good, 1.5, style))
        painter.drawPath(path)

    def _paint_gap(self, painter: QPainter, layout: WeekLayout, gap: Gap) -> None:
        for piece in layout.gap_pieces(gap):
            if gap.trading:
                painter.fillRect(piece.box, self._tones.of(tone_of(gap)))
                if gap == self._highlighted:
                    painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 2))
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.drawRoundedRect(piece.box.adjusted(-4, -4, 4, 4), 4, 4)
            else:
                painter.setPen(QPen(self._tones.bad, 2, Qt.PenStyle.DotLine))
                y = piece.box.center().y()
                painter.drawLine(QPointF(piece.box.left(), y), QPointF(piece.box.right(), y))

    def _paint_now(self, painter: QPainter, layout: WeekLayout) -> None:
        number = len(layout.week.days) - 1
        box, x = layout.row_box(number), layout.x(layout.week.days[number], layout.week.now)
        painter.setPen(QPen(self._text(), 1.5))
        painter.drawLine(QPointF(x, box.top() + 2), QPointF(x, box.bottom() - 1))

    def _paint_highlight(self, painter: QPainter, box: QRectF) -> None:
        around = box.adjusted(-4, -4, 4, 4)
        colour = self.palette().color(QPalette.ColorRole.Highlight)
        ground = QColor(colour)
        ground.setAlphaF(0.25)
        painter.setPen(QPen(colour, 2))
        painter.setBrush(ground)
        painter.drawEllipse(around)
