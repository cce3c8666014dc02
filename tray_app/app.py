"""`kiwoom-token-tray`: the only place that wires everything together."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from tray_app.cli.parser import Parser
from tray_app.core.errors import DONE, UNEXPECTED, KiwoomTokenError
from tray_app.core.language import say, tr, use
from tray_app.settings.load import load_settings
from tray_app.settings.places import sandbox_dir, settings_file, settings_scope
from tray_app.settings.save import save_setting, settle_data_dir
from tray_app.settings.table import MODES
from tray_app.system.process import exit_now
from tray_app.system.signals import stop_signals

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence
    from types import FrameType

    from tray_app.kiwoom.sandbox import SandboxKiwoom
    from tray_app.settings.load import Settings

_SANDBOX_LIFETIME_SECONDS = 660.0
"""A newcomer sees the first warning after a minute and the first renewal after eleven."""


def run() -> NoReturn:
    """The program's entry point."""
    for one in stop_signals():
        signal.signal(one, _stop)
    try:
        status = main(sys.argv[1:])
    except KeyboardInterrupt:
        status = DONE
    _leave(status)


def _leave(status: int) -> NoReturn:
    """Ends the process, once Qt is loaded without Python's own way of ending: that takes Qt's objects away while
    threads still have some (seen as a segmentation fault in one of sixty ends)."""
    if "PySide6.QtCore" not in sys.modules:
        sys.exit(status)
    from tray_app.history.database import flush_history

    flush_history()
    exit_now(status)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """Until there is an event loop, which has its own way. An exception would come up in the middle of Qt's loading."""
    os._exit(DONE)


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    sandbox: SandboxKiwoom | None = None
    if options.self_test:
        from tray_app.desktop.display import display_problem

        reason = display_problem(os.environ)
        print(reason)
        return UNEXPECTED if reason else DONE
    try:
        environ: Mapping[str, str] = os.environ
        if options.quit:
            return _quit(options)
        if options.sandbox:
            sandbox, environ = _sandbox(options.lifetime)
        settings = load_settings(options.profile, environ)
        use(settings.language)
        for problem in settings.problems:
            _tell(say(problem))
        if not options.background and _is_first_start(settings, environ):
            from tray_app.desktop.setup.first_run import FirstRun, set_up

            chosen = set_up(settings, environ)
            if chosen is FirstRun.QUIT:
                return DONE
            if chosen is FirstRun.SANDBOX:
                sandbox, environ = _sandbox(options.lifetime)
                save_setting("language", settings.language, environ=environ)
            settings = load_settings(None if sandbox else options.profile, environ)
        settle_data_dir(settings, environ)
        named = options.profile is not None or bool(environ.get("KIWOOM_PROFILE"))
        looks = options.show or (sandbox is not None and not options.background)  # who practises came to look
        showing = {"background": options.background, "show": looks}
        return _start(settings, environ, sandbox, only_this_profile=named, **showing)
    except KiwoomTokenError as error:
        _tell(say(error))
        return error.exit_status
    finally:
        if sandbox is not None:
            sandbox.stop()


def _is_first_start(settings: Settings, environ: Mapping[str, str]) -> bool:
    """Whether nobody has set anything up yet, and there is somebody to ask."""
    is_by_commands_alone = "account" in settings.sources  # which keep it once they have issued a token
    if settings.has_own_data_dir or (os.path.exists(settings_file(environ)) and not is_by_commands_alone):
        return False
    from tray_app.desktop.display import display_problem
    from tray_app.kiwoom.keys import environment_names

    if any(environ.get(name) for mode in MODES for name in environment_names(mode)):
        return False
    return not display_problem(environ)


def _start(
    settings: Settings,
    environ: Mapping[str, str],
    sandbox: SandboxKiwoom | None,
    *,
    only_this_profile: bool,
    background: bool,
    show: bool,
) -> int:
    from tray_app.desktop.display import display_problem

    reason = display_problem(os.environ)
    if reason:
        _tell(tr("{reason} The token is watched in this terminal instead. Press Ctrl+C to quit.", reason=reason))
        from tray_app.cli.watch import watch_over
        from tray_app.service.composition import open_service

        return watch_over(settings, open_service(settings, environ=environ))
    from tray_app.desktop.main import run_desktop

    return run_desktop(
        settings,
        environ,
        sandbox=sandbox is not None,
        only_this_profile=only_this_profile,
        background=background,
        show=show,
    )


def _quit(options: Namespace) -> int:
    """Asks the one that runs to end, and waits until it has."""
    environ: Mapping[str, str] = os.environ
    if options.sandbox:
        environ = _sandbox_places()
    else:
        use(load_settings(options.profile).language)
    from PySide6.QtCore import QCoreApplication

    from tray_app.desktop.single_instance import QuitResult, SingleInstance

    _app = QCoreApplication.instance() or QCoreApplication([])  # sockets want one
    outcome = SingleInstance(settings_scope(environ)).quit_running()
    if outcome is QuitResult.STILL_RUNNING:
        _tell(tr("The running program does not quit. Stop it with the system's task manager."))
        return UNEXPECTED
    _tell(tr("It has quit.") if outcome is QuitResult.ENDED else tr("It is not running."))
    return DONE


def _sandbox(lifetime: float) -> tuple[SandboxKiwoom, dict[str, str]]:
    """A practice Kiwoom in this process, and an environment in which nothing of the user's is touched."""
    from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom

    places = _sandbox_places()
    folder = places["KIWOOM_TRAY_DATA_DIR"]
    sandbox = SandboxKiwoom(lifetime=lifetime)
    sandbox.start()
    environ = {
        **places,
        "KIWOOM_TRAY_STORE": "file",
        "KIWOOM_TRAY_BASE_URL": sandbox.base_url,
        "KIWOOM_MODE": "demo",
        "APP_KEY_MOCK": SANDBOX_APP_KEY,
        "APP_SECRET_MOCK": SANDBOX_APP_SECRET,
    }
    _tell(tr("Practice: a Kiwoom of its own on {url}, data in {folder}.", url=sandbox.base_url, folder=folder))
    return sandbox, environ


def _sandbox_places() -> dict[str, str]:
    folder = sandbox_dir(os.environ)
    return {"KIWOOM_TRAY_DATA_DIR": folder, "KIWOOM_TRAY_CONFIG_DIR": folder}


def _parser() -> Parser:
    parser = Parser(prog="kiwoom-token-tray", description=tr("Keeps one Kiwoom token valid and shows the time left."))
    account = parser.add_mutually_exclusive_group()  # the practice keys are those of the default account
    account.add_argument("--profile", metavar="NAME", help=tr("the account; else KIWOOM_PROFILE, or default"))
    account.add_argument(
        "--sandbox", action="store_true", help=tr("practise with a Kiwoom on this computer, without keys")
    )
    parser.add_argument(
        "--lifetime",
        type=float,
        default=_SANDBOX_LIFETIME_SECONDS,
        metavar="S",
        help=tr("lifetime of a practice token in seconds"),
    )
    parser.add_argument("--self-test", action="store_true", help=tr("only say whether a window could be shown"))
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--background", action="store_true", help=tr("start without showing the window"))
    start.add_argument(
        "--show", action="store_true", help=tr("show the window, of the running program if there is one")
    )
    start.add_argument("--quit", action="store_true", help=tr("quit the running program and wait for it"))
    return parser


def _tell(line: str) -> None:
    if sys.stderr is not None:  # a program without a console has none
        print(line, file=sys.stderr, flush=True)
