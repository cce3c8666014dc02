"""`kiwoom-token exec`: run a program with the token in its environment."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys

from tray_app.cli.token import opened, warn_about
from tray_app.core.errors import InvalidInput, KiwoomTokenError
from tray_app.core.language import msg, tr
from tray_app.core.profile import DEFAULT
from tray_app.service.composition import find_keys
from tray_app.system.private_files import reason_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator
    from subprocess import Popen

    from tray_app.settings.load import Settings

_NOT_EXECUTABLE, _NOT_FOUND = 126, 127
_KILLED = 128
"""Shells add to it the number of the signal that ended a program."""
_HERE = os.path.join(os.curdir, "")


def exec_(options: Namespace) -> int:
    words = options.words[1:] if options.words[:1] == ["--"] else options.words
    if not words or not words[0]:
        raise InvalidInput(msg("There is no command to run. Give it after --."))
    settings, service = opened(options.profile)
    from tray_app.exports.formats import ENVIRONMENTS

    outcome = service.ensure()
    warn_about(outcome)
    environment = _environment_of_account(settings) | ENVIRONMENTS[options.format](outcome.token)
    try:
        if sys.platform == "win32" or options.sandbox:  # the practice Kiwoom may be served by this process
            with _leaving_keys_to_the_program():
                return _status_of(_start(words, environment))
        if sys.stdout is not None:
            sys.stdout.flush()
        for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored_by_python, signal.SIG_DFL)
        os.execvpe(words[0], words, environment)  # noqa: S606 - running it is what the user asks for
    except OSError as error:
        return _tell_not_run(words[0], error)


def _start(words: list[str], environment: dict[str, str]) -> Popen[bytes]:
    import subprocess

    if sys.platform == "win32":
        from tray_app.system.child_process import leave_library_folder
        from tray_app.system.windows_programs import command_for, find_program

        program = find_program(words[0], environment)  # Windows itself would look in the working folder first
        if not program:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        leave_library_folder()
        return subprocess.Popen(command_for(program, words[1:]), env=environment)
    return subprocess.Popen(words, env=environment)


@contextlib.contextmanager
def _leaving_keys_to_the_program() -> Iterator[None]:
    """Leave Ctrl+C and Ctrl+Break to the program, which receives them too and decides by itself what they do.

    A handler that does nothing is set before the program starts, because it inherits no handler. A signal that is
    ignored already stays ignored for both.
    """
    from tray_app.system.signals import keyboard_signals

    heard = [one for one in keyboard_signals() if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, lambda *_: None) for one in heard}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _status_of(process: Popen[bytes]) -> int:
    """Wait for the program and return its exit status."""
    status = process.wait()
    if sys.platform == "win32":
        return status - (1 << 32) if status >= 1 << 31 else status  # 0xC0000005: Python ends with signed numbers
    return _KILLED - status if status < 0 else status


def _tell_not_run(program: str, error: OSError) -> int:
    """Say on stderr why a command does not run, without repeating it; return the exit status that shells use for it."""
    is_missing = isinstance(error, (FileNotFoundError, NotADirectoryError)) and not _exists(program)
    if is_missing and not os.path.dirname(program) and os.path.isfile(program):
        told = tr("The command after -- is not in PATH. It is in this folder: write {prefix} before it.", prefix=_HERE)
    elif is_missing:
        told = tr("The command after -- was not found. Check its name and PATH.")
    else:
        told = tr("The command after -- cannot be run ({reason}).", reason=reason_of(error))
    if sys.stderr is not None:
        print(told, file=sys.stderr)
    return _NOT_FOUND if is_missing else _NOT_EXECUTABLE


def _exists(program: str) -> bool:
    """Return True if there is a file that the shell would take: a script without its interpreter is one."""
    if os.path.dirname(program):
        return os.path.exists(program)
    if sys.platform == "win32":
        from tray_app.system.windows_programs import find_program

        return bool(find_program(program, os.environ))
    from shutil import which

    return which(program, os.F_OK) is not None


def _environment_of_account(settings: Settings) -> dict[str, str]:
    """Return this environment with the token's account in it, because `kiwoomcli` would use its current one."""
    environment = dict(os.environ)
    alias: str | None = settings.profile
    if settings.profile == DEFAULT:
        try:
            alias = find_keys(settings).alias
        except KiwoomTokenError:  # a keyring that does not answer now; the token is there all the same
            from tray_app.settings.kwcli import aliases

            alias = settings.account if aliases().get(settings.account) == settings.mode else None
    if alias is None:
        environment.pop("KIWOOM_PROFILE", None)
        environment["KIWOOM_MODE"] = settings.mode
    else:
        environment["KIWOOM_PROFILE"] = alias
    return environment
