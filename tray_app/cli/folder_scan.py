"""`doctor --look-in`: app keys and tokens that other programs have left in a folder, and what to do about them.

Files are opened for reading and never run. What is in them is neither printed nor kept: a finding is a path, and what
kind of thing is there.
"""

from __future__ import annotations

import json
import os
import re
import time
from typing import TYPE_CHECKING

from tray_app.cli.finding import Finding
from tray_app.core.decoding import decode_text
from tray_app.core.language import msg, tr
from tray_app.settings.places import is_same_path, is_token_file
from tray_app.system.private_files import read_regular
from tray_app.system.user_folders import absolute_path, expand_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tray_app.settings.load import Settings

SCAN_SECONDS = 10.0
MAX_FILES = 20_000
_MAX_BYTES = 1_000_000
_MAX_DEPTH = 8

_NAME = msg("found")

PORTAL_FILE = msg(
    "an app key or secret as Kiwoom's portal gives it. Store both files with kiwoom-token login --from, then delete "
    "them."
)
KEYS = msg(
    "an app key or secret in plain text. Store it with kiwoom-token login (from a .env: login --from), take it out of "
    "this file, and if the file was ever shared or committed, issue new keys at openapi.kiwoom.com."
)
SEED_TOKEN = msg(
    "a token of another token manager. To let both use one, set data_dir to {folder} and share_token_file to true with "
    "kiwoom-token config set."
)
BOT_TOKEN = msg(
    "a bot's own token. Switch off the bot's own issuing, and let this program write the file: kiwoom-token config set "
    "share_bot_file {path}"
)
KWCLI_TOKEN = msg("a token cache of kiwoomcli. Share one token with it: kiwoom-token config set share_kwcli true")
ISSUES_ITSELF = msg("a program that issues tokens itself. Let it use this program's: docs/migration.md says how.")

_PORTAL_NAME = re.compile(r"(?i)(?:[0-9]{4,12}_)?((?:appkey|secretkey)(?: ?\([0-9]+\))?\.txt)")
"""A browser saves a second download as `12345678_appkey (1).txt`."""

_TEXT_ENDS = (
    *(".py", ".ipynb", ".js", ".mjs", ".cjs", ".ts", ".cs", ".vb", ".bas", ".java", ".go", ".rs"),
    *(".sh", ".bat", ".cmd", ".ps1"),
    *(".json", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".properties", ".xml", ".txt"),
    *(".env", ".token"),
)
_SKIPPED_FOLDERS = frozenset({"node_modules", "site-packages", "dist-packages", "__pycache__", ".git", ".tox"})
_KEY_LINE = re.compile(
    r"""(?imx) ["']? \b \w*? (?: app_?key | app_?secret | secret_?key ) (?: _\w+ )? ["']? \s* [=:] \s* ["']?
    [A-Za-z0-9_\-]{30,} (?: ["'\s,;}] | $ )"""
)
"""Kiwoom's keys have 43 characters of the base64url alphabet; a name or a call in their place is shorter or has a dot
or a bracket."""

_ENDPOINT = "/oauth2/token"


def scan_folder(folder: str, settings: Settings | None) -> Iterator[Finding]:
    """Yield a finding for each file in `folder` that holds keys or a token of its own, or issues one.

    The places that `settings` name are this program's and no finding. Links are not followed. Ends after `MAX_FILES`
    files or `SCAN_SECONDS`, and says so.
    """
    folder = absolute_path(expand_user(folder))
    if not os.path.isdir(folder):
        told = tr("{path} is not a folder.", path=folder) if os.path.exists(folder) else tr("The folder was not found.")
        yield Finding(_NAME, told, good=False)
        return
    count, found = 0, 0
    end = time.monotonic() + SCAN_SECONDS
    for path in _files(folder):
        if count >= MAX_FILES or time.monotonic() > end:
            told = tr(
                "{path}: only the first {count} files were looked at. Name a smaller folder.", path=folder, count=count
            )
            yield Finding(_NAME, told, good=False)
            return
        count += 1
        kind = None if _is_own(path, settings) else _kind_of(path)
        if kind is not None:
            found += 1
            yield Finding(_NAME, _told(path, kind), good=False)
    if not found:
        told = tr(
            "{path}: no app keys and no tokens of other programs (files looked at: {count})", path=folder, count=count
        )
        yield Finding(_NAME, told, good=True)


def _told(path: str, kind: str) -> str:
    folder, name = os.path.split(path)
    portal = _PORTAL_NAME.fullmatch(name)
    shown = os.path.join(folder, f"…_{portal[1]}") if portal else path  # the name begins with the account number
    return f"{shown}: {tr(kind, path=path, folder=folder)}"


def _files(folder: str) -> Iterator[str]:
    """Yield what may be worth reading, in the order of its path."""
    for top, folders, names in os.walk(folder):  # which follows no links
        depth = os.path.relpath(top, folder).count(os.sep)
        is_virtual_environment = "pyvenv.cfg" in names
        is_entered = depth < _MAX_DEPTH and not is_virtual_environment
        folders[:] = sorted(one for one in folders if is_entered and one not in _SKIPPED_FOLDERS)
        yield from (os.path.join(top, one) for one in sorted(names) if _is_read(one))


def _is_read(name: str) -> bool:
    return name.startswith(".env") or name.lower().endswith(_TEXT_ENDS)


def _is_own(path: str, settings: Settings | None) -> bool:
    if settings is None or not settings.is_usable:
        return False
    shared = settings.share_bot_file
    return is_token_file(path, settings.data_dir) or bool(shared and is_same_path(path, shared))


def _kind_of(path: str) -> str | None:
    """Return the sentence about what is in the file, or None."""
    try:
        content, _ = read_regular(path, _MAX_BYTES, follow_links=False)
    except OSError:  # another user's, a pipe, gone meanwhile
        return None
    text = decode_text(content, "replace")
    del content
    if _PORTAL_NAME.fullmatch(os.path.basename(path)) and text.strip():
        return PORTAL_FILE
    kind = _kind_of_token(text)
    if kind is not None:
        return kind
    if _KEY_LINE.search(text):
        return KEYS
    return ISSUES_ITSELF if _ENDPOINT in text and not path.lower().endswith((".txt", ".json", ".xml")) else None


def _kind_of_token(text: str) -> str | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    if {"access_token", "credential_fingerprint"} <= fields.keys():
        return KWCLI_TOKEN
    if {"access_token", "expires_at"} <= fields.keys():
        return SEED_TOKEN
    return BOT_TOKEN if {"token", "expires_dt"} <= fields.keys() else None
