"""`kiwoom-token-tray`: the only place that wires everything together."""

from __future__ import annotations

import os
import sys
import time
from argparse import SUPPRESS
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from tray_app.cli.diagnostics import (
    crash_file,
    install_hooks,
    log_file,
    log_folder,
    start_log,
    watch_for_crashes,
)
from tray_app.cli.parser import Parser, seconds
from tray_app.cli.unfailing_output import give_up, unfailing_stderr
from tray_app.core import logs
from tray_app.core.errors import DONE, UNEXPECTED, USAGE, KiwoomTokenError, say
from tray_app.core.language import current, joined, tr, use
from tray_app.core.pasted import variable
from tray_app.settings.load import load_settings
from tray_app.settings.places import sandbox_dir, settings_file, settings_scope
from tray_app.settings.save import save_setting, settle_data_dir
from tray_app.settings.table import MODES
from tray_app.system.child_process import TRAY_PROGRAM, UPDATE_HOLIDAYS_OPTION, is_frozen, restore_environment
from tray_app.system.extras import has_qt, install_command
from tray_app.system.message_box import is_stderr_read, show_windows_box
from tray_app.system.process import exit_now, forbid_core_dumps
from tray_app.system.signals import end_on_stop_signals, ignore_stop_signals
from tray_app.system.version import program_version

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence

    from tray_app.kiwoom.sandbox.shared import Sandbox
    from tray_app.settings.load import Settings

_TITLE = "Kiwoom Token Tray"
_SANDBOX_LIFETIME_SECONDS = 660.0
"""A newcomer then sees the first warning after a minute and the first renewal after eleven."""

_owns_process = False
"""True if this process is the tray program and nothing else, so that its crashes may be logged."""


def run() -> NoReturn:
    """Run the tray program and end the process."""
    global _owns_process  # noqa: PLW0603 - there is one process
    _owns_process = True
    end_on_stop_signals()
    install_hooks(lambda kind: _tell(_unexpected(kind)))
    try:
        status = main(sys.argv[1:])
    except KeyboardInterrupt:
        status = DONE
    _leave(status)


def _leave(status: int) -> NoReturn:
    """End the process. Once Qt is loaded, skip Python's own shutdown, which destroys Qt's objects while threads still
    use them (a segmentation fault in one of sixty exits)."""
    ignore_stop_signals()
    if "PySide6.QtCore" not in sys.modules:
        sys.exit(status)
    from tray_app.history.database import flush_history

    flush_history()
    exit_now(status)


def main(arguments: Sequence[str]) -> int:
    """Run the tray program and return its exit status."""
    try:
        options = _parser().parse_args(arguments)
    except OSError:  # help and version, of which nothing is left to say where it cannot be written
        give_up(sys.stdout)
        return UNEXPECTED
    if options.self_test:
        return _self_test(options.self_test)
    if options.update_holidays:
        from tray_app.service.exchange_calendar import write_holidays

        write_holidays(time.time())
        return DONE
    if options.quit:
        return _run(options)
    stop_log = _start_log(options)
    with unfailing_stderr():
        try:
            return _run(options)
        except Exception as error:  # noqa: BLE001 - a traceback could show a secret
            logs.error("Not started", cause=error)
            _say_why_not_started(_unexpected(type(error).__name__))
            return UNEXPECTED
        finally:
            stop_log()


def _self_test(what: str) -> int:
    from tray_app.desktop.display import display_problem

    if what == "screen":  # `doctor` shows what it says
        with suppress(KiwoomTokenError):  # `doctor` tells that too
            use(load_settings().language)
        reason = display_problem(os.environ)
        print(reason)
        return UNEXPECTED if reason else DONE
    from tray_app.cli.self_test import command_line_checks, import_modules, run_checks
    from tray_app.desktop.self_test import desktop_checks, drawing_checks

    if what == "windows":
        return run_checks(drawing_checks())
    restore_environment()  # windows are drawn by processes of their own
    modules = {"modules of the windows": lambda: import_modules(lambda name: name.startswith("tray_app.desktop"))}
    return run_checks({**command_line_checks(), **modules, **desktop_checks()})


def _start_log(options: Namespace) -> Callable[[], None]:
    """Start logging. The sandbox does not write to the user's own log."""
    folder = os.path.join(sandbox_dir(os.environ), "logs") if options.sandbox else ""
    if _owns_process:
        forbid_core_dumps()
        watch_for_crashes(crash_file(TRAY_PROGRAM, folder))
    stop_log = start_log(log_file(TRAY_PROGRAM, folder), logs.INFO, to_stderr=options.verbose)
    logs.info("%s %s starts, Python %s", TRAY_PROGRAM, program_version(), sys.version.split()[0])
    return stop_log


