"""What a trader waits for at a prompt: whole programs, from their start to their end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests import ROOT
from tests.bench.timing import Figure, programs_in_turn

KWCLI_VARIABLE = "KIWOOM_TRAY_KWCLI_PYTHON"
"""The Python that has `kwcli`, which needs a newer one than this program does."""

_CODE = "import sys; sys.path.insert(0, {root!r}); from tray_app.cli.main import run; run()"
_MILLI = 1e3


def environment_in(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment in which everything of ours lies below `folder`, and nothing of the user's is used."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP", "LANG") if name in os.environ}
    return {
        **kept,
        "HOME": str(folder),
        "KIWOOM_TRAY_DATA_DIR": str(folder / "data"),
        "KIWOOM_TRAY_CONFIG_DIR": str(folder / "config"),
        "KIWOOM_TRAY_STATE_DIR": str(folder / "state"),
        "KIWOOM_TRAY_STORE": "file",
        "APP_KEY": "key-of-the-benchmark",
        "APP_SECRET": "secret-of-the-benchmark",
        **more,
    }


def command(*words: str) -> list[str]:
    """Return what runs `kiwoom-token` of this checkout, as its installed script does."""
    return [sys.executable, "-I", "-c", _CODE.format(root=str(ROOT)), *words]


def figures() -> Iterator[Figure]:
    """Yield the figures of whole programs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = environment_in(folder)
        with_settings = environment_in(folder, KIWOOM_TRAY_CONFIG_DIR=str(folder / "with-settings"))
        for words in ("policy", "auto"), ("warn_before", "30m, 10m, 5m"):
            subprocess.run(command("config", "set", *words), env=with_settings, stdout=subprocess.DEVNULL, check=True)
        _store_token(folder, plain)
        peers = _peers()
        commands = {
            "bare Python": [sys.executable, "-I", "-c", "pass"],
            "get": command("get"),
            "get with a settings file": command("get"),
            **peers,
        }
        environments: Mapping[str, Mapping[str, str]] = {
            name: with_settings if name == "get with a settings file" else plain for name in commands
        }
        taken = programs_in_turn(commands, environments=environments, folder=folder, peers=peers)
    for ours in ("get", "get with a settings file"):
        for peer in ("bare Python", "keyring", "kiwoomcli auth status"):
            goal = "≤ 2.5" if peer == "bare Python" else ""
            found = taken.get(peer)
            yield Figure(
                f"`kiwoom-token {ours}`, whole process, file store",
                taken[ours] * _MILLI,
                peer,
                None if found is None else found * _MILLI,
                "ms",
                goal,
            )


def _store_token(folder: Path, environment: Mapping[str, str]) -> None:
    (folder / "data").mkdir()
    subprocess.run(
        command("set", "--expires-in", "80000"),
        env=environment,
        input=b"token-of-the-benchmark",
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _peers() -> dict[str, list[str]]:
    peers = {"keyring": [sys.executable, "-I", "-c", "import keyring"]}
    kwcli = os.environ.get(KWCLI_VARIABLE, "")
    program = str(Path(kwcli).with_name("kiwoomcli")) if kwcli else shutil.which("kiwoomcli")
    if program and os.path.exists(program):
        peers["kiwoomcli auth status"] = [program, "auth", "status"]
    return peers
