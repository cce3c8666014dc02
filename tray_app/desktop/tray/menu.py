"""The menu of the tray icon."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from tray_app.core.language import tr
from tray_app.core.renewal_schedule import AUTO, DAILY, NOTIFY
from tray_app.core.wording import duration
from tray_app.desktop import SNOOZES_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import SignalInstance
    from PySide6.QtWidgets import QWidget

    from tray_app.desktop.view.model import View

PROFILE_SLOTS = 8
"""How many accounts the menu offers; the window has all of them."""

_CLICK_MILLISECONDS = 500
"""Panels report a click before or after the menu is closed, and so does Qt."""

_LONGEST_OPEN_MILLISECONDS = 60_000
"""A panel may never report that the menu was closed."""


class TrayMenu(QMenu):
    """Render a `View` as a menu and report which entry was chosen.

    The number of entries is fixed, because panels that read the menu over D-Bus show new entries late. A check mark
    moves when a view says so, not when an entry is clicked. While the menu is open it stays with its account, whichever
    needs attention meanwhile: a click is meant for the one that was read.
    """

    open_requested = Signal()
    account_requested = Signal()
    """The window, for the account that the head line is about."""
    remedy_requested = Signal(str)
    """A `Remedy`."""
    refresh_requested = Signal()
    copy_requested = Signal()
    snooze_requested = Signal(int)
    """Seconds without warnings; 0 ends the snooze."""
    profile_chosen = Signal(str)
    policy_chosen = Signal(str)
    """`notify`, `auto` or `daily HH:MM`."""
    settings_requested = Signal()
    clear_requested = Signal()
    quit_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: View | None = None
        self._next_view: View | None = None
        """The view of another account, which takes over once the menu is closed."""
        self._open = QTimer(self, singleShot=True)
        self._open.timeout.connect(self._end_hold)
        self.aboutToShow.connect(self._begin_to_hold)
        self.aboutToHide.connect(lambda: self._open.start(_CLICK_MILLISECONDS))
        self.triggered.connect(self._end_hold)  # after the signal of the entry itself
        self._texts: list[tuple[QAction, Callable[[], str]]] = []
        self.menuAction().setObjectName("menu")
        self._status = self._add("status", lambda: tr("Starting…"), self.account_requested)
        self._status.setEnabled(False)
        self.addSeparator()
        self._remedy = self._add("remedy", lambda: tr("Nothing to fix"), None)
        self._remedy.setEnabled(False)
        self._remedy.triggered.connect(self._ask_for_remedy)
        self._refresh = self._add("refresh", lambda: tr("Check with Kiwoom"), self.refresh_requested)
        self._copy = self._add("copy", lambda: tr("Copy token"), self.copy_requested)
        self.addSeparator()
        self._snooze = self._add_menu("snooze", lambda: tr("Snooze warnings"))
        self._snooze_end = self._fill_snooze()
        self._profile = self._add_menu("profile", lambda: tr("Profile"))
        self._profiles = self._fill_profiles()
        self._policy = self._add_menu("policy", lambda: tr("Renewal"))
        self._policies = self._fill_policies()
        self.addSeparator()
        self._add("settings", lambda: tr("Settings…"), self.settings_requested)
        self._clear = self._add("clear", lambda: tr("Remove or revoke token…"), self.clear_requested)
        self.addSeparator()
        self._add("open", lambda: tr("Open"), self.open_requested)
        self._add("quit", lambda: tr("Quit"), self.quit_requested)
        for entry in (self._refresh, self._copy, self._snooze, self._policy, self._clear):
            entry.setEnabled(False)  # until it is known what there is

    @property
    def requests(self) -> tuple[SignalInstance, ...]:
        """All signals of this menu."""
        return tuple(getattr(self, name) for name, one in vars(TrayMenu).items() if isinstance(one, Signal))

    @property
    def account(self) -> str:
        """The name of the account that the entries are about; empty until there is a view."""
        return "" if self._view is None else self._view.account

    def show_view(self, view: View) -> None:
        """Render `view`, or keep it for later if it is about another account than the open menu. Qt sends nothing to
        the panel for an action that keeps its text and state."""
        is_held = self._open.isActive() and self._view is not None and view.account != self._view.account
        self._next_view = view if is_held else None
        if not is_held:
            self._render(view)

    def retranslate(self) -> None:
        """Set the fixed texts anew after a change of the language; the others follow with the next view."""
        for action, text in self._texts:
            action.setText(text())
        if self._view is not None:
            self._render(self._view)

    def _render(self, view: View) -> None:
        self._view = view
        self._status.setText(_without_mnemonics(view.menu_status))
        self._status.setEnabled(view.can_show_account)
        self._remedy.setText(_without_mnemonics(view.menu_remedy_text))
        self._remedy.setEnabled(view.can_remedy if view.remedy else view.refresh_is_main and view.can_refresh)
        self._refresh.setText(view.refresh_text)
        self._refresh.setEnabled(view.can_refresh)
        self._copy.setEnabled(view.can_copy)
        self._clear.setEnabled(view.can_clear)
        self._snooze.setEnabled(True)
        self._policy.setEnabled(True)
        self._snooze.menuAction().setText(view.snooze_text)
        self._snooze_end.setEnabled(view.is_snoozed)
        self._profile.menuAction().setVisible(bool(view.profiles))
        for number, entry in enumerate(self._profiles):
            line = view.profiles[number] if number < len(view.profiles) else None
            entry.setVisible(line is not None)
            entry.setText("" if line is None else _without_mnemonics(f"{line.text} · {line.status}"))
        self._policies[DAILY].setText(view.policy_text)
        self._show_check_marks(view)

    def _begin_to_hold(self) -> None:
        """Stay with the account that needs attention now."""
        self._end_hold()
        self._open.start(_LONGEST_OPEN_MILLISECONDS)

    def _end_hold(self) -> None:
        self._open.stop()
        if self._next_view is not None:
            self.show_view(self._next_view)

    def _show_check_marks(self, view: View) -> None:
        self._policies[view.policy].setChecked(True)
        for line, entry in zip(view.profiles, self._profiles, strict=False):
            entry.setChecked(line.chosen)  # none is where there is no entry for the chosen one

    def _add(self, name: str, text: Callable[[], str], signal: object, menu: QMenu | None = None) -> QAction:
        menu = menu or self
        action = QAction(text(), menu)
        action.setObjectName(name)
        self._texts.append((action, text))
        if signal is not None:
            action.triggered.connect(signal)
        menu.addAction(action)
        return action

    def _add_menu(self, name: str, text: Callable[[], str]) -> QMenu:
        menu = QMenu(text(), self)
        menu.menuAction().setObjectName(name)
        self._texts.append((menu.menuAction(), text))
        self.addMenu(menu)
        return menu

    def _fill_snooze(self) -> QAction:
        """Fill the sub-menu and return the entry that ends a snooze."""
        for seconds in SNOOZES_SECONDS:
            entry = self._add(f"snooze{seconds}", partial(duration, seconds), None, self._snooze)
            entry.triggered.connect(lambda _=False, seconds=seconds: self.snooze_requested.emit(seconds))
        self._snooze.addSeparator()
        end = self._add("snoozeEnd", lambda: tr("Warn again"), None, self._snooze)
        end.setEnabled(False)
        end.triggered.connect(lambda: self.snooze_requested.emit(0))
        return end

    def _fill_profiles(self) -> list[QAction]:
        self._profile.menuAction().setVisible(False)
        group = QActionGroup(self._profile)
        entries = [self._add(f"profile{number}", str, None, self._profile) for number in range(PROFILE_SLOTS)]
        for number, entry in enumerate(entries):
            entry.setVisible(False)
            entry.setCheckable(True)
            group.addAction(entry)
            entry.triggered.connect(lambda _=False, number=number: self._choose_profile(number))
        return entries

    def _fill_policies(self) -> dict[str, QAction]:
        group = QActionGroup(self._policy)
        entries = {
            NOTIFY: self._add("policyNotify", lambda: tr("Only warn"), None, self._policy),
            AUTO: self._add("policyAuto", lambda: tr("Renew automatically"), None, self._policy),
            DAILY: self._add("policyDaily", lambda: tr("Revoke and reissue daily"), None, self._policy),
        }
        for policy, entry in entries.items():
            entry.setCheckable(True)
            group.addAction(entry)
            entry.triggered.connect(lambda _=False, policy=policy: self._choose_policy(policy))
        return entries

    def _ask_for_remedy(self) -> None:
        if self._view is None:
            return
        if self._view.remedy:
            self.remedy_requested.emit(self._view.remedy)
        else:
            self.refresh_requested.emit()

    def _choose_profile(self, number: int) -> None:
        if self._view is None or number >= len(self._view.profiles):
            return
        self._show_check_marks(self._view)
        line = self._view.profiles[number]
        if not line.chosen:
            self.profile_chosen.emit(line.name)

    def _choose_policy(self, policy: str) -> None:
        if self._view is None:
            return
        self._show_check_marks(self._view)
        if policy != self._view.policy:
            self.policy_chosen.emit(self._view.daily_policy if policy == DAILY else policy)


def _without_mnemonics(text: str) -> str:
    return text.replace("&", "&&")
