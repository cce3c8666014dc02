"""The notice of settings that cannot be used: once for each problem, and withdrawn when all are solved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from tray_app.core.errors import say
from tray_app.desktop.notices.notifier import NO_ACCOUNT

if TYPE_CHECKING:
    from tray_app.desktop.monitors import Monitors
    from tray_app.desktop.notices.notifier import Notifier


class SettingsNotice(QObject):
    """Tell the problems of `monitors` through `notifier`. A problem that was solved and comes back is told again."""

    def __init__(self, monitors: Monitors, notifier: Notifier, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._monitors = monitors
        self._notifier = notifier
        self._told: frozenset[str] = frozenset()
        monitors.changed.connect(self._tell_news)

    def _tell_news(self) -> None:
        problems = self._monitors.problems
        present = frozenset(map(str, problems))
        news = next((one for one in problems if str(one) not in self._told), None)
        is_over = bool(self._told) and not present
        self._told = present
        if news is not None:
            self._notifier.show_settings_problem(say(news))
        elif is_over:
            self._notifier.withdraw(NO_ACCOUNT)
