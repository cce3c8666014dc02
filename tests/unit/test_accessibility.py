"""Every window for people who hear it or have no mouse: names, captions, and a way to everything by the keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets")

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.doubles import Clock
from tests.unit.test_setup import FakeActions
from tests.unit.test_status_window import NOW, refused, state, view
from tray_app.core import language
from tray_app.core.errors import KeyringUnavailable, KeysMissing
from tray_app.desktop.dialogs.clear import ask_clear
from tray_app.desktop.dialogs.keys import ask_keys
from tray_app.desktop.dialogs.rotate import ask_rotate
from tray_app.desktop.history.feed import HistoryFeed
from tray_app.desktop.history.window import HistoryWindow
from tray_app.desktop.settings.damaged import DamagedSettingsDialog
from tray_app.desktop.settings.view import settings_view
from tray_app.desktop.settings.window import SettingsWindow
from tray_app.desktop.setup.actions import FoundKeys, KeySearch
from tray_app.desktop.setup.flow import Step
from tray_app.desktop.setup.wizard import SetupWizard
from tray_app.desktop.status_window.window import StatusWindow
from tray_app.desktop.translation import install_translator, switch_language
from tray_app.desktop.view.build import view_of
from tray_app.desktop.view.model import Overview, View
from tray_app.desktop.view.question import QuestionView
from tray_app.desktop.widgets.accessible import with_mnemonic
from tray_app.settings.load import load_settings

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)

_MNEMONIC = re.compile(r"\([A-Z]\)|&")
_TAKES_INPUT = (QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox, QAbstractItemView)


def status_window(shown: View) -> QWidget:
    window = StatusWindow()
    window.show_view(shown)
    return window


def several() -> View:
    states = (
        state(),
        state(-5, profile="swing", mode="demo"),
        state(None, profile="day", stopped_by=KeysMissing("No keys.")),
    )
    return view_of(Overview(states, "default"), NOW, "linux")


def wizard(step: Step, **actions: object) -> QWidget:
    one = SetupWizard(None, FakeActions(**actions), step)  # type: ignore[arg-type]
    one.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    return one


def settings_page(number: int) -> QWidget:
    window = SettingsWindow()
    window.show_settings(settings_view(load_settings(None), ("default", "swing"), None))
    sections = window.findChild(QAbstractItemView, "sections")
    assert sections is not None
    sections.setCurrentIndex(sections.model().index(number, 0))
    return window


def damaged_settings() -> QWidget:
    return DamagedSettingsDialog(load_settings(None), lambda: load_settings(None), "/x/settings.toml")


def history() -> QWidget:
    feed = HistoryFeed(None, {"default": lambda: None, "swing": lambda: None}, Clock(NOW))
    window = HistoryWindow(feed)
    feed.setParent(window)
    return window


VIEWS: dict[str, Callable[[], View]] = {
    "status": view,
    "status, refused": lambda: refused("8050"),
    "status, several accounts": several,
}
WINDOWS: dict[str, Callable[[], QWidget]] = {
    **{name: lambda shown=shown: status_window(shown()) for name, shown in VIEWS.items()},  # type: ignore[misc]
    "remove": lambda: ask_clear(None, QuestionView()),
    "reissue": lambda: ask_rotate(None, QuestionView()),
    "keys": lambda: ask_keys(None, "real"),
    "damaged settings": damaged_settings,
    "history": history,
    "wizard, welcome": lambda: wizard(Step.WELCOME),
    "wizard, keys": lambda: wizard(Step.KEYS),
    "wizard, keys found": lambda: wizard(Step.KEYS, search=KeySearch((FoundKeys("real"), FoundKeys("demo")))),
    "wizard, keyring locked": lambda: wizard(Step.KEYS, search=KeySearch((), KeyringUnavailable.LOCKED)),
    "wizard, storage": lambda: wizard(Step.STORAGE),
    "wizard, startup": lambda: wizard(Step.STARTUP),
    "wizard, done": lambda: wizard(Step.DONE),
    **{f"settings {number}": partial(settings_page, number) for number in range(5)},
}


@pytest.fixture(autouse=True)
def english_again(qapp: QApplication) -> Iterator[None]:
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    speak(qapp, "en")


def speak(app: QApplication, lang: str) -> None:
    language.use(lang)
    install_translator(app)


def opened(name: str, lang: str, qtbot: QtBot, qapp: QApplication) -> QWidget:
    speak(qapp, lang)
    window = WINDOWS[name]()
    qtbot.addWidget(window)
    window.show()
    if isinstance(window, SetupWizard):
        flow = window.flow
        qtbot.waitUntil(lambda: None not in {flow.state.search, flow.state.storage, flow.state.options})
    if isinstance(window, HistoryWindow):
        (feed,) = window.findChildren(HistoryFeed)
        qtbot.waitUntil(lambda: feed.page.week is not None)
    qtbot.wait(50)
    return window


def test_time_at_the_start_of_a_text_is_no_mnemonic() -> None:
    assert with_mnemonic("08:00에 자동 재시도", "K") == "08:00에 자동 재시도(&K)"


def inputs(window: QWidget) -> list[QWidget]:
    """What a user sees and can change."""
    return [
        one
        for one in window.findChildren(QWidget)
        if isinstance(one, _TAKES_INPUT)
        and one.isVisible()
        and one.focusPolicy() != Qt.FocusPolicy.NoFocus
        and not isinstance(one.parent(), QAbstractSpinBox | QComboBox)
    ]


def chain(window: QWidget) -> list[QWidget]:
    """The widgets in the order of the Tab key, once round."""
    found: list[QWidget] = [window]
    while (following := found[-1].nextInFocusChain()) is not None and following is not window:
        found.append(following)
    return found


def is_other_choice(one: QWidget) -> bool:
    """Return True for a radio button that the arrow keys reach from the checked one."""
    return isinstance(one, QRadioButton) and not one.isChecked()


@pytest.mark.usefixtures("private_places")
@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("name", WINDOWS)
def test_a_screen_reader_has_a_name_for_everything_that_takes_input(
    name: str, lang: str, qtbot: QtBot, qapp: QApplication
) -> None:
    window = opened(name, lang, qtbot, qapp)
    for one in inputs(window):
        spoken = QAccessible.queryAccessibleInterface(one).text(QAccessible.Text.Name)
        assert spoken.strip(), (type(one).__name__, one.objectName())
        assert not _MNEMONIC.search(spoken), spoken


def spoken_by(window: QWidget) -> dict[str, tuple[str, str]]:
    """Name and description of everything in a window, by the name of its object."""
    found = {}
    for one in (window, *window.findChildren(QWidget)):
        interface = QAccessible.queryAccessibleInterface(one)
        if one.objectName() and interface is not None:
            found[one.objectName()] = (
                interface.text(QAccessible.Text.Name),
                interface.text(QAccessible.Text.Description),
            )
    return found


@pytest.mark.usefixtures("private_places")
@pytest.mark.parametrize(("before", "now"), [("ko", "en"), ("en", "ko")])
@pytest.mark.parametrize("name", [name for name in WINDOWS if name != "damaged settings"])  # which has one language
def test_a_screen_reader_speaks_the_language_that_is_chosen_while_a_window_is_open(
    name: str, before: str, now: str, qtbot: QtBot, qapp: QApplication
) -> None:
    expected = spoken_by(opened(name, now, qtbot, qapp))
    window = opened(name, before, qtbot, qapp)

    language.use(now)
    switch_language(qapp)
    qapp.processEvents()
    if isinstance(window, StatusWindow):
        window.show_view(VIEWS[name]())

    def speaks_it() -> None:
        assert spoken_by(window) == expected

    qtbot.waitUntil(speaks_it)


@pytest.mark.parametrize(("lang", "says"), [("ko", "폐기 후 삭제"), ("en", "Revoke and remove")])
def test_a_screen_reader_says_what_the_button_of_a_question_does_now(
    lang: str, says: str, qtbot: QtBot, qapp: QApplication
) -> None:
    window = opened("remove", lang, qtbot, qapp)
    revoke, accept = window.findChild(QRadioButton, "clearRevoke"), window.findChild(QPushButton, "clearAccept")
    assert revoke is not None
    assert accept is not None
    revoke.setChecked(True)
    assert accept.accessibleName() == says


@pytest.mark.usefixtures("private_places")
@pytest.mark.parametrize("name", WINDOWS)
def test_the_tab_key_reaches_everything_that_takes_input(name: str, qtbot: QtBot, qapp: QApplication) -> None:
    window = opened(name, "ko", qtbot, qapp)
    reached = {one for one in chain(window) if one.focusPolicy() & Qt.FocusPolicy.TabFocus}
    out_of_reach = [
        one for one in inputs(window) if one.isEnabled() and one not in reached and not is_other_choice(one)
    ]
    assert [one.objectName() for one in out_of_reach] == []


@pytest.mark.usefixtures("private_places")
@pytest.mark.parametrize("name", WINDOWS)
def test_what_has_the_keyboard_is_seen(name: str, qtbot: QtBot, qapp: QApplication) -> None:
    window = opened(name, "en", qtbot, qapp)
    with qtbot.waitActive(window):
        window.activateWindow()
    for one in inputs(window):
        is_empty = isinstance(one, QAbstractItemView) and not one.model().rowCount()
        if one.isEnabled() and not is_other_choice(one) and not is_empty:
            one.setFocus()
            window.setAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)  # as after the Tab key
            focused = one.grab().toImage()
            window.setFocus()
            assert one.grab().toImage() != focused, one.objectName()


@pytest.mark.usefixtures("private_places")
@pytest.mark.parametrize("name", WINDOWS)
def test_return_presses_the_button_that_has_the_focus(
    name: str, qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed: list[QPushButton] = []

    def click(one: QPushButton) -> None:
        pressed.append(one)

    monkeypatch.setattr(QPushButton, "click", click)
    window = opened(name, "en", qtbot, qapp)
    buttons = [one for one in inputs(window) if isinstance(one, QPushButton) and one.isEnabled()]
    for one in buttons:
        one.setAutoDefault(False)  # not in the way that only dialogs have
        one.setDefault(False)
        one.setFocus()
        for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            qtbot.keyClick(one, key)
    assert pressed == [one for one in buttons for _ in range(2)]


@pytest.mark.usefixtures("private_places")
@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("name", WINDOWS)
def test_no_two_buttons_share_a_letter(name: str, lang: str, qtbot: QtBot, qapp: QApplication) -> None:
    window = opened(name, lang, qtbot, qapp)
    texts = [one.text() for one in window.findChildren(QAbstractButton) if one.isVisible()]
    texts += [one.text() for one in window.findChildren(QLabel) if one.isVisible() and one.buddy() is not None]
    letters = [found[1].lower() for text in texts if (found := re.search(r"&(\w)", text))]
    assert sorted(letters) == sorted(set(letters)), texts


@pytest.mark.usefixtures("private_places")
@pytest.mark.parametrize("name", [name for name in WINDOWS if name != "history"])
def test_no_word_is_cut(name: str, qtbot: QtBot, qapp: QApplication) -> None:
    for lang in ("ko", "en"):
        window = opened(name, lang, qtbot, qapp)
        for one in window.findChildren(QPushButton):
            if one.isVisible():
                assert one.width() >= one.sizeHint().width(), one.text()


@pytest.mark.usefixtures("private_places")
@pytest.mark.parametrize("name", [name for name in WINDOWS if not name.startswith("wizard")])
def test_escape_closes_the_window(name: str, qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    window = opened(name, "en", qtbot, qapp)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isVisible()
