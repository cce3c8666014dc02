"""A keyring in a file, so that several processes share one. The programs set it as a host program does."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import keyring.core
from keyring.backend import KeyringBackend

if TYPE_CHECKING:
    import pytest


class FileKeyring(KeyringBackend):
    """`FILE_KEYRING` names its file. While a file of that name and `.broken` is there, every call fails."""

    priority = -1  # no program chooses it by itself

    def get_password(self, service: str, username: str) -> str | None:
        return self._entries().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._keep(self._entries() | {f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        entries = self._entries()
        del entries[f"{service}/{username}"]
        self._keep(entries)

    def _entries(self) -> dict[str, str]:
        if self._path.with_name(self._path.name + ".broken").exists():
            raise RuntimeError("broken")
        return json.loads(self._path.read_text()) if self._path.exists() else {}

    def _keep(self, entries: dict[str, str]) -> None:
        new = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        new.write_text(json.dumps(entries))
        new.replace(self._path)

    @property
    def _path(self) -> Path:
        return Path(os.environ["FILE_KEYRING"])


def use_file_keyring(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let this process, and those that are started with `PYTHON_PATH`, use a keyring in a file of the folder."""
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    monkeypatch.setenv("FILE_KEYRING", str(folder / "keyring.json"))
    monkeypatch.setattr(keyring.core, "_keyring_backend", FileKeyring())
