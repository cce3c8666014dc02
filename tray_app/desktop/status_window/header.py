"""The top of the status window: badges, account, and the buttons for snooze, history, settings and quit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from tray_app.core.language import tr
from tray_app.core.wording import duration
from tray_app.desktop import SNOOZES_SECONDS
from tray_app.desktop.status_window.badge import BadgeLabel
from tray_app.desktop.theme.stylesheet import set_role
from tray_app.desktop.widgets.accessible import with_mnemonic
from tray_app.desktop.widgets.basics import set_text
from tray_app.desktop.widgets.elided_label import ElidedLabel

if TYPE_CHECKING:
    from tray_app.desktop.view.model import View


class Header(QWidget):
    """Render the badges and the account of a `View` and report which button was pressed."""

    snooze_requested = Signal(int)
    """Seconds without warnings; 0 ends the snooze."""
    history_requested = Signal()
    settings_requested = Signal()
    quit_requested = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._badges = [BadgeLabel(self), BadgeLabel(self)]
        for number, badge in enumerate(self._badges):
            badge.setObjectName(f"badge{number}")
            badge.hide()
        self._profile = ElidedLabel(self)
        self._profile.setObjectName("profile")
        self._snooze = self._make_button("snoozeButton")
        self._snooze.setMenu(self._snooze_menu())
        self._history = self._make_button("historyButton")
        self._history.clicked.connect(self.history_requested)
        self._settings = self._make_button("settingsButton")
        self._settings.clicked.connect(self.settings_requested)
        self._quit = self._make_button("quitButton")
        self._quit.clicked.connect(self.quit_requested)
        self._quit.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for badge in self._badges:
            row.addWidget(badge)
        row.addWidget(self._profile, 100)
        row.addStretch(1)
        for button in (self._snooze, self._history, self._settings, self._quit):
            row.addWidget(button)

    def focus_order(self) -> list[QWidget]:
        """Return the widgets that take the focus, in the order of the Tab key."""
        return [self._snooze, self._history, self._settings, self._quit]

    def show_view(self, view: View) -> None:
        for number, label in enumerate(self._badges):
            label.show_badge(view.badges[number] if number < len(view.badges) else None)
        self._profile.show_text(view.profile)
        self._snooze_end.setEnabled(view.is_snoozed)

    def show_quit(self, is_shown: bool) -> None:
        self._quit.setVisible(is_shown)

    def retranslate(self) -> None:
        set_text(self._snooze, with_mnemonic(tr("Snooze"), "N"))
        set_text(self._history, with_mnemonic(tr("History"), "H"))
        set_text(self._settings, with_mnemonic(tr("Settings"), "S"))
        set_text(self._quit, with_mnemonic(tr("Quit"), "Q"))
        for action, seconds in zip(self._snoozes, SNOOZES_SECONDS, strict=True):
            action.setText(duration(seconds))
        self._snooze_end.setText(tr("Warn again"))

    def restyle(self) -> None:
        """Repaint what the palette colours."""
        for badge in self._badges:
            badge.update()

    def _make_button(self, name: str) -> QPushButton:
        button = QPushButton(self)
        button.setObjectName(name)
        button.setFlat(True)
        set_role(button, "head")
        return button

    def _snooze_menu(self) -> QMenu:
        menu = QMenu(self)
        self._snoozes = [QAction(menu) for _ in SNOOZES_SECONDS]
        for action, seconds in zip(self._snoozes, SNOOZES_SECONDS, strict=True):
            action.setObjectName(f"snooze{seconds}")
            action.triggered.connect(lambda _=False, seconds=seconds: self.snooze_requested.emit(seconds))
        self._snooze_end = QAction(menu)
        self._snooze_end.setObjectName("snoozeEnd")
        self._snooze_end.triggered.connect(lambda: self.snooze_requested.emit(0))
        menu.addActions(self._snoozes)
        menu.addSeparator()
        menu.addAction(self._snooze_end)
        return menu
