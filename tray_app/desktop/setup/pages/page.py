"""What all pages of the wizard have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QVBoxLayout,
    QWidget,
)

from tray_app.core.errors import say
from tray_app.core.language import tr
from tray_app.desktop.setup.flow import SetupFlow, SetupState, Step
from tray_app.desktop.theme.stylesheet import set_text_colour
from tray_app.desktop.widgets.accessible import alert
from tray_app.desktop.widgets.basics import make_text

if TYPE_CHECKING:
    from tray_app.desktop.theme.colours import Tones


class Page(QWidget):
    """A page of the wizard: renders the state, and does what its main button says. `edited()` is emitted when the user
    changed something."""

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
            alert(self.error)

    def main_text(self) -> str:
        return tr("&Next")

    def remedy_text(self) -> str:
        """Return what the button says that solves the error; it is the main button then. Empty for none."""
        return ""

    def do_remedy(self) -> None:
        """Do what `remedy_text` says."""

    def takes_files(self) -> bool:
        """Return whether files can be dropped on the wizard now."""
        return False

    def take_files(self, paths: list[str]) -> None:
        """Do with files that were dropped what the page is about."""

    def can_submit(self) -> bool:
        return self.state.step is self.step

    def submit(self) -> None:
        raise NotImplementedError

    def initial_focus(self) -> QWidget:
        """Return the widget that has the focus when the page is shown."""
        raise NotImplementedError

    def discard_input(self) -> None:
        """Discard what was typed."""

    def set_tones(self, tones: Tones) -> None:
        set_text_colour(self.error, tones.bad)
