"""The status window of one account. Renders a `View`."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QHideEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.errors import Remedy
from tray_app.core.language import tr
from tray_app.core.state import Action
from tray_app.core.wording import duration
from tray_app.desktop.clipboard import KEEP_SECONDS
from tray_app.desktop.icons.app_icon import app_icon
from tray_app.desktop.theme.colours import window_tones
from tray_app.desktop.theme.stylesheet import set_role, window_stylesheet
from tray_app.desktop.view.menu import SNOOZES_SECONDS, copied_text
from tray_app.desktop.widgets.basics import set_text
from tray_app.desktop.widgets.busy_line import BusyLine
from tray_app.desktop.widgets.tool_window import ToolWindow

if TYPE_CHECKING:
    from tray_app.desktop.view.model import View
from tray_app.desktop.status_window.badge import BadgeLabel
from tray_app.desktop.status_window.dial import Dial
from tray_app.desktop.status_window.mnemonic import with_mnemonic
from tray_app.desktop.status_window.profile_box import ProfileBox
from tray_app.desktop.status_window.token_card import TokenCard
from tray_app.desktop.widgets.labels import make_label
from tray_app.desktop.widgets.work_button import WorkButton

_WIDTH, _HEIGHT = 460, 640


_TITLE_BAR = 40


class StatusWindow(ToolWindow):
    """Render a `View`. Closing hides the window; its owner updates it while it is visible."""

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
    """Seconds without warnings; 0 ends the snooze."""
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
        self._busy_line = BusyLine(self)
        self._busy_line.setObjectName("busyLine")
        self._busy_line.setFixedHeight(3)
        self._profile = make_label("profile", self)
        self._profiles = ProfileBox(self)
        self._profiles.chosen.connect(self.profileChosen)
        self._snooze = _make_head_button("snoozeButton", self)
        self._snooze.setMenu(self._snooze_menu())
        self._history = _make_head_button("historyButton", self)
        self._history.clicked.connect(self.historyRequested)
        self._settings = _make_head_button("settingsButton", self)
        self._settings.clicked.connect(self.settingsRequested)
        self._badges = [BadgeLabel(self), BadgeLabel(self)]
        for number, badge in enumerate(self._badges):
            badge.setObjectName(f"badge{number}")
            badge.hide()
        self.dial = Dial(self)
        self._clock_skew = make_label("skew", self, wrap=True)
        self._clock_skew.hide()
        self._settings_problem = make_label("settingsProblem", self, wrap=True)
        self._open_file = _make_button("openSettingsButton", self)
        self._open_file.clicked.connect(self.openSettingsFileRequested)
        self._elsewhere = make_label("elsewhere", self, wrap=True)
        self._elsewhere_profile = ""
        self._show_elsewhere = _make_button("showButton", self)
        self._show_elsewhere.clicked.connect(lambda: self.profileChosen.emit(self._elsewhere_profile))
        for widget in (self._settings_problem, self._open_file, self._elsewhere, self._show_elsewhere):
            widget.hide()
        self._details = TokenCard(self)
        self._remedy_button = self._details.remedy
        self._clear = WorkButton("clearButton", self)
        self._rotate = WorkButton("rotateButton", self)
        self._copy = WorkButton("copyButton", self)
        self._refresh = WorkButton("refreshButton", self)
        set_role(self._refresh, "main")
        self._refresh.setDefault(True)
        self._clear.asked.connect(self.clearRequested)
        self._rotate.asked.connect(self.rotateRequested)
        self._copy.asked.connect(self.copyRequested)
        self._refresh.asked.connect(self.refreshRequested)
        self._quit = _make_head_button("quitButton", self)
        self._quit.clicked.connect(self.quitRequested)
        self._quit.hide()
        self._remedy_button.asked.connect(self._apply_remedy)
        self._lay_out()
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._follow_focus)
        self._retranslate()
        self._restyle()

    def show_view(self, view: View) -> None:
        """Render `view`. Cheap when little has changed, so it may be called every second."""
        had_keyboard = self.focusWidget()
        set_text(self._profile, view.profile)
        self._profile.setVisible(not view.profiles)
        self._profiles.show_profiles(view.profiles)
        # Qt appends the program's name to a title that does not end with it
        self.setWindowTitle(f"{view.profile} - {view.title}" if view.profile else view.title)
        for number, label in enumerate(self._badges):
            label.show_badge(view.badges[number] if number < len(view.badges) else None)
        self.dial.show_view(view)
        self._clock_skew.setVisible(bool(view.skew))
        set_text(self._clock_skew, view.skew)
        self._details.show_view(view)
        for text, *row in (
            (view.settings_problem, self._settings_problem, self._open_file),
            (view.elsewhere, self._elsewhere, self._show_elsewhere),
        ):
            for widget in row:
                widget.setVisible(bool(text))
        set_text(self._settings_problem, view.settings_problem)
        set_text(self._elsewhere, view.elsewhere)
        self._elsewhere_profile = view.elsewhere_profile
        self._busy_line.show_progress(view.busy)
        self._snooze_end.setEnabled(view.is_snoozed)
        self._copy.setEnabled(view.can_copy)
        set_text(self._copy, with_mnemonic(view.copy_text, "Y"))
        spoken = tr("It is on the clipboard.") if view.is_copied else ""
        self._copy.setAccessibleDescription(spoken)
        set_text(self._refresh, with_mnemonic(view.refresh_text, "K"))
        self._remedy = view.remedy
        set_text(self._remedy_button, with_mnemonic(view.remedy_text, "O"))
        self._remedy_button.setVisible(bool(view.remedy))
        can = (view.can_refresh, view.can_rotate, view.can_clear, view.can_refresh)
        for (button, actions), is_possible in zip(self._action_buttons(), can, strict=True):
            is_working = view.working in actions
            button.setEnabled(is_possible or is_working)  # a disabled button would lose the focus
            button.show_progress(view.busy if is_working else "")
        buttons = {self._copy, self._remedy_button, *(button for button, _ in self._action_buttons())}
        if had_keyboard in buttons and not (had_keyboard.isEnabled() and had_keyboard.isVisibleTo(self)):
            self._refresh.setFocus()  # Qt would choose the snooze button

    def show_quit(self, is_shown: bool) -> None:
        """Show the button to quit, needed only where no tray menu has one."""
        self._quit.setVisible(is_shown)

    def is_seen(self) -> bool:
        """Return whether the window is visible and not minimised."""
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

    def _action_buttons(self) -> tuple[tuple[WorkButton, frozenset[Action]], ...]:
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

    def _apply_remedy(self) -> None:
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
        order: list[QWidget] = [self._refresh, self._copy, self._remedy_button, self._show_elsewhere, self._open_file]
        order += [self._rotate, self._clear, self._profiles, self._snooze, self._history, self._settings, self._quit]
        for one, following in pairwise(order):
            self.setTabOrder(one, following)
        room = self.screen().availableGeometry().height() - _TITLE_BAR  # for instance a small screen at 150 %
        self.resize(_WIDTH, min(_HEIGHT, room))
        self._refresh.setFocus()

    def _scrolled(self) -> QScrollArea:
        """Return the middle of the window, which scrolls on small screens; head and buttons stay in place."""
        area = QScrollArea(self)
        content = QWidget()
        middle = QVBoxLayout(content)
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(12)
        middle.addWidget(self.dial, 1)
        middle.addWidget(self._clock_skew)
        for label, button in ((self._elsewhere, self._show_elsewhere), (self._settings_problem, self._open_file)):
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
        area.setViewport(QWidget())  # one without a background; asking PySide for Qt's own takes 15 ms
        area.setWidget(content)
        content.setAutoFillBackground(False)
        return area

    def _retranslate(self) -> None:
        self._clear.setText(with_mnemonic(tr("Remove…"), "M"))
        self._clear.setAccessibleName(tr("Remove or revoke the token…"))
        self._rotate.setText(with_mnemonic(tr("Reissue…"), "R"))
        self._rotate.setAccessibleName(tr("Revoke the token and issue a new one…"))
        self._rotate.setToolTip(self._rotate.accessibleName())
        self._copy.setAccessibleName(tr("Copy the token"))
        self._copy.setToolTip(tr("It is removed from the clipboard after {seconds} s.", seconds=KEEP_SECONDS))
        self._open_file.setText(with_mnemonic(tr("Open the file"), "F"))
        self._show_elsewhere.setText(with_mnemonic(tr("Show"), "W"))
        self._snooze.setText(with_mnemonic(tr("Snooze"), "N"))
        self._history.setText(with_mnemonic(tr("History"), "H"))
        self._settings.setText(with_mnemonic(tr("Settings"), "S"))
        self._quit.setText(with_mnemonic(tr("Quit"), "Q"))
        self._profiles.setAccessibleName(tr("Profile"))
        for action, seconds in zip(self._snoozes, SNOOZES_SECONDS, strict=True):
            action.setText(duration(seconds))
        self._snooze_end.setText(tr("Warn again"))
        self.dial.setAccessibleName(tr("Time until the token expires"))
        self._details.retranslate()
        self._reserve_room()

    def _restyle(self) -> None:
        tones = window_tones(self.palette())
        style = window_stylesheet(self.palette(), button=(7, 11), main=(7, 14))
        if style:
            style += f"""
                QPushButton[head="true"] {{ border-color: transparent; padding: 5px 8px; }}
                QPushButton[head="true"]:focus {{ border: 2px solid {tones.good.name()}; padding: 4px 7px; }}
                QPushButton::menu-indicator {{ width: 0px; }}
            """
        style += f"#skew, #settingsProblem, #elsewhere {{ color: {tones.low.name()}; }}"
        if style != self._style:
            self._style = style
            self.setStyleSheet(style)  # first, because it resets the palettes of the labels
        self.dial.set_tones(tones)
        self._details.set_tones(tones)
        self._busy_line.set_colour(tones.good)
        for button, _ in self._action_buttons():
            button.set_colour(tones.good)
        for badge in self._badges:
            badge.update()
        self._reserve_room()

    def _reserve_room(self) -> None:
        """Reserve room for the longest text of the copy button and for the whole remedy button.

        Qt's form layout would cut the latter off.
        """
        self._remedy_button.ensurePolished()
        self._remedy_button.setMinimumHeight(self._remedy_button.sizeHint().height())
        self._copy.reserve_width_for(with_mnemonic(copied_text(KEEP_SECONDS), "Y"))

    def _follow_focus(self, _: QWidget | None, now: QWidget | None) -> None:
        """Scroll to the widget that got the focus: Qt does so only for moves within the scroll area."""
        if now is not None and self._area.isAncestorOf(now):
            self._area.ensureWidgetVisible(now)


def _make_button(name: str, parent: QWidget) -> QPushButton:
    button = QPushButton(parent)
    button.setObjectName(name)
    return button


def _make_head_button(name: str, parent: QWidget) -> QPushButton:
    button = _make_button(name, parent)
    button.setFlat(True)
    set_role(button, "head")
    return button
