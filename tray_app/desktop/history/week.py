"""The picture of the last days: a row for each day, a bar for each token, a mark for each thing that happened.

What has a meaning has a shape of its own, so that it can be told without colour: a token is an outlined bar, a gap in
the trading hours a solid block, one outside of them a dotted line, and each kind of event a mark of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QIcon,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPalette,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from tray_app.desktop.look.theme import Tone, Tones, is_high_contrast, window_tones
from tray_app.history.events import TAKES, Event, EventKind
from tray_app.history.timeline import Day, Gap, Life, Week
from tray_app.history.words import day_text, gap_text, life_text, mark_text, week_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tray_app.history.timeline import Entry

translate = QCoreApplication.translate

_HOURS = (0, 4, 8, 12, 16, 20, 24)
_SMALLEST_ROW = 24
_ICON_SIZES = (16, 24, 32, 48)
_SMALLEST_GAP = 3.0
"""Pixels: a gap of a minute is seen all the same."""

TONES = {
    EventKind.ISSUED: Tone.GOOD,
    EventKind.SAME: Tone.QUIET,
    EventKind.ADOPTED: Tone.GOOD,
    EventKind.STORED: Tone.GOOD,
    EventKind.SEEN: Tone.QUIET,
    EventKind.FAILED: Tone.BAD,
    EventKind.CLEARED: Tone.LOW,
    EventKind.REVOKED: Tone.LOW,
    EventKind.GONE: Tone.LOW,
}


def kind_of(entry: Entry) -> EventKind | None:
    """None for a gap."""
    return entry.kind if isinstance(entry, Event) else None


def tone_of(kind: EventKind | None) -> Tone:
    return Tone.BAD if kind is None else TONES[kind]


def paint_mark(painter: QPainter, kind: EventKind | None, box: QRectF, colour: QColor) -> None:
    """The mark of that kind of event, filling `box`; None stands for a gap in the trading hours."""
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


def mark_icon(kind: EventKind | None, tones: Tones, selected: QColor) -> QIcon:
    """The same mark for a list; `selected` is its colour in a row that is."""
    icon = QIcon()
    for mode, colour in ((QIcon.Mode.Normal, tones.of(tone_of(kind))), (QIcon.Mode.Selected, selected)):
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


@dataclass(frozen=True, slots=True)
class _Spot:
    """A place that can be pointed at."""

    box: QRectF
    text: str
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    """The part of a span that lies in one row; `first` and `last` tell whether the span begins and ends there."""

    box: QRectF
    first: bool
    last: bool


class _Plan:
    """Where everything stands in a picture of this size."""

    def __init__(self, week: Week, size: QSize, metrics: QFontMetricsF) -> None:
        self.week = week
        self.mark = max(9.0, metrics.height() * 0.62)
        self.top = metrics.height() + 8
        self.left = max(metrics.horizontalAdvance(day_text(day.start)) for day in week.days) * 1.08 + 16
        self.right = size.width() - metrics.horizontalAdvance("24") / 2 - 6
        self.row = (size.height() - self.top) / len(week.days)
        self.bar = min(16.0, max(8.0, self.row * 0.3))

    def x(self, day: Day, instant: float) -> float:
        return self.left + (self.right - self.left) * (instant - day.start) / (day.end - day.start)

    def row_box(self, number: int) -> QRectF:
        return QRectF(self.left, self.top + number * self.row, self.right - self.left, self.row)

    def lane(self, number: int) -> float:
        """The middle of the bars of that row."""
        return self.top + number * self.row + max(self.row * 0.68, self.mark + 3 + self.bar / 2)

    def pieces(self, start: float, end: float, height: float) -> Iterator[_Piece]:
        for number, day in enumerate(self.week.days):
            if start < day.end and end > day.start:
                left, right = self.x(day, max(start, day.start)), self.x(day, min(end, day.end))
                box = QRectF(left, self.lane(number) - height / 2, right - left, height)
                yield _Piece(box, start >= day.start, end <= day.end)

    def marks(self) -> Iterator[tuple[Event, QRectF]]:
        """What happened in the same moment stands side by side, as long as nothing moves far from its time."""
        for number, day in enumerate(self.week.days):
            free = 0.0
            for event in self.week.events:
                if day.start <= event.at < day.end:
                    x = self.x(day, event.at) - self.mark / 2
                    x = free if x < free <= min(x + 2.5 * self.mark, self.right) else x
                    top = self.lane(number) - self.bar / 2 - self.mark - 2.5
                    yield event, QRectF(x, top, self.mark, self.mark)
                    free = x + self.mark + 1.5

    def spots(self) -> Iterator[_Spot]:
        """What lies on top first."""
        for event, box in self.marks():
            yield _Spot(box.adjusted(-2, -2, 2, 2), mark_text(event), event)
        for gap in self.week.gaps:
            for piece in self.gap_pieces(gap):
                yield _Spot(piece.box.adjusted(-2, -3, 2, 3), gap_text(gap), gap if gap.trading else None)
        for life in self.week.lives:
            for piece in self.pieces(life.start, life.end, self.bar):
                yield _Spot(piece.box.adjusted(0, -2, 0, 2), life_text(life))

    def gap_pieces(self, gap: Gap) -> Iterator[_Piece]:
        for piece in self.pieces(gap.start, gap.end, self.bar + 4 if gap.trading else 4.0):
            missing = max(0.0, _SMALLEST_GAP - piece.box.width()) / 2
            yield _Piece(piece.box.adjusted(-missing, 0, missing, 0), piece.first, piece.last)


class WeekView(QWidget):
    """Draws one `Week` after another. `pointed(str)` tells what lies under the mouse; `picked(Entry)` is a click on
    a mark or a gap."""

    pointed = Signal(str)
    picked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("week")
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._week: Week | None = None
        self._highlighted: Entry | None = None
        self._plan: _Plan | None = None
        self._spots: tuple[_Spot, ...] = ()
        self._tones = window_tones(self.palette())

    def show_week(self, week: Week | None) -> None:
        self._week = week
        self.setAccessibleDescription("" if week is None else week_text(week))
        self._arrange()

    def highlight(self, entry: Entry | None) -> None:
        """Points out the mark of that event, or that gap."""
        self._highlighted = entry
        self.update()

    def set_tones(self, tones: Tones) -> None:
        self._tones = tones
        self.update()

    def text_at(self, position: QPointF) -> str:
        """What is told about that place; empty where there is nothing."""
        spot = self._spot_at(position)
        return "" if spot is None else spot.text

    def text_about(self, event: Entry) -> str:
        """The event, and the gap or the life that it stands in or ends: what the mouse would find there."""
        if isinstance(event, Gap):
            return gap_text(event)
        around = ""
        if self._week is not None:
            gap = self._week.gap_at(event.at)
            life = self._week.life_at(event.at) if event.kind not in TAKES else self._week.life_until(event.at)
            around = gap_text(gap) if gap is not None else life_text(life) if life is not None else ""
        return f"{mark_text(event)}\n{around.replace(chr(10), '  ')}".strip()

    def sizeHint(self) -> QSize:
        return QSize(820, round(self.fontMetrics().height() * 2 + 7 * 44))

    def minimumSizeHint(self) -> QSize:
        return QSize(420, round(self.fontMetrics().height() + 8 + 7 * _SMALLEST_ROW))

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            spot = self._spot_at(QPointF(event.pos()))
            if spot is None:
                QToolTip.hideText()
            else:
                text = f"<p style='white-space: pre'>{escape(spot.text)}</p>"  # else Qt guesses whether it is HTML
                QToolTip.showText(event.globalPos(), text, self, spot.box.toAlignedRect())
            return True
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange}:
            self._arrange()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

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
        if self._plan is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plan = self._plan
        self._paint_days(painter, plan)
        if not plan.week.lives and not plan.week.events:
            self._paint_nothing(painter, plan)
        for number, life in enumerate(plan.week.lives):
            self._paint_life(painter, plan, life, deeper=number % 2 == 1)
        for gap in plan.week.gaps:
            self._paint_gap(painter, plan, gap)
        self._paint_now(painter, plan)
        for event, box in plan.marks():
            if event == self._highlighted:
                self._paint_highlight(painter, box)
            paint_mark(painter, event.kind, box, self._tones.of(TONES[event.kind]))

    def _arrange(self) -> None:
        plan = None if self._week is None else _Plan(self._week, self.size(), QFontMetricsF(self.font()))
        self._plan = plan
        self._spots = () if plan is None else tuple(plan.spots())
        self.update()

    def _spot_at(self, position: QPointF) -> _Spot | None:
        return next((spot for spot in self._spots if spot.box.contains(position)), None)

    def _text(self, share: float = 1.0) -> QColor:
        colour = self.palette().color(QPalette.ColorGroup.Active, QPalette.ColorRole.WindowText)
        colour.setAlphaF(colour.alphaF() * (1.0 if is_high_contrast() else share))
        return colour

    def _paint_days(self, painter: QPainter, plan: _Plan) -> None:
        """The calendar: hours along the top, a row a day, the trading hours as a ground."""
        line = self._text(0.14)
        for number, day in enumerate(plan.week.days):
            box = plan.row_box(number)
            if day.opens is not None and day.closes is not None:
                left, right = plan.x(day, day.opens), plan.x(day, day.closes)
                band = QRectF(left, box.top() + 1, right - left, box.height() - 2)
                if is_high_contrast():
                    painter.setPen(QPen(self._text(), 1, Qt.PenStyle.DotLine))
                    painter.drawRect(band)
                else:
                    painter.fillRect(band, self._text(0.075))
            today = number == len(plan.week.days) - 1
            font = QFont(self.font())
            font.setBold(today)
            painter.setFont(font)
            painter.setPen(self._text() if today else self._tones.quiet)
            name = QRectF(4, box.top(), plan.left - 12, box.height())
            painter.drawText(name, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, day_text(day.start))
        painter.setFont(self.font())
        bottom = plan.row_box(len(plan.week.days) - 1).bottom()
        for hour in _HOURS:
            x = plan.left + (plan.right - plan.left) * hour / 24
            painter.setPen(QPen(line, 1))
            painter.drawLine(QPointF(x, plan.top - 3), QPointF(x, plan.top if is_high_contrast() else bottom))
            painter.setPen(self._tones.quiet)
            label = QRectF(x - 30, 0, 60, plan.top - 5)
            painter.drawText(label, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, f"{hour:02}")

    def _paint_nothing(self, painter: QPainter, plan: _Plan) -> None:
        text = translate("HistoryWindow", "Nothing has happened yet.\nFrom the next token on, it is drawn here.")
        painter.setPen(self._text())
        area = QRectF(plan.left, plan.top, plan.right - plan.left, self.height() - plan.top)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)

    def _paint_life(self, painter: QPainter, plan: _Plan, life: Life, *, deeper: bool) -> None:
        """Neighbours differ in depth; what is still to come is drawn in dots."""
        now = plan.week.now
        ground = QColor(self._tones.good)
        ground.setAlphaF(0.0 if is_high_contrast() else 0.42 if deeper else 0.28)
        for piece in plan.pieces(life.start, min(life.end, now), plan.bar):
            self._paint_bar(painter, piece, ground, Qt.PenStyle.SolidLine, ends=piece.last and life.end <= now)
        if life.end > now:
            for piece in plan.pieces(now, life.end, plan.bar):
                later = _Piece(piece.box, first=False, last=piece.last)
                self._paint_bar(painter, later, QColor(0, 0, 0, 0), Qt.PenStyle.DotLine, ends=piece.last)

    def _paint_bar(self, painter: QPainter, piece: _Piece, ground: QColor, style: Qt.PenStyle, *, ends: bool) -> None:
        """Round where the token's life begins or ends, open where the row does."""
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

    def _paint_gap(self, painter: QPainter, plan: _Plan, gap: Gap) -> None:
        for piece in plan.gap_pieces(gap):
            if gap.trading:
                painter.fillRect(piece.box, self._tones.bad)
                if gap == self._highlighted:
                    painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 2))
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.drawRoundedRect(piece.box.adjusted(-4, -4, 4, 4), 4, 4)
            else:
                painter.setPen(QPen(self._tones.bad, 2, Qt.PenStyle.DotLine))
                y = piece.box.center().y()
                painter.drawLine(QPointF(piece.box.left(), y), QPointF(piece.box.right(), y))

    def _paint_now(self, painter: QPainter, plan: _Plan) -> None:
        number = len(plan.week.days) - 1
        box, x = plan.row_box(number), plan.x(plan.week.days[number], plan.week.now)
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


