"""The settings window, generated from the table of settings. Each change applies at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.errors import KiwoomTokenError, say
from tray_app.core.language import joined, tr
from tray_app.core.profile import DEFAULT
from tray_app.desktop.icons.app_icon import app_icon
from tray_app.desktop.settings.card import SettingCard
from tray_app.desktop.settings.notes import breakable
from tray_app.desktop.theme.colours import text_colour, window_tones
from tray_app.desktop.theme.stylesheet import (
    LOOK_CHANGES,
    fix_box_colours,
    set_stylesheet,
    set_text_colour,
    window_stylesheet,
)
from tray_app.desktop.widgets.accessible import alert
from tray_app.desktop.widgets.basics import make_button, make_scroll_area, make_text, set_text
from tray_app.desktop.widgets.flow_layout import FlowLayout
from tray_app.desktop.widgets.tool_window import ToolWindow, available_room
from tray_app.settings.table import GROUPS, NOTICES, PROGRAM, RENEWAL, SHARING, STORAGE, TABLE

if TYPE_CHECKING:
    from tray_app.desktop.settings.view import SettingsView
    from tray_app.desktop.theme.colours import Tones
    from tray_app.service.settings_changes import Changed


_WIDTH, _HEIGHT = 760, 600


_MARGIN = 16

_NARROW = 560
"""In a narrower window the sections are above the page."""


class SettingsWindow(ToolWindow):
    """Render a `SettingsView`. Closing hides the window.

    `change_requested(name, value)` carries a change as written in the file, or None for the default. Its outcome is
    shown by `show_settings` and by `show_done` or `show_refusal`.
    """

    change_requested = Signal(str, object)
    profile_chosen = Signal(str)
    open_file_requested = Signal()
    keys_requested = Signal(str)
    """The account whose keys the user wants to enter."""
    setup_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setObjectName("settingsWindow")
        self.setWindowIcon(app_icon())
        self._view: SettingsView | None = None
        self._problems = make_text("problems", self)
        self._problems.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._profile_name = QLabel(self)
        self._profile = QComboBox(self)
        self._profile.setObjectName("profile")
        self._profile.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._profile.setMinimumContentsLength(12)
        self._profile_name.setBuddy(self._profile)
        self._sections = QListWidget(self)
        self._sections.setObjectName("sections")
        self._sections.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._sections.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._sections.setFrameShape(QFrame.Shape.NoFrame)
        self._section_box = QComboBox(self)
        self._section_box.setObjectName("sectionBox")
        self._section_box.hide()
        self._pages = QStackedWidget(self)
        self._pages.setObjectName("pages")
        self._whole = make_scroll_area("whole", self, sideways=True)
        self._cards: dict[str, SettingCard] = {}
        self._areas: dict[str, QScrollArea] = {}
        for group in GROUPS:
            self._sections.addItem("")
            self._section_box.addItem("")
            area = self._areas[group] = self._page(group)
            self._pages.addWidget(area)
        self._keys = make_button("enterKeys", self)
        self._setup = make_button("setUpAgain", self)
        self._file = make_button("openFile", self)
        self._close = make_button("closeSettings", self)
        self._pages.setEnabled(False)
        self._lay_out()
        self._connect()
        self._retranslate()
        self._restyle()
        self._sections.setCurrentRow(0)
        self._sections.setFocus()

    def show_section(self, group: str) -> None:
        """Show one of the sections: a group of the table."""
        self._sections.setCurrentRow(GROUPS.index(group))

    def show_settings(self, view: SettingsView) -> None:
        """Show the present settings, except where the user is typing about the same account."""
        is_another = self._view is not None and self._view.profile != view.profile
        self._view = view
        self._pages.setEnabled(True)
        for field in view.fields:
            self._cards[field.name].show_field(field, view, anew=is_another)
        self._show_profiles(view)
        self._setup.setVisible(not view.is_sandbox)
        self._show_problems("\n".join(dict.fromkeys(say(one) for one in view.problems)))

    def show_refusal(self, name: str, error: KiwoomTokenError) -> None:
        """Show beside the field why a change was refused, and the value that still holds."""
        if name not in self._cards:
            self._show_problems(say(error))
        else:
            self._cards[name].show_refusal(error)

    def show_done(self, name: str, changed: Changed) -> None:
        """Show beside the field what a change did to the stored token."""
        migrated = changed.migrated
        outcome = joined(*migrated.sentences(), *map(say, migrated.failures))
        self._cards[name].show_outcome(outcome, bad=bool(migrated.failures))

    def commit(self) -> None:
        """Commit what was typed last, as everything before it was."""
        if self._view is None:  # an input that shows no value yet has one all the same
            return
        for card in self._cards.values():
            card.field.commit()
            card.clear_outcome()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close on Escape without what was typed and not finished, as a dialog does."""
        if event.key() == Qt.Key.Key_Escape:
            for card in self._cards.values():
                card.field.discard()
        super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.commit()
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_sections()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        kind = event.type()
        if kind == QEvent.Type.LanguageChange:
            self._retranslate()
        elif kind in LOOK_CHANGES:
            self._restyle()

    def _page(self, group: str) -> QScrollArea:
        page = QWidget(self)
        body = QVBoxLayout(page)
        body.setContentsMargins(0, 0, 10, 0)
        body.setSpacing(10)
        for setting in TABLE.values():
            if setting.group == group:
                card = self._cards[setting.name] = SettingCard(setting, page)
                card.change_requested.connect(self.change_requested)
                body.addWidget(card)
        body.addStretch(1)
        area = make_scroll_area(f"page_{group}", self, sideways=True)
        area.setWidget(page)
        return area

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self._profile_name)
        head.addWidget(self._profile, 1)
        right = QVBoxLayout()
        right.setSpacing(10)
        right.addWidget(self._section_box)
        right.addWidget(self._problems)
        right.addLayout(head)
        right.addWidget(self._pages, 1)
        middle = QHBoxLayout()
        middle.setSpacing(16)
        middle.addWidget(self._sections)
        middle.addLayout(right, 1)
        left = FlowLayout()
        for button in (self._keys, self._setup, self._file):
            left.addWidget(button)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addLayout(left, 1)
        buttons.addWidget(self._close, 0, Qt.AlignmentFlag.AlignBottom)
        inside = QWidget(self)
        body = self._body = _Column(inside)
        body.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        body.setSpacing(14)
        body.addLayout(middle, 1)
        body.addLayout(buttons)
        self._whole.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._whole)
        self._problems.hide()
        self._profile_name.hide()
        self._profile.hide()
        self.resize(available_room(self).boundedTo(QSize(_WIDTH, _HEIGHT)))

    def _connect(self) -> None:
        self._sections.currentRowChanged.connect(self._pages.setCurrentIndex)
        self._sections.currentRowChanged.connect(self._section_box.setCurrentIndex)
        self._section_box.activated.connect(self._sections.setCurrentRow)
        self._profile.activated.connect(self._choose_profile)
        self._file.clicked.connect(self.open_file_requested)
        self._keys.clicked.connect(lambda: self.keys_requested.emit(self._view.profile if self._view else DEFAULT))
        self._setup.clicked.connect(self.setup_requested)
        self._close.clicked.connect(self.close)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._follow_focus)

    def _follow_focus(self, _: QWidget | None, now: QWidget | None) -> None:
        """Scroll to the widget that got the focus."""
        for area in (self._pages.currentWidget(), self._whole):
            if now is not None and isinstance(area, QScrollArea) and area.isAncestorOf(now):
                area.ensureWidgetVisible(now)

    def _show_problems(self, text: str) -> None:
        is_new = bool(text) and text != self._problems.accessibleName()
        self._problems.setText(breakable(text))
        self._problems.setAccessibleName(text)
        self._problems.setVisible(bool(text))
        if is_new:
            alert(self._problems)
        self._fit_sections()

    def _choose_profile(self, row: int) -> None:
        self.commit()
        self.profile_chosen.emit(self._profile.itemData(row))

    def _show_profiles(self, view: SettingsView) -> None:
        shown = [self._profile.itemData(row) for row in range(self._profile.count())]
        if shown != list(view.profiles):
            self._profile.clear()
            for name in view.profiles:
                self._profile.addItem(name, name)
            self._name_default()
        self._profile.setCurrentIndex(view.profiles.index(view.profile))
        for widget in (self._profile_name, self._profile):
            widget.setVisible(len(view.profiles) > 1)

    def _name_default(self) -> None:
        if self._profile.count():
            named = tr("{profile}, and all profiles without their own value", profile=tr("Default"))
            self._profile.setItemText(0, named)

    def _retranslate(self) -> None:
        self.setWindowTitle(tr("Settings"))
        names = {
            RENEWAL: tr("Renewal"),
            NOTICES: tr("Notices"),
            SHARING: tr("Other tools"),
            STORAGE: tr("Storage"),
            PROGRAM: tr("General"),
        }
        for row, group in enumerate(GROUPS):
            item = self._sections.item(row)
            item.setText(names[group])
            self._section_box.setItemText(row, names[group])
            self._areas[group].setAccessibleName(names[group])
        for sections in (self._sections, self._section_box):
            sections.setAccessibleName(tr("Sections"))
        set_text(self._profile_name, tr("&Profile"))
        self._name_default()
        set_text(self._keys, tr("&Enter the app key…"))
        set_text(self._setup, tr("Set&up wizard…"))
        set_text(self._file, tr("Open the &file"))
        set_text(self._close, tr("&Close"))
        for card in self._cards.values():
            card.retranslate()
        if self._view is not None:
            self.show_settings(self._view)
        self._fit_sections()

    def _restyle(self) -> None:
        tones = window_tones(self.palette())
        style = window_stylesheet(self.palette())
        if style:
            text = text_colour(self.palette()).name()
            style += f"""
                QPushButton[small="true"] {{ padding: 2px 8px; }}
                QPushButton[small="true"]:focus {{ padding: 1px 7px; }}
                #sections {{ background: transparent; outline: 0; }}
                #sections::item {{ padding: 8px 10px; border-radius: 7px; color: {text}; }}
                #sections::item:focus {{ border: 2px solid {tones.good.name()}; padding: 6px 8px; }}
                #sections::item:selected {{ background: {_selected_ground(tones)}; font-weight: 600; }}
                QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; }}
            """
        set_stylesheet(self, style)
        fix_box_colours(self)
        set_text_colour(self._problems, tones.bad)
        for card in self._cards.values():
            card.set_tones(tones)
        self._fit_sections()

    def _fit_sections(self) -> None:
        """Make room for all sections: a list beside the page, or in a narrow window a box above it.

        What does not fit is scrolled with the rest of the window.
        """
        sections = self._sections
        sections.setMinimumHeight(sections.count() * sections.sizeHintForRow(0))
        sections.setFixedWidth(sections.sizeHintForColumn(0) + 2 * sections.frameWidth() + 12)
        is_narrow = self.width() < _NARROW
        sections.setVisible(not is_narrow)
        self._section_box.setVisible(is_narrow)
        self._problems.setMinimumHeight(max(0, self._problems.heightForWidth(self._problems.width())))


class _Column(QVBoxLayout):
    """A layout that asks a scroll area for its minimum height only.

    By default it asks for its preferred height as soon as one label in it wraps.
    """

    def hasHeightForWidth(self) -> bool:
        return False


def _selected_ground(tones: Tones) -> str:
    good = tones.good
    return f"rgba({good.red()}, {good.green()}, {good.blue()}, 0.20)"
