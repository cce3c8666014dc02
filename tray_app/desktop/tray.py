"""The tray icon and its menu."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from tray_app.desktop.icon import tray_icon
from tray_app.desktop.theme import panel_is_dark

if TYPE_CHECKING:
    from tray_app.desktop.view import View

translate = QCoreApplication.translate

_PANEL_SERVICE = "org.kde.StatusNotifierWatcher"
_RETRY_MILLISECONDS = 30_000
_MISSED_MILLISECONDS = 5_000
"""A panel that restarts is back by then."""


class Tray(QObject):
    """Renders a `View`. `available(bool)` tells when the panel took the icon or has gone.

    The menu has a fixed number of entries: panels that read it over D-Bus show new ones late.
    """

    open_requested = Signal()
    refresh_requested = Signal()
    clear_requested = Signal()
    quit_requested = Signal()
    available = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: View | None = None
        self._shown: tuple[object, ...] = ()
        self._icon: QSystemTrayIcon | None = None
        self._was_available: bool | None = None
        self._menu = QMenu()
        self._status = self._entry("status", translate("Tray", "Starting…"), None)
        self._status.setEnabled(False)
        self._menu.addSeparator()
        self._refresh = self._entry("refresh", translate("Tray", "Refresh now"), self.refresh_requested)
        self._clear = self._entry("clear", translate("Tray", "Clear token…"), self.clear_requested)
        self._menu.addSeparator()
        self._entry("open", translate("Tray", "Open"), self.open_requested)
        self._entry("quit", translate("Tray", "Quit"), self.quit_requested)
        self._look_again = QTimer(self, singleShot=True)
        self._look_again.timeout.connect(self._look_for_panel)
        if sys.platform == "linux":
            self._follow_panel()

    def start(self) -> None:
        self._make_icon()

    def is_available(self) -> bool:
        return QSystemTrayIcon.isSystemTrayAvailable()

    def show_view(self, view: View) -> None:
        """Changes only what is different, because each change is a message to the panel."""
        self._view = view
        dark = panel_is_dark()
        picture, rest = (view.icon, dark), (view.menu_status, view.refresh_text, view.can_refresh, view.can_clear)
        if self._icon is None or (picture, view.tooltip, rest) == self._shown:
            return
        self._shown, before = (picture, view.tooltip, rest), self._shown
        if before[:1] != (picture,):
            self._icon.setIcon(tray_icon(view.icon, dark, mask=sys.platform == "darwin"))
        if before[1:2] != (view.tooltip,):
            self._icon.setToolTip(view.tooltip)
        self._status.setText(view.menu_status.replace("&", "&&"))
        self._refresh.setText(view.refresh_text)
        self._refresh.setEnabled(view.can_refresh)
        self._clear.setEnabled(view.can_clear)

    def balloon(self, title: str, body: str, urgent: bool) -> None:
        """Qt's own notice."""
        if self._icon is not None:
            kind = QSystemTrayIcon.MessageIcon.Warning if urgent else QSystemTrayIcon.MessageIcon.Information
            self._icon.showMessage(title, body, kind)

    def _entry(self, name: str, text: str, signal: object) -> QAction:
        action = QAction(text, self._menu)
        action.setObjectName(name)
        if signal is not None:
            action.triggered.connect(signal)
        self._menu.addAction(action)
        return action

    def _make_icon(self) -> None:
        """Qt does not take an icon to a panel that comes up later (seen with 6.12): a new icon goes there."""
        if self._icon is not None:
            self._icon.hide()
            self._icon.deleteLater()
        self._icon = QSystemTrayIcon(self)
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._activated)
        self._icon.messageClicked.connect(self.open_requested)
        if self._view is not None:
            self._icon.setIcon(tray_icon(self._view.icon, panel_is_dark(), mask=sys.platform == "darwin"))
        self._icon.show()
        self._shown = ()
        if self._view is not None:
            self.show_view(self._view)  # Windows forgets the tooltip of an icon that was not shown
        self._tell_availability()

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in {QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick}:
            self.open_requested.emit()

    def _follow_panel(self) -> None:
        from PySide6.QtDBus import QDBusConnection, QDBusServiceWatcher

        self._watcher = QDBusServiceWatcher(_PANEL_SERVICE, QDBusConnection.sessionBus(), parent=self)
        self._watcher.serviceRegistered.connect(lambda _: self._make_icon())
        self._watcher.serviceUnregistered.connect(lambda _: self._look_again.start(_MISSED_MILLISECONDS))

    def _look_for_panel(self) -> None:
        """A tray of the older kind announces itself nowhere."""
        if self.is_available() and self._was_available is False:
            self._make_icon()
        else:
            self._tell_availability()

    def _tell_availability(self) -> None:
        now = self.is_available()
        if now != self._was_available:
            self._was_available = now
            self.available.emit(now)
        if not now:
            self._look_again.start(_RETRY_MILLISECONDS)
