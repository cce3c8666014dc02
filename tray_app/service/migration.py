"""What has to happen to the token when the settings change: it moves along, and hand-outs end and begin."""

from __future__ import annotations

import os
import time
from copy import copy

from tray_app.core import logs
from tray_app.core.errors import KeyringUnavailable, KiwoomTokenError, StoreError
from tray_app.core.profile import DEFAULT
from tray_app.service.composition import find_keys, open_service, open_store
from tray_app.settings.places import token_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tray_app.core.token import Token
    from tray_app.service.token_service import TokenService
    from tray_app.settings.load import Settings
    from tray_app.stores.base import Place, Store

_PLACE = ("store", "data_dir", "redis_url", "encryption_key_file")
_ACCOUNT = ("mode", "account")
_HAND_OUTS = {
    "share_kwcli": ("share_kwcli",),
    "share_token_file": ("share_token_file", "data_dir", "store"),
    "share_bot_file": ("share_bot_file",),
}


class Migrated:
    """What came of it: `place` where a token that moved rests now, or `left` where one stays behind that could not
    be moved; else both are None. `elsewhere` tells that it rests in another place from now on, `failures` what went
    wrong.
    """

    __slots__ = ("elsewhere", "failures", "left", "place")

    def __init__(self) -> None:
        self.elsewhere = False
        self.place: Place | None = None
        self.left: Place | None = None
        self.failures: list[KiwoomTokenError] = []

    def add(self, other: Migrated) -> None:
        """What came of it for another profile."""
        self.elsewhere |= other.elsewhere
        self.place = self.place or other.place
        self.left = self.left or other.left
        self.failures += other.failures


def is_kept_otherwise(before: Settings, after: Settings) -> bool:
    """Whether the token rests, is handed out or is asked for in another way; such settings want a new keeper."""
    return _differ(before, after, (*_ACCOUNT, *_PLACE, *_HAND_OUTS))


def hold(before: Settings, after: Settings) -> None:
    """Lets `after` say again what only a file that is gone or damaged says no longer: a slip of the hand in an editor
    moves no token.
    """
    for name in (*_ACCOUNT, *_PLACE, *_HAND_OUTS):
        if name in before.sources and name not in after.sources:
            setattr(after, name, getattr(before, name))
            after.sources[name] = before.sources[name]
    after.has_own_data_dir |= before.has_own_data_dir
    if "data_dir" not in after.sources:
        after.data_dir = before.data_dir


def migrate(
    before: Settings,
    after: Settings,
    *,
    old: TokenService | None = None,
    new: TokenService | None = None,
    environ: Mapping[str, str] = os.environ,
    clock: Callable[[], float] = time.time,
) -> Migrated:
    """Brings one profile's living token to where `after` wants it, once the settings changed from `before`.

    It is taken out of every place in which only `before` kept or shared it, and handed out anew. A second call
    with the same settings finds nothing to do, so whoever notices the change may call it. A program that goes on
    hands in its keepers over the `old` and the `new` settings: a token comes out of its memory, and into it, only
    so. What lies in Redis stays there as well, because other computers use it. May wait for a disk, a lock, a
    keyring or Redis. Raises nothing.
    """
    migrated = Migrated()
    if not is_kept_otherwise(before, after):
        return migrated
    stays = _is_same_account(before, after)
    moves = stays and _differ(before, after, _PLACE)
    migrated.elsewhere = _places(before) != _places(after)
    old = old or open_service(before, environ=environ, clock=clock)
    try:
        token = old.current()
        if token is not None:
            changed = [one for one, parts in _HAND_OUTS.items() if not stays or _differ(before, after, parts)]
            past = _only_shared(before, changed)
            if old.place().kind == "file":  # then .token is no copy but the token itself
                past.share_token_file = False
            migrated.failures += _withdraw(past, old, token, environ)
        if moves and token is not None and token.lives(clock()):
            if new is None and after.store == "memory":
                migrated.left = old.place()
            else:
                store = open_store(after, clock) if new is None else new.store
                migrated.place = _move(before, after, old.store, store, token, clock=clock)
        new = new or open_service(after, environ=environ, clock=clock)
        if new.exports is not None:
            migrated.failures += new.publish()
    except KiwoomTokenError as error:
        logs.warning("Token did not follow the settings: %s", error)
        migrated.failures.append(error)
    return migrated


