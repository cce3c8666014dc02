"""The packages that the base install leaves out, and the commands that add or update packages of the install here.

No command names the distribution itself: what a registry offers under that name need not be this program.
"""

from __future__ import annotations

import importlib.util
import os
import sys

PIPX_NAME = "kiwoom-token-tray"

_OLDEST_QT = "6.11.3" if sys.platform == "darwin" else "6.8"
_QT = f"PySide6-Essentials>={_OLDEST_QT}{',<6.12' if sys.version_info < (3, 12) else ''}"
_NOTICES = {"linux": [], "win32": ["desktop-notifier>=6.2,<7", "winrt-runtime>=3.1,<4"]}

EXTRAS = {
    "tray": [_QT, *_NOTICES.get(sys.platform, ["desktop-notifier>=6.2,<7"])],
    "redis": ["redis>=5.2"],
    "encryption": ["cryptography>=42"],
    "socks": ["socksio>=1,<2"],
}
"""What each extra of `pyproject.toml` adds on this system."""


def has_qt() -> bool:
    """Return whether the packages of the tray program are installed; the base install has none of them."""
    return importlib.util.find_spec("PySide6") is not None


def install_command(extra: str) -> str:
    """Return a command that adds the packages of an extra to the Python which runs this program."""
    requirements = " ".join(f'"{one}"' for one in EXTRAS[extra])
    return f"pipx inject {PIPX_NAME} {requirements}" if _is_of_pipx() else _install(requirements)


def upgrade_command(distribution: str) -> str:
    """Return a command that brings a distribution up to date in the Python which runs this program."""
    what = f"--upgrade {distribution}"
    return f"pipx runpip {PIPX_NAME} install {what}" if _is_of_pipx() else _install(what)


def _install(what: str) -> str:
    if importlib.util.find_spec("pip") is None:  # an environment that uv made
        return f"uv pip install --python {_quoted(sys.executable)} {what}"
    return f"{_quoted(sys.executable)} -m pip install {what}"


def _is_of_pipx() -> bool:
    return os.path.exists(os.path.join(sys.prefix, "pipx_metadata.json"))


def _quoted(path: str) -> str:
    if sys.platform == "win32":
        return f'"{path}"' if " " in path else path
    from shlex import quote

    return quote(path)
