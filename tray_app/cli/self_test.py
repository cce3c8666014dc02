"""`--self-test`: whether a packaged program has everything that it needs, and can use it.

A package may lack what an installation has: a module that is only imported by name, a translation, a plugin, a library.
Everything happens in a temporary folder with the practice Kiwoom, so nothing of the user's is touched. The lines are
for whoever builds packages and are English.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

from tray_app.core.errors import DONE, UNEXPECTED
from tray_app.core.trading import closed_days
from tray_app.system.child_process import (
    child_environment,
    child_folder,
    command_line_program,
    is_frozen,
)
from tray_app.system.windows_programs import find_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Check = Callable[[], str]
    """Returns what it found in a few words, or raises."""

_PATIENCE_SECONDS = 120.0
_OF_EXTRAS = ("redis", "cryptography.fernet", "socksio")
_NOT_IMPORTED = ("__main__",)
_OF_LINUX = ("jeepney", "secretstorage")
"""What only modules for Linux import, and is installed there alone."""

_QT_ROOM = "tray_app.desktop"

_SHOW_ENVIRONMENT = (
    "import os, sys\n"
    "try:\n    import ctypes, sqlite3, ssl\nexcept ImportError as error:\n    sys.exit(str(error))\n"
    "for name, value in os.environ.items():\n    print(f'{name}={value}')\n"
)
"""A library of this program in the place of the system's would fail one of the imports."""


def self_test() -> int:
    """Print a line for each check of the command line; return 0 when all of them succeed, else 1."""
    return run_checks(command_line_checks())


def run_checks(checks: Mapping[str, Check]) -> int:
    """Run the checks, print what came of each, and return an exit status."""
    failed = False
    for name, check in checks.items():
        try:
            line = f"ok {name}: {check()}"
        except Exception as error:  # noqa: BLE001 - the other checks are run all the same
            failed = True
            line = f"FAILED {name}: {type(error).__name__}: {error}"
        if sys.stdout is not None:  # a program without a console has none
            print(line, flush=True)
    return UNEXPECTED if failed else DONE


def command_line_checks() -> dict[str, Check]:
    """Return the checks that need no Qt, by name."""
    return {
        "modules": lambda: import_modules(lambda name: not name.startswith(_QT_ROOM)),
        "packages of the extras": _import_extras,
        "version": _version,
        "translation": _translation,
        "keyring": _keyring,
        "trading days": _trading_days,
        "TLS": _tls,
        "commands": _commands,
    }


def import_modules(is_wanted: Callable[[str], bool]) -> str:
    """Import every wanted module of this program that this system can use, and say how many there are."""
    package = importlib.import_module("tray_app")
    names = [one.name for one in pkgutil.walk_packages(package.__path__, "tray_app.")]
    wanted = [name for name in names if is_wanted(name) and name.rpartition(".")[2] not in _NOT_IMPORTED]
    if not wanted:
        raise LookupError("none was found")
    return f"{sum(map(_import_module, wanted))} imported"


def _import_module(name: str) -> bool:
    """Return False for a module of Linux on another system."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        system: str = sys.platform
        if system == "linux" or (error.name or "").partition(".")[0] not in _OF_LINUX:
            raise
        return False
    return True


def _import_extras() -> str:
    """Import the libraries of the extras: a packaged program has all, an installation those that were asked for."""
    found = []
    for name in _OF_EXTRAS:
        with contextlib.nullcontext() if is_frozen() else contextlib.suppress(ImportError):
            importlib.import_module(name)
            found.append(name)
    return ", ".join(found) or "none"


def _version() -> str:
    from tray_app.system.version import library_versions, program_version

    versions = library_versions()
    missing = [name for name in ("httpx", "keyring") if not versions[name]]
    if program_version() == "?" or missing:
        raise LookupError(f"no metadata of {missing or 'this program'}")
    return program_version()


def _translation() -> str:
    from tray_app.core.language import msg
    from tray_app.system.locale import korean_catalogue

    sentence = msg("There was no token.")
    korean = korean_catalogue().gettext(sentence)
    if korean == sentence:
        raise LookupError("the Korean catalogue is missing")
    return korean.encode("ascii", "backslashreplace").decode()  # whatever letters the output has


def _trading_days() -> str:
    """Look for the exchange's holidays: a packaged program has the file, an installation the package that writes it."""
    from tray_app.service.exchange_calendar import has_holidays_package, holidays_problem, install_holidays

    now = time.time()
    if is_frozen():
        install_holidays(now)
        known = closed_days()
        if known is None or holidays_problem(now):
            raise LookupError("the exchange's holidays are not there")
        return f"known until {known.last.isoformat()}"
    if not has_holidays_package():
        raise LookupError("the package holidays is not installed")
    return "the package is there"


def _keyring() -> str:
    from tray_app.stores.keyring_client import platform_backend_name

    return platform_backend_name()


