"""The addresses of Kiwoom's REST API, and the rule for where app keys may be sent. Which requests of a program get the
token: `tray_app/api/httpx_auth.py`.

Source: the Kiwoom REST API guide. `real` is real trading (실전투자), `demo` mock trading (모의투자).
"""

from __future__ import annotations

import contextlib
import ipaddress
from urllib.parse import urlsplit

from tray_app.core.errors import InvalidInput

HOSTS = {"real": "https://api.kiwoom.com", "demo": "https://mockapi.kiwoom.com"}


def base_url_for(mode: str, override: str | None = None) -> str:
    """Return Kiwoom's base URL for `real` or `demo`, or `override` unless it is empty.

    Raises `InvalidInput` for another mode, or for an override that `check_base_url` refuses.
    """
    if mode not in HOSTS:
        raise InvalidInput("The mode must be real or demo.")
    return check_base_url(override) if override else HOSTS[mode]


def check_base_url(url: str) -> str:
    """Return `url` without surrounding blanks and trailing slashes if app keys may be sent there.

    That is https, or http to a loopback address (127.0.0.0/8, ::1, localhost), without user name, query or
    fragment. Raises `InvalidInput` otherwise; its text does not repeat the URL, which could hold a password.
    """
    text = url.strip()
    if text.isascii() and text.isprintable() and not set(text) & set(" @?#\\%"):
        with contextlib.suppress(ValueError):
            parsed = urlsplit(text)
            scheme, host, port, path = parsed.scheme, parsed.hostname or "", parsed.port, parsed.path
            # The result is rebuilt from the parsed parts, so that no other parser can read another host in it.
            netloc = (f"[{host}]" if ":" in host else host) + ("" if port is None else f":{port}")
            if (
                host
                and port != 0
                and text.lower() == f"{scheme}://{netloc}{path.lower()}"
                and (scheme == "https" or (scheme == "http" and is_loopback(host)))
            ):
                return f"{scheme}://{netloc}{path}".rstrip("/")
    raise InvalidInput(
        "KIWOOM_TRAY_BASE_URL must be https, or http on this computer itself (127.0.0.1, localhost), without user "
        "name, query or fragment."
    )


def is_loopback(host: str) -> bool:
    """Return True if `host` is this computer: 127.0.0.0/8, ::1 or `localhost`."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None
