"""The small files by which macOS and Linux start programs at login."""

from __future__ import annotations

import contextlib
import os

from tray_app.core.errors import AutostartFailed
from tray_app.core.language import msg


def read(path: str) -> bytes | None:
    """None when it is not there. Raises `AutostartFailed`."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AutostartFailed(
            msg("{path} cannot be read ({reason}). Mend or remove it, then try again."),
            path=path,
            reason=error.strerror or type(error).__name__,
        ) from None


def replace(path: str, content: bytes) -> None:
    """Whole or not at all. Raises `AutostartFailed`."""
    new = f"{path}.{os.getpid()}.new"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        try:
            with open(new, "wb") as file:
                file.write(content)
            os.replace(new, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(new)
            raise
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
        msg("Starting at login cannot be changed in {path} ({reason}). Mend its permissions, then try again."),
        path=path,
        reason=error.strerror or type(error).__name__,
    )
