"""The tokens that ended before their expiry, known to every program of this user.

Each store has a lock of its own, and its record says which of its tokens are dead. But one account may have its token
in two data folders, in two profiles, or in a file and in a keyring: what one of them ends at Kiwoom, the others still
have. This file tells them. It is only appended to, so that no writer loses what another one wrote, and has no token in
it: a line is a fingerprint, with a minus before it once Kiwoom said that the token works.
"""

from __future__ import annotations

import contextlib
import time

from tray_app.core.errors import StoreError
from tray_app.core.secret import FINGERPRINT_DIGITS
from tray_app.system.atomic_replace import append_bounded
from tray_app.system.private_files import read_private, version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tray_app.core.secret import Secret
    from tray_app.service.lock_record import LockRecord

FILE = "ended-tokens"
_DIGITS = frozenset("0123456789abcdef")
_MAX_BYTES = 65536
_KEPT = 64
_LOOKS_EVERY_SECONDS = 1.0


class EndedTokens:
    """The file at `path`. Nothing here raises: without it, each store knows its own tokens."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._version: object = None
        self._fingerprints: tuple[str, ...] = ()
        self._accepted: frozenset[str] = frozenset()
        self._seen: object = None
        self._look_again_at = 0.0

    def fingerprints(self) -> tuple[str, ...]:
        """Return the fingerprints, the last ones last."""
        version = version_of(self.path)
        if version != self._version:
            lines = self._read()
            self._fingerprints = tuple(line for line in lines if not line.startswith("-"))
            self._accepted = frozenset(line[1:] for line in lines if line.startswith("-"))
            self._version = version
        return self._fingerprints

    def has(self, value: Secret) -> bool:
        """Return True if the token with that value ended before its expiry."""
        known = self.fingerprints()
        return bool(known) and value.fingerprint() in known

    def version(self) -> object:
        """Return what changes with the file, no more than a second late: every use of a token asks for it."""
        now = time.monotonic()
        if now >= self._look_again_at:
            self._seen, self._look_again_at = version_of(self.path), now + _LOOKS_EVERY_SECONDS
        return self._seen

    def add(self, fingerprints: Iterable[str]) -> None:
        """Tell every program that these tokens are not to be used."""
        known = self.fingerprints()
        self._append([one for one in fingerprints if one not in known])

    def add_recorded(self, fingerprints: Iterable[str]) -> None:
        """The same for what a store's record says, which may be older than Kiwoom's word that one of them works."""
        known = self.fingerprints()
        self._append([one for one in fingerprints if one not in known and one not in self._accepted])

    def remove(self, fingerprint: str) -> None:
        """Tell every program that Kiwoom accepts this token after all."""
        if fingerprint in self.fingerprints():
            self._append([f"-{fingerprint}"])

    def _append(self, lines: list[str]) -> None:
        if not lines:
            return
        with contextlib.suppress(OSError, StoreError):
            append_bounded(self.path, _encoded(lines), limit=_MAX_BYTES, shortened=lambda: _encoded(self._read()))

    def _read(self) -> tuple[str, ...]:
        """Return the lines that apply, the last ones last."""
        try:
            found = read_private(self.path, _MAX_BYTES)
        except StoreError:
            return ()
        lines: dict[str, str] = {}
        for line in (found[0] if found else b"").decode("ascii", "replace").splitlines():
            name = line.removeprefix("-")
            if len(name) == FINGERPRINT_DIGITS and _DIGITS.issuperset(name):
                lines.pop(name, None)
                lines[name] = line
        ended = [name for name, line in lines.items() if line == name][-_KEPT:]
        accepted = [name for name, line in lines.items() if line != name][-_KEPT:]
        kept = {*ended, *accepted}
        return tuple(line for name, line in lines.items() if name in kept)


def _encoded(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def with_ended(record: LockRecord, ended: EndedTokens | None) -> LockRecord:
    """Return the record with the tokens that ended in other stores."""
    fingerprints = () if ended is None else ended.fingerprints()
    if (record.evidence.ended() | {record.last.revoking}).issuperset(fingerprints):
        return record
    known = {*record.evidence.revoked, record.last.revoking}  # these stay what they are: revoked, not found dead
    elsewhere = [one for one in fingerprints if one not in known]
    return record.replace(evidence=record.evidence.ended_elsewhere(elsewhere))
