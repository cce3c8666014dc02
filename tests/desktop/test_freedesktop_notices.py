"""Bubbles on a real notification daemon: what is replaced, pressed, closed, and what a new daemon is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tray_app.desktop.notices.backend import OPEN, Bubble, Bubbles
from tray_app.desktop.notices.freedesktop import FreedesktopNotices

from .bus import NOTIFICATIONS, Notice
from .session import Desktop

PATH = "/" + NOTIFICATIONS.replace(".", "/")
BUTTONS = (("refresh", "Refresh"), ("snooze", "Snooze"))


def bubble(owner: str = "main", title: str = "Title", body: str = "Body", **options: bool) -> Bubble:
    return Bubble(owner, title, body, "Open", BUTTONS, **options)


@pytest.fixture
def pressed() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def bubbles(
    desktop: Desktop, pressed: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[FreedesktopNotices]:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", desktop.address)
    made = FreedesktopNotices("kiwoom-token-tray", "", lambda *what: pressed.append(what))
    yield made
    made._disconnect()


@pytest.fixture
def show(desktop: Desktop, bubbles: FreedesktopNotices) -> Callable[[Bubble], Notice]:
    def shown(bubble: Bubble) -> Notice:
        before = len(desktop.notices())
        bubbles.show(bubble)
        desktop.wait_for(
            lambda: len(desktop.notices()) > before and desktop.notices()[-1].id is not None, "the bubble's number"
        )
        return desktop.notices()[-1]

    return shown


Show = Callable[[Bubble], Notice]


def test_one_takes_the_place_of_the_other_for_each_owner(desktop: Desktop, show: Show) -> None:
    first, second, other = show(bubble()), show(bubble(title="Second")), show(bubble("other"))
    assert (second.replaces_id, other.replaces_id) == (first.id, 0)
    assert len(desktop.bubbles()) == 2


def test_presses_come_back_with_their_owner(desktop: Desktop, show: Show, pressed: list[tuple[str, str]]) -> None:
    main, other = show(bubble()), show(bubble("other"))
    desktop.click_notice(other, "snooze")
    desktop.wait_for(lambda: len(pressed) == 1, "a press")
    desktop.click_notice(main, OPEN)
    desktop.wait_for(lambda: len(pressed) == 2, "another press")
    assert pressed == [("other", "snooze"), ("main", OPEN)]


def test_a_closed_bubble_is_not_replaced(desktop: Desktop, bubbles: Bubbles, show: Show) -> None:
    first = show(bubble())
    desktop.bus.call(NOTIFICATIONS, PATH, NOTIFICATIONS, "CloseNotification", "u", first.id)
    desktop.wait_for(lambda: first.closed == 3 and not bubbles._shown, "its end")  # type: ignore[attr-defined]
    assert show(bubble()).replaces_id == 0


def test_what_is_withdrawn_is_gone_and_once_is_enough(desktop: Desktop, bubbles: Bubbles, show: Show) -> None:
    show(bubble())
    other = show(bubble("other"))
    for _ in range(3):
        bubbles.withdraw("main")
    desktop.wait_for(lambda: len(desktop.bubbles()) == 1, "one bubble")
    assert other.closed is None
    assert show(bubble()).replaces_id == 0


def test_a_daemon_that_was_started_anew_knows_nothing_of_the_old_bubbles(
    desktop: Desktop, bubbles: Bubbles, show: Show
) -> None:
    show(bubble())
    show(bubble("other"))
    desktop.notifications_stop()
    desktop.notifications_start()
    somebody_elses = show(bubble("third"))
    bubbles.withdraw("main")
    assert somebody_elses.closed is None, "the old number is another's now"
    assert show(bubble("other")).replaces_id == 0


def test_without_a_daemon_it_raises_and_with_one_it_goes_on(desktop: Desktop, bubbles: Bubbles, show: Show) -> None:
    desktop.notifications_stop()
    with pytest.raises(Exception, match="ServiceUnknown"):
        bubbles.show(bubble())
    desktop.notifications_start()
    assert show(bubble()).error is None


def test_text_is_no_markup(desktop: Desktop, show: Show) -> None:
    shown = show(bubble(title="R&D <b>", body="a <b>b</b> & c"))
    assert (shown.summary, shown.body) == ("R&D <b>", "a &lt;b&gt;b&lt;/b&gt; &amp; c")
    desktop.bubble(shown)
    desktop.screenshot("tray notice markup")


def test_only_what_is_urgent_stays(show: Show) -> None:
    assert [(one.urgency, one.timeout) for one in (show(bubble(urgent=True)), show(bubble()))] == [(2, 0), (1, -1)]


def test_what_need_not_be_kept_says_so(show: Show) -> None:
    assert [show(bubble(fleeting=fleeting)).hints["transient"] for fleeting in (True, False)] == [True, False]


def test_where_the_daemon_has_no_buttons_none_are_asked_for(bubbles: FreedesktopNotices, show: Show) -> None:
    show(bubble())
    bubbles._capabilities = frozenset({"body"})
    shown = show(bubble(body="a & b"))
    assert (shown.actions, shown.body) == ({}, "a & b")
