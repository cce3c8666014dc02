"""The history window: the picture of the last days, and the list of what happened. Renders a `Page`."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QDir, QEvent, QSize, QStandardPaths, Qt
from PySide6.QtGui import QFont, QHideEvent, QKeySequence, QPalette, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.core.profile import DEFAULT
from tray_app.core.token import KST
from tray_app.desktop.history.event_model import PROGRAM, WHAT, WHEN, EventModel
from tray_app.desktop.history.legend import Legend
from tray_app.desktop.history.marks import kind_of
from tray_app.desktop.history.week_view import WeekView
from tray_app.desktop.icons.app_icon import app_icon
from tray_app.desktop.theme.colours import on_accent_colour, text_colour, window_tones
from tray_app.desktop.theme.stylesheet import (
    LOOK_CHANGES,
    fix_box_colours,
    set_stylesheet,
    set_text_colour,
    window_stylesheet,
)
from tray_app.desktop.widgets.accessible import alert
from tray_app.desktop.widgets.basics import make_scroll_area, make_text, set_text
from tray_app.desktop.widgets.tool_window import ToolWindow, available_room
from tray_app.history.events import TAKES, EventKind

if TYPE_CHECKING:
    from tray_app.desktop.history.feed import HistoryFeed, Page
    from tray_app.history.timeline import Entry


_WIDTH, _HEIGHT = 900, 720


_NARROWEST_FILTER = 80
"""Pixels, where a small screen at 300 % has no room for the longest text."""

_DETAIL_LINES = 2

_REQUESTS = frozenset({EventKind.ISSUED, EventKind.SAME, EventKind.FAILED})

_OTHERS = frozenset({EventKind.ADOPTED, EventKind.STORED, EventKind.SEEN})

_FAILURES = frozenset({EventKind.FAILED})

_GAPS: frozenset[EventKind | None] = frozenset({None})

_FILTERS: tuple[frozenset[EventKind | None], ...] = (
    frozenset({*EventKind, None}),
    _REQUESTS,
    _FAILURES,
    _OTHERS,
    TAKES,
    _GAPS,
)
"""None stands for gaps, which have no kind."""


class HistoryWindow(ToolWindow):
    """Render what the feed reads. Closing hides the window, and while it is hidden nothing is read."""

    def __init__(self, feed: HistoryFeed, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("historyWindow")
        self.setWindowIcon(app_icon())
        self._feed = feed
        self._page: Page | None = None
        self._dialog: QFileDialog | None = None
        self.summary = make_text("summary", self, wrap=False)
        self.profile = QComboBox(self)
        self.profile.setObjectName("historyProfile")
        self.week = WeekView(self)
        self.legend = Legend(self)
        self.detail = make_text("detail", self, wrap=False)
        self.kinds = QComboBox(self)
        self.kinds.setObjectName("kinds")
        self.kinds.addItems([""] * len(_FILTERS))
        self.kinds.setMinimumWidth(_NARROWEST_FILTER)
        self._show = make_text("showLabel", self, wrap=False)
        self._show.setBuddy(self.kinds)
        self.search = QLineEdit(self)
        self.search.setObjectName("search")
        self.search.setClearButtonEnabled(True)
        self.export = QPushButton(self)
        self.export.setObjectName("export")
        self.status = make_text("status", self, wrap=False)
        self.model = EventModel(self)
        self.table = self._table()
        self._lay_out()
        self._retranslate()
        self._restyle()
        self.profile.activated.connect(lambda at: feed.choose(self.profile.itemData(at)))
        self.week.pointed.connect(self._show_detail)
        self.week.picked.connect(self._select)
        self.kinds.currentIndexChanged.connect(self._filter)
        self.search.textChanged.connect(self._filter)
        self.export.clicked.connect(self._ask_export_path)
        QShortcut(QKeySequence.StandardKey.Find, self, self.search.setFocus)
        feed.changed.connect(self.show_page)
        feed.exported.connect(self._show_exported)
        self.show_page(feed.page)

    def show_page(self, page: Page) -> None:
        """Render `page`."""
        self._page = page
        self.profile.setVisible(len(page.profiles) > 1)
        if [self.profile.itemData(at) for at in range(self.profile.count())] != list(page.profiles):
            self.profile.clear()
            for name in page.profiles:
                self.profile.addItem(name, name)
        if DEFAULT in page.profiles:
            self.profile.setItemText(page.profiles.index(DEFAULT), tr("Default"))
        self.profile.setCurrentIndex(self.profile.findData(page.profile))
        self.summary.setText(page.text)
        self._colour_summary()
        self.week.show_week(page.week)
        self.legend.show_week(page.week)
        self._filter()

    def choose_profile(self, profile: str) -> None:
        """Show the history of that account."""
        self._feed.choose(profile)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._feed.set_active(not self.isMinimized())

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._feed.set_active(False)
        self.status.clear()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        kind = event.type()
        if kind == QEvent.Type.LanguageChange:
            self._retranslate()
            self._feed.refresh()
        elif kind in LOOK_CHANGES:
            self._restyle()
        elif kind == QEvent.Type.WindowStateChange and self.isVisible():
            self._feed.set_active(not self.isMinimized())

    def _table(self) -> QTableView:
        table = QTableView(self)
        table.setObjectName("events")
        table.setModel(self.model)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setTabKeyNavigation(False)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setFrameShape(QTableView.Shape.NoFrame)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 10)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(WHAT, QHeaderView.ResizeMode.Stretch)
        table.selectionModel().currentRowChanged.connect(self._highlight_selected)
        return table

    def _lay_out(self) -> None:
        font = self.summary.font()
        font.setPointSizeF(max(1.0, font.pointSizeF()) + 2)
        font.setWeight(QFont.Weight.DemiBold)
        self.summary.setFont(font)
        self.summary.setWordWrap(True)
        self.detail.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.detail.setMinimumHeight(_DETAIL_LINES * self.detail.fontMetrics().lineSpacing() + 2)
        self.detail.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.status.setWordWrap(True)
        head = QHBoxLayout()
        head.addWidget(self.summary, 1)
        head.addWidget(self.profile)
        tools = QHBoxLayout()
        tools.setSpacing(8)
        tools.addWidget(self._show)
        tools.addWidget(self.kinds)
        tools.addWidget(self.search, 1)
        tools.addWidget(self.export)
        shrinking = _ShrinkingWidget(self)
        body = QVBoxLayout(shrinking)
        body.setContentsMargins(20, 16, 20, 14)
        body.setSpacing(8)
        body.addLayout(head)
        body.addWidget(self.week, 3)
        body.addWidget(self.legend)
        body.addWidget(self.detail)
        body.addLayout(tools)
        body.addWidget(self.table, 2)
        body.addWidget(self.status)
        # Without it, parts were out of reach on a small screen at 300 %.
        scroll = make_scroll_area("", self, sideways=True)
        inside = QWidget(scroll)
        around = QVBoxLayout(inside)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(shrinking)
        scroll.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)
        for first, second in ((self.table, self.kinds), (self.kinds, self.search), (self.search, self.export)):
            self.setTabOrder(first, second)
        self.resize(available_room(self).boundedTo(QSize(_WIDTH, _HEIGHT)))
        self.table.setFocus()

    def _retranslate(self) -> None:
        self.setWindowTitle(tr("History of the last seven days"))
        self.week.setAccessibleName(tr("Chart of the last seven days"))
        self.table.setAccessibleName(tr("Event"))
        self.profile.setAccessibleName(tr("Profile"))
        set_text(self._show, tr("&Show"))
        names = (
            tr("All events"),
            tr("Requests to Kiwoom"),
            tr("Failures"),
            tr("From other programs"),
            tr("Removed and revoked"),
            tr("Gaps in trading hours"),
        )
        for at, name in enumerate(names):
            self.kinds.setItemText(at, name)
        self.search.setPlaceholderText(tr("Find"))
        self.search.setAccessibleName(tr("Find"))
        set_text(self.export, tr("&Export…"))
        self.model.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, PROGRAM)
        if self._page is not None:
            self.legend.show_week(self._page.week)

    def _colour_summary(self) -> None:
        page, tones = self._page, window_tones(self.palette())
        is_bad = page is not None and page.is_bad
        set_text_colour(self.summary, tones.bad if is_bad else text_colour(self.palette()))

    def _filter(self) -> None:
        """Apply the filters, keeping the selected row where it is still listed."""
        kinds, words = _FILTERS[max(0, self.kinds.currentIndex())], self.search.text().casefold().split()
        rows = [
            row
            for row in (self._page.rows if self._page is not None else ())
            if kind_of(row.entry) in kinds and all(word in row.sentence.casefold() for word in words)
        ]
        self.export.setEnabled(bool(rows))
        if tuple(rows) == self.model.rows:
            return
        selected = self._selected()
        self.model.show_rows(rows)
        self._select(selected)

    def _selected(self) -> Entry | None:
        at = self.table.currentIndex()
        return self.model.rows[at.row()].entry if at.isValid() else None

    def _select(self, entry: Entry | None) -> None:
        for number, row in enumerate(self.model.rows):
            if entry is not None and (row.entry.at, kind_of(row.entry)) == (entry.at, kind_of(entry)):
                self.table.selectRow(number)
                self.table.scrollTo(self.model.index(number, WHEN))
                return
        if self.model.rows:
            self.table.selectRow(0)
        self._highlight_selected()

    def _highlight_selected(self) -> None:
        self.week.highlight(self._selected())
        self._show_detail("")

    def _show_detail(self, text: str) -> None:
        """Show what the mouse points at, else the selected event and the token it belongs to."""
        entry = self._selected()
        if not text and entry is not None:
            text = self.week.text_about(entry)
        self.detail.setToolTip(text)
        metrics, width = self.detail.fontMetrics(), self.detail.width()
        lines = [metrics.elidedText(line, Qt.TextElideMode.ElideRight, width) for line in text.splitlines()]
        self.detail.setText("\n".join(lines[:_DETAIL_LINES]))

    def _ask_export_path(self) -> None:
        """Ask for the file without blocking; the dialog deletes itself."""
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        if not QDir(folder).exists():
            folder = QDir.homePath()
        name = f"kiwoom-token-{datetime.now(KST):%Y%m%d}.csv"
        dialog = self._dialog = QFileDialog(self, tr("Export"), os.path.join(folder, name))
        dialog.setObjectName("exportDialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(tr("CSV for spreadsheets (*.csv)"))
        dialog.setDefaultSuffix("csv")
        dialog.selectFile(name)
        entries = [row.entry for row in reversed(self.model.rows)]
        dialog.fileSelected.connect(
            lambda path: self._feed.export(os.path.normpath(path), entries)
        )  # Qt returns slashes
        dialog.open()

    def _show_exported(self, text: str, is_done: bool) -> None:
        tones = window_tones(self.palette())
        set_text_colour(self.status, tones.good if is_done else tones.bad)
        self.status.setText(text)
        alert(self.status)

    def _restyle(self) -> None:
        tones = window_tones(self.palette())
        style = window_stylesheet(self.palette(), button=(5, 14))
        set_stylesheet(self, style)
        self.week.set_tones(tones)
        self.legend.set_tones(tones)
        self.model.set_tones(
            tones,
            on_accent_colour(self.palette()) if style else self.palette().color(QPalette.ColorRole.HighlightedText),
        )
        fix_box_colours(self)
        set_text_colour(self.detail, tones.quiet)
        self._colour_summary()


class _ShrinkingWidget(QWidget):
    """A widget that shrinks to its minimum height before its scroll area scrolls.

    A scroll area would otherwise give wrapped labels all the height they ask for.
    """

    def hasHeightForWidth(self) -> bool:
        return False
