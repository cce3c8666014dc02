"""The history window: it renders what is read for it, and costs nothing while nobody looks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tray_app.history.draft import EventDraft

pytest.importorskip("PySide6.QtWidgets")

from PySide6.QtCore import QCoreApplication, QEvent, QFileSystemWatcher, QPointF, Qt, QTimer
from PySide6.QtGui import QAccessible, QColor, QMouseEvent, QPalette
from PySide6.QtWidgets import QApplication, QFileDialog, QScrollArea, QToolTip
from pytestqt.qtbot import QtBot

from tests import weeks
from tests.doubles import Clock, PromptHistory
from tray_app.core import language
from tray_app.core.errors import StoreError
from tray_app.core.token import KST, token_for
from tray_app.desktop.history.feed import HistoryFeed, Page
from tray_app.desktop.history.legend import Legend
from tray_app.desktop.history.marks import kind_of, paint_mark
from tray_app.desktop.history.week_layout import Spot
from tray_app.desktop.history.week_view import WeekView
from tray_app.desktop.history.window import HistoryWindow
from tray_app.desktop.theme.colours import Tone, window_tones
from tray_app.desktop.translation import install_translator
from tray_app.history import events, timeline
from tray_app.history.database import History
from tray_app.history.events import Event, EventKind
from tray_app.history.timeline import Entry

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)

DAY = 86400.0


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    """A week of the default profile, told by three programs."""
    one = PromptHistory(str(tmp_path / "data" / "history.db"))
    for by, happening in weeks.lived_week():
        with monkeypatch.context() as patch:
            patch.setattr(events, "program_name", lambda by=by: by)
            one.record("default", [happening])
    return one


@pytest.fixture
def clock() -> Clock:
    return Clock(weeks.NOW)


@pytest.fixture
def opened(qtbot: QtBot, clock: Clock) -> Callable[..., HistoryWindow]:
    """A window that has shown the first page."""

    def open_one(history: History | None, profiles: object = None) -> HistoryWindow:
        feed = HistoryFeed(history, profiles or {"default": lambda: None}, clock)  # type: ignore[arg-type]
        window = HistoryWindow(feed)
        feed.setParent(window)
        qtbot.addWidget(window)
        with qtbot.waitSignal(feed.changed):
            window.show()
        return window

    return open_one


@pytest.fixture
def window(opened: Callable[..., HistoryWindow], history: History) -> HistoryWindow:
    return opened(history)


@pytest.fixture(autouse=True)
def english_again(qapp: QApplication) -> Iterator[None]:
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    language.use("en")
    install_translator(qapp)


def column(window: HistoryWindow, number: int) -> list[str]:
    return [window.model.index(row, number).data() for row in range(window.model.rowCount())]


def spots(window: HistoryWindow) -> list[Spot]:
    return list(window.week.spots)


def feed_of(window: HistoryWindow) -> HistoryFeed:
    feed = window.findChild(HistoryFeed)
    assert feed is not None
    return feed


def selected(window: HistoryWindow) -> Entry:
    return window.model.rows[window.table.currentIndex().row()].entry


def is_ringed(window: HistoryWindow, entry: Entry) -> bool:
    """Return True if the picture shows the colour of a selection around that entry, and nowhere else."""
    colour = window.week.palette().color(QPalette.ColorRole.Highlight).rgb()
    image = window.week.grab().toImage()
    ringed = [QPointF(x, y) for x in range(image.width()) for y in range(image.height()) if image.pixel(x, y) == colour]
    around = [spot.box.adjusted(-6, -6, 6, 6) for spot in spots(window) if spot.entry == entry]
    return bool(ringed) and all(any(box.contains(point) for box in around) for point in ringed)


def middle_of(window: HistoryWindow, text: str) -> QPointF:
    return next(spot.box.center() for spot in spots(window) if text in spot.text)


def test_the_first_line_tells_what_cost_money(window: HistoryWindow) -> None:
    assert window.summary.text() == "No token for 27 min in trading hours."


def test_the_list_tells_the_newest_first(window: HistoryWindow) -> None:
    times = column(window, 0)
    assert times[0] == "Fri 11-20 10:30:00"
    assert times[-1].startswith("Sat 11-14")
    assert "Kiwoom returned the same token" in column(window, 1)[0]
    assert column(window, 3)[0] == "morning-bot"


def test_no_token_is_shown_anywhere(window: HistoryWindow) -> None:
    shown = " ".join(spot.text for spot in spots(window)) + " ".join(column(window, 1))
    assert "of-a-test" not in shown


class TestPicture:
    def test_pointing_at_a_bar_tells_the_tokens_life(self, window: HistoryWindow) -> None:
        text = window.week.text_at(middle_of(window, "Token "))
        assert "(KST)" in text
        assert "A new token was issued" in text

    def test_pointing_at_a_gap_tells_how_long(self, window: HistoryWindow) -> None:
        assert "No token for 12 min in trading hours" in window.week.text_at(middle_of(window, "No token for 12"))

    def test_pointing_at_nothing_tells_nothing(self, window: HistoryWindow) -> None:
        assert window.week.text_at(QPointF(1, 1)) == ""

    def test_what_is_pointed_at_is_told_below(self, qtbot: QtBot, window: HistoryWindow) -> None:
        place = middle_of(window, "No token for 12")
        none = Qt.MouseButton.NoButton
        moved = QMouseEvent(
            QEvent.Type.MouseMove, place, window.week.mapToGlobal(place), none, none, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(window.week, moved)
        assert "No token for 12 min" in window.detail.text()

    def test_a_tool_tip_tells_it_too(self, window: HistoryWindow, monkeypatch: pytest.MonkeyPatch) -> None:
        told: list[str] = []
        monkeypatch.setattr(QToolTip, "showText", lambda _, text, *rest: told.append(text))
        from PySide6.QtGui import QHelpEvent

        place = middle_of(window, "No token for 12").toPoint()
        QApplication.sendEvent(window.week, QHelpEvent(QEvent.Type.ToolTip, place, window.week.mapToGlobal(place)))
        assert "No token for 12 min" in told[0]

    def test_a_click_on_a_mark_selects_its_row(self, qtbot: QtBot, window: HistoryWindow) -> None:
        qtbot.mouseClick(window.week, Qt.MouseButton.LeftButton, pos=middle_of(window, "The request failed").toPoint())
        assert "The request failed" in column(window, 1)[window.table.currentIndex().row()]

    @pytest.mark.parametrize(("is_cleared", "tone"), [(True, Tone.BAD), (False, Tone.QUIET)])
    def test_gaps_in_trading_hours_are_seen_however_short_and_red_unless_it_is_a_change_of_tokens(
        self, window: HistoryWindow, is_cleared: bool, tone: Tone
    ) -> None:
        window.resize(500, 600)
        QApplication.processEvents()
        token = Event(weeks.at(0, "06:30"), "default", EventKind.ISSUED, "a", None, weeks.at(0, "09:00"))
        later = Event(weeks.at(0, "09:00") + 5, "default", EventKind.ISSUED, "b", None, weeks.at(1, "09:00"))
        cleared = [Event(weeks.at(0, "08:59"), "default", EventKind.CLEARED)] if is_cleared else []
        week = timeline.week_of("default", [token, *cleared, later], weeks.NOW)
        window.week.show_week(week)
        tones = window_tones(window.palette())
        image = window.week.grab().toImage()
        shown = [
            {x for x in range(image.width()) for y in range(image.height()) if image.pixel(x, y) == one.rgb()}
            for one in (tones.of(tone), tones.bad)
        ]
        assert len(shown[0]) >= 2
        assert bool(shown[1]) is is_cleared
        assert week.gap_seconds() == (65 if is_cleared else 0)

    def test_a_burst_of_events_stays_near_its_time(self, window: HistoryWindow, history: History) -> None:
        cleared = [Event(weeks.at(0, "09:00") + n, "default", EventKind.CLEARED) for n in range(60)]
        window.week.show_week(timeline.week_of("default", cleared, weeks.NOW))
        boxes = [spot.box for spot in spots(window) if spot.entry in cleared]
        assert max(box.left() for box in boxes) - min(box.left() for box in boxes) < 4 * boxes[0].width()

    @pytest.mark.parametrize("size", [(640, 380), (420, 300)])
    def test_on_a_small_screen_everything_can_be_reached(
        self, qtbot: QtBot, window: HistoryWindow, size: tuple[int, int]
    ) -> None:
        window.resize(*size)
        QApplication.processEvents()
        assert (window.width(), window.height()) == size
        for widget in (window.table.viewport(), window.export, window.week):
            scroll = window.findChild(QScrollArea)
            scroll.ensureWidgetVisible(widget)
            assert not widget.visibleRegion().isEmpty()

    @pytest.mark.parametrize("lang", ["ko", "en"])
    def test_a_small_screen_at_300_percent_needs_no_scrolling_sideways(
        self, window: HistoryWindow, qapp: QApplication, lang: str
    ) -> None:
        language.use(lang)
        install_translator(qapp)
        window.resize(1280 // 3, 720 // 3)
        QApplication.processEvents()
        assert window.findChild(QScrollArea).horizontalScrollBar().maximum() == 0

    def test_it_shrinks_before_it_scrolls(self, window: HistoryWindow) -> None:
        window.resize(700, 520)
        QApplication.processEvents()
        assert window.findChild(QScrollArea).verticalScrollBar().maximum() == 0

    def test_nothing_lies_outside(self, window: HistoryWindow) -> None:
        for size in ((900, 720), (520, 640), (1600, 1100)):
            window.resize(*size)
            QApplication.processEvents()
            area = window.week.rect().toRectF().adjusted(-3, -3, 3, 3)
            assert all(area.contains(spot.box) for spot in spots(window)), size

    def test_the_days_hours_colour_the_picture(self, window: HistoryWindow) -> None:
        """Red where a trader had no token, and nowhere in a whole week."""
        red = window_tones(window.palette()).bad.rgb()

        def has_red() -> bool:
            image = window.week.grab().toImage()
            return any(
                image.pixel(x, y) == red
                for x in range(image.width())
                for y in range(image.height() // 8, image.height())
            )

        assert has_red()
        issued = [one for one in feed_of(window).page.week.events if one.kind is EventKind.ISSUED]
        window.week.show_week(timeline.week_of("default", issued[-1:], weeks.NOW))
        assert not has_red()

    def test_who_cannot_see_it_hears_it(self, window: HistoryWindow) -> None:
        described = QAccessible.queryAccessibleInterface(window.week).text(QAccessible.Text.Description)
        assert "No token for 12 min in trading hours" in described
        assert "Failed requests: 9" in described


class TestList:
    def test_the_selected_row_shows_its_mark_and_tells_the_rest(self, window: HistoryWindow) -> None:
        row = next(at for at, text in enumerate(column(window, 1)) if "removed" in text)
        window.table.selectRow(row)
        assert is_ringed(window, window.model.rows[row].entry)
        assert "No token for 12 min" in window.detail.text()

    def test_a_row_is_read_as_a_sentence(self, window: HistoryWindow) -> None:
        text = window.model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
        assert text.startswith("Fri 11-20 10:30:00, Kiwoom returned the same token, Sat 11-21 06:30, morning-bot")

    @pytest.mark.parametrize(
        ("number", "kinds"),
        [
            (1, {EventKind.ISSUED, EventKind.SAME, EventKind.FAILED}),
            (2, {EventKind.FAILED}),
            (3, {EventKind.ADOPTED, EventKind.STORED}),
            (4, {EventKind.CLEARED, EventKind.REVOKED}),
            (5, {None}),
        ],
    )
    def test_filter_by_what_happened(self, window: HistoryWindow, number: int, kinds: set[EventKind]) -> None:
        window.kinds.setCurrentIndex(number)
        assert {kind_of(row.entry) for row in window.model.rows} == kinds
        window.kinds.setCurrentIndex(0)
        assert {kind_of(row.entry) for row in window.model.rows} > kinds

    def test_filter_by_words(self, qtbot: QtBot, window: HistoryWindow) -> None:
        qtbot.keyClicks(window.search, "MORNING stored")
        assert [kind_of(row.entry) for row in window.model.rows] == [EventKind.STORED]
        qtbot.keyClicks(window.search, " nowhere")
        assert window.model.rowCount() == 0
        assert not window.export.isEnabled()

    def test_a_gap_can_be_reached_without_a_mouse(self, window: HistoryWindow) -> None:
        window.kinds.setCurrentIndex(5)
        assert column(window, 1) == ["No token for 12 min in trading hours", "No token for 15 min in trading hours"]
        window.table.selectRow(0)
        assert is_ringed(window, window.model.rows[0].entry)
        assert "Wed 11-18 11:40 to Wed 11-18 11:52" in window.detail.toolTip()  # all of it, however wide the letters

    def test_the_row_stays_selected_when_something_new_happens(
        self, qtbot: QtBot, window: HistoryWindow, history: History, clock: Clock
    ) -> None:
        window.table.selectRow(3)
        before = selected(window)
        history.record("default", [EventDraft(clock() - 1, "cleared", None, None)])
        qtbot.waitUntil(lambda: "The token was removed from this computer" in column(window, 1)[:2])
        assert selected(window) == before

    def test_the_keyboard_alone_reaches_everything(self, qtbot: QtBot, window: HistoryWindow) -> None:
        window.activateWindow()
        window.table.setFocus()
        order = []
        for _ in range(4):
            order.append(window.focusWidget())
            qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        assert order == [window.table, window.kinds, window.search, window.export]
        window.table.setFocus()
        qtbot.keyClick(window.table, Qt.Key.Key_Down)
        assert window.table.currentIndex().row() == 1
        qtbot.keyClick(window, Qt.Key.Key_Escape)
        assert not window.isVisible()


class TestExport:
    @pytest.fixture(autouse=True)
    def own_dialog(self, qapp: QApplication) -> Iterator[None]:
        qapp.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
        yield
        qapp.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, on=False)

    def test_what_is_listed_is_saved_for_a_spreadsheet(
        self, qtbot: QtBot, window: HistoryWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: list[str] = []
        monkeypatch.setattr("tray_app.desktop.history.window.alert", lambda widget: told.append(widget.text()))
        window.kinds.setCurrentIndex(2)
        window.export.click()
        dialog = window.findChild(QFileDialog)
        target = tmp_path / "내역.csv"
        with qtbot.waitSignal(feed_of(window).exported):
            dialog.fileSelected.emit(target.as_posix())
        dialog.close()
        lines = target.read_bytes().decode("utf-8-sig").splitlines()
        assert target.read_bytes().startswith(b"\xef\xbb\xbf")
        assert len(lines) == 2
        assert ",failed," in lines[1]
        assert window.status.text() == f"The list was saved: {target}"
        assert told == [window.status.text()], "a screen reader says it"

    def test_a_place_that_cannot_be_written_is_told(self, qtbot: QtBot, window: HistoryWindow, tmp_path: Path) -> None:
        with qtbot.waitSignal(feed_of(window).exported) as done:
            feed_of(window).export(str(tmp_path / "nowhere" / "a.csv"), [])
        assert done.args[1] is False
        assert "cannot be written" in window.status.text()


class TestFeed:
    def test_what_another_program_records_appears_by_itself(
        self, qtbot: QtBot, window: HistoryWindow, history: History, clock: Clock
    ) -> None:
        threading.Thread(
            target=lambda: history.record("default", [EventDraft(clock() - 5, "cleared", None, None)]), daemon=True
        ).start()
        qtbot.waitUntil(lambda: any("removed" in text for text in column(window, 1)[:2]))

    def test_the_picture_goes_on_every_minute(self, qtbot: QtBot, window: HistoryWindow, clock: Clock) -> None:
        feed = feed_of(window)
        (minute,) = feed.findChildren(QTimer, options=Qt.FindChildOption.FindDirectChildrenOnly)
        assert minute.isActive()
        assert 0 < minute.interval() <= 60_000
        clock.advance(120)
        with qtbot.waitSignal(feed.changed) as changed:
            minute.timeout.emit()
        assert changed.args[0].week.now == weeks.NOW + 120

    def test_hidden_it_reads_nothing_and_no_timer_runs(
        self, qtbot: QtBot, window: HistoryWindow, history: History, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        window.close()
        read: list[object] = []
        monkeypatch.setattr(history, "read", lambda *values: read.append(values))
        feed_of(window).refresh()
        assert [timer for timer in window.findChildren(QTimer) if timer.isActive()] == []
        watchers = window.findChildren(QFileSystemWatcher)
        assert [path for one in watchers for path in (*one.files(), *one.directories())] == []
        qtbot.wait(50)
        assert read == []

    def test_changes_while_it_reads_are_read_once_more(
        self, qtbot: QtBot, window: HistoryWindow, history: History, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        count: list[int] = []
        read = history.read

        def counting(profile: str, since: float) -> object:
            count.append(1)
            return read(profile, since)

        monkeypatch.setattr(history, "read", counting)
        shown: list[object] = []
        feed_of(window).changed.connect(shown.append)
        for _ in range(20):
            feed_of(window).refresh()
        qtbot.waitUntil(lambda: len(shown) == 2)
        qtbot.wait(50)
        assert len(count) == len(shown) == 2

    def test_a_record_that_cannot_be_read_says_so(
        self, qtbot: QtBot, window: HistoryWindow, history: History, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise StoreError("The history in {path} cannot be read.", path="here")

        monkeypatch.setattr(history, "read", refuse)
        with qtbot.waitSignal(feed_of(window).changed):
            feed_of(window).refresh()
        assert window.summary.text() == "The history in here cannot be read."

    def test_a_token_that_nobody_noted_is_drawn_all_the_same(
        self, opened: Callable[..., HistoryWindow], tmp_path: Path
    ) -> None:
        token = token_for("token-of-a-test", DAY, weeks.NOW - 600)
        window = opened(PromptHistory(str(tmp_path / "none" / "history.db")), {"default": lambda: token})
        assert any("Token " in spot.text for spot in spots(window))

    def test_a_keyring_that_does_not_answer_hides_nothing(
        self, opened: Callable[..., HistoryWindow], history: History
    ) -> None:
        def silent() -> None:
            raise StoreError("The keyring does not answer.")

        assert opened(history, {"default": silent}).model.rowCount() > 5

    def test_profiles_are_chosen_where_there_are_several(
        self, qtbot: QtBot, opened: Callable[..., HistoryWindow], history: History, clock: Clock
    ) -> None:
        history.record("부모님", [EventDraft(clock() - 60, "cleared", None, None)])
        window = opened(history, {"default": lambda: None, "부모님": lambda: None})
        assert window.profile.isVisible()
        assert [window.profile.itemText(at) for at in range(2)] == ["Default", "부모님"]
        with qtbot.waitSignal(feed_of(window).changed):
            window.profile.setCurrentIndex(1)
            window.profile.activated.emit(1)
        assert [kind_of(row.entry) for row in window.model.rows] == [None, EventKind.CLEARED]

    def test_one_profile_needs_no_choice(self, window: HistoryWindow) -> None:
        assert not window.profile.isVisible()

    def test_changed_settings_are_followed(
        self, qtbot: QtBot, window: HistoryWindow, history: History, tmp_path: Path
    ) -> None:
        with qtbot.waitSignal(feed_of(window).changed):
            feed_of(window).use(PromptHistory(str(tmp_path / "other" / "history.db")), {"default": lambda: None})
        assert window.model.rowCount() == 0


def test_an_empty_history_says_something_kind(opened: Callable[..., HistoryWindow], tmp_path: Path) -> None:
    window = opened(PromptHistory(str(tmp_path / "none" / "history.db")))
    assert window.summary.text() == "No events in this period."
    assert spots(window) == []
    window.grab()
    assert not (tmp_path / "none").exists()


def test_a_token_in_memory_has_none(opened: Callable[..., HistoryWindow]) -> None:
    assert opened(None).summary.text() == "The token is stored in memory only, so nothing is recorded."


def test_an_open_window_follows_the_language(qtbot: QtBot, window: HistoryWindow, qapp: QApplication) -> None:
    language.use("ko")
    with qtbot.waitSignal(feed_of(window).changed):
        install_translator(qapp)
    assert isinstance(feed_of(window).page, Page)


@pytest.mark.parametrize("ground", ["#202326", "#fafafa"])
def test_colours_follow_the_theme(window: HistoryWindow, ground: str) -> None:
    palette = QPalette(QColor(ground))
    window.setPalette(palette)
    QApplication.processEvents()
    good = window_tones(palette).good
    assert good.lightnessF() > 0.4 if ground == "#202326" else good.lightnessF() < 0.4
    image = window.week.grab().toImage()
    assert good.rgb() in {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}


def test_in_strong_contrast_everything_is_in_the_colour_of_the_text(
    window: HistoryWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tray_app.desktop.history import week_view
    from tray_app.desktop.theme import colours, dark_mode, stylesheet

    for module in (colours, dark_mode, stylesheet, week_view):
        monkeypatch.setattr(module, "is_high_contrast", lambda: True)
    QApplication.sendEvent(window, QEvent(QEvent.Type.PaletteChange))
    assert window.styleSheet() == ""
    image = window.week.grab().toImage()
    allowed = {
        window.palette().color(role).rgb() for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Window)
    }
    solid = {image.pixel(x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)}
    assert allowed <= solid


def test_the_day_in_the_picture_is_koreas(window: HistoryWindow) -> None:
    assert datetime.fromtimestamp(feed_of(window).page.week.end, KST).hour == 0


def test_each_mark_has_a_shape_of_its_own() -> None:
    from PySide6.QtCore import QRectF
    from PySide6.QtGui import QImage, QPainter

    drawn = set()
    for kind in EventKind:
        image = QImage(16, 16, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        paint_mark(painter, kind, QRectF(2, 2, 12, 12), QColor("black"))
        painter.end()
        drawn.add(bytes(image.constBits()))
    assert len(drawn) == len(EventKind)


def test_a_picture_without_a_week_is_blank(qtbot: QtBot) -> None:
    view = WeekView()
    qtbot.addWidget(view)
    view.grab()
    assert view.text_at(QPointF(20, 20)) == ""


def test_the_legend_names_each_kind_of_event_differently(qtbot: QtBot) -> None:
    legend = Legend()
    qtbot.addWidget(legend)
    days = timeline.days_until(weeks.NOW)

    legend.show_week(
        timeline.Week("default", weeks.NOW, days, 0.0, events=tuple(Event(0.0, "", kind) for kind in EventKind))
    )

    names = legend.accessibleName().split(", ")
    assert len(set(names)) == len(names) == len(EventKind)
    assert "Stopped working" in names
