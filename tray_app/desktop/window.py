"""The token window: how long the token still lives, where it lies, what happened and what comes. Renders a `View`."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QColor,
    QFont,
    QFontMetricsF,
    QHideEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.errors import Remedy
from tray_app.core.language import tr
from tray_app.core.state import Action
from tray_app.core.wording import duration
from tray_app.desktop.clipboard import KEEP_SECONDS
from tray_app.desktop.look.icon import Phase, app_icon, dotted_ring, list_icon, thin_ring
from tray_app.desktop.look.light import Light
from tray_app.desktop.look.standing import StandingWindow
from tray_app.desktop.look.style import calm_style, colour_text, mark, put
from tray_app.desktop.look.theme import Tone, Tones, is_dark, is_high_contrast, text_colour, window_tones
from tray_app.desktop.view import MOCK, REAL, SANDBOX, SNOOZES_SECONDS, copied_text

if TYPE_CHECKING:
    from tray_app.desktop.view import Badge, ProfileLine, View

_WIDTH, _HEIGHT = 460, 640
_TITLE_BAR = 40
_DIAL, _SMALLEST_DIAL = 304, 216
_BADGE_COLOURS = {
    # text, ground: on dark windows, on light ones
    REAL: (("#0d1b3d", "#9db9ff"), ("#ffffff", "#23489c")),
    MOCK: (("#e3b8ff", ""), ("#6d2a99", "")),
    SANDBOX: (("#c4ccd2", ""), ("#4c565d", "")),
}


class TokenWindow(StandingWindow):
    """Shows one `View` after another. Closing hides it; its owner decides what ticks while it is seen."""

    # ruff: noqa: N815 - named as Qt's own signals are
    refreshRequested = Signal()
    clearRequested = Signal()
    unlockRequested = Signal()
    loginRequested = Signal()
    switchModeRequested = Signal()
    portalRequested = Signal()
    rotateRequested = Signal()
    copyRequested = Signal()
    snoozeRequested = Signal(int)
    """Seconds to keep quiet; 0 ends it."""
    profileChosen = Signal(str)
    settingsRequested = Signal()
    historyRequested = Signal()
    openSettingsFileRequested = Signal()
    quitRequested = Signal()
    shown = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenWindow")
        self.setWindowIcon(app_icon())
        self._remedy = Remedy.NONE
        self._style = ""
        self._busy_line = Light(self)
        self._busy_line.setObjectName("busyLine")
        self._busy_line.setFixedHeight(3)
        self._profile = _label("profile", self)
        self._profiles = ProfileBox(self)
        self._profiles.chosen.connect(self.profileChosen)
        self._snooze = _head_button("snoozeButton", self)
        self._snooze.setMenu(self._snooze_menu())
        self._history = _head_button("historyButton", self)
        self._history.clicked.connect(self.historyRequested)
        self._settings = _head_button("settingsButton", self)
        self._settings.clicked.connect(self.settingsRequested)
        self._badges = [BadgeLabel(self), BadgeLabel(self)]
        for number, badge in enumerate(self._badges):
            badge.setObjectName(f"badge{number}")
            badge.hide()
        self.dial = Dial(self)
        self._skew = _label("skew", self, wrap=True)
        self._skew.hide()
        self._trouble = _label("settingsProblem", self, wrap=True)
        self._open_file = _button("openSettingsButton", self)
        self._open_file.clicked.connect(self.openSettingsFileRequested)
        self._elsewhere = _label("elsewhere", self, wrap=True)
        self._elsewhere_profile = ""
        self._go_there = _button("showButton", self)
        self._go_there.clicked.connect(lambda: self.profileChosen.emit(self._elsewhere_profile))
        for widget in (self._trouble, self._open_file, self._elsewhere, self._go_there):
            widget.hide()
        self._details = _Details(self)
        self._remedy_button = self._details.remedy
        self._clear = WorkButton("clearButton", self)
        self._rotate = WorkButton("rotateButton", self)
        self._copy = WorkButton("copyButton", self)
        self._refresh = WorkButton("refreshButton", self)
        mark(self._refresh, "main")
        self._refresh.setDefault(True)
        self._clear.asked.connect(self.clearRequested)
        self._rotate.asked.connect(self.rotateRequested)
        self._copy.asked.connect(self.copyRequested)
        self._refresh.asked.connect(self.refreshRequested)
        self._quit = _head_button("quitButton", self)
        self._quit.clicked.connect(self.quitRequested)
        self._quit.hide()
        self._remedy_button.asked.connect(self._mend)
        self._lay_out()
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._follow_focus)
        self._retranslate()
        self._restyle()

    def show_view(self, view: View) -> None:
        """Renders `view`. Cheap when little has changed, so it may come every second."""
        had_keyboard = self.focusWidget()
        put(self._profile, view.profile)
        self._profile.setVisible(not view.profiles)
        self._profiles.show_profiles(view.profiles)
        # Qt adds the program's name to a title that does not end with it
        self.setWindowTitle(f"{view.profile} - {view.title}" if view.profile else view.title)
        for number, label in enumerate(self._badges):
            label.show_badge(view.badges[number] if number < len(view.badges) else None)
        self.dial.show_view(view)
        self._skew.setVisible(bool(view.skew))
        put(self._skew, view.skew)
        self._details.show_view(view)
        for text, *row in (
            (view.settings_problem, self._trouble, self._open_file),
            (view.elsewhere, self._elsewhere, self._go_there),
        ):
            for widget in row:
                widget.setVisible(bool(text))
        put(self._trouble, view.settings_problem)
        put(self._elsewhere, view.elsewhere)
        self._elsewhere_profile = view.elsewhere_profile
        self._busy_line.show_work(view.busy)
        self._snooze_end.setEnabled(view.is_snoozed)
        self._copy.setEnabled(view.can_copy)
        put(self._copy, _with_mnemonic(view.copy_text, "Y"))
        spoken = tr("It is on the clipboard.") if view.is_copied else ""
        self._copy.setAccessibleDescription(spoken)
        put(self._refresh, _with_mnemonic(view.refresh_text, "R"))
        self._remedy = view.remedy
        put(self._remedy_button, _with_mnemonic(view.remedy_text, "O"))
        self._remedy_button.setVisible(bool(view.remedy))
        can = (view.can_refresh, view.can_rotate, view.can_clear, view.can_refresh)
        for (button, actions), is_possible in zip(self._workers(), can, strict=True):
            is_working = view.working in actions
            button.setEnabled(is_possible or is_working)  # disabled, it would lose the keyboard to another one
            button.show_work(view.busy if is_working else "")
        buttons = {self._copy, self._remedy_button, *(button for button, _ in self._workers())}
        if had_keyboard in buttons and not (had_keyboard.isEnabled() and had_keyboard.isVisibleTo(self)):
            self._refresh.setFocus()  # Qt would choose the button to snooze

    def show_quit(self, is_shown: bool) -> None:
        """Where there is no icon with a menu, this is the only place to end the program."""
        self._quit.setVisible(is_shown)

    def is_seen(self) -> bool:
        """Whether it is worth rendering: a minimised window shows nothing of it."""
        return self.isVisible() and not self.isMinimized()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit(self.is_seen())

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.shown.emit(self.is_seen())

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        kind = event.type()
        if kind == QEvent.Type.WindowStateChange and self.isVisible():
            self.shown.emit(self.is_seen())
        elif kind == QEvent.Type.LanguageChange:
            self._retranslate()
        elif kind in {QEvent.Type.PaletteChange, QEvent.Type.ThemeChange, QEvent.Type.ApplicationFontChange}:
            self._restyle()

    def _workers(self) -> tuple[tuple[WorkButton, frozenset[Action]], ...]:
        return (
            (self._refresh, frozenset({Action.REFRESH})),
            (self._rotate, frozenset({Action.ROTATE})),
            (self._clear, frozenset({Action.CLEAR, Action.REVOKE})),
            (self._remedy_button, frozenset({Action.UNLOCK})),
        )

    def _snooze_menu(self) -> QMenu:
        menu = QMenu(self)
        self._snoozes = [QAction(menu) for _ in SNOOZES_SECONDS]
        for action, seconds in zip(self._snoozes, SNOOZES_SECONDS, strict=True):
            action.setObjectName(f"snooze{seconds}")
            action.triggered.connect(lambda _=False, seconds=seconds: self.snoozeRequested.emit(seconds))
        self._snooze_end = QAction(menu)
        self._snooze_end.setObjectName("snoozeEnd")
        self._snooze_end.triggered.connect(lambda: self.snoozeRequested.emit(0))
        menu.addActions(self._snoozes)
        menu.addSeparator()
        menu.addAction(self._snooze_end)
        return menu

    def _mend(self) -> None:
        signals = {
            Remedy.ENTER_KEYS: self.loginRequested,
            Remedy.SWITCH_MODE: self.switchModeRequested,
            Remedy.OPEN_PORTAL: self.portalRequested,
            Remedy.UNLOCK_KEYRING: self.unlockRequested,
            Remedy.ROTATE: self.rotateRequested,
        }
        if self._remedy in signals:
            signals[self._remedy].emit()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(6)
        for badge in self._badges:
            head.addWidget(badge)
        head.addWidget(self._profile)
        head.addWidget(self._profiles, 100)
        head.addStretch(1)
        for tool in (self._snooze, self._history, self._settings, self._quit):
            head.addWidget(tool)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self._clear, self._rotate, self._copy):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self._refresh)
        body = QVBoxLayout()
        body.setContentsMargins(20, 14, 20, 18)
        body.setSpacing(12)
        body.addLayout(head)
        self._area = self._scrolled()
        body.addWidget(self._area, 1)
        body.addLayout(buttons)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._busy_line)
        whole.addLayout(body)
        order: list[QWidget] = [self._refresh, self._copy, self._remedy_button, self._go_there, self._open_file]
        order += [self._rotate, self._clear, self._profiles, self._snooze, self._history, self._settings, self._quit]
        for one, following in pairwise(order):
            self.setTabOrder(one, following)
        room = self.screen().availableGeometry().height() - _TITLE_BAR  # a small screen at 150 %, for instance
        self.resize(_WIDTH, min(_HEIGHT, room))
        self._refresh.setFocus()

    def _scrolled(self) -> QScrollArea:
        """What a small screen at 200 %, for instance, has no room for is scrolled; head and buttons stay."""
        area = QScrollArea(self)
        content = QWidget()
        middle = QVBoxLayout(content)
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(12)
        middle.addWidget(self.dial, 1)
        middle.addWidget(self._skew)
        for label, button in ((self._elsewhere, self._go_there), (self._trouble, self._open_file)):
            row = QHBoxLayout()
            row.setSpacing(8)
            label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            row.addWidget(label, 1)
            row.addWidget(button)
            middle.addLayout(row)
        middle.addWidget(self._details)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidgetResizable(True)
        area.setViewport(QWidget())  # one that is not filled; to ask for Qt's own takes PySide 15 ms
        area.setWidget(content)
        content.setAutoFillBackground(False)
        return area

    def _retranslate(self) -> None:
        self._clear.setText(_with_mnemonic(tr("Clear…"), "C"))
        self._clear.setAccessibleName(tr("Clear the token…"))
        self._rotate.setText(_with_mnemonic(tr("Replace…"), "P"))
        self._rotate.setAccessibleName(tr("Revoke the token and get a new one…"))
        self._rotate.setToolTip(self._rotate.accessibleName())
        self._copy.setAccessibleName(tr("Copy the token"))
        self._copy.setToolTip(tr("It leaves the clipboard after {seconds} s.", seconds=KEEP_SECONDS))
        self._open_file.setText(_with_mnemonic(tr("Open the file"), "F"))
        self._go_there.setText(_with_mnemonic(tr("Show"), "W"))
        self._snooze.setText(_with_mnemonic(tr("Snooze"), "N"))
        self._history.setText(_with_mnemonic(tr("History"), "H"))
        self._settings.setText(_with_mnemonic(tr("Settings"), "S"))
        self._quit.setText(_with_mnemonic(tr("Quit"), "Q"))
        self._profiles.setAccessibleName(tr("Profile"))
        for action, seconds in zip(self._snoozes, SNOOZES_SECONDS, strict=True):
            action.setText(duration(seconds))
        self._snooze_end.setText(tr("Warn again"))
        self.dial.setAccessibleName(tr("Life of the token"))
        self._details.retranslate()
        self._keep_room()

    def _restyle(self) -> None:
        tones = window_tones(self.palette())
        style = calm_style(self.palette(), button=(7, 11), main=(7, 14))
        if style:
            style += f"""
                QPushButton[head="true"] {{ border-color: transparent; padding: 5px 8px; }}
                QPushButton[head="true"]:focus {{ border: 2px solid {tones.good.name()}; padding: 4px 7px; }}
                QPushButton::menu-indicator {{ width: 0px; }}
            """
        style += f"#skew, #settingsProblem, #elsewhere {{ color: {tones.low.name()}; }}"
        if style != self._style:
            self._style = style
            self.setStyleSheet(style)  # first, because it takes the labels' palettes back to what they were
        self.dial.set_tones(tones)
        self._details.set_tones(tones)
        self._busy_line.set_colour(tones.good)
        for button, _ in self._workers():
            button.set_colour(tones.good)
        for badge in self._badges:
            badge.update()
        self._keep_room()

    def _keep_room(self) -> None:
        """The countdown on the copy button moves nothing beside it; Qt's form layout would cut the remedy off."""
        self._remedy_button.ensurePolished()
        self._remedy_button.setMinimumHeight(self._remedy_button.sizeHint().height())
        self._copy.keep_room_for(_with_mnemonic(copied_text(KEEP_SECONDS), "Y"))

    def _follow_focus(self, _: QWidget | None, now: QWidget | None) -> None:
        """What the keyboard reaches is seen: Qt scrolls only to what is reached from within the area."""
        if now is not None and self._area.isAncestorOf(now):
            self._area.ensureWidgetVisible(now)


