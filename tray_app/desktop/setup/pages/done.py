"""The last page: what to do now."""

from __future__ import annotations

import sys
import time

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QFontDatabase,
)
from PySide6.QtWidgets import (
    QLabel,
    QSystemTrayIcon,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.desktop.setup.flow import SetupFlow, Step
from tray_app.desktop.setup.pages.page import Page
from tray_app.desktop.setup.texts import (
    first_token_text,
    icon_text,
)
from tray_app.desktop.widgets.basics import embolden, make_card, make_quiet_text, make_text, set_text


class DonePage(Page):
    step = Step.DONE

    def __init__(self, flow: SetupFlow) -> None:
        super().__init__(flow)
        self._cards = []
        for number in range(3):
            card, inside = make_card(f"doneCard{number}", self)
            head, rest = make_text(f"doneHead{number}", card), make_quiet_text(f"doneText{number}", card)
            embolden(head)
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
        if self.state.accepted is None:
            return tr("Almost done: add your app key")
        return tr("Ready")

    def retranslate(self) -> None:
        """Do nothing: `show_state` sets all texts."""

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
            set_text(head, head_text)
            set_text(rest, rest_text)

    def main_text(self) -> str:
        return tr("&Finish")

    def submit(self) -> None:
        self.flow.skip()

    def initial_focus(self) -> QWidget:
        return self
