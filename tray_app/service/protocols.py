"""What the service needs of Kiwoom and of the places where other tools read the token. For type checkers alone: nothing
imports this module at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

    from tray_app.core.errors import KiwoomTokenError
    from tray_app.core.secret import Secret
    from tray_app.core.token import Token
    from tray_app.kiwoom.keys import AppKeys


class IssuedToken(Protocol):
    @property
    def token(self) -> Token: ...
    @property
    def skew_seconds(self) -> float | None: ...


class Liveness(Protocol):
    """`value` is `alive` or `dead`."""

    @property
    def value(self) -> str: ...


class TokenBroker(Protocol):
    """Kiwoom, as far as this program needs it; each call raises `BrokerError`."""

    def preload(self) -> None:
        """Begin to load what a request needs. Returns at once, raises nothing."""

    def issue(self, keys: AppKeys) -> IssuedToken: ...
    def revoke(self, keys: AppKeys, value: Secret) -> None: ...
    def verify(self, token: Secret) -> Liveness: ...


class TokenExports(Protocol):
    """Where other tools read the token, and who else may get one. Nothing here raises: failures are returned as
    errors."""

    def publish(self, token: Token) -> tuple[KiwoomTokenError, ...]: ...
    def withdraw(self, fingerprints: Collection[str]) -> tuple[KiwoomTokenError, ...]:
        """Remove the tokens with these fingerprints."""

    def hold(self, token: Token) -> bool:
        """Return True if every other tool reads `token`."""

    def forget(self) -> tuple[bool, tuple[KiwoomTokenError, ...]]:
        """Remove whatever is published, because it is not known which token it is; return whether there was one."""

    def external_token(self) -> Token | None:
        """Return an unexpired token of the same keys that somebody else has got."""

    def rivals_of(self, token: Token, /) -> tuple[str, ...]:
        """Return the fingerprints of the different tokens that others have stored since `token` was issued. Asks no
        keyring."""

    def watch_paths(self) -> list[str]:
        """Return the files that tell of a token of somebody else. Asks no keyring."""

    def version(self) -> object:
        """Return what changes whenever one of those files does. Cheap."""
