"""One Kiwoom REST API token for every tool on the machine.

`token_manager` is made at its first use; nothing heavy is imported before.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tray_app.manager.token_manager import TokenManager

    token_manager: TokenManager

__all__ = ["TokenManager", "token_manager"]


def __getattr__(name: str) -> object:
    if name == "TokenManager":
        from tray_app.manager.token_manager import TokenManager

        value: object = TokenManager
    elif name == "token_manager":
        from tray_app.manager.token_manager import TokenManager

        value = TokenManager()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value
