"""Notifications on a real daemon: what is replaced, pressed, closed, and what a new daemon is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tray_app.desktop.notices.backend import OPEN, Notification, NotificationBackend
from tray_app.desktop.notices.freedesktop import FreedesktopBackend

from .bus import NOTIFICATIONS, Notice
from .session import Desktop

PATH = "/" + NOTIFICATIONS.replace(".", "/")
BUTTONS = (("refresh", "Refresh"), ("snooze", "Snooze"))


def notification(owner: str = "main", title: str = "Title", body: str = "Body", **options: bool) -> Notification:
    return Notification(owner, title, body, "Open", BUTTONS, **options)


@pytest.fixture
def pressed() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def backend(
    desktop: Desktop, pressed: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[FreedesktopBackend]:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", desktop.address)
    made = FreedesktopBackend("kiwoom-token-tray", "", lambda *what: pressed.append(what))
    yield made
    made.disconnect()


@pytest.fixture
def show(desktop: Desktop, backend: FreedesktopBackend) -> Callable[[Notification], Notice]:
    def shown(notification: Notification) -> Notice:
        before = len(desktop.notices())
        backend.show(notification)
        desktop.wait_for(
            lambda: len(desktop.notices()) > before and desktop.notices()[-1].id is not None,
            "the notification's number",
        )
        return desktop.notices()[-1]

    return shown


Show = Callable[[Notification], Notice]


def test_one_takes_the_place_of_the_other_for_each_owner(desktop: Desktop, show: Show) -> None:
    first, second, other = show(notification()), show(notification(title="Second")), show(notification("other"))
    assert (second.replaces_id, other.replaces_id) == (first.id, 0)
    desktop.wait_for(lambda: len(desktop.bubbles()) == 2, "both bubbles")


def test_only_what_is_urgent_makes_a_sound(show: Show) -> None:
    assert "sound-name" not in show(notification()).hints
    assert show(notification(urgent=True)).hints["sound-name"] == "dialog-warning"


def test_presses_come_back_with_their_owner(desktop: Desktop, show: Show, pressed: list[tuple[str, str]]) -> None:
    main, other = show(notification()), show(notification("other"))
    desktop.click_notice(other, "snooze")
    desktop.wait_for(lambda: len(pressed) == 1, "a press")
    desktop.click_notice(main, OPEN)
    desktop.wait_for(lambda: len(pressed) == 2, "another press")
    assert pressed == [("other", "snooze"), ("main", OPEN)]


def test_a_closed_bubble_is_not_replaced(desktop: Desktop, backend: NotificationBackend, show: Show) -> None:
    first = show(notification())
    desktop.bus.call(NOTIFICATIONS, PATH, NOTIFICATIONS, "CloseNotification", "u", first.id)
    desktop.wait_for(lambda: first.closed == 3 and not backend._shown, "its end")  # type: ignore[attr-defined]
    assert show(notification()).replaces_id == 0


def test_what_is_withdrawn_is_gone_and_once_is_enough(
    desktop: Desktop, backend: NotificationBackend, show: Show
) -> None:
    show(notification())
    other = show(notification("other"))
    for _ in range(3):
        backend.withdraw("main")
    desktop.wait_for(lambda: len(desktop.bubbles()) == 1, "one notification")
    assert other.closed is None
    assert show(notification()).replaces_id == 0


def test_a_daemon_that_was_started_anew_knows_nothing_of_the_old_bubbles(
    desktop: Desktop, backend: NotificationBackend, show: Show
) -> None:
    show(notification())
    show(notification("other"))
    desktop.notifications_stop()
    desktop.notifications_start()
    somebody_elses = show(notification("third"))
    backend.withdraw("main")
    assert somebody_elses.closed is None, "the old number is another's now"
    assert show(notification("other")).replaces_id == 0


def test_without_a_daemon_it_raises_and_with_one_it_goes_on(
    desktop: Desktop, backend: NotificationBackend, show: Show
) -> None:
    desktop.notifications_stop()
    with pytest.raises(Exception, match="ServiceUnknown"):
        backend.show(notification())
    desktop.notifications_start()
    assert show(notification()).error is None


def test_text_is_no_markup(desktop: Desktop, show: Show) -> None:
    shown = show(notification(title="R&D <b>", body="a <b>b</b> & c"))
    assert (shown.summary, shown.body) == ("R&D <b>", "a &lt;b&gt;b&lt;/b&gt; &amp; c")
    desktop.bubble(shown)
    desktop.screenshot("tray notice markup")


def test_only_what_is_urgent_stays(show: Show) -> None:
    assert [(one.urgency, one.timeout) for one in (show(notification(urgent=True)), show(notification()))] == [
        (2, 0),
        (1, -1),
    ]


def test_what_need_not_be_kept_says_so(show: Show) -> None:
    assert [show(notification(transient=transient)).hints["transient"] for transient in (True, False)] == [True, False]


def test_where_the_daemon_has_no_buttons_none_are_asked_for(backend: FreedesktopBackend, show: Show) -> None:
    show(notification())
    backend._capabilities = frozenset({"body"})
    shown = show(notification(body="a & b"))
    assert (shown.actions, shown.body) == ({}, "a & b")
