"""`sandbox`: a practice Kiwoom on loopback."""

from __future__ import annotations

from tray_app.core.errors import DONE


def sandbox(port: int, lifetime: float) -> int:
    """Serve until Ctrl+C; `port` 0 takes a free one, tokens are valid for `lifetime` seconds."""
    from tray_app.kiwoom.sandbox import serve

    serve(port, lifetime, lambda line: print(line, flush=True))
    return DONE
