"""The command line of `kiwoom-token`."""

from __future__ import annotations

import argparse
import sys

from tray_app.core.errors import DONE, USAGE
from tray_app.core.language import msg, tr
from tray_app.core.pasted import plain_number, unquoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_SENTENCES = {
    "usage: ": msg("usage: "),
    "argument %(argument_name)s: %(message)s": msg("argument %(argument_name)s: %(message)s"),
    "the following arguments are required: %s": msg("the following arguments are required: %s"),
    "one of the arguments %s is required": msg("one of the arguments %s is required"),
    "not allowed with argument %s": msg("not allowed with argument %s"),
    "expected one argument": msg("it takes a value"),
    "unrecognized arguments: %s": msg("too many words, or an option that does not exist%.0s"),
    "ambiguous option: %(option)s could match %(matches)s": msg("an option is incomplete; it could be %(matches)s"),
    "ignored explicit argument %r": msg("it takes no value%.0s"),
    "invalid %(type)s value: %(value)r": msg("its value cannot be used"),
    "invalid choice: %(value)r (choose from %(choices)s)": msg("it takes one of: %(choices)s"),
}
"""The messages of `argparse`, and our sentence for each. None repeats what was typed, which may be a token in the wrong
place; `%.0s` consumes it and shows nothing of it."""


class _Unfilled(str):
    """A sentence that stays as it is, whatever is filled in."""

    __slots__ = ()

    def __mod__(self, _values: object) -> str:
        return str(self)


def _sentence(message: str) -> str:
    """Return our sentence for one of `argparse`'s messages, which would use gettext and variables that Windows does not
    have. A message of a later Python that is not in the table might repeat what was typed."""
    if message in _SENTENCES or "%" not in message:
        return tr(_SENTENCES.get(message, message))
    return message if "%(heading)s" in message else _Unfilled(tr("The command line cannot be understood"))


setattr(argparse, "_", _sentence)  # noqa: B010 - a name that its type stubs do not have


