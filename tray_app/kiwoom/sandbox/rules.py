"""Kiwoom's rules about tokens and keys, and the behaviours in which sources and brokers differ."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timezone
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, NamedTuple

from tray_app.core.errors import InvalidInput
from tray_app.core.token import MAX_LIFETIME_SECONDS, format_expires_dt
from tray_app.kiwoom.sandbox.answers import SUCCESS, failure
from tray_app.kiwoom.sandbox.faults import ISSUE, REST, REVOKE, checked_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PATHS = {
    "/oauth2/token": ISSUE,
    "/oauth2/revoke": REVOKE,
    "/api/dostk/stkinfo": REST,
    "/api/dostk/acnt": REST,
}
"""Kiwoom's own paths, each with the kind of its requests."""

_REST_REPLIES: dict[str, dict[str, object]] = {
    "/api/dostk/stkinfo": {"stk_cd": "005930", "stk_nm": "삼성전자"},
    "/api/dostk/acnt": {"acctNo": "0000000011"},
}

Reissue = Literal["same", "new", "replace"]


@dataclass
class Behaviour:
    """How this Kiwoom behaves where the real one varies or is not known. May be changed at any time."""

    reissue: Reissue = "same"
    """What an issue does while a token is valid: return the same one, a new one beside it, or one that replaces it."""

    dead_token_status: Literal[200, 401] = 200
    """How a request with a dead token is refused: by code 8005, or by HTTP 401 without a text."""

    dead_revoke_code: Literal["8005", "8015"] = "8005"
    """The code for revoking a dead token."""

    ignores_revoke: bool = False
    """True if a revoke is confirmed while the token stays valid."""

    outlives_seconds: float = 0.0
    """For how long after its `expires_dt` a token is still accepted, and returned by an issue."""

    clock_offset: float = 0.0
    """By how many seconds Kiwoom's clock is ahead, in `Date` and in `expires_dt`."""


class Reply(NamedTuple):
    """The answer to a request: JSON fields (None: no text), a word for the list of requests, and the HTTP status."""

    fields: dict[str, object] | None
    outcome: str
    status: int = HTTPStatus.OK


class _Issued(NamedTuple):
    app_key: str
    expires: int
    """Epoch seconds by Kiwoom's clock."""


class Rules:
    """The tokens and keys that this Kiwoom knows. Not thread-safe."""

    def __init__(self, clock: Callable[[], float], behaviour: Behaviour) -> None:
        self._clock = clock
        self._behaviour = behaviour
        self._lifetime = 0.0
        self._secrets: dict[str, str] = {}
        self._current: dict[str, str] = {}
        self._tokens: dict[str, _Issued] = {}

    def set_lifetime(self, seconds: float) -> None:
        seconds = checked_seconds(seconds)
        if not 0 < seconds <= MAX_LIFETIME_SECONDS:
            raise InvalidInput("The lifetime must be more than 0 seconds and at most 366 days.")
        self._lifetime = seconds

    def now(self) -> float:
        """Return the epoch seconds by Kiwoom's clock."""
        return self._clock() + self._behaviour.clock_offset

    def serve(self, path: str, fields: Mapping[str, object], bearer: str, reissue: str | None = None) -> Reply:
        """Carry out a request. `reissue` goes before `Behaviour.reissue`."""
        if path in _REST_REPLIES:
            if not self._is_valid(bearer):
                if self._behaviour.dead_token_status == 401:
                    return Reply(None, "refused 401", HTTPStatus.UNAUTHORIZED)
                return _refused("8005")
            return Reply({**_REST_REPLIES[path], "return_code": 0, "return_msg": SUCCESS}, "answered")
        kind = PATHS[path]
        code = self._refusal(kind, fields)
        if code is not None:
            return _refused(code)
        app_key = str(fields["appkey"])
        if kind == REVOKE:
            return self._revoke(app_key, str(fields.get("token", "")))
        return self._issue(app_key, reissue or self._behaviour.reissue)

    def end(self, token: str) -> None:
        """Make one token invalid."""
        issued = self._tokens.pop(token, None)
        if issued is not None and self._current.get(issued.app_key) == token:
            del self._current[issued.app_key]

    def end_all(self) -> None:
        self._tokens.clear()
        self._current.clear()

    def replace(self, app_key: str) -> str:
        """Issue a new token to another program with the same keys, which makes the present one invalid; return it."""
        self._issue(app_key, "replace")
        return self._current[app_key]

    def valid_tokens(self) -> set[str]:
        """Return the tokens that a request may use."""
        return {token for token in self._tokens if self._is_valid(token)}

    def _is_valid(self, token: str) -> bool:
        issued = self._tokens.get(token)
        return issued is not None and self.now() < issued.expires + self._behaviour.outlives_seconds

    def _refusal(self, kind: str, fields: Mapping[str, object]) -> str | None:
        if kind == ISSUE:
            if not fields.get("grant_type"):
                return "8011"
            if fields["grant_type"] != "client_credentials":
                return "8012"
        app_key, app_secret = fields.get("appkey"), fields.get("secretkey")
        if not isinstance(app_key, str) or not isinstance(app_secret, str) or not app_key or not app_secret:
            return "8020"
        if app_key.startswith("wrong"):
            return "8001"
        if self._secrets.setdefault(app_key, app_secret) != app_secret:
            return "8001" if kind == ISSUE else "8002"
        return None

    def _revoke(self, app_key: str, token: str) -> Reply:
        if not self._is_valid(token) or self._tokens[token].app_key != app_key:
            return _refused(self._behaviour.dead_revoke_code)
        if not self._behaviour.ignores_revoke:
            self.end(token)
        return Reply({"return_code": 0, "return_msg": SUCCESS}, "revoked")

    def _issue(self, app_key: str, reissue: str) -> Reply:
        token, outcome = self._current.get(app_key), "same"
        if token is None or not self._is_valid(token) or reissue != "same":
            outcome = "new"
            if token is not None and (reissue == "replace" or not self._is_valid(token)):
                self.end(token)
            token = secrets.token_urlsafe(64)
            # Kiwoom gives the expiry in whole seconds. It is rounded up, so that no token expires before its time.
            self._tokens[token] = _Issued(app_key, math.ceil(self.now() + self._lifetime))
            self._current[app_key] = token
        expires = datetime.fromtimestamp(self._tokens[token].expires, timezone.utc)
        fields: dict[str, object] = {
            "expires_dt": format_expires_dt(expires),
            "token_type": "bearer",
            "token": token,
            "return_code": 0,
            "return_msg": SUCCESS,
        }
        return Reply(fields, outcome)


def _refused(code: str) -> Reply:
    return Reply(failure(code), f"refused {code}")
