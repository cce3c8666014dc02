"""Issuing and revoking a token at Kiwoom over HTTPS.

Source: the Kiwoom REST API guide, au10001 (issue) and au10002 (revoke).

A request runs on a daemon thread and the caller waits for it until the deadline: neither a slow name server nor
a server that sends its answer byte by byte can hold the caller longer. The request body and the frames that hold
it never leave that thread.

It is the standard library's `http.client`, because whoever issues keeps every other tool waiting meanwhile: a
larger HTTP library takes longer to load than everything else does together.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from urllib.parse import urlsplit

from tray_app.core.errors import BrokerUnavailable, InvalidInput, KiwoomTokenError, RevokeFailed, SettingsError
from tray_app.core.language import msg
from tray_app.core.secret import Secret
from tray_app.core.token import Token, token_until
from tray_app.kiwoom.codes import (
    NO_ANSWER,
    NO_USABLE_TOKEN,
    REVOKE_UNCONFIRMED,
    error_for,
    http_date,
    inner_code,
    retry_after_seconds,
    return_number,
)
from tray_app.kiwoom.connection import UnusableProxyError, check_base_url, connection_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tray_app.kiwoom.keys import AppKeys

CONNECT_TIMEOUT_SECONDS = 5.0
TIMEOUT_SECONDS = 10.0
"""For the whole request, from looking up the name to the last byte of the answer."""

MAX_ANSWER_BYTES = 64 * 1024
_ISSUE = "/oauth2/token"
_REVOKE = "/oauth2/revoke"
_HEADERS = {
    "Content-Type": "application/json;charset=UTF-8",
    "Accept-Encoding": "identity",
    "User-Agent": "kiwoom-token-tray",
}
_NOT_TRUSTED = msg(
    "The secure connection to Kiwoom could not be made. "
    "Check this computer's clock, and whether a proxy or a security program stands in between."
)
_CLOCK_IS_OFF = msg("This computer's clock is {minutes} minutes off, so the token looks ended. Set the clock right.")


class Issued:
    """An issued token, and by how many seconds Kiwoom's clock is ahead of this one (None when it did not say)."""

    __slots__ = ("skew_seconds", "token")

    def __init__(self, token: Token, skew_seconds: float | None) -> None:
        self.token = token
        self.skew_seconds = skew_seconds

    def __repr__(self) -> str:
        return f"Issued({self.token!r}, skew_seconds={self.skew_seconds})"