def _tls() -> str:
    """Ask a server with a certificate made for it: it is accepted if that is trusted, and refused if it is not."""
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder, _https_server(Path(folder)) as (url, certificate):
        status = _status_of(url, certificate)
        try:
            _status_of(url, None)
        except Exception as error:
            if "certificate" not in str(error).lower():
                raise
            return f"status {status} with the certificate, refused without it"
    raise AssertionError("a certificate that nobody signed was accepted")


def _status_of(url: str, certificate: str | None) -> int:
    from tray_app.kiwoom.http_client import open_client, tls_context

    with _environment(SSL_CERT_FILE=certificate, SSL_CERT_DIR=None):
        context = tls_context(url)
        with open_client(url, context, timeout=10.0, connect_timeout=10.0) as client:
            return client.get(url).status_code


@contextlib.contextmanager
def _environment(**values: str | None) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    try:
        _set(values)
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextlib.contextmanager
def _https_server(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the address of a server on loopback, and the file of its certificate."""
    import ssl
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Server(HTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing: that a client refuses the certificate is what is wanted."""

    class Empty(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    certificate, key = _make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Server(("127.0.0.1", 0), Empty) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"https://127.0.0.1:{server.server_port}", str(certificate)
        finally:
            server.shutdown()


def _make_certificate(folder: Path) -> tuple[Path, Path]:
    """Create a certificate for 127.0.0.1 that is valid for a day; return its file and that of its key."""
    import ipaddress
    from datetime import datetime, timedelta, timezone

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "self-test")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


def _commands() -> str:
    """Run `get`, `exec` with the system's own Python and a clean environment, `history` and `doctor` as programs."""
    import json

    from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom

    with tempfile.TemporaryDirectory() as folder, SandboxKiwoom() as sandbox:
        places = {f"KIWOOM_TRAY_{name}_DIR": os.path.join(folder, name.lower()) for name in ("DATA", "CONFIG", "STATE")}
        environ = {
            **child_environment(os.environ),
            **places,
            "KIWOOM_TRAY_STORE": "file",
            "KIWOOM_TRAY_BASE_URL": sandbox.base_url,
            "KIWOOM_MODE": "demo",
            "APP_KEY_MOCK": SANDBOX_APP_KEY,
            "APP_SECRET_MOCK": SANDBOX_APP_SECRET,
            "PYTHONUTF8": "1",
        }
        environ.pop("KIWOOM_PROFILE", None)
        token = _printed(environ, "get")
        if not token.endswith(b"\n") or token.endswith(b"\r\n") or len(token.split()) != 1:
            raise AssertionError("get does not print one line that ends with LF")
        program, *arguments = _program_of_the_system()
        _check_environment(_printed(environ, "exec", "--", program, *arguments).decode("utf-8", "replace"))
        if not json.loads(_printed(environ, "history", "--json")):
            raise AssertionError("the history is empty")
        findings = json.loads(_printed(environ, "doctor", "--json", status=None))
        wrong = [one for one in findings if one["name"] in {"program", "python", "libraries"} and not one["good"]]
        if wrong or len(findings) < 8:
            raise AssertionError(f"doctor: {wrong or findings}")
    return f"get, exec ({program}), history, doctor"


def _printed(environ: Mapping[str, str], *words: str, status: int | None = DONE) -> bytes:
    ran = subprocess.run(
        [*command_line_program(), *words],
        env=dict(environ),
        cwd=child_folder(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    if status is not None and ran.returncode != status:
        told = ran.stderr.decode("utf-8", "replace").strip()
        raise AssertionError(f"{words[0]} ended with {ran.returncode}: {told[-300:]}")
    return ran.stdout


def _program_of_the_system() -> list[str]:
    """Return a command that prints its environment: with a Python that is not this program's own where there is one."""
    if not is_frozen():
        return [sys.executable, "-I", "-c", _SHOW_ENVIRONMENT]
    python = next((found for name in ("python3", "python") if (found := _found(name))), "")
    if python:
        return [python, "-I", "-c", _SHOW_ENVIRONMENT]
    return ["cmd.exe", "/d", "/c", "set"] if sys.platform == "win32" else ["/usr/bin/env"]


def _found(program: str) -> str:
    """Return the path of a program of the system; on Windows `which` would look in the working folder first."""
    if sys.platform == "win32":
        return find_program(program, os.environ)
    from shutil import which

    return which(program) or ""


def _check_environment(printed: str) -> None:
    """Raise an error where `exec` does not give its command the token, or what only a packaged program's own processes
    may have."""
    if "KIWOOM_ACCESS_TOKEN=" not in printed:
        raise AssertionError("exec gives its command no token")
    if is_frozen() and ("_PYI_" in printed or os.path.normcase(sys.prefix) in os.path.normcase(printed)):
        raise AssertionError("exec gives its command what belongs to this program alone")
