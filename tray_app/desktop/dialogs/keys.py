"""The dialog that asks for the app key and secret."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QHideEvent
from PySide6.QtWidgets import QDialogButtonBox, QVBoxLayout, QWidget

from tray_app.core.errors import Remedy
from tray_app.core.language import tr
from tray_app.core.remedies import remedy_text
from tray_app.desktop import PORTAL_URL
from tray_app.desktop.dialogs.common import show_dialog
from tray_app.desktop.dialogs.keys_form import KeysForm
from tray_app.desktop.dialogs.scrolling_dialog import ScrollingDialog
from tray_app.desktop.open_url import open_url
from tray_app.desktop.theme.colours import window_tones
from tray_app.desktop.theme.stylesheet import set_main, set_role
from tray_app.desktop.view.texts import title_text
from tray_app.desktop.widgets.accessible import with_mnemonic
from tray_app.desktop.widgets.basics import make_button, set_text
from tray_app.desktop.widgets.busy_line import BusyLine
from tray_app.desktop.widgets.file_drop import FileDrop


def ask_keys(parent: QWidget | None, mode: str, profile: str = "") -> KeysDialog:
    """Open the form; its title names the account of `profile`, if that is given.

    `keys_entered(mode, AppKeys)` is emitted unless it is cancelled.
    """
    dialog = KeysDialog(parent, mode, profile)
    show_dialog(dialog)
    return dialog


_WIDTH = 520
_SPARE = 60
"""Room for the note from which file the keys come, and for the button of what helps."""


class KeysDialog(ScrollingDialog):
    """Ask for the app key and secret, and stay open until `show_answer`: what Kiwoom refuses stays in the fields.

    What helps then is the main button: trying the keys for the other mode, or registering this computer at Kiwoom.

    Whatever was typed is discarded when the dialog closes.
    """

    keys_entered = Signal(str, object)

    def __init__(self, parent: QWidget | None, mode: str, profile: str = "") -> None:
        super().__init__(parent, "keysDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._profile = profile
        self._is_waiting = False
        self._busy = BusyLine(self)
        self._busy.setFixedHeight(3)
        self.form = KeysForm(self, mode)
        FileDrop(self, self.form.take_files, self.form.isEnabled)
        buttons = QDialogButtonBox(self)
        self._enter = buttons.addButton("", QDialogButtonBox.ButtonRole.AcceptRole)
        self._cancel = buttons.addButton("", QDialogButtonBox.ButtonRole.RejectRole)
        self._enter.setObjectName("keysAccept")
        self._enter.setDefault(True)
        self._cancel.setObjectName("keysCancel")
        self._remedy = Remedy.NONE
        self._remedy_button = make_button("keysRemedy", self)
        self._remedy_button.setAutoDefault(True)
        set_role(self._remedy_button, "main")
        self._remedy_button.clicked.connect(self._do_remedy)
        self._remedy_button.hide()
        self._retranslate()
        buttons.accepted.connect(self._check)
        buttons.rejected.connect(self.reject)
        body = QVBoxLayout()
        body.addWidget(self.form)
        self.lay_out(body, [self._busy, self._remedy_button, buttons], _WIDTH, _SPARE)
        self.form.edited.connect(self._edited)
        self._edited()
        self.form.key.setFocus()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.form.forget()
        super().closeEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        if not event.spontaneous():  # not when it is only minimised
            self.form.forget()
        super().hideEvent(event)

    def _check(self) -> None:
        keys = self.form.keys()
        if keys is None:
            return
        self._is_waiting = True
        self.setFocus()  # the disabled button would pass it on to the one that cancels
        self._show_waiting()
        self.keys_entered.emit(self.form.mode, keys)

    def show_answer(self, refusal: str, remedy: str = Remedy.NONE) -> None:
        """Close, or say why the keys were refused and let them be corrected; `remedy` is what helps."""
        if not self._is_waiting:
            return
        self._is_waiting = False
        if not refusal:
            self.accept()
            return
        self._show_waiting()
        self.form.complain(refusal)
        self._offer(remedy if remedy in {Remedy.SWITCH_MODE, Remedy.OPEN_PORTAL} else Remedy.NONE)
        self.grow()
        (self._remedy_button if self._remedy else self.form.key).setFocus()

    def _offer(self, remedy: str) -> None:
        """Make what helps the main button, or with none the one that checks the keys."""
        self._remedy = remedy
        set_text(self._remedy_button, with_mnemonic(remedy_text(remedy, self.form.mode), "T"))
        self._remedy_button.setVisible(bool(remedy))
        set_main(self._enter, is_main=not remedy)

    def _do_remedy(self) -> None:
        if self._remedy == Remedy.OPEN_PORTAL:
            open_url(QUrl(PORTAL_URL), self)
        else:
            self.form.switch_mode()
            self._check()

    def _show_waiting(self) -> None:
        self.form.setEnabled(not self._is_waiting)
        self._show_progress()
        self._edited()

    def _show_progress(self) -> None:
        self._busy.show_progress(tr("Asking Kiwoom for a token…") if self._is_waiting else "")

    def _edited(self) -> None:
        self._offer(Remedy.NONE)
        self._enter.setEnabled(self.form.is_filled() and not self._is_waiting)

    def _restyle(self) -> None:
        super()._restyle()
        tones = window_tones(self.palette())
        self._busy.set_colour(tones.good)
        self.form.set_tones(tones)

    def _retranslate(self) -> None:
        self.setWindowTitle(title_text(tr("Kiwoom app key"), self._profile))
        set_text(self._enter, tr("Chec&k and save"))
        set_text(self._cancel, tr("Cancel"))
        self._offer(self._remedy)
        self._show_progress()
