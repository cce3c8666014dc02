"""Ports on which nobody listens, and which nobody is given meanwhile."""

from __future__ import annotations

import random
import socket

_BELOW_THOSE_OF_THE_SYSTEM = range(20_000, 32_000)
"""Every connection, and whoever listens at port 0, is given one above, also between a question for a free one and the
start of the server that is to have it."""


def free_port() -> int:
    """Return a port of this computer at which nobody listens."""
    while True:
        port = random.SystemRandom().choice(_BELOW_THOSE_OF_THE_SYSTEM)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
