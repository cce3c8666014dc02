"""The windows and dialogs beside the status window, each created when it is first wanted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess, QUrl
from shiboken6 import isValid

from tray_app.autostart.program import BACKGROUND, start_command
from tray_app.core.language import tr
from tray_app.core.profile import DEFAULT
from tray_app.desktop import PORTAL_URL
from tray_app.desktop.keys_answer import KeysAnswer
from tray_app.desktop.open_url import open_url
from tray_app.desktop.view.question import question_of, token_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QDialog, QWidget

    from tray_app.core.state import TokenState
    from tray_app.desktop.dialogs.token_question import TokenQuestion
    from tray_app.desktop.history.window import HistoryWindow
    from tray_app.desktop.monitor import Monitor
    from tray_app.desktop.monitors import Monitors
    from tray_app.desktop.settings.controller import SettingsController
    from tray_app.desktop.view.question import QuestionView
    from tray_app.settings.load import Settings


class Windows(QObject):
    """Open settings, history, setup wizard and the dialogs, each for the account that is chosen at that moment.

    One dialog is open at a time. `status_window()` returns the status window, or None while there is none.
    """

    def __init__(
        self,
        monitors: Monitors,
        status_window: Callable[[], QWidget | None],
        clock: Callable[[], float],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._monitors = monitors
        self._status_window = status_window
        self._clock = clock
        self.dialog: QDialog | None = None
        self._question: tuple[TokenQuestion, TokenState] | None = None
        """The last question about a token, and the state that it was asked in."""
        self.history: HistoryWindow | None = None
        self.settings: SettingsController | None = None

    def ask_clear(self, monitor: Monitor) -> TokenQuestion:
        """Ask how to remove the token of an account."""
        from tray_app.desktop.dialogs.clear import ask_clear

        self.close_dialog()
        dialog = ask_clear(self._dialog_parent(), self._question_of(monitor))
        dialog.confirmed.connect(lambda revokes: monitor.clear(revoke=revokes))
        return self._keep_up_to_date(dialog, monitor)

    def ask_rotate(self, monitor: Monitor) -> TokenQuestion:
        """Ask whether to revoke the token of an account and issue a new one."""
        from tray_app.desktop.dialogs.rotate import ask_rotate

        self.close_dialog()
        dialog = ask_rotate(self._dialog_parent(), self._question_of(monitor))
        dialog.confirmed.connect(monitor.rotate)
        return self._keep_up_to_date(dialog, monitor)

    def render(self) -> None:
        """Show the open question about a token as it is now; withdraw it if that token is replaced or gone."""
        if self._question is None:
            return
        question, asked = self._question
        if not isValid(question) or question.isHidden():
            self._question = None
            return
        monitor = self._monitors.of(asked.profile)
        if monitor is None or token_of(monitor.state) != token_of(asked):
            question.withdraw()
        else:
            question.show_view(self._question_of(monitor))

    def ask_keys(self, profile: str) -> QDialog:
        """Ask for the app key of a profile, which need not be watched yet."""
        from tray_app.desktop.dialogs.keys import ask_keys

        self.close_dialog()
        mode = self._monitors.mode_of(profile)
        dialog = self.dialog = ask_keys(self._dialog_parent(), mode, self._named(profile))
        dialog.keys_entered.connect(KeysAnswer(self._monitors, profile, dialog).enter)
        return dialog

    def choose_folder(self) -> None:
        """Ask for the folder that the token is stored in."""
        from PySide6.QtCore import Qt
        from PySide6.QtWidgets import QFileDialog

        self.close_dialog()
        dialog = self.dialog = QFileDialog(self._dialog_parent(), tr("Folder for the token"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(lambda path: self._monitors.set("data_dir", path, DEFAULT))
        dialog.open()

    def close_dialog(self) -> None:
        """Close the open dialog. One without a parent is deleted by Qt but still referenced here."""
        if self.dialog is not None and isValid(self.dialog):
            self.dialog.close()

    def open_settings(self, group: str = "") -> None:
        from tray_app.desktop.settings.controller import SettingsController

        if self.settings is None:
            sandbox = self._monitors.chosen.state.sandbox
            settings = self.settings = SettingsController(self._monitors.environ, self, sandbox=sandbox)
            settings.written.connect(self._monitors.reload)
            settings.open_file_requested.connect(self.open_settings_file)
            settings.keys_requested.connect(self.ask_keys)
            settings.setup_requested.connect(self.open_setup)
            self._monitors.reconfigured.connect(settings.poll)
        self.settings.open(self._monitors.chosen.state.profile, group)

    def open_setup(self) -> None:
        from tray_app.desktop.setup.actions import LocalSetupActions
        from tray_app.desktop.setup.flow import SetupResult
        from tray_app.desktop.setup.wizard import open_setup

        def ended(result: SetupResult) -> None:
            if result is SetupResult.SANDBOX:  # the sandbox has its own data, so it runs beside this program
                program, *arguments = start_command()
                QProcess.startDetached(program, ["--sandbox" if one == BACKGROUND else one for one in arguments])
            self._monitors.reload()

        self.close_dialog()
        actions = LocalSetupActions(self._monitors.chosen.settings, self._monitors.environ)
        profile = self._named(self._monitors.chosen.state.profile)
        wizard = self.dialog = open_setup(self._dialog_parent(), actions, profile)
        wizard.ended.connect(ended)

    def open_history(self, settings: Settings) -> None:
        from tray_app.desktop.history.feed import HistoryFeed
        from tray_app.desktop.history.window import HistoryWindow
        from tray_app.history.database import open_history

        if self.history is None:
            feed = HistoryFeed(
                open_history(settings), self._monitors.finders(), self._clock, self, mode_of=self._monitors.mode_of
            )
            self.history = HistoryWindow(feed)
            self._monitors.reconfigured.connect(
                lambda settings: feed.use(open_history(settings), self._monitors.finders())
            )
        self.history.choose_profile(self._monitors.chosen.state.profile)
        self.history.show_in_front()

    def open_settings_file(self) -> None:
        open_url(QUrl.fromLocalFile(self._monitors.settings_file), self._dialog_parent())

    def show_file(self, path: str) -> None:
        """Open the folder in which a file is."""
        open_url(QUrl.fromLocalFile(os.path.dirname(path)), self._dialog_parent())

    def open_portal(self) -> None:
        open_url(QUrl(PORTAL_URL), self._dialog_parent())

    def _keep_up_to_date(self, question: TokenQuestion, monitor: Monitor) -> TokenQuestion:
        """Keep the question up to date from now on."""
        self.dialog = question
        self._question = (question, monitor.state)
        return question

    def _question_of(self, monitor: Monitor) -> QuestionView:
        return question_of(monitor.state, self._clock(), named=bool(self._named(monitor.state.profile)))

    def _named(self, profile: str) -> str:
        """Return the profile if a dialog names it: where there are several accounts, or it is not the default one."""
        return profile if profile != DEFAULT or len(self._monitors.states) > 1 else ""

    def _dialog_parent(self) -> QWidget | None:
        """Return the visible window that a dialog belongs to, preferring the active one."""
        windows = [self._status_window(), None if self.settings is None else self.settings.window]
        visible = [window for window in windows if window is not None and window.isVisible()]
        return next((window for window in visible if window.isActiveWindow()), visible[0] if visible else None)
