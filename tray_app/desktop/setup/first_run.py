"""The first start: the setup wizard before there is an icon."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tray_app.desktop.application import create_application, quit_application
from tray_app.desktop.setup.actions import LocalSetupActions
from tray_app.desktop.setup.flow import SetupResult
from tray_app.desktop.setup.wizard import SetupWizard
from tray_app.desktop.single_instance import SingleInstance
from tray_app.desktop.stop_signals import StopSignals
from tray_app.desktop.theme.dark_mode import apply_window_theme
from tray_app.settings.places import settings_scope
from tray_app.settings.save import choose_data_dir

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tray_app.settings.load import Settings

_ANSWERED = 17
"""The event loop ends with another status when the program is told to quit."""


def set_up(settings: Settings, environ: Mapping[str, str]) -> SetupResult | None:
    """Show the wizard until it is closed, and return how; None when the program is to end.

    A second start meanwhile brings it to the front and exits. Unless the user tries the sandbox, settings exist
    afterwards, so the wizard is shown only once. Raises `SettingsError`.
    """
    app = create_application()
    signals = StopSignals(app)
    settings = choose_data_dir(settings)
    instance = SingleInstance(settings_scope(environ))
    if not instance.is_primary():
        if sys.stderr is not None:
            print(instance.why_not_started(), file=sys.stderr)
        return None
    apply_window_theme(settings.theme)
    actions = LocalSetupActions(settings, environ)
    wizard = SetupWizard(None, actions)
    instance.shown.connect(wizard.show_in_front)
    instance.quit_requested.connect(quit_application)
    results: list[SetupResult] = []

    def ended(result: SetupResult) -> None:
        results.append(result)
        app.exit(_ANSWERED)

    wizard.ended.connect(ended)
    wizard.show_in_front()
    signals.enable()
    is_answered = app.exec() == _ANSWERED
    signals.close()
    instance.close()
    if not is_answered:
        return None
    if results[0] is SetupResult.CONTINUE:
        actions.settle()
    return results[0]
