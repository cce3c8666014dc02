"""Kiwoom's addresses, and the connection to one: through the proxy and with the certificates of this computer."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import os
import ssl
from base64 import b64encode
from urllib.parse import unquote, urlsplit

from tray_app.core.errors import InvalidInput

HOSTS = {"real": "https://api.kiwoom.com", "demo": "https://mockapi.kiwoom.com"}


class UnusableProxyError(Exception):
    """The proxy that is named cannot be used. Says nothing more: its address may hold a password."""


def base_url_for(mode: str, override: str | None = None) -> str:
    """Where Kiwoom is for `real` or `demo`; `override`, when it is not empty, goes first.

    Raises `InvalidInput` for another mode or an override that `check_base_url` refuses.
    """
    if mode not in HOSTS:
        raise InvalidInput("The mode must be real or demo.")
    return check_base_url(override) if override else HOSTS[mode]


def check_base_url(url: str) -> str:
    """`url` without blanks and slashes at its end, when keys may be sent there.

    That is https, or http on loopback (127.0.0.0/8, ::1, localhost), without user name, query or fragment.
    Raises `InvalidInput`, which does not repeat the address: it could hold a password.
    """
    text = url.strip()
    if text.isascii() and text.isprintable() and not set(text) & set(" @?#\\%"):
        with contextlib.suppress(ValueError):
            scheme, host, port, path = _parts(text)
            # What is kept is put together from the parts that will be connected to: the two cannot disagree.
            netloc = (f"[{host}]" if ":" in host else host) + ("" if port is None else f":{port}")
            if (
                host
                and port != 0
                and text.lower() == f"{scheme}://{netloc}{path.lower()}"
                and (scheme == "https" or (scheme == "http" and is_loopback(host)))
            ):
                return f"{scheme}://{netloc}{path}".rstrip("/")
    raise InvalidInput(
        "The address of Kiwoom must be https, or http on this computer itself, without user name, query or fragment."
    )


def is_loopback(host: str) -> bool:
    """Whether `host` is this computer itself: 127.0.0.0/8, ::1 or `localhost`."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None


def _parts(url: str) -> tuple[str, str, int | None, str]:
    """Scheme, host, port and path. Raises `ValueError` for an address that is none."""
    parsed = urlsplit(url)
    return parsed.scheme, parsed.hostname or "", parsed.port, parsed.path


def connection_to(base_url: str, timeout: float) -> http.client.HTTPConnection:
    """A connection to `base_url`, as `check_base_url` gave it, not yet made. Its steps end after `timeout` seconds.

    The proxy and the certificates that the system or the environment names are used; on loopback no proxy.
    Raises `UnusableProxyError` and `OSError`.
    """
    scheme, host, port, _ = _parts(base_url)
    if scheme == "http":
        return http.client.HTTPConnection(host, port or 80, timeout=timeout)
    proxy = None if is_loopback(host) else _proxy_for(host)
    if proxy is None:
        return http.client.HTTPSConnection(host, port or 443, timeout=timeout, context=_certificates())
    proxy_host, proxy_port, headers = proxy
    connection = http.client.HTTPSConnection(proxy_host, proxy_port, timeout=timeout, context=_certificates())
    connection.set_tunnel(host, port or 443, headers)
    return connection


def _proxy_for(host: str) -> tuple[str, int, dict[str, str]] | None:
    # Loaded here, because the connection to this computer itself needs none of it.
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    named = proxies.get("https") or proxies.get("all")
    if not named or proxy_bypass(host):
        return None
    try:
        proxy = urlsplit(named if "://" in named else f"http://{named}")
        address = proxy.hostname, proxy.port or 80
    except ValueError:
        raise UnusableProxyError from None
    if proxy.scheme != "http" or not address[0]:
        raise UnusableProxyError
    headers = {}
    if proxy.username:
        login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        headers["Proxy-Authorization"] = "Basic " + b64encode(login.encode()).decode()
    return address[0], address[1], headers


def _certificates() -> ssl.SSLContext:
    """Whom to trust: `SSL_CERT_FILE` and `SSL_CERT_DIR` alone when set, else the system's and Mozilla's.

    The system's know the roots of a company and of a security program that reads along; Mozilla's are there
    where Python finds none of the system (macOS) or not yet the right one (Windows fetches roots when it
    needs them).
    """
    context = ssl.create_default_context()
    if not (os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")):
        import certifi

        context.load_verify_locations(certifi.where())
    return context
