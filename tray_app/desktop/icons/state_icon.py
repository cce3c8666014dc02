"""The icon of a state: a ring that empties clockwise as the token runs out.

Every state has a shape of its own, in one colour and transparency, so that it can be told without colour:

    valid             an arc on a thin ring
    below an hour     an arc of that hour with a dot in the middle
    below 30 minutes  the minutes
    below 10 minutes  the minutes, cut out of a square
    about to expire   a full disc with an exclamation mark cut out
    expired           an hourglass
    dead              a full disc with a cross cut out
    unconfirmed       a question mark
    no token          a dotted ring with a dash
    busy              two arrows that chase each other

In the lower right corner, an exclamation mark says that renewal has stopped, a lock that the keyring is locked, a
triangle that renewing fails, and a dot that something else wants the user, such as a place or settings that cannot
be used. Below minutes, which have to stay legible, they are a bar, two, three or one short piece of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from PySide6 import QtCore  # `Qt` itself, with all its enumerations, only once the icon is there
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import (
    QColor,
    QIcon,
    QImage,
    QPainter,
    QPainterPath,
    QPixmap,
    QTransform,
)

from tray_app.desktop.icons.shapes import (
    DIGIT_COLUMNS,
    DIGIT_ROWS,
    digit,
    dotted_ring,
    hourglass,
    life_arc,
    outline,
    rectangle,
    ring,
    thin_ring,
    widened,
)
from tray_app.desktop.theme.colours import MASK, PANEL_DARK, PANEL_LIGHT, Tone, Tones

LEVELS = 48
"""Steps in which the ring empties. More would not change a pixel of a visible icon."""

SIZES = (16, 18, 20, 22, 24, 28, 32, 36, 40, 44, 48, 64, 96)
"""Pixels: 16, 18, 22, 24 and 32 at 100 to 300 %."""

_LIST_SIZES = (16, 24, 32)

_LOWEST_LEVEL = 4
"""Less of a ring is invisible at 16 pixels. Below that, the icon has another shape."""


class Phase(StrEnum):
    """What the shape of the icon says."""

    NONE = "none"
    VALID = "valid"
    HOUR = "hour"
    """Less than an hour is left: the ring is that hour."""
    SOON = "soon"
    """Less than half an hour is left: the minutes are shown."""
    LOW = "low"
    ENDING = "ending"
    EXPIRED = "expired"
    DEAD = "dead"
    UNCONFIRMED = "unconfirmed"


class IconBadge(StrEnum):
    """What the lower right corner says; at most one thing at a time."""

    STOPPED = "stopped"
    """Renewal has stopped and needs the user."""
    LOCKED = "locked"
    """The keyring is locked."""
    FAILING = "failing"
    """Renewing fails and is tried again."""
    PROBLEM = "problem"
    """Something is wrong with the storage or the settings."""


PHASE_TONES = {
    Phase.NONE: Tone.QUIET,
    Phase.VALID: Tone.GOOD,
    Phase.HOUR: Tone.GOOD,
    Phase.SOON: Tone.LOW,
    Phase.LOW: Tone.LOW,
    Phase.ENDING: Tone.BAD,
    Phase.EXPIRED: Tone.BAD,
    Phase.DEAD: Tone.BAD,
    Phase.UNCONFIRMED: Tone.LOW,
}


@dataclass(frozen=True, slots=True)
class IconSpec:
    """All that the icon shows: equal specs make equal pixels.

    `level` is the remaining part of the ring, at most `LEVELS`, for `Phase.VALID` and `Phase.HOUR`; `minutes` are shown
    in `Phase.SOON` and `Phase.LOW`. Both are 0 in the other phases and while busy. `planned` tells that an expiry is no
    alarm, because the next token is issued by itself.
    """

    phase: Phase
    level: int = 0
    minutes: int = 0
    busy: bool = False
    badge: IconBadge | None = None
    planned: bool = False

    @property
    def tone(self) -> Tone:
        if self.planned and self.phase in {Phase.ENDING, Phase.EXPIRED}:
            return Tone.LOW
        return PHASE_TONES[self.phase]


def level_of(fraction: float) -> int:
    """Return `fraction` in `LEVELS` steps, never so few that the ring would be invisible."""
    return min(LEVELS, max(_LOWEST_LEVEL, math.ceil(round(fraction * LEVELS, 6))))


def paint_icon(spec: IconSpec, size: int, dark_panel: bool, *, mask: bool = False) -> QImage:
    """Paint the icon, `size` pixels wide and high, with edges on whole pixels. `mask` makes a template image."""
    tones = MASK if mask else PANEL_DARK if dark_panel else PANEL_LIGHT
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(QtCore.Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint(painter, spec, size, tones)
    painter.end()
    return image


@lru_cache(maxsize=8)
def tray_icon(spec: IconSpec, dark_panel: bool, *, mask: bool = False) -> QIcon:
    """Return the icon in all sizes that panels ask for (100 KB, cached)."""
    icon = QIcon()
    for size in SIZES:
        icon.addPixmap(QPixmap.fromImage(paint_icon(spec, size, dark_panel, mask=mask)))
    icon.setIsMask(mask)
    return icon


@lru_cache(maxsize=96)
def list_icon(spec: IconSpec, dark: bool) -> QIcon:
    """Return the icon in the few sizes of a list in a window: each takes milliseconds to paint."""
    icon = QIcon()
    for size in _LIST_SIZES:
        icon.addPixmap(QPixmap.fromImage(paint_icon(spec, size, dark)))
    return icon


class _Grid:
    """Convert lengths of the design, which is 16 units wide, to whole pixels of the icon."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.unit = size / 16
        self.middle = size / 2

    def whole(self, units: float) -> int:
        return max(1, int(units * self.unit + 0.5))

    def even(self, units: float) -> int:
        """Return whole pixels that leave the same space on both sides."""
        pixels = self.whole(units)
        return pixels if (self.size - pixels) % 2 == 0 else pixels + 1

    def centred(self, width: float, height: float) -> QRectF:
        return QRectF(self.middle - width / 2, self.middle - height / 2, width, height)


