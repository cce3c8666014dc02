"""One sandbox Kiwoom for every program of this user that practises: whoever comes first serves it."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING

from tray_app.core.errors import StoreError
from tray_app.kiwoom.sandbox.server import (
    DEFAULT_LIFETIME_SECONDS,
    SANDBOX_APP_KEY,
    SANDBOX_APP_SECRET,
    SandboxKiwoom,
)
from tray_app.settings.places import sandbox_dir
from tray_app.system.atomic_replace import delete_private, write_private
from tray_app.system.private_files import read_private

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERVER_FILE = "server.json"
_TOKEN_FILE = ".token"  # noqa: S105 - a file's name
_MAX_BYTES = 4096
_ANSWER_SECONDS = 2.0


class Sandbox:
    """A sandbox Kiwoom to use: that of another program, or one of this process until `stop`.

    `environ` is the environment for it, in which nothing of the user's is touched; `base_url` and `folder` are where
    it answers and stores. `is_shared` tells that another program serves it.
    """

    def __init__(self, base_url: str, folder: str, server: SandboxKiwoom | None) -> None:
        self.base_url = base_url
        self.folder = folder
        self.is_shared = server is None
        self._server = server
        self.environ = {
            **sandbox_places(folder),
            "KIWOOM_TRAY_STORE": "file",
            "KIWOOM_TRAY_BASE_URL": base_url,
            "KIWOOM_MODE": "demo",
            "APP_KEY_MOCK": SANDBOX_APP_KEY,
            "APP_SECRET_MOCK": SANDBOX_APP_SECRET,
        }

    def stop(self) -> None:
        """Stop serving, if this process does."""
        if self._server is not None:
            with contextlib.suppress(StoreError):
                if _recorded_url(self.folder) == self.base_url:
                    delete_private(os.path.join(self.folder, _SERVER_FILE))
            self._server.stop()


def sandbox_places(folder: str) -> dict[str, str]:
    """Return the variables that keep everything of the sandbox in its folder."""
    return {"KIWOOM_TRAY_DATA_DIR": folder, "KIWOOM_TRAY_CONFIG_DIR": folder, "KIWOOM_TRAY_STATE_DIR": folder}


def open_sandbox(
    environ: Mapping[str, str] = os.environ,
    lifetime: float | None = None,
    *,
    default_lifetime: float = DEFAULT_LIFETIME_SECONDS,
) -> Sandbox:
    """Return the practice Kiwoom that is running, or start one in this process.

    Tokens are valid for `lifetime` seconds, if given: also where the Kiwoom was there before, whose tokens end then.
    A token that is left from one that has gone is deleted. Raises `InvalidInput` for a lifetime that cannot be used.
    """
    folder = sandbox_dir(environ)
    url = _recorded_url(folder)
    if url and _ask(url, "GET", "/practice/requests"):
        if lifetime is not None:
            _ask(url, "PUT", "/practice/lifetime", {"seconds": lifetime})
            _ask(url, "POST", "/practice/end")
        return Sandbox(url, folder, None)
    server = SandboxKiwoom(lifetime=default_lifetime if lifetime is None else lifetime)
    server.start()
    with contextlib.suppress(StoreError):  # then it is not shared, and the token is found dead
        delete_private(os.path.join(folder, _TOKEN_FILE))
        write_private(os.path.join(folder, _SERVER_FILE), json.dumps({"url": server.base_url}).encode())
    return Sandbox(server.base_url, folder, server)


def _recorded_url(folder: str) -> str:
    """Return where the last practice Kiwoom answered, or an empty text."""
    try:
        found = read_private(os.path.join(folder, _SERVER_FILE), _MAX_BYTES)
        url = json.loads(found[0])["url"] if found else ""
    except (StoreError, ValueError, KeyError, TypeError):
        return ""
    return url if isinstance(url, str) and url.startswith("http://127.0.0.1:") else ""


def _ask(url: str, method: str, path: str, fields: Mapping[str, object] | None = None) -> bool:
    """Return whether a practice Kiwoom at `url` does as it is told."""
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(url.removeprefix("http://"), timeout=_ANSWER_SECONDS)
    try:
        body = None if fields is None else json.dumps(fields)
        connection.request(method, path, body, {"content-type": "application/json"})
        answer = connection.getresponse()
        return answer.status == 200 and isinstance(json.loads(answer.read()), dict)
    except (OSError, HTTPException, ValueError):
        return False
    finally:
        connection.close()
