"""Where everything is drawn in the picture of the week."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import (
    QFontMetricsF,
)

from tray_app.history.events import Event
from tray_app.history.timeline import Day, Gap, Week
from tray_app.history.words import day_text, gap_text, life_text, mark_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tray_app.history.timeline import Entry


_SMALLEST_GAP = 3.0
"""Pixels, so that even a gap of a minute is visible."""


@dataclass(frozen=True, slots=True)
class Spot:
    """An area with a tooltip."""

    box: QRectF
    text: str
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a time span within one row; `first` and `last` tell whether the span begins and ends there."""

    box: QRectF
    first: bool
    last: bool


class WeekLayout:
    """The positions in a picture of this size."""

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
        """Return the vertical centre of the bars of that row."""
        return self.top + number * self.row + max(self.row * 0.68, self.mark + 3 + self.bar / 2)

    def pieces(self, start: float, end: float, height: float) -> Iterator[Piece]:
        for number, day in enumerate(self.week.days):
            if start < day.end and end > day.start:
                left, right = self.x(day, max(start, day.start)), self.x(day, min(end, day.end))
                box = QRectF(left, self.lane(number) - height / 2, right - left, height)
                yield Piece(box, start >= day.start, end <= day.end)

    def marks(self) -> Iterator[tuple[Event, QRectF]]:
        """Yield the box of each event. Simultaneous events are drawn side by side, but stay near their time."""
        for number, day in enumerate(self.week.days):
            free = 0.0
            for event in self.week.events:
                if day.start <= event.at < day.end:
                    x = self.x(day, event.at) - self.mark / 2
                    x = free if x < free <= min(x + 2.5 * self.mark, self.right) else x
                    top = self.lane(number) - self.bar / 2 - self.mark - 2.5
                    yield event, QRectF(x, top, self.mark, self.mark)
                    free = x + self.mark + 1.5

    def spots(self) -> Iterator[Spot]:
        """Yield the areas with a tooltip, the topmost first."""
        for event, box in self.marks():
            yield Spot(box.adjusted(-2, -2, 2, 2), mark_text(event), event)
        for gap in self.week.gaps:
            for piece in self.gap_pieces(gap):
                yield Spot(piece.box.adjusted(-2, -3, 2, 3), gap_text(gap), gap if gap.trading else None)
        for life in self.week.lives:
            for piece in self.pieces(life.start, life.end, self.bar):
                yield Spot(piece.box.adjusted(0, -2, 0, 2), life_text(life))

    def gap_pieces(self, gap: Gap) -> Iterator[Piece]:
        for piece in self.pieces(gap.start, gap.end, self.bar + 4 if gap.trading else 4.0):
            missing = max(0.0, _SMALLEST_GAP - piece.box.width()) / 2
            yield Piece(piece.box.adjusted(-missing, 0, missing, 0), piece.first, piece.last)
