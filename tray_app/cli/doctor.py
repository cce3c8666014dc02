"""`doctor`: what works here, what does not, and how to fix it."""

from __future__ import annotations

import contextlib
import itertools
import os
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from tray_app import autostart
from tray_app.cli.diagnostics import crash_file, log_file, log_folder
from tray_app.cli.finding import Finding
from tray_app.cli.folder_scan import SCAN_SECONDS, scan_folder
from tray_app.cli.login import how_to_give_keys
from tray_app.cli.remedy_line import remedy_line
from tray_app.cli.token import clock_text
from tray_app.core import logs
from tray_app.core.errors import (
    DONE,
    UNEXPECTED,
    KeyringUnavailable,
    KeysMissing,
    KiwoomTokenError,
    StoreError,
    known_error,
    say,
)
from tray_app.core.language import has_letters, joined, msg, tr, use
from tray_app.core.profile import command_line
from tray_app.core.trading import ClosedDays, closed_days, install_closed_days
from tray_app.core.wording import korean_time, mode_text
from tray_app.history.database import FILE, SQLITE_SUFFIXES
from tray_app.kiwoom.endpoints import base_url_for
from tray_app.service.composition import check_encryption, find_keys, open_exports, open_service
from tray_app.service.exchange_calendar import has_holidays_package, holidays_problem, install_holidays
from tray_app.service.other_stores import FILE as ISSUED_FILE
from tray_app.settings.load import load_settings
from tray_app.settings.places import config_dir, settings_file, shared_state_dir, token_file
from tray_app.stores.keyring_client import LOADING_SECONDS, shared_keyring_client
from tray_app.stores.keyring_problems import silent
from tray_app.stores.redis_server import address_of
from tray_app.system.access import check_writable, who_else_may_use
from tray_app.system.child_process import COMMAND_LINE_PROGRAM, TRAY_PROGRAM, run_own, tray_command
from tray_app.system.extras import has_qt, install_command
from tray_app.system.private_files import UnreadableFile, check_private, read_private, reason_of
from tray_app.system.version import library_versions, program_version, system_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tray_app.core.token import Token
    from tray_app.exports.base import Export
    from tray_app.service.token_service import TokenService
    from tray_app.settings.load import Settings


SCREEN_SECONDS = 6.0
"""How long the process that tries the screen may take, from the first check on: it loads Qt, and a server may accept
the connection and never answer."""

CHECK_SECONDS = 2.0
"""How long each check may take."""

_GRACE_SECONDS = 0.2
"""The keyring and Redis have deadlines of their own, as long as a check's, and say better what is wrong."""

_SCREEN_SILENT = (
    msg("The screen does not answer. Check DISPLAY, or sign in to the desktop again.")
    if sys.platform == "linux"
    else msg("The screen does not answer in time. Try again, or sign in to the desktop again.")
)

_KEYRING_REMEDIES = {
    KeyringUnavailable.MISSING: msg("Install one, for example gnome-keyring or KeePassXC."),
    KeyringUnavailable.SILENT: msg("See whether it asks for something; else sign in to the desktop again."),
    KeyringUnavailable.FAILED: msg("Sign in to the desktop again, then try once more."),
}


def doctor(profile: str | None, *, as_json: bool, report: str | None = None, look_in: Sequence[str] = ()) -> int:
    """Print what works here and what does not, each finding as soon as it is known.

    Return 0 when nothing needs fixing, else 1. Asks Kiwoom nothing and changes nothing. `report` is the path of a zip
    file for a bug report, which is written as well. `look_in` are folders in which keys and tokens of other programs
    are looked for.
    """
    findings: list[Finding] = []
    for one in _findings(profile, look_in):
        findings.append(one)
        if not as_json:
            print(f"{_sign(good=one.good)} {one}", flush=True)
    if as_json:
        import json

        print(json.dumps([{"name": one.name, "good": one.good, "text": one.text} for one in findings]))
    if report is not None:
        from tray_app.cli.bug_report import write_report

        told = tr(
            "The report is in {path}. Look through it before you send it.", path=write_report(report, findings, profile)
        )
        print(told, file=sys.stderr if as_json else sys.stdout)
    return DONE if all(one.good for one in findings) else UNEXPECTED


def _sign(*, good: bool) -> str:
    """Return a sign, or a letter where the output has no such sign: a file under a Korean Windows (code page 949)."""
    signs = "✗✓"
    return (signs if has_letters(sys.stdout, signs) else "XO")[good]


