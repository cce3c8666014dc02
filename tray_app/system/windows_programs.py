"""Windows alone: how a program is found by its name, and how its arguments reach it."""

from __future__ import annotations

import os

from tray_app.core.errors import InvalidInput
from tray_app.core.language import msg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PLAIN_FOR_CMD = frozenset("#$*+-./:?@\\_")
_UNSAFE_FOR_CMD = frozenset('"%\r\n')


def find_program(name: str, environ: Mapping[str, str]) -> str:
    """Return the path of the program that `name` means, without looking in the working folder.

    A name with a folder in it is looked for there, and returned as it is if nothing is found. Otherwise an empty text
    means that there is no such program.
    """
    suffixes = [one for one in environ.get("PATHEXT", ".COM;.EXE;.BAT;.CMD").split(";") if one]
    is_whole = any(name.lower().endswith(one.lower()) for one in suffixes)
    endings = [""] if is_whole else suffixes
    if os.path.dirname(name):
        return next((name + one for one in endings if os.path.isfile(name + one)), name)
    for folder in environ.get("PATH", "").split(os.pathsep):
        folder = folder.strip('"')  # noqa: PLW2901 - some installers quote the folder that they add
        if os.path.isabs(folder):
            for ending in endings:
                path = os.path.join(folder, name + ending)
                if os.path.isfile(path):
                    return path
    return ""


def command_for(program: str, arguments: Sequence[str]) -> str | list[str]:
    """Return what `subprocess` runs: for a batch file a command line whose arguments cmd takes as they are.

    `subprocess` quotes for programs written in C, and cmd would run what stands behind a `&`. Raises `InvalidInput` for
    an argument that no quotes protect from cmd.
    """
    if not program.rstrip(" .").lower().endswith((".bat", ".cmd")):  # Windows drops what follows
        return [program, *arguments]
    if any(not _UNSAFE_FOR_CMD.isdisjoint(one) for one in arguments):
        raise InvalidInput(
            msg('A batch file cannot be given ", % or a line break: cmd changes them. Run the program that it starts.')
        )
    return " ".join([f'"{program}"', *(one if _is_plain_for_cmd(one) else f'"{one}"' for one in arguments)])


def _is_plain_for_cmd(argument: str) -> bool:
    return bool(argument) and all(one.isalnum() or one in _PLAIN_FOR_CMD for one in argument)
