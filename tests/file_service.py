"""A real token service over a token file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.doubles import KEYS, Clock, FakeBroker
from tray_app.history.database import History
from tray_app.kiwoom.keys import AppKeys
from tray_app.service.key_binding import KeyBinding
from tray_app.service.token_service import TokenService
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ProfileLock

if TYPE_CHECKING:
    from tray_app.service.ended_tokens import EndedTokens
    from tray_app.service.protocols import TokenExports


def open_file_service(
    path: Path,
    clock: Clock,
    broker: FakeBroker,
    *,
    find_keys: Callable[[], AppKeys] = lambda: KEYS,
    exports: TokenExports | None = None,
    history: History | None = None,
    key_binding: KeyBinding | None = None,
    ended: EndedTokens | None = None,
) -> TokenService:
    """Open a service over the token file as another process would: nothing shared but the disk, other tools, Kiwoom."""
    return TokenService(
        "default",
        FileStore(str(path), ProfileLock(f"{path}.lock"), clock),
        find_keys,
        lambda: broker,
        clock,
        exports=exports,
        open_history=lambda: history,
        key_binding=key_binding,
        ended=ended,
    )
