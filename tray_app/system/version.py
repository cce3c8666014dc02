"""The versions in use here. For `--version` and `doctor` alone: reading them takes longer than `get`."""

from __future__ import annotations

import os
import re
import sys

from tray_app.system.child_process import PACKAGE_FOLDER

DISTRIBUTION = "kiwoom-token-tray"
LIBRARIES = {
    "httpx": "httpx",
    "keyring": "keyring",
    "Qt": "PySide6-Essentials",
    "holidays": "holidays",
    "redis": "redis",
    "cryptography": "cryptography",
    "certifi": "certifi",
    "jeepney": "jeepney",
    "SecretStorage": "SecretStorage",
    "desktop-notifier": "desktop-notifier",
}
"""What people call each library, and its distribution."""


def program_version() -> str:
    """Return the version of this program: that of the checkout it runs from, else of the installed package."""
    return checkout_version(os.path.dirname(PACKAGE_FOLDER)) or library_version(DISTRIBUTION) or "?"


def checkout_version(folder: str) -> str:
    """Return the version of this program's checkout in a folder; an empty text where another project or none is."""
    try:
        with open(os.path.join(folder, "pyproject.toml"), encoding="utf-8") as file:
            project = dict(re.findall(r'^(name|version) = "([^"]+)"$', file.read(), re.MULTILINE))
    except (OSError, ValueError):
        return ""
    return project.get("version", "") if project.get("name") == DISTRIBUTION else ""


def library_version(distribution: str) -> str:
    """Return the version of a distribution without importing it; an empty text when it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that may matter for a bug; an empty text for one that is not installed."""
    return {name: library_version(distribution) for name, distribution in LIBRARIES.items()}


def system_version() -> str:
    """Return the name and version of the operating system, without the functions of `platform` that may hang."""
    if sys.platform == "win32":
        windows = sys.getwindowsversion()
        return f"Windows {'.'.join(map(str, windows.platform_version or windows[:3]))}"
    if sys.platform == "darwin":
        import platform

        return f"macOS {platform.mac_ver()[0]} ({os.uname().machine})"
    kernel = os.uname()
    try:
        import platform

        name = platform.freedesktop_os_release().get("PRETTY_NAME", kernel.sysname)
    except OSError:
        name = kernel.sysname
    return f"{name} (Linux {kernel.release}, {kernel.machine})"
