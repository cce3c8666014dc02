"""`doctor --report`: what a bug report needs, in one zip file, and no token, key or secret."""

from __future__ import annotations

import contextlib
import os
import sys
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tray_app.cli.diagnostics import crash_file, log_file
from tray_app.cli.history import recorded_days
from tray_app.core.errors import InvalidInput, KiwoomTokenError
from tray_app.core.language import msg
from tray_app.core.redaction import error_text, redact, redact_forms
from tray_app.history.tabular import as_csv
from tray_app.service.composition import find_keys, open_service
from tray_app.settings.load import load_settings
from tray_app.settings.table import TABLE
from tray_app.system.child_process import COMMAND_LINE_PROGRAM, TRAY_PROGRAM
from tray_app.system.log_file import last_lines
from tray_app.system.private_files import create_private, reason_of
from tray_app.system.user_folders import absolute_path, expand_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tray_app.cli.finding import Finding
    from tray_app.settings.load import Settings

_LOG_BYTES = 200_000
_HISTORY_DAYS = 30
_MASK = "***"
_SHORTEST_SECRET = 4
"""A shorter text than this is part of too many words to be masked."""

_OUR_VARIABLES = (
    *("KIWOOM_MODE", "KIWOOM_PROFILE", "KIWOOM_TRAY_STORE", "KIWOOM_TRAY_DATA_DIR", "KIWOOM_TRAY_CONFIG_DIR"),
    "KIWOOM_TRAY_STATE_DIR",
)
_VARIABLES_OF_THE_SYSTEM = (
    *("LANG", "LC_ALL", "LC_MESSAGES", "XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE", "DISPLAY", "WAYLAND_DISPLAY"),
    *("QT_QPA_PLATFORM", "PYTHON_KEYRING_BACKEND", "DBUS_SESSION_BUS_ADDRESS"),
)
_OUR_PREFIXES = ("KIWOOM_", "APP_KEY", "APP_SECRET")


def write_report(path: str, findings: Sequence[Finding], profile: str | None) -> str:
    """Write the zip file and return its whole path. Raises `InvalidInput` when it cannot be created or exists already.

    A part that is not available is replaced by a line that says why.
    """
    path = absolute_path(expand_user(path))
    content = _zipped(_settings(profile), findings)
    try:
        descriptor = create_private(path)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
        except OSError:
            os.unlink(path)
            raise
    except FileExistsError:
        raise InvalidInput(msg("{path} exists already. Choose another name for the report."), path=path) from None
    except OSError as error:
        reason = reason_of(error)
        raise InvalidInput(msg("{path} cannot be created ({reason})."), path=path, reason=reason) from None
    return path


def _zipped(settings: Settings | None, findings: Sequence[Finding]) -> bytes:
    import io
    import zipfile

    hide = _hider(_secrets(settings))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as report:
        for name, part in _parts(settings, findings).items():
            try:
                text = part()
            except Exception as error:  # noqa: BLE001 - a report without this part is better than none
                text = error_text(error)
            shown = redact(hide(text)) if name.startswith("logs/") else hide(text)
            report.writestr(name, shown.encode(errors="backslashreplace"))  # a folder's name may be no text
    return content.getvalue()


def _parts(settings: Settings | None, findings: Sequence[Finding]) -> dict[str, Callable[[], str]]:
    logs = {
        f"logs/{os.path.basename(one)}": partial(last_lines, one, _LOG_BYTES)
        for one in (log_file(TRAY_PROGRAM), crash_file(TRAY_PROGRAM), log_file(COMMAND_LINE_PROGRAM))
    }
    parts: dict[str, Callable[[], str]] = {
        "doctor.txt": lambda: _lines(f"{'ok ' if one.good else 'BAD'} {one}" for one in findings),
        "environment.txt": lambda: _lines(_environment(_shown_variables(settings))),
        **logs,
    }
    if settings is not None:
        parts["settings.txt"] = lambda: _lines(_settings_lines(settings))
        parts["history.csv"] = lambda: _history(settings)
    return parts


def _settings(profile: str | None) -> Settings | None:
    try:
        return load_settings(profile).resolved()
    except KiwoomTokenError:  # which is among the findings
        return None


def _settings_lines(settings: Settings) -> Iterator[str]:
    yield f"profile = {settings.profile}"
    for setting in TABLE.values():
        is_known = setting.name not in settings.unknown
        value = setting.kind.text(getattr(settings, setting.name)) if is_known else "(unknown)"
        yield f"{setting.name} = {value} ({settings.source_of(setting.name)})"
    for problem in settings.problems:
        yield f"problem: {problem}"


def _shown_variables(settings: Settings | None) -> tuple[str, ...]:
    """Return the variables that contain no secret. Where a variable of ours cannot be used, a secret may have been put
    into the wrong one, so none of ours is shown."""
    return _VARIABLES_OF_THE_SYSTEM if settings is None else _OUR_VARIABLES + _VARIABLES_OF_THE_SYSTEM


def _environment(shown: Sequence[str]) -> Iterator[str]:
    """Yield the values of the variables to show; of our others only that they are set."""
    yield f"python = {sys.version}"
    yield f"frozen = {getattr(sys, 'frozen', False)}"
    for name in sorted({*shown, *(one for one in os.environ if one.startswith(_OUR_PREFIXES))}):
        value = os.environ.get(name)
        if value is not None:
            yield f"{name} = {value if name in shown else '(set)'}"


def _history(settings: Settings) -> str:
    week = recorded_days(settings, _HISTORY_DAYS)
    return "" if week is None else as_csv(week.entries, settings.profile, with_tokens=False)


def _secrets(settings: Settings | None) -> set[str]:
    """Return every secret that can be read here, to be masked wherever it occurs."""
    shown = _shown_variables(settings)
    found = {value for name, value in os.environ.items() if name not in shown and name.startswith(_OUR_PREFIXES)}
    if settings is not None:
        for find in (_settings_in_reach, _keys_in_reach, _token_in_reach):
            with contextlib.suppress(KiwoomTokenError):
                found |= find(settings)
    found |= {unquote(one) for one in found}  # the password of an address
    return {one.strip() for one in found if len(one.strip()) >= _SHORTEST_SECRET}


def _settings_in_reach(settings: Settings) -> set[str]:
    addresses = settings.encryption_keys, None if "redis_url" in settings.unknown else settings.redis_url
    found = set()
    for one in addresses:
        if one is not None:
            found |= {one.reveal(), *one.reveal().split(","), one.reveal().rpartition("@")[0].rpartition(":")[2]}
    return found


def _keys_in_reach(settings: Settings) -> set[str]:
    keys = find_keys(settings)
    return {keys.app_key.reveal(), keys.app_secret.reveal()}


def _token_in_reach(settings: Settings) -> set[str]:
    token = open_service(settings).current()
    return {token.value.reveal(), token.value.fingerprint()} if token is not None else set()


def _hider(secrets: set[str]) -> Callable[[str], str]:
    """Return a function that masks these secrets and whatever looks like one, and shortens the user's folder to `~`."""
    longest_first = sorted(secrets, key=len, reverse=True)
    home = os.path.expanduser("~")

    def hide(text: str) -> str:
        for one in longest_first:
            text = text.replace(one, _MASK)
        if len(home) > 1:
            text = text.replace(home, "~")
        return redact_forms(text)

    return hide


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{one}\n" for one in lines)
