"""A sandbox Kiwoom on loopback: it issues, revokes and answers like the real one, and fails on demand.

It follows the Kiwoom REST API guide (au10001, au10002, ka00001, ka10001) and what public projects measured on the live
servers: while a token is valid, issuing again returns the same one; a failure is HTTP 200 with a `return_code` other
than 0. `SandboxKiwoom.behaviour` switches to what else has been seen or may happen. Its tokens are random and worth
nothing, and it never opens a connection itself.

Besides Kiwoom's own paths it takes orders under `/practice/`:

    PUT    /practice/fault     {"name": "8030", "times": 1 or null, "seconds": 0.5, "on": "issue"|"revoke"|"rest"|null}
    DELETE /practice/fault
    PUT    /practice/lifetime  {"seconds": 86400}     of the tokens issued from now on
    PUT    /practice/delay     {"seconds": 0.2}       before an issue is answered
    POST   /practice/end                              every token becomes invalid now
    GET    /practice/requests                         how many requests came, and how each was answered
"""

from tray_app.kiwoom.sandbox.faults import FAULTS
from tray_app.kiwoom.sandbox.rules import Behaviour
from tray_app.kiwoom.sandbox.server import (
    DEFAULT_LIFETIME_SECONDS,
    SANDBOX_APP_KEY,
    SANDBOX_APP_SECRET,
    SandboxKiwoom,
    serve,
)

__all__ = [
    "DEFAULT_LIFETIME_SECONDS",
    "FAULTS",
    "SANDBOX_APP_KEY",
    "SANDBOX_APP_SECRET",
    "Behaviour",
    "SandboxKiwoom",
    "serve",
]
