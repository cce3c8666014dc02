"""The mark of a tray program that has no screen and watches over the token in a terminal: a lock, held while it runs.

`kiwoom-token-tray --quit` finds it: such a program listens to no socket.
"""

from __future__ import annotations

import contextlib
import os
import time

from tray_app.core.lean import text_digest
from tray_app.settings.places import settings_scope, state_dir
from tray_app.system.file_lock import try_lock
from tray_app.system.private_files import open_private
from tray_app.system.private_folders import make_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_TRIES = 5
_PAUSE_SECONDS = 0.02


@contextlib.contextmanager
def marked_as_in_terminal(environ: Mapping[str, str]) -> Iterator[None]:
    """Hold the mark, as far as there is a place for it."""
    path = _path(environ)
    descriptor = -1
    try:
        with contextlib.suppress(OSError):
            make_folder(os.path.dirname(path))
            descriptor = open_private(path)
            for _ in range(_TRIES):  # `is_in_terminal` holds it for a moment
                if try_lock(descriptor):
                    break
                time.sleep(_PAUSE_SECONDS)
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def is_in_terminal(environ: Mapping[str, str]) -> bool:
    """Return True if a program with the same settings holds the mark."""
    path = _path(environ)
    if not os.path.exists(path):
        return False
    try:
        descriptor = open_private(path)
    except OSError:
        return False
    try:
        return not try_lock(descriptor)
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _path(environ: Mapping[str, str]) -> str:
    scope = text_digest(settings_scope(environ))[:16]
    return os.path.join(state_dir(), f"terminal-{scope}.lock")