class Dial(QWidget):
    """The ring with the countdown inside."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dial")
        self._tones = window_tones(self.palette())
        self._tone = Tone.QUIET
        self._phase = Phase.NONE
        self._fraction = 0.0
        self._is_alarming = False
        self.headline = _label("headline", self, centred=True)
        self.countdown = Countdown(self)
        self.end = _label("end", self, wrap=True, centred=True)
        self.end_local = _label("endLocal", self, centred=True)
        self._middle = middle = QVBoxLayout(self)
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(2)
        middle.addStretch(1)
        for widget in (self.headline, self.countdown, self.end, self.end_local):
            middle.addWidget(widget)
        middle.addStretch(1)
        self.setMinimumSize(_SMALLEST_DIAL, _SMALLEST_DIAL)
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
        """The ring is painted again only when a pixel of it can have moved."""
        put(self.headline, view.headline)
        nothing = view.phase is Phase.NONE
        self.countdown.show_text("–:––:––" if nothing else view.countdown, view.remaining, faint=nothing)
        put(self.end, view.end)
        put(self.end_local, view.end_local)
        self.end_local.setVisible(bool(view.end_local))
        self.setAccessibleDescription(view.remaining)
        quantised = round(view.fraction, 4)
        shown = (view.phase, quantised, view.tone, view.end_is_alarming)
        if shown != (self._phase, self._fraction, self._tone, self._is_alarming):
            self._phase, self._fraction, self._tone, self._is_alarming = shown
            self._colour_texts()
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(_DIAL, _DIAL)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        box = self._box()
        side = box.width()
        beside = round((self.width() - side * 0.8) / 2)
        self._middle.setContentsMargins(beside, 0, beside, round(self.height() - side - 2 * box.top()))
        self.countdown.set_digit_height(side * 0.185, side * 0.8)

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self._box()
        thickness = max(10.0, box.width() * 0.056)
        colour = self._tones.of(self._tone)
        faint = text_colour(self.palette())
        faint.setAlphaF(faint.alphaF() * (0.6 if is_high_contrast() else 0.22))
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
        """At the top and of its own size, so that it stays where it is while the sentences below grow and shrink."""
        side = min(self.width(), self.height(), max(_DIAL, round(self.height() * 0.7))) - 4
        return QRectF((self.width() - side) / 2, 2, side, side)

    def _colour_texts(self) -> None:
        colour_text(self.headline, self._tones.of(self._tone))
        text = text_colour(self.palette())
        colour_text(self.end, self._tones.bad if self._is_alarming else text)


class Countdown(QWidget):
    """Large digits that each have a cell of the same width, so nothing moves as they change."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("countdown")
        self._text = ""
        self._digit = 0.0
        self._colon = 0.0
        self._room = 0.0
        self._faint = False

    def text(self) -> str:
        return self._text

    def show_text(self, text: str, spoken: str, *, faint: bool = False) -> None:
        """`spoken` is what a screen reader says: to the minute, so that it does not chatter."""
        self._faint = faint
        if spoken != self.accessibleName():
            self.setAccessibleName(spoken)
        if text != self._text:
            longer = len(text) != len(self._text)
            self._text = text
            if longer:
                self.updateGeometry()
            self.update()

    def set_digit_height(self, pixels: float, room: float) -> None:
        """Digits of this height, or smaller ones where the text would be wider than `room`."""
        self._room = room
        font = QFont(self.font())
        font.setPixelSize(max(12, round(pixels)))
        font.setWeight(QFont.Weight.DemiBold)
        self.setFont(font)
        metrics = QFontMetricsF(font)
        self._digit = max(metrics.horizontalAdvance(digit) for digit in "0123456789")
        self._colon = metrics.horizontalAdvance(":") * 1.15
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(round(self._width()), round(QFontMetricsF(self.font()).height()))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        colour = text_colour(self.palette())
        if self._faint:
            colour.setAlphaF(colour.alphaF() * 0.4)
        painter.setPen(colour)
        painter.setFont(self.font())
        scale = min(1.0, self._room / max(1.0, self._width()))
        painter.translate(self.width() / 2, self.height() / 2)
        painter.scale(scale, scale)
        height = float(self.height())
        left = -self._width() / 2
        for character in self._text:
            width = self._colon if character == ":" else self._digit
            painter.drawText(QRectF(left, -height / 2, width, height), Qt.AlignmentFlag.AlignCenter, character)
            left += width

    def _width(self) -> float:
        colons = self._text.count(":")
        return self._colon * colons + self._digit * (len(self._text) - colons)


