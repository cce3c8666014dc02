"""What a place can do in which another tool reads this token."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from tray_app.core.secret import Secret
    from tray_app.core.token import Token

    class Export(Protocol):
        """One place. `publish`, `withdraw` and `forget` want the profile's lock held and raise `KiwoomTokenError`."""

        setting: str
        """The name of the setting that switches it on."""

        def path(self) -> str:
            """The file, as far as is known without asking a keyring."""

        def publish(self, token: Token) -> None:
            """Lets the other tool read `token`. Writes nothing where it stands already."""

        def withdraw(self, token: Token) -> None:
            """Takes `token` away from there. What is not `token` stays."""

        def forget(self) -> bool:
            """Takes away whatever token of this account lies there, where nobody can tell which one it is; tells
            whether there was one.
            """

        def holds(self, token: Token) -> bool:
            """Whether the other tool reads `token` there now. Raises nothing."""

        def check(self) -> None:
            """Raises `KiwoomTokenError` for what would keep a token from being shared there; changes nothing."""

        def rival_of(self, token: Token, /) -> Secret | None:
            """Return a different unexpired token that the other tool has stored there since `token` was issued, or
            None. Raises nothing and asks no keyring."""

        def external_token(self) -> Token | None:
            """A living token of this account that the other tool has issued by itself. Raises nothing."""
