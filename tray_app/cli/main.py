"""`kiwoom-token`: from its words to a command, and from an error to one line on stderr and an exit status."""

from __future__ import annotations

import gc
import sys

from tray_app.cli.unfailing_output import give_up, unfailing_stderr
from tray_app.core import logs
from tray_app.core.errors import UNEXPECTED, KiwoomTokenError, Remedy, known_error, say
from tray_app.core.language import allow_korean, has_letters, tr
from tray_app.system.child_process import restore_environment, stop_importing_from_working_folder
from tray_app.system.process import exit_now, forbid_core_dumps
from tray_app.system.user_folders import stand_in_for_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

_COMMANDS_OF_TOKEN = ("get", "status", "refresh", "verify", "set")
_PRINT_NO_SENTENCE = (["get"], ["exec"])
_PLAIN_GET = ["get"]
_CAN_BE_REPEATED = ("get", "status", "refresh", "exec", "verify")
_QUESTIONS = 3
"""How often the user is asked: KeePassXC asks for each entry, the token and two keys."""

_INTERRUPTED = 130


def run() -> NoReturn:
    """Run the command line and end the process. Python's own way of ending takes as long as a quarter of `get`."""
    restore_environment()
    stop_importing_from_working_folder()
    if sys.argv[1:] == _PLAIN_GET:
        gc.disable()  # the process ends before there is garbage worth a search
    else:
        from tray_app.cli.diagnostics import install_hooks, watch_for_crashes

        install_hooks(lambda kind: _complain(tr("Something unexpected happened ({kind}).", kind=kind)))
        watch_for_crashes()
    status = main(sys.argv[1:], before_watch=_prepare_to_stay)
    if "tray_app.cli.watch" in sys.modules:
        from tray_app.system.signals import ignore_stop_signals

        ignore_stop_signals()
    if "tray_app.history.database" in sys.modules:  # its last events may still have to be written
        sys.exit(status)
    exit_now(status)


def _prepare_to_stay() -> None:
    from tray_app.system.signals import end_on_stop_signals

    forbid_core_dumps()
    end_on_stop_signals()


def main(arguments: Sequence[str], before_watch: Callable[[], None] = lambda: None) -> int:
    """Run one command and return its exit status. `before_watch` is called before the one that stays."""
    stop_log: list[Callable[[], None]] = []

    def open_log(level: int, *, to_stderr: bool = False) -> None:
        from tray_app.cli.diagnostics import log_file, start_log
        from tray_app.system.child_process import COMMAND_LINE_PROGRAM

        logs.forget_first()
        stop_log.append(start_log(log_file(COMMAND_LINE_PROGRAM), level, to_stderr=to_stderr))

    logs.on_first(logs.WARNING, lambda: open_log(logs.WARNING))
    try:
        with unfailing_stderr():
            return _run(arguments, open_log, before_watch)
    finally:
        logs.forget_first()
        for stop in stop_log:
            stop()


def _run(arguments: Sequence[str], open_log: Callable[..., None], before_watch: Callable[[], None]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    told_on = [sys.stderr] if list(arguments[:1]) in _PRINT_NO_SENTENCE else [sys.stdout, sys.stderr]
    # Without the letters in the output's encoding, English: escapes are unreadable, and UTF-8 could break the reader.
    allow_korean(allowed=all(has_letters(stream, "가") for stream in told_on))
    try:
        options = _understood(arguments)
        if options.command == "watch":
            before_watch()
        if options.verbose:
            open_log(logs.DEBUG, to_stderr=True)
        elif options.command == "watch":
            open_log(logs.INFO)
        if options.sandbox:
            from tray_app.cli.sandbox import using_sandbox

            with using_sandbox():
                status = _answered(options)
        else:
            status = _answered(options)
        if folder := stand_in_for_home():
            _complain(
                tr(
                    "This user has no home folder: {path} is used. Set KIWOOM_TRAY_STATE_DIR to a folder that stays.",
                    path=folder,
                )
            )
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except KiwoomTokenError as error:
        logs.debug("%s: %s", type(error).__name__, error)
        _complain(say(error))
        return error.exit_status
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        give_up(sys.stdout)
        return UNEXPECTED
    except Exception as error:  # noqa: BLE001 - a traceback could show a secret
        if isinstance(error, OSError):
            give_up(sys.stdout)
            if _is_full_output(error):
                _complain(tr("The output cannot be written: no space is left. Free some, or write it elsewhere."))
                return UNEXPECTED
        logs.error("Unexpected error", cause=error)
        _complain(say(known_error(error)))
        return UNEXPECTED


class _PlainGet:
    """The options of a plain `get`, which tools run so often that loading a parser would be noticeable."""

    command = "get"
    profile = None
    format = "raw"
    min_remaining = None
    no_issue = False
    refused = False
    verbose = False
    sandbox = False


def _understood(arguments: Sequence[str]) -> Namespace | _PlainGet:
    words = [*arguments]
    if "exec" not in words[:-1]:  # whose last word is another program's
        words[-1:] = [one.rstrip("\r") for one in words[-1:]]  # of a script that was saved with CRLF
    if words == _PLAIN_GET:
        return _PlainGet()
    from tray_app.cli.parser import command_parser

    return command_parser().parse_args(words)


def _answered(options: Any) -> int:
    """Run the command; again once a person at the terminal has answered the keyring's question about an entry."""
    for _ in range(_QUESTIONS):
        try:
            return _dispatch(options)
        except KiwoomTokenError as error:
            if (
                error.remedy != Remedy.UNLOCK_KEYRING
                or options.command not in _CAN_BE_REPEATED
                or not _is_at_terminal()
            ):
                raise
            from tray_app.stores.keyring_client import shared_keyring_client

            if not shared_keyring_client().wants_permission():
                raise
            _complain(tr("The keyring is asking for permission. Waiting for the answer…"))
            shared_keyring_client().unlock()
    return _dispatch(options)


def _is_at_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def _dispatch(options: Any) -> int:
    if options.command in _COMMANDS_OF_TOKEN:
        from tray_app.cli import token

        status: int = getattr(token, f"{options.command}_")(options)
        return status
    if options.command == "clear":
        from tray_app.cli.clear import clear

        return clear(options)
    if options.command == "exec":
        from tray_app.cli.execute import exec_

        return exec_(options)
    if options.command in {"login", "logout"}:
        from tray_app.cli import login as account

        return account.login(options) if options.command == "login" else account.logout(options)
    if options.command == "config":
        from tray_app.cli.config import config

        return config(options)
    if options.command == "doctor":
        from tray_app.cli.doctor import doctor

        return doctor(options.profile, as_json=options.json, report=options.report, look_in=options.look_in)
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


def _is_full_output(error: OSError) -> bool:
    """Return True if a disk without room is that of the output; an error of any other file names it."""
    from tray_app.system.private_files import is_full

    return is_full(error) and error.filename is None


def _complain(sentence: str) -> None:
    if sys.stderr is not None:
        print(sentence.replace("\n", " "), file=sys.stderr)


if __name__ == "__main__":
    run()
