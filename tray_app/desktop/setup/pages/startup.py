"""The page for start at login, kiwoomcli and renewal."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.desktop.setup.flow import SetupFlow, Step
from tray_app.desktop.setup.pages.page import Page
from tray_app.desktop.setup.texts import (
    policy_description,
    policy_text,
)
from tray_app.desktop.view.menu import DEFAULT_DAILY
from tray_app.desktop.widgets.basics import make_quiet_text, make_text, set_text
from tray_app.desktop.widgets.described_button import DescribedButton


class StartupPage(Page):
    step = Step.STARTUP

    def __init__(self, flow: SetupFlow) -> None:
        super().__init__(flow)
        self._options: object = None
        self._autostart = DescribedButton(QCheckBox(self), "autostart", self)
        self._share = DescribedButton(QCheckBox(self), "shareKwcli", self)
        self._label = make_text("policyLabel", self)
        self._policy = QComboBox(self)
        self._policy.setObjectName("policy")
        self._policy.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._policy.setMinimumContentsLength(12)
        self._label.setBuddy(self._policy)
        self._description = make_quiet_text("policyMeans", self)
        policy = QVBoxLayout()
        policy.setSpacing(6)
        policy.addWidget(self._label)
        policy.addWidget(self._policy, 0, Qt.AlignmentFlag.AlignLeft)
        policy.addWidget(self._description)
        self.body.addWidget(self._autostart)
        self.body.addWidget(self._share)
        self.body.addLayout(policy)
        self.body.addWidget(self.error)
        self.body.addStretch(1)
        self._policy.currentIndexChanged.connect(lambda _: self._explain())

    def title(self) -> str:
        return tr("Startup and renewal")

    def retranslate(self) -> None:
        self._autostart.set_texts(
            tr("&Start when I log in"),
            tr("Only the icon is shown. A token is ready before your programs need it."),
        )
        self._share.set_texts(
            tr("Let &kiwoomcli use this token"),
            tr("Kiwoom's own program then issues no token of its own."),
        )
        set_text(self._label, tr("When the token is about to &expire"))
        for number in range(self._policy.count()):
            self._policy.setItemText(number, policy_text(str(self._policy.itemData(number))))
        self._explain()

    def show_state(self) -> None:
        state = self.state
        super().show_state()
        options = state.options
        if options is None or options is self._options:
            return
        suggested = self._options is None  # suggested at first, later shown as it is
        self._options = options
        self._autostart.setVisible(options.autostart is not None)
        self._share.setVisible(options.share_kwcli is not None)
        self._autostart.button.setChecked(bool(options.autostart) or suggested)
        self._share.button.setChecked(bool(options.share_kwcli) or suggested)
        policies = ["auto", options.policy if options.policy.startswith("daily") else DEFAULT_DAILY, "notify"]
        self._policy.clear()
        for policy in policies:
            self._policy.addItem(policy_text(policy), policy)
        self._policy.setCurrentIndex(max(0, policies.index(options.policy)))

    def submit(self) -> None:
        options = self.state.options
        if options is None:
            self.flow.skip()
            return
        self.flow.save_options(
            replace(
                options,
                autostart=None if options.autostart is None else self._autostart.button.isChecked(),
                share_kwcli=None if options.share_kwcli is None else self._share.button.isChecked(),
                policy=str(self._policy.currentData()),
            )
        )

    def initial_focus(self) -> QWidget:
        return self._policy if self._autostart.isHidden() else self._autostart.button

    def _explain(self) -> None:
        set_text(self._description, policy_description(str(self._policy.currentData())))
        self._policy.setAccessibleDescription(self._description.text())
