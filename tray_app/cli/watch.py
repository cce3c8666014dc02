"""`watch`: the tray's job in a terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING

from tray_app.cli.problems import tell_problems
from tray_app.cli.token import opened, outcome_text, tell_unpublished, warn_about
from tray_app.cli.unfailing_output import unfailing_stdout
from tray_app.core.errors import DONE, KiwoomTokenError, Remedy, say
from tray_app.core.language import tr, use
from tray_app.core.notices import NoticeKind, notice_text
from tray_app.core.remedies import remedy_command
from tray_app.core.renewal_schedule import DAILY
from tray_app.core.wording import countdown, korean_time, place_text, refusal_text
from tray_app.service.composition import open_service
from tray_app.service.exchange_calendar import holidays_problem, update_if_needed
from tray_app.stores.keyring_client import shared_keyring_client
from tray_app.supervisor.profile_settings import ProfileSettings
from tray_app.supervisor.supervisor import Callbacks, Supervisor
from tray_app.system.private_files import version_of
from tray_app.system.signals import StopRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tray_app.core.notices import Notice
    from tray_app.core.state import TokenState
    from tray_app.service.outcome import Outcome
    from tray_app.service.token_service import TokenService
    from tray_app.settings.load import Settings

_TICK_SECONDS = 1.0

_OFFERS = {NoticeKind.TRADING_HOURS: Remedy.PLAN_ROTATION, NoticeKind.PLAN_DROPPED: Remedy.ROTATE}
"""The notices that are followed by the command that helps."""


def watch(profile: str | None) -> int:
    """Run until Ctrl+C or a stop signal: a countdown on a terminal, a line for each event elsewhere."""
    settings, _ = opened(profile)
    return watch_over(settings, os.environ)


def watch_over(settings: Settings, environ: Mapping[str, str]) -> int:
    """Run `watch` for a program that has read the settings already. A full disk under its output does not end it."""
    with unfailing_stdout():
        update_if_needed(time.time())
        problem = holidays_problem(time.time())
        if problem:
            print(problem, file=sys.stderr)
        terminal = Terminal(settings, lambda changed: open_service(changed, environ=environ), environ=environ)
        with StopRequest() as stop, contextlib.suppress(KeyboardInterrupt):
            terminal.poll()
            while not stop.wait(_TICK_SECONDS):
                terminal.poll()
        terminal.say_line("")
    return DONE


class Terminal:
    """Show in a terminal what a supervisor reports. It works on the only thread here.

    `open_service` opens the token service for settings.
    """

    def __init__(
        self,
        settings: Settings,
        open_service: Callable[[Settings], TokenService],
        clock: Callable[[], float] = time.time,
        *,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._clock = clock
        self._has_live_line = sys.stdout is not None and sys.stdout.isatty()
        self._width = 0
        self._told = ""
        self._error = ""
        self._answered: float | None = None
        """The expiry of the token that the last request brought, which was printed already."""
        self._planned: float | None = None
        self._problems: tuple[str, ...] = tuple(map(str, settings.problems))
        self._profiles = ProfileSettings(settings.profile, environ, only_first=True, settles_data_dir=False)
        self._file_version = version_of(self._profiles.file)
        self._supervisor = Supervisor(
            settings,
            open_service,
            Callbacks(
                read=self._show_token,
                unreadable=self._show_unreadable,
                answered=self._show_outcome,
                unpublished=tell_unpublished,
                notice=self._show_notice,
            ),
            heeds_quiet_hours=False,  # a line in a terminal disturbs nobody
            check_keyring=shared_keyring_client().check,
            clock=clock,
        )

    def poll(self) -> None:
        """Do one turn: read what changed, do what is due, show the result."""
        self._reload_if_changed()
        self._supervisor.poll()
        self._show_plan()
        self._show_countdown()

    def say_line(self, text: str) -> None:
        """Print a line in the place of the countdown."""
        if self._has_live_line:
            print("\r" + " " * self._width + "\r", end="")
            self._width = 0
        print(text, flush=True)

    def _reload_if_changed(self) -> None:
        version = version_of(self._profiles.file)
        if version == self._file_version:
            return
        self._file_version = version
        present = self._supervisor.settings
        found = self._profiles.read({present.profile: present})
        problems = found.problems
        for settings in found.settings:
            use(settings.language)
            try:
                self._supervisor.apply(settings)
            except KiwoomTokenError as error:
                problems += (error,)
        tell_problems(one for one in problems if str(one) not in self._problems)
        self._problems = tuple(map(str, problems))

    def _show_token(self, state: TokenState) -> None:
        """Print which token there is and where it is stored, if that has changed."""
        self._error = ""
        where = place_text(state.place, state.place_path, state.place_problem)
        if state.expires is None:
            line = tr("There is no token ({place}).", place=where)
            if state.hides_token:
                line = tr("The token cannot be read ({place}).", place=where)
        else:
            end = korean_time(state.expires, self._clock())
            line = tr("The token expires at {end} (KST); it is stored in {place}.", end=end, place=where)
        if line != self._told and (state.expires is None or state.expires != self._answered):
            self.say_line(line)
        self._told, self._answered = line, None

    def _show_plan(self) -> None:
        """Say that a reissue was planned, or that the plan was dropped, if that is news."""
        state = self._supervisor.state
        planned = None if state.policy.startswith(DAILY) else state.rotate_at
        if planned == self._planned:
            return
        if planned is not None:
            when = korean_time(planned, self._clock())
            self.say_line(tr("It will be revoked and reissued at {time} (KST).", time=when))
        elif self._planned is not None and self._planned > self._clock():
            self.say_line(tr("No reissue is planned."))
        self._planned = planned

    def _show_unreadable(self, error: KiwoomTokenError) -> None:
        if say(error) != self._error:
            self._error = say(error)
            self.say_line(self._error)

    def _show_outcome(self, outcome: Outcome) -> None:
        self._answered = outcome.token.expires
        self.say_line(outcome_text(outcome, self._clock()))
        warn_about(outcome)

    def _show_notice(self, notice: Notice) -> None:
        is_only_why = notice.kind in {NoticeKind.FAILED, NoticeKind.STOPPED}
        if is_only_why and notice.error is not None and say(notice.error) == self._error:
            return  # it is the line before
        why = "" if notice.error is None else refusal_text(notice.error, self._supervisor.state.mode)
        title, body = notice_text(notice, self._clock(), why)
        line = f"{title}. {body}"
        remedy = _OFFERS.get(notice.kind) if notice.error is None else None
        if remedy is not None:
            state = self._supervisor.state
            line += f" ({remedy_command(remedy, state.profile, state.mode)})"
        self.say_line(line)

    def _show_countdown(self) -> None:
        if not self._has_live_line:
            return
        left = self._supervisor.state.remaining(self._clock())
        line = tr("{left} left", left=countdown(left)) if left > 0 else tr("no valid token")
        print("\r" + line + " " * max(0, self._width - len(line)), end="", flush=True)
        self._width = len(line) * 2
