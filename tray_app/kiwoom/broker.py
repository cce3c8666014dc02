"""Issue, revoke and verify a token at Kiwoom over HTTPS.

Source: the Kiwoom REST API guide, au10001 (issue), au10002 (revoke) and ka00001 (account number).

A request runs on a daemon thread, and the caller waits for it until the deadline: neither a slow name server nor a
server that sends its answer byte by byte can hold the caller longer, or keep the process from ending. What a request
takes is loaded on that thread, and the answer is read there too. Only its result crosses over, so no traceback of a
caller contains a request or an answer.
"""

from __future__ import annotations

import contextlib
import enum
import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlsplit

from tray_app.core.errors import (
    BrokerUnavailable,
    InvalidInput,
    KeysRefused,
    KiwoomTokenError,
    RevokeFailed,
    UnknownFailure,
    known_error,
)
from tray_app.core.language import msg
from tray_app.core.secret import Secret
from tray_app.core.token import Token, token_until
from tray_app.kiwoom.codes import (
    COMPRESSED,
    NO_USABLE_TOKEN,
    REVOKE_UNCONFIRMED,
    UNKNOWN_REFUSAL,
    error_for,
    inner_code,
    refuses_token,
    return_number,
)
from tray_app.kiwoom.endpoints import check_base_url
from tray_app.kiwoom.http_client import open_client, tls_context, unusable_proxy
from tray_app.kiwoom.http_headers import decoded, http_date, retry_after_seconds
from tray_app.kiwoom.request_errors import Progress, no_answer, not_begun, not_loaded, not_loaded_in, timed_out

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from typing import Any

    import httpx

    from tray_app.kiwoom.keys import AppKeys

CONNECT_TIMEOUT_SECONDS = 5.0
TIMEOUT_SECONDS = 10.0
"""For the whole request, from looking up the name to the last byte of the answer."""

LOADING_SECONDS = 18.0
"""How long loading httpx and the certificates may take. It does not count as part of the request, because a busy
computer needs seconds for it, but it is bounded: a module may be on a network drive that hangs, or locked in a child
that was forked while it was being loaded. Loading and asking together take less than the longest wait for the lock."""

MAX_ANSWER_BYTES = 64 * 1024

MAX_CORRECTED_SKEW_SECONDS = 61.0
"""Below this difference, Kiwoom's clock (the `Date` of its answer) corrects a token's expiry; from there on `Date`
itself is doubted. It is a minute, and what a `Date` without fractions adds to it."""

_LEAST_SKEWS_SECONDS = -1.5, 0.25
"""`Date` is in whole seconds, rounded down, and the answer took its time: a difference between these two says
nothing."""

_JUST_ENDED_SECONDS = 5.0
_JUST_ENDED_PAUSES = (0.4,) * 7
"""Seconds between the requests from a token's expiry until Kiwoom issues another one."""

_ISSUE = "/oauth2/token"
_REVOKE = "/oauth2/revoke"
_ACCOUNT_NUMBER = "/api/dostk/acnt"
_HEADERS = {
    "Content-Type": "application/json;charset=UTF-8",
    "Accept-Encoding": "identity",
    "User-Agent": "kiwoom-token-tray",
}
_CLOCK_IS_MINUTES_OFF = msg(
    "This computer's clock is {minutes} min off, so the new token looks expired. Set the clock, then try again."
)
_CLOCK_IS_HOURS_OFF = msg(
    "This computer's clock is {hours} h {minutes} min off, so the new token looks expired. "
    "Set the clock, then try again."
)

T = TypeVar("T")


class Liveness(enum.Enum):
    """Kiwoom's answer about a token."""

    ALIVE = "alive"
    DEAD = "dead"


class Issued:
    """An issued token, and by how many seconds Kiwoom's clock is ahead of this computer's (None if it did not say)."""

    __slots__ = ("skew_seconds", "token")

    def __init__(self, token: Token, skew_seconds: float | None) -> None:
        self.token = token
        self.skew_seconds = skew_seconds

    def __repr__(self) -> str:
        return f"Issued({self.token!r}, skew_seconds={self.skew_seconds})"


