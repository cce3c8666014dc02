"""The ring with the countdown inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import (
    QFont,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from tray_app.desktop.icons.shapes import dotted_ring, thin_ring
from tray_app.desktop.icons.state_icon import Phase
from tray_app.desktop.status_window.countdown import Countdown
from tray_app.desktop.theme.colours import Tone, Tones, edge_colour, text_colour, window_tones
from tray_app.desktop.theme.dark_mode import is_high_contrast
from tray_app.desktop.theme.stylesheet import set_text_colour
from tray_app.desktop.widgets.basics import make_label, set_text

if TYPE_CHECKING:
    from tray_app.desktop.view.model import View


_NO_BREAK = "\N{NO-BREAK SPACE}"
_DIAL, _SMALLEST_DIAL = 304, 216
_COMPACT_DIAL, _SMALL_DIAL = 128, 104
_BESIDE = 14
"""Pixels between a compact ring and the texts beside it."""


class Dial(QWidget):
    """The ring with the countdown inside, or, where there is less room, with the countdown beside it."""

    def __init__(self, parent: QWidget | None = None, *, is_small: bool = False) -> None:
        super().__init__(parent)
        self.setObjectName("dial")
        self._tones = window_tones(self.palette())
        self._tone = Tone.QUIET
        self._phase = Phase.NONE
        self._fraction = 0.0
        self._is_alarming = False
        self.headline = make_label("headline", self, centred=True)
        self.countdown = Countdown(self)
        self.end = make_label("end", self, wrap=True, centred=True)
        self.end_local = make_label("endLocal", self, centred=True)
        self._middle = middle = QVBoxLayout(self)
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(2)
        middle.addStretch(1)
        for widget in (self.headline, self.countdown, self.end, self.end_local):
            middle.addWidget(widget)
        middle.addStretch(1)
        self._is_small = self._is_compact = is_small
        self._set_minimum()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        for font_of, bigger, weight in ((self.headline, 2, QFont.Weight.DemiBold), (self.end, 3, QFont.Weight.Normal)):
            font = font_of.font()
            font.setPointSizeF(max(1.0, font.pointSizeF()) + bigger)
            font.setWeight(weight)
            font_of.setFont(font)

    def set_tones(self, tones: Tones) -> None:
        self._tones = tones
        self._colour_texts()
        self.update()

    def show_view(self, view: View) -> None:
        """Render `view`, repainting the ring only when a pixel of it can have moved."""
        set_text(self.headline, view.headline)
        nothing = view.phase is Phase.NONE
        self.countdown.show_text("–:––:––" if nothing else view.countdown, view.remaining, faint=nothing)
        head, comma, tail = view.end.partition(", ")
        set_text(self.end, head + comma + tail.replace(" ", _NO_BREAK))  # a line ends at the comma
        set_text(self.end_local, view.end_local)
        self.end_local.setVisible(bool(view.end_local))
        self.setAccessibleDescription(view.remaining)
        quantised = round(view.fraction, 4)
        shown = (view.phase, quantised, view.tone, view.end_is_alarming)
        if shown != (self._phase, self._fraction, self._tone, self._is_alarming):
            self._phase, self._fraction, self._tone, self._is_alarming = shown
            self._colour_texts()
            self.update()

    def set_compact(self, is_compact: bool) -> None:
        """Leave room for more below the ring, or take the usual room."""
        if is_compact != self._is_compact:
            self._is_compact = is_compact
            self._set_minimum()
            self._arrange()
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return the least: the ring takes the room that the texts below it leave, and scrolls none of them away."""
        return self.minimumSize()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _set_minimum(self) -> None:
        side = _SMALLEST_DIAL if not self._is_compact else _SMALL_DIAL if self._is_small else _COMPACT_DIAL
        self.setMinimumSize(side, side)

    def _arrange(self) -> None:
        """Put the texts within the ring, or beside a compact one."""
        box = self._box()
        side = box.width()
        if self._is_compact:
            left = round(box.right()) + _BESIDE
            self._middle.setContentsMargins(left, 0, 0, 0)
            self.countdown.set_digit_height(side * 0.32, self.width() - left)
            return
        beside = round((self.width() - side * 0.8) / 2)
        self._middle.setContentsMargins(beside, 0, beside, round(self.height() - side - 2 * box.top()))
        self.countdown.set_digit_height(side * 0.185, side * 0.8)

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self._box()
        thickness = max(10.0, box.width() * 0.056)
        colour = self._tones.of(self._tone)
        faint = text_colour(self.palette()) if is_high_contrast() else edge_colour(self.palette())
        if self._phase is Phase.NONE:
            painter.fillPath(dotted_ring(box, thickness * 0.5, 48), faint)
        elif self._phase is Phase.EXPIRED:
            painter.fillPath(dotted_ring(box, thickness * 0.6, 24), colour)
        else:
            painter.fillPath(thin_ring(box, thickness, thickness * 0.45), faint)
        if self._phase in {Phase.NONE, Phase.EXPIRED}:
            return
        if self._fraction > 0:
            painter.setPen(QPen(colour, thickness, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            inset = thickness / 2
            degrees = max(2.0, 360 * self._fraction)
            painter.drawArc(box.adjusted(inset, inset, -inset, -inset), 90 * 16, round(degrees * 16))

    def _box(self) -> QRectF:
        """Return the box of the ring, at the top and of fixed size, so that texts below it do not move it."""
        if self._is_compact:
            side = min(self.height(), _COMPACT_DIAL) - 4
            left = max(2.0, self.width() * 0.12 - 20)
            return QRectF(left, (self.height() - side) / 2, side, side)
        side = min(self.width(), self.height(), max(_DIAL, round(self.height() * 0.7))) - 4
        return QRectF((self.width() - side) / 2, 2, side, side)

    def _colour_texts(self) -> None:
        set_text_colour(self.headline, self._tones.of(self._tone))
        text = text_colour(self.palette())
        set_text_colour(self.end, self._tones.bad if self._is_alarming else text)