def _paint(painter: QPainter, spec: IconSpec, size: int, tones: Tones) -> None:
    grid = _Grid(size)
    margin = max(1, size // 16)
    box = QRectF(margin, margin, size - 2 * margin, size - 2 * margin)
    thickness = grid.whole(3)
    faint = QPainterPath()
    if spec.busy:
        strong = _arrows(box, grid.whole(2.5), grid)
    elif spec.phase is Phase.VALID:
        fraction = spec.level / LEVELS
        strong = life_arc(box, thickness, fraction)
        faint = thin_ring(box, thickness, grid.even(1) if thickness % 2 == 0 else grid.whole(1)).subtracted(strong)
    elif spec.phase is Phase.HOUR:
        strong = life_arc(box, thickness, spec.level / LEVELS)
        faint = thin_ring(box, thickness, grid.whole(1)).subtracted(strong)
        dot = grid.even(4)
        strong.addEllipse(grid.centred(dot, dot))
    elif spec.minutes and spec.badge:
        strong = _digits(str(spec.minutes), grid, top=0)
    elif spec.phase is Phase.SOON:
        strong = _digits(f"{spec.minutes:02}", grid)
    elif spec.phase is Phase.LOW:
        strong = QPainterPath()
        strong.addRoundedRect(box, 2 * grid.unit, 2 * grid.unit)
        strong = strong.subtracted(_digits(str(spec.minutes), grid))
    elif spec.phase is Phase.ENDING:
        strong = QPainterPath()
        strong.addEllipse(box)
        width, height = grid.even(2), grid.even(8)
        strong = strong.subtracted(_exclamation(grid.centred(width, height), grid))
    elif spec.phase is Phase.EXPIRED:
        strong = hourglass(grid.centred(grid.even(11), box.height()), grid.whole(2))
    elif spec.phase is Phase.DEAD:
        strong = QPainterPath()
        strong.addEllipse(box)
        strong = strong.subtracted(_cross(grid, reach=4.6, width=2.4))
    elif spec.phase is Phase.UNCONFIRMED:
        strong = _question_mark(grid)
    else:
        strong = dotted_ring(box, grid.whole(2.2), 8)
        strong.addPath(rectangle(grid.centred(grid.even(5.5), grid.even(2))))
    badge, badge_tone = _badge(spec, grid) if not spec.minutes or spec.busy else _bar(spec, grid)
    if not badge.isEmpty():
        around = widened(badge, 2.4 * grid.unit)
        strong = strong.subtracted(around)
        faint = faint.subtracted(around)
    colour = tones.of(spec.tone)
    _draw_halo(painter, (strong, faint, badge), tones.halo, grid)
    painter.fillPath(faint, _with_alpha(tones.quiet, 0.5))
    painter.fillPath(strong, colour)
    painter.fillPath(badge, tones.of(badge_tone))


def _draw_halo(painter: QPainter, paths: tuple[QPainterPath, ...], colour: QColor, grid: _Grid) -> None:
    """Paint an edge that keeps the icon visible on a panel of unexpected brightness.

    It is painted in full, cut out and faded, because computing its outline takes ten times as long.
    """
    if not colour.alpha():
        return
    for path in paths:
        painter.fillPath(outline(path, 1.5 * grid.unit), QColor(colour.rgb()))
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationOut)
    for path in paths:
        painter.fillPath(path, QtCore.Qt.GlobalColor.black)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationIn)
    painter.fillRect(0, 0, grid.size, grid.size, colour)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)


