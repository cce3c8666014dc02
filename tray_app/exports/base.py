"""What an export can do: a place from which another tool reads this token, and may store one of its own."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Protocol

    from tray_app.core.token import Token

    class Peer(Protocol):
        """Somebody who hears of this token, and may get another one of the same keys. `publish` needs the profile's
        lock and raises `KiwoomTokenError`."""

        name: str
        """What the log calls it."""

        def path(self) -> str:
            """Return the file, as far as it is known without asking a keyring."""

        def publish(self, token: Token) -> None:
            """Let the peer know of `token`. Writes nothing if that is there already."""

        def rivals_of(self, token: Token, /) -> tuple[str, ...]:
            """Return the fingerprints of the different unexpired tokens that the peer has stored since `token` was
            issued. Raises nothing and asks no keyring."""

        def watch_paths(self) -> list[str]:
            """Return the files in which `rivals_of` looks. Asks no keyring."""

        def external_token(self) -> Token | None:
            """Return an unexpired token of this account that the peer has got by itself. Raises nothing."""

    class Export(Peer, Protocol):
        """A place from which another tool reads the token. `name` is the setting that switches it on; `withdraw` and
        `forget` need the profile's lock and raise `KiwoomTokenError`."""

        def withdraw(self, fingerprints: Collection[str]) -> None:
            """Remove the token from there if it has one of these fingerprints. Any other token stays."""

        def forget(self) -> bool:
            """Remove whatever token of this account is there, because it is not known which one that is; return True if
            there was one.
            """

        def holds(self, token: Token) -> bool:
            """Return True if the other tool reads `token` there now. Raises nothing."""

        def check(self) -> None:
            """Raise `KiwoomTokenError` if a token could not be published there; change nothing."""
