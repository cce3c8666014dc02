"""What happens to a token when the settings change: it moves to its new place, and its exports follow."""

from __future__ import annotations

import os
import time
from enum import Enum

from tray_app.core import logs
from tray_app.core.errors import KeyringUnavailable, KiwoomTokenError, StoreError
from tray_app.core.language import tr
from tray_app.core.profile import DEFAULT
from tray_app.service.composition import find_keys, open_exports, open_service, open_store
from tray_app.settings.load import NO_SHARES
from tray_app.settings.places import token_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tray_app.core.token import Token
    from tray_app.service.token_service import TokenService
    from tray_app.settings.load import Settings
    from tray_app.stores.base import Place, Store


class Step(Enum):
    """One step of a migration; steps are done in this order. A withdrawal has the name of the setting that shared the
    token."""

    WITHDRAW_FROM_KWCLI = "share_kwcli"
    WITHDRAW_TOKEN_FILE = "share_token_file"  # noqa: S105 - the name of a setting
    WITHDRAW_BOT_FILE = "share_bot_file"
    MOVE = "move"
    PUBLISH = "publish"


_PLACE = ("store", "data_dir", "redis_url", "encryption_key_file")
_ACCOUNT = ("mode", "account")
_OTHER_ACCOUNT = "another account"

_WHEN: dict[Step, tuple[str, ...]] = {
    Step.WITHDRAW_FROM_KWCLI: ("share_kwcli", _OTHER_ACCOUNT),
    Step.WITHDRAW_TOKEN_FILE: ("share_token_file", "data_dir", "store", _OTHER_ACCOUNT),
    Step.WITHDRAW_BOT_FILE: ("share_bot_file", _OTHER_ACCOUNT),
    Step.MOVE: _PLACE,
    Step.PUBLISH: (*_PLACE, *_ACCOUNT, *NO_SHARES),
}
"""The changes that make a step necessary. With another account nothing moves: its token is another one."""


def plan(before: Settings, after: Settings) -> tuple[Step, ...]:
    """Return what to do after the settings changed from `before`, in order; nothing while some settings are unknown."""
    if not (before.is_usable and after.is_usable):
        return ()
    changed = {name for name in (*_PLACE, *_ACCOUNT, *NO_SHARES) if getattr(before, name) != getattr(after, name)}
    if not _is_same_account(before, after):
        changed.add(_OTHER_ACCOUNT)
    steps = [step for step, causes in _WHEN.items() if not changed.isdisjoint(causes)]
    return tuple(step for step in steps if step is not Step.MOVE or _OTHER_ACCOUNT not in changed)


def needs_new_service(before: Settings, after: Settings) -> bool:
    """Return True if the token is stored, shared or requested in another way, so that another service is needed."""
    return bool(plan(before, after))


def carry_over(before: Settings, after: Settings) -> Settings:
    """Return `after` completed from `before` with every setting that a missing or damaged file no longer has.

    A typing error in an editor moves no token and changes no account.
    """
    names = [
        name
        for name in (*_ACCOUNT, *_PLACE, *NO_SHARES, "policy")
        if name not in before.unknown
        and (name in after.unknown or (name in before.sources and name not in after.sources))
    ]
    if "data_dir" not in after.sources and "data_dir" not in names and "data_dir" not in before.unknown:
        names.append("data_dir")
    return after.replace(
        **{name: getattr(before, name) for name in names},
        sources={**after.sources, **{name: before.sources[name] for name in names if name in before.sources}},
        has_own_data_dir=after.has_own_data_dir or before.has_own_data_dir,
    )


class Migrated:
    """What came of a migration.

    `place` is where a moved token is stored now, `left` where a token stays that could not be moved; both may be None.
    `elsewhere` is True if tokens are stored in another place from now on, `failures` what went wrong.
    """

    __slots__ = ("elsewhere", "failures", "left", "place")

    def __init__(self) -> None:
        self.elsewhere = False
        self.place: Place | None = None
        self.left: Place | None = None
        self.failures: list[KiwoomTokenError] = []

    def sentences(self) -> list[str]:
        """Return what became of a valid token."""
        sentences = []
        if self.place is not None:
            sentences.append(tr("The token was moved too: {place}.", place=self.place.text()))
        if self.left is not None:
            sentences.append(tr("The valid token stays where it is: {place}.", place=self.left.text()))
        return sentences

    def add(self, other: Migrated) -> None:
        """Add the result for another profile."""
        self.elsewhere |= other.elsewhere
        self.place = self.place or other.place
        self.left = self.left or other.left
        self.failures += other.failures


