"""Notifications on Windows and macOS through `desktop-notifier`, with buttons and replacement.

The library is asynchronous and calls back only while its loop runs, so the loop has a thread of its own. On Windows
that thread is in the multi-threaded apartment, because the GUI thread's would have to be pumped for each press. The
library does not raise when a notification fails or cannot be shown at all, and on macOS needs a signed bundle. So
every notification must be reported as dispatched, and the first failure of any kind is final.

A notification with the tag of an earlier one replaces it on both systems. Windows then drops its record of the old
one, and with it the library's record of the new one, so presses are taken from the library's global handlers.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING

from tray_app.desktop.notices.backend import OPEN, NotificationsUnavailable
from tray_app.system.windows_version import known_system

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from tray_app.desktop.notices.backend import Notification
    from tray_app.desktop.notices.toast_activator import Buttons

_ANSWER_SECONDS = 60.0
"""macOS asks the user whether this program may show notifications."""


class NativeBackend:
    """Show one notification for each owner. Not for the GUI thread; `pressed(owner, key)` is called on another thread.

    `app_id` is the AppUserModelID on Windows, `app_name` the name above the notifications there. `buttons` gives
    the buttons their names on Windows.
    """

    def __init__(
        self,
        app_id: str,
        app_name: str,
        icon_path: str,
        pressed: Callable[[str, str], None],
        buttons: Buttons | None = None,
    ) -> None:
        self._app_id = app_id
        self._app_name = app_name
        self._icon_path = icon_path
        self._pressed = pressed
        self._buttons = buttons
        self._loop: asyncio.AbstractEventLoop | None = None
        self._notifier: Any = None
        self._owners: list[str] = []

    def show(self, notification: Notification) -> None:
        """Raise `NotificationsUnavailable` if it fails."""
        self._wait_for(self._show(notification))

    def withdraw(self, owner: str) -> None:
        """Raise `NotificationsUnavailable` if it fails."""
        if self._notifier is not None:
            self._wait_for(self._notifier.clear(self._tag(owner)))

    def _wait_for(self, work: Coroutine[Any, Any, None]) -> None:
        if self._loop is None:
            loop = asyncio.new_event_loop()
            try:
                threading.Thread(target=loop.run_forever, name="notices", daemon=True).start()
            except RuntimeError:  # no more threads at present
                work.close()
                loop.close()
                raise
            self._loop = loop
        try:
            asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, _ANSWER_SECONDS), self._loop).result()
        except NotificationsUnavailable:
            raise
        except Exception as error:
            raise NotificationsUnavailable(type(error).__name__) from error

    async def _show(self, notification: Notification) -> None:
        from desktop_notifier import Button, Notification, Sound, Urgency

        notifier = await self._open_notifier()
        dispatched: list[bool] = []
        owner = notification.owner
        mark = self._buttons.mark(owner, partial(self._pressed, owner)) if self._buttons else ""
        await notifier.send_notification(
            Notification(
                title=notification.title,
                message=notification.body,
                urgency=Urgency.Critical if notification.urgent else Urgency.Normal,
                buttons=tuple(Button(title=label, identifier=f"{key}{mark}") for key, label in notification.buttons),
                sound=Sound(name="default") if notification.urgent else None,
                on_dispatched=lambda: dispatched.append(True),
                identifier=self._tag(owner),
            )
        )
        if not dispatched:
            raise NotificationsUnavailable("not dispatched")

    async def _open_notifier(self) -> Any:
        if self._notifier is None:
            if sys.platform == "win32":
                from winrt.runtime import ApartmentType, init_apartment

                init_apartment(ApartmentType.MULTI_THREADED)
            from pathlib import Path

            from desktop_notifier import Capability, DesktopNotifier, Icon

            with known_system():
                notifier = DesktopNotifier(self._app_id, Icon(path=Path(self._icon_path)))
            if sys.platform == "win32":
                name_on_windows(self._app_id, self._app_name)
            if Capability.BUTTONS not in await notifier.get_capabilities():
                raise NotificationsUnavailable("no way to show notices")
            if not await notifier.request_authorisation():
                raise NotificationsUnavailable("not authorised")
            notifier.on_clicked = lambda tag: self._press(tag, OPEN)
            notifier.on_button_pressed = self._press_button
            self._notifier = notifier
        return self._notifier

    def _tag(self, owner: str) -> str:
        """Return a tag for Windows, which takes at most 64 characters."""
        if owner not in self._owners:
            self._owners.append(owner)
        return f"token-{self._owners.index(owner)}"

    def _press(self, tag: str, key: str) -> None:
        number = tag.removeprefix("token-")
        if number.isdecimal() and int(number) < len(self._owners):
            self._pressed(self._owners[int(number)], key)

    def _press_button(self, tag: str, name: str) -> None:
        if self._buttons is None:
            self._press(tag, name)
        else:
            self._buttons.press(name)


def name_on_windows(app_id: str, app_name: str) -> None:
    """Register the name that Windows shows above the notifications of this AppUserModelID.

    The library registers the id itself as the name, and nothing where Windows gives the process another id.
    """
    if sys.platform == "win32":
        import winreg

        with winreg.CreateKeyEx(winreg.HKEY_CURRENT_USER, rf"Software\Classes\AppUserModelId\{app_id}") as key:
            winreg.SetValueEx(key, "DisplayName", 0, winreg.REG_SZ, app_name)
