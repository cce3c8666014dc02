"""One Redis server behind a deadline.

Every request runs on a daemon thread of its own, because the socket's timeouts bound neither a slow name server nor a
server that sends its answer byte by byte, and a pool's thread would hold up the exit of the process. A caller waits two
seconds at the most. After a failure every request fails at once, and a prober finds out when the server is back. This
is the only module that imports the package `redis`.
"""

from __future__ import annotations

import os
import threading
import time
import weakref

from tray_app.core.errors import RedisUnavailable
from tray_app.core.language import msg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from tray_app.core.secret import Secret

    Result = TypeVar("Result")

DEADLINE_SECONDS = 2.0
_SOCKET_SECONDS = 1.8
"""Below the deadline, so that a thread that nobody waits for any more ends by itself."""

_FIRST_PROBE_SECONDS = 0.2
_LAST_PROBE_SECONDS = 2.0
_NO_WRITES = ("READONLY", "MISCONF", "NOREPLICAS")


class RedisServer:
    """The server at `url` (`redis://`, `rediss://` or `unix://`, with user and password as redis-py takes them).

    `address` is the URL without user and password. `problem` is why the server cannot be used at present, or None.
    `when_back` is called on a thread of its own when the server answers again.
    """

    def __init__(self, url: Secret, deadline: float = DEADLINE_SECONDS) -> None:
        self.address = address_of(url)
        self._url = url
        self._deadline = deadline
        self.when_back: Callable[[], object] = lambda: None
        self._closing: weakref.finalize[..., RedisServer] | None = None
        self.forget_parent()
        _servers.add(self)

    def forget_parent(self) -> None:
        """Start anew in a forked child, where the parent's threads do not exist and its connections are not ours."""
        self.problem: RedisUnavailable | None = None
        self._outages = 0
        self._guard = threading.Lock()
        if self._closing is not None:
            self._closing.detach()
        self._closing = None
        self._client: Any = None
        self._late: threading.Event | None = None

    def ask(self, act: Callable[[Any], Result]) -> Result:
        """Return what `act` returns, given a redis-py client. Raises `RedisUnavailable`."""
        call = self._begin(act)
        if not call.done.wait(self._deadline):
            problem = self._silent()
            self._lost(problem, call.outages)
            raise problem.again()
        result: Result = self._result_of(call)
        return result

    def ask_briefly(self, act: Callable[[Any], Result], seconds: float) -> Result | None:
        """Return the same as `ask` for a caller that can do without it: None when there is no answer within `seconds`,
        and at once while an earlier such answer is still due."""
        if self._late is not None and not self._late.is_set():
            return None
        call = self._begin(act)
        if not call.done.wait(seconds):
            self._late = call.done
            return None
        result: Result = self._result_of(call)
        return result

    def _begin(self, act: Callable[[Any], Any]) -> _Call:
        known = self.problem
        if known is not None:
            raise known.again()
        call = _Call(act, self, self.client(), self._outages)  # no local: the repr of a client shows the password
        try:
            threading.Thread(target=call.run, name="redis", daemon=True).start()
        except RuntimeError:  # the limit is reached, or the program is ending
            raise RedisUnavailable(
                msg("Redis at {address} is not asked, because this program can start no more threads."),
                problem=RedisUnavailable.SILENT,
                address=self.address,
            ) from None
        return call

    def _result_of(self, call: _Call) -> Any:
        if call.problem is not None:
            raise call.problem.again()
        return call.result

    def failed(self, error: BaseException, outages: int) -> RedisUnavailable:
        """Return the `error` of a request as one of ours, also when nobody waits for it any more. `outages` is how many
        there had been when it was sent: a request from before the last outage says nothing about the server now.
        """
        problem = self._problem_in(error)
        if not _is_answer(error):
            self._lost(problem, outages)
        return problem

    def client(self) -> Any:
        """Return the redis-py client itself, for a caller that waits on a thread of its own. Raises
        `RedisUnavailable`."""
        with self._guard:
            if self._client is None:
                self._client = client = self._new_client()
                # left to the garbage collector, a socket may be finalized before the connection that would close it
                self._closing = closing = weakref.finalize(self, client.close)
                closing.atexit = False
            return self._client

    def _new_client(self) -> Any:
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError:
            from tray_app.system.extras import install_command

            raise RedisUnavailable(
                msg("Redis needs the package redis. Install it: {command}"),
                problem=RedisUnavailable.NO_PACKAGE,
                command=install_command("redis"),
            ) from None
        is_local = self._url.reveal().startswith("unix:")
        of_network: dict[str, Any] = {"socket_connect_timeout": _SOCKET_SECONDS, "socket_keepalive": True}
        try:
            return redis.Redis.from_url(
                self._url.reveal(),
                protocol=2,
                socket_timeout=_SOCKET_SECONDS,
                **({} if is_local else of_network),
                retry=Retry(NoBackoff(), 0),
                retry_on_error=[],
                client_name="kiwoom-token-tray",
            )
        except Exception as error:  # noqa: BLE001 - an option in the URL can fail in any way
            failure = self._unusable(error)
        raise failure  # outside of the handler: the error, and the locals of its frames, may show the password

    def _lost(self, problem: RedisUnavailable, outages: int) -> None:
        with self._guard:
            if self.problem is None and self._outages == outages:
                prober = threading.Thread(
                    target=_probe, args=(weakref.ref(self), self._client), name="redis-probe", daemon=True
                )
                try:
                    prober.start()
                except RuntimeError:  # nobody would find out when it is back, so the next request has to
                    return
                self._outages += 1
                self.problem = problem

    def probe(self, client: Any) -> bool:
        """Return True if the server answers again."""
        try:
            client.ping()
        except Exception as error:  # noqa: BLE001 - whatever it raises, it is not back
            if not _is_answer(error):
                problem = self._problem_in(error)
                with self._guard:
                    self.problem = problem
                return False
        with self._guard:
            self.problem = None
        self.when_back()
        return True

    def _silent(self) -> RedisUnavailable:
        return RedisUnavailable(
            msg("Redis at {address} does not answer."), problem=RedisUnavailable.SILENT, address=self.address
        )

    def _unusable(self, error: BaseException) -> RedisUnavailable:
        return RedisUnavailable(
            msg("What answers at {address} cannot be used as Redis ({reason}). Check KIWOOM_TRAY_REDIS_URL."),
            problem=RedisUnavailable.FAILED,
            address=self.address,
            reason=type(error).__name__,
        )

    def _problem_in(self, error: BaseException) -> RedisUnavailable:
        """Return the error as one of ours. Its text is only searched, never shown: it may repeat what was sent."""
        from redis import exceptions

        text = str(error)
        where = {"address": self.address}
        if any(code in text for code in _NO_WRITES) or isinstance(error, exceptions.ReadOnlyError):
            return RedisUnavailable(
                msg("Redis at {address} takes no writes: it is a replica, or cannot save to its disk."),
                problem=RedisUnavailable.READ_ONLY,
                **where,
            )
        if isinstance(error, exceptions.OutOfMemoryError) or "OOM command" in text:
            return RedisUnavailable(
                msg("Redis at {address} is full and takes no token."), problem=RedisUnavailable.FULL, **where
            )
        if "WRONGTYPE" in text:
            return RedisUnavailable(
                msg("Redis at {address} has another program's data where the token belongs. Remove it."),
                problem=RedisUnavailable.FOREIGN,
                **where,
            )
        if isinstance(error, exceptions.NoPermissionError) or "NOPERM" in text:
            return RedisUnavailable(
                msg("The user at Redis {address} lacks a permission that the token needs."),
                problem=RedisUnavailable.REFUSED,
                **where,
            )
        if isinstance(error, exceptions.AuthenticationError | exceptions.AuthenticationWrongNumberOfArgsError):
            return RedisUnavailable(
                msg("Redis at {address} refuses the user or password in KIWOOM_TRAY_REDIS_URL."),
                problem=RedisUnavailable.REFUSED,
                **where,
            )
        if reason := _tls_reason(error):
            return RedisUnavailable(
                msg("The TLS connection to Redis at {address} failed ({reason}). Check its certificate and rediss://."),
                problem=RedisUnavailable.FAILED,
                reason=reason,
                **where,
            )
        if isinstance(error, exceptions.ConnectionError | exceptions.TimeoutError | OSError):
            return self._silent()
        return self._unusable(error)