def _badge(spec: IconSpec, grid: _Grid) -> tuple[QPainterPath, Tone]:
    path = QPainterPath()
    edge = grid.size - max(1, grid.size // 32)
    if spec.badge is IconBadge.STOPPED:
        width, height = grid.whole(3), grid.whole(9)
        return _exclamation(QRectF(edge - width, edge - height, width, height), grid), Tone.BAD
    if spec.badge is IconBadge.LOCKED:
        width, height = grid.whole(8), grid.whole(5)
        body = QRectF(edge - width, edge - height, width, height)
        path.addRect(body)
        shackle = grid.whole(6)
        hoop = QRectF(body.center().x() - shackle / 2, body.top() - shackle / 2, shackle, shackle)
        return path.united(ring(hoop, grid.whole(1.6), 0, 180)), Tone.LOW
    if spec.badge is IconBadge.FAILING:
        width, height = grid.whole(8), grid.whole(8)
        path.moveTo(edge - width, edge - height)
        path.lineTo(edge, edge - height)
        path.lineTo(edge - width / 2, edge)
        path.closeSubpath()
        return path, Tone.LOW
    if spec.badge is IconBadge.PROBLEM:
        dot = grid.whole(6)
        path.addEllipse(QRectF(edge - dot, edge - dot, dot, dot))
        return path, Tone.LOW
    return path, Tone.QUIET


_PIECES = {IconBadge.STOPPED: 1, IconBadge.LOCKED: 2, IconBadge.FAILING: 3}
"""Into how many pieces the bar below a number is divided; for `PROBLEM` it is one short piece."""


def _bar(spec: IconSpec, grid: _Grid) -> tuple[QPainterPath, Tone]:
    """Return the badge below a number, which one in the corner would make another number."""
    path = QPainterPath()
    height, gap = grid.whole(2), grid.whole(6 if spec.badge is IconBadge.LOCKED else 2)
    if spec.badge in _PIECES:
        pieces = _PIECES[spec.badge]
        width = (grid.size - gap * (pieces - 1)) / pieces
        for number in range(pieces):
            left, right = round(number * (width + gap)), round(number * (width + gap) + width)
            path.addRect(QRectF(left, grid.size - height, right - left, height))
    elif spec.badge is IconBadge.PROBLEM:
        path.addRect(QRectF(grid.middle - 2 * grid.unit, grid.size - height, 4 * grid.unit, height))
    return path, Tone.BAD if spec.badge is IconBadge.STOPPED else Tone.LOW


def _arrows(box: QRectF, thickness: float, grid: _Grid) -> QPainterPath:
    """Return two arrows that chase each other clockwise round the ring."""
    path = QPainterPath()
    path.setFillRule(QtCore.Qt.FillRule.WindingFill)
    radius = box.width() / 2 - thickness / 2
    head = 2.9 * grid.unit
    for start in (168.0, 348.0):
        tip = math.radians(start - 118)
        path.addPath(ring(box, thickness, start, -118))
        along = QPointF(math.sin(tip), math.cos(tip))
        out = QPointF(math.cos(tip), -math.sin(tip))
        foot = box.center() + out * radius
        arrow = QPainterPath(foot + out * head - along * 0.3)
        arrow.lineTo(foot + along * head * 1.15)
        arrow.lineTo(foot - out * head - along * 0.3)
        arrow.closeSubpath()
        path.addPath(arrow)
    return path


def _exclamation(box: QRectF, grid: _Grid) -> QPainterPath:
    """Return an exclamation mark that fills `box`, on whole pixels."""
    dot = min(box.width(), box.height() / 3)
    gap = grid.whole(1)
    soft = box.width() * 0.3 if grid.unit >= 2 else 0.0
    path = QPainterPath()
    path.addRoundedRect(QRectF(box.left(), box.top(), box.width(), box.height() - dot - gap), soft, soft)
    path.addRoundedRect(QRectF(box.left(), box.bottom() - dot, box.width(), dot), soft, soft)
    return path


def _digits(text: str, grid: _Grid, top: int | None = None) -> QPainterPath:
    """Return a number that fills the square, on whole pixels; with `top`, one that begins at that row."""
    cell = max(1, int(grid.unit * 2))
    step = (DIGIT_COLUMNS + 0.5) * cell
    width = step * len(text) - 0.5 * cell
    left = round(grid.middle - width / 2)
    top = round(grid.middle - DIGIT_ROWS * cell / 2) if top is None else top
    path = QPainterPath()
    for place, one in enumerate(text):
        path.addPath(digit(int(one), left + round(place * step), top, cell))
    return path


def _cross(grid: _Grid, reach: float, width: float) -> QPainterPath:
    bar = rectangle(QRectF(-reach, -width / 2, reach * 2, width))
    path = QTransform().rotate(45).map(bar).united(QTransform().rotate(-45).map(bar))
    return QTransform().translate(grid.middle, grid.middle).scale(grid.unit, grid.unit).map(path)


def _question_mark(grid: _Grid) -> QPainterPath:
    """Return a question mark that fills the square: a hook of bars and a dot, on whole pixels."""
    bar, width = grid.even(2.4), grid.even(9)
    stem = QRectF(grid.middle - bar / 2, 0, bar, 0)
    left, right, top = grid.middle - width / 2, grid.middle + width / 2, grid.whole(1)
    middle, foot, bottom = top + grid.whole(5.4), top + grid.whole(9.4), grid.size - grid.whole(1)
    path = QPainterPath()
    path.setFillRule(QtCore.Qt.FillRule.WindingFill)
    path.addRect(QRectF(left, top, width, bar))
    path.addRect(QRectF(left, top, bar, bar * 2))
    path.addRect(QRectF(right - bar, top, bar, middle + bar - top))
    path.addRect(QRectF(stem.left(), middle, right - stem.left(), bar))
    path.addRect(QRectF(stem.left(), middle, bar, foot - middle))
    path.addRect(QRectF(stem.left(), bottom - bar, bar, bar))
    return path.simplified()


def _with_alpha(colour: QColor, alpha: float) -> QColor:
    faded = QColor(colour)
    faded.setAlphaF(alpha * colour.alphaF())
    return faded
