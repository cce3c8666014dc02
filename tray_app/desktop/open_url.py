"""Opens pages and files in the desktop's own programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox

from tray_app.core.language import tr

if TYPE_CHECKING:
    from PySide6.QtCore import QUrl
    from PySide6.QtWidgets import QWidget


def open_url(url: QUrl, parent: QWidget | None) -> None:
    """Open a page or a file. Where no program does, as on a bare desktop, say where it is, to be copied."""
    if QDesktopServices.openUrl(url):
        return
    from tray_app.desktop.dialogs.common import show_dialog  # a hidden tray needs none
    from tray_app.desktop.widgets.accessible import name_after

    place = url.toLocalFile() or url.toString()
    box = QMessageBox(parent)
    box.setObjectName("notOpened")
    box.setIcon(QMessageBox.Icon.Information)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setWindowTitle(tr("Kiwoom Token Tray"))
    box.setText(tr("No program was found to open it. Open it yourself:") + f"\n{place}")
    box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    ok = box.addButton(QMessageBox.StandardButton.Ok)
    name_after(ok, ok.text())
    box.finished.connect(lambda _: box.deleteLater())  # which also keeps it: without a parent nothing else does
    show_dialog(box)
