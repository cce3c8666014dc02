"""The words that `kiwoom-token` understands."""

from __future__ import annotations

import argparse
import sys

from tray_app.core.errors import USAGE
from tray_app.core.language import msg, tr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_OF_ARGPARSE = (
    msg("usage: "),
    msg("argument %(argument_name)s: %(message)s"),
    msg("the following arguments are required: %s"),
    msg("one of the arguments %s is required"),
    msg("not allowed with argument %s"),
    msg("unrecognized arguments: %s"),
    msg("ambiguous option: %(option)s could match %(matches)s"),
    msg("ignored explicit argument %r"),
    msg("expected one argument"),
    msg("invalid %(type)s value: %(value)r"),
    msg("invalid choice: %(value)r (choose from %(choices)s)"),
)
"""What `argparse` may say of the words below, for the catalogue."""

# `argparse` asks gettext, which goes by variables that Windows does not have.
setattr(argparse, "_", tr)  # noqa: B010 - a name that its type does not tell of


class Parser(argparse.ArgumentParser):
    """Says in one line what it does not understand, and ends with the status for that. Its own words are ours."""

    def __init__(self, *, add_help: bool = True, **options: Any) -> None:
        super().__init__(add_help=False, **options)
        self._positionals.title, self._optionals.title = tr("arguments"), tr("options")
        if add_help:
            self.add_argument("-h", "--help", action="help", help=tr("show this help"))

    def error(self, message: str) -> NoReturn:
        from tray_app.core.redaction import redact

        message = redact(message)  # it repeats what was typed, which may be a token in the wrong place
        if sys.stderr is not None:
            line = tr("{message}. See: {program} --help", message=message, program=self.prog)
            print(line.replace("\n", " "), file=sys.stderr)
        sys.exit(USAGE)


def command_parser() -> Parser:
    """The parser of all commands."""
    parser = Parser(prog="kiwoom-token", description=tr("One Kiwoom token for every tool on this machine."))
    common = Parser(add_help=False)
    for one, default in ((parser, None), (common, argparse.SUPPRESS)):
        one.add_argument(
            "--profile", default=default, metavar="NAME", help=tr("the account; else KIWOOM_PROFILE, or default")
        )
    commands = parser.add_subparsers(dest="command", metavar=tr("COMMAND"), required=True, parser_class=Parser)

    def command(name: str, purpose: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=purpose, description=purpose, parents=[common])

    get = command("get", tr("print a valid token, issuing one if needed"))
    get.add_argument("--format", choices=("raw", "json", "header", "env", "kwcli"), default="raw")
    get.add_argument(
        "--min-remaining", type=_seconds, metavar="S", help=tr("seconds it must still be valid (default 300)")
    )
    get.add_argument("--no-issue", action="store_true", help=tr("never ask Kiwoom"))

    status = command("status", tr("how long the token is valid and where it is stored"))
    status.add_argument("--json", action="store_true", help=tr("for programs; times carry a zone"))

    refresh = command("refresh", tr("ask Kiwoom for a token now"))
    refresh.add_argument(
        "--rotate", action="store_true", help=tr("revoke the current one first: it stops working for every tool")
    )

    clear = command("clear", tr("remove the token from this computer"))
    clear.add_argument(
        "--revoke", action="store_true", help=tr("also revoke it at Kiwoom: it stops working for every tool")
    )

    put = command("set", tr("store a token read from standard input"))
    end = put.add_mutually_exclusive_group(required=True)
    end.add_argument("--expires-in", metavar="S", help=tr("seconds from now until it expires"))
    end.add_argument("--expires-dt", metavar="YYYYMMDDHHMMSS", help=tr("when it expires, in Korean time"))

    login = command("login", tr("store the app key and secret in the keyring"))
    login.add_argument("--mode", choices=("real", "demo"), help=tr("real or mock trading"))
    login.add_argument("--stdin", action="store_true", help=tr("read the key and the secret as two lines"))
    login.add_argument("--no-check", action="store_true", help=tr("do not check them by issuing a token"))

    logout = command("logout", tr("remove the app key and secret"))
    logout.add_argument("--mode", choices=("real", "demo"), help=tr("real or mock trading"))

    execute = command("exec", tr("run a command with the token in its environment"))
    execute.add_argument("--format", choices=("env", "kwcli"), default="env")
    execute.add_argument("words", nargs=argparse.REMAINDER, metavar="-- CMD …")

    command("watch", tr("keep the token valid from this terminal: countdown, renewal, warnings"))

    command("profiles", tr("the accounts of this machine"))

    history = command("history", tr("what happened to the token: issued, failed, removed"))
    history.add_argument("--days", type=_days, default=7, metavar="N", help=tr("days to go back, 1 to 90 (default 7)"))
    form = history.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help=tr("for a spreadsheet; times carry a zone"))
    form.add_argument("--json", action="store_true", help=tr("for programs; times carry a zone"))

    _add_config(command("config", tr("show or change the settings")), common)

    doctor = command("doctor", tr("what works here, what does not, and how to fix it"))
    doctor.add_argument("--json", action="store_true", help=tr("for programs"))

    sandbox = command("sandbox", tr("run a practice Kiwoom on this machine"))
    sandbox.add_argument("--port", type=int, default=0, metavar="N", help=tr("0 takes a free one"))
    sandbox.add_argument(
        "--lifetime", type=float, default=86400, metavar="S", help=tr("lifetime of a token in seconds")
    )
    return parser


def _add_config(config: argparse.ArgumentParser, common: Parser) -> None:
    config.add_argument("--json", action="store_true", help=tr("for programs"))
    actions = config.add_subparsers(dest="action", metavar=tr("ACTION"), parser_class=Parser)
    config.set_defaults(action="list")

    def action(name: str, purpose: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=purpose, description=purpose, parents=[common])

    listing = action("list", tr("every setting, its value and where that comes from"))
    listing.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=tr("for programs"))
    action("get", tr("one value")).add_argument("name", metavar=tr("SETTING"))
    keep = action("set", tr("change a value"))
    keep.add_argument("name", metavar=tr("SETTING"))
    keep.add_argument("value", nargs="+", metavar=tr("VALUE"))
    action("unset", tr("back to the default")).add_argument("name", metavar=tr("SETTING"))
    action("path", tr("where the file is"))


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(tr("it takes a number of seconds"))
    return value


def _days(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value <= 90:
        raise argparse.ArgumentTypeError(tr("it takes a whole number from 1 to 90"))
    return value
