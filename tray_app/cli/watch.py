"""`watch`: the tray's job in a terminal."""

from __future__ import annotations

import contextlib
import random
import sys
import time
from typing import TYPE_CHECKING

from tray_app.cli.token import opened, outcome_text, tell_unpublished, tell_unsaved
from tray_app.core import logs
from tray_app.core.errors import DONE, KiwoomTokenError, StoreError
from tray_app.core.language import say, tr
from tray_app.core.notices import notice_text
from tray_app.core.renewal_schedule import Due, NoticeKind, RenewalSchedule
from tray_app.core.wording import countdown, korean_time, place_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.renewal_schedule import Notice
    from tray_app.core.token import Token
    from tray_app.service.token_service import TokenService
    from tray_app.settings.load import Settings

_TICK_SECONDS = 1.0
_ROTATE = "kiwoom-token refresh --rotate"


def watch(profile: str | None) -> int:
    """Runs until Ctrl+C: a countdown on a terminal, a line for each event elsewhere."""
    settings, service = opened(profile)
    return watch_over(settings, service)


def watch_over(settings: Settings, service: TokenService) -> int:
    terminal = Terminal(settings, service)
    try:
        while True:
            terminal.look()
            time.sleep(_TICK_SECONDS)
    except KeyboardInterrupt:
        terminal.say_line("")
        return DONE


class Terminal:
    """What is shown and asked, tick by tick."""

    def __init__(self, settings: Settings, service: TokenService, clock: Callable[[], float] = time.time) -> None:
        self._service = service
        self._clock = clock
        self._schedule = RenewalSchedule(settings.policy, settings.renew_before, settings.warn_before, random.random)
        self._version: object = None
        self._looked = False
        self._token: Token | None = None
        self._live_line = sys.stdout is not None and sys.stdout.isatty()
        self._width = 0
        self._told = ""

    def look(self) -> None:
        """One tick: what changed, what is due, what to show."""
        version = self._service.store.version()
        if not self._looked or version != self._version:
            at, seen = self._clock(), self._token
            try:
                self._token = self._service.current()
            except StoreError as error:
                self.say_line(say(error))
            else:
                self._service.record_found(self._token, at)
                interrupted = self._token is None and self._service.was_interrupted(seen)
                self._schedule.saw(self._token, self._clock(), interrupted=interrupted)
                self._service.store.check()
                self._tell_token()
                self._hand_out()
            self._version, self._looked = version, True
        due = self._schedule.due(self._clock())
        if due is not None:
            self._renew(rotate=due is Due.ROTATE)
        for notice in self._schedule.notices(self._clock()):
            self.say_line(_notice_line(notice, self._clock()))
        self._show_countdown()

    def say_line(self, text: str) -> None:
        if self._live_line:
            print("\r" + " " * self._width + "\r", end="")
            self._width = 0
        print(text, flush=True)

    def _renew(self, *, rotate: bool) -> None:
        seen = self._token
        try:
            outcome = self._service.renew(seen, rotate=rotate)
        except KiwoomTokenError as error:
            self._schedule.failed(error, self._clock(), rotating=rotate)
            logs.warning("%s: %s", type(error).__name__, error)
            return
        self._token = outcome.token
        self._schedule.answered(outcome.token, self._clock(), same=outcome.is_the_same_as(seen), rotated=rotate)
        self._version = self._service.store.version()
        self.say_line(outcome_text(outcome, self._clock()))
        tell_unsaved(outcome)

    def _hand_out(self) -> None:
        with contextlib.suppress(StoreError):  # the store that was just read has gone: the next look tells
            tell_unpublished(self._service.publish())

    def _tell_token(self) -> None:
        place = self._service.place()
        where = place_text(place.kind, place.path, place.problem_code)
        if self._token is None:
            line = tr("There is no token ({place}).", place=where)
        else:
            end = korean_time(self._token.expires, self._clock())
            line = tr("The token expires {end} (KST); it is stored in {place}.", end=end, place=where)
        if line != self._told:
            self.say_line(line)
            self._told = line

    def _show_countdown(self) -> None:
        if not self._live_line:
            return
        left = 0.0 if self._token is None else self._token.remaining(self._clock())
        line = tr("{left} left", left=countdown(left)) if left > 0 else tr("no valid token")
        print("\r" + line + " " * max(0, self._width - len(line)), end="", flush=True)
        self._width = len(line) * 2


def _notice_line(notice: Notice, now: float) -> str:
    title, body = notice_text(notice, now)
    line = f"{title}. {body}"
    return f"{line} ({_ROTATE})" if notice.kind is NoticeKind.TRADING_HOURS else line