class _JustEnded:
    """Kiwoom returned the old token in its last moment."""


class Broker:
    """A client for Kiwoom's token API at one base URL. Thread-safe; no connection stays open between requests.

    `timeout` bounds a whole request and `connect_timeout` each attempt to connect, in seconds. `clock` returns epoch
    seconds. Raises `InvalidInput` for a base URL that `check_base_url` refuses.

    Every request raises a subclass of `BrokerError` when it fails, and `SettingsError` when the environment names a
    proxy or certificates that cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connect_timeout: float = CONNECT_TIMEOUT_SECONDS,
        timeout: float = TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.base_url = check_base_url(base_url)
        self.connect_timeout = min(connect_timeout, timeout)
        self.timeout = timeout
        self.loading_timeout = LOADING_SECONDS
        self.clock = clock
        self._tls_context: ssl.SSLContext | None = None

    def preload(self) -> None:
        """Load httpx and the TLS settings on a daemon thread; return at once.

        For a caller that is about to wait for something else, such as the keyring: its first request is then faster.
        """
        with contextlib.suppress(RuntimeError):  # no thread to be had; the request tells
            threading.Thread(target=self._preload, name="kiwoom-preload", daemon=True).start()

    def issue(self, keys: AppKeys) -> Issued:
        """Issue a token (au10001). While one is valid, Kiwoom probably returns that one with the same expiry.

        The token's expiry is in this computer's time: it is corrected by the difference of the two clocks. A token that
        has just expired is no answer yet: Kiwoom is asked again, for up to 3 s.

        Raises `KeysRefused`, `RateLimited`, `BrokerUnavailable`, `RequestRefused` or another `BrokerError`.
        """
        fields: dict[str, str | Secret] = {
            "grant_type": "client_credentials",
            "appkey": keys.app_key,
            "secretkey": keys.app_secret,
        }
        for pause in _JUST_ENDED_PAUSES:
            issued = self._post(_ISSUE, fields, _Answer.issued)
            if isinstance(issued, Issued):
                return issued
            time.sleep(pause)
        raise BrokerUnavailable(NO_USABLE_TOKEN)

    def revoke(self, keys: AppKeys, token: Secret) -> None:
        """Revoke a token (au10002) for every tool that shares it. Return only after `return_code` 0.

        Raises `RevokeFailed` when Kiwoom does not confirm it, `TokenRefused` when the token was dead already, and what
        `issue` raises. After `BrokerUnavailable` nobody knows whether the token was revoked.
        """
        fields = {"appkey": keys.app_key, "secretkey": keys.app_secret, "token": token}
        self._post(_REVOKE, fields, _Answer.revoked)

    def verify(self, token: Secret) -> Liveness:
        """Ask Kiwoom if a token works, by looking up its account number (ka00001). The number itself is not stored.

        `DEAD` only for code 8005, or HTTP 401 without another code. Raises `TokenRefused` for a token that works
        elsewhere (8010: from another IP, 8031: in the other mode), and another `BrokerError` for all that says nothing
        about the token.
        """
        headers: dict[str, str | Secret] = {"api-id": "ka00001", "authorization": Secret(f"Bearer {token.reveal()}")}
        return self._post(_ACCOUNT_NUMBER, {}, _Answer.liveness, headers)

    def _post(
        self,
        path: str,
        fields: Mapping[str, str | Secret],
        read: Callable[[_Answer], T | KiwoomTokenError],
        headers: Mapping[str, str | Secret] | None = None,
    ) -> T:
        request = _Request(self, path, fields, read, headers or {})
        try:
            request.start()
            is_loaded = request.loaded.wait(self.loading_timeout)
            if is_loaded:
                request.done.wait(self.timeout)
        finally:
            request.abandon()  # nobody waits any more; also after Ctrl+C, when another program may ask next
        result = request.result
        if result is None:
            raise timed_out(request.progress) if is_loaded else not_loaded_in(self.loading_timeout)
        if isinstance(result, KiwoomTokenError):
            raise result
        return result

    def _preload(self) -> None:
        with contextlib.suppress(Exception):  # the request raises it again, if it lasts
            self.open_client().close()

    def open_client(self) -> httpx.Client:
        """Return a new client. Raises `SettingsError` for a proxy or certificates that cannot be used."""
        context = self._tls_context
        if context is None:
            context = self._tls_context = tls_context(self.base_url)
        return open_client(self.base_url, context, timeout=self.timeout, connect_timeout=self.connect_timeout)


class _Request(Generic[T]):
    """One request on its own thread. `loaded` is set once the request itself begins, and `done` once `result` is there:
    what `read` returned, or an error."""

    def __init__(
        self,
        broker: Broker,
        path: str,
        fields: Mapping[str, str | Secret],
        read: Callable[[_Answer], T | KiwoomTokenError],
        headers: Mapping[str, str | Secret],
    ) -> None:
        url = urlsplit(broker.base_url)
        port = url.port or (443 if url.scheme == "https" else 80)
        self.loaded = threading.Event()
        self.done = threading.Event()
        self.result: T | KiwoomTokenError | None = None
        self.progress = Progress(
            url.hostname or "", port, timeout=broker.timeout, connect_timeout=broker.connect_timeout
        )
        self._broker = broker
        self._path = path
        self._fields = fields
        self._read = read
        self._headers = headers
        self._abandoned = threading.Event()
        self._socket: socket.socket | None = None

    def start(self) -> None:
        """Begin on a daemon thread. Raises `BrokerUnavailable` where none can be started."""
        try:
            threading.Thread(target=self.run, name="kiwoom-request", daemon=True).start()
        except RuntimeError:
            raise not_begun() from None

    def run(self) -> None:
        try:
            with self._broker.open_client() as client:
                self.loaded.set()
                self.result = self._read(self._exchange(client))
        except KiwoomTokenError as error:
            error.__context__ = error.__traceback__ = None
            self.result = error
        except ImportError as error:
            self.result = known_error(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, there is no answer, and the caller must know
            self.result = no_answer(error, self.progress) if self.loaded.is_set() else not_loaded(error)
        finally:
            if self._socket is not None:
                self._socket.close()  # httpcore leaves it open when a SOCKS proxy refuses
            self.done.set()
            self.loaded.set()

    def abandon(self) -> None:
        """End the request from another thread: a blocked read wakes at once, and no later step begins."""
        self._abandoned.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                _plain_shutdown(self._socket)(socket.SHUT_RDWR)

    def _exchange(self, client: httpx.Client) -> _Answer:
        with client.stream(
            "POST",
            self._broker.base_url + self._path,
            content=json.dumps(_revealed(self._fields)).encode(),
            headers={**_HEADERS, **_revealed(self._headers)},
            extensions={"trace": self._trace},
        ) as response:
            at = self._broker.clock()
            answer = b""
            for chunk in response.iter_raw():
                answer += chunk
                if len(answer) > MAX_ANSWER_BYTES:
                    answer = b""
                    break
        return _Answer(response.status_code, response.headers, answer, at)

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Follow how httpcore connects (its `trace` extension), and stop it once nobody waits any more."""
        step = event.partition(".")[2]
        if step == "connect_tcp.started":
            if not info["host"]:
                raise unusable_proxy()
            self.progress.peer = info["host"], info["port"]
        elif step == "start_tls.started":
            self.progress.tls_host = info["server_hostname"]
        elif step in {"connect_tcp.complete", "start_tls.complete"}:
            self.progress.connected = True
            self._socket = info["return_value"].get_extra_info("socket")
        elif step == "send_request_headers.started" and info["request"].method != b"CONNECT":  # that one is a proxy's
            self.progress.was_sent = True  # before the question whether it may be sent
        if self._abandoned.is_set():
            raise TimeoutError


