"""Ways to fill the form for the app key without typing: a file, a file that is dropped, or the last downloads."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QSizePolicy, QVBoxLayout, QWidget

from tray_app.core.errors import InvalidInput, known_error, say
from tray_app.core.language import tr
from tray_app.desktop.widgets.basics import make_button, make_quiet_text, set_text
from tray_app.desktop.widgets.flow_layout import FlowLayout
from tray_app.desktop.worker import Worker
from tray_app.kiwoom.key_files import find_portal_files, masked_path, read_key_files

if TYPE_CHECKING:
    from tray_app.kiwoom.key_files import KeyFile, PortalFiles

_OFFERS = 2
"""How many of the accounts in the download folder are offered."""


class KeySources(QWidget):
    """Offer to take the keys from a file. Files are read on a thread of their own.

    `loaded(KeyFile)` brings what was found, `refused(str)` says why nothing was.
    """

    loaded = Signal(object)
    refused = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._worker = Worker("key files", self)
        self._mode = "real"
        self._taken: KeyFile | None = None
        self._found: tuple[PortalFiles, ...] = ()
        self._choose = make_button("keysFromFile", self)
        self._choose.clicked.connect(self._ask_for_file)
        self._offers = [make_button(f"keysOffer{number}", self) for number in range(_OFFERS)]
        for number, button in enumerate(self._offers):
            button.hide()
            button.clicked.connect(partial(self._take_offer, number))
        self._note = make_quiet_text("keysFromFileNote", self)
        self._note.hide()
        self._note.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.MinimumExpanding)
        row = FlowLayout()
        row.addWidget(self._choose)
        for button in self._offers:
            row.addWidget(button)
        body = QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(6)
        body.addLayout(row)
        body.addWidget(self._note)
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DownloadLocation)
        self._folder = folder
        self._worker.run(lambda: find_portal_files(folder), self._offer)
        self.retranslate()

    def set_mode(self, mode: str) -> None:
        """Set the mode of the form, which chooses in a file that has keys for both."""
        self._mode = mode

    def read(self, paths: list[str]) -> None:
        """Read files, and report what was found in them."""
        mode = self._mode

        def finished(taken: KeyFile | None, error: Exception | None) -> None:
            if taken is None:
                self.refused.emit(say(known_error(error or ValueError())))
            else:
                self._taken = taken
                self.retranslate()
                self.loaded.emit(taken)

        self._worker.run(lambda: _read(paths, mode), finished)

    def forget(self) -> None:
        """Say no more where the keys came from: others were typed."""
        self._taken = None
        self._note.hide()

    def retranslate(self) -> None:
        set_text(self._choose, tr("From a fi&le…"))
        self._choose.setToolTip(
            tr("The portal's *_appkey.txt or *_secretkey.txt, or a .env. You can also drop it here.")
        )
        for button, found in zip(self._offers, self._found, strict=False):
            set_text(button, tr("Use {account} from &Downloads", account=found.account))
        if self._taken is not None:
            self._note.setText(_note_text(self._taken))
            self._note.setMinimumHeight(self._note.heightForWidth(max(1, self.width())))
            self._note.show()

    def _offer(self, found: list[PortalFiles] | None, _: Exception | None) -> None:
        self._found = tuple(found or ())[:_OFFERS]
        for number, button in enumerate(self._offers):
            button.setVisible(number < len(self._found))
        self.retranslate()

    def _take_offer(self, number: int) -> None:
        self.read([*self._found[number].paths])

    def _ask_for_file(self) -> None:
        dialog = QFileDialog(self, tr("File with the app key"), self._folder)
        dialog.setObjectName("keysFileDialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilters([tr("Keys (*.txt *.env .env)"), tr("All files (*)")])
        dialog.filesSelected.connect(self.read)
        dialog.open()


def _read(paths: list[str], mode: str) -> KeyFile:
    """Read files as they are, and only where they have keys for both modes those of `mode`."""
    try:
        return read_key_files(paths)
    except InvalidInput:
        return read_key_files(paths, mode)


def _note_text(taken: KeyFile) -> str:
    names = ", ".join(masked_path(path) for path in taken.paths)
    if taken.account:
        return tr(
            "These are the keys of the account {account}. Delete afterwards: {path}. The keys are still in there.",
            account=taken.account,
            path=names,
        )
    return tr("Delete afterwards: {path}. The keys are still in there.", path=names)
