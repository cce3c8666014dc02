"""A copied token: marked, counted down, and taken away again only while it is still there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("PySide6.QtGui")

from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtGui import QClipboard, QGuiApplication
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from tests.doubles import START, Clock
from tray_app.core.secret import Secret
from tray_app.desktop.clipboard import KEEP_SECONDS, TokenClipboard, marked

TOKEN = Secret("a-token-to-be-copied")


@pytest.fixture
def copier(qtbot: QtBot, clock: Clock) -> Iterator[TokenClipboard]:
    one = TokenClipboard(clock=clock)
    yield one
    delete(one)
    QGuiApplication.clipboard().clear()


def told(copier: TokenClipboard) -> list[float | None]:
    seen: list[float | None] = []
    copier.changed.connect(seen.append)
    return seen


def countdown(copier: TokenClipboard) -> QTimer:
    """What ends the copy when nobody else does."""
    timer = copier.findChild(QTimer)
    assert timer is not None
    return timer


def on_clipboard() -> str:
    return QGuiApplication.clipboard().text(QClipboard.Mode.Clipboard)


def test_copy_puts_the_token_there_and_says_until_when(copier: TokenClipboard) -> None:
    seen = told(copier)
    copier.copy(TOKEN)
    assert on_clipboard() == TOKEN.reveal()
    assert seen == [START + KEEP_SECONDS]
    assert copier.copied_until == START + KEEP_SECONDS
    assert countdown(copier).interval() == KEEP_SECONDS * 1000


def test_token_is_taken_away_when_its_time_is_over(copier: TokenClipboard) -> None:
    copier.copy(TOKEN)
    seen = told(copier)
    countdown(copier).timeout.emit()
    assert on_clipboard() == ""
    assert seen == [None]
    assert copier.copied_until is None


def test_what_somebody_else_copied_stays_and_ends_the_countdown_at_once(copier: TokenClipboard) -> None:
    copier.copy(TOKEN)
    seen = told(copier)
    QGuiApplication.clipboard().setText("005930")
    assert seen == [None]
    assert not countdown(copier).isActive()
    copier.clear()
    assert on_clipboard() == "005930"


def test_copying_again_begins_anew(copier: TokenClipboard, clock: Clock) -> None:
    copier.copy(TOKEN)
    clock.advance(20)
    seen = told(copier)
    other = Secret("another-token-than-before")
    copier.copy(other)
    assert seen == [START + 20 + KEEP_SECONDS]
    copier.clear()
    assert on_clipboard() == ""


def test_token_does_not_outlive_the_program(copier: TokenClipboard) -> None:
    copier.copy(TOKEN)
    app = QCoreApplication.instance()
    assert app is not None
    app.aboutToQuit.emit()
    assert on_clipboard() == ""


def test_nothing_is_cleared_that_was_never_copied(copier: TokenClipboard) -> None:
    QGuiApplication.clipboard().setText("005930")
    seen = told(copier)
    copier.clear()
    assert on_clipboard() == "005930"
    assert seen == []


def test_selection_of_x11_is_left_alone(copier: TokenClipboard) -> None:
    clipboard = QGuiApplication.clipboard()
    if clipboard.supportsSelection():
        clipboard.setText("selected", QClipboard.Mode.Selection)
        copier.copy(TOKEN)
        copier.clear()
        assert clipboard.text(QClipboard.Mode.Selection) == "selected"
    else:
        assert not clipboard.supportsSelection()


def test_it_keeps_no_token(copier: TokenClipboard) -> None:
    copier.copy(TOKEN)
    assert TOKEN.reveal() not in repr(vars(copier))


@pytest.mark.parametrize(
    ("platform", "name", "value"),
    [
        ("linux", "x-kde-passwordManagerHint", b"secret"),
        ("win32", 'application/x-qt-windows-mime;value="CanIncludeInClipboardHistory"', b"\0\0\0\0"),
        ("win32", 'application/x-qt-windows-mime;value="CanUploadToCloudClipboard"', b"\0\0\0\0"),
        (
            "win32",
            'application/x-qt-windows-mime;value="ExcludeClipboardContentFromMonitorProcessing"',
            b"\0\0\0\0",
        ),
    ],
)
def test_secret_is_marked_for_clipboard_managers(platform: str, name: str, value: bytes) -> None:
    data = marked("text", platform)
    assert data.text() == "text"
    assert data.data(name).data() == value