class _Answer:
    """An answer of Kiwoom's. Its methods return the errors instead of raising them, so that no traceback contains
    it."""

    def __init__(self, status: int, headers: httpx.Headers, content: bytes, at: float) -> None:
        self._status = status
        encodings = headers.get("Content-Encoding", "")
        self._fields = _json_object(content) or _json_object(decoded(content, encodings, MAX_ANSWER_BYTES))
        self._is_compressed = bool(encodings) and self._fields is None
        self._at = at
        server_time = http_date(headers.get("Date"))
        self._retry_after = retry_after_seconds(headers.get("Retry-After"), at if server_time is None else server_time)
        self._skew = None if server_time is None else server_time - at

    def issued(self) -> Issued | _JustEnded | KiwoomTokenError:
        fields = self._fields
        if fields is None or not self._is_success:
            return self._error()
        return_code = fields.get("return_code")
        unclear = return_code is None and "token" not in fields
        if unclear or (return_code is not None and return_number(return_code) != 0):
            return self._error()
        skew = self._skew or 0.0
        behind, ahead = _LEAST_SKEWS_SECONDS
        is_small = behind < skew < ahead
        is_large = abs(skew) >= MAX_CORRECTED_SKEW_SECONDS
        correction = 0.0 if is_small or is_large else skew
        token = _usable_token(fields, self._at, correction)
        if token is not None:
            return Issued(token, self._skew)
        if is_large and _usable_token(fields, self._at, skew) is not None:
            return _clock_is_off(skew)
        if _usable_token(fields, self._at - _JUST_ENDED_SECONDS, correction) is not None:
            return _JustEnded()
        return BrokerUnavailable(NO_USABLE_TOKEN)

    def revoked(self) -> bool | KiwoomTokenError:
        fields = self._fields
        if fields is None or not self._is_success:
            return self._error()
        return_code = fields.get("return_code")
        if return_number(return_code) == 0:
            return True
        if return_code is None and inner_code(fields.get("return_msg")) is None:
            return RevokeFailed(REVOKE_UNCONFIRMED)
        return self._error()

    def liveness(self) -> Liveness | KiwoomTokenError:
        fields = self._fields or {}
        if self._status >= 500:
            return error_for(None, None, http_status=self._status, retry_after=self._retry_after)
        if self._is_success and return_number(fields.get("return_code")) == 0:
            return Liveness.ALIVE
        text = fields.get("return_msg")
        if refuses_token(fields.get("return_code"), text, http_status=self._status):
            return Liveness.DEAD
        error = self._error()
        if isinstance(error, KeysRefused) and inner_code(text) is None:
            # no keys were sent, so nothing is said about them
            return UnknownFailure(UNKNOWN_REFUSAL, code=error.code)
        return error

    @property
    def _is_success(self) -> bool:
        return 200 <= self._status < 300

    def _error(self) -> KiwoomTokenError:
        if self._is_compressed and self._is_success:
            return BrokerUnavailable(COMPRESSED)
        fields = self._fields or {}
        return error_for(
            fields.get("return_code"),
            fields.get("return_msg"),
            http_status=self._status,
            retry_after=self._retry_after,
        )


