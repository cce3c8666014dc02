"""The icon in the tray."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSystemTrayIcon

from tray_app.core.language import tr
from tray_app.desktop.icons.first_icon import first_icon
from tray_app.desktop.theme.dark_mode import panel_is_dark
from tray_app.desktop.tray.menu import TrayMenu

if TYPE_CHECKING:
    from PySide6.QtCore import Qt, SignalInstance

    from tray_app.desktop.icons.state_icon import IconSpec
    from tray_app.desktop.notices.bubble import Bubble
    from tray_app.desktop.view.model import View

_PANEL_SERVICE = "org.kde.StatusNotifierWatcher"
_RETRY_MILLISECONDS = 30_000
_PANEL_RESTART_MILLISECONDS = 5_000
"""A panel that restarts is back by then."""


class TrayIcon(QObject):
    """Render a `View` as icon, tooltip and `menu`; until there is one, say that the program starts.

    `panel` is the setting for the panel's brightness until a view brings it. `clicked` is a left or double click,
    except on macOS, where Qt reports the menu that opens as well; `balloon_clicked` is a click on the last message.
    `available(bool)` reports that a panel took the icon or went away.
    """

    clicked = Signal()
    balloon_clicked = Signal()
    available = Signal(bool)

    def __init__(self, panel: str = "auto", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.menu = TrayMenu()
        self._panel = panel
        self._view: View | None = None
        self._shown: tuple[object, ...] = ()
        self._icon: QSystemTrayIcon | None = None
        self._was_available: bool | None = None
        self._balloon: Bubble | None = None
        self._retry = QTimer(self, singleShot=True)
        self._retry.timeout.connect(self._check_panel)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._scheme_changed)
        if sys.platform == "linux":
            self._watch_panel()

    @property
    def requests(self) -> tuple[SignalInstance, ...]:
        """The signals by which the user asks for something."""
        return (self.clicked, *self.menu.requests)

    def start(self) -> None:
        """Show the icon, or keep the one that is there, and report whether a panel takes it."""
        self._was_available = None
        if self._icon is None:
            self._create_icon()
        else:
            self._report_availability()

    def close(self) -> None:
        """Hide the icon, which Windows would show until the mouse passes over it."""
        if self._balloon is not None:
            self._balloon.hide()
        if self._icon is not None:
            self._icon.hide()

    def is_available(self) -> bool:
        return QSystemTrayIcon.isSystemTrayAvailable()

    def show_view(self, view: View) -> None:
        """Change only what differs, because each change is a message to the panel."""
        self._view = view
        if self._icon is None:
            return
        picture = (view.icon, panel_is_dark(view.panel))
        shown, self._shown = self._shown, (picture, view.tooltip)
        if shown[:1] != (picture,):
            self._set_picture(*picture)
        if shown[1:] != (view.tooltip,):
            self._icon.setToolTip(view.tooltip)
        self.menu.show_view(view)

    def refresh_theme(self) -> None:
        """Paint the icon for the panel's theme, which may have changed: Qt reports that of the windows only."""
        if self._view is not None:
            self.show_view(self._view)

    def show_balloon(self, title: str, body: str, urgent: bool) -> None:
        """Show a message where no service of the desktop does: in a window of its own, elsewhere by Qt."""
        if sys.platform == "linux":
            self._bubble().show_notice(title, body, urgent=urgent)
        elif self._icon is not None:
            kind = QSystemTrayIcon.MessageIcon.Warning if urgent else QSystemTrayIcon.MessageIcon.Information
            self._icon.showMessage(title, body, kind)

    def _bubble(self) -> Bubble:
        if self._balloon is None:
            from tray_app.desktop.notices.bubble import Bubble

            self._balloon = Bubble()
            self._balloon.clicked.connect(self.balloon_clicked)
        return self._balloon

    def _scheme_changed(self, _: Qt.ColorScheme) -> None:
        self.refresh_theme()

    def _set_picture(self, spec: IconSpec, dark: bool) -> None:
        from tray_app.desktop.icons.state_icon import tray_icon

        if self._icon is not None:
            self._icon.setIcon(tray_icon(spec, dark, mask=sys.platform == "darwin"))

    def _create_icon(self) -> None:
        """WORKAROUND: Qt does not register an icon with a panel that comes up later (seen with 6.12), so that panel
        gets a new icon. Delete once Qt registers its icons with a new panel by itself."""
        if self._icon is not None:
            self._icon.hide()
            self._icon.deleteLater()
        self._icon = QSystemTrayIcon(self)
        self._icon.setContextMenu(self.menu)
        self._icon.activated.connect(self._activated)
        self._icon.messageClicked.connect(self.balloon_clicked)
        if self._view is None:
            self._icon.setIcon(first_icon(panel_is_dark(self._panel), mask=sys.platform == "darwin"))
        else:
            self._set_picture(self._view.icon, panel_is_dark(self._view.panel))
        self._icon.show()
        # Windows drops the tooltip of an icon that was not shown yet.
        self._shown = ()
        if self._view is None:
            self._icon.setToolTip(f"{tr('Kiwoom token')}\n{tr('Starting…')}")
        else:
            self.show_view(self._view)
        self._report_availability()

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if sys.platform == "darwin":
            return
        if reason in {QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick}:
            self.clicked.emit()

    def _watch_panel(self) -> None:
        from PySide6.QtDBus import QDBusConnection, QDBusServiceWatcher

        self._watcher = QDBusServiceWatcher(_PANEL_SERVICE, QDBusConnection.sessionBus(), parent=self)
        self._watcher.serviceRegistered.connect(lambda _: self._create_icon())
        self._watcher.serviceUnregistered.connect(lambda _: self._retry.start(_PANEL_RESTART_MILLISECONDS))

    def _check_panel(self) -> None:
        """Look for a tray of the X11 kind, which announces itself nowhere."""
        if self.is_available() and self._was_available is False:
            self._create_icon()
        else:
            self._report_availability()

    def _report_availability(self) -> None:
        now = self.is_available()
        if now != self._was_available:
            self._was_available = now
            self.available.emit(now)
        if not now:
            self._retry.start(_RETRY_MILLISECONDS)