def _findings(profile: str | None, look_in: Sequence[str]) -> Iterator[Finding]:
    found: list[Settings] = []
    of_settings = [*_bounded(msg("settings"), lambda: _settings(profile, found))]  # which name the language of all
    yield from _bounded(msg("program"), lambda: [Finding(msg("program"), program_version(), good=True)])
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(msg("python"), f"{version} ({sys.platform})", good=sys.version_info >= (3, 11))
    yield from _bounded(msg("system"), lambda: [Finding(msg("system"), system_version(), good=True)])
    yield from _bounded(msg("libraries"), _libraries, LOADING_SECONDS)
    yield from of_settings
    screen, began = _begin(msg("screen"), lambda: [_screen()]), time.monotonic()  # the slowest: asked last
    for settings in found:
        for name, check in _CHECKS.items() if settings.is_usable else ():
            yield from _bounded(name, partial(check, settings), when_late=_when_late(name, settings))
        yield from _bounded(msg("what helps"), lambda settings=settings: [remedy_line(settings)])  # type: ignore[misc]
    yield from _bounded(msg("trading days"), lambda: [_trading_days()])
    yield from _bounded(msg("autostart"), lambda: [_autostart()])
    yield from _bounded(msg("log"), _log)
    left = max(CHECK_SECONDS, began + SCREEN_SECONDS - time.monotonic())
    yield from _results(msg("screen"), screen, left, tr(_SCREEN_SILENT))
    for folder in look_in:
        own = found[0] if found else None
        yield from _bounded(msg("found"), partial(scan_folder, folder, own), SCAN_SECONDS + 1)


def _bounded(
    name: str, check: Callable[[], Iterable[Finding]], seconds: float = CHECK_SECONDS, when_late: str = ""
) -> Iterator[Finding]:
    """Yield what a check finds within `seconds`. A check that fails or does not end is a finding itself."""
    return _results(name, _begin(name, check), seconds, when_late)


def _begin(name: str, check: Callable[[], Iterable[Finding]]) -> SimpleQueue[Finding | None]:
    """Begin a check on a thread of its own; return where its findings come, and None after the last one."""
    found: SimpleQueue[Finding | None] = SimpleQueue()

    def run() -> None:
        try:
            for one in check():
                found.put(one)
        except Exception as error:  # noqa: BLE001 - the next check may still work
            if not isinstance(error, KiwoomTokenError):
                logs.error("The check of %s failed", name, cause=error)
            found.put(Finding(name, say(known_error(error)), good=False))
        found.put(None)

    try:
        threading.Thread(target=run, name=f"check of {name}", daemon=True).start()
    except RuntimeError as error:  # no more threads
        found.put(Finding(name, say(known_error(error)), good=False))
        found.put(None)
    return found


def _results(name: str, found: SimpleQueue[Finding | None], seconds: float, when_late: str) -> Iterator[Finding]:
    end = time.monotonic() + seconds + _GRACE_SECONDS
    try:
        while (one := found.get(timeout=max(0.0, end - time.monotonic()))) is not None:
            yield one
    except Empty:
        told = tr("no answer within {seconds} seconds. Try again, or restart the computer.", seconds=round(seconds))
        yield Finding(name, when_late or told, good=False)


def _when_late(name: str, settings: Settings) -> str:
    """Return what is known about a check that does not end; empty where that is nothing."""
    if name == "keyring":
        return joined(say(silent()), tr(_KEYRING_REMEDIES[KeyringUnavailable.SILENT]))
    if name == "token" and settings.store == "redis" and settings.redis_url is not None:
        return tr("Redis at {address} does not answer.", address=address_of(settings.redis_url))
    return ""


def _libraries() -> Iterator[Finding]:
    """Yield the libraries' versions. Nothing works without the first two; Qt is reported under `screen`.

    Load the keyring's: a slow disk is no slow keyring.
    """
    versions = library_versions()
    missing = [name for name in ("httpx", "keyring") if not versions[name]]
    if missing:
        told = tr("{names} is missing. Install this program again with pip.", names=", ".join(missing))
        yield Finding(msg("libraries"), told, good=False)
    told = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    yield Finding(msg("libraries"), told, good=True)
    with contextlib.suppress(KeyringUnavailable):  # which the next checks tell
        shared_keyring_client().load()


def _settings(profile: str | None, found: list[Settings]) -> Iterator[Finding]:
    settings = load_settings(profile)
    use(settings.language)
    found.append(settings)
    for problem in settings.problems:
        yield Finding(msg("settings"), say(problem), good=False)
    yield from _open_to_others(msg("settings"), config_dir(os.environ))
    yield from _open_to_others(msg("settings"), settings_file(os.environ), is_secret=False)


def _data_folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    found = _tried(msg("data folder"), lambda: check_writable(folder, "KIWOOM_TRAY_DATA_DIR"), lambda: folder)
    yield found
    if not found.good:
        return
    token, history = token_file(folder, settings.profile), os.path.join(folder, FILE)
    companions = [history, *(history + suffix for suffix in SQLITE_SUFFIXES), f"{token}.owner", f"{token}.ending"]
    misplaced = {path: list(_misplaced(msg("data folder"), [path])) for path in companions}
    for path in (folder, token, *companions):
        if not misplaced.get(path):  # else the rights would be those of somebody else's file
            yield from _open_to_others(msg("data folder"), path)
    if settings.store != "memory":
        yield from itertools.chain(*misplaced.values())