def _plain_shutdown(connection: socket.socket) -> Callable[[int], None]:
    """Return the `shutdown` of the socket itself, also under TLS, whose orderly one would wait for the reader. A host
    program may have other sockets than Python's: eventlet's have none in their class."""
    for kind in reversed(type(connection).__mro__):
        if "shutdown" in vars(kind):
            return vars(kind)["shutdown"].__get__(connection)  # type: ignore[no-any-return]
    return connection.shutdown


def _revealed(fields: Mapping[str, str | Secret]) -> dict[str, str]:
    return {name: text.reveal() if isinstance(text, Secret) else text for name, text in fields.items()}


def _clock_is_off(skew: float) -> BrokerUnavailable:
    hours, minutes = divmod(round(abs(skew) / 60), 60)
    if hours:
        return BrokerUnavailable(_CLOCK_IS_HOURS_OFF, hours=hours, minutes=minutes)
    return BrokerUnavailable(_CLOCK_IS_MINUTES_OFF, minutes=minutes)


def _usable_token(fields: Mapping[str, object], now: float, skew: float) -> Token | None:
    value, expires_dt = fields.get("token"), fields.get("expires_dt")
    if not isinstance(value, str) or not isinstance(expires_dt, str):
        return None
    try:
        return token_until(value, expires_dt, now, skew)
    except InvalidInput:
        return None


def _json_object(content: bytes) -> dict[str, object] | None:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None
