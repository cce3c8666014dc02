"""`kiwoom-token`: from its words to a command, and from an error to one line on stderr and an exit status."""

from __future__ import annotations

import sys

from tray_app.core.errors import UNEXPECTED, KiwoomTokenError, known_error
from tray_app.core.language import allow_korean, has_letters, say
from tray_app.system.child_process import stop_importing_from_working_folder
from tray_app.system.process import exit_now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from typing import Any, NoReturn

_COMMANDS_OF_TOKEN = ("get", "status", "refresh", "clear", "set", "exec")
_PRINT_NO_SENTENCE = (["get"], ["exec"])
_INTERRUPTED = 130


def run() -> NoReturn:
    """The program's entry point. Python's own way of ending takes as long as a quarter of `get`."""
    stop_importing_from_working_folder()
    status = main(sys.argv[1:])
    if "tray_app.history.database" in sys.modules:  # what it was told may still have to be written
        sys.exit(status)
    exit_now(status)


def main(arguments: Sequence[str]) -> int:
    """Runs one command and returns its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    told_on = [sys.stderr] if list(arguments[:1]) in _PRINT_NO_SENTENCE else [sys.stdout, sys.stderr]
    # What reads from a pipe expects the letters that it has. UTF-8 would be damaged there or end the reader, and
    # escapes are read by nobody.
    allow_korean(allowed=all(has_letters(stream, "가") for stream in told_on))
    try:
        status = _dispatch(_understood(arguments))
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except KiwoomTokenError as error:
        _complain(say(error))
        return error.exit_status
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        _give_up_output()
        return UNEXPECTED
    except Exception as error:  # noqa: BLE001 - a traceback could show a secret
        if isinstance(error, OSError):
            _give_up_output()
        _complain(say(known_error(error)))
        return UNEXPECTED


class _PlainGet:
    """What the parser would make of `get` alone, which tools run so often that loading a parser would show."""

    command = "get"
    profile = None
    format = "raw"
    min_remaining = None
    no_issue = False


def _understood(arguments: Sequence[str]) -> Namespace | _PlainGet:
    if list(arguments) == ["get"]:
        return _PlainGet()
    from tray_app.cli.parser import command_parser

    return command_parser().parse_args(arguments)


def _dispatch(options: Any) -> int:
    if options.command in _COMMANDS_OF_TOKEN:
        from tray_app.cli import token

        status: int = getattr(token, f"{options.command}_")(options)
        return status
    if options.command in {"login", "logout"}:
        from tray_app.cli import login as account

        return account.login(options) if options.command == "login" else account.logout(options)
    if options.command == "config":
        from tray_app.cli.config import config

        return config(options)
    if options.command == "doctor":
        from tray_app.cli.doctor import doctor

        return doctor(options.profile, as_json=options.json)
    if options.command == "profiles":
        from tray_app.cli.profiles import profiles

        return profiles()
    if options.command == "history":
        from tray_app.cli.history import history

        return history(options)
    if options.command == "watch":
        from tray_app.cli.watch import watch

        return watch(options.profile)
    from tray_app.cli.sandbox import sandbox

    return sandbox(options.port, options.lifetime)


def _give_up_output() -> None:
    """What could not be written is not tried again at the end of the process, which would then complain itself."""
    import os

    try:
        if sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # no file at all, as in a notebook
        return


def _complain(sentence: str) -> None:
    if sys.stderr is not None:
        print(sentence.replace("\n", " "), file=sys.stderr)


if __name__ == "__main__":
    run()