def _run(options: Namespace) -> int:
    sandbox: Sandbox | None = None
    try:
        environ: Mapping[str, str] = os.environ
        if options.quit:
            return _quit(options)
        if options.sandbox:
            sandbox = _open_sandbox(options.lifetime)
            environ = sandbox.environ
        settings = load_settings(options.profile, environ).resolved()
        use(settings.language)
        for problem in settings.problems:
            _tell(say(problem))
        if not settings.is_usable:
            mended = _mended(settings, options.profile, environ)
            if mended is None:
                return USAGE
            settings = mended
        is_new = not options.background and _is_first_start(settings, environ)
        if is_new:
            from tray_app.desktop.qt_messages import log_qt_messages
            from tray_app.desktop.setup.first_run import set_up
            from tray_app.desktop.setup.flow import SetupResult

            log_qt_messages()
            chosen = set_up(settings, environ)
            if chosen is None:
                return DONE
            if chosen is SetupResult.SANDBOX:
                sandbox = _open_sandbox(options.lifetime)
                environ = sandbox.environ
                save_setting("language", current(), environ=environ)  # as it was chosen there
            settings = load_settings(None if sandbox else options.profile, environ)
        settings = settle_data_dir(settings, environ)
        named = options.profile is not None or bool(variable(environ, "KIWOOM_PROFILE"))
        looks = options.show or (sandbox is not None and not options.background)  # to be seen
        showing = {"background": options.background, "show": looks, "is_new": is_new}
        return _start(settings, environ, sandbox, only_this_profile=named, **showing)
    except KiwoomTokenError as error:
        logs.error("Not started: %s", error)
        _say_why_not_started(say(error))
        return error.exit_status
    finally:
        if sandbox is not None:
            sandbox.stop()


def _mended(settings: Settings, profile: str | None, environ: Mapping[str, str]) -> Settings | None:
    """Show what is wrong with the settings and wait until it is fixed. Without a screen it is already on stderr."""
    from tray_app.desktop.display import display_problem

    if display_problem(os.environ):
        return None
    from tray_app.desktop.settings.damaged import wait_until_mended

    return wait_until_mended(settings, lambda: load_settings(profile, environ).resolved(), environ)


def _is_first_start(settings: Settings, environ: Mapping[str, str]) -> bool:
    """Return True if nothing is set up yet and somebody is there to be asked."""
    is_by_commands_alone = "account" in settings.sources  # which save it once they have issued a token
    if settings.has_own_data_dir or (os.path.exists(settings_file(environ)) and not is_by_commands_alone):
        return False
    from tray_app.desktop.display import display_problem
    from tray_app.settings.table import KEY_VARIABLES

    if any(variable(environ, name) for mode in MODES for name in KEY_VARIABLES[mode]):
        return False
    return not display_problem(environ)


def _start(
    settings: Settings,
    environ: Mapping[str, str],
    sandbox: Sandbox | None,
    *,
    only_this_profile: bool,
    background: bool,
    show: bool,
    is_new: bool,
) -> int:
    from tray_app.desktop.display import display_problem

    reason = display_problem(os.environ)
    if reason:
        logs.warning("No screen: %s", reason)
        if sys.platform == "win32" and not is_stderr_read():  # nobody would see or could end it
            _say_why_not_started(reason)
            return UNEXPECTED
        _tell(joined(reason, tr("The token is watched in this terminal. Press Ctrl+C to quit.")))
        from tray_app.cli.terminal_mark import marked_as_in_terminal
        from tray_app.cli.watch import watch_over

        with marked_as_in_terminal(environ):
            return watch_over(settings, environ)
    from tray_app.desktop.main import run_desktop
    from tray_app.desktop.qt_messages import log_qt_messages

    log_qt_messages()
    return run_desktop(
        settings,
        environ,
        sandbox=sandbox is not None,
        only_this_profile=only_this_profile,
        background=background,
        show=show,
        is_new=is_new,
    )


