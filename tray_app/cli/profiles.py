"""`profiles`: the accounts of this machine."""

from __future__ import annotations

import time

from tray_app.core.errors import DONE, KiwoomTokenError, say
from tray_app.core.language import tr, use
from tray_app.core.printable import printable
from tray_app.core.profile import DEFAULT
from tray_app.core.wording import countdown, mode_text
from tray_app.service.composition import open_service
from tray_app.settings.kwcli import aliases
from tray_app.settings.load import load_settings, named_profiles


def profiles() -> int:
    """Print a line for each: the default one, those in `settings.toml`, and the aliases of `kiwoomcli`."""
    settings = load_settings(DEFAULT)
    use(settings.language)
    settings.require()
    for name in dict.fromkeys([DEFAULT, *named_profiles(), *aliases()]):
        print(_line(name))
    return DONE


def _line(name: str) -> str:
    shown = printable(name)
    try:
        settings = load_settings(name)
        token = open_service(settings).current()
    except KiwoomTokenError as error:
        return f"{shown}\t{say(error)}"
    left = 0.0 if token is None else token.remaining(time.time())
    life = tr("{left} left", left=countdown(left)) if left > 0 else tr("no valid token")
    return f"{shown}\t{mode_text(settings.mode)}\t{life}"
