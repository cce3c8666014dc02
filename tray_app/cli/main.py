"""The parser of `kiwoom-token`, and how its errors leave it: one line on stderr and an exit status."""

from __future__ import annotations

import argparse
import sys

from tray_app.core.errors import UNEXPECTED, USAGE, KiwoomTokenError
from tray_app.core.language import say, tr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

_COMMANDS_OF_TOKEN = ("get", "status", "refresh", "clear", "set", "exec")
_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        _complain(tr("{message}. See: {program} --help", message=message, program=self.prog))
        sys.exit(USAGE)


def run() -> NoReturn:
    """The program's entry point."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Runs one command and returns its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        options = _parser().parse_args(arguments)
        return _dispatch(options)
    except KiwoomTokenError as error:
        _complain(say(error))
        return error.exit_status
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return UNEXPECTED
    except Exception as error:  # noqa: BLE001 - a traceback could show a secret
        _complain(tr("Something unexpected happened ({kind}).", kind=type(error).__name__))
        return UNEXPECTED


def _dispatch(options: argparse.Namespace) -> int:
    if options.command in _COMMANDS_OF_TOKEN:
        from tray_app.cli import token

        status: int = getattr(token, f"{options.command}_")(options)
        return status
    if options.command in {"login", "logout"}:
        from tray_app.cli import account

        return account.login(options) if options.command == "login" else account.logout(options)
    if options.command == "doctor":
        from tray_app.cli.doctor import doctor

        return doctor(options.profile, as_json=options.json)
    if options.command == "profiles":
        from tray_app.cli.profiles import profiles

        return profiles()
    if options.command == "watch":
        from tray_app.cli.watch import watch

        return watch(options.profile)
    from tray_app.cli.sandbox import sandbox

    return sandbox(options.port, options.lifetime)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="kiwoom-token", description=tr("One Kiwoom token for every tool on this machine."))
    common = _Parser(add_help=False)
    for one, default in ((parser, None), (common, argparse.SUPPRESS)):
        one.add_argument(
            "--profile", default=default, metavar="NAME", help=tr("the account; else KIWOOM_PROFILE, or default")
        )
    commands = parser.add_subparsers(dest="command", metavar=tr("COMMAND"), required=True, parser_class=_Parser)

    def command(name: str, purpose: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=purpose, description=purpose, parents=[common])

    get = command("get", tr("print a living token, issuing one if needed"))
    get.add_argument("--format", choices=("raw", "json", "header", "env", "kwcli"), default="raw")
    get.add_argument("--min-remaining", type=float, metavar="S", help=tr("seconds it must still live; 300 unless told"))
    get.add_argument("--no-issue", action="store_true", help=tr("never ask Kiwoom"))

    status = command("status", tr("how long the token lives and where it lies"))
    status.add_argument("--json", action="store_true", help=tr("for programs; times carry a zone"))

    refresh = command("refresh", tr("ask Kiwoom for a token now"))
    refresh.add_argument(
        "--rotate", action="store_true", help=tr("revoke the present one first: it ends for every tool")
    )

    clear = command("clear", tr("forget the token here"))
    clear.add_argument("--revoke", action="store_true", help=tr("also revoke it at Kiwoom: it ends for every tool"))

    put = command("set", tr("store a token read from standard input"))
    end = put.add_mutually_exclusive_group(required=True)
    end.add_argument("--expires-in", metavar="S", help=tr("seconds it lives from now"))
    end.add_argument("--expires-dt", metavar="YYYYMMDDHHMMSS", help=tr("when it ends, in Korean time"))

    login = command("login", tr("keep the app key and secret in the keyring"))
    login.add_argument("--mode", choices=("real", "demo"), help=tr("real or mock trading"))
    login.add_argument("--stdin", action="store_true", help=tr("read the key and the secret as two lines"))
    login.add_argument("--no-check", action="store_true", help=tr("do not try them by issuing a token"))

    logout = command("logout", tr("forget the app key and secret"))
    logout.add_argument("--mode", choices=("real", "demo"), help=tr("real or mock trading"))

    execute = command("exec", tr("run a command with the token in its environment"))
    execute.add_argument("--format", choices=("env", "kwcli"), default="env")
    execute.add_argument("words", nargs=argparse.REMAINDER, metavar="-- CMD …")

    command("watch", tr("keep the token alive in this terminal: countdown, renewal, warnings"))

    command("profiles", tr("the accounts of this machine"))

    doctor = command("doctor", tr("what works here, what does not, and how to mend it"))
    doctor.add_argument("--json", action="store_true", help=tr("for programs"))

    sandbox = command("sandbox", tr("run a practice Kiwoom on this machine"))
    sandbox.add_argument("--port", type=int, default=0, metavar="N", help=tr("0 takes a free one"))
    sandbox.add_argument("--lifetime", type=float, default=86400, metavar="S", help=tr("seconds a token lives"))
    return parser


def _complain(sentence: str) -> None:
    if sys.stderr is not None:
        print(sentence.replace("\n", " "), file=sys.stderr)


if __name__ == "__main__":
    run()
