"""`login` and `logout`: storing and deleting the app key and secret."""

from __future__ import annotations

import os
import sys
import time

from tray_app.cli.stdin import ask_hidden, read_stdin
from tray_app.cli.token import opened, outcome_text, tell_if_gone, warn_about
from tray_app.core.errors import DONE, InvalidInput, KeyringUnavailable, say
from tray_app.core.language import msg, tr
from tray_app.core.pasted import variable
from tray_app.core.profile import DEFAULT
from tray_app.core.wording import keyring_name
from tray_app.kiwoom.key_files import masked_path, read_key_files
from tray_app.kiwoom.keys import clean_keys, forget_keys, no_place_for_keys
from tray_app.service.login import keep_keys
from tray_app.settings.load import profile_name
from tray_app.settings.save import settle_data_dir
from tray_app.settings.table import KEY_VARIABLES
from tray_app.stores.keyring_client import shared_keyring_client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from tray_app.kiwoom.key_files import KeyFile
    from tray_app.settings.load import Settings

_MAX_STDIN_BYTES = 4096
_NO_PLACE = {
    KeyringUnavailable.MISSING: msg(
        "There is no keyring on this machine. Set {key} and {secret} in the environment instead."
    ),
    KeyringUnavailable.UNREACHABLE: msg(
        "The keyring cannot be reached from here, outside the desktop session. Log in there, or set {key} and {secret} "
        "in the environment."
    ),
}


def login(options: Namespace) -> int:
    settings, _ = opened(profile_name(options.profile))  # also where the default one stands for it: its own keys
    taken = read_key_files(options.files, options.mode) if options.files else None
    settings = settings.replace(mode=options.mode or (taken and taken.mode) or settings.mode)
    try:
        shared_keyring_client().check()
    except KeyringUnavailable as error:
        if told := _without_keyring(settings, error):
            print(told, file=sys.stderr)
            return error.exit_status
        raise
    keys = taken.keys if taken else clean_keys(*(_two_lines() if options.stdin else _asked()))
    settings = settle_data_dir(settings)
    outcome = keep_keys(settings, keys, check=not options.no_check)
    if outcome is not None:
        print(outcome_text(outcome, time.time()))
        warn_about(outcome)
        tell_if_gone(settings)
    print(tr("The app key and secret are stored in {keyring}.", keyring=keyring_name()))
    if taken is not None:
        _tell_of_files(taken)
    shadowing = [name for name in KEY_VARIABLES[settings.mode] if variable(os.environ, name)]
    if shadowing and settings.profile == DEFAULT:
        print(tr("{variable} is set and takes precedence over them.", variable=shadowing[0]), file=sys.stderr)
    return DONE


def _tell_of_files(taken: KeyFile) -> None:
    if taken.account:
        print(tr("They are those of the account {account}.", account=taken.account))
    names = ", ".join(masked_path(path) for path in taken.paths)
    print(tr("The file still holds them: {path}. Delete it, or keep it in a safe place.", path=names), file=sys.stderr)


def how_to_give_keys(settings: Settings) -> str:
    """Return how to give the keys if `login` has nowhere to store them; an empty text if it has."""
    try:
        shared_keyring_client().check()
    except KeyringUnavailable as error:
        return _without_keyring(settings, error)
    return ""


def _without_keyring(settings: Settings, error: KeyringUnavailable) -> str:
    if error.problem == KeyringUnavailable.MISSING and (told := no_place_for_keys(settings.profile, settings.mode)):
        return say(told)
    if settings.profile != DEFAULT or error.problem not in _NO_PLACE:
        return ""
    key, secret = KEY_VARIABLES[settings.mode]
    return tr(_NO_PLACE[error.problem], key=key, secret=secret)


def logout(options: Namespace) -> int:
    settings, _ = opened(profile_name(options.profile))
    had = forget_keys(settings.profile, options.mode or settings.mode, shared_keyring_client())
    print(tr("The app key and secret were removed.") if had else tr("There were no app keys."))
    return DONE


def _two_lines() -> tuple[str, str]:
    lines = [line for line in read_stdin(_MAX_STDIN_BYTES).splitlines() if line.strip()]
    if len(lines) != 2:
        raise InvalidInput(msg("Give two lines on standard input: the app key, then the secret."))
    return lines[0], lines[1]


def _asked() -> tuple[str, str]:
    if sys.stdin is None or not sys.stdin.isatty():
        raise InvalidInput(msg("There is no terminal to ask on. Give both as two lines with --stdin."))
    app_key = ask_hidden(tr("App key (not shown): "))
    return app_key, ask_hidden(tr("App secret (not shown): ")) if app_key.strip() else ""
