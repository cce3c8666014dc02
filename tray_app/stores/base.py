"""What every store can do, and where it says its token is."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Protocol

    from tray_app.core.errors import KeyringUnavailable, RedisUnavailable
    from tray_app.core.token import Token
    from tray_app.stores.lock import ThreadLock

    class Store(Protocol):
        """One profile's token. Methods raise `StoreError`; `write`, `clear` and `expire_soft` need the lock held."""

        lock: ThreadLock
        announces: bool
        """Whether `announcing` changes the `version`. Where it does not, readers watch the lock's record as well."""

        def announcing(self) -> AbstractContextManager[object]:
            """Make every reader look again at what is written meanwhile: the lock's record says something else about
            the token. Should this program be killed before the end, readers look each time. Raises nothing."""

        def version(self) -> object:
            """Return a value that differs from an earlier one whenever the token may have changed since. Cheap."""

        def read(self) -> Token | None:
            """Return the token that the seed's API may see, expired or not."""

        def read_quick(self) -> Token | None:
            """Return the token as far as it can be read without asking a keyring or a network."""

        def read_expiring(self) -> Token | None:
            """Return a token that `expire_soft` has hidden from the seed's API, if it has not expired yet."""

        def write(self, token: Token) -> object:
            """Store the token in place of any other; return the version of just this write."""

        def wants_rewriting(self) -> bool:
            """Return True if the stored token should be written again although it is the same: it is not encrypted with
            the present first key, or in a file although the keyring is back."""

        def clear(self) -> bool:
            """Forget the token everywhere; return True if there was one."""

        def expire_soft(self, token: Token) -> bool:
            """Hide `token`, which has less than five minutes left, if it is still the stored one: the seed's rule.

            Until it expires `read_expiring` still returns it, so nobody has to ask the broker for it again.
            """

        def is_superseded(self, token: Token) -> bool:
            """Return True if the token was cleared or replaced while the store could not be reached. Asks no keyring
            and no network."""

        def check(self) -> None:
            """Find out if the preferred place can be used, so that `place` says why it is not."""

        def place(self) -> Place:
            """Return where the token is stored, as far as is known without asking anything slow."""

        def watch_paths(self) -> list[str]:
            """Return the files whose change may mean a change of the token."""


def never_superseded(_store: object, _token: Token) -> bool:
    """Return False: such a store can always be read, or nobody else knows what has changed in it."""
    return False


class Place:
    """Where a token is stored: `kind` (`keyring`, `file`, `redis`, `memory`) and `path`, a file's or a Redis address.

    `problem` is why it is not the keyring, or why Redis cannot be used at present. `hides_token` tells that the keyring
    was given a token which should still be valid, and does not show it.
    """

    __slots__ = ("hides_token", "kind", "path", "problem")

    def __init__(
        self,
        kind: str,
        path: str = "",
        problem: KeyringUnavailable | RedisUnavailable | None = None,
        *,
        hides_token: bool = False,
    ) -> None:
        self.kind = kind
        self.path = path
        self.problem = problem
        self.hides_token = hides_token

    @property
    def problem_code(self) -> str:
        """The code of the problem, for `tray_app.core.wording`; empty for none."""
        return self.problem.problem if self.problem else ""

    def text(self) -> str:
        """Return the place in words, and what is wrong there."""
        from tray_app.core.wording import place_text

        return place_text(self.kind, self.path, self.problem_code)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Place({self.kind!r}, {self.path!r}, problem={self.problem and self.problem.problem!r})"

    def _key(self) -> tuple[str, str, str]:
        return (self.kind, self.path, self.problem_code)
