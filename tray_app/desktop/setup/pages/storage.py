"""The page that shows where the token is stored."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QWidget,
)

from tray_app.core.errors import KeyringUnavailable
from tray_app.core.language import tr
from tray_app.core.wording import keyring_name
from tray_app.desktop.setup.flow import Activity, SetupFlow, Step
from tray_app.desktop.setup.pages.page import Page
from tray_app.desktop.setup.texts import (
    storage_reason_text,
    storage_text,
)
from tray_app.desktop.widgets.basics import embolden, make_button, make_card, make_quiet_text, make_text, set_text
from tray_app.desktop.widgets.described_button import DescribedButton


class StoragePage(Page):
    step = Step.STORAGE

    def __init__(self, flow: SetupFlow) -> None:
        super().__init__(flow)
        self._store: str | None = None
        self._card, inside = make_card("placeCard", self)
        self._where = make_text("placeWhere", self._card)
        embolden(self._where)
        self._why = make_quiet_text("placeWhy", self._card)
        inside.addWidget(self._where)
        inside.addWidget(self._why)
        self._unlock = make_button("placeUnlock", self)
        self._unlock.clicked.connect(flow.unlock)
        self._never_in_file = DescribedButton(QCheckBox(self), "neverInFile", self)
        self.body.addWidget(self._card)
        self.body.addWidget(self._unlock, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addWidget(self._never_in_file)
        self.body.addWidget(self.error)
        self.body.addStretch(1)

    def title(self) -> str:
        return tr("Where the token is stored")

    def retranslate(self) -> None:
        set_text(self._unlock, tr("&Unlock {keyring}…", keyring=keyring_name()))
        self._never_in_file.set_texts(
            tr("Never store it in a &file"),
            tr("When {keyring} cannot be used, no token is stored.", keyring=keyring_name()),
        )

    def show_state(self) -> None:
        state = self.state
        super().show_state()
        place = state.storage
        set_text(self._where, storage_text(state))
        set_text(self._why, storage_reason_text(state))
        self._why.setVisible(bool(self._why.text()))
        self._unlock.setVisible(place is not None and place.problem in KeyringUnavailable.UNLOCKABLE)
        self._unlock.setEnabled(state.activity is Activity.IDLE)
        matters = (
            place is not None
            and not place.is_fixed
            and place.store in {"auto", "keyring"}
            and (place.problem != KeyringUnavailable.MISSING or place.store == "keyring")
        )
        self._never_in_file.setVisible(matters)
        if place is not None and place.store != self._store:
            self._store = place.store
            self._never_in_file.button.setChecked(place.store == "keyring")

    def submit(self) -> None:
        store = self._store
        if not self._never_in_file.isHidden():
            store = "keyring" if self._never_in_file.button.isChecked() else "auto"
        self.flow.save_store(store or "auto")

    def initial_focus(self) -> QWidget:
        return self._never_in_file.button if not self._never_in_file.isHidden() else self
