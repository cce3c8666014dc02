"""A calendar of the exchange for the programs that tests start: they do not look the holidays up, and behave alike at
every hour, because the market is closed on every day around today."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from tray_app.core.token import KST
from tray_app.service.exchange_calendar import FILE_NAME, holidays_record

_DAYS_AROUND = 14


@cache
def holidays_file(days_before: int) -> bytes:
    """Return what the file holds that `kiwoom-token-tray` writes, with days around today that are closed too."""
    now = datetime.now(KST)
    record = json.loads(holidays_record(now.timestamp()))
    around = {(now + timedelta(days=one)).date().isoformat() for one in range(-days_before, _DAYS_AROUND + 1)}
    record["closed"] = sorted({*record["closed"], *around})
    return json.dumps(record).encode()


def place_holidays(state_folder: Path, days_before: int = _DAYS_AROUND) -> None:
    """Put the file where programs with that state folder read it; closed are so many days before today as well."""
    state_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = state_folder / FILE_NAME
    path.write_bytes(holidays_file(days_before))
    os.chmod(path, 0o600)
