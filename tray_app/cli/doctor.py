"""`doctor`: what works here, what does not, and how to mend it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from tray_app import autostart
from tray_app.core.errors import DONE, UNEXPECTED, KeyringUnavailable, KiwoomTokenError
from tray_app.core.language import has_letters, msg, say, tr, use
from tray_app.core.profile import DEFAULT
from tray_app.core.wording import mode_text, place_text
from tray_app.kiwoom.connection import base_url_for
from tray_app.service.composition import find_keys, open_exports, open_service
from tray_app.settings.load import load_settings
from tray_app.stores.keyring_client import shared_keyring_client
from tray_app.system.private_files import check_writable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tray_app.core.token import Token
    from tray_app.exports.base import Export
    from tray_app.settings.load import Settings
    from tray_app.stores.base import Place


class Finding:
    """`name` of what was looked at, in English, whether it is `good`, and a sentence about it."""

    def __init__(self, name: str, text: str, *, good: bool) -> None:
        self.name = name
        self.text = text
        self.good = good


def doctor(profile: str | None, *, as_json: bool) -> int:
    """Prints what it finds; ends with 0 when nothing needs mending, else with 1. Never asks Kiwoom, mends nothing."""
    settings = load_settings(profile)
    use(settings.language)
    findings = list(_findings(settings))
    if as_json:
        import json

        print(json.dumps([{"name": one.name, "good": one.good, "text": one.text} for one in findings]))
    else:
        for one in findings:
            print(f"{_sign(good=one.good)} {tr(one.name)}: {one.text}")
    return DONE if all(one.good for one in findings) else UNEXPECTED


def _sign(*, good: bool) -> str:
    """A letter where the output has no sign: a file that is written under a Korean Windows (code page 949)."""
    signs = "✗✓"
    return (signs if has_letters(sys.stdout, signs) else "XO")[good]


def _findings(settings: Settings) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(msg("python"), f"{version} ({sys.platform})", good=sys.version_info >= (3, 11))
    for problem in settings.problems:
        yield Finding(msg("settings"), say(problem), good=False)
    yield _tried(msg("data folder"), lambda: check_writable(settings.data_dir), lambda: settings.data_dir)
    yield _keyring(settings)
    yield _tried(
        msg("keys"), lambda: find_keys(settings), lambda: tr("found for {mode}", mode=mode_text(settings.mode))
    )
    yield _tried(
        msg("address"), lambda: base_url_for(settings.mode, settings.base_url), lambda: tr("https, or this computer")
    )
    yield from _token(settings)
    yield _screen()
    yield _autostart()


def _token(settings: Settings) -> Iterator[Finding]:
    """Where it rests, and whether the other tools have it. A store that cannot be read is one line of several."""
    token = None
    try:
        service = open_service(settings)
        token = service.current()
        yield Finding(msg("token"), _where(service.place()), good=True)
    except KiwoomTokenError as error:
        yield Finding(msg("token"), say(error), good=False)
    for export in open_exports(settings, lambda: find_keys(settings)):
        found = _share(export, token if token is not None and token.lives(time.time()) else None, settings.profile)
        if found is not None:
            yield found


def _share(export: Export, token: Token | None, profile: str) -> Finding | None:
    """None where there is nothing to hand out."""
    try:
        export.check()
    except KiwoomTokenError as error:
        return Finding(msg("share"), say(error), good=False)
    if token is None:
        return None
    if export.holds(token):
        return Finding(msg("share"), tr("{setting}: the token is there", setting=export.setting), good=True)
    external_token = export.external_token()
    if external_token is not None and external_token.expires > token.expires:
        told = tr("{setting}: the other tool has a newer token, which will be used from now on", setting=export.setting)
        return Finding(msg("share"), told, good=True)
    command = "kiwoom-token refresh" + ("" if profile == DEFAULT else f" --profile {profile}")
    told = tr(
        "{setting}: the token is missing there. Write it with: {command}", setting=export.setting, command=command
    )
    return Finding(msg("share"), told, good=False)


def _tried(name: str, act: Callable[[], object], when_good: Callable[[], str]) -> Finding:
    try:
        act()
    except KiwoomTokenError as error:
        return Finding(name, say(error), good=False)
    return Finding(name, when_good(), good=True)


def _where(place: Place) -> str:
    return place_text(place.kind, place.path, place.problem_code)


def _keyring(settings: Settings) -> Finding:
    if settings.store in {"file", "memory"}:
        return Finding(msg("keyring"), tr("not used: the token is stored in {store}", store=settings.store), good=True)
    try:
        shared_keyring_client().check()
    except KeyringUnavailable as error:
        return Finding(msg("keyring"), say(error), good=False)
    return Finding(msg("keyring"), tr("answers"), good=True)


def _screen() -> Finding:
    """Asked of the tray program itself, in a process of its own: Qt ends the one in which it finds no screen."""
    import subprocess

    asked = [sys.executable, "-m", "tray_app", "--self-test"]
    answer = subprocess.run(asked, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    if answer.returncode == DONE:
        return Finding(msg("screen"), tr("Qt can use it"), good=True)
    return Finding(msg("screen"), answer.stdout.strip() or tr("Qt cannot use it"), good=False)


def _autostart() -> Finding:
    """Not to start at login is nobody's fault; to try it with a program that is gone, or another one, is."""
    try:
        found = autostart.for_this_system().status()
    except KiwoomTokenError as error:
        return Finding(msg("autostart"), say(error), good=False)
    if not found.configured:
        return Finding(msg("autostart"), tr("off"), good=True)
    if not found.enabled:
        told = tr("switched off in the system's own settings ({place})", place=found.place)
        return Finding(msg("autostart"), told, good=True)
    if found.is_lost:
        told = tr(
            "the program it starts is missing: {command}. Start the tray once to repair it.", command=found.starts
        )
        return Finding(msg("autostart"), told, good=False)
    if not found.as_it_should_be:
        told = tr("another copy of this program starts at login: {command}", command=found.starts)
        return Finding(msg("autostart"), told, good=False)
    return Finding(msg("autostart"), tr("on ({place})", place=found.place), good=True)