def _open_to_others(name: str, path: str, *, is_secret: bool = True) -> Iterator[Finding]:
    try:
        problem = who_else_may_use(path, is_secret=is_secret)
    except OSError:  # not there, or told elsewhere
        return
    if problem:
        is_windows = sys.platform == "win32"
        quoted = f'"{path}"' if is_windows else shlex.quote(path)
        user = os.environ.get("USERNAME", "%USERNAME%") if is_windows else os.environ.get("USER", "$USER")
        yield Finding(name, tr(problem, path=quoted, user=user), good=False)


def _misplaced(name: str, paths: Iterable[str]) -> Iterator[Finding]:
    """Yield what stands in the place of a file of ours and is none: a folder, a pipe, a link, another user's file."""
    for path in paths:
        try:
            check_private(path)
        except OSError as error:
            message = msg("{path} cannot be used ({reason}). Correct or remove it.")
            yield Finding(name, say(StoreError(message, path=path, reason=reason_of(error))), good=False)


def _lock(settings: Settings) -> Iterator[Finding]:
    """Yield only what is wrong: that the lock which all programs share cannot be had."""
    name = msg("lock")
    if settings.store in {"auto", "keyring", "redis"}:
        folder = shared_state_dir()
        found = _tried(name, lambda: check_writable(folder, "KIWOOM_TRAY_STATE_DIR"), lambda: folder)
        if not found.good:
            yield found
            return
        yield from _open_to_others(name, folder)
    service = open_service(settings)
    lock = service.store.lock
    told_elsewhere = {token_file(settings.data_dir, settings.profile), lock.path}
    paths = service.watch_paths()
    if service.tokens.ended is not None:
        paths.append(os.path.join(os.path.dirname(service.tokens.ended.path), ISSUED_FILE))
    yield from _misplaced(name, (path for path in paths if path not in told_elsewhere))
    try:
        lock.check()
    except StoreError as error:
        yield Finding(name, say(error), good=False)


def _keys(settings: Settings) -> Iterator[Finding]:
    name = msg("keys")
    try:
        find_keys(settings)
    except KeysMissing as error:
        told = "" if error.variable else how_to_give_keys(settings)
        yield Finding(name, told or say(error), good=False)
        return
    yield Finding(name, tr("found for {mode}", mode=mode_text(settings.mode)), good=True)


def _address(settings: Settings) -> Iterator[Finding]:
    yield _tried(
        msg("address"), lambda: base_url_for(settings.mode, settings.base_url), lambda: tr("https, or this computer")
    )


def _token(settings: Settings) -> Iterator[Finding]:
    """Yield where the token is stored, and whether the other tools have it, even if the store cannot be read."""
    token = None
    try:
        service = open_service(settings)
        token = service.current()
        yield _life(service, token)
        check_encryption(settings)  # else it would come out when the next token is to be stored
        if clock := clock_text(settings, service, time.time()):
            yield Finding(msg("clock"), clock, good=False)
        if settings.store == "auto":
            yield from _unreadable(token_file(settings.data_dir, settings.profile))
    except KiwoomTokenError as error:
        yield Finding(msg("token"), say(error), good=False)
    for export in open_exports(settings, lambda: find_keys(settings)):
        if export.path() != token_file(settings.data_dir, settings.profile):  # which is told already
            yield from _open_to_others(msg("share"), export.path())
        found = _share(
            export, token if token is not None and token.is_unexpired(time.time()) else None, settings.profile
        )
        if found is not None:
            yield found


def _life(service: TokenService, token: Token | None) -> Finding:
    """Return where the token is, and that it is dead or in doubt."""
    where, evidence = service.store.place().text(), service.evidence(token)
    if token is None and evidence.dead_at:
        end = korean_time(evidence.expires, time.time())
        told = tr("stopped working, although it should have been valid until {end} (KST)", end=end)
    elif token is not None and evidence.says_doubtful(token.value):
        told = tr("not confirmed: it may have stopped working")
    elif token is None and _is_ended_elsewhere(service):
        told = tr(
            "revoked or replaced from another folder, profile or store with the same app key. Give the app key one "
            "place, see: kiwoom-token profiles"
        )
    else:
        return Finding(msg("token"), where, good=True)
    return Finding(msg("token"), f"{where}: {told}", good=False)


def _unreadable(path: str) -> Iterator[Finding]:
    """Yield why a token file, or what stands in its place, cannot be read. Nothing else tells it while the keyring
    works."""
    try:
        read_private(path, 0)
    except UnreadableFile as error:
        yield Finding(msg("token"), say(error), good=False)