class Broker:
    """Kiwoom at one address. May be used from several threads at once; nothing stays open between requests.

    `timeout` bounds a whole request and `connect_timeout` the connecting, in seconds. `clock` gives epoch seconds.
    Raises `InvalidInput` for an address that `check_base_url` refuses.
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
        self.clock = clock

    def issue(self, keys: AppKeys) -> Issued:
        """Asks for a token (au10001). While one lives, Kiwoom probably gives the same one back.

        Raises `KeysRefused`, `RateLimited`, `BrokerUnavailable`, `RequestRefused` or another `BrokerError`;
        `SettingsError` when the environment's proxy cannot be used.
        """
        answer = self._post(
            _ISSUE,
            {"grant_type": "client_credentials", "appkey": keys.app_key, "secretkey": keys.app_secret},
        )
        issued = answer.issued()
        if isinstance(issued, KiwoomTokenError):
            raise issued
        return issued

    def revoke(self, keys: AppKeys, value: Secret) -> None:
        """Ends a token at Kiwoom (au10002), for every tool that shares it. Returns only after `return_code` 0.

        Raises `RevokeFailed` when Kiwoom does not confirm it, `TokenRefused` when the token was dead already,
        and what `issue` raises. After `BrokerUnavailable` it is not known whether the token lives.
        """
        answer = self._post(_REVOKE, {"appkey": keys.app_key, "secretkey": keys.app_secret, "token": value})
        failure = answer.revoke_failure()
        if failure is not None:
            raise failure

    def _post(self, path: str, fields: Mapping[str, str | Secret]) -> _Answer:
        request = _Request(self, path, fields)
        threading.Thread(target=request.run, name="kiwoom-request", daemon=True).start()
        if not request.ended.wait(self.timeout):
            request.abandon()
        if request.answer is None:
            raise request.failure or BrokerUnavailable(NO_ANSWER)
        return request.answer


class _Answer:
    """What came back. Errors are made here and raised elsewhere, so that no traceback holds the fields."""

    def __init__(self, status: int, headers: http.client.HTTPMessage, content: bytes, at: float) -> None:
        self._status = status
        self._fields = _json_object(content)
        self._at = at
        self._retry_after = retry_after_seconds(headers.get("Retry-After"), at)
        server_time = http_date(headers.get("Date"))
        self._skew = None if server_time is None else server_time - at

    def issued(self) -> Issued | KiwoomTokenError:
        fields = self._fields
        if fields is None or not self._is_success:
            return self._error()
        return_code = fields.get("return_code")
        unclear = return_code is None and "token" not in fields
        if unclear or (return_code is not None and return_number(return_code) != 0):
            return self._error()
        token = _usable_token(fields, self._at)
        if token is not None:
            return Issued(token, self._skew)
        if self._skew is not None and _usable_token(fields, self._at + self._skew) is not None:
            return BrokerUnavailable(_CLOCK_IS_OFF, minutes=round(abs(self._skew) / 60))
        return BrokerUnavailable(NO_USABLE_TOKEN)

    def revoke_failure(self) -> KiwoomTokenError | None:
        fields = self._fields
        if fields is None or not self._is_success:
            return self._error()
        return_code = fields.get("return_code")
        if return_number(return_code) == 0:
            return None
        if return_code is None and inner_code(fields.get("return_msg")) is None:
            return RevokeFailed(REVOKE_UNCONFIRMED)
        return self._error()

    @property
    def _is_success(self) -> bool:
        return 200 <= self._status < 300

    def _error(self) -> KiwoomTokenError:
        fields = self._fields or {}
        return error_for(
            fields.get("return_code"),
            fields.get("return_msg"),
            http_status=self._status,
            retry_after=self._retry_after,
        )


class _Request:
    """One request on its own thread. `ended` is set once `answer` or `failure` stands."""

    def __init__(self, broker: Broker, path: str, fields: Mapping[str, str | Secret]) -> None:
        self.ended = threading.Event()
        self.answer: _Answer | None = None
        self.failure: KiwoomTokenError | None = None
        self._broker = broker
        self._path = path
        self._fields = fields
        self._abandoned = threading.Event()
        self._socket: socket.socket | None = None

    def run(self) -> None:
        broker = self._broker
        try:
            with contextlib.closing(connection_to(broker.base_url, broker.connect_timeout)) as connection:
                self.answer = self._exchange(connection)
        except UnusableProxyError:
            self.failure = SettingsError("The proxy that the environment names cannot be used. Mend or remove it.")
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            self.failure = BrokerUnavailable(_NOT_TRUSTED if isinstance(error, ssl.SSLError) else NO_ANSWER)
        finally:
            self.ended.set()

    def abandon(self) -> None:
        """Ends the request from another thread: a blocked read wakes at once, a later step does not begin."""
        self._abandoned.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # The plain shutdown, also under TLS: its orderly one would wait for the reader.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _exchange(self, connection: http.client.HTTPConnection) -> _Answer:
        connection.connect()
        self._socket = connection.sock
        self._socket.settimeout(self._broker.timeout)
        if self._abandoned.is_set():
            raise TimeoutError
        body = {name: text.reveal() if isinstance(text, Secret) else text for name, text in self._fields.items()}
        path = urlsplit(self._broker.base_url).path + self._path
        connection.request("POST", path, json.dumps(body).encode(), _HEADERS)
        response = connection.getresponse()
        at = self._broker.clock()
        content = response.read(MAX_ANSWER_BYTES + 1)
        return _Answer(response.status, response.headers, content if len(content) <= MAX_ANSWER_BYTES else b"", at)


def _usable_token(fields: Mapping[str, object], now: float) -> Token | None:
    value, ends = fields.get("token"), fields.get("expires_dt")
    if not isinstance(value, str) or not isinstance(ends, str):
        return None
    try:
        return token_until(value, ends, now)
    except InvalidInput:
        return None


def _json_object(content: bytes) -> dict[str, object] | None:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None
