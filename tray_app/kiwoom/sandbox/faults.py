"""What can go wrong on demand: the names of the faults, when they happen, and what they do to an answer."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING

from tray_app.core.errors import InvalidInput
from tray_app.kiwoom.sandbox.answers import HTML, TEXTS, Answer, failure, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

ISSUE = "issue"
REVOKE = "revoke"
REST = "rest"
KINDS = (ISSUE, REVOKE, REST)

_MAINTENANCE_PAGE = "<!DOCTYPE html><html><body><h1>시스템 점검 중입니다</h1></body></html>"


def _refusal(text: str) -> Answer:
    return json_answer(HTTPStatus.OK, {"return_code": 3, "return_msg": text})


_FIXED_ANSWERS: dict[str, Answer | None] = {
    "http-500": Answer(HTTPStatus.INTERNAL_SERVER_ERROR, b"", HTML),
    "http-503": Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"", HTML),
    "html": Answer(HTTPStatus.OK, _MAINTENANCE_PAGE.encode(), HTML),
    "redirect": Answer(HTTPStatus.FOUND, b"", HTML, (("Location", "/"),)),
    "garbage": Answer(HTTPStatus.OK, b'{"return_code":0,"token":'),
    "empty": Answer(HTTPStatus.OK, b""),
    "code-style": _refusal(f"{TEXTS['8005']} (CODE=8005)"),
    "drop": None,
    "hang": None,
}
"""What comes instead of an answer; None closes the connection."""

_ON_ISSUE_ONLY = {"no-token", "bad-expiry", "past-expiry", "new-token", "kills-old"}
_ON_ANY_ANSWER = {"drip", "slow", "no-return-code", "string-code", "skew", "lost-answer"}

FAULTS = frozenset({*TEXTS, "http-429", "echo", *_FIXED_ANSWERS, *_ON_ISSUE_ONLY, *_ON_ANY_ANSWER})
"""The names that `SandboxKiwoom.set_fault` takes."""

_DEFAULT_SECONDS = {"http-429": 3.0, "drip": 0.1, "slow": 1.0, "skew": 3600.0}


class Fault:
    """A fault that happens `times` more times (None: until it is cleared); for `seconds` see `set_fault`."""

    def __init__(self, name: str, times: int | None, seconds: float) -> None:
        self.name = name
        self.times = times
        self.seconds = seconds

    @property
    def is_carried_out(self) -> bool:
        """True if Kiwoom still carries the request out."""
        return self.name in _ON_ANY_ANSWER or self.name in _ON_ISSUE_ONLY

    @property
    def reissue(self) -> str | None:
        """What an issue does while a token is valid, if this fault changes it: see `Behaviour.reissue`."""
        return {"new-token": "new", "kills-old": "replace"}.get(self.name)


class Faults:
    """The faults that are set, at most one for each kind of request and one for all kinds. Not thread-safe."""

    def __init__(self) -> None:
        self._faults: dict[str | None, Fault] = {}

    def set(self, name: str, times: int | None, seconds: float | None, on: str | None) -> None:
        """Set a fault; see `SandboxKiwoom.set_fault`. Raises `InvalidInput`."""
        if not isinstance(name, str) or name not in FAULTS:
            raise InvalidInput("There is no practice fault of that name.")
        if on is not None and (not isinstance(on, str) or on not in KINDS):
            raise InvalidInput("A practice fault is on issue, revoke, rest or all of them.")
        if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
            raise InvalidInput("A practice fault happens 1 time or more.")
        if seconds is None:
            seconds = _DEFAULT_SECONDS.get(name, 0.0)
        self._faults[on] = Fault(name, times, checked_seconds(seconds, negative=name == "skew"))

    def clear(self) -> None:
        self._faults.clear()

    def take(self, kind: str) -> Fault | None:
        """Return the fault for a request of that kind, and count it."""
        for on in (kind, None):
            fault = self._faults.get(on)
            if fault is None or (fault.name in _ON_ISSUE_ONLY and kind != ISSUE):
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times == 0:
                    del self._faults[on]
            return fault
        return None


def answer_instead(fault: Fault, fields: Mapping[str, object]) -> Answer | None:
    """Return what comes instead of an answer; None closes the connection."""
    if fault.name in _FIXED_ANSWERS:
        return _FIXED_ANSWERS[fault.name]
    if fault.name == "http-429":
        retry_after = ("Retry-After", str(math.ceil(fault.seconds)))
        return Answer(HTTPStatus.TOO_MANY_REQUESTS, b"", HTML, (retry_after,))
    if fault.name == "echo":
        received = " ".join(f"{field}={value}" for field, value in fields.items())
        return _refusal(f"[8001:{TEXTS['8001']}] {received}")
    return json_answer(HTTPStatus.OK, failure(fault.name))


def answer_with(fault: Fault, reply: dict[str, object], status: int) -> Answer | None:
    """Return the answer to a request that was carried out, with the fault in it; None closes the connection."""
    name = fault.name
    if name == "lost-answer":
        return None
    if name == "no-return-code":
        reply.pop("return_code", None)
    elif name == "string-code" and "return_code" in reply:
        reply["return_code"] = str(reply["return_code"])
    elif name == "no-token":
        reply.pop("token", None)
    elif name == "bad-expiry" and "expires_dt" in reply:
        reply["expires_dt"] = "내일 이맘때"
    elif name == "past-expiry" and "expires_dt" in reply:
        reply["expires_dt"] = "20200101000000"
    answer = json_answer(status, reply)
    if name == "slow":
        return answer._replace(wait=fault.seconds)
    if name == "drip":
        return answer._replace(byte_every=fault.seconds)
    if name == "skew":
        return answer._replace(clock_ahead=fault.seconds)
    return answer


def checked_seconds(seconds: float, *, negative: bool = False) -> float:
    """Return a finite number of seconds. Raises `InvalidInput` for anything else, and for one below 0."""
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, (int, float))
        or not math.isfinite(seconds)
        or (seconds < 0 and not negative)
    ):
        raise InvalidInput("The seconds must be a number of 0 or more.")
    return float(seconds)
