"""What may stand in the place of a file."""

from __future__ import annotations

import os
import socket
from pathlib import Path

OBSTACLES = ["folder", "pipe", "socket", "device"]


def put_obstacle(kind: str, path: Path) -> None:
    """Put one of `OBSTACLES` at the path, whose folder is made if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            here = os.open(".", os.O_RDONLY)
            os.chdir(path.parent)  # a socket's path must be short
            server.bind(path.name)
            os.fchdir(here)
            os.close(here)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        raise AssertionError(kind)
