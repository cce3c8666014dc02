"""The pages of the set-up."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QDesktopServices,
    QFont,
    QFontDatabase,
    QMouseEvent,
)
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QLabel,
    QRadioButton,
    QSystemTrayIcon,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.errors import KeyringUnavailable, Remedy
from tray_app.core.language import say, tr
from tray_app.core.wording import mode_text
from tray_app.desktop.dialogs import KeysForm, leave_return_alone
from tray_app.desktop.look.style import colour_text, even_boxes, make_button, make_card, make_text, mark, put
from tray_app.desktop.setup.flow import Doing, Ending, SetupFlow, SetupState, Step
from tray_app.desktop.setup.words import (
    first_token_text,
    found_text,
    icon_text,
    keyring_problem,
    policy_means,
    policy_text,
    where_text,
    why_text,
)

if TYPE_CHECKING:
    from tray_app.desktop.look.theme import Tones
    from tray_app.desktop.setup.actions import FoundKeys

PORTAL = "https://openapi.kiwoom.com"
QUIET_HOUR = "daily 06:30"
_INDENT = 26


class Page(QWidget):
    """One page: renders the state, and does what its main button promises. `edited()` tells that the user chose."""

    edited = Signal()
    step: Step

    def __init__(self, flow: SetupFlow) -> None:
        super().__init__()
        self.setObjectName(f"page-{self.step}")
        self.flow = flow
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(0, 0, 6, 0)
        self.body.setSpacing(12)
        self.error = make_text("setupError", self)
        self.error.hide()

    @property
    def state(self) -> SetupState:
        return self.flow.state

    def title(self) -> str:
        raise NotImplementedError

    def retranslate(self) -> None:
        raise NotImplementedError

    def show_state(self) -> None:
        state = self.state
        self.show_error(say(state.error) if state.error else "")

    def show_error(self, text: str) -> None:
        self.error.setVisible(bool(text))
        if text != self.error.text():
            self.error.setText(text)
            QAccessible.updateAccessibility(QAccessibleEvent(self.error, QAccessible.Event.Alert))

    def main_text(self) -> str:
        return tr("Save") if self.state.only else tr("&Next")

    def can_go_on(self) -> bool:
        return self.state.step is self.step

    def is_done(self) -> bool:
        """Whether there is nothing left to cancel."""
        return self.state.step is Step.DONE

    def go_on(self) -> None:
        raise NotImplementedError

    def first(self) -> QWidget:
        """What has the keyboard when the page comes up."""
        raise NotImplementedError

    def leave(self) -> None:
        """Nothing typed survives the page."""

    def colour(self, tones: Tones) -> None:
        colour_text(self.error, tones.bad)


class WelcomePage(Page):
    step = Step.WELCOME

    def __init__(self, flow: SetupFlow) -> None:
        super().__init__(flow)
        self._what = make_text("setupWhat", self)
        self._account = Choice(QRadioButton(self), "useAccount", self)
        self._practise = Choice(QRadioButton(self), "practise", self)
        self._account.button.setChecked(True)
        group = QButtonGroup(self)
        for choice in (self._account, self._practise):
            group.addButton(choice.button)
        group.buttonToggled.connect(lambda *_: self.edited.emit())
        self.body.addWidget(self._what)
        self.body.addSpacing(6)
        self.body.addWidget(self._account)
        self.body.addWidget(self._practise)
        self.body.addStretch(1)

    def title(self) -> str:
        return tr("Welcome")

    def retranslate(self) -> None:
        self._what.setText(
            tr(
                "This program keeps one Kiwoom token alive and lends it to all your trading programs, "
                "so that none of them asks twice. It lives as an icon next to the clock."
            )
        )
        self._account.say(
            tr("&Use my Kiwoom account"),
            tr("With the app key and secret that openapi.kiwoom.com gave you."),
        )
        self._practise.say(
            tr("&Practise first, without keys"),
            tr("With a Kiwoom on this computer: no account, no orders. Nothing is kept; the next start asks again."),
        )

    def main_text(self) -> str:
        if self._practise.button.isChecked():
            return tr("Start practisi&ng")
        return tr("&Next")

    def go_on(self) -> None:
        if self._practise.button.isChecked():
            self.flow.end(Ending.PRACTISE)
        else:
            self.flow.skip()

    def first(self) -> QWidget:
        return self._practise.button if self._practise.button.isChecked() else self._account.button


class KeysPage(Page):
    step = Step.KEYS

    def __init__(self, flow: SetupFlow) -> None:
        super().__init__(flow)
        self._search: object = None
        self._shown_error: object = None
        self._kept: object = None
        self._remedy = Remedy.NONE
        self._is_checking = False
        self._note = make_text("keysNote", self)
        mark(self._note, "quiet")
        self._good = make_text("keysGood", self)
        self._found = QVBoxLayout()
        self._found.setSpacing(10)
        self._choices: list[tuple[Choice, FoundKeys | None]] = []
        self._group = QButtonGroup(self)
        self._group.buttonToggled.connect(lambda *_: self._chosen())
        self._form = KeysForm(self, "real")
        self._form.edited.connect(self.edited)
        self._reach = make_button("keysReach", self)
        self._reach.clicked.connect(self._reach_keyring)
        self._mend = make_button("keysRemedy", self)
        self._mend.clicked.connect(self._do_remedy)
        self._mend.setAutoDefault(True)
        self.body.addWidget(self._good)
        self.body.addWidget(self._note)
        self.body.addWidget(self._reach, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addLayout(self._found)
        self.body.addWidget(self._form)
        self.body.addWidget(self.error)
        self.body.addWidget(self._mend, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addStretch(1)

    def title(self) -> str:
        return tr("App key and secret")

    def retranslate(self) -> None:
        self._say_choices()

    def show_state(self) -> None:
        state = self.state
        if state.search != self._search:
            self._search = state.search
            self._list_found()
        if state.kept is not self._kept:
            self._kept = state.kept
            self._form.forget()
        self._say_choices()
        put(self._note, self._note_text())
        self._note.setVisible(bool(self._note.text()))
        put(self._good, self._good_text())
        self._good.setVisible(bool(self._good.text()))
        is_form_used = self._is_typed() and keyring_problem(state) != KeyringUnavailable.MISSING
        if not is_form_used and self._form.isAncestorOf(self.focusWidget() or self):
            (self._group.checkedButton() or self).setFocus()  # Qt would choose the button to skip
        self._form.setVisible(is_form_used)
        self._form.setEnabled(state.doing is not Doing.CHECKING)
        for choice, _found in self._choices:
            choice.setEnabled(state.doing is not Doing.CHECKING)
        if state.error is not self._shown_error:
            self._shown_error = state.error
            self._form.complain(say(state.error) if state.error else "")
        super().show_error(say(state.error) if state.error and self._form.isHidden() else "")
        self._remedy = self._remedy_for_error()
        put(self._mend, self._remedy_text())
        self._mend.setVisible(bool(self._remedy))
        self._mend.setEnabled(state.doing is Doing.NOTHING)
        was_checking, self._is_checking = self._is_checking, state.doing is Doing.CHECKING
        if was_checking and not self._is_checking and state.error and state.step is self.step:
            self._take_up_again()
        put(self._reach, self._reach_text())
        self._reach.setVisible(bool(self._reach.text()))
        self._reach.setEnabled(state.doing is Doing.NOTHING)

    def main_text(self) -> str:
        if self.is_done():
            return tr("&Close")
        if self._has_entered() or self.state.only:
            return tr("&Check and keep")
        return tr("&Next")

    def can_go_on(self) -> bool:
        nothing_to_enter = (
            not self.state.only and not self._choices and keyring_problem(self.state) == KeyringUnavailable.MISSING
        )
        return self._has_entered() or self.state.kept is not None or nothing_to_enter

    def is_done(self) -> bool:
        state = self.state
        return state.only and state.kept is not None and not self._has_entered()

    def go_on(self) -> None:
        if not self._has_entered():
            self.flow.skip()
            return
        found = self._chosen_found()
        if found is not None:
            self.flow.use_keys(found)
            return
        keys = self._form.keys()
        if keys is not None:
            self.flow.check_keys(self._form.mode, keys)

    def first(self) -> QWidget:
        chosen = self._group.checkedButton()
        return self._form if self._is_typed() or chosen is None else chosen

    def leave(self) -> None:
        self._form.forget()

    def colour(self, tones: Tones) -> None:
        super().colour(tones)
        colour_text(self._good, tones.good)

    def _take_up_again(self) -> None:
        """The keyboard goes where the mistake can be mended: what was greyed out during the check has lost it."""
        if self._remedy == Remedy.SWITCH_MODE:
            self._mend.setFocus()
            return
        self.first().setFocus()
        if not self._form.isHidden():
            self._form.key.selectAll()

    def _list_found(self) -> None:
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
            choice = Choice(QRadioButton(self), f"found{number}" if one else "otherKeys", self)
            choice.button.setChecked(one is None if has_typed else number == 0)
            self._group.addButton(choice.button)
            self._found.addWidget(choice)
            choice.show()  # at once, to have the keyboard
            self._choices.append((choice, one))
        even_boxes(self)

    def _say_choices(self) -> None:
        for choice, found in self._choices:
            if found is None:
                choice.say(tr("&Other keys"), "")
            else:
                choice.say(found_text(found), "")

    def _chosen(self) -> None:
        if self._is_typed() and self._choices:
            self._form.setVisible(True)
        self.edited.emit()

    def _chosen_found(self) -> FoundKeys | None:
        return next((found for choice, found in self._choices if choice.button.isChecked()), None)

    def _is_typed(self) -> bool:
        return self._chosen_found() is None

    def _has_entered(self) -> bool:
        kept = self.state.kept
        found = self._chosen_found()
        if found is not None:
            return kept is None or kept.mode != found.mode
        return self._form.is_filled() and not self._form.isHidden()

    def _good_text(self) -> str:
        state = self.state
        if state.kept is None or state.doing is Doing.CHECKING:
            return ""
        return tr("✓ Kiwoom has accepted the keys for {mode}.", mode=mode_text(state.kept.mode))

    def _note_text(self) -> str:
        problem = keyring_problem(self.state)
        if problem == KeyringUnavailable.MISSING:
            return tr(
                "This computer has no keyring, and keys are kept nowhere else. Set them in the environment instead: "
                "APP_KEY and APP_SECRET, for mock trading APP_KEY_MOCK and APP_SECRET_MOCK."
            )
        if problem == KeyringUnavailable.LOCKED:
            return tr("The keyring is locked. Unlock it to use keys that lie in it, or to keep new ones.")
        if problem:
            return tr("The keyring does not answer, so no keys can be kept at the moment.")
        if self._choices:
            return tr("These keys are already on this computer:")
        return ""

    def _remedy_for_error(self) -> str:
        remedy = self.state.error.remedy if self.state.error else Remedy.NONE
        if remedy == Remedy.OPEN_PORTAL or (remedy == Remedy.SWITCH_MODE and self._is_typed()):
            return remedy
        return Remedy.NONE

    def _remedy_text(self) -> str:
        if self._remedy == Remedy.OPEN_PORTAL:
            return tr("Open Kiwoom's si&te")
        if self._remedy == Remedy.NONE:
            return ""
        if self._form.mode == "real":
            return tr("Check them &for mock trading")
        return tr("Check them &for real trading")

    def _do_remedy(self) -> None:
        if self._remedy == Remedy.OPEN_PORTAL:
            QDesktopServices.openUrl(QUrl(PORTAL))
        else:
            self._form.choose_mode("demo" if self._form.mode == "real" else "real")
            self.go_on()

    def _reach_text(self) -> str:
        problem = keyring_problem(self.state)
        if not problem or problem == KeyringUnavailable.MISSING:
            return ""
        locked = problem == KeyringUnavailable.LOCKED
        return tr("&Unlock the keyring…") if locked else tr("Look &again")

    def _reach_keyring(self) -> None:
        if keyring_problem(self.state) == KeyringUnavailable.LOCKED:
            self.flow.unlock()
        else:
            self.flow.look_again()


class PlacePage(Page):
    step = Step.PLACE

    def __init__(self, flow: SetupFlow) -> None:
        super().__init__(flow)
        self._store: str | None = None
        self._card, inside = make_card("placeCard", self)
        self._where = make_text("placeWhere", self._card)
        font = self._where.font()
        font.setWeight(QFont.Weight.DemiBold)
        self._where.setFont(font)
        self._why = make_text("placeWhy", self._card)
        mark(self._why, "quiet")
        inside.addWidget(self._where)
        inside.addWidget(self._why)
        self._unlock = make_button("placeUnlock", self)
        self._unlock.clicked.connect(flow.unlock)
        self._never = Choice(QCheckBox(self), "neverInFile", self)
        self.body.addWidget(self._card)
        self.body.addWidget(self._unlock, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addWidget(self._never)
        self.body.addWidget(self.error)
        self.body.addStretch(1)

    def title(self) -> str:
        return tr("Where the token rests")

    def retranslate(self) -> None:
        self._unlock.setText(tr("&Unlock the keyring…"))
        self._never.say(
            tr("Never in a &file"),
            tr("When the keyring cannot be used, there is then no token."),
        )

    def show_state(self) -> None:
        state = self.state
        super().show_state()
        place = state.place
        put(self._where, where_text(state))
        put(self._why, why_text(state))
        self._why.setVisible(bool(self._why.text()))
        self._unlock.setVisible(place is not None and place.problem == KeyringUnavailable.LOCKED)
        self._unlock.setEnabled(state.doing is Doing.NOTHING)
        matters = (
            place is not None
            and not place.is_fixed
            and place.store in {"auto", "keyring"}
            and (place.problem != KeyringUnavailable.MISSING or place.store == "keyring")
        )
        self._never.setVisible(matters)
        if place is not None and place.store != self._store:
            self._store = place.store
            self._never.button.setChecked(place.store == "keyring")

    def go_on(self) -> None:
        store = self._store
        if not self._never.isHidden():
            store = "keyring" if self._never.button.isChecked() else "auto"
        self.flow.keep_place(store or "auto")

    def can_go_on(self) -> bool:
        state = self.state
        return state.place is not None or not state.only

    def first(self) -> QWidget:
        return self._never.button if not self._never.isHidden() else self


class DailyPage(Page):
    step = Step.DAILY

    def __init__(self, flow: SetupFlow) -> None:
        super().__init__(flow)
        self._habits: object = None
        self._autostart = Choice(QCheckBox(self), "autostart", self)
        self._share = Choice(QCheckBox(self), "shareKwcli", self)
        self._label = make_text("policyLabel", self)
        self._policy = QComboBox(self)
        self._policy.setObjectName("policy")
        self._policy.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._policy.setMinimumContentsLength(12)
        self._label.setBuddy(self._policy)
        self._means = make_text("policyMeans", self)
        mark(self._means, "quiet")
        policy = QVBoxLayout()
        policy.setSpacing(6)
        policy.addWidget(self._label)
        policy.addWidget(self._policy, 0, Qt.AlignmentFlag.AlignLeft)
        policy.addWidget(self._means)
        self.body.addWidget(self._autostart)
        self.body.addWidget(self._share)
        self.body.addLayout(policy)
        self.body.addWidget(self.error)
        self.body.addStretch(1)
        self._policy.currentIndexChanged.connect(lambda _: self._explain())

    def title(self) -> str:
        return tr("Startup and renewal")

    def retranslate(self) -> None:
        self._autostart.say(
            tr("&Start when I log in"),
            tr("Quietly, with just the icon. A token is then there before your programs need it."),
        )
        self._share.say(
            tr("Let &kiwoomcli use this token"),
            tr("Kiwoom's own program then does not ask for another one."),
        )
        self._label.setText(tr("When the token nears its &end"))
        for number in range(self._policy.count()):
            self._policy.setItemText(number, policy_text(str(self._policy.itemData(number))))
        self._explain()

    def show_state(self) -> None:
        state = self.state
        super().show_state()
        habits = state.habits
        if habits is None or habits is self._habits:
            return
        suggested = not self.state.only and self._habits is None  # at first it is suggested, then shown as it is
        self._habits = habits
        self._autostart.setVisible(habits.autostart is not None)
        self._share.setVisible(habits.share_kwcli is not None)
        self._autostart.button.setChecked(bool(habits.autostart) or suggested)
        self._share.button.setChecked(bool(habits.share_kwcli) or suggested)
        policies = ["auto", habits.policy if habits.policy.startswith("daily") else QUIET_HOUR, "notify"]
        self._policy.clear()
        for policy in policies:
            self._policy.addItem(policy_text(policy), policy)
        self._policy.setCurrentIndex(max(0, policies.index(habits.policy)))

    def go_on(self) -> None:
        habits = self.state.habits
        if habits is None:
            self.flow.skip()
            return
        self.flow.keep_habits(
            replace(
                habits,
                autostart=None if habits.autostart is None else self._autostart.button.isChecked(),
                share_kwcli=None if habits.share_kwcli is None else self._share.button.isChecked(),
                policy=str(self._policy.currentData()),
            )
        )

    def first(self) -> QWidget:
        return self._policy if self._autostart.isHidden() else self._autostart.button

    def _explain(self) -> None:
        put(self._means, policy_means(str(self._policy.currentData())))
        self._policy.setAccessibleDescription(self._means.text())


class DonePage(Page):
    step = Step.DONE

    def __init__(self, flow: SetupFlow) -> None:
        super().__init__(flow)
        self._cards = []
        for number in range(3):
            card, inside = make_card(f"doneCard{number}", self)
            head, rest = make_text(f"doneHead{number}", card), make_text(f"doneText{number}", card)
            font = head.font()
            font.setWeight(QFont.Weight.DemiBold)
            head.setFont(font)
            mark(rest, "quiet")
            inside.addWidget(head)
            inside.addWidget(rest)
            self._cards.append((head, rest))
            self.body.addWidget(card)
        self._command = QLabel("kiwoom-token get\nfrom tray_app import token_manager", self)
        self._command.setObjectName("doneCommand")
        self._command.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._command.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        inside.addWidget(self._command)
        self.body.addStretch(1)

    def title(self) -> str:
        if self.state.kept is None:
            return tr("Ready, but for the keys")
        return tr("Ready")

    def retranslate(self) -> None:
        """All of it depends on the state."""

    def show_state(self) -> None:
        icon_head, icon_means = icon_text(sys.platform, has_panel=QSystemTrayIcon.isSystemTrayAvailable())
        texts = (
            first_token_text(self.state, time.time()),
            (icon_head, icon_means),
            (
                tr("Your programs get the token from here"),
                tr("In a terminal, or in Python:"),
            ),
        )
        for (head, rest), (head_text, rest_text) in zip(self._cards, texts, strict=True):
            put(head, head_text)
            put(rest, rest_text)

    def main_text(self) -> str:
        return tr("&Finish")

    def go_on(self) -> None:
        self.flow.skip()

    def first(self) -> QWidget:
        return self


class Choice(QWidget):
    """A radio button or check box with a sentence below that says what it means; a click on that counts as well."""

    def __init__(self, button: QRadioButton | QCheckBox, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.button = button
        button.setObjectName(name)
        leave_return_alone(self, button)
        self._means = make_text(f"{name}Means", self)
        mark(self._means, "quiet")
        self._means.setContentsMargins(_INDENT, 0, 0, 0)
        body = QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(3)
        body.addWidget(button)
        body.addWidget(self._means)

    def say(self, name: str, means: str) -> None:
        if (name, means) != (self.button.text(), self._means.text()):
            self.button.setText(name)
            self.button.setAccessibleDescription(means)
            self._means.setText(means)
            self._means.setVisible(bool(means))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.button.click()
        super().mousePressEvent(event)
