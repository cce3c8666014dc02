"""A token in the OS keyring: service `kiwoom-token-tray`, username = profile, one line of JSON."""

from __future__ import annotations

import contextlib
import os
import time
from enum import Enum, auto

from tray_app.core import logs
from tray_app.core.errors import KeyringUnavailable, StoreError
from tray_app.core.token import DamagedRecord, Token, decode, encode_zoned
from tray_app.stores.base import Place
from tray_app.stores.file import expiry_for_log
from tray_app.stores.keyring_client import USED_SUFFIX
from tray_app.system.atomic_replace import write_private
from tray_app.system.private_files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from tray_app.stores.change_marker import ChangeMarker
    from tray_app.stores.keyring_client import KeyringClient
    from tray_app.stores.lock import ThreadLock

    T = TypeVar("T")

SERVICE = "kiwoom-token-tray"
_MICROSECONDS = 1_000_000
_MAX_RECORD_BYTES = 100
_READINGS = 3
_CLOCK_TOLERANCE = 60 * _MICROSECONDS
"""An announcement further in the future than this comes from a clock that was set back since, and is ignored."""


class Announcement(Enum):
    """How a token relates to what was announced last."""

    SUPERSEDED = auto()
    """It was cleared or replaced since it was created."""

    CURRENT = auto()
    UNANNOUNCED = auto()
    """It is newer than the last announcement: a program that knows only its file has stored it."""


class KeyringStore:
    """The store of `KIWOOM_TRAY_STORE=keyring`: never plain text, an error instead.

    A `.token` is neither written nor read: whoever chose this store wants no program's plain text. `auto` is for those
    who use both.
    """

    announces = True

    def __init__(
        self,
        profile: str,
        keyring_client: KeyringClient,
        marker: ChangeMarker,
        lock: ThreadLock,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.lock = lock
        self._profile = profile
        self._keyring_client = keyring_client
        self._marker = marker
        self._clock = clock
        self._problem: KeyringUnavailable | None = None
        self._hides_token = False
        self._record_path = os.path.splitext(marker.path)[0] + USED_SUFFIX
        self.version = marker.version

    def read(self) -> Token | None:
        """Return the token. One that another program has replaced while the keyring answered is read again."""
        for _ in range(_READINGS):
            announced = self._marker.invalidated_before()
            token = self._read()
            if token is None or not self.is_superseded(token):
                return token
            if self._marker.invalidated_before() == announced:
                break
        return None

    def _read(self) -> Token | None:
        text = self._ask(lambda: self._keyring_client.get(SERVICE, self._profile))
        if text is None:
            return None
        try:
            return decode(text)
        except DamagedRecord as error:
            logs.error("Failed to parse the token in the keyring (%s)", error)
            return None

    def read_quick(self) -> Token | None:
        return None

    def read_expiring(self) -> Token | None:
        return None

    def write(self, token: Token) -> object:
        text, announced = encode_zoned(token), self._marker.invalidated_before()
        is_superseded = self.is_superseded(token)
        if is_superseded:  # made before another that was stored meanwhile: a reader would see neither
            self.announce_token(token)
        try:
            self._ask(lambda: self._keyring_client.set(SERVICE, self._profile, text))
        except BaseException:
            if is_superseded:  # what is still there may have been cleared while it could not be deleted
                self._marker.change(announced)
            raise
        self._record(token)
        version = self.announce_token(token)
        logs.info("Token saved to keyring (expires at %s)", expiry_for_log(token))
        return version

    def wants_rewriting(self) -> bool:
        return False

    def clear(self) -> bool:
        """Clear the token, and raise where the keyring does not answer; its token counts as cleared from now on all the
        same."""
        self.announce_clear()
        return self._ask(lambda: self._keyring_client.delete(SERVICE, self._profile))

    def expire_soft(self, token: Token) -> bool:
        if token.is_unexpired(self._clock()):
            return True
        if self.read() != token:
            return False
        return self.clear()

    def check(self) -> None:
        with contextlib.suppress(KeyringUnavailable):
            self._ask(self._keyring_client.check)

    def place(self) -> Place:
        return Place("keyring", problem=self._problem, hides_token=self._hides_token)

    def watch_paths(self) -> list[str]:
        return [self._marker.path]

    def is_superseded(self, token: Token) -> bool:
        """Return True if the token was cleared or replaced while its place could not be reached."""
        return self.compare(token) is Announcement.SUPERSEDED

    def compare(self, token: Token) -> Announcement:
        """Return how the token relates to the last announcement. A token or an announcement from the future comes from
        a wrong clock: such a token counts as current, and such an announcement is ignored."""
        latest = self._now() + _CLOCK_TOLERANCE
        created, invalidated_before = _created(token), self._marker.invalidated_before()
        if invalidated_before > latest:
            invalidated_before = 0
        if created > latest or created == invalidated_before:
            return Announcement.CURRENT
        return Announcement.SUPERSEDED if created < invalidated_before else Announcement.UNANNOUNCED

    def holds_unexpired(self) -> bool:
        """Return True if the keyring was given a token that is still valid, though the keyring cannot be asked now."""
        try:
            created, expires = read_regular(self._record_path, _MAX_RECORD_BYTES, follow_links=False)[0].split()
            return float(expires) > self._clock() and int(created) >= self._marker.invalidated_before()
        except (OSError, ValueError):
            return False

    @contextlib.contextmanager
    def announcing(self) -> Iterator[None]:
        self._marker.begin_change()
        try:
            yield
        finally:
            self._marker.change(self._marker.invalidated_before())

    def announce_token(self, token: Token) -> object:
        """Announce that this token is the current one; return the version of the announcement."""
        return self._marker.change(_created(token))

    def announce_clear(self) -> None:
        """Announce that every token created up to now is void."""
        self._marker.change(self._now() + 1)

    def _record(self, token: Token) -> None:
        """Remember for `holds_unexpired` which token the keyring has, without the token itself."""
        try:
            content = f"{_created(token)} {token.expires}\n".encode()
            write_private(self._record_path, content, survives_power_cut=False)
        except StoreError as error:
            logs.warning("The record of the keyring's token cannot be written: %s", error)

    def _ask(self, act: Callable[[], T]) -> T:
        try:
            answer = act()
        except KeyringUnavailable as error:
            self._problem = error.again()
            self._hides_token = error.problem in KeyringUnavailable.HIDE_TOKEN and self.holds_unexpired()
            raise
        self._problem, self._hides_token = None, False
        return answer

    def _now(self) -> int:
        return int(self._clock() * _MICROSECONDS)


def _created(token: Token) -> int:
    return int(token.created_at.timestamp() * _MICROSECONDS)
