"""What other tools on this computer still read after somebody else has changed the token: another computer through
Redis, or a program that does not know of these exports."""

from __future__ import annotations

import contextlib
import time

from tray_app.core.errors import KiwoomTokenError
from tray_app.service.renewal import ENOUGH_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.token import Token
    from tray_app.service.account_store import AccountStore
    from tray_app.service.lock_record import LockRecord
    from tray_app.service.protocols import TokenExports


class StaleExports:
    """Compare what is exported with what is stored, in `tokens`."""

    def __init__(self, tokens: AccountStore, clock: Callable[[], float] = time.time) -> None:
        self._tokens = tokens
        self._clock = clock
        self._compared: Token | None = None

    def replace(self, token: Token, exports: TokenExports | None, publish: Callable[[], object]) -> None:
        """Call `publish` if another computer may have stored `token` and a tool here reads none or another one. Raises
        nothing. Compares once for each token: what could not be exported is not tried at every use."""
        if exports is None or not self._tokens.store.announces or self._compared == token:
            return
        self._compared = token
        if not exports.hold(token):
            with contextlib.suppress(KiwoomTokenError):
                publish()

    def withdraw(
        self, exports: TokenExports | None, record: LockRecord, seen: Token | None
    ) -> tuple[KiwoomTokenError, ...]:
        """Withdraw the tokens that have ended by the `record`, and `seen`, which was stored until now, if somebody has
        cleared it. Return what went wrong. Needs the lock held, and no token stored."""
        fingerprints = set(record.gone_tokens())
        if seen is not None and self._is_cleared(seen):
            fingerprints.add(seen.value.fingerprint())
        return () if exports is None or not fingerprints else exports.withdraw(fingerprints)

    def _is_cleared(self, seen: Token) -> bool:
        """Return False where a keyring hides the token, or where another account uses this profile by now. Nor is it a
        clear when the original token manager deletes a token in its last minutes, in which bots may still use it."""
        if not seen.is_unexpired(self._clock() + ENOUGH_SECONDS):
            return False
        return self._tokens.present() == (None, None) and self._tokens.of_another() is None
