"""What a program reports to the history, before it is an `Event`: cheap to create where somebody waits for a token."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tray_app.core.errors import KiwoomTokenError
    from tray_app.core.token import Token


class EventDraft(NamedTuple):
    """`at` is when it happened (seconds of the epoch), `kind` the value of an `EventKind`, `token` the one concerned
    and `error` what went wrong."""

    at: float
    kind: str
    token: Token | None
    error: KiwoomTokenError | None = None
