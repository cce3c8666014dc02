"""The settings window, made from the table of settings. Renders a `SettingsView`; each change applies at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QCloseEvent, QFont
from PySide6.QtWidgets import (
    QAbstractButton,
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

from tray_app.core.errors import KiwoomTokenError
from tray_app.core.language import say, tr
from tray_app.core.profile import DEFAULT
from tray_app.core.wording import place_text
from tray_app.desktop.look.icon import app_icon
from tray_app.desktop.look.standing import StandingWindow
from tray_app.desktop.look.style import calm_style, colour_text, even_boxes, make_button, make_text, mark, put
from tray_app.desktop.look.theme import text_colour, window_tones
from tray_app.desktop.settings.fields import Field, SwitchField, field_for
from tray_app.service.settings_changes import OLD_PLACE_MEANS
from tray_app.settings.table import GROUPS, NOTICES, PROGRAM, RENEWAL, SHARING, STORAGE, TABLE

if TYPE_CHECKING:
    from tray_app.desktop.look.theme import Tones
    from tray_app.desktop.settings.view import FieldView, SettingsView
    from tray_app.service.settings_changes import Changed
    from tray_app.settings.table import Setting
    from tray_app.stores.base import Place

_WIDTH, _HEIGHT = 760, 600
_FRAME = 40


class SettingsWindow(StandingWindow):
    """`changeRequested(name, value)` hands on what the user has set, as the file would hold it, or None for the
    default; what came of it is shown by `show_settings`, and by `show_refusal` or `show_done`. Closing hides it."""

    # ruff: noqa: N815 - named as Qt's own signals are
    changeRequested = Signal(str, object)
    profileChosen = Signal(str)
    openFileRequested = Signal()
    keysRequested = Signal(str)
    """The profile whose keys are to be entered."""
    setupRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setObjectName("settingsWindow")
        self.setWindowIcon(app_icon())
        self._view: SettingsView | None = None
        self._style = ""
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
        self._pages = QStackedWidget(self)
        self._pages.setObjectName("pages")
        self._whole = _scroll_area("whole", self)
        self._cards: dict[str, SettingCard] = {}
        self._areas: dict[str, QScrollArea] = {}
        for group in GROUPS:
            self._sections.addItem("")
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

    def show_settings(self, view: SettingsView) -> None:
        """Shows what holds, except in the place of what the user is just typing."""
        self._view = view
        self._pages.setEnabled(True)
        for field in view.fields:
            self._cards[field.name].show_field(field, view)
        self._show_profiles(view)
        self._show_problems("\n".join(dict.fromkeys(say(one) for one in view.problems)))

    def show_refusal(self, name: str, error: KiwoomTokenError) -> None:
        """What was set was not taken: says why, beside the field, which shows again what holds."""
        if name not in self._cards:
            self._show_problems(say(error))
        else:
            self._cards[name].show_refusal(error)

    def show_done(self, name: str, changed: Changed) -> None:
        """It was taken; what else came of it is told beside the field."""
        migrated = changed.migrated
        told = [say(one) for one in migrated.failures]
        if migrated.place is not None:
            place = migrated.place
            told.insert(0, tr("The token moved along: {place}.", place=_where(place)))
        if migrated.left is not None:
            told.insert(0, tr("The token that lives now stays where it is: {place}.", place=_where(migrated.left)))
        self._cards[name].show_outcome(" ".join(told), bad=bool(migrated.failures))

    def closeEvent(self, event: QCloseEvent) -> None:
        """What was typed last counts, as everything before it did."""
        for card in self._cards.values():
            card.field.flush()
            card.forget_outcome()
        event.accept()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        kind = event.type()
        if kind == QEvent.Type.LanguageChange:
            self._retranslate()
        elif kind in {QEvent.Type.PaletteChange, QEvent.Type.ThemeChange, QEvent.Type.ApplicationFontChange}:
            self._restyle()

    def _page(self, group: str) -> QScrollArea:
        page = QWidget(self)
        body = QVBoxLayout(page)
        body.setContentsMargins(0, 0, 10, 0)
        body.setSpacing(10)
        for setting in TABLE.values():
            if setting.group == group:
                card = self._cards[setting.name] = SettingCard(setting, page)
                card.changeRequested.connect(self.changeRequested)
                body.addWidget(card)
        body.addStretch(1)
        area = _scroll_area(f"page_{group}", self)
        area.setWidget(page)
        return area

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self._profile_name)
        head.addWidget(self._profile, 1)
        right = QVBoxLayout()
        right.setSpacing(10)
        right.addWidget(self._problems)
        right.addLayout(head)
        right.addWidget(self._pages, 1)
        middle = QHBoxLayout()
        middle.setSpacing(16)
        middle.addWidget(self._sections)
        middle.addLayout(right, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self._keys, self._setup, self._file):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self._close)
        inside = QWidget(self)
        body = self._body = _Column(inside)
        body.setContentsMargins(16, 16, 16, 16)
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
        room = self.screen().availableGeometry()
        self.resize(min(_WIDTH, room.width()), min(_HEIGHT, room.height() - _FRAME))

    def _connect(self) -> None:
        self._sections.currentRowChanged.connect(self._pages.setCurrentIndex)
        self._profile.activated.connect(self._choose_profile)
        self._file.clicked.connect(self.openFileRequested)
        self._keys.clicked.connect(lambda: self.keysRequested.emit(self._view.profile if self._view else DEFAULT))
        self._setup.clicked.connect(self.setupRequested)
        self._close.clicked.connect(self.close)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._follow_focus)

    def _follow_focus(self, _: QWidget | None, now: QWidget | None) -> None:
        """What the keyboard reaches is seen."""
        for area in (self._pages.currentWidget(), self._whole):
            if now is not None and isinstance(area, QScrollArea) and area.isAncestorOf(now):
                area.ensureWidgetVisible(now)

    def _show_problems(self, text: str) -> None:
        self._problems.setText(_breakable(text))
        self._problems.setAccessibleName(text)
        self._problems.setVisible(bool(text))

    def _choose_profile(self, row: int) -> None:
        for card in self._cards.values():
            card.field.flush()
            card.forget_outcome()
        self.profileChosen.emit(self._profile.itemData(row))

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
            words = tr("{profile}, and all without a value of their own")
            self._profile.setItemText(0, words.format(profile=tr("Default")))

    def _retranslate(self) -> None:
        self.setWindowTitle(tr("Settings"))
        names = {
            RENEWAL: tr("Renewal"),
            NOTICES: tr("Notices"),
            SHARING: tr("Other tools"),
            STORAGE: tr("Where it is kept"),
            PROGRAM: tr("Program"),
        }
        for row, group in enumerate(GROUPS):
            item = self._sections.item(row)
            item.setText(names[group])
            self._areas[group].setAccessibleName(names[group])
        self._sections.setAccessibleName(tr("Sections"))
        self._profile_name.setText(tr("&Profile"))
        self._name_default()
        self._keys.setText(tr("&Enter keys…"))
        self._setup.setText(tr("Set &up again…"))
        self._file.setText(tr("Open the &file"))
        self._close.setText(tr("&Close"))
        for card in self._cards.values():
            card.retranslate()
        if self._view is not None:
            self.show_settings(self._view)
        self._fit_sections()

    def _restyle(self) -> None:
        tones = window_tones(self.palette())
        style = calm_style(self.palette())
        if style:
            text = text_colour(self.palette()).name()
            style += f"""
                QPushButton[small="true"] {{ padding: 2px 8px; }}
                QPushButton[small="true"]:focus {{ padding: 1px 7px; }}
                #sections {{ background: transparent; outline: 0; }}
                #sections::item {{ padding: 8px 10px; border-radius: 7px; color: {text}; }}
                #sections::item:selected {{ background: {_selected_ground(tones)}; font-weight: 600; }}
                QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; }}
            """
        if style != self._style:
            self._style = style
            self.setStyleSheet(style)
        even_boxes(self)
        colour_text(self._problems, tones.bad)
        for card in self._cards.values():
            card.set_tones(tones)
        self._fit_sections()

    def _fit_sections(self) -> None:
        """All of them are seen: what has no room is scrolled with the rest of the window."""
        self._sections.setMinimumHeight(self._sections.count() * self._sections.sizeHintForRow(0))
        self._sections.setFixedWidth(self._sections.sizeHintForColumn(0) + 2 * self._sections.frameWidth() + 12)


class SettingCard(QFrame):
    """One setting: what it is called, its field, what is to be known about it, and what came of a change."""

    changeRequested = Signal(str, object)

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(f"card_{setting.name}")
        mark(self, "card")
        self.setting = setting
        self.field: Field = field_for(setting, self)
        self._value: object = setting.default
        self._tones = window_tones(self.palette())
        self._outcome_is_bad = False
        self._name = make_text(f"{setting.name}_name", self)
        font = self._name.font()
        font.setWeight(QFont.Weight.DemiBold)
        self._name.setFont(font)
        self._name.setVisible(not isinstance(self.field, SwitchField))
        self._note = make_text(f"{setting.name}_note", self)
        self._outcome = make_text(f"{setting.name}_outcome", self)
        self._outcome.hide()
        self._default = make_button(f"{setting.name}_default", self)
        mark(self._note, "quiet")
        mark(self._default, "small")
        self._default.hide()
        self._default.clicked.connect(lambda: self.changeRequested.emit(setting.name, None))
        self.field.edited.connect(self._edited)
        head = QHBoxLayout()
        head.addWidget(self.field if isinstance(self.field, SwitchField) else self._name, 1)
        head.addWidget(self._default, 0, Qt.AlignmentFlag.AlignTop)
        body = QVBoxLayout(self)
        body.setContentsMargins(14, 12, 14, 12)
        body.setSpacing(6)
        body.addLayout(head)
        if not isinstance(self.field, SwitchField):
            body.addWidget(self.field)
        body.addWidget(self._note)
        body.addWidget(self._outcome)
        self.retranslate()

    def show_field(self, field: FieldView, view: SettingsView) -> None:
        value, is_free = field.value, not field.variable
        if self.setting.name == "autostart":
            value, is_free = _starts_at_login(view), view.autostart is not None
        self._value = value
        self.field.show_value(value)
        self.field.setEnabled(is_free)
        self._default.setVisible(field.is_set and self.setting.name != "autostart")
        own = self.setting.per_profile and view.profile != DEFAULT
        put(
            self._default,
            tr("As for all") if own else tr("Use default"),
        )
        note = _note_text(self.setting, field, view)
        put(self._note, _breakable(note))
        self._note.setVisible(bool(note))
        self._describe()

    def show_refusal(self, error: KiwoomTokenError) -> None:
        self.field.show_value(self._value, anew=True)
        self.show_outcome(say(error), bad=True)

    def show_outcome(self, text: str, *, bad: bool = False) -> None:
        self._outcome_is_bad = bad
        self._outcome.setText(_breakable(text))
        self._outcome.setAccessibleName(text)
        self._outcome.setVisible(bool(text))
        self._colour_outcome()
        if text:
            QAccessible.updateAccessibility(QAccessibleEvent(self._outcome, QAccessible.Event.Alert))

    def forget_outcome(self) -> None:
        self.show_outcome("")

    def retranslate(self) -> None:
        """The rest follows with the next picture of the settings."""
        put(self._name, tr(self.setting.meaning))
        self.field.retranslate()
        self.forget_outcome()
        self._describe()

    def set_tones(self, tones: Tones) -> None:
        self._tones = tones
        self._colour_outcome()

    def _edited(self, value: object) -> None:
        self.forget_outcome()
        self.changeRequested.emit(self.setting.name, value)

    def _colour_outcome(self) -> None:
        colour_text(self._outcome, self._tones.bad if self._outcome_is_bad else self._tones.quiet)

    def _describe(self) -> None:
        """What a screen reader says of the inputs, each of which may have a name of its own."""
        meaning = tr(self.setting.meaning)
        self.field.setAccessibleName(meaning)
        for one in self.field.inputs():
            one.setAccessibleDescription(f"{meaning}. {self._note.text()}".strip())
        first = self.field.inputs()[0]
        if not isinstance(first, QAbstractButton):
            first.setAccessibleName(meaning)
        self._default.setAccessibleName(f"{self._default.text()}: {meaning}")


class _Column(QVBoxLayout):
    """Asks a scroll area for its least height only: by default, as soon as one label in it wraps, for all it likes."""

    def hasHeightForWidth(self) -> bool:
        return False


def _breakable(text: str) -> str:
    """A path goes on in the next line, instead of making the window as wide as it is long."""
    return re.sub(r"([/\\])", "\\1\u200b", text)


def _scroll_area(name: str, parent: QWidget) -> QScrollArea:
    area = QScrollArea(parent)
    area.setObjectName(name)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area


def _starts_at_login(view: SettingsView) -> bool:
    """What the operating system says, whatever the file does."""
    status = view.autostart
    if status is None or isinstance(status, KiwoomTokenError):
        return False
    return status.configured and status.enabled and status.as_it_should_be


def _note_text(setting: Setting, field: FieldView, view: SettingsView) -> str:
    if field.variable:
        words = tr("The environment variable {variable} says so; it cannot be changed here.")
        return words.format(variable=field.variable)
    notes = [_help_text(setting.name)]
    if setting.name == "autostart":
        notes.append(_autostart_text(view))
    elif view.profile != DEFAULT and not setting.per_profile:
        notes.append(tr("The same for all profiles."))
    elif field.is_inherited:
        notes.append(tr("As for all profiles."))
    return " ".join(note for note in notes if note)


def _help_text(name: str) -> str:
    if name in {"store", "data_dir"}:
        moves = tr("A token that lives moves along.")
        return f"{moves} {tr(OLD_PLACE_MEANS)}"
    return {
        "mode": tr("Each has its own keys and its own token."),
        "account": tr("The only one that kiwoomcli knows is chosen by itself, and kept."),
        "quiet_hours": tr("By this computer's clock. What is urgent is told all the same."),
        "share_kwcli": tr("It then needs no token of its own."),
        "share_token_file": tr("In plain text, readable by you alone."),
        "share_bot_file": tr("In plain text, readable by you alone."),
        "redis_url": tr("An address with a password is not kept here: put it in KIWOOM_TRAY_REDIS_URL."),
        "panel": tr("So that the icon can be seen on it."),
    }.get(name, "")


def _autostart_text(view: SettingsView) -> str:
    status = view.autostart
    if status is None:
        return tr("Not while practising.")
    if isinstance(status, KiwoomTokenError):
        return say(status)
    if status.switched_off:
        return tr("Switched off in the system's own settings.")
    if status.configured and not status.as_it_should_be:
        words = tr("Another copy of this program starts: {command}. Switch it on to change that.")
        return words.format(command=status.starts)
    return ""


def _where(place: Place) -> str:
    return place_text(place.kind, place.path, place.problem_code)


def _selected_ground(tones: Tones) -> str:
    good = tones.good
    return f"rgba({good.red()}, {good.green()}, {good.blue()}, 0.20)"
