"""All shares of a profile as one: none of them can lose a token or fail a command."""

from __future__ import annotations

from tray_app.core import logs
from tray_app.core.errors import KiwoomTokenError, StoreError
from tray_app.core.language import msg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tray_app.core.token import Token
    from tray_app.exports.base import Share


class Shares:
    """The shares that are switched on, in the order in which they are served. Raises nothing.

    What fails is logged, and handed back as errors that a user can read.
    """

    __slots__ = ("_all",)

    def __init__(self, shares: Sequence[Share] = ()) -> None:
        self._all = tuple(shares)

    def __iter__(self) -> Iterator[Share]:
        return iter(self._all)

    def publish(self, token: Token) -> tuple[KiwoomTokenError, ...]:
        return self._each(lambda share: share.publish(token))

    def withdraw(self, token: Token) -> tuple[KiwoomTokenError, ...]:
        return self._each(lambda share: share.withdraw(token))

    def forget(self) -> tuple[bool, tuple[KiwoomTokenError, ...]]:
        """Takes away whatever lies there; tells whether there was anything."""
        there = []
        failures = self._each(lambda share: there.append(share.forget()))
        return any(there), failures

    def offered(self) -> Token | None:
        """The first living token that another tool has issued for this account."""
        for share in self._all:
            token = share.offered()
            if token is not None:
                return token
        return None

    def _each(self, act: Callable[[Share], None]) -> tuple[KiwoomTokenError, ...]:
        failures = []
        for share in self._all:
            try:
                act(share)
            except KiwoomTokenError as error:
                failures.append(error)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong here, the token is already safe
                failures.append(
                    StoreError(msg("{path} failed ({reason})."), path=share.path(), reason=type(error).__name__)
                )
            else:
                continue
            logs.warning("Token not shared (%s): %s", share.setting, failures[-1])
        return tuple(failures)
