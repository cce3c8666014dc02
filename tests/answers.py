"""An HTTP server on loopback that gives one answer to everything."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Answers:
    """Give the same answer to each POST while it is entered, and keep the requests: line, headers and fields.

    `earlier` answers come first, one for each request. With a `certificate` (its file and that of its key) it speaks
    TLS.
    """

    def __init__(
        self,
        content: bytes = b"",
        status: int = 200,
        headers: Iterable[tuple[str, str]] = (),
        certificate: tuple[Path, Path] | None = None,
        earlier: Iterable[bytes] = (),
    ) -> None:
        still = list(earlier)
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                asked.append((self.requestline, dict(self.headers), json.loads(body)))
                answer = still.pop(0) if still else content
                self.send_response_only(status)
                for name, value in (*headers, ("Content-Length", str(len(answer)))):
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):  # a client may hang up before it has read everything
                    self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """A client that does not trust this server hangs up."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.base_url = f"http://127.0.0.1:{self.port}"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            self.base_url = self.base_url.replace("http:", "https:")

    def __enter__(self) -> Answers:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
