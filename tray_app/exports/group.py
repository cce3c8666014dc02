"""All exports of a profile as one. None of them can lose a token or make a command fail."""

from __future__ import annotations

from tray_app.core import logs
from tray_app.core.errors import KiwoomTokenError, StoreError
from tray_app.core.language import msg
from tray_app.core.secret import without_traceback
from tray_app.system.private_files import version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tray_app.core.token import Token
    from tray_app.exports.base import Export


class Exports:
    """The exports that are switched on, in the order in which they are published. Raises nothing.

    What fails is logged, and returned as errors that a user can read, without a traceback, which would contain the
    token.
    """

    __slots__ = ("_all",)

    def __init__(self, exports: Sequence[Export] = ()) -> None:
        self._all = tuple(exports)

    def __iter__(self) -> Iterator[Export]:
        return iter(self._all)

    def publish(self, token: Token) -> tuple[KiwoomTokenError, ...]:
        """Let the other tools read `token`; return what went wrong."""
        return self._each(lambda export: export.publish(token))

    def withdraw(self, token: Token) -> tuple[KiwoomTokenError, ...]:
        """Remove `token` from where the other tools read it; return what went wrong."""
        return self._each(lambda export: export.withdraw(token))

    def forget(self) -> tuple[bool, tuple[KiwoomTokenError, ...]]:
        """Remove whatever token is published; return whether there was one, and what went wrong."""
        there = []
        failures = self._each(lambda export: there.append(export.forget()))
        return any(there), failures

    def external_token(self) -> Token | None:
        """Return the first unexpired token that another tool has issued for this account."""
        for export in self._all:
            token = export.external_token()
            if token is not None:
                return token
        return None

    def rivals_of(self, token: Token) -> tuple[str, ...]:
        """Return the fingerprints of the different tokens that other tools have stored since `token` was issued."""
        return tuple(one for export in self._all for one in export.rivals_of(token))

    def watch_paths(self) -> list[str]:
        """Return the files in which other tools may store a token of their own."""
        return [path for export in self._all for path in export.watch_paths()]

    def version(self) -> object:
        """Return what changes whenever one of those files does."""
        return tuple(map(version_of, self.watch_paths()))

    def _each(self, act: Callable[[Export], None]) -> tuple[KiwoomTokenError, ...]:
        failures = []
        for export in self._all:
            try:
                act(export)
            except KiwoomTokenError as error:
                without_traceback(error)
                failures.append(error)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong here, the token is stored already
                failures.append(
                    StoreError(msg("{path} failed ({reason})."), path=export.path(), reason=type(error).__name__)
                )
            else:
                continue
            logs.warning("Token not shared (%s): %s", export.setting, failures[-1])
        return tuple(failures)