def _quit(options: Namespace) -> int:
    """Ask the running program to end, and wait until it has."""
    environ: Mapping[str, str] = os.environ
    if options.sandbox:
        environ = _sandbox_environ()
    else:
        use(load_settings(options.profile).language)
    from tray_app.cli.terminal_mark import is_in_terminal

    in_terminal = tr("It runs in a terminal. End it there with Ctrl+C.") if is_in_terminal(environ) else ""
    if not has_qt():
        _tell(in_terminal or tr("Qt is not installed. Install it: {command}", command=install_command("tray")))
        return UNEXPECTED
    try:
        from PySide6.QtCore import QCoreApplication

        from tray_app.desktop.single_instance import QuitResult, SingleInstance
    except ImportError as error:  # a library of the system is missing
        from tray_app.desktop.display import loading_problem

        _tell(in_terminal or loading_problem(error))
        return UNEXPECTED
    _app = QCoreApplication.instance() or QCoreApplication([])  # sockets want one
    outcome = SingleInstance(settings_scope(environ)).quit_running()
    if outcome is QuitResult.STILL_RUNNING:
        _tell(tr("The running program does not quit. Stop it with the system's task manager."))
        return UNEXPECTED
    if in_terminal and outcome is QuitResult.NOT_RUNNING:
        _tell(in_terminal)
        return UNEXPECTED
    told = tr("It has quit.") if outcome is QuitResult.ENDED else tr("It is not running.")
    if not options.sandbox and SingleInstance(settings_scope(_sandbox_environ())).is_running():
        told = joined(told, tr("The practice tray is running; --sandbox --quit ends it."))
    _tell(told)
    return DONE


def _sandbox_environ() -> Mapping[str, str]:
    from tray_app.kiwoom.sandbox.shared import sandbox_places

    return sandbox_places(sandbox_dir(os.environ))


def _open_sandbox(lifetime: float | None) -> Sandbox:
    """Return a sandbox Kiwoom, that of another program if there is one, whose tokens are valid for `lifetime`."""
    from tray_app.kiwoom.sandbox.shared import open_sandbox

    sandbox = open_sandbox(os.environ, lifetime, default_lifetime=_SANDBOX_LIFETIME_SECONDS)
    if sandbox.is_shared and lifetime is not None:
        from tray_app.service.composition import open_service

        open_service(load_settings(None, sandbox.environ), environ=sandbox.environ).refresh()
    url, folder = sandbox.base_url, sandbox.folder
    _tell(tr("Practice: a simulated Kiwoom on {url}, data in {folder}.", url=url, folder=folder))
    return sandbox


class _TrayParser(Parser):
    """Shows what it does not understand in a message box where there is no terminal."""

    def tell(self, line: str) -> None:
        _say_why_not_started(line)


def _parser() -> Parser:
    parser = _TrayParser(
        prog="kiwoom-token-tray", description=tr("Keeps one Kiwoom token valid and shows the time left.")
    )
    parser.add_version_and_verbose()
    account = parser.add_mutually_exclusive_group()  # the practice keys are those of the default account
    account.add_argument("--profile", metavar="NAME", help=tr("the account; else KIWOOM_PROFILE, or default"))
    account.add_argument(
        "--sandbox", action="store_true", help=tr("practise with a Kiwoom on this computer, without keys")
    )
    parser.add_argument(
        "--lifetime",
        type=seconds,
        metavar="S",
        help=tr("lifetime of a practice token in seconds"),
    )
    parser.add_argument(
        "--self-test",
        nargs="?",
        choices=("screen", "windows", "all"),
        const="all" if is_frozen() else "screen",
        help=tr("only say whether a window could be shown, or all parts of a package are there"),
    )
    parser.add_argument(UPDATE_HOLIDAYS_OPTION, action="store_true", help=SUPPRESS)  # for a process of our own
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--background", action="store_true", help=tr("start without showing the window"))
    start.add_argument(
        "--show", action="store_true", help=tr("show the window, of the running program if there is one")
    )
    start.add_argument(
        "-Embedding", dest="show", action="store_true", help=SUPPRESS
    )  # Windows, for a click on a notice
    start.add_argument("--quit", action="store_true", help=tr("quit the running program and wait for it"))
    return parser


def _unexpected(kind: str) -> str:
    told = tr("Something unexpected happened ({kind}).", kind=kind)
    where = tr("The log is in {folder}.", folder=log_folder())
    return joined(told, where)


def _say_why_not_started(line: str) -> None:
    """Print why the program does not start; if nobody reads standard error, show it in a message box."""
    _tell(line)
    if is_stderr_read() or show_windows_box(_TITLE, line):
        return
    from tray_app.desktop.display import display_problem

    if not display_problem(os.environ) and os.environ.get("QT_QPA_PLATFORM", "") != "offscreen":
        from PySide6.QtWidgets import QMessageBox

        from tray_app.desktop.application import create_application

        create_application()
        QMessageBox.critical(None, _TITLE, line)


def _tell(line: str) -> None:
    if sys.stderr is not None:  # a program without a console has none
        print(line, file=sys.stderr, flush=True)