def _is_ended_elsewhere(service: TokenService) -> bool:
    """Return True if a token is still stored here that ended in another store of this user."""
    stored, ended = service.store.read(), service.tokens.ended
    return stored is not None and ended is not None and stored.value.fingerprint() in ended.fingerprints()


def _share(export: Export, token: Token | None, profile: str) -> Finding | None:
    """Return the finding about one export; None without a token to publish."""
    try:
        export.check()
    except KiwoomTokenError as error:
        return Finding(msg("share"), say(error), good=False)
    if token is None:
        return None
    if export.holds(token):
        return Finding(msg("share"), tr("{setting}: the token is there", setting=export.name), good=True)
    external_token = export.external_token()
    if external_token is not None and external_token.expires > token.expires:
        told = tr("{setting}: the other tool has a newer token, which will be used from now on", setting=export.name)
        return Finding(msg("share"), told, good=True)
    command = command_line("refresh", profile)
    told = tr(
        "{setting}: the token has not been passed on. Pass it on with: {command}", setting=export.name, command=command
    )
    return Finding(msg("share"), told, good=False)


def _tried(name: str, act: Callable[[], object], when_good: Callable[[], str]) -> Finding:
    try:
        act()
    except KiwoomTokenError as error:
        return Finding(name, say(error), good=False)
    return Finding(name, when_good(), good=True)


def _keyring(settings: Settings) -> Iterator[Finding]:
    name = msg("keyring")
    if settings.store in {"file", "memory"}:
        yield Finding(name, tr("not used: the token is stored in {store}", store=settings.store), good=True)
        return
    try:
        backend = shared_keyring_client().backend_name()
    except KeyringUnavailable as error:
        says_itself = error.problem == KeyringUnavailable.FAILED and "reason" not in error.values
        remedy = _KEYRING_REMEDIES.get(error.problem, "") if not says_itself else ""
        yield Finding(name, joined(say(error), tr(remedy) if remedy else ""), good=False)
        return
    yield Finding(name, tr("answers ({backend})", backend=backend), good=True)


def _log() -> Iterator[Finding]:
    found = _tried(msg("log"), lambda: check_writable(log_folder()), log_folder)
    yield found
    if found.good:
        logs_of_both = [log_file(one) for one in (COMMAND_LINE_PROGRAM, TRAY_PROGRAM)]
        yield from _misplaced(
            msg("log"), [*logs_of_both, *(f"{one}.lock" for one in logs_of_both), crash_file(TRAY_PROGRAM)]
        )


def _screen() -> Finding:
    """Return what the tray program finds, in a process of its own: Qt aborts its process when there is no screen."""
    import subprocess

    name = msg("screen")
    if not has_qt():
        told = tr(
            "not used: Qt is not installed. For the icon and the windows: {command}", command=install_command("tray")
        )
        return Finding(name, told, good=True)
    command = tray_command("--self-test", "screen")
    if not command:
        return Finding(name, tr("not tried: the tray program is not beside this one"), good=True)
    try:
        answer = run_own(command, SCREEN_SECONDS)
    except subprocess.TimeoutExpired:
        return Finding(name, tr(_SCREEN_SILENT), good=False)
    except OSError as error:
        return Finding(name, tr("Qt cannot be tried ({reason})", reason=error.strerror), good=False)
    if answer.returncode == DONE:
        return Finding(name, tr("Qt can use it"), good=True)
    told = answer.stdout.strip() or tr("Qt cannot use it.")
    instead = tr("In a terminal, kiwoom-token watch does the same work.")
    return Finding(name, joined(told, instead), good=False)


def _trading_days() -> Finding:
    """Return whether the exchange's holidays are known; without them there are checks and warnings on days without
    trading."""
    install_holidays(time.time())
    known = closed_days()
    if known is None and has_holidays_package():
        return Finding(msg("trading days"), tr("looked up when the tray or watch starts"), good=True)
    if known is None:
        install_closed_days(ClosedDays())
    problem = holidays_problem(time.time())
    if problem or known is None:
        return Finding(msg("trading days"), problem, good=False)
    told = tr("the exchange's holidays are known until {day}", day=known.last.isoformat())
    return Finding(msg("trading days"), told, good=True)


def _autostart() -> Finding:
    """Return the state of start at login. Off is fine; an entry for a missing or another program is not."""
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


_CHECKS: dict[str, Callable[..., Iterator[Finding]]] = {
    msg("data folder"): _data_folder,
    msg("lock"): _lock,
    msg("keyring"): _keyring,
    msg("keys"): _keys,
    msg("address"): _address,
    msg("token"): _token,
}
"""The checks that need the settings, in this order."""