class _Version(argparse.Action):
    """`--version`, which is looked up when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from tray_app.system.version import program_version

        print(parser.prog, program_version())
        parser.exit(DONE)


class _SelfTest(argparse.Action):
    """`--self-test`, whose modules are loaded when it is asked for."""

    def __call__(self, *_: object) -> NoReturn:
        from tray_app.cli.self_test import self_test

        sys.exit(self_test())


class Parser(argparse.ArgumentParser):
    """Says in one line what it does not understand, without repeating it, and exits with the status for usage
    errors."""

    def __init__(self, *, add_help: bool = True, **options: Any) -> None:
        super().__init__(add_help=False, **options)
        self._positionals.title, self._optionals.title = tr("arguments"), tr("options")
        if add_help:
            self.add_argument("-h", "--help", action="help", help=tr("show this help"))

    def error(self, message: str) -> NoReturn:
        self.tell(tr("{message}. See: {program} --help", message=message, program=self.prog).replace("\n", " "))
        sys.exit(USAGE)

    def exit(self, status: int = DONE, message: str | None = None) -> NoReturn:
        """End the program after help or version. Raises `OSError` when these cannot be written, as any other output."""
        if message and sys.stderr is not None:
            sys.stderr.write(message)
        if sys.stdout is not None:
            sys.stdout.flush()
        sys.exit(status)

    def print_help(self, file: Any = None) -> None:
        """Print the help; `argparse` itself passes over what cannot be written."""
        output = sys.stdout if file is None else file
        if output is not None:
            output.write(self.format_help())

    def tell(self, line: str) -> None:
        """Show why the program does not start."""
        if sys.stderr is not None:
            print(line, file=sys.stderr)

    def add_version_and_verbose(self) -> None:
        self.add_argument("--version", action=_Version, nargs=0, help=tr("print the version"))
        self.add_argument("--verbose", action="store_true", help=tr("log to standard error as well"))


class _ConfigParser(Parser):
    """Takes a word such as `-10m` for a value, whose setting says what is wrong with it, and for no option."""

    def _parse_optional(self, arg_string: str) -> Any:
        is_value = arg_string.startswith("-") and not arg_string.startswith("--") and arg_string != "-h"
        return None if is_value else super()._parse_optional(arg_string)


def command_parser() -> Parser:
    """Return the parser of all commands."""
    parser = Parser(prog="kiwoom-token", description=tr("One Kiwoom token for every tool on this machine."))
    common = Parser(add_help=False)
    for one, default in ((parser, None), (common, argparse.SUPPRESS)):
        one.add_argument(
            "--profile",
            type=unquoted,
            default=default,
            metavar="NAME",
            help=tr("the account; else KIWOOM_PROFILE, or default"),
        )
    parser.add_argument(
        "--sandbox", action="store_true", help=tr("use the practice Kiwoom of this computer, without keys")
    )
    parser.add_version_and_verbose()
    common.add_argument(
        "--verbose", action="store_true", default=argparse.SUPPRESS, help=tr("log to standard error as well")
    )
    parser.add_argument(
        "--self-test", action=_SelfTest, nargs=0, help=tr("check that all parts of a package are there")
    )
    commands = parser.add_subparsers(dest="command", metavar=tr("COMMAND"), required=True, parser_class=Parser)

    def command(name: str, purpose: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=purpose, description=purpose, parents=[common])

    get = command("get", tr("print a valid token, issuing one if needed"))
    get.add_argument("--format", type=_word, choices=("raw", "json", "header", "env", "kwcli"), default="raw")
    get.add_argument(
        "--min-remaining", type=seconds, metavar="S", help=tr("ask Kiwoom if fewer seconds are left (default 300)")
    )
    get.add_argument("--no-issue", action="store_true", help=tr("never ask Kiwoom for a new one"))
    get.add_argument(
        "--refused", action="store_true", help=tr("the token on standard input was refused (8005): check it first")
    )

    status = command("status", tr("how long the token is valid and where it is stored"))
    status.add_argument("--json", action="store_true", help=tr("for programs; times carry a zone"))

    refresh = command("refresh", tr("ask Kiwoom for a token now"))
    refresh.add_argument(
        "--rotate", action="store_true", help=tr("revoke the current one first: it stops working for every tool")
    )

    refresh.add_argument(
        "--at",
        type=_time_of_day,
        metavar="HH:MM",
        help=tr("with --rotate: once at that time in Korea, by the tray or watch; off drops the plan"),
    )

    command("verify", tr("ask Kiwoom whether the token works"))

    clear = command("clear", tr("remove the token from this computer"))
    clear.add_argument(
        "--revoke", action="store_true", help=tr("also revoke it at Kiwoom: it stops working for every tool")
    )
    clear.add_argument("--all", action="store_true", help=tr("the tokens of all profiles"))

    put = command("set", tr("store a token read from standard input"))
    end = put.add_mutually_exclusive_group(required=True)
    end.add_argument("--expires-in", metavar="S", help=tr("seconds from now until it expires"))
    end.add_argument("--expires-dt", metavar="YYYYMMDDHHMMSS", help=tr("when it expires, in Korean time"))

    login = command("login", tr("store the app key and secret in the keyring"))
    login.add_argument("--mode", type=_word, choices=("real", "demo"), help=tr("real or mock trading"))
    source = login.add_mutually_exclusive_group()
    source.add_argument(
        "--from",
        dest="files",
        nargs="+",
        metavar="FILE",
        help=tr("take them from the portal's *_appkey.txt and *_secretkey.txt, or from a .env"),
    )
    source.add_argument("--stdin", action="store_true", help=tr("read the key and the secret as two lines"))
    login.add_argument("--no-check", action="store_true", help=tr("do not check them by issuing a token"))

    logout = command("logout", tr("remove the app key and secret"))
    logout.add_argument("--mode", type=_word, choices=("real", "demo"), help=tr("real or mock trading"))

    execute = command("exec", tr("run a command with the token in its environment"))
    execute.add_argument("--format", type=_word, choices=("env", "kwcli"), default="env")
    execute.add_argument("words", nargs=argparse.REMAINDER, metavar="-- CMD …")

    command("watch", tr("keep the token valid from this terminal: countdown, renewal, warnings"))

    command("profiles", tr("the accounts of this machine"))

    history = command("history", tr("what happened to the token: issued, failed, removed"))
    history.add_argument("--days", type=_days, default=7, metavar="N", help=tr("days to go back, 1 to 90 (default 7)"))
    form = history.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help=tr("for a spreadsheet; in Korean time"))
    form.add_argument("--json", action="store_true", help=tr("for programs; times carry a zone"))

    _add_config(command("config", tr("show or change the settings")), common)

    doctor = command("doctor", tr("what works here, what does not, and how to fix it"))
    doctor.add_argument("--json", action="store_true", help=tr("for programs"))
    doctor.add_argument(
        "--report", metavar="FILE", help=tr("also write a zip file for a bug report, without any token or key")
    )
    doctor.add_argument(
        "--look-in",
        action="append",
        default=[],
        metavar="FOLDER",
        help=tr("also look there for app keys and tokens of other programs; nothing is run, printed or changed"),
    )

    sandbox = command("sandbox", tr("run a practice Kiwoom on this machine"))
    sandbox.add_argument("--port", type=_port, default=0, metavar="N", help=tr("0 takes a free one"))
    sandbox.add_argument(
        "--lifetime", type=seconds, default=86400, metavar="S", help=tr("lifetime of a token in seconds")
    )
    return parser


def _add_config(config: argparse.ArgumentParser, common: Parser) -> None:
    config.add_argument("--json", action="store_true", help=tr("for programs"))
    takes_values: type[Parser] = _ConfigParser
    actions = config.add_subparsers(dest="action", metavar=tr("ACTION"), parser_class=takes_values)
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


def _word(text: str) -> str:
    """Return a known word as settings and the environment take it: letter case, quotes and blanks do not matter."""
    return unquoted(text).lower()


def seconds(text: str) -> float:
    """Return a number of seconds, 0 or more. Raises `ArgumentTypeError`."""
    try:
        value = plain_number(unquoted(text))
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(tr("it takes a number of seconds"))
    return value


def _port(text: str) -> int:
    text = unquoted(text)
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError(tr("it takes a number from 0 to 65535"))
    return int(text)


def _time_of_day(text: str) -> int | str:
    """Return minutes after midnight, or `off`. Raises `ArgumentTypeError`."""
    text = _word(text)
    if text == "off":
        return text
    from tray_app.settings.kinds import time_of_day

    minutes = time_of_day(text)
    if minutes is None:
        raise argparse.ArgumentTypeError(tr("it takes a time such as 06:30, or off"))
    return minutes


def _days(text: str) -> int:
    text = unquoted(text)
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= 90):
        raise argparse.ArgumentTypeError(tr("it takes a whole number from 1 to 90"))
    return int(text)
