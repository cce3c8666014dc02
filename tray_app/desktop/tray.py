"""The tray icon and its menu."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup, QGuiApplication
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from tray_app.core.language import tr
from tray_app.core.renewal_schedule import AUTO, DAILY, NOTIFY
from tray_app.core.wording import duration
from tray_app.desktop.look.icon import tray_icon
from tray_app.desktop.look.theme import panel_is_dark
from tray_app.desktop.view import SNOOZES_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.desktop.look.icon import IconSpec
    from tray_app.desktop.view import View

PROFILE_SLOTS = 8
"""So many profiles can be chosen in the menu; the window has all of them."""

_PANEL_SERVICE = "org.kde.StatusNotifierWatcher"
_RETRY_MILLISECONDS = 30_000
_MISSED_MILLISECONDS = 5_000
"""A panel that restarts is back by then."""


class Tray(QObject):
    """Renders a `View`. `available(bool)` tells when the panel took the icon or has gone.

    The menu has a fixed number of entries: panels that read it over D-Bus show new ones late. What is chosen in it
    is shown as chosen when a view says so, not because it was clicked.
    """

    open_requested = Signal()
    refresh_requested = Signal()
    copy_requested = Signal()
    snooze_requested = Signal(int)
    """Seconds to keep quiet; 0 ends it."""
    profile_chosen = Signal(str)
    policy_chosen = Signal(str)
    """`notify`, `auto` or `daily HH:MM`."""
    settings_requested = Signal()
    clear_requested = Signal()
    quit_requested = Signal()
    available = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: View | None = None
        self._shown: tuple[object, ...] = ()
        self._icon: QSystemTrayIcon | None = None
        self._was_available: bool | None = None
        self._texts: list[tuple[QAction, Callable[[], str]]] = []
        self._menu = QMenu()
        self._menu.menuAction().setObjectName("menu")
        self._status = self._entry("status", lambda: tr("Starting…"), None)
        self._status.setEnabled(False)
        self._menu.addSeparator()
        self._refresh = self._entry("refresh", lambda: tr("Refresh now"), self.refresh_requested)
        self._copy = self._entry("copy", lambda: tr("Copy token"), self.copy_requested)
        self._menu.addSeparator()
        self._snooze = self._sub_menu("snooze", lambda: tr("Snooze warnings"))
        self._snooze_end = self._fill_snooze()
        self._profile = self._sub_menu("profile", lambda: tr("Profile"))
        self._profiles = self._fill_profiles()
        self._policy = self._sub_menu("policy", lambda: tr("Renewal"))
        self._policies = self._fill_policies()
        self._menu.addSeparator()
        self._entry("settings", lambda: tr("Settings…"), self.settings_requested)
        self._clear = self._entry("clear", lambda: tr("Clear token…"), self.clear_requested)
        self._menu.addSeparator()
        self._entry("open", lambda: tr("Open"), self.open_requested)
        self._entry("quit", lambda: tr("Quit"), self.quit_requested)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._scheme_changed)
        self._look_again = QTimer(self, singleShot=True)
        self._look_again.timeout.connect(self._look_for_panel)
        if sys.platform == "linux":
            self._follow_panel()

    def start(self) -> None:
        """Shows the icon, or leaves the one that is there, and tells whether a panel takes it."""
        self._was_available = None
        if self._icon is None:
            self._make_icon()
        else:
            self._tell_availability()

    def close(self) -> None:
        """Takes the icon away, which Windows would show until the mouse comes by."""
        if self._icon is not None:
            self._icon.hide()

    def is_available(self) -> bool:
        return QSystemTrayIcon.isSystemTrayAvailable()

    def show_view(self, view: View) -> None:
        """Changes only what is different, because each change is a message to the panel."""
        self._view = view
        if self._icon is None:
            return
        picture = (view.icon, panel_is_dark(view.panel))
        shown, self._shown = self._shown, (picture, view.tooltip)
        if shown[:1] != (picture,):
            self._set_picture(*picture)
        if shown[1:] != (view.tooltip,):
            self._icon.setToolTip(view.tooltip)
        self._show_menu(view)

    def retranslate(self) -> None:
        """Another language is spoken; what changes by itself follows with the next view."""
        for action, text in self._texts:
            action.setText(text())
        if self._view is not None:
            self._show_menu(self._view)

    def refresh_theme(self) -> None:
        """The panel's theme has changed, or may have: Qt tells of the windows' theme only."""
        if self._view is not None:
            self.show_view(self._view)

    def _scheme_changed(self, _: Qt.ColorScheme) -> None:
        self.refresh_theme()

    def _set_picture(self, spec: IconSpec, dark: bool) -> None:
        if self._icon is not None:
            self._icon.setIcon(tray_icon(spec, dark, mask=sys.platform == "darwin"))

    def _show_menu(self, view: View) -> None:
        """An action that is told what it already is tells the panel nothing."""
        self._status.setText(_literal(view.menu_status))
        self._refresh.setText(view.refresh_text)
        self._refresh.setEnabled(view.can_refresh)
        self._copy.setEnabled(view.can_copy)
        self._clear.setEnabled(view.can_clear)
        self._snooze.menuAction().setText(view.snooze_text)
        self._snooze_end.setEnabled(view.is_snoozed)
        self._profile.menuAction().setVisible(bool(view.profiles))
        for number, entry in enumerate(self._profiles):
            line = view.profiles[number] if number < len(view.profiles) else None
            entry.setVisible(line is not None)
            entry.setText("" if line is None else _literal(line.text))
        self._policies[DAILY].setText(view.policy_text)
        self._show_choices(view)

    def _show_choices(self, view: View) -> None:
        self._policies[view.policy].setChecked(True)
        for line, entry in zip(view.profiles, self._profiles, strict=False):
            if line.chosen:
                entry.setChecked(True)

    def balloon(self, title: str, body: str, urgent: bool) -> None:
        """Qt's own notice."""
        if self._icon is not None:
            kind = QSystemTrayIcon.MessageIcon.Warning if urgent else QSystemTrayIcon.MessageIcon.Information
            self._icon.showMessage(title, body, kind)

    def _entry(self, name: str, text: Callable[[], str], signal: object, menu: QMenu | None = None) -> QAction:
        menu = menu or self._menu
        action = QAction(text(), menu)
        action.setObjectName(name)
        self._texts.append((action, text))
        if signal is not None:
            action.triggered.connect(signal)
        menu.addAction(action)
        return action

    def _sub_menu(self, name: str, text: Callable[[], str]) -> QMenu:
        menu = QMenu(text(), self._menu)
        menu.menuAction().setObjectName(name)
        self._texts.append((menu.menuAction(), text))
        self._menu.addMenu(menu)
        return menu

    def _fill_snooze(self) -> QAction:
        """Fills the sub-menu and returns the entry that ends a snooze."""
        for seconds in SNOOZES_SECONDS:
            entry = self._entry(f"snooze{seconds}", partial(duration, seconds), None, self._snooze)
            entry.triggered.connect(lambda _=False, seconds=seconds: self.snooze_requested.emit(seconds))
        self._snooze.addSeparator()
        end = self._entry("snoozeEnd", lambda: tr("Warn again"), None, self._snooze)
        end.setEnabled(False)
        end.triggered.connect(lambda: self.snooze_requested.emit(0))
        return end

    def _fill_profiles(self) -> list[QAction]:
        self._profile.menuAction().setVisible(False)
        group = QActionGroup(self._profile)
        entries = [self._entry(f"profile{number}", str, None, self._profile) for number in range(PROFILE_SLOTS)]
        for number, entry in enumerate(entries):
            entry.setVisible(False)
            entry.setCheckable(True)
            group.addAction(entry)
            entry.triggered.connect(lambda _=False, number=number: self._choose_profile(number))
        return entries

    def _fill_policies(self) -> dict[str, QAction]:
        group = QActionGroup(self._policy)
        entries = {
            NOTIFY: self._entry("policyNotify", lambda: tr("Only warn"), None, self._policy),
            AUTO: self._entry("policyAuto", lambda: tr("Renew before the end"), None, self._policy),
            DAILY: self._entry("policyDaily", lambda: tr("Renew daily"), None, self._policy),
        }
        for policy, entry in entries.items():
            entry.setCheckable(True)
            group.addAction(entry)
            entry.triggered.connect(lambda _=False, policy=policy: self._choose_policy(policy))
        return entries

    def _choose_profile(self, number: int) -> None:
        if self._view is None or number >= len(self._view.profiles):
            return
        self._show_choices(self._view)
        line = self._view.profiles[number]
        if not line.chosen:
            self.profile_chosen.emit(line.name)

    def _choose_policy(self, policy: str) -> None:
        if self._view is None:
            return
        self._show_choices(self._view)
        if policy != self._view.policy:
            self.policy_chosen.emit(self._view.daily_policy if policy == DAILY else policy)

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
            self._set_picture(self._view.icon, panel_is_dark(self._view.panel))
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


def _literal(text: str) -> str:
    """`text` without any mnemonic."""
    return text.replace("&", "&&")
