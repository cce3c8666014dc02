"""One account's supervisor on the desktop: its jobs run on two threads, its results are signals, a timer calls its
`tick`."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from tray_app.core.errors import StoreError
from tray_app.core.state import Action
from tray_app.desktop.file_watch import FileWatch, watchable
from tray_app.desktop.worker import Worker
from tray_app.service.composition import find_keys
from tray_app.supervisor.commands import Clear, EnterKeys, PlanRotation, Refresh, Rotate, Unlock, Verify
from tray_app.supervisor.supervisor import Callbacks, Supervisor
from tray_app.system.private_folders import make_private_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.state import TokenState
    from tray_app.core.token import Token
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.service.outcome import Outcome
    from tray_app.service.token_service import TokenService
    from tray_app.settings.load import Settings
    from tray_app.supervisor.jobs import Job

_UNASKED_READ_SECONDS = 180.0
"""How often the store is read although no change of its files was reported: a network folder may not report any."""

_LONGEST_SLEEP_SECONDS = 60.0
"""No timer runs longer, so that a resumed computer is noticed within a minute."""


class Monitor(QObject):
    """Connect a `Supervisor` to Qt: it is used on the GUI thread, and two workers do what may wait.

    `open_service` opens the token service for settings, `keep_keys` tries and stores app keys, `find_keys` finds
    those that are stored, and `unlock_keyring` lets the keyring ask for its password.

    Signals: `changed(TokenState)` with the new state, `notice(Notice)` with what to tell the user, `notice_over()` when
    the last notice is no longer true, and `copied(Token)` with the token to copy.
    """

    changed = Signal(object)
    notice = Signal(object)
    notice_over = Signal()
    copied = Signal(object)

    def __init__(
        self,
        settings: Settings,
        open_service: Callable[[Settings], TokenService],
        keep_keys: Callable[[Settings, AppKeys], Outcome | None],
        unlock_keyring: Callable[[], None],
        *,
        check_keyring: Callable[[], None] | None = None,
        find_keys: Callable[[Settings], AppKeys] = find_keys,
        sandbox: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._keep_keys = keep_keys
        self._unlock_keyring = unlock_keyring
        self._find_keys = find_keys
        self._clock = clock
        self._reader = Worker("read", self)
        self._actor = Worker("act", self)
        self._files = FileWatch(self)
        self._files.changed.connect(self.read)
        self._prepared: TokenService | None = None
        self._has_ended = False
        # precise, so that it does not fire before the caller that calls `tick` once a minute
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)
        self._supervisor = Supervisor(
            settings,
            open_service,
            Callbacks(changed=self._show, notice=self.notice.emit, notice_over=self.notice_over.emit),
            run_read=self._run_read,
            run_act=self._run_act,
            sandbox=sandbox,
            check_keyring=check_keyring,
            reads_every=_UNASKED_READ_SECONDS,
            clock=clock,
        )

    @property
    def state(self) -> TokenState:
        """The present state to show."""
        return self._supervisor.state

    @property
    def settings(self) -> Settings:
        """The settings that apply at present."""
        return self._supervisor.settings

    @property
    def service(self) -> TokenService:
        """The token service that is read at present."""
        return self._supervisor.service

    @property
    def is_idle(self) -> bool:
        """True if nothing is being read or done, so that the state is up to date."""
        return self._supervisor.is_idle

    def current_token(self) -> Token | None:
        """Return the token that is stored now. Not for the GUI thread; raises `StoreError`."""
        return self.service.current()

    def start(self) -> None:
        """Read the token for the first time."""
        self.read()

    def end(self, seconds: float = 0.0) -> None:
        """Stop watching the account. The present action is finished, and nothing is done after it.

        Wait for that at most `seconds`, because a token that Kiwoom has issued is to be stored before the program ends;
        do not wait for the keyring's question.
        """
        self._has_ended = True
        self._timer.stop()
        self._reader.end()
        self._actor.finish(0.0 if self.state.busy is Action.UNLOCK else seconds)
        self.deleteLater()

    def apply(self, settings: Settings) -> None:
        """Go on under changed settings. Raises `KiwoomTokenError` where their store cannot be opened."""
        self._supervisor.apply(settings)

    def tick(self) -> None:
        """Do what is due, or send the notice that is; called by itself once a minute."""
        self._supervisor.tick()

    def read(self) -> None:
        """Read the store if it changed since it was last read; once ended, do nothing."""
        if not self._has_ended:
            self._supervisor.read()

    def refresh(self) -> None:
        """Ask Kiwoom for a token now."""
        self._supervisor.do(Refresh())

    def verify(self) -> None:
        """Ask Kiwoom if the token works."""
        self._supervisor.do(Verify())

    def rotate(self, at: float | None = None) -> None:
        """Revoke the token of the state and ask Kiwoom for a new one, now or at that instant (seconds of the epoch)."""
        if at is None:
            self._supervisor.do(Rotate())
        else:
            self._supervisor.do(PlanRotation(at))

    def clear(self, *, revoke: bool) -> None:
        """Forget the token of the state here; with `revoke` revoke it at Kiwoom first."""
        self._supervisor.do(Clear(revoke=revoke))

    def unlock(self) -> None:
        """Let the keyring ask for its password, then move the token from the file into it."""
        self._supervisor.do(Unlock(self._unlock_keyring))

    def enter_keys(self, mode: str, keys: AppKeys | None = None) -> None:
        """Try and keep the app keys of a mode, by default those of the present one.

        Once Kiwoom takes them, go on in that mode.
        """
        settings = self.settings
        find = self._find_keys if keys is None else lambda _: keys
        self._supervisor.do(EnterKeys(settings, mode, lambda: find(settings), self._keep_keys))

    def copy(self) -> None:
        """Read the token for the clipboard; `copied` carries it."""
        self._supervisor.copy(self.copied.emit)

    def snooze(self, seconds: float) -> None:
        """Show no warnings for `seconds`; 0 ends the snooze."""
        self._supervisor.snooze(seconds)

    def hold(self, is_held: bool) -> None:
        """Hold notices back while nobody is at the screen; afterwards send those that are still true."""
        self._supervisor.hold(is_held)

    def resumed(self) -> None:
        """Check everything again: the computer slept, or its clock was set."""
        self._supervisor.tick(resumed=True)

    def _run_act(self, job: Job[Any]) -> None:
        self._actor.run(job.run, lambda *_: job.finish())

    def _run_read(self, job: Job[Any]) -> None:
        """Run a job that reads, and update the files to watch: a file that was replaced is another one to the
        system."""

        def run() -> set[str]:
            try:
                return self._watchable()
            finally:
                job.run()

        def finish(paths: set[str] | None, _: Exception | None) -> None:
            is_new = paths is not None and self._files.watch(paths)
            job.finish()
            if is_new:  # what changed in a folder before it was watched was not reported
                self.read()

        self._reader.run(run, finish)

    def _watchable(self) -> set[str]:
        service = self.service
        paths = service.watch_paths()
        if service is not self._prepared:
            self._prepared = service
            for path in paths:
                with contextlib.suppress(StoreError):  # reading the store reports what is wrong with it
                    make_private_folder(os.path.dirname(path))
        exported = [] if service.exports is None else service.exports.watch_paths()
        return watchable([*paths, *exported])

    def _show(self, state: TokenState) -> None:
        self.changed.emit(state)
        now, moment = self._clock(), self._supervisor.next_moment()
        wait = _LONGEST_SLEEP_SECONDS if moment is None else min(_LONGEST_SLEEP_SECONDS, moment - now)
        self._timer.start(max(0, int(wait * 1000) + 1))
