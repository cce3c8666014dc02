"""A file or a folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.desktop.settings.fields.line import LineField
from tray_app.desktop.widgets.basics import make_button, set_text

if TYPE_CHECKING:
    from tray_app.settings.table import Setting


class PathField(LineField):
    """A path, typed or chosen in a file dialog."""

    def __init__(self, setting: Setting, parent: QWidget, *, folder: bool) -> None:
        super().__init__(setting, parent)
        self._folder = folder
        self._browse = make_button(f"{setting.name}_browse", self)
        self._browse.clicked.connect(self._browse_path)
        self._body.addWidget(self._browse)
        self.retranslate()

    def inputs(self) -> list[QWidget]:
        return [self._line, self._browse]

    def retranslate(self) -> None:
        set_text(self._browse, tr("Browse…"))

    def _browse_path(self) -> None:
        dialog = QFileDialog(self.window(), tr(self.setting.meaning), self._line.text())
        dialog.setObjectName(f"{self.setting.name}_dialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self._folder:
            dialog.setFileMode(QFileDialog.FileMode.Directory)
            dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        elif self.setting.name == "share_bot_file":
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        else:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._found)
        dialog.open()

    def _found(self, path: str) -> None:
        self._line.setText(os.path.normpath(path))  # Qt returns slashes
        self.commit()
