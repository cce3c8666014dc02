"""The exchange's holidays, so that not every program that a test starts looks them up."""

from __future__ import annotations

import os
import time
from functools import cache
from pathlib import Path

from tray_app.kiwoom.exchange_calendar import FILE_NAME, holidays_record


@cache
def holidays_file() -> bytes:
    """Return what the file holds that `kiwoom-token-tray` writes."""
    return holidays_record(time.time())


def place_holidays(state_folder: Path) -> None:
    """Put the file where programs with that state folder read it."""
    state_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = state_folder / FILE_NAME
    path.write_bytes(holidays_file())
    os.chmod(path, 0o600)