def migrate(
    before: Settings,
    after: Settings,
    *,
    old: TokenService | None = None,
    new: TokenService | None = None,
    environ: Mapping[str, str] = os.environ,
    clock: Callable[[], float] = time.time,
) -> Migrated:
    """Take one profile's valid token to where `after` wants it, once the settings changed from `before`.

    The token is removed from every place in which only `before` stored or shared it, and published again. A second call
    with the same settings does nothing, so every program that notices the change may call it. A program that goes on
    passes its services for the `old` and the `new` settings: only then does a token in its memory move too. What is
    stored in Redis stays there as well, because other computers use it. May wait for a disk, a lock, a keyring or
    Redis. Raises nothing.
    """
    migrated = Migrated()
    steps = plan(before, after)
    if not steps:
        return migrated
    migrated.elsewhere = _places(before) != _places(after)
    try:
        old = old or open_service(before, environ=environ, clock=clock)
        token = old.current()
        if token is not None:
            migrated.failures += _withdraw(steps, before, old, token, environ)
        if Step.MOVE in steps and token is not None and token.is_unexpired(clock()):
            if new is None and after.store == "memory":
                migrated.left = old.store.place()
            else:
                store = open_store(after, clock) if new is None else new.store
                migrated.place = _move(before, after, old.store, store, token, clock=clock)
        new = new or open_service(after, environ=environ, clock=clock)
        if new.exports is not None:
            migrated.failures += new.publish()
    except KiwoomTokenError as error:
        logs.warning("Token not moved to the new settings: %s", error)
        migrated.failures.append(error)
    return migrated


def _is_same_account(before: Settings, after: Settings) -> bool:
    """Return True if both are for one account, also if the only alias, found before, is now named in the settings."""
    is_same_alias = before.profile != DEFAULT or before.account in ("", after.account)
    return before.mode == after.mode and is_same_alias


def _withdraw(
    steps: tuple[Step, ...], before: Settings, service: TokenService, token: Token, environ: Mapping[str, str]
) -> tuple[KiwoomTokenError, ...]:
    past = {step.value for step in steps}
    if service.store.place().kind == "file":  # then .token is no copy but the token itself
        past.discard("share_token_file")
    shared = before.replace(**{name: none for name, none in NO_SHARES.items() if name not in past})
    exports = open_exports(shared, lambda: find_keys(shared, environ))
    with service.store.lock:
        return exports.withdraw({token.value.fingerprint()})


def _move(
    before: Settings, after: Settings, old: Store, new: Store, token: Token, *, clock: Callable[[], float]
) -> Place | None:
    """Write the token to the new place, then remove it from the places no longer used. Raises `StoreError`."""
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
    """Return the same place with the key in `before`, if only that key opens what is stored there; else None."""
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
    """Delete what the new store cannot read, because it would not overwrite it, and write; restore it if that fails."""
    sealed.clear()
    try:
        new.write(token)
    except StoreError:
        sealed.write(token)
        raise


def _places(settings: Settings) -> dict[str, str]:
    """Return the kinds of places in which the token may be stored, each with the place itself."""
    places = {
        "keyring": "",
        "file": token_file(settings.data_dir, settings.profile),
        "redis": "" if settings.redis_url is None else settings.redis_url.reveal(),
    }
    if settings.store == "auto":
        return {kind: places[kind] for kind in ("keyring", "file")}
    return {settings.store: places[settings.store]} if settings.store in places else {}


def _forget(before: Settings, kind: str, old: Store, token: Token, clock: Callable[[], float]) -> bool:
    """Remove the token from one old place, under the lock of everybody with the old settings."""
    part = _part(before, kind, clock)
    with old.lock:
        try:
            kept = part.read()
        except KeyringUnavailable:  # then `auto` had it in the file
            return False
        return kept is not None and kept.value == token.value and part.clear()


def _part(settings: Settings, kind: str, clock: Callable[[], float]) -> Store:
    """Return the store for one of the places of `auto`, or for the only place of any other store."""
    return open_store(settings.replace(store=kind), clock)
