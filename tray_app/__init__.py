"""One Kiwoom REST API token for every tool on the machine.

`token_manager` is created when it is first imported, and reads its settings at its first use; nothing heavy is imported
before.
"""

from __future__ import annotations

from tray_app.core.language import install as _install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gettext import NullTranslations

    from tray_app.api.async_tokens import AsyncTokens
    from tray_app.api.httpx_auth import KiwoomAuth
    from tray_app.api.token_manager import TokenManager

    token_manager: TokenManager

__all__ = ["AsyncTokens", "KiwoomAuth", "TokenManager", "token_manager"]


def _detect_language() -> str:
    from tray_app.system.locale import detect_language

    return detect_language()


def _korean_catalogue() -> NullTranslations:
    from tray_app.system.locale import korean_catalogue

    return korean_catalogue()


_install(_detect_language, _korean_catalogue)


if not TYPE_CHECKING:  # a checker would take every other name for one of ours

    def __getattr__(name: str) -> object:
        value: object
        if name == "TokenManager":
            from tray_app.api.token_manager import TokenManager

            value = TokenManager
        elif name == "token_manager":
            from tray_app.api.token_manager import ModulesManager

            value = ModulesManager()
        elif name == "KiwoomAuth":
            from tray_app.api.httpx_auth import KiwoomAuth

            value = KiwoomAuth
        elif name == "AsyncTokens":
            from tray_app.api.async_tokens import AsyncTokens

            value = AsyncTokens
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return globals().setdefault(name, value)  # several threads may come at once: the first one's is for all

    def __dir__() -> list[str]:
        return [*{**globals(), **dict.fromkeys(__all__)}]
