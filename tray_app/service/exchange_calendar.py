"""The days on which the Korea Exchange is closed, from the `holidays` package (XKRX).

Importing that package takes half a second and 20 MB, so a short-lived process of our own does it once a week, and
leaves the days in a file that everybody else reads. A packaged program has that file instead of the package.
"""

from __future__ import annotations

import os
import time
from datetime import date, datetime
from functools import cache

from tray_app.core import logs
from tray_app.core.clock import is_recent
from tray_app.core.errors import StoreError
from tray_app.core.language import joined, msg, tr
from tray_app.core.token import KST
from tray_app.core.trading import ClosedDays, closed_days, install_closed_days, lacks_holidays
from tray_app.settings.places import state_dir
from tray_app.system.atomic_replace import write_private
from tray_app.system.child_process import UPDATE_HOLIDAYS_OPTION, is_frozen, run_own, tray_command
from tray_app.system.private_files import read_regular
from tray_app.system.resources import resources_folder
from tray_app.system.version import library_version

FILE_NAME = "exchange-holidays.json"
_VERSION = 1
_MAX_BYTES = 65536
_CHILD_SECONDS = 30.0
_RENEWED_AFTER_SECONDS = 7 * 86400.0
"""The package learns of new holidays by an update, and the next year comes."""

_YEARS_BACK = 1


def holidays_file() -> str:
    """Return the path of the file: the packaged program's own, or the one in the state folder."""
    return os.path.join(resources_folder() if is_frozen() else state_dir(), FILE_NAME)


def install_holidays(now: float) -> bool:
    """Let this process know the closed days that the file names. Return whether the file is up to date at `now`."""
    import json

    try:
        content, found = read_regular(holidays_file(), _MAX_BYTES, follow_links=False)
        record = json.loads(content)
        days = [date.fromisoformat(one) for one in record["closed"]]
        first, last = date.fromisoformat(record["first"]), date.fromisoformat(record["last"])
        is_young = is_frozen() or is_recent(found.st_mtime, now, _RENEWED_AFTER_SECONDS)
        is_current = record["version"] == _VERSION and is_young
    except FileNotFoundError:
        return False
    except (OSError, StoreError, ValueError, TypeError, KeyError, RecursionError) as error:
        logs.warning("The exchange's holidays cannot be read (%s)", type(error).__name__)
        return False
    install_closed_days(ClosedDays(days, first, last))
    return bool(is_current)


def update_holidays(now: float) -> None:
    """Have the file written by another process and install what it names. May wait for half a minute; raises nothing.

    Where that fails, what is known so far stays; `lacks_holidays` then tells whether that is enough.
    """
    if is_frozen() or not (_write_in_child() and install_holidays(max(now, time.time()))):  # the file is newer
        logs.warning("The exchange's holidays could not be updated")
        _how_to_mend()  # somebody waits here anyway; from now on it is known without a look at the disk
        install_closed_days(closed_days() or ClosedDays())


def update_if_needed(now: float) -> None:
    """Install the closed days that the file names, after an update if it is missing or out of date."""
    if not install_holidays(now):
        update_holidays(now)


def has_holidays_package() -> bool:
    """Return whether the package that knows the holidays is installed; a packaged program has its file instead."""
    return not is_frozen() and bool(library_version("holidays"))


def holidays_problem(now: float) -> str:
    """Return a sentence about holidays that are not known on the day of `now`, and how to mend that; else nothing."""
    if not lacks_holidays(now):
        return ""
    problem = tr("The exchange's holidays are not known: every weekday counts as a trading day.")
    message, values = _how_to_mend()
    return joined(problem, tr(message, **values))


def _how_to_mend() -> tuple[str, dict[str, object]]:
    """Return what `_remedy` does, also where there is no folder for the holidays at all."""
    try:
        return _remedy(state_dir())
    except StoreError as error:
        return error.message, error.values


@cache
def _remedy(folder: str) -> tuple[str, dict[str, object]]:
    """Return a sentence, not translated yet, that tells how to learn of the holidays, and its values; their file is in
    `folder`. It is looked for on the disk once: the tray asks at each render."""
    from tray_app.system.access import check_writable
    from tray_app.system.extras import upgrade_command

    if is_frozen():
        return msg("Install a newer version of this program."), {}
    if has_holidays_package():
        try:
            check_writable(folder)
        except StoreError as error:
            return error.message, error.values
    return msg("Update them with: {command}"), {"command": upgrade_command("holidays")}


def _write_in_child() -> bool:
    """Have a process of our own write the file, and return whether it did."""
    import subprocess

    command = tray_command(UPDATE_HOLIDAYS_OPTION)
    try:
        return bool(command) and run_own(command, _CHILD_SECONDS).returncode == 0
    except (OSError, subprocess.SubprocessError) as error:
        logs.debug("No process for the exchange's holidays (%s)", type(error).__name__)
        return False


def write_holidays(now: float) -> None:
    """Write the file, with the holidays of the years around `now`.

    Raises `ImportError` without the `holidays` package, and `StoreError`.
    """
    path = holidays_file()
    write_private(path, holidays_record(now))


def holidays_record(now: float, *, years_ahead: int = 1) -> bytes:
    """Return the content of the file: the days of last year, of this one, and of so many more.

    Loads the `holidays` package, and raises `ImportError` without it.
    """
    import json

    import holidays

    this_year = _year(now)
    years = range(this_year - _YEARS_BACK, this_year + years_ahead + 1)
    known = holidays.financial_holidays("XKRX", years=years)
    covered = [year for year in years if known.start_year <= year <= known.end_year]
    record = {
        "version": _VERSION,
        "source": f"holidays {library_version('holidays')}",
        "first": date(covered[0], 1, 1).isoformat() if covered else date.max.isoformat(),
        "last": date(covered[-1], 12, 31).isoformat() if covered else date.min.isoformat(),
        "closed": [day.isoformat() for day in sorted(known) if day.year in covered],
    }
    return json.dumps(record).encode()


def _year(now: float) -> int:
    return datetime.fromtimestamp(now, KST).year