def address_of(url: Secret) -> str:
    """Return `host:port/database` or the path of the socket, as far as the URL can be read; never user or password."""
    from urllib.parse import unquote, urlsplit

    try:
        parts = urlsplit(url.reveal())
        if parts.scheme == "unix":
            return unquote(parts.path)
        host = parts.hostname or "localhost"
        return f"{f'[{host}]' if ':' in host else host}:{parts.port or 6379}/{parts.path.strip('/') or 0}"
    except ValueError:
        return "?"


class _Call:
    """A request on its way. It references the server, so that the connection is not closed meanwhile."""

    __slots__ = ("act", "client", "done", "outages", "problem", "result", "server")

    def __init__(self, act: Callable[[Any], Any], server: RedisServer, client: Any, outages: int) -> None:
        self.act = act
        self.server = server
        self.client = client
        self.outages = outages
        self.done = threading.Event()
        self.result: Any = None
        self.problem: RedisUnavailable | None = None

    def run(self) -> None:
        try:
            self.result = self.act(self.client)
        except BaseException as error:  # noqa: BLE001 - the caller gets it as one of ours
            self.problem = self.server.failed(error, self.outages)
        self.done.set()


def _probe(server: weakref.ref[RedisServer], client: Any) -> None:
    pause = _FIRST_PROBE_SECONDS
    while True:
        time.sleep(pause)
        pause = min(pause * 2, _LAST_PROBE_SECONDS)
        alive = server()
        if alive is None or alive.probe(client):
            return
        del alive


def _is_answer(error: BaseException) -> bool:
    """Return True if the server refused just this request: another one may well succeed."""
    from redis.exceptions import LockError, ResponseError

    return isinstance(error, ResponseError | LockError)


def _tls_reason(error: BaseException | None) -> str:
    while error is not None:
        for kind in type(error).__mro__:
            if kind.__module__ == "ssl" and kind.__name__ in {"SSLCertVerificationError", "SSLError"}:
                return kind.__name__
        error = error.__cause__ or error.__context__
    return ""


_servers: weakref.WeakSet[RedisServer] = weakref.WeakSet()


def _after_fork() -> None:
    for server in list(_servers):
        server.forget_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
