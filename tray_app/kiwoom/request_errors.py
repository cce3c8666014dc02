"""Why a request got no answer, each cause as a sentence that says what to do.

All of them are `BrokerUnavailable`: they say nothing about the token or the keys, and may pass.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from typing import TYPE_CHECKING

from tray_app.core.errors import BrokerUnavailable
from tray_app.core.language import msg
from tray_app.system.private_files import reason_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_SILENT = msg("Kiwoom does not answer. Check the network, then try again.")
_TIMED_OUT = msg("Kiwoom does not answer within {seconds} seconds. Check the network, then try again.")
_NO_SUCH_NAME = msg(
    "Kiwoom does not answer: the name {host} cannot be looked up. Check that this computer is online, then try again."
)
_OFFLINE = msg("Kiwoom does not answer: this computer is not connected to a network. Connect it, then try again.")
_REFUSED = msg(
    "Kiwoom does not answer: the connection to {host} was refused. "
    "Check the address and whether a firewall blocks it, then try again."
)
_CUT = msg("Kiwoom does not answer: the connection was closed early. Try again in a moment.")
_NO_THREAD = msg(
    "Kiwoom is not asked, because this program can start no more threads: it is ending, or there are too many. "
    "Close other programs, then try again."
)
_NOT_LOADED = msg(
    "Kiwoom was not asked: what this program needs for that could not be loaded ({reason}). "
    "Close other programs, then try again."
)
_NOT_LOADED_IN_TIME = msg(
    "Kiwoom was not asked: what this program needs for that could not be loaded within {seconds} seconds. "
    "This computer is too busy, or a drive does not answer. Try again in a moment."
)

_UNKNOWN_ISSUER = msg(
    "No secure connection to Kiwoom: this computer does not know who issued the certificate of {host}. If a company "
    "network or a security program inspects TLS, install its root certificate or name the file in SSL_CERT_FILE."
)
_ISSUER_NOT_NAMED = msg(
    "No secure connection to Kiwoom: who issued the certificate of {host} is not among those that {variable} names. "
    "Correct or remove the variable."
)
_WRONG_DATE = msg(
    "No secure connection to Kiwoom: by this computer's clock the certificate of {host} has expired or is not valid "
    "yet. Set the clock, then try again."
)
_WRONG_HOST = msg(
    "No secure connection to Kiwoom: the server that answered for {host} has the certificate of another host. "
    "Check the address, the name server and the proxy."
)
_NO_TLS = msg(
    "No secure connection to Kiwoom: the TLS handshake with {host} failed. "
    "Check the address and whether a proxy or a security program stands in between."
)

_PROXY_SILENT = msg("The proxy {proxy} does not answer. Check HTTPS_PROXY or this computer's proxy settings.")
_PROXY_LOGIN = msg(
    "The proxy {proxy} asks for a user name and a password. Add them to its address: http://user:password@host:port"
)
_PROXY_FORBIDS = msg("The proxy {proxy} does not allow connections to {host}. Ask its operator to allow them.")
_PROXY_FAILED = msg("Kiwoom does not answer: the proxy {proxy} cannot connect to {host}. Try again later.")

_NO_NETWORK = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}
_BLOCKED = {errno.ECONNREFUSED, errno.EACCES, errno.EPERM}

# What truststore and `ssl` give as `verify_code`: OpenSSL's X509_V_ERR_*, Windows' CERT_E_*, macOS' errSec*.
_DATE_CODES = {9, 10, 0x800B0101, -67818, -67819}
_HOST_CODES = {62, 64, 0x800B010F, -67602}
_ISSUER_CODES = {18, 19, 20, 21, 0x800B0109, 0x800B010A, -67843}


class Progress:
    """How far a request has come.

    `host` and `port` are Kiwoom's; `peer` is the host and port that is connected to (Kiwoom's or a proxy's),
    `connected` whether that has succeeded, `tls_host` the host whose certificate is checked. `was_sent` is True once
    the request itself may have left this computer. `timeout` bounds the whole request and `connect_timeout` the
    connecting, in seconds.
    """

    def __init__(self, host: str, port: int, *, timeout: float, connect_timeout: float) -> None:
        self.host = host
        self.port = port
        self.timeout = timeout
        self.connect_timeout = connect_timeout
        self.peer: tuple[str, int] | None = None
        self.connected = False
        self.was_sent = False
        self.tls_host = host

    @property
    def proxy(self) -> str | None:
        """The proxy as `host:port`, or None while none is used."""
        if self.peer is None or self.peer == (self.host, self.port):
            return None
        return f"{self.peer[0]}:{self.peer[1]}"


def not_begun() -> BrokerUnavailable:
    """Return the error for a request without a thread: the limit is reached, or the program is ending."""
    return _unbegun(BrokerUnavailable(_NO_THREAD))


def not_loaded(error: Exception) -> BrokerUnavailable:
    """Return the error for a request that did not begin, because loading what it takes failed."""
    reason = reason_of(error) if isinstance(error, OSError) else type(error).__name__
    return _unbegun(BrokerUnavailable(_NOT_LOADED, reason=reason))


def not_loaded_in(seconds: float) -> BrokerUnavailable:
    """Return the error for a request that did not begin, because what it takes was not loaded in time."""
    return _unbegun(BrokerUnavailable(_NOT_LOADED_IN_TIME, seconds=format(seconds, "g")))


def timed_out(progress: Progress) -> BrokerUnavailable:
    """Return the error for a request that was given up at its deadline."""
    if progress.proxy and not progress.connected:
        told = BrokerUnavailable(_PROXY_SILENT, proxy=progress.proxy)
    else:
        told = BrokerUnavailable(_TIMED_OUT, seconds=format(progress.timeout, "g"))
    told.was_sent = progress.was_sent
    return told


def no_answer(error: Exception, progress: Progress) -> BrokerUnavailable:
    """Return the error for a request that ended with `error`, an exception of httpx or of a library below it."""
    told = _told(error, progress)
    told.was_sent = progress.was_sent
    return told


def _unbegun(told: BrokerUnavailable) -> BrokerUnavailable:
    told.was_sent = told.was_begun = False
    return told


def _told(error: Exception, progress: Progress) -> BrokerUnavailable:
    import httpx

    host, proxy = progress.host, progress.proxy
    if isinstance(error, httpx.ProxyError):
        return BrokerUnavailable(_proxy_sentence(str(error)), host=host, proxy=proxy)
    causes = list(_chain(error))
    tls = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    if isinstance(tls, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return BrokerUnavailable(_CUT)
    if tls is not None:
        variable = next((one for one in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(one)), "")
        sentence = _tls_sentence(tls, has_own_issuers=bool(variable))
        return BrokerUnavailable(sentence, host=progress.tls_host, variable=variable)
    if proxy and not progress.connected:
        return BrokerUnavailable(_PROXY_SILENT, proxy=proxy)
    if isinstance(error, httpx.ConnectTimeout):
        return BrokerUnavailable(_TIMED_OUT, seconds=format(progress.connect_timeout, "g"))
    if any(isinstance(cause, (httpx.TimeoutException, TimeoutError)) for cause in causes):
        return timed_out(progress)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return BrokerUnavailable(_NO_SUCH_NAME, host=host)
    numbers = {cause.errno for cause in causes if isinstance(cause, OSError)}
    if numbers & _NO_NETWORK:
        return BrokerUnavailable(_OFFLINE)
    if numbers & _BLOCKED:
        return BrokerUnavailable(_REFUSED, host=host)
    return BrokerUnavailable(_CUT if progress.connected else _SILENT)


def _tls_sentence(error: ssl.SSLError, *, has_own_issuers: bool) -> str:
    code = getattr(error, "verify_code", None)
    if code in _DATE_CODES:
        return _WRONG_DATE
    if code in _HOST_CODES:
        return _WRONG_HOST
    if code in _ISSUER_CODES:
        return _ISSUER_NOT_NAMED if has_own_issuers else _UNKNOWN_ISSUER
    return _NO_TLS


def _proxy_sentence(text: str) -> str:
    """Return what an HTTP proxy's status line ("407 …") or httpcore's text about a SOCKS proxy means."""
    if text.startswith(("407", "Requested", "Invalid username")):
        return _PROXY_LOGIN
    if text.startswith("403") or "not allowed" in text:
        return _PROXY_FORBIDS
    return _PROXY_FAILED


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