class BadgeLabel(QLabel):
    """A word in a pill: filled for real money, an edge for mock, a dashed edge for practice."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind = REAL
        font = self.font()
        font.setBold(True)
        self.setFont(font)
        self.setContentsMargins(11, 4, 11, 4)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def show_badge(self, badge: Badge | None) -> None:
        self.setVisible(badge is not None)
        if badge is not None and (badge.kind, badge.text) != (self._kind, self.text()):
            self._kind = badge.kind
            self.setText(badge.text)
            self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        text, ground = _BADGE_COLOURS[self._kind][0 if is_dark(self.palette()) else 1]
        if is_high_contrast():
            text = text_colour(self.palette()).name()
            ground = ""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        pen = QPen(QColor(ground or text), 1.5)
        if self._kind == SANDBOX:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(QColor(ground) if ground else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        painter.setPen(QColor(text))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())


class ProfileBox(QComboBox):
    """The profiles to choose from. It shows the one that a view says is chosen, whatever was clicked."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("profileBox")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._lines: tuple[ProfileLine, ...] = ()
        self.activated.connect(self._choose)
        self.hide()

    def show_profiles(self, lines: tuple[ProfileLine, ...]) -> None:
        if lines == self._lines:
            return
        if len(lines) != self.count():
            self.clear()
            self.addItems([line.text for line in lines])
        self._lines = lines
        for number, line in enumerate(lines):
            self.setItemText(number, line.text)
        self._show_icons()
        self._show_chosen()
        self.setVisible(bool(lines))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._show_icons()

    def _show_icons(self) -> None:
        dark = is_dark(self.palette())
        for number, line in enumerate(self._lines):
            self.setItemIcon(number, list_icon(line.icon, dark))

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        """Styles cut a text that has no room in the middle of a letter."""
        super().initStyleOption(option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, self).width()
        room -= self.iconSize().width() + 8
        option.currentText = self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room)

    def _show_chosen(self) -> None:
        for number, line in enumerate(self._lines):
            if line.chosen:
                self.setCurrentIndex(number)

    def _choose(self, number: int) -> None:
        line = self._lines[number]
        self._show_chosen()
        if not line.chosen:
            self.chosen.emit(line.name)


