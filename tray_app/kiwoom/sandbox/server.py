"""The sandbox Kiwoom as an HTTP server on loopback."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import socketserver
import sys
import threading
import time
from collections import deque
from datetime import datetime, timezone
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tray_app.core.errors import InvalidInput
from tray_app.core.language import tr
from tray_app.kiwoom.sandbox.answers import Answer, json_answer
from tray_app.kiwoom.sandbox.faults import ISSUE, KINDS, Faults, answer_instead, answer_with, checked_seconds
from tray_app.kiwoom.sandbox.rules import PATHS, Behaviour, Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Self

SANDBOX_APP_KEY = "practice-app-key"
SANDBOX_APP_SECRET = "practice-app-secret"  # noqa: S105 - opens nothing but this server
DEFAULT_LIFETIME_SECONDS = 86400.0

_MAX_BODY_BYTES = 64 * 1024
_LISTED_REQUESTS = 1000
_POLL_SECONDS = 0.5 if sys.platform == "win32" else 30.0
"""How often the idle server wakes up; requests and `stop` wake it at once. Windows needs it for Ctrl+C."""


class SandboxKiwoom:
    """A Kiwoom on 127.0.0.1. It listens once it is created, and answers between `start` and `stop`. Thread-safe.

    `port` 0 takes a free one; `lifetime` is in seconds; `clock` returns epoch seconds. Raises `InvalidInput` when the
    port cannot be used or the lifetime is not within 366 days. The first secret that comes with an app key is that
    key's secret from then on; an app key that starts with "wrong" is always refused. Usable in a `with` statement.

    `behaviour` may be changed at any time: `sandbox.behaviour.reissue = "replace"`.
    """

    def __init__(
        self, port: int = 0, *, lifetime: float = DEFAULT_LIFETIME_SECONDS, clock: Callable[[], float] = time.time
    ) -> None:
        self.behaviour = Behaviour()
        self._clock = clock
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._released = threading.Event()
        self._rules = Rules(clock, self.behaviour)
        self._faults = Faults()
        self._counts = dict.fromkeys(KINDS, 0)
        self._outcomes: deque[dict[str, str]] = deque(maxlen=_LISTED_REQUESTS)
        self._delay = 0.0
        self.set_lifetime(lifetime)
        self._serving = False
        self._server = _listen(port, self)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Answer on a thread of its own until `stop`."""
        self._serving = True
        threading.Thread(target=self._serve, name="sandbox-kiwoom", daemon=True).start()

    def serve_forever(self) -> None:
        """Answer on this thread until another one calls `stop` or an exception ends it."""
        self._serving = True
        try:
            self._serve()
        finally:
            self._serving = False

    def stop(self) -> None:
        """Stop answering, cut every connection and free the port. May be called twice."""
        self._stopped.set()
        self.release()
        if self._serving:
            ending = threading.Thread(target=self._server.shutdown, daemon=True)
            ending.start()
            while ending.is_alive():  # an idle server sees that it shall end only when a connection wakes it
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    ending.join(0.05)
            self._serving = False
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def set_lifetime(self, seconds: float) -> None:
        """Set for how long the tokens issued from now on are valid, in seconds. Raises `InvalidInput`."""
        with self._lock:
            self._rules.set_lifetime(seconds)

    def set_delay(self, seconds: float) -> None:
        """Set how many seconds an issue takes until it is answered. Raises `InvalidInput`."""
        self._delay = checked_seconds(seconds)

    def set_fault(
        self, name: str, *, times: int | None = None, seconds: float | None = None, on: str | None = None
    ) -> None:
        """Make the next `times` requests (None: all, until `clear_faults`) of kind `on` (None: any) go wrong.

        A later fault for the same `on` replaces the earlier one. `seconds` means: "http-429" Retry-After, "drip"
        between two bytes, "slow" before the answer, "skew" by how much `Date` is ahead. "lost-answer" carries the
        request out and then closes the connection. Raises `InvalidInput` for a name outside `FAULTS` or a value that
        makes no sense.
        """
        with self._lock:
            self._faults.set(name, times, seconds, on)

    def clear_faults(self) -> None:
        """Remove all faults, and release the requests that hang."""
        with self._lock:
            self._faults.clear()
        self.release()

    def release(self) -> None:
        """End the requests that hang or drip, without an answer."""
        with self._lock:
            released, self._released = self._released, threading.Event()
        released.set()

    def end_tokens(self) -> None:
        """Make every token invalid now."""
        with self._lock:
            self._rules.end_all()

    def revoke_elsewhere(self, token: str) -> None:
        """Make one token invalid, as when another computer revokes it."""
        with self._lock:
            self._rules.end(token)

    def issue_elsewhere(self, app_key: str = SANDBOX_APP_KEY) -> str:
        """Issue a token to another program with that app key; return it. The present one becomes invalid."""
        with self._lock:
            return self._rules.replace(app_key)

    def counts(self) -> dict[str, int]:
        """Return how many requests of each kind came: issue, revoke, rest."""
        with self._lock:
            return dict(self._counts)

    def outcomes(self) -> list[dict[str, str]]:
        """Return the latest requests as `at` (UTC), `kind` and `outcome`, without any token or key."""
        with self._lock:
            return list(self._outcomes)

    def answer(self, path: str, fields: Mapping[str, object], bearer: str) -> Answer | None:
        """Return what to send for a request; None closes the connection without an answer. May wait ("hang")."""
        kind = PATHS[path]
        with self._lock:
            self._counts[kind] += 1
            fault = self._faults.take(kind)
            released = self._released
            answer: Answer | None
            if fault is None or fault.is_carried_out:
                reply = self._rules.serve(path, fields, bearer, None if fault is None else fault.reissue)
                outcome = reply.outcome
                if reply.fields is None:
                    answer = Answer(reply.status, b"")
                elif fault is None:
                    answer = json_answer(reply.status, reply.fields)
                else:
                    answer = answer_with(fault, reply.fields, reply.status)
                if kind == ISSUE and answer is not None:
                    answer = answer._replace(wait=answer.wait + self._delay)
            else:
                answer, outcome = answer_instead(fault, fields), "fault"
            if fault is not None:
                outcome = f"{outcome} {fault.name}"
            at = datetime.fromtimestamp(self._clock(), timezone.utc).isoformat()
            self._outcomes.append({"at": at, "kind": kind, "outcome": outcome})
        if fault is not None and fault.name == "hang" and not self._stopped.is_set():
            released.wait()
        return answer

    def pause(self, seconds: float, released: threading.Event | None = None) -> bool:
        """Wait; return False when the server stopped, or `released` was set, in the meantime."""
        return not (released or self._stopped).wait(seconds) and not self._stopped.is_set()

    def release_signal(self) -> threading.Event:
        """Return the event that the next `release` sets."""
        return self._released

    def now(self) -> float:
        """Return the epoch seconds by Kiwoom's clock."""
        return self._rules.now()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=_POLL_SECONDS)


