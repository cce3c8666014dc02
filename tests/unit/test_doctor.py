"""`kiwoom-token doctor`: what it finds and how it says so."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest

from tray_app import autostart
from tray_app.autostart.base import Status
from tray_app.cli.doctor import doctor
from tray_app.core.errors import AutostartFailed

THERE = Status(configured=True, as_it_should_be=True, enabled=True, place="the place", starts="/the/program")


class Fixed:
    def __init__(self, found: Status | Exception) -> None:
        self.found = found

    def status(self) -> Status:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.mark.parametrize(
    ("found", "good", "text"),
    [
        (Status(configured=False, as_it_should_be=False, enabled=False, place="p"), True, "off"),
        (THERE, True, "on (the place)"),
        (
            Status(configured=True, as_it_should_be=True, enabled=False, place="p"),
            True,
            "switched off in the system's own settings (p)",
        ),
        (
            Status(configured=True, as_it_should_be=False, enabled=True, place="p", starts="/other"),
            False,
            "another copy of this program starts at login: /other",
        ),
        (
            Status(configured=True, as_it_should_be=False, enabled=True, place="p", starts="/old", is_lost=True),
            False,
            "the program it starts is gone: /old. Start the tray once, which mends it.",
        ),
        (AutostartFailed("It {how}.", how="broke"), False, "It broke."),
    ],
)
def test_starting_at_login_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: Any, good: bool, text: str
) -> None:
    monkeypatch.setattr(autostart, "here", lambda: Fixed(found))
    doctor(None, as_json=True)
    findings = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert findings["autostart"] == {"name": "autostart", "good": good, "text": text}
    doctor(None, as_json=False)
    assert f"{'✓' if good else '✗'} autostart: {text}" in capsys.readouterr().out


@pytest.mark.parametrize(("encoding", "signs"), [("utf-8", "✗✓"), ("cp949", "XO")])
def test_signs_are_letters_in_a_file_that_knows_no_signs(
    monkeypatch: pytest.MonkeyPatch, encoding: str, signs: str
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding=encoding, errors="backslashreplace"))

    doctor(None, as_json=False)
    sys.stdout.flush()

    assert {line[0] for line in written.getvalue().decode(encoding).splitlines()} == set(signs)