class WorkButton(QPushButton):
    """A button along whose lower edge a light runs while what it asked for is being done. It asks once at a time."""

    asked = Signal()

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._light = Light(self)
        self.clicked.connect(self._ask)

    def is_working(self) -> bool:
        return self._light.is_on()

    def set_colour(self, colour: QColor) -> None:
        self._light.set_colour(colour)

    def show_work(self, text: str) -> None:
        """`text` says what is being done, or is empty."""
        self._light.show_work(text)
        self.setAccessibleDescription(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._light.setGeometry(8, self.height() - 5, self.width() - 16, 3)

    def keep_room_for(self, text: str) -> None:
        """It does not grow when this comes to stand on it."""
        self.ensurePolished()
        now, room = self.text(), 0
        for one in (now, text):
            self.setText(one)
            room = max(room, self.sizeHint().width())
        self.setText(now)
        self.setMinimumWidth(room)

    def _ask(self) -> None:
        if not self.is_working():
            self.asked.emit()


class _Details(QFrame):
    """Where it lies, what happened, what comes."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("details")
        mark(self, "card")
        self._tones = window_tones(self.palette())
        self._last_tone = Tone.QUIET
        self.place = _label("place", self)
        self.path = ElidedLabel(self)
        self.path.setObjectName("placePath")
        self.why = _label("placeWhy", self, wrap=True)
        self.last = _label("last", self, wrap=True)
        self.last_at = _label("lastAt", self)
        self.coming = _label("coming", self, wrap=True)
        self.remedy = WorkButton("remedyButton", self)
        self.remedy.hide()
        self._names = [_label(f"name{number}", self) for number in range(3)]
        place = QVBoxLayout()
        last = QVBoxLayout()
        for box in (place, last):
            box.setSpacing(1)
        for widget in (self.place, self.path, self.why):
            place.addWidget(widget)
        last.addWidget(self.last)
        last.addWidget(self.remedy, 0, Qt.AlignmentFlag.AlignLeft)
        form = QFormLayout(self)
        form.setContentsMargins(14, 12, 14, 12)
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(9)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(self._names[0], place)
        form.addRow(self._names[1], last)
        form.addRow(self._names[2], self.coming)
        self.last_at.hide()
        self.path.hide()
        self.why.hide()
        for label in (self.last, self.coming):
            label.setMinimumHeight(2 * label.fontMetrics().lineSpacing())

    def retranslate(self) -> None:
        for label, text in zip(
            self._names,
            (tr("Kept in"), tr("Last"), tr("Next")),
            strict=True,
        ):
            label.setText(text)

    def show_view(self, view: View) -> None:
        put(self.place, view.place or "–")
        self.path.show_text(view.place_path)
        put(self.why, view.place_why)
        self.why.setVisible(bool(view.place_why))
        put(self.last, f"{view.last_at} · {view.last}" if view.last else "–")
        snooze = view.snooze_text if view.is_snoozed else ""
        put(self.coming, "\n".join(text for text in (view.coming, snooze) if text) or "–")
        if view.last_tone is not self._last_tone:
            self._last_tone = view.last_tone
            self._colour_texts()

    def set_tones(self, tones: Tones) -> None:
        self._tones = tones
        self._colour_texts()

    def _colour_texts(self) -> None:
        text = text_colour(self.palette())
        last = text if self._last_tone is Tone.QUIET else self._tones.of(self._last_tone)
        for label, colour in (
            (self.place, text),
            (self.coming, text),
            (self.last, last),
            (self.why, self._tones.low),
            (self.path, self._tones.quiet),
        ):
            colour_text(label, colour)
        for label in self._names:
            colour_text(label, self._tones.quiet)


class ElidedLabel(QLabel):
    """One line, a path for instance, that leaves out its middle when there is no room; whole as a tooltip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_text(self, text: str) -> None:
        self.setVisible(bool(text))
        if text != self._whole:
            self._whole = text
            self.setToolTip(text)
            self.setAccessibleName(text)
            self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, self.width()))


def _label(name: str, parent: QWidget, *, wrap: bool = False, centred: bool = False) -> QLabel:
    label = QLabel(parent)
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wrap)
    if centred:
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    else:
        label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    return label


def _button(name: str, parent: QWidget) -> QPushButton:
    button = QPushButton(parent)
    button.setObjectName(name)
    return button


def _head_button(name: str, parent: QWidget) -> QPushButton:
    button = _button(name, parent)
    button.setFlat(True)
    mark(button, "head")
    return button


def _with_mnemonic(text: str, letter: str) -> str:
    """`text` with `letter` as its key: marked where it stands, in brackets behind Korean as is the custom there."""
    at = text.lower().find(letter.lower())
    if at < 0 and text[:1].isascii():
        at = 0
    if at >= 0 and text:
        return f"{text[:at]}&{text[at:]}"
    if text.endswith("…"):
        return f"{text[:-1]}(&{letter})…"
    return f"{text}(&{letter})" if text else ""
