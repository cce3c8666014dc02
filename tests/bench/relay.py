"""Passing TCP connections on, so that a server on loopback can be reached from another network namespace."""

from __future__ import annotations

import contextlib
import socket
import threading

Address = tuple[str, int]


def relay_in_background(listen: Address, target: Address) -> None:
    """Pass every connection to `listen` on to `target`, until this process ends."""
    server = socket.create_server(listen)
    threading.Thread(target=_accept, args=(server, target), daemon=True).start()


def _accept(server: socket.socket, target: Address) -> None:
    while True:
        near, _ = server.accept()
        far = socket.create_connection(target)
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
