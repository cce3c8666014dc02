"""The start with settings that cannot be used: show what is wrong, and wait until the file is fixed."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QLabel, QMenu, QSystemTrayIcon, QVBoxLayout

from tray_app.core.errors import KiwoomTokenError, known_error, say
from tray_app.core.language import tr
from tray_app.desktop.application import create_application, quit_application
from tray_app.desktop.dialogs.scrolling_dialog import ScrollingDialog
from tray_app.desktop.file_watch import FileWatch, watchable
from tray_app.desktop.icons.state_icon import IconBadge, IconSpec, Phase, tray_icon
from tray_app.desktop.open_url import open_url
from tray_app.desktop.single_instance import SingleInstance
from tray_app.desktop.stop_signals import StopSignals
from tray_app.desktop.theme.colours import window_tones
from tray_app.desktop.theme.dark_mode import apply_window_theme, panel_is_dark
from tray_app.desktop.theme.stylesheet import set_role, set_text_colour
from tray_app.desktop.widgets.accessible import alert, with_mnemonic
from tray_app.desktop.widgets.basics import make_text, set_text
from tray_app.desktop.widgets.tool_window import bring_to_front
from tray_app.desktop.worker import Worker
from tray_app.settings import kwcli
from tray_app.settings.places import settings_file, settings_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tray_app.settings.load import Settings

_WIDTH = 460


def wait_until_mended(settings: Settings, load: Callable[[], Settings], environ: Mapping[str, str]) -> Settings | None:
    """Show what is wrong until `load` returns usable settings; return them, or None when the user quits.

    A second start meanwhile brings the dialog to the front and ends.
    """
    app = create_application()
    signals = StopSignals(app)
    instance = SingleInstance(settings_scope(environ))
    if not instance.is_primary():
        if sys.stderr is not None:
            print(instance.why_not_started(), file=sys.stderr)
        return None
    apply_window_theme(settings.theme)
    dialog = DamagedSettingsDialog(settings, load, settings_file(environ))
    found: list[Settings] = []
    dialog.mended.connect(found.append)
    dialog.mended.connect(quit_application)
    dialog.quit_requested.connect(quit_application)
    icon = _tray_icon(dialog, settings.panel)
    instance.shown.connect(dialog.show_in_front)
    instance.quit_requested.connect(quit_application)
    dialog.show_in_front()
    signals.enable()
    app.exec()
    icon.hide()
    signals.close()
    instance.close()
    dialog.deleteLater()
    return found[0] if found else None


def _tray_icon(dialog: DamagedSettingsDialog, panel: str) -> QSystemTrayIcon:
    """Show an icon that brings the dialog back, for as long as the program waits."""
    menu = QMenu(dialog)
    menu.addAction(tr("Show the problem…"), dialog.show_in_front)
    menu.addAction(tr("Open the settings file"), dialog.open_file)
    menu.addSeparator()
    menu.addAction(tr("Quit"), dialog.quit_requested.emit)
    icon = QSystemTrayIcon(dialog)
    icon.setContextMenu(menu)
    icon.setIcon(
        tray_icon(IconSpec(Phase.NONE, badge=IconBadge.PROBLEM), panel_is_dark(panel), mask=sys.platform == "darwin"),
    )
    icon.setToolTip(f"{tr('Kiwoom token')}\n{tr('Check the settings file')}")
    clicks = {QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick}
    icon.activated.connect(lambda reason: dialog.show_in_front() if reason in clicks else None)
    icon.show()
    return icon


class DamagedSettingsDialog(ScrollingDialog):
    """Shows the first problem of the file and reads it again whenever it changes; `mended(Settings)` ends that.

    Closed, it waits in the tray; without a tray, that is `quit_requested` too.
    """

    mended = Signal(object)
    quit_requested = Signal()

    def __init__(self, settings: Settings, load: Callable[[], Settings], path: str) -> None:
        super().__init__(None, "damagedSettings")
        self.setWindowTitle(tr("Settings"))
        self._load = load
        self._path = path
        self._paths = (path, kwcli.settings_path())  # the mode may depend on these
        self._reader = Worker("damaged settings", self)
        self._files = FileWatch(self)
        self._files.changed.connect(self.read)
        self.problem = make_text("problem", self)
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        means = QLabel(
            tr("Until you correct the file, no token is issued or read. Then the program continues by itself.")
        )
        means.setWordWrap(True)
        buttons = QDialogButtonBox(self)
        open_file = buttons.addButton("", QDialogButtonBox.ButtonRole.ActionRole)
        set_text(open_file, with_mnemonic(tr("Open the settings file"), "O"))
        open_file.setObjectName("openFile")
        set_role(open_file, "main")
        open_file.setDefault(True)
        open_file.clicked.connect(self.open_file)
        leave = buttons.addButton("", QDialogButtonBox.ButtonRole.RejectRole)
        set_text(leave, with_mnemonic(tr("Quit"), "Q"))
        leave.setObjectName("quit")
        buttons.rejected.connect(self.quit_requested)
        body = QVBoxLayout()
        body.setSpacing(12)
        body.addWidget(self.problem)
        body.addWidget(means)
        self._show(settings)
        self.lay_out(body, [buttons], _WIDTH)
        self.grow()
        self._files.watch(watchable(self._paths))

    def reject(self) -> None:
        super().reject()
        if not QSystemTrayIcon.isSystemTrayAvailable():
            self.quit_requested.emit()

    def show_in_front(self) -> None:
        bring_to_front(self)

    def read(self) -> None:
        """Read the file again, and emit `mended` if it can be used now."""
        self._reader.run(lambda: (self._load(), watchable(self._paths)), self._have_read)

    def _have_read(self, found: tuple[Settings, set[str]] | None, error: Exception | None) -> None:
        if found is None:
            self._say(known_error(error) if error is not None else None)
            return
        settings, wanted = found
        if self._files.watch(wanted):
            self._files.settle()
        if settings.is_usable:
            self.mended.emit(settings)
        else:
            self._show(settings)

    def _restyle(self) -> None:
        super()._restyle()
        set_text_colour(self.problem, window_tones(self.palette()).bad)

    def _show(self, settings: Settings) -> None:
        try:
            settings.require()
        except KiwoomTokenError as error:
            self._say(error)

    def _say(self, error: KiwoomTokenError | None) -> None:
        if error is not None:
            self.problem.setText(say(error))
            alert(self.problem)
            QApplication.alert(self)

    def open_file(self) -> None:
        """Open the file, or its folder where the file has another name."""
        there = self._path if os.path.exists(self._path) else os.path.dirname(self._path)
        open_url(QUrl.fromLocalFile(there), self)
