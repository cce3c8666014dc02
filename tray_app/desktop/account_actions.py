"""What a click does with an account, and the answer to it where no window shows one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from tray_app.core.clock import is_recent
from tray_app.core.errors import KeysMissing, Remedy
from tray_app.core.language import tr
from tray_app.core.notices import NoticeKind
from tray_app.core.remedies import is_planned_for, remedy_for
from tray_app.core.renewal_schedule import DAILY, NOTIFY
from tray_app.core.state import Action, Result
from tray_app.core.trading import QUIET_MINUTES, next_time_of_day
from tray_app.desktop.clipboard import KEEP_SECONDS
from tray_app.desktop.view.question import token_of
from tray_app.desktop.view.window import last_event_text
from tray_app.settings.table import STORAGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.notices import Notice
    from tray_app.core.state import LastResult, TokenState
    from tray_app.core.token import Token
    from tray_app.desktop.clipboard import TokenClipboard
    from tray_app.desktop.dialogs.token_question import TokenQuestion
    from tray_app.desktop.monitor import Monitor
    from tray_app.desktop.monitors import Monitors
    from tray_app.desktop.notices.notifier import Notifier
    from tray_app.desktop.windows import Windows


_LONGEST_WAIT_SECONDS = 120.0
"""What happens to a token later than this is no answer to a click."""


class AccountActions(QObject):
    """Do what a click asks for, each with the account that it is given.

    No click is left without an answer: what came of it is in the status window, or, while `is_window_seen` says that
    nobody sees that, in a notice. `is_new` tells that the user has just closed the setup wizard, and so
    knows of missing keys.
    """

    def __init__(
        self,
        monitors: Monitors,
        windows: Windows,
        notifier: Notifier,
        *,
        clipboard: TokenClipboard,
        clock: Callable[[], float],
        is_window_seen: Callable[[], bool],
        is_new: bool = False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._monitors = monitors
        self._windows = windows
        self._notifier = notifier
        self._clipboard = clipboard
        self._clock = clock
        self._is_window_seen = is_window_seen
        self._is_new = is_new
        self._untold: set[str] = set()
        """The accounts whose missing keys were not told, because the user has just closed the setup wizard."""
        self._asked: dict[str, tuple[LastResult | None, float]] = {}
        """The accounts that owe an answer: what had happened to their tokens before, and when they were asked."""
        self._copied_token: tuple[object, ...] = ()
        """Whose token was copied last, and when that token was created and expires."""
        self._shown_then: tuple[object, ...] = ()
        """The token that was shown at that moment; the copied one may be newer."""
        monitors.changed.connect(self._answer)
        monitors.changed.connect(self._drop_former_token)
        monitors.notice.connect(self._show_notice)
        monitors.copied.connect(self._copied)

    def ask_kiwoom(self, profile: str) -> None:
        """Issue a token where there is none or renewing it failed, else ask whether the present one works: Kiwoom would
        return it again."""
        monitor = self._expect_answer(profile)
        if monitor is None:
            return
        state, now = monitor.state, self._clock()
        is_failing = state.stopped or remedy_for(state, now) == Remedy.RETRY
        if state.remaining(now) > 0 and not is_failing:
            monitor.verify()
        else:
            monitor.refresh()

    def copy(self, profile: str) -> None:
        monitor = self._expect_answer(profile)
        if monitor is not None:
            monitor.copy()

    def ask_clear(self, profile: str) -> None:
        monitor = self._monitors.of(profile)
        if monitor is not None:
            self._expect_decision(self._windows.ask_clear(monitor), profile)

    def ask_rotate(self, profile: str) -> None:
        monitor = self._monitors.of(profile)
        if monitor is not None:
            self._expect_decision(self._windows.ask_rotate(monitor), profile)

    def choose_policy(self, profile: str, policy: str) -> None:
        """Renew by another policy (`notify`, `auto` or `daily HH:MM`) from now on, and say what that means."""
        monitor = self._monitors.of(profile)
        if monitor is None:
            return
        kind, _, time = policy.partition(" ")
        if kind == DAILY:
            told = tr(
                "Every day at {time} (KST) the token is revoked and reissued: every tool is cut off once then.",
                time=time,
            )
        elif kind == NOTIFY:
            told = tr("From now on you are only warned before the token expires.")
        else:
            told = tr("From now on a new token is issued automatically right after it expires.")
        self._monitors.set("policy", policy, profile, then=partial(self._say, monitor.state, told))

    def apply(self, profile: str, remedy: str) -> None:
        """Do what a `Remedy` stands for, or open what the user needs for it."""
        monitor = self._monitors.of(profile)
        if remedy == Remedy.FIX_SETTINGS:  # those of no account in particular
            self._windows.open_settings_file()
            return
        if monitor is None:  # the button was on an old notice
            return
        match remedy:
            case Remedy.ENTER_KEYS:
                self._windows.ask_keys(profile).accepted.connect(partial(self._say_last, profile))
            case Remedy.SWITCH_MODE:
                self._expect_answer(profile)
                monitor.enter_keys("demo" if monitor.state.mode == "real" else "real")
            case Remedy.OPEN_PORTAL:
                self._windows.open_portal()
                told = tr("Sign in there and open API 사용신청, register this computer's public IP, then try again.")
                self._notifier.answer(monitor.state, told, named=self._has_several())
            case Remedy.UNLOCK_KEYRING:
                self._expect_answer(profile)
                self._notifier.make_way(profile)  # it would cover the keyring's own question
                monitor.unlock()
            case Remedy.RETRY | Remedy.ISSUE:
                self._expect_answer(profile)
                monitor.refresh()
            case Remedy.ROTATE:
                self.ask_rotate(profile)
            case Remedy.PLAN_ROTATION:
                self._expect_answer(profile)
                monitor.rotate(next_time_of_day(QUIET_MINUTES, self._clock()))
            case Remedy.SHOW_FILE:
                error = monitor.state.error
                path = "" if error is None else str(error.values.get("path", ""))
                self._windows.show_file(path or monitor.state.place_path)
            case Remedy.CHOOSE_FOLDER:
                self._windows.choose_folder()
            case Remedy.CHOOSE_STORE:
                self._windows.open_settings(STORAGE)
            case _:
                self.ask_kiwoom(profile)

    def _expect_decision(self, question: TokenQuestion, profile: str) -> None:
        question.accepted.connect(partial(self._expect_answer, profile))
        question.withdrawn.connect(partial(self._say_withdrawn, profile))

    def _say_withdrawn(self, profile: str) -> None:
        monitor = self._monitors.of(profile)
        if monitor is not None:
            self._say(monitor.state, tr("The token has changed in the meantime, so the question was closed."))

    def _expect_answer(self, profile: str) -> Monitor | None:
        monitor = self._monitors.of(profile)
        if monitor is not None:
            self._asked[profile] = monitor.state.last, self._clock()
        return monitor

    def _answer(self) -> None:
        for profile, (before, at) in [*self._asked.items()]:
            monitor = self._monitors.of(profile)
            if monitor is None or not is_recent(at, self._clock(), _LONGEST_WAIT_SECONDS):
                del self._asked[profile]
                continue
            state = monitor.state
            is_replaced_next = state.last is not None and state.last.result is Result.DIED and is_planned_for(state)
            is_over = state.busy in {None, Action.READ} and not is_replaced_next
            if is_over and state.last is not None and state.last is not before:
                del self._asked[profile]
                self._say_last(profile)

    def _say_last(self, profile: str) -> None:
        monitor = self._monitors.of(profile)
        if monitor is not None:
            state, now = monitor.state, self._clock()
            is_bad = state.error is not None or (state.last is not None and state.last.result is Result.DIED)
            self._say(state, last_event_text(state, now), remedy_for(state, now) if is_bad else Remedy.NONE)

    def _show_notice(self, profile: str, notice: Notice) -> None:
        self._asked.pop(profile, None)  # the notice says what came of it
        monitor = self._monitors.of(profile)
        is_known = self._is_new and isinstance(notice.error, KeysMissing) and notice.expires == 0
        if is_known:
            self._untold.add(profile)
        elif profile in self._untold and notice.kind is NoticeKind.RECOVERED:
            self._untold.discard(profile)  # nor is it told that there are keys by now
        elif monitor is not None:
            if notice.error is not None:
                self._untold.discard(profile)  # the end of what is told is told, too
            now = self._clock()
            remedy = remedy_for(monitor.state, now, has_settings_problem=bool(self._monitors.problems))
            self._notifier.show(notice, monitor.state, now, remedy, named=self._has_several())

    def copied_until(self, state: TokenState) -> float | None:
        """Return when the token of that state leaves the clipboard, in epoch seconds; None if it is not there."""
        return self._clipboard.copied_until if self._copied_token == token_of(state) else None

    def _copied(self, profile: str, token: Token) -> None:
        monitor = self._monitors.of(profile)
        self._copied_token = (profile, token.created_at.timestamp(), token.expires)
        self._shown_then = () if monitor is None else token_of(monitor.state)
        self._clipboard.copy(token.value)
        told = tr("The token was copied. It is removed from the clipboard in {seconds} s.", seconds=KEEP_SECONDS)
        for asked in [*self._asked]:
            del self._asked[asked]
            monitor = self._monitors.of(asked)
            if monitor is not None:
                self._say(monitor.state, told)

    def _drop_former_token(self) -> None:
        """Take a token off the clipboard that its account no longer has: it may have been revoked."""
        known = {self._copied_token, self._shown_then}
        if self._copied_token and known.isdisjoint(map(token_of, self._monitors.states)):
            self._copied_token = ()
            self._clipboard.clear()

    def _say(self, state: TokenState, text: str, remedy: str = Remedy.NONE) -> None:
        if not self._is_window_seen():
            self._notifier.answer(state, text, remedy, named=self._has_several())

    def _has_several(self) -> bool:
        return len(self._monitors.states) > 1
