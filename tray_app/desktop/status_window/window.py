"""The status window of one account."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QApplication, QScrollArea, QVBoxLayout, QWidget

from tray_app.core.errors import Remedy
from tray_app.core.language import tr
from tray_app.desktop.icons.app_icon import app_icon
from tray_app.desktop.status_window.account_list import AccountList
from tray_app.desktop.status_window.action_bar import ActionBar
from tray_app.desktop.status_window.dial import Dial
from tray_app.desktop.status_window.header import Header
from tray_app.desktop.status_window.message_row import MessageRow
from tray_app.desktop.status_window.token_card import TokenCard
from tray_app.desktop.theme.colours import window_tones
from tray_app.desktop.theme.fonts import korean_font_hint
from tray_app.desktop.theme.stylesheet import LOOK_CHANGES, set_stylesheet, window_stylesheet
from tray_app.desktop.widgets.accessible import with_mnemonic
from tray_app.desktop.widgets.basics import make_label, make_scroll_area, set_text
from tray_app.desktop.widgets.busy_line import BusyLine
from tray_app.desktop.widgets.tool_window import ToolWindow, available_room

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent, QShowEvent

    from tray_app.desktop.view.model import View

_WIDTH, _HEIGHT = 460, 632
_CRAMPED_HEIGHT = 500


class StatusWindow(ToolWindow):
    """Render a `View`. Closing hides the window; its owner updates it while it is visible."""

    refresh_requested = Signal()
    clear_requested = Signal()
    remedy_requested = Signal(str)
    """A `Remedy`."""
    rotate_requested = Signal()
    copy_requested = Signal()
    snooze_requested = Signal(int)
    """Seconds without warnings; 0 ends the snooze."""
    profile_chosen = Signal(str)
    settings_requested = Signal()
    history_requested = Signal()
    open_settings_file_requested = Signal()
    quit_requested = Signal()
    shown = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenWindow")
        self.setWindowIcon(app_icon())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # for when the main button cannot be used
        self._remedy = Remedy.NONE
        room = available_room(self)
        self._is_cramped = room.width() <= _WIDTH or room.height() < _CRAMPED_HEIGHT
        self._busy_line = BusyLine(self)
        self._busy_line.setObjectName("busyLine")
        self._busy_line.setFixedHeight(3)
        self._header = Header(self)
        self.dial = Dial(self, is_small=self._is_cramped)
        self._accounts = AccountList(self)
        self._font_hint = make_label("fontHint", self, wrap=True)
        self._clock_skew = make_label("skew", self, wrap=True)
        self._clock_skew.hide()
        self._settings_problem = MessageRow("settingsProblem", "openSettingsButton", self)
        self._card = TokenCard(self)
        self._actions = ActionBar(self)
        self._connect()
        self._lay_out()
        self._retranslate()
        self._restyle()

    def show_view(self, view: View) -> None:
        """Render `view`. Cheap when little has changed, so it may be called every second."""
        focused = self.focusWidget()
        # Qt appends the program's name to a title that does not end with it
        self.setWindowTitle(f"{view.profile} - {view.title}" if view.profile else view.title)
        self._header.show_view(view)
        self.dial.show_view(view)
        self._accounts.show_profiles(view.profiles)
        self.dial.set_compact(bool(view.profiles) or self._is_cramped)
        self._clock_skew.setVisible(bool(view.skew))
        set_text(self._clock_skew, view.skew)
        self._settings_problem.show_message(view.settings_problem, has_button=view.remedy != Remedy.FIX_SETTINGS)
        self._card.show_view(view)
        self._remedy = view.remedy
        self._busy_line.show_progress(view.busy)
        self._actions.show_view(view)
        actions = self._actions
        buttons = {actions.copy, actions.remedy, actions.refresh, actions.rotate, actions.clear}
        is_of_no_use = focused in buttons and not (focused.isEnabled() and focused.isVisibleTo(self))
        if is_of_no_use or focused is self:  # Qt would choose the snooze button
            self._focus_main_button()

    def show_quit(self, is_shown: bool) -> None:
        """Show the button to quit, needed only where no tray menu has one."""
        self._header.show_quit(is_shown)

    def is_seen(self) -> bool:
        """Return whether the window is visible and not minimised."""
        return self.isVisible() and not self.isMinimized()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._focus_main_button()
        self.shown.emit(self.is_seen())

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.shown.emit(self.is_seen())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        kind = event.type()
        if kind == QEvent.Type.WindowStateChange and self.isVisible():
            self.shown.emit(self.is_seen())
        elif kind == QEvent.Type.LanguageChange:
            self._retranslate()
        elif kind in LOOK_CHANGES:
            self._restyle()

    def _connect(self) -> None:
        header, actions = self._header, self._actions
        self._accounts.chosen.connect(self.profile_chosen)
        header.snooze_requested.connect(self.snooze_requested)
        header.history_requested.connect(self.history_requested)
        header.settings_requested.connect(self.settings_requested)
        header.quit_requested.connect(self.quit_requested)
        self._settings_problem.clicked.connect(self.open_settings_file_requested)
        actions.remedy.asked.connect(lambda: self.remedy_requested.emit(self._remedy))
        actions.clear.asked.connect(self.clear_requested)
        actions.rotate.asked.connect(self.rotate_requested)
        actions.copy.asked.connect(self.copy_requested)
        actions.refresh.asked.connect(self.refresh_requested)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._follow_focus)

    def _lay_out(self) -> None:
        body = QVBoxLayout()
        if self._is_cramped:
            body.setContentsMargins(8, 4, 8, 6)
            body.setSpacing(6)
        else:
            body.setContentsMargins(20, 14, 20, 18)
            body.setSpacing(12)
        body.addWidget(self._header)
        self._area = self._scroll_area()
        body.addWidget(self._area, 1)
        body.addWidget(self._actions)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._busy_line)
        whole.addLayout(body)
        actions = self._actions
        order: list[QWidget] = [actions.remedy, actions.refresh, actions.copy]
        order += [self._settings_problem.button, actions.rotate, actions.clear]
        for one, following in pairwise([*order, *self._header.focus_order()]):
            self.setTabOrder(one, following)
        self.resize(available_room(self).boundedTo(QSize(_WIDTH, _HEIGHT)))
        actions.refresh.setFocus()

    def _scroll_area(self) -> QScrollArea:
        """Return the middle of the window, which scrolls on small screens; header and buttons stay in place."""
        area = make_scroll_area("", self)
        content = QWidget()
        middle = QVBoxLayout(content)
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(12)
        middle.addWidget(self.dial, 1)
        for widget in (
            self._font_hint,
            self._accounts,
            self._clock_skew,
            self._settings_problem,
            self._card,
        ):
            middle.addWidget(widget)
        area.setViewport(QWidget())  # one without a background; asking PySide for Qt's own takes 15 ms
        area.setWidget(content)
        content.setAutoFillBackground(False)
        return area

    def _retranslate(self) -> None:
        self._header.retranslate()
        self.dial.setAccessibleName(tr("Time until the token expires"))
        set_text(self._settings_problem.button, with_mnemonic(tr("Open the settings file"), "F"))
        self._card.retranslate()
        self._actions.retranslate()
        hint = korean_font_hint()
        set_text(self._font_hint, hint)
        self._font_hint.setVisible(bool(hint))
        self._actions.reserve_room()

    def _restyle(self) -> None:
        tones = window_tones(self.palette())
        button, main, head = ((4, 5), (4, 7), 3) if self._is_cramped else ((7, 11), (7, 14), 8)
        style = window_stylesheet(self.palette(), button=button, main=main)
        if style:
            style += f"""
                QPushButton[head="true"] {{ border-color: transparent; padding: 5px {head}px; }}
                QPushButton[head="true"]:focus {{ border: 2px solid {tones.good.name()}; padding: 4px {head - 1}px; }}
                QPushButton[row="true"] {{ border-color: transparent; padding: 4px 8px; text-align: left; }}
                QPushButton[row="true"]:focus {{ border: 2px solid {tones.good.name()}; padding: 3px 7px; }}
                QPushButton::menu-indicator {{ width: 0px; }}
            """
        style += f"#skew, #fontHint, #settingsProblem {{ color: {tones.low.name()}; }}"
        set_stylesheet(self, style)  # first, because it resets the palettes of the labels
        self._header.restyle()
        self.dial.set_tones(tones)
        self._card.set_tones(tones)
        self._busy_line.set_colour(tones.good)
        self._actions.set_colour(tones.good)
        self._actions.reserve_room()

    def _focus_main_button(self) -> None:
        button = self._actions.main_button()
        (button if button.isEnabled() else self).setFocus()

    def _follow_focus(self, _: QWidget | None, now: QWidget | None) -> None:
        """Scroll to the widget that got the focus: Qt does so only for moves within the scroll area."""
        if now is not None and self._area.isAncestorOf(now):
            self._area.ensureWidgetVisible(now)
