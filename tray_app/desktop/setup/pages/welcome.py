"""The first page: own account or practice."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QButtonGroup,
    QRadioButton,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.desktop.setup.flow import SetupFlow, SetupResult, Step
from tray_app.desktop.setup.pages.page import Page
from tray_app.desktop.widgets.basics import make_text
from tray_app.desktop.widgets.described_button import DescribedButton
from tray_app.desktop.widgets.radio_focus import enter_at_checked


class WelcomePage(Page):
    step = Step.WELCOME

    def __init__(self, flow: SetupFlow) -> None:
        super().__init__(flow)
        self._what = make_text("setupWhat", self)
        self._account = DescribedButton(QRadioButton(self), "useAccount", self)
        self._sandbox = DescribedButton(QRadioButton(self), "useSandbox", self)
        self._account.button.setChecked(True)
        group = QButtonGroup(self)
        for choice in (self._account, self._sandbox):
            group.addButton(choice.button)
        enter_at_checked(group)
        group.buttonToggled.connect(lambda *_: self.edited.emit())
        self.body.addWidget(self._what)
        self.body.addSpacing(6)
        self.body.addWidget(self._account)
        self.body.addWidget(self._sandbox)
        self.body.addStretch(1)

    def title(self) -> str:
        return tr("Welcome")

    def retranslate(self) -> None:
        self._what.setText(
            tr(
                "This program keeps one Kiwoom token valid and shares it with all your trading programs. It "
                "runs as an icon next to the clock."
            )
        )
        self._account.set_texts(
            tr("&Use my Kiwoom account"),
            tr("With your app key and secret from openapi.kiwoom.com."),
        )
        self._sandbox.set_texts(
            tr("&Practise first, without keys"),
            tr(
                "With a simulated Kiwoom on this computer: no account, no orders. Nothing is saved, and the "
                "next start asks again."
            ),
        )

    def main_text(self) -> str:
        if self._sandbox.button.isChecked():
            return tr("Start practisi&ng")
        return tr("&Next")

    def submit(self) -> None:
        if self._sandbox.button.isChecked():
            self.flow.end(SetupResult.SANDBOX)
        else:
            self.flow.skip()

    def initial_focus(self) -> QWidget:
        return self._sandbox.button if self._sandbox.button.isChecked() else self._account.button
