"""From one way of keeping a profile's token to another, after its settings changed."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.manager.keeper import TokenKeeper
    from tray_app.settings.load import Settings

_PLACE = ("store", "data_dir", "redis_url", "encryption_key_file")
_HAND_OUTS = ("share_kwcli", "share_token_file", "share_bot_file")


def is_kept_otherwise(old: Settings, new: Settings) -> bool:
    """Whether the token rests, is handed out or is asked for in another way; such settings want a new keeper."""
    return old.mode != new.mode or any(_differs(name, old, new) for name in _PLACE + _HAND_OUTS)


def rests_elsewhere(old: Settings, new: Settings) -> bool:
    return old.mode == new.mode and any(_differs(name, old, new) for name in _PLACE)


def change_over(old: TokenKeeper, new: TokenKeeper, *, carry: bool, clock: Callable[[], float] = time.time) -> None:
    """Takes back what `old` handed out, and hands out what `new` does; with `carry` the living token moves too.

    What lies in Redis stays there, because other computers use it. Raises `StoreError`; the token is then still
    in one of the two places.
    """
    token = old.current()
    if token is None:
        return
    if old.shares is not None:
        with old.store.lock:
            old.shares.withdraw(token)
    if carry and token.lives(clock()):
        if new.current() is None:
            new.put(token)
        if old.place().kind != "redis":
            with old.store.lock:
                old.store.clear()
            if new.current() is None:  # both mean the same keyring
                new.put(token)
    new.hand_out()


def _differs(name: str, old: Settings, new: Settings) -> bool:
    return bool(getattr(old, name) != getattr(new, name))
