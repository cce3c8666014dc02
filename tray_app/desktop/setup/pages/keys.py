"""The page for the app key and secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtWidgets import (
    QButtonGroup,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.errors import KeyringUnavailable, Remedy
from tray_app.core.language import tr
from tray_app.core.remedies import remedy_text
from tray_app.core.wording import keyring_name, mode_text, refusal_text
from tray_app.desktop import PORTAL_URL
from tray_app.desktop.dialogs.keys_form import KeysForm
from tray_app.desktop.open_url import open_url
from tray_app.desktop.setup.flow import Activity, SetupFlow, SetupState, Step
from tray_app.desktop.setup.pages.page import Page
from tray_app.desktop.setup.texts import (
    found_text,
    keyring_problem,
    keys_note_text,
)
from tray_app.desktop.theme.stylesheet import fix_box_colours, set_main, set_text_colour
from tray_app.desktop.widgets.basics import make_button, make_quiet_text, make_text, set_text
from tray_app.desktop.widgets.described_button import DescribedButton

if TYPE_CHECKING:
    from tray_app.desktop.setup.actions import FoundKeys
    from tray_app.desktop.theme.colours import Tones


class KeysPage(Page):
    step = Step.KEYS

    def __init__(self, flow: SetupFlow) -> None:
        super().__init__(flow)
        self._search: object = None
        self._last_error: object = None
        self._accepted: object = None
        self._is_checking = False
        self._note = make_quiet_text("keysNote", self)
        self._accepted_label = make_text("keysGood", self)
        self._found = QVBoxLayout()
        self._found.setSpacing(10)
        self._choices: list[tuple[DescribedButton, FoundKeys | None]] = []
        self._group = QButtonGroup(self)
        self._group.buttonToggled.connect(lambda *_: self._choice_changed())
        self._form = KeysForm(self, "real")
        self._form.edited.connect(self.edited)
        self._keyring_button = make_button("keysReach", self)
        self._keyring_button.clicked.connect(self._keyring_button_clicked)
        self.body.addWidget(self._accepted_label)
        self.body.addWidget(self._note)
        self.body.addWidget(self._keyring_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addLayout(self._found)
        self.body.addWidget(self._form)
        self.body.addWidget(self.error)
        self.body.addStretch(1)

    def title(self) -> str:
        return tr("App key and secret")

    def retranslate(self) -> None:
        self._label_choices()

    def show_state(self) -> None:
        state = self.state
        if state.search != self._search:
            self._search = state.search
            self._rebuild_choices()
        if state.accepted is not self._accepted:
            self._accepted = state.accepted
            self._form.forget()
        self._label_choices()
        set_text(self._note, keys_note_text(state, has_choices=bool(self._choices)))
        self._note.setVisible(bool(self._note.text()))
        set_text(self._accepted_label, _accepted_text(state))
        self._accepted_label.setVisible(bool(self._accepted_label.text()))
        is_form_used = self._is_typing() and keyring_problem(state) != KeyringUnavailable.MISSING
        if not is_form_used and self._form.isAncestorOf(self.focusWidget() or self):
            (self._group.checkedButton() or self).setFocus()  # otherwise Qt focuses the button to skip
        self._form.setVisible(is_form_used)
        self._form.setEnabled(state.activity is not Activity.CHECKING)
        for choice, _found in self._choices:
            choice.setEnabled(state.activity is not Activity.CHECKING)
        if state.error is not self._last_error:
            self._last_error = state.error
            self._form.complain(self._error_text())
        super().show_error(self._error_text() if self._form.isHidden() else "")
        was_checking, self._is_checking = self._is_checking, state.activity is Activity.CHECKING
        if was_checking and not self._is_checking and state.error and state.step is self.step and not self._remedy():
            self._restore_focus()
        set_text(self._keyring_button, _keyring_button_text(state))
        is_below = self._remedy() == Remedy.UNLOCK_KEYRING
        self._keyring_button.setVisible(bool(self._keyring_button.text()) and not is_below)
        self._keyring_button.setEnabled(state.activity is Activity.IDLE)
        set_main(self._keyring_button, is_main=keyring_problem(state) in KeyringUnavailable.UNLOCKABLE)

    def main_text(self) -> str:
        return tr("&Check and save") if self._has_keys() else super().main_text()

    def can_submit(self) -> bool:
        nothing_to_enter = not self._choices and keyring_problem(self.state) == KeyringUnavailable.MISSING
        return self._has_keys() or self.state.accepted is not None or nothing_to_enter

    def submit(self) -> None:
        if not self._has_keys():
            self.flow.skip()
            return
        found = self._selected_keys()
        if found is not None:
            self.flow.use_keys(found)
            return
        keys = self._form.keys()
        if keys is not None:
            self.flow.check_keys(self._form.mode, keys)

    def takes_files(self) -> bool:
        is_possible = keyring_problem(self.state) != KeyringUnavailable.MISSING
        return is_possible and self.state.activity is not Activity.CHECKING

    def take_files(self, paths: list[str]) -> None:
        for choice, found in self._choices:
            if found is None:
                choice.button.setChecked(True)
        self._form.take_files(paths)

    def initial_focus(self) -> QWidget:
        chosen = self._group.checkedButton()
        return self._form.key if self._is_typing() or chosen is None else chosen

    def discard_input(self) -> None:
        self._form.forget()

    def set_tones(self, tones: Tones) -> None:
        super().set_tones(tones)
        set_text_colour(self._accepted_label, tones.good)
        self._form.set_tones(tones)

    def _restore_focus(self) -> None:
        """Return the focus, which widgets lose while they are disabled, to where the mistake can be corrected."""
        self.initial_focus().setFocus()
        if not self._form.isHidden():
            self._form.key.selectAll()

    def _rebuild_choices(self) -> None:
        state = self.state
        has_typed = bool(self._form.key.text() or self._form.secret.text())
        if self.state.search and not has_typed:
            self._form.choose_mode(self.state.search.mode)
        while self._choices:
            choice, _ = self._choices.pop()
            self._group.removeButton(choice.button)
            choice.hide()
            choice.deleteLater()
        found = state.search.found if state.search else ()
        for number, one in enumerate([*found, None] if found else []):
            choice = DescribedButton(QRadioButton(self), f"found{number}" if one else "otherKeys", self)
            choice.button.setChecked(one is None if has_typed else number == 0)
            self._group.addButton(choice.button)
            self._found.addWidget(choice)
            choice.show()  # at once, so that it can have the focus
            self._choices.append((choice, one))
        fix_box_colours(self.window())

    def _label_choices(self) -> None:
        for choice, found in self._choices:
            choice.set_texts(tr("&Other keys") if found is None else found_text(found), "")

    def _choice_changed(self) -> None:
        if self._is_typing() and self._choices:
            self._form.setVisible(True)
        self.edited.emit()

    def _selected_keys(self) -> FoundKeys | None:
        return next((found for choice, found in self._choices if choice.button.isChecked()), None)

    def _is_typing(self) -> bool:
        return self._selected_keys() is None

    def _has_keys(self) -> bool:
        accepted = self.state.accepted
        found = self._selected_keys()
        if found is not None:
            return accepted is None or accepted.mode != found.mode
        return self._form.is_filled() and not self._form.isHidden()

    def remedy_text(self) -> str:
        return remedy_text(self._remedy(), self._form.mode)

    def do_remedy(self) -> None:
        match self._remedy():
            case Remedy.OPEN_PORTAL:
                open_url(QUrl(PORTAL_URL), self)
            case Remedy.UNLOCK_KEYRING:
                self.flow.unlock()
            case _:
                self._form.switch_mode()
                self.submit()

    def _error_text(self) -> str:
        found = self._selected_keys()
        return refusal_text(self.state.error, found.mode if found else self._form.mode) if self.state.error else ""

    def _remedy(self) -> str:
        if self._is_typing() and not self._form.has_complaint():
            return Remedy.NONE  # other keys were typed since
        remedy = self.state.error.remedy if self.state.error else Remedy.NONE
        is_possible = remedy == Remedy.OPEN_PORTAL or (remedy == Remedy.SWITCH_MODE and self._is_typing())
        is_unlocking = remedy == Remedy.UNLOCK_KEYRING and self._has_keys()
        return remedy if is_possible or is_unlocking else Remedy.NONE

    def _keyring_button_clicked(self) -> None:
        if keyring_problem(self.state) in KeyringUnavailable.UNLOCKABLE:
            self.flow.unlock()
        else:
            self.flow.poll_keyring()


def _accepted_text(state: SetupState) -> str:
    if state.accepted is None or state.activity is Activity.CHECKING:
        return ""
    return tr("✓ Kiwoom has accepted the keys for {mode}.", mode=mode_text(state.accepted.mode))


def _keyring_button_text(state: SetupState) -> str:
    problem = keyring_problem(state)
    if not problem or problem == KeyringUnavailable.MISSING:
        return ""
    locked = problem in KeyringUnavailable.UNLOCKABLE
    return tr("&Unlock {keyring}…", keyring=keyring_name()) if locked else tr("Check &again")