def serve(port: int, lifetime: float, write_line: Callable[[str], object]) -> None:
    """Run a sandbox Kiwoom on this thread until Ctrl+C or SIGTERM.

    `write_line` gets three `NAME=value` lines to paste into an environment, and some that start with `# `.
    `lifetime` is in seconds. Raises `InvalidInput` when the port or the lifetime cannot be used.
    """
    sandbox = SandboxKiwoom(port, lifetime=lifetime)
    on_main_thread = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler) if on_main_thread else None
    try:
        write_line(f"KIWOOM_TRAY_BASE_URL={sandbox.base_url}")
        write_line(f"APP_KEY={SANDBOX_APP_KEY}")
        write_line(f"APP_SECRET={SANDBOX_APP_SECRET}")
        for told in (
            tr("A practice Kiwoom, on this computer only. Stop it with Ctrl+C."),
            tr("With these lines alone its token takes the place of your real one."),
            tr(
                "Set KIWOOM_TRAY_STORE=file and another KIWOOM_TRAY_DATA_DIR as well, "
                "or put --sandbox before a command of kiwoom-token."
            ),
        ):
            write_line(f"# {told}")
        sandbox.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)
        sandbox.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # On Windows this option would let two servers share one port, instead of failing for the second.
    allow_reuse_address = sys.platform != "win32"
    request_queue_size = 128

    def __init__(self, port: int, sandbox: SandboxKiwoom) -> None:
        self.sandbox = sandbox
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        # Without the host name look-up of HTTPServer, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._connections.discard(request)
            self._changed.notify_all()

    def server_close(self) -> None:
        super().server_close()
        with self._changed:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._connections, timeout=2)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "SandboxKiwoom"
    sys_version = ""
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        body = self._read_body()
        if body is None:
            return
        if self.path in PATHS:
            bearer = self.headers.get("authorization", "").removeprefix("Bearer ").strip()
            answer = self.server.sandbox.answer(self.path, _json_object(body) or {}, bearer)
            if answer is None:
                self.close_connection = True
            else:
                self._send(answer)
        elif self.path == "/practice/end":
            self._order(self.server.sandbox.end_tokens)
        else:
            self._send(_error(HTTPStatus.NOT_FOUND, "There is no such path."))

    def do_PUT(self) -> None:
        sandbox = self.server.sandbox
        orders: dict[str, tuple[Callable[..., None], str, set[str]]] = {  # the field that is needed, and all
            "/practice/fault": (sandbox.set_fault, "name", {"name", "times", "seconds", "on"}),
            "/practice/lifetime": (sandbox.set_lifetime, "seconds", {"seconds"}),
            "/practice/delay": (sandbox.set_delay, "seconds", {"seconds"}),
        }
        body = self._read_body()
        if body is None:
            return
        if self.path not in orders:
            self._send(_error(HTTPStatus.NOT_FOUND, "There is no such path."))
            return
        order, needed, names = orders[self.path]
        fields = _json_object(body)
        if fields is None or not set(fields) <= names or needed not in fields:
            self._send(_error(HTTPStatus.BAD_REQUEST, f"A JSON object with {', '.join(sorted(names))} is needed."))
        else:
            self._order(lambda: order(**fields))

    def do_DELETE(self) -> None:
        if self._read_body() is None:
            return
        if self.path == "/practice/fault":
            self._order(self.server.sandbox.clear_faults)
        else:
            self._send(_error(HTTPStatus.NOT_FOUND, "There is no such path."))

    def do_GET(self) -> None:
        if self.path == "/practice/requests":
            sandbox = self.server.sandbox
            self._send(json_answer(HTTPStatus.OK, {**sandbox.counts(), "outcomes": sandbox.outcomes()}))
        else:
            self._send(_error(HTTPStatus.NOT_FOUND, "There is no such path."))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Write nothing: this is somebody's terminal."""

    def _order(self, order: Callable[[], None]) -> None:
        try:
            order()
        except InvalidInput as error:
            self._send(_error(HTTPStatus.BAD_REQUEST, str(error)))
        else:
            self._send(json_answer(HTTPStatus.OK, {"done": True}))

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0").strip()
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit() and len(length) < 10):
            self.close_connection = True
            self._send(_error(HTTPStatus.LENGTH_REQUIRED, "A Content-Length is needed."))
            return None
        if int(length) > _MAX_BODY_BYTES:
            self.close_connection = True
            self._send(_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large."))
            return None
        body = self.rfile.read(int(length))
        if "Origin" in self.headers:  # a page in a browser, which posts to any port of this computer
            self._send(_error(HTTPStatus.FORBIDDEN, "Pages in a browser are not served."))
            return None
        return body

    def _send(self, answer: Answer) -> None:
        sandbox = self.server.sandbox
        if answer.wait and not sandbox.pause(answer.wait):
            self.close_connection = True
            return
        head = [
            f"{self.protocol_version} {answer.status} {HTTPStatus(answer.status).phrase}",
            f"Date: {formatdate(sandbox.now() + answer.clock_ahead, usegmt=True)}",
            f"Content-Type: {answer.content_type}",
            f"Content-Length: {len(answer.content)}",
            *(f"{name}: {value}" for name, value in answer.headers),
            *(["Connection: close"] if self.close_connection else []),
        ]
        raw = "\r\n".join(head).encode() + b"\r\n\r\n" + answer.content
        if answer.byte_every is None:
            self.wfile.write(raw)
            return
        released = sandbox.release_signal()
        for at in range(len(raw)):
            self.wfile.write(raw[at : at + 1])
            if not sandbox.pause(answer.byte_every, released):
                self.close_connection = True
                return


def _listen(port: int, sandbox: SandboxKiwoom) -> _Server:
    if not 0 <= port <= 65535:
        raise InvalidInput("The port must be a number from 0 to 65535.")
    try:
        return _Server(port, sandbox)
    except OSError:
        raise InvalidInput(
            "Port {port} of this computer is in use or not allowed. Choose another one.", port=port
        ) from None


def _error(status: HTTPStatus, text: str) -> Answer:
    return json_answer(status, {"error": text})


def _json_object(content: bytes) -> dict[str, Any] | None:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None
