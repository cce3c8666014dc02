"""The changes in Redis, as a version that can be compared without the network.

A daemon thread listens to the server. While it is connected, the version changes with every change of the token; while
it is not, the version changes once a second, so that whoever compares versions reads again instead of trusting an old
value. While the server is known to be away a read is useless: the version changes when it goes and when it is back.
"""

from __future__ import annotations

import os
import random
import threading
import time
import weakref

from tray_app.core.errors import RedisUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tray_app.stores.change_marker import ChangeMarker
    from tray_app.stores.redis_server import RedisServer

UNSURE_SECONDS = 1.0
"""How often a token is read again while changes may go unnoticed."""

_AWAY = -1
HEARTBEAT_SECONDS = 1.0
SILENCE_SECONDS = 3.0
_FIRST_PAUSE_SECONDS = 0.1
_LAST_PAUSE_SECONDS = 2.0


class RedisChanges:
    """The changes of one profile's token.

    The server counts changes and publishes the count. `epoch` counts what makes every earlier count meaningless here: a
    new subscription, a failed read. The local change `marker` is changed as well, for those who watch files.
    """

    def __init__(self, server: RedisServer, channel: str, marker: ChangeMarker) -> None:
        self._server = server
        self._channel = channel
        self._marker = marker
        self._epoch = 0
        self.forget_parent()
        _all.add(self)

    def forget_parent(self) -> None:
        """Start anew in a forked child, where the parent's thread does not exist."""
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._epoch += 1
        self._now = (self._epoch, 0)
        self._is_connected = False
        self._sure = False

    def version(self) -> object:
        """Return the present version. The first call starts the listening thread."""
        if self._is_connected and self._sure:
            return self._now
        if self._thread is None:
            self._start()
        if self._server.problem is not None:
            return (*self._now, _AWAY)
        return (*self._now, int(time.monotonic() / UNSURE_SECONDS))

    @property
    def is_sure(self) -> bool:
        """True if the last read succeeded."""
        return self._sure

    def on_update(self, count: int) -> object:
        """Take note of change number `count`; return its version."""
        with self._guard:
            if count < self._now[1]:  # the server lost its data, or this comes late: no version may come twice
                self._epoch += 1
            self._now = (self._epoch, count)
            return self._now

    def doubt(self) -> None:
        """Take note that a read failed, so that nobody knows what changed. A repeated failure changes nothing."""
        with self._guard:
            if self._sure:
                self._sure = False
                self._begin_epoch()

    def trust(self) -> None:
        """Take note that a read succeeded."""
        self._sure = True

    def tell(self) -> None:
        """Wake whoever watches the local file."""
        self._marker.change(0)

    def _begin_epoch(self) -> None:
        self._epoch += 1
        self._now = (self._epoch, self._now[1])

    def _start(self) -> None:
        with self._guard:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=_listen,
                    args=(weakref.ref(self), self._server, self._channel),
                    name="redis-changes",
                    daemon=True,
                )
                try:
                    self._thread.start()
                except RuntimeError:  # the limit is reached, or the program is ending: it is read once a second
                    self._thread = None

    def set_connected(self, is_connected: bool) -> None:
        """Record whether the thread is connected. Changes in between went unnoticed, so one read is due either way."""
        with self._guard:
            if self._is_connected == is_connected:
                return
            self._begin_epoch()
            self._is_connected = is_connected
        self.tell()


def _listen(changes: weakref.ref[RedisChanges], server: RedisServer, channel: str) -> None:
    pause = _FIRST_PAUSE_SECONDS
    while changes() is not None:
        began = time.monotonic()
        try:
            _receive(changes, server.client().pubsub(), channel)
        except Exception as error:  # noqa: BLE001 - a server can fail in any way, and this thread has to outlive it
            if isinstance(error, RedisUnavailable) and error.problem == RedisUnavailable.NO_PACKAGE:
                return
        alive = changes()
        if alive is None:
            return
        alive.set_connected(False)
        del alive
        if time.monotonic() - began > _LAST_PAUSE_SECONDS:
            pause = _FIRST_PAUSE_SECONDS
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - only spreads the load
        pause = min(pause * 2, _LAST_PAUSE_SECONDS)


def _receive(changes: weakref.ref[RedisChanges], pubsub: Any, channel: str) -> None:
    """Listen until nobody needs the changes any more or the server has been silent too long; else raise."""
    try:
        pubsub.subscribe(channel)
        received_at = pinged_at = time.monotonic()
        while True:
            message = pubsub.get_message(timeout=HEARTBEAT_SECONDS)
            alive, now = changes(), time.monotonic()
            if alive is None or (message is None and now - received_at > SILENCE_SECONDS):
                return
            if message is not None:
                received_at = now
                if message["type"] == "subscribe":
                    alive.set_connected(True)
                elif message["type"] == "message":
                    alive.on_update(count_of(message["data"]))
                    alive.tell()
            del alive
            if now - max(received_at, pinged_at) >= HEARTBEAT_SECONDS:
                pubsub.ping()
                pinged_at = now
    finally:
        pubsub.close()


def count_of(data: object) -> int:
    """Return the count in a message. What is no count, as when Redis has lost its data, is a change, too."""
    try:
        return int(data)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError):
        return -1


_all: weakref.WeakSet[RedisChanges] = weakref.WeakSet()


def _after_fork() -> None:
    for changes in list(_all):
        changes.forget_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
