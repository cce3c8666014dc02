"""The pictures of the README, taken of the real program on a real desktop.

Take them anew after a change of what is to be seen: python -m tests.desktop.readme_pictures
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from tests import ROOT
from tests.holidays import place_holidays
from tray_app.core.errors import BrokerUnavailable, KiwoomTokenError
from tray_app.core.token import KST, Token, token_for
from tray_app.history.database import FILE, History, flush_history

from .screen import Window
from .session import Desktop
from .trader import TITLE, Trader

FOLDER = ROOT / "docs" / "pictures"
LOCALES = {"ko": "ko_KR.UTF-8", "en": "C.UTF-8"}
_PROGRAM = "kiwoom-token-tray"
_DIED = {"ko": "만료 전에 무효", "en": "stopped working early"}
_TODAYS_TOKEN = "a-token-for-a-picture"
_PANEL_MENU = ("--class", "wrapper-2.0")
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_SETTLED_SECONDS = 1.0
"""Windows fade in and buttons come up again."""


def take(desktop: Desktop, folder: Path, language: str) -> list[Path]:
    """Takes all pictures in one language and returns their paths."""
    paths = []

    def keep(name: str, window: int) -> None:
        time.sleep(_SETTLED_SECONDS)
        paths.append(desktop.screen.picture(folder / f"{name}-{language}.png", window))

    def opens(act: Callable[[], object]) -> Window:
        """The window that comes of it."""
        before = {window.id for window in _own_windows(desktop)}
        act()
        return desktop.wait_for(
            lambda: next((one for one in _own_windows(desktop) if one.id not in before), None), "another window"
        )

    ends = _next_morning(time.time())
    quiet = datetime.fromtimestamp(ends, KST).strftime("%H:%M")
    with Trader(desktop, store="auto") as trader:
        trader.settings(policy=f"daily {quiet}", language=language)
        place_holidays(desktop.state_folder, days_before=0)  # so that the history shows trading hours
        _record_a_week(trader.data, ends)
        trader.put(_TODAYS_TOKEN, ends - time.time())
        trader.confirm(_TODAYS_TOKEN)
        program = trader.start_tray("--background", LANG=LOCALES[language])
        desktop.wait_for(lambda: quiet in trader.tooltip(), "the token")

        menus = set(desktop.screen.ids(*_PANEL_MENU))
        desktop.click_icon(3)
        opened = desktop.wait_for(lambda: set(desktop.screen.ids(*_PANEL_MENU)) - menus, "the menu")
        keep("menu", opened.pop())
        desktop.screen.press("Escape")

        window = opens(desktop.activate)
        keep("window", window.id)
        history = opens(lambda: desktop.press(window, "alt+h"))
        keep("history", history.id)
        desktop.press(history, "Escape")
        settings = opens(lambda: desktop.press(window, "alt+s"))
        keep("settings", settings.id)
        desktop.press(settings, "Escape")
        desktop.press(window, "Escape")

        trader.put("a-token-that-ends-soon-for-a-picture", 5 * _MINUTE + 2)
        keep("notice", desktop.bubble(desktop.notice()).id)

        trader.done("refresh")
        trader.sandbox.end_tokens()
        window = opens(desktop.activate)
        desktop.press(window, "alt+k")
        desktop.click_notice(desktop.notice(_DIED[language], 30), "default")  # it covers a corner of the window
        desktop.wait_for(lambda: not desktop.bubbles(), "no bubble")
        keep("mended", window.id)
        program.terminate()
        trader.ends(program)
    return paths


def take_first_start(desktop: Desktop, folder: Path, language: str) -> Path:
    """The set-up's first page, which is shown where there are no settings yet."""
    program = desktop.start_python("-m", "tray_app", env={"LANG": LOCALES[language], "TZ": "KST-9"})
    window = desktop.wait_for(lambda: next(iter(_own_windows(desktop)), None), "the set-up")
    time.sleep(_SETTLED_SECONDS)
    path = desktop.screen.picture(folder / f"setup-{language}.png", window.id)
    desktop.stop(program)
    return path


def _own_windows(desktop: Desktop) -> list[Window]:
    return [one for one in desktop.windows() if one.wm_class == _PROGRAM or TITLE in one.title]


def _next_morning(now: float) -> float:
    """The next 06:30 in Korea, or 07:30 where that is less than an hour away: a token has 24 hours at most."""
    morning = datetime.fromtimestamp(now, KST).replace(hour=6, minute=30, second=0, microsecond=0)
    if 0 < morning.timestamp() - now < _HOUR:
        morning += timedelta(hours=1)
    if morning.timestamp() < now:
        morning += timedelta(days=1)
    return morning.timestamp()


def _record_a_week(data: Path, ends: float) -> None:
    """Renewed each morning; a night on which Kiwoom did not answer, a token taken over, one cleared by mistake."""
    data.mkdir(parents=True, exist_ok=True)
    history = History(str(data / FILE))
    this_program, sys.argv[0] = sys.argv[0], _PROGRAM
    silent = BrokerUnavailable("Kiwoom does not answer.")
    happened: list[tuple[float, str, Token | None, KiwoomTokenError | None]] = []
    for day in range(7, -1, -1):
        morning = ends - (day + 1) * _DAY
        late = 14 * _MINUTE if day == 5 else 0.0
        if late:
            happened += [(morning, "failed", None, silent), (morning + 5 * _MINUTE, "failed", None, silent)]
        token = token_for(f"a-token-of-day-{day}" if day else _TODAYS_TOKEN, _DAY - late, morning + late)
        happened.append((morning + late, "issued", token, None))
        if day == 4:
            happened.append((morning + 5 * _HOUR, "same", token, None))
        if day == 2:
            happened.append((morning + 5 * _HOUR, "cleared", token, None))
            other = token_for("a-token-of-kwcli", 19 * _HOUR, morning + 5.4 * _HOUR)
            happened.append((morning + 5.4 * _HOUR, "adopted", other, None))
    history.record("default", happened)  # type: ignore[arg-type]
    flush_history()  # the name of the program is read when the record is written
    sys.argv[0] = this_program


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for language in LOCALES:
        with Desktop(pictures=FOLDER) as desktop:
            for path in take(desktop, FOLDER, language):
                print(path)
        with Desktop(pictures=FOLDER) as desktop:
            print(take_first_start(desktop, FOLDER, language))


if __name__ == "__main__":
    main()
