"""The token for programs whose token provider is asynchronous, such as `kiwoom-client`'s AsyncBaseClient."""

from __future__ import annotations

from contextvars import ContextVar

from tray_app.api.background import on_a_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Tokens(Protocol):
        """What is needed of a `TokenManager`."""

        def get_valid_token(self) -> str: ...
        def refresh_token(self) -> str: ...
        def replace_refused(self, refused: str) -> str: ...


class AsyncTokens:
    """`get_valid_token` and `refresh_token` of a `TokenManager` as coroutines, under asyncio and trio.

    `manager` is by default `tray_app.token_manager`. What may wait runs on a thread.
    """

    def __init__(self, manager: Tokens | None = None) -> None:
        self._manager = manager
        self._handed: ContextVar[str] = ContextVar("handed")

    async def get_valid_token(self) -> str:
        """A living token, issued if needed. Raises like `TokenManager.ensure_token`."""
        token = await on_a_thread(lambda: self._tokens().get_valid_token())
        self._handed.set(token)
        return token

    async def refresh_token(self) -> str:
        """Another token after Kiwoom refused the one that `get_valid_token` gave this task last.

        Raises and asks Kiwoom like `TokenManager.refresh_token`.
        """
        refused = self._handed.get(None)
        token = await on_a_thread(lambda: self._other_than(refused))
        self._handed.set(token)
        return token

    def _other_than(self, refused: str | None) -> str:
        tokens = self._tokens()
        return tokens.refresh_token() if refused is None else tokens.replace_refused(refused)

    def _tokens(self) -> Tokens:
        if self._manager is None:
            import tray_app

            self._manager = tray_app.token_manager
        return self._manager
