"""A program on one of several machines: takes orders on stdin, answers each with one line of JSON."""

from __future__ import annotations

import json
import sys

from tray_app import TokenManager
from tray_app.core.errors import KiwoomTokenError
from tray_app.core.secret import Secret
from tray_app.stores.change_marker import ChangeMarker
from tray_app.stores.lock import ThreadLock
from tray_app.stores.redis import RedisStore
from tray_app.stores.redis_server import RedisServer


def main() -> None:
    manager = TokenManager()
    for line in sys.stdin:
        order, *words = line.split()
        try:
            answer = _obey(manager, order, words)
        except KiwoomTokenError as error:
            answer = {"error": type(error).__name__, "text": str(error), "status": error.exit_status}
        print(json.dumps(answer), flush=True)


def _obey(manager: TokenManager, order: str, words: list[str]) -> object:
    if order == "get":
        return manager.get_token()
    if order == "set":
        return manager.set_token(words[0], 86400)
    if order == "clear":
        return manager.clear_token()
    if order == "ensure":
        return manager.ensure_token()
    if order == "refresh":
        return manager.refresh_token()
    if order == "hold":
        url, seconds = words
        store = RedisStore(
            "default", RedisServer(Secret(url)), ChangeMarker(""), ThreadLock(), lock_seconds=float(seconds)
        )
        store.lock.acquire()
        return "held"
    raise AssertionError(order)


if __name__ == "__main__":
    main()
