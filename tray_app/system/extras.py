"""The packages that the base install leaves out, and the command that adds them to the install which runs here.

No command names the distribution itself: what a registry offers under that name need not be this program.
"""

from __future__ import annotations

import importlib.util
import os
import sys

PIPX_NAME = "kiwoom-token-tray"

_QT = "PySide6-Essentials>=6.8,<6.12" if sys.version_info < (3, 12) else "PySide6-Essentials>=6.8"
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
    if os.path.exists(os.path.join(sys.prefix, "pipx_metadata.json")):
        return f"pipx inject {PIPX_NAME} {requirements}"
    if importlib.util.find_spec("pip") is None:  # an environment that uv made
        return f"uv pip install --python {_quoted(sys.executable)} {requirements}"
    return f"{_quoted(sys.executable)} -m pip install {requirements}"


def _quoted(path: str) -> str:
    if sys.platform == "win32":
        return f'"{path}"' if " " in path else path
    from shlex import quote

    return quote(path)
