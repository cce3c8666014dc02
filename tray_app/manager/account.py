"""Whose token it is: nothing of one account may reach another."""

from __future__ import annotations

from tray_app.core.errors import KiwoomTokenError
from tray_app.core.profile import DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tray_app.core.token import Token
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.settings.load import Settings

_FINGERPRINT_DIGITS = 16


class Account:
    """The mode and keys of one profile, as a token's `issued_for` names them.

    Keys in the environment are compared at every look, because another program may be started with others. Those
    in the keyring are not: asking it each time would cost more than the token; whoever changes them says so.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ

    def issued_for(self, keys: AppKeys) -> str:
        """What a token issued with these keys is bound to."""
        return f"{self._settings.mode}:{keys.fingerprint()[:_FINGERPRINT_DIGITS]}"

    def owns(self, token: Token) -> bool:
        """False for a token that is known to be of another mode or other keys."""
        if not token.issued_for:
            return True
        mode, _, fingerprint = token.issued_for.partition(":")
        keys = self._keys_of_environment()
        ours = keys is None or keys.fingerprint()[:_FINGERPRINT_DIGITS] == fingerprint
        return mode == self._settings.mode and ours

    def _keys_of_environment(self) -> AppKeys | None:
        if self._settings.profile != DEFAULT:
            return None
        from tray_app.kiwoom.keys import keys_of_environment

        try:
            return keys_of_environment(self._settings.mode, self._environ)
        except KiwoomTokenError:  # told when they are needed
            return None
