"""Kiwoom in this process: its tokens, its faults, and what it was asked for. Time is handed in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING

import httpx

from tray_app.core.secret import Secret
from tray_app.core.token import UTC, format_expires_dt
from tray_app.kiwoom.broker import Broker

if TYPE_CHECKING:
    from datetime import datetime

LIFETIME_SECONDS = 86400.0
_UNCORRECTED_SECONDS = 3.0
"""A clock that is off by less than this is right; a token then seems to expire a moment before it does."""

ISSUE, REVOKE, VERIFY = "issue", "revoke", "verify"
_REQUESTS = {"/oauth2/token": ISSUE, "/oauth2/revoke": REVOKE, "/api/dostk/acnt": VERIFY}
EVERY_REQUEST = frozenset({ISSUE, REVOKE, VERIFY})
_DONE = "정상적으로 처리되었습니다"


@dataclass
class Fault:
    """What goes wrong with the requests of some kinds, `times` times or until an instant.

    `name`: `http-500`, `html`, `offline`, `timeout` (nothing is done), `lost` (done, but the answer does not come), or
    a code such as `1700`.
    """

    name: str
    on: frozenset[str]
    until: float = float("inf")
    times: int = 1_000_000
    retry_after: int | None = None


@dataclass
class Kiwoom:
    """The tokens of one app key. `now` returns the true time in seconds of the epoch.

    `replaces`: an issue while a token works kills that one. `asked` counts the requests by kind and result, `issued`
    remembers each token that was given with its expiry, `delivered` those that reached this computer, `same_answers`
    how often one was given to it again while its clock was right and the token not just about to expire, `alive` those
    that work, and `known_dead` since when this computer has Kiwoom's word that one does not. `meanwhile` is called
    while a request is under way.
    """

    now: Callable[[], float]
    pass_time: Callable[[float], None]
    latency: Callable[[], float]
    is_clock_right: Callable[[], bool]
    can_be_stored: Callable[[], bool]
    replaces: bool = False
    faults: list[Fault] = field(default_factory=list)
    alive: dict[str, float] = field(default_factory=dict)
    issued: dict[str, float] = field(default_factory=dict)
    same_answers: Counter[str] = field(default_factory=Counter)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    moments: list[float] = field(default_factory=list)
    delivered: set[str] = field(default_factory=set)
    replaced_at: list[float] = field(default_factory=list)
    contested_at: list[float] = field(default_factory=list)
    failed_at: list[float] = field(default_factory=list)
    known_dead: dict[str, float] = field(default_factory=dict)
    wait_until: float = 0.0
    deaths: int = 0
    meanwhile: Callable[[], None] = lambda: None

    def open_client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self._handle), trust_env=False)

    def fault_on(self, request: str) -> Fault | None:
        """Return what would go wrong with such a request now."""
        now = self.now()
        self.faults = [one for one in self.faults if one.until > now and one.times > 0]
        return next((one for one in self.faults if request in one.on), None)

    def refuses(self, request: str) -> bool:
        """Return whether such a request would fail now, or Kiwoom asked not to make it yet."""
        return self.fault_on(request) is not None or self.now() < self.wait_until

    def fault_ends(self) -> Iterator[float]:
        """Yield when each fault ends by itself."""
        yield from (one.until for one in self.faults)
        yield self.wait_until

    def works(self, token: str) -> bool:
        """Return whether a request with the token would succeed."""
        return self.alive.get(token, 0.0) > self.now()

    def issue(self) -> str:
        """Issue a token as somebody elsewhere does."""
        present = self._present()
        if present is not None and not self.replaces:
            return present
        if present is not None:
            self.kill(present)
        token = f"simulated-token-{len(self.issued)}-of-kiwoom"
        self.issued[token] = self.alive[token] = float(int(self.now())) + LIFETIME_SECONDS
        return token

    def kill(self, token: str) -> None:
        """Let a token die."""
        if self.alive.pop(token, 0.0) > self.now():
            self.deaths += 1

    def _present(self) -> str | None:
        return next((token for token in reversed(self.alive) if self.works(token)), None)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        kind = _REQUESTS[request.url.path]
        self.pass_time(self.latency())
        self.meanwhile()
        self.moments.append(self.now())
        fault = self.fault_on(kind)
        if fault is not None:
            fault.times -= 1
            self.failed_at.append(self.now())
            self.asked[kind, fault.name] += 1
            if fault.name != "lost":
                return self._fail(fault)
            self._answer(kind, request, is_lost=True)
            self.pass_time(10.0)
            raise httpx.ReadTimeout("lost")
        result, fields = self._answer(kind, request, is_lost=False)
        self.asked[kind, result] += 1
        return self._response(fields)

    def _answer(self, kind: str, request: httpx.Request, *, is_lost: bool) -> tuple[str, dict[str, object]]:
        if kind == ISSUE:
            return self._issued(is_lost=is_lost)
        if kind == REVOKE:
            return self._revoked(json.loads(request.content)["token"], is_lost=is_lost)
        token = request.headers["authorization"].removeprefix("Bearer ")
        if self.works(token):
            return "alive", {"acctNo": "1", "return_code": 0, "return_msg": _DONE}
        if not is_lost:
            self._now_known(token)
        return "dead", _refusal("8005")

    def _issued(self, *, is_lost: bool) -> tuple[str, dict[str, object]]:
        present = self._present()
        token = self.issue()
        if token != present and present in self.delivered:
            (self.replaced_at if self.can_be_stored() else self.contested_at).append(self.now())
        if not is_lost:
            for other in self.issued:
                if other != token:
                    self._now_known(other)
            is_over = self.alive[token] - self.now() < _UNCORRECTED_SECONDS
            if token in self.delivered and self.is_clock_right() and not is_over:
                self.same_answers[token] += 1
            self.delivered.add(token)
        fields = {
            "token": token,
            "expires_dt": format_expires_dt(_instant(self.issued[token])),
            "token_type": "bearer",
            "return_code": 0,
            "return_msg": _DONE,
        }
        return "same" if token == present else "new", fields

    def _revoked(self, token: str, *, is_lost: bool) -> tuple[str, dict[str, object]]:
        if not self.works(token):  # which says nothing for certain: whoever wants to know asks whether it is alive
            return "refused", _refusal("8015")
        self.alive.pop(token)
        if not is_lost:
            self._now_known(token)
        return "done", {"return_code": 0, "return_msg": _DONE}

    def _now_known(self, token: str) -> None:
        if not self.works(token):
            self.known_dead.setdefault(token, self.now())

    def _fail(self, fault: Fault) -> httpx.Response:
        if fault.name == "offline":
            raise httpx.ConnectError("offline")
        if fault.name == "timeout":
            self.pass_time(10.0)
            raise httpx.ReadTimeout("slow")
        self.wait_until = max(self.wait_until, self.now() + (fault.retry_after or 0))
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        if fault.name == "http-500":
            return httpx.Response(503, headers=headers, content=iter([b"<html>busy</html>"]))
        if fault.name == "html":
            return httpx.Response(200, content=iter(["<html>점검 중입니다</html>".encode()]))
        return self._response(_refusal(fault.name), headers)

    def _response(self, fields: dict[str, object], headers: dict[str, str] | None = None) -> httpx.Response:
        date = {"Date": formatdate(self.now(), usegmt=True)}
        return httpx.Response(200, headers={**date, **(headers or {})}, content=iter([json.dumps(fields).encode()]))


class SimulatedBroker(Broker):
    """The broker of the program, whose requests reach a `Kiwoom` of this process."""

    def __init__(self, kiwoom: Kiwoom, clock: Callable[[], float]) -> None:
        super().__init__("https://api.kiwoom.com", clock=clock)
        self._kiwoom = kiwoom

    def preload(self) -> None:
        """There is nothing to load."""

    def open_client(self) -> httpx.Client:
        return self._kiwoom.open_client()


def _refusal(code: str) -> dict[str, object]:
    return {"return_code": 5 if code == "1700" else 3, "return_msg": f"인증에 실패했습니다[{code}:거절]"}


def _instant(seconds: float) -> datetime:
    from datetime import datetime

    return datetime.fromtimestamp(seconds, UTC)


def fingerprint(token: str) -> str:
    """Return what a report may call the token."""
    return Secret(token).fingerprint()
