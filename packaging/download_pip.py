"""Download pip where a Python has neither pip nor ensurepip, as on a bare Debian: download_pip.py FOLDER

Takes the newest pip wheel for this Python from the package index (PEP 691), the one of pip's own settings, checks its
hash and prints its name. Prints why in one line and exits with 1 where that fails, with 2 where nothing answers. Needs
nothing but Python.
"""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import re
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

_TIMEOUT_SECONDS = 60


def main(folder: str) -> int:
    try:
        name, content = download_pip()
        Path(folder, name).write_bytes(content)
    except (OSError, ValueError, LookupError, configparser.Error) as error:
        host = [f"{urllib.parse.urlsplit(index_url()).hostname}:"] if is_offline(error) else []
        print(*host, *str(error.reason if isinstance(error, urllib.error.URLError) else error).split())
        return 2 if is_offline(error) else 1
    print(name)
    return 0


def is_offline(error: Exception) -> bool:
    """Return whether nothing answered: no name was found, no connection was made, or no byte came in time."""
    if isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError):
        return isinstance(error.reason, OSError) and not isinstance(error.reason, ssl.SSLError)
    return isinstance(error, TimeoutError | ConnectionError)


def download_pip() -> tuple[str, bytes]:
    """Return the wheel's file name and its content. Raises `OSError`, `ValueError`, `LookupError` or
    `configparser.Error`."""
    index = index_url()
    if not index.startswith("https://") or "@" in index:
        raise ValueError("pip's index-url has a login, or is not https")
    context = ssl.create_default_context(cafile=pip_setting("cert") or None)
    web = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
    web.addheaders = [("Accept", "application/vnd.pypi.simple.v1+json")]
    page = index.rstrip("/") + "/pip/"
    try:
        files = json.load(web.open(page, timeout=_TIMEOUT_SECONDS))["files"]
    except (ValueError, LookupError, TypeError):
        raise ValueError(f"{page} does not answer with JSON as PEP 691 says") from None
    wheels = []
    for file in files:
        release = re.fullmatch(r"pip-(\d+(?:\.\d+)*)-py3-none-any\.whl", file["filename"])
        oldest = re.fullmatch(r">=\s*3\.(\d+)", file.get("requires-python") or ">=3.0")
        if release and oldest and int(oldest[1]) <= sys.version_info[1] and not file.get("yanked"):
            wheels.append(([*map(int, release[1].split("."))], release[0], file["url"], file["hashes"]["sha256"]))
    if not wheels:
        raise LookupError(f"{page} lists no pip for this Python")
    _, name, url, sha256 = max(wheels)
    content: bytes = web.open(urllib.parse.urljoin(page, url), timeout=_TIMEOUT_SECONDS).read()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{name} does not have the sha256 that the index gives")
    return name, content


def index_url() -> str:
    return pip_setting("index-url") or "https://pypi.org/simple"


def pip_setting(name: str) -> str:
    """Return one of pip's settings, such as "index-url": from the environment, else from pip's files on Linux."""
    own = [os.path.expanduser("~/.pip/pip.conf"), os.path.expanduser("~/.config/pip/pip.conf")]
    chosen = os.environ.get("PIP_CONFIG_FILE")
    files = configparser.RawConfigParser()
    files.read([chosen] if chosen else ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", *own], "utf-8")
    found = [files.get(section, name, fallback="") for section in ("install", "global")]
    return os.environ.get("PIP_" + name.upper().replace("-", "_")) or found[0] or found[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
