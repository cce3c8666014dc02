"""The httpx client for one request to Kiwoom: proxies, certificates and time limits.

httpx and truststore are imported inside the functions, because a program that only reads a stored token needs neither.
"""

from __future__ import annotations

import logging
import os
import ssl
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tray_app.core.errors import Remedy, SettingsError
from tray_app.core.language import msg
from tray_app.core.pasted import variable
from tray_app.kiwoom.endpoints import is_loopback
from tray_app.system.private_files import open_regular

if TYPE_CHECKING:
    import httpx

_BUNDLES_OF_LINUX = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where the distributions keep their certificates, as truststore looks for them."""


def open_client(base_url: str, context: ssl.SSLContext, *, timeout: float, connect_timeout: float) -> httpx.Client:
    """Return a client for `base_url` (as `check_base_url` returned it) that follows no redirect.

    Proxies come from the environment and the system by httpx's rules; a loopback address is never asked through one.
    `timeout` bounds each read and write, `connect_timeout` each connection attempt, in seconds.
    Raises `SettingsError` when a proxy setting cannot be used.
    """
    import httpx

    logging.getLogger("httpcore.socks").addFilter(_has_no_login)
    try:
        return httpx.Client(
            verify=context,
            trust_env=not is_loopback(urlsplit(base_url).hostname or ""),
            timeout=httpx.Timeout(timeout, connect=connect_timeout),
            follow_redirects=False,
        )
    except ImportError:
        from tray_app.system.extras import install_command

        raise SettingsError(
            "The proxy of this computer is a SOCKS proxy. To use it: {command}",
            remedy=Remedy.RETRY,
            command=install_command("socks"),
        ) from None
    except (ValueError, httpx.InvalidURL):
        raise unusable_proxy() from None


def _has_no_login(record: logging.LogRecord) -> bool:
    # WORKAROUND: httpcore (seen in 1.0.9) logs a SOCKS proxy's user name and password at DEBUG, before it logs in.
    # Delete once httpcore leaves both out.
    return "setup_socks5_connection.started" not in record.getMessage()


def unusable_proxy() -> SettingsError:
    """Return the error for a proxy setting that makes no sense. It does not repeat it: it may hold a password."""
    return SettingsError(
        "The proxy settings of this computer cannot be used. Correct or remove HTTPS_PROXY, ALL_PROXY and NO_PROXY.",
        remedy=Remedy.RETRY,
    )


def tls_context(base_url: str) -> ssl.SSLContext:
    """Return the TLS settings for `base_url`: which certificates are trusted.

    `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the certificates of the operating system when they are set, as everywhere
    with httpx and OpenSSL. Raises `SettingsError` when they name nothing that can be read.
    """
    if not base_url.startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # plain HTTP on loopback: trusts nobody, and is loaded fast
    file, folder = variable(os.environ, "SSL_CERT_FILE"), variable(os.environ, "SSL_CERT_DIR")
    if file or folder:
        return _context_from(file, folder)
    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not _has_system_certificates():
        import certifi  # a bare container image has no certificates of its own

        context.load_verify_locations(certifi.where())
    return context


def _context_from(file: str, folder: str) -> ssl.SSLContext:
    if folder and not any(os.path.isdir(each) for each in folder.split(os.pathsep)):
        raise SettingsError(
            "SSL_CERT_DIR names a folder that does not exist: {path}. Correct or remove the variable.",
            remedy=Remedy.RETRY,
            path=folder,
        )
    try:
        if file:
            os.close(open_regular(file))  # OpenSSL would wait for a pipe
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    except FileNotFoundError:
        sentence = msg("SSL_CERT_FILE names a file that does not exist: {path}. Correct or remove the variable.")
    except ssl.SSLError:
        sentence = msg("SSL_CERT_FILE names a file without certificates: {path}. Correct or remove the variable.")
    except OSError:
        sentence = msg("SSL_CERT_FILE names a file that cannot be read: {path}. Correct or remove the variable.")
    raise SettingsError(sentence, remedy=Remedy.RETRY, path=file)


def _has_system_certificates() -> bool:
    if sys.platform in {"win32", "darwin"}:
        return True
    paths = ssl.get_default_verify_paths()
    if paths.cafile or any(map(os.path.isfile, _BUNDLES_OF_LINUX)):
        return True
    return bool(paths.capath and os.listdir(paths.capath))