class Legend(QWidget):
    """What the shapes mean, as many as the picture has."""

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
                paint_mark(painter, kind, glyph, self._tones.of(tone_of(kind)))
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
        items: list[tuple[EventKind | str, str]] = [(kind, _short(kind)) for kind in EventKind if kind in there]
        if any(gap.trading for gap in self._week.gaps):
            items.append((_TRADING_GAP, translate("HistoryWindow", "Gap in trading hours")))
        if any(not gap.trading for gap in self._week.gaps):
            items.append((_OTHER_GAP, translate("HistoryWindow", "Other gap")))
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


def _short(kind: EventKind) -> str:
    """One or two words, for a legend."""
    if kind is EventKind.ISSUED:
        return translate("HistoryWindow", "Issued")
    if kind is EventKind.SAME:
        return translate("HistoryWindow", "Same again")
    if kind is EventKind.ADOPTED:
        return translate("HistoryWindow", "Taken over")
    if kind is EventKind.STORED:
        return translate("HistoryWindow", "Stored")
    if kind is EventKind.SEEN:
        return translate("HistoryWindow", "Found")
    if kind is EventKind.FAILED:
        return translate("HistoryWindow", "Failed")
    if kind is EventKind.CLEARED:
        return translate("HistoryWindow", "Cleared")
    if kind is EventKind.REVOKED:
        return translate("HistoryWindow", "Revoked")
    return translate("HistoryWindow", "Gone")
