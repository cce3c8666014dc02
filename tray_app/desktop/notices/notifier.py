"""Shows notices through the platform's own service, with buttons, and through Qt's balloon where that fails."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Signal

from tray_app.core import logs
from tray_app.core.errors import Remedy
from tray_app.core.language import tr
from tray_app.core.notices import NoticeKind, notice_text
from tray_app.core.remedies import remedy_text
from tray_app.desktop import APP_ID, APP_NAME, SNOOZES_SECONDS
from tray_app.desktop.notices.backend import OPEN, Notification, NotificationsUnavailable
from tray_app.desktop.notices.groups import NoticeGroups
from tray_app.desktop.view.texts import badges_of, error_text, profile_text
from tray_app.desktop.worker import Worker
from tray_app.system.resources import resources_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.notices import Notice
    from tray_app.core.state import TokenState
    from tray_app.desktop.notices.backend import NotificationBackend

NO_ACCOUNT = ""
"""The owner of a notice that is about the whole program."""

_CLOSE_SECONDS = 0.5
_SNOOZE = "snooze-"
_NAMED_ACCOUNTS = 3
"""How many of the accounts that share a notice are named."""

_OFFERS = {
    NoticeKind.EXPIRING: Remedy.ROTATE,
    NoticeKind.EXPIRED: Remedy.ISSUE,
    NoticeKind.FAILED: Remedy.RETRY,
    NoticeKind.STOPPED: Remedy.RETRY,
    NoticeKind.NOT_STORED: Remedy.RETRY,
    NoticeKind.DIED: Remedy.ISSUE,
    NoticeKind.TRADING_HOURS: Remedy.PLAN_ROTATION,
    NoticeKind.PLAN_DROPPED: Remedy.ROTATE,
}
"""The notices with buttons, and what the first of them does unless something else helps."""


class Notifier(QObject):
    """Show a notice in place of the previous one of the same account, or withdraw it. Accounts whose notices have one
    cause share one, and its buttons are about the first of them.

    `clicked(profile)`, `remedy_requested(profile, remedy)` and `snooze_requested(seconds)` report what the user did
    with it.
    `balloon(title, body, urgent)` shows it without buttons when nothing else can. `backend` is by default that of the
    platform, created for the first notice.
    """

    clicked = Signal(str)
    remedy_requested = Signal(str, str)
    snooze_requested = Signal(int)
    _pressed = Signal(str, str)

    def __init__(
        self,
        balloon: Callable[[str, str, bool], None],
        parent: QObject | None = None,
        *,
        backend: NotificationBackend | None = None,
    ) -> None:
        super().__init__(parent)
        self._balloon = balloon
        self._backend: NotificationBackend | None = backend or _PlatformBackend(self._press)
        self._has_warned = False
        self._ballooned: str | None = None
        """The account that the last balloon was about."""
        self._shown: set[str] = set()
        self._groups = NoticeGroups()
        self._worker = Worker("notify", self)
        self._pressed.connect(self._handle_press)
        app = QCoreApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.close)

    def show(self, notice: Notice, state: TokenState, now: float, remedy: str = "", *, named: bool = False) -> None:
        """Show a notice about the account of `state`, with a button for the `Remedy` that helps there.

        `now` is in epoch seconds; `named` adds the name of the account to the title.
        """
        why = "" if notice.error is None else error_text(notice.error, state, now)
        title, body = notice_text(notice, now, why)
        buttons = _buttons(notice, remedy, state.mode)
        account = _account_text(state, named=named)
        cause = (title, why, buttons) if why else state.profile
        self._leave_group(state.profile)
        owner, names = self._groups.join(state.profile, profile_text(state), cause, now)
        if len(names) > 1:
            account = tr("[{count} accounts]", count=len(names))
            body = f"{_list_text(names)}\n{why}"
        self._show(
            Notification(
                owner,
                f"{account} {title}",
                body,
                tr("Open"),
                buttons,
                notice.urgent,
                transient=notice.kind is NoticeKind.RECOVERED,
            )
        )

    def answer(self, state: TokenState, text: str, remedy: str = "", *, named: bool = False) -> None:
        """Say what came of something that the user has just asked for, with a button for the `Remedy` that helps."""
        title = f"{_account_text(state, named=named)} {tr('Kiwoom token')}"
        helps = "" if remedy == Remedy.WAIT else remedy_text(remedy, state.mode)
        buttons = ((remedy, helps),) if helps else ()
        self._leave_group(state.profile)
        self._show(Notification(state.profile, title, text, tr("Open"), buttons, transient=True))

    def show_settings_problem(self, problem: str) -> None:
        """Say what in the settings cannot be used, with the button that opens their file. It is about no account."""
        button = Remedy.FIX_SETTINGS, remedy_text(Remedy.FIX_SETTINGS, "")
        title = tr("Check the settings file")
        self._show(Notification(NO_ACCOUNT, title, problem, tr("Open"), (button,), urgent=True))

    def _show(self, notification: Notification) -> None:
        backend = self._backend
        if backend is None:
            self._show_balloon(notification)
            return

        def done(_: object, error: Exception | None) -> None:
            if error is None:
                self._has_warned = False
            else:
                self._failed(error)
                self._show_balloon(notification)

        self._shown.add(notification.owner)
        self._worker.run(lambda: backend.show(notification), done)

    def balloon_clicked(self) -> None:
        """Report a click on the last balloon."""
        if self._ballooned is not None:
            self.clicked.emit(self._ballooned)

    def withdraw(self, profile: str) -> None:
        """Remove a notice that no longer holds, once it holds for no other account. A balloon disappears by itself."""
        owner = self._groups.end(profile)
        if owner is not None:
            self._withdraw(owner)

    def make_way(self, profile: str) -> None:
        """Remove the notice about an account, also one that others share: it would cover what comes now."""
        self._withdraw(self._groups.owner(profile))

    def _leave_group(self, profile: str) -> None:
        """Take an account out of the notice that it shares: it has something else to tell."""
        over = self._groups.leave(profile)
        if over is not None:
            self._withdraw(over)

    def _withdraw(self, profile: str) -> None:
        backend = self._backend
        if backend is None:
            return

        def done(_: object, error: Exception | None) -> None:
            if error is not None:
                self._failed(error)

        self._shown.discard(profile)
        self._worker.run(lambda: backend.withdraw(profile), done)

    def close(self) -> None:
        """Remove all notices, whose buttons do nothing once the program has ended, and wait a moment for that."""
        if self._backend is None or not self._shown:
            return
        gone = threading.Event()
        for profile in [*self._shown]:
            self._withdraw(profile)
        self._worker.run(gone.set, lambda *_: None)
        gone.wait(_CLOSE_SECONDS)

    def _show_balloon(self, notification: Notification) -> None:
        self._ballooned = notification.owner
        self._balloon(notification.title, notification.body, notification.urgent)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, NotificationsUnavailable):
            self._backend = None
        if not self._has_warned:
            logs.warning("Notices are shown as balloons (%s: %s)", type(error).__name__, error)
            self._has_warned = True

    def _press(self, owner: str, key: str) -> None:
        """Forward a press from a thread of the platform to the GUI thread."""
        try:
            self._pressed.emit(owner, key)
        except RuntimeError:  # the program has ended and Qt's half of this object is gone
            return

    def _handle_press(self, profile: str, key: str) -> None:
        if key == OPEN:
            self.clicked.emit(profile)
        elif key.startswith(_SNOOZE):
            self.snooze_requested.emit(int(key.removeprefix(_SNOOZE)))
        elif remedy_text(key, "real"):
            self.remedy_requested.emit(profile, key)


def _is_settled(notice: Notice) -> bool:
    """Return whether there is nothing to do: the token that died has been replaced."""
    return notice.kind is NoticeKind.DIED and notice.expires > 0


def _buttons(notice: Notice, remedy: str, mode: str) -> tuple[tuple[str, str], ...]:
    """Return the buttons: what helps, and a snooze. Some desktops show at most three."""
    if notice.kind not in _OFFERS or _is_settled(notice):
        return ()
    remedy = _offered(notice, remedy)
    snooze = (f"{_SNOOZE}{SNOOZES_SECONDS[0]}", tr("Remind me later"))
    if remedy == Remedy.WAIT:
        return (snooze,)
    return (remedy, tr("Reissue now…") if remedy == Remedy.ROTATE else remedy_text(remedy, mode)), snooze


def _offered(notice: Notice, remedy: str) -> str:
    """Return what the first button does, where `remedy` is what helps the account."""
    error = notice.error
    if error is not None and error.remedy not in {Remedy.NONE, Remedy.RETRY}:
        return error.remedy
    if notice.kind is NoticeKind.TRADING_HOURS and remedy == Remedy.ROTATE:
        return remedy  # the quiet hour is over
    if error is not None and remedy not in {Remedy.NONE, Remedy.CHECK, Remedy.ROTATE, Remedy.FIX_SETTINGS}:
        return remedy
    if error is not None and notice.kind is NoticeKind.EXPIRING:
        return Remedy.RETRY  # what fails must not cost the token that works
    return _OFFERS[notice.kind]


def _list_text(accounts: list[str]) -> str:
    named, more = ", ".join(accounts[:_NAMED_ACCOUNTS]), len(accounts) - _NAMED_ACCOUNTS
    return tr("{accounts} and {count} more", accounts=named, count=more) if more > 0 else named


def _account_text(state: TokenState, *, named: bool) -> str:
    """Return the account in brackets, as a title begins."""
    if not named:
        return f"[{' · '.join(badge.text for badge in badges_of(state))}]"
    return f"[{profile_text(state)}]"


class _PlatformBackend:
    """Create the backend of the platform for the first notification."""

    def __init__(self, pressed: Callable[[str, str], None]) -> None:
        self._pressed = pressed
        self._backend: NotificationBackend | None = None

    def show(self, notification: Notification) -> None:
        if self._backend is None:
            self._backend = _platform_backend(self._pressed)
        self._backend.show(notification)

    def withdraw(self, owner: str) -> None:
        if self._backend is not None:
            self._backend.withdraw(owner)


def _platform_backend(pressed: Callable[[str, str], None]) -> NotificationBackend:
    icon = os.path.join(resources_folder(), "icons", f"{APP_NAME}.png")
    made: NotificationBackend
    if sys.platform == "linux":
        from tray_app.desktop.notices.freedesktop import FreedesktopBackend

        made = FreedesktopBackend(APP_NAME, icon, pressed)
    else:
        from tray_app.desktop.notices.windows_macos import NativeBackend

        buttons = None
        if sys.platform == "win32":
            from tray_app.desktop.notices.toast_activator import BUTTONS

            buttons = BUTTONS
        made = NativeBackend(APP_ID, tr("Kiwoom Token Tray"), icon, pressed, buttons)
    return made
