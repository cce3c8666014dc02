"""The first page: own account or practice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import (
    QButtonGroup,
    QRadioButton,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.desktop.setup.flow import SetupFlow, SetupResult, Step
from tray_app.desktop.widgets.basics import make_text

if TYPE_CHECKING:
    pass
from tray_app.desktop.setup.pages.page import Page
from tray_app.desktop.widgets.described_button import DescribedButton


class WelcomePage(Page):
    step = Step.WELCOME

    def __init__(self, flow: SetupFlow) -> None:
        super().__init__(flow)
        self._what = make_text("setupWhat", self)
        self._account = DescribedButton(QRadioButton(self), "useAccount", self)
        self._practise = DescribedButton(QRadioButton(self), "practise", self)
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
        self._account.set_texts(
            tr("&Use my Kiwoom account"),
            tr("With the app key and secret that openapi.kiwoom.com gave you."),
        )
        self._practise.set_texts(
            tr("&Practise first, without keys"),
            tr("With a Kiwoom on this computer: no account, no orders. Nothing is kept; the next start asks again."),
        )

    def main_text(self) -> str:
        if self._practise.button.isChecked():
            return tr("Start practisi&ng")
        return tr("&Next")

    def submit(self) -> None:
        if self._practise.button.isChecked():
            self.flow.end(SetupResult.SANDBOX)
        else:
            self.flow.skip()

    def initial_focus(self) -> QWidget:
        return self._practise.button if self._practise.button.isChecked() else self._account.button