def _is_same_account(before: Settings, after: Settings) -> bool:
    """Also when the one that was found, because it was the only one, is now kept by its name."""
    is_same_alias = before.profile != DEFAULT or before.account in ("", after.account)
    return before.mode == after.mode and is_same_alias


def _differ(before: Settings, after: Settings, names: Iterable[str]) -> bool:
    return any(getattr(before, name) != getattr(after, name) for name in names)


def _only_shared(settings: Settings, names: list[str]) -> Settings:
    """The same settings with no other shares than these."""
    past = copy(settings)
    for name in _HAND_OUTS:
        if name not in names:
            setattr(past, name, "" if name == "share_bot_file" else False)
    return past


def _withdraw(
    past: Settings, service: TokenService, token: Token, environ: Mapping[str, str]
) -> tuple[KiwoomTokenError, ...]:
    from tray_app.service.composition import open_exports

    exports = open_exports(past, lambda: find_keys(past, environ))
    with service.store.lock:
        return exports.withdraw(token)


def _move(
    before: Settings, after: Settings, old: Store, new: Store, token: Token, *, clock: Callable[[], float]
) -> Place | None:
    """First into the new place, then out of the places that are none any more. Raises `StoreError`."""
    with new.lock:
        try:
            present = new.read()
        except StoreError:
            sealed = _sealed_for(before, after, token, clock)
            if sealed is None:
                raise
            _write_plainly(sealed, new, token)
            return new.place()
        keeps_its_own = present is not None and present != token and present.expires >= token.expires
        moved = not keeps_its_own and (present != token or before.encryption_key_file != after.encryption_key_file)
        if moved:
            new.write(token)
    for kind, path in _places(before).items():
        if kind != "redis" and _places(after).get(kind) != path:
            moved |= _forget(before, kind, old, token, clock)
    return new.place() if moved and not keeps_its_own else None


def _sealed_for(before: Settings, after: Settings, token: Token, clock: Callable[[], float]) -> Store | None:
    """The same place as `before` sees it, if only `before` has the key to what lies there."""
    if before.encryption_key_file == after.encryption_key_file:
        return None
    for kind, path in _places(before).items():
        if kind != "keyring" and _places(after).get(kind) == path:
            sealed = _part(before, kind, clock)
            kept = sealed.read()
            if kept is not None and kept.value == token.value:
                return sealed
    return None


def _write_plainly(sealed: Store, new: Store, token: Token) -> None:
    """No store writes over what it cannot read, so that goes first; it comes back when the write fails."""
    sealed.clear()
    try:
        new.write(token)
    except StoreError:
        sealed.write(token)
        raise


def _places(settings: Settings) -> dict[str, str]:
    """The kinds of places in which the token may rest, and which one of the kind."""
    places = {
        "keyring": "",
        "file": token_file(settings.data_dir, settings.profile),
        "redis": "" if settings.redis_url is None else settings.redis_url.reveal(),
    }
    if settings.store == "auto":
        return {kind: places[kind] for kind in ("keyring", "file")}
    return {settings.store: places[settings.store]} if settings.store in places else {}


def _forget(before: Settings, kind: str, old: Store, token: Token, clock: Callable[[], float]) -> bool:
    """Under the lock that everybody with the old settings takes, whichever of their places it is."""
    part = _part(before, kind, clock)
    with old.lock:
        try:
            kept = part.read()
        except KeyringUnavailable:  # then `auto` had it in the file
            return False
        return kept is not None and kept.value == token.value and part.clear()


def _part(settings: Settings, kind: str, clock: Callable[[], float]) -> Store:
    """One of the places between which the store `auto` chooses, or the only one of any other."""
    alone = copy(settings)
    alone.store = kind
    return open_store(alone, clock)
