"""The state folder, where lock and change marker are, on a real disk without room: no program ends by it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes.conftest import PYTHON_PATH
from tests.processes.file_keyring import use_file_keyring
from tray_app.kiwoom.sandbox import SandboxKiwoom

IN_A_NAMESPACE_OF_ITS_OWN = """
import os, subprocess, sys
folder, room, *command = sys.argv[1:]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", folder], check=True)
state = os.path.join(folder, "kiwoom-token-tray")
if room != "empty":
    os.mkdir(state, 0o700)
    with open(os.open(os.path.join(state, "default.signal"), os.O_RDWR | os.O_CREAT, 0o600), "r+b") as marker:
        if room == "sparse":
            marker.truncate(16)
        elif room == "whole":
            marker.write(bytes(range(1, 9)) + bytes(8))
with open(os.path.join(folder, "ballast"), "wb", buffering=0) as ballast:
    try:
        while ballast.write(b"x" * 4096):
            pass
    except OSError:
        pass
os.execvp(command[0], command)
"""

A_BOT = """
import json, logging, subprocess, sys
logging.basicConfig(level=logging.ERROR)
import tray_app
from tray_app import token_manager

found = {"at first": token_manager.get_token()}
token_manager.set_token("of-this-program", 86400)
found["set here"] = [token_manager.get_token() for _ in range(3)]
other = "from tray_app import token_manager; token_manager.set_token('of-another', 86400)"
for name in ("of-another", "of-a-third"):
    subprocess.run([sys.executable, "-c", other.replace("of-another", name)], check=True)
    found[name] = token_manager.get_token()
token_manager.clear_token()
found["cleared"] = token_manager.get_token()
issued = token_manager.ensure_token()
found["issued"] = [token_manager.ensure_token(), token_manager.get_token()] == [issued, issued]
run = lambda *words: subprocess.run([sys.executable, "-m", "tray_app.cli.main", *words], capture_output=True, text=True)
refreshed = run("refresh")
found["refresh"] = refreshed.returncode
found["refreshed"] = run("get").stdout.strip() == token_manager.get_token() != None
print(json.dumps(found))
"""


def in_namespace(*command: str) -> list[str]:
    """The command with mounts of its own."""
    for options in (["--mount"], ["--user", "--map-root-user", "--mount"]):
        start = ["unshare", *options]
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            subprocess.run([*start, "true"], check=True, capture_output=True)
            return [*start, *command]
    pytest.skip("nothing can be mounted here")


@pytest.mark.skipif(sys.platform != "linux", reason="a namespace to mount in is Linux' own")
@pytest.mark.parametrize(
    ("keyring", "marker"),
    [("none", "empty"), ("none", "sparse"), ("auto", "empty"), ("auto", "whole"), ("keyring", "short")],
)
def test_a_program_goes_on_and_is_right(
    keyring: str, marker: str, sandbox: SandboxKiwoom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    state = tmp_path / "places" / "state"
    state.mkdir(parents=True, exist_ok=True)
    if keyring != "none":
        monkeypatch.setenv("KIWOOM_TRAY_STORE", keyring)
        use_file_keyring(monkeypatch, tmp_path)
    bot = [sys.executable, "-c", IN_A_NAMESPACE_OF_ITS_OWN, str(state), marker, sys.executable, "-c", A_BOT]

    done = subprocess.run(
        in_namespace(*bot),
        env={**os.environ, "PYTHONPATH": PYTHON_PATH},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "at first": None,
        "set here": ["of-this-program"] * 3,
        "of-another": "of-another",
        "of-a-third": "of-a-third",
        "cleared": None,
        "issued": True,
        "refresh": 0,
        "refreshed": True,
    }
