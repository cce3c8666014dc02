"""The tokens that other stores of this user have of the same keys: another folder, another profile, the keyring.

Each store has a lock and a record of its own, so two of them ask Kiwoom by turns; and where an issue ends the token
before it, they would end each other's all day. So each writes down in one file which token it got last. Another store
doubts an older token of its own from then on, and takes the newer one over instead of issuing one more.
"""

from __future__ import annotations

import os
import time

from tray_app.core import logs
from tray_app.core.errors import KiwoomTokenError
from tray_app.core.lean import load_json
from tray_app.core.secret import Secret
from tray_app.core.token import DamagedRecord, decode
from tray_app.system.atomic_replace import append_bounded
from tray_app.system.private_files import read_private, version_of
from tray_app.system.user_folders import real_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tray_app.core.token import Token
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.stores.base import Place
    from tray_app.stores.encryption import Cipher

FILE = "issued-tokens"
_MAX_BYTES = 65536
_KEPT = 64
_STORED = frozenset({"file", "keyring"})
"""Places in which another program of this user can look."""


class OtherStores:
    """The file at `path`, for the store of `profile` whose place `find_place` returns: a `Peer` of the exports.

    `find_keys` and `issued_for` tell whose tokens are meant, and may ask a keyring; that happens only when there is a
    token of another store. `address` is the base URL in the place of Kiwoom's own: a token issued there is none here.
    """

    name = FILE

    def __init__(
        self,
        path: str,
        profile: str,
        find_place: Callable[[], Place],
        *,
        find_keys: Callable[[], AppKeys],
        issued_for: Callable[[AppKeys], str],
        clock: Callable[[], float] = time.time,
        cipher: Cipher | None = None,
        address: str = "",
    ) -> None:
        self._path = path
        self._address = f"@{Secret(address).fingerprint()}" if address else ""
        self._profile = profile
        self._find_place = find_place
        self._find_keys = find_keys
        self._issued_for = issued_for
        self._clock = clock
        self._cipher = cipher
        self._read: tuple[object, dict[str, dict[str, Any]]] = (object(), {})

    def path(self) -> str:
        return self._path

    def publish(self, token: Token) -> None:
        """Write down that this store has got the token. Nothing is written where only this program can see it."""
        place = self._place()
        name = token.value.fingerprint()
        last = self._last().get(self._owner(token.issued_for), {})
        if place[0] not in _STORED or not _names_keys(token.issued_for) or last.get("token") == name:
            return
        import json

        line = {
            "for": self._owner(token.issued_for),
            "token": name,
            "at": token.created_at.timestamp(),
            "expires": token.expires,
            "place": place,
        }

        def encoded(lines: list[dict[str, Any]]) -> bytes:
            return "".join(f"{json.dumps(one)}\n" for one in lines).encode()

        kept = [*self._last().values()][-_KEPT:]
        append_bounded(self._path, encoded([line]), limit=_MAX_BYTES, shortened=lambda: encoded(kept))

    def rivals_of(self, token: Token) -> tuple[str, ...]:
        last = self._last_of_another(token.issued_for)
        is_newer = last is not None and last["at"] > token.created_at.timestamp()
        return (last["token"],) if last is not None and is_newer and last["token"] != token.value.fingerprint() else ()

    def watch_paths(self) -> list[str]:
        return [self._path]

    def external_token(self) -> Token | None:
        if not any(self._is_anothers(one) for one in self._last().values()):
            return None
        try:
            issued_for = self._issued_for(self._find_keys())
            last = self._last_of_another(issued_for)
            token = None if last is None else self._look(*last["place"])
        except (KiwoomTokenError, DamagedRecord) as error:
            logs.warning("The token of another store is not used (%s)", type(error).__name__)
            return None
        if token is None or last is None or token.issued_for != issued_for or not token.is_unexpired(self._clock()):
            return None
        return token if token.value.fingerprint() == last["token"] else None

    def _look(self, kind: str, where: str) -> Token | None:
        """Read another store, and leave it as it is."""
        if kind == "file":
            from tray_app.stores.file import FileStore
            from tray_app.stores.lock import ThreadLock

            return FileStore(where, ThreadLock(), self._clock, cipher=self._cipher).peek()
        from tray_app.stores.keyring import SERVICE
        from tray_app.stores.keyring_client import shared_keyring_client

        text = shared_keyring_client().get(SERVICE, where)
        return None if text is None else decode(text)

    def _last_of_another(self, issued_for: str) -> dict[str, Any] | None:
        last = self._last().get(self._owner(issued_for))
        return last if last is not None and self._is_anothers(last) else None

    def _owner(self, issued_for: str) -> str:
        """Return under which name a token is written down: whose it is, and at which address it was issued."""
        return issued_for + self._address

    def _is_anothers(self, one: dict[str, Any]) -> bool:
        return bool(one["expires"] > self._clock() and one["place"] != self._place())

    def _place(self) -> list[str]:
        place = self._find_place()
        return [place.kind, real_path(place.path) if place.kind == "file" else self._profile]

    def _last(self) -> dict[str, dict[str, Any]]:
        """Return what was written down last for each `issued_for` and address, the latest last."""
        version = version_of(self._path)
        if version != self._read[0]:
            self._read = version, self._parse()
        return self._read[1]

    def _parse(self) -> dict[str, dict[str, Any]]:
        try:
            found = read_private(self._path, _MAX_BYTES)
        except KiwoomTokenError:
            return {}
        last: dict[str, dict[str, Any]] = {}
        for line in (found[0] if found else b"").splitlines():
            one = _checked(line)
            if one is not None:
                last.pop(one["for"], None)
                last[one["for"]] = one
        return last


def _names_keys(issued_for: str) -> bool:
    return bool(issued_for.partition(":")[2])


def _checked(line: bytes) -> dict[str, Any] | None:
    """Return a line's fields, or None for one that this program does not write."""
    try:
        one: dict[str, Any] = load_json(line)
        texts = [one["for"], one["token"], *one["place"]]
        times = [one["at"], one["expires"]]
        os.fsencode("".join(texts))  # what no name of a file can be
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    is_right = (
        len(texts) == 4
        and isinstance(one["place"], list)
        and all(isinstance(text, str) and "\0" not in text for text in texts)
        and all(isinstance(at, float) for at in times)
        and one["place"][0] in _STORED
    )
    return one if is_right else None
