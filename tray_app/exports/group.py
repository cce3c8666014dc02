"""All exports of a profile as one, and who else hears of its token. None can lose a token or make a command fail."""

from __future__ import annotations

from tray_app.core import logs
from tray_app.core.errors import KiwoomTokenError, StoreError
from tray_app.core.language import msg
from tray_app.core.secret import without_traceback
from tray_app.system.atomic_replace import unwritable
from tray_app.system.private_files import version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from typing import TypeVar

    from tray_app.core.token import Token
    from tray_app.exports.base import Export, Peer

    AnyPeer = TypeVar("AnyPeer", bound=Peer)


class Exports:
    """The exports that are switched on, in the order in which they are published, and then the other `peers`, from
    which no token is ever withdrawn. Raises nothing.

    What fails is logged, and returned as errors that a user can read, without a traceback, which would contain the
    token.
    """

    __slots__ = ("_all", "_peers")

    def __init__(self, exports: Sequence[Export] = (), peers: Sequence[Peer] = ()) -> None:
        self._all = tuple(exports)
        self._peers: tuple[Peer, ...] = (*exports, *peers)

    def __iter__(self) -> Iterator[Export]:
        return iter(self._all)

    def publish(self, token: Token) -> tuple[KiwoomTokenError, ...]:
        """Let the other tools and peers know of `token`; return what went wrong."""
        return _each(self._peers, lambda peer: peer.publish(token))

    def withdraw(self, fingerprints: Collection[str]) -> tuple[KiwoomTokenError, ...]:
        """Remove the tokens with these fingerprints from where the other tools read them; return what went wrong."""
        return _each(self._all, lambda export: export.withdraw(fingerprints))

    def hold(self, token: Token) -> bool:
        """Return True if every other tool reads `token`."""
        return all(export.holds(token) for export in self._all)

    def forget(self) -> tuple[bool, tuple[KiwoomTokenError, ...]]:
        """Remove whatever token is published; return whether there was one, and what went wrong."""
        there = []
        failures = _each(self._all, lambda export: there.append(export.forget()))
        return any(there), failures

    def external_token(self) -> Token | None:
        """Return the first unexpired token that somebody else has got for this account."""
        for peer in self._peers:
            token = peer.external_token()
            if token is not None:
                return token
        return None

    def rivals_of(self, token: Token) -> tuple[str, ...]:
        """Return the fingerprints of the different tokens that others have stored since `token` was issued."""
        return tuple(one for peer in self._peers for one in peer.rivals_of(token))

    def watch_paths(self) -> list[str]:
        """Return the files that tell of a token of somebody else."""
        return [path for peer in self._peers for path in peer.watch_paths()]

    def version(self) -> object:
        """Return what changes whenever one of those files does."""
        return tuple(map(version_of, self.watch_paths()))


def _each(peers: Iterable[AnyPeer], act: Callable[[AnyPeer], None]) -> tuple[KiwoomTokenError, ...]:
    """Call `act` with each peer, also after it has failed for another; return the failures."""
    failures = []
    for peer in peers:
        try:
            act(peer)
        except KiwoomTokenError as error:
            without_traceback(error)
            failures.append(error)
        except OSError as error:
            failures.append(unwritable(peer.path(), error))
        except Exception as error:  # noqa: BLE001 - whatever goes wrong here, the token is stored already
            failures.append(StoreError(msg("{path} failed ({reason})."), path=peer.path(), reason=type(error).__name__))
        else:
            continue
        logs.warning("Token not shared (%s): %s", peer.name, failures[-1])
    return tuple(failures)
