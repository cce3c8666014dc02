"""What every store can do, and what it says about itself."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from tray_app.core.errors import KeyringUnavailable, RedisUnavailable
    from tray_app.core.token import Token
    from tray_app.stores.lock import ThreadLock

    class Store(Protocol):
        """One profile's token. Methods raise `StoreError`; `write`, `clear` and `retire` want the lock held."""

        lock: ThreadLock

        def version(self) -> object:
            """Cheap; differs from an earlier one whenever the token may have changed since."""

        def read(self) -> Token | None:
            """What the seed's API may see, living or not."""

        def read_quick(self) -> Token | None:
            """What can be read now without asking a keyring or a network."""

        def read_expiring(self) -> Token | None:
            """A token that `retire` took away from the seed's API and that may still live."""

        def write(self, token: Token) -> object:
            """Keeps the token in the place of any other. Returns the stamp of just this write."""

        def wants_rewriting(self) -> bool:
            """Whether the stored token should be written again although it is the same: it is not encrypted with what
            is the first key by now."""

        def clear(self) -> bool:
            """Forgets the token everywhere; tells whether there was one."""

        def expire_soft(self, token: Token) -> bool:
            """The seed's rule: takes away `token`, which has no five minutes left, if it is still the stored one.

            While it lives, `read_ending` still finds it, so nobody has to ask the broker for it again.
            """

        def check(self) -> None:
            """Asks the place that it should rest in whether it can be used, so that `place` tells why it is not."""

        def place(self) -> Place:
            """Where the token rests, as far as is known without asking anything slow."""

        def watch_paths(self) -> list[str]:
            """The files whose change may mean a change of the token."""


class Place:
    """Where a token rests: `kind` (`keyring`, `file`, `redis`, `memory`) and `path`, a file's or a Redis address.

    `problem` is why it is not the keyring, or why Redis cannot be used at present.
    """

    __slots__ = ("kind", "path", "problem")

    def __init__(self, kind: str, path: str = "", problem: KeyringUnavailable | RedisUnavailable | None = None) -> None:
        self.kind = kind
        self.path = path
        self.problem = problem

    @property
    def problem_code(self) -> str:
        """Which problem it is, as `tray_app.core.wording` knows it; empty for none."""
        return self.problem.problem if self.problem else ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Place({self.kind!r}, {self.path!r}, problem={self.problem and self.problem.problem!r})"

    def _key(self) -> tuple[str, str, str]:
        return (self.kind, self.path, self.problem_code)
