"""The token for programs that need an asynchronous token provider, such as `kiwoom-client`'s AsyncBaseClient."""

from __future__ import annotations

from tray_app.api.background import on_a_thread
from tray_app.api.last_returned import last_returned, remember_returned
from tray_app.core.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Tokens(Protocol):
        """The part of a `TokenManager` that `AsyncTokens` needs."""

        def get_valid_token(self) -> str: ...
        def refresh_token(self) -> str: ...
        def replace_refused(self, refused: str) -> str: ...


class AsyncTokens:
    """`get_valid_token` and `refresh_token` of a `TokenManager` as coroutines, under asyncio and trio.

    `manager` is `tray_app.token_manager` by default. Calls that may wait run on a thread.
    """

    def __init__(self, manager: Tokens | None = None) -> None:
        self._manager = manager

    async def get_valid_token(self) -> str:
        """Return an unexpired token, issued if needed. Raises like `TokenManager.ensure_token`."""
        token = await on_a_thread(lambda: Secret(self._tokens().get_valid_token()))
        remember_returned(self, token)
        return token.reveal()

    async def refresh_token(self) -> str:
        """Return another token after Kiwoom refused the one that `get_valid_token` last returned to this task.

        Raises and asks Kiwoom like `TokenManager.refresh_token`.
        """
        refused = last_returned(self)
        token = await on_a_thread(lambda: self._other_than(refused))
        remember_returned(self, token)
        return token.reveal()

    def __reduce__(self) -> tuple[type[AsyncTokens], tuple[Tokens | None]]:
        """Copy and pickle the manager alone, without the token that was returned last."""
        return type(self), (self._manager,)

    def _other_than(self, refused: Secret | None) -> Secret:
        tokens = self._tokens()
        return Secret(tokens.refresh_token() if refused is None else tokens.replace_refused(refused.reveal()))

    def _tokens(self) -> Tokens:
        if self._manager is None:
            import tray_app

            self._manager = tray_app.token_manager
        return self._manager
