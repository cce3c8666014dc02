"""The choice between Korean and English."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QWidget,
)

from tray_app.core import language
from tray_app.core.language import ENGLISH, KOREAN
from tray_app.desktop.setup.flow import SetupFlow
from tray_app.desktop.translation import switch_language


class LanguageSwitch(QWidget):
    """Switch between Korean and English at once."""

    def __init__(self, parent: QWidget, flow: SetupFlow) -> None:
        super().__init__(parent)
        self._flow = flow
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        group = QButtonGroup(self)
        for code, name in ((KOREAN, "한국어"), (ENGLISH, "English")):
            button = QPushButton(name, self)
            button.setObjectName(f"language-{code}")
            button.setCheckable(True)
            button.setChecked(language.current() == code)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, code=code: self._switch(code))
            group.addButton(button)
            row.addWidget(button)
            self.setFocusProxy(button)

    def _switch(self, code: str) -> None:
        app = QApplication.instance()
        if app is not None and language.current() != code:
            language.use(code)
            switch_language(app)
            self._flow.save_language(code)
