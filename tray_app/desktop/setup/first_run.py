"""The first start: the set-up before there is an icon."""

from __future__ import annotations

import sys
from enum import Enum
from typing import TYPE_CHECKING

from tray_app.core.language import tr
from tray_app.desktop.application import create_application, quit_application
from tray_app.desktop.setup.actions import MachineSetup
from tray_app.desktop.setup.flow import Ending
from tray_app.desktop.setup.wizard import SetupWizard
from tray_app.desktop.single_instance import SingleInstance
from tray_app.desktop.stop_signals import StopSignals
from tray_app.desktop.theme.dark_mode import apply_window_theme
from tray_app.settings.places import settings_scope
from tray_app.settings.save import choose_data_dir

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tray_app.settings.load import Settings


class Next(Enum):
    """What the program does after the set-up."""

    GO_ON = "go on"
    PRACTISE = "practise"
    LEAVE = "leave"


def set_up(settings: Settings, environ: Mapping[str, str]) -> Next:
    """Shows the set-up until it is left. A second start meanwhile shows it again and ends.

    Unless the user practises, there are settings afterwards, so this was the only time. Raises `SettingsError`.
    """
    app = create_application()
    signals = StopSignals(app)
    choose_data_dir(settings)
    instance = SingleInstance(settings_scope(environ))
    if not instance.is_first():
        if sys.stderr is not None:
            print(tr("It is running already; its window is shown."), file=sys.stderr)
        return Next.LEAVE
    apply_window_theme(settings.theme)
    actions = MachineSetup(settings, environ)
    wizard = SetupWizard(None, actions)
    instance.shown.connect(wizard.bring_up)
    instance.quit_requested.connect(quit_application)
    endings: list[Ending] = []

    def ended(ending: Ending) -> None:
        endings.append(ending)
        app.exit(_ANSWERED)

    wizard.ended.connect(ended)
    wizard.bring_up()
    signals.enable()
    answered = app.exec() == _ANSWERED
    signals.close()
    instance.close()
    if not answered:
        return Next.LEAVE
    if endings == [Ending.PRACTISE]:
        return Next.PRACTISE
    actions.settle()
    return Next.GO_ON


_ANSWERED = 17
"""The event loop ends with another status when the program is told to end."""
