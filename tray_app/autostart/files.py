"""The small files by which macOS and Linux start programs at login."""

from __future__ import annotations

import os

from tray_app.core.errors import AutostartFailed
from tray_app.core.language import msg
from tray_app.system.atomic_replace import replace_file
from tray_app.system.private_files import read_regular, reason_of
from tray_app.system.private_folders import make_folder

_MAX_BYTES = 1_000_000
_MODE = 0o644
"""0644: the file contains no secret, and the desktop's own programs read it."""


def read(path: str) -> bytes | None:
    """Return the file's content, or None when it does not exist. Raises `AutostartFailed`."""
    try:
        return read_regular(path, _MAX_BYTES)[0]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AutostartFailed(
            msg("{path} cannot be read ({reason}). Correct or remove it, then try again."),
            path=path,
            reason=reason_of(error),
        ) from None


def replace(path: str, content: bytes) -> None:
    """Replace the file whole or not at all. Raises `AutostartFailed`."""
    try:
        make_folder(os.path.dirname(path))
        replace_file(path, content, mode=_MODE)
    except OSError as error:
        raise _unwritable(path, error) from None


def remove(path: str) -> None:
    """Delete the file, if it exists. Raises `AutostartFailed`."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: str, error: OSError) -> AutostartFailed:
    return AutostartFailed(
        msg("Starting at login cannot be changed in {path} ({reason}). Correct its permissions, then try again."),
        path=path,
        reason=reason_of(error),
    )
