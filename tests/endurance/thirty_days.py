"""Thirty days of a trader's computer in seconds: does a token that works stay at hand, whatever goes wrong?

`python -m tests.endurance.thirty_days --seeds 1000 --jobs 2`. A seed decides all that happens: the computer sleeps, its
clock is set, its disk is full, its keyring locks or hangs; Kiwoom fails, refuses, is silent, or does what it was asked
and says nothing; another tool revokes the token or issues one; the user chooses something; programs restart.
Two programs of the real code share the token meanwhile, and bots ask them for it. Time is simulated and nobody sleeps.
"""

from __future__ import annotations

import argparse
import gc
import heapq
import itertools
import os
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.endurance.simulated_computer import FROZEN, LOCKED, OK, Computer, Program, open_settings
from tests.endurance.simulated_kiwoom import EVERY_REQUEST, ISSUE, REVOKE, VERIFY, Fault, Kiwoom, fingerprint
from tray_app.core.errors import Remedy
from tray_app.core.state import TokenState
from tray_app.core.trading import is_trading, last_time_of_day
from tray_app.history.database import KEPT_EVENTS
from tray_app.system.log_file import BACKUPS, MAX_BYTES

DAY = 86400.0
START = 1_790_000_000.0
STORES = "file", "keyring", "auto"
POLICIES = "auto", "auto", "daily 06:30", "notify"

FOUND_OUT_SECONDS = 600.0 + 15.0
"""A check while the market is open, and the request itself."""

_CORRECTED_SKEW_SECONDS = 60.0
_ASKING_SECONDS = 6.0
_LONGEST_PAUSE_SECONDS = 60.0 + 15.0
_MOST_REQUESTS_IN_AN_HOUR = 150
"""While Kiwoom fails and there is no token, each of two programs asks once a minute; the rest is checks."""

_HOURS_BETWEEN_EVENTS = 7.0
_MOST_STATE_BYTES = 20_000
_SOME_HANDLES = 10
_SOME_OBJECTS = 200
_SOME_FILES = 6
_SOME_BLOCKS = 2000
_BLOCKS_OF_A_REQUEST = 10


@dataclass
class Figures:
    """What came of one seed. Times are in seconds; `took` is the processor's."""

    seed: int
    store: str = ""
    policy: str = ""
    replaces: bool = False
    usable: float = 0.0
    without: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    happened: Counter[str] = field(default_factory=Counter)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    given: int = 0
    dead_before_evidence: int = 0
    extra: int = 0
    longest_undetected: float = 0.0
    violations: list[str] = field(default_factory=list)
    longest_pause: float = 0.0
    threads: int = 0
    handles: int = 0
    objects: int = 0
    state_bytes: int = 0
    log_bytes: int = 0
    history_rows: int = 0
    took: float = 0.0

    @property
    def possible(self) -> float:
        """The time in which the faults allowed a token."""
        return (self.usable + sum(seconds for why, seconds in self.without.items() if why not in EXCUSED)) or 1.0

    def __str__(self) -> str:
        without = ", ".join(f"{why} {seconds:.0f} s" for why, seconds in sorted(self.without.items()))
        asked = ", ".join(f"{kind} {result} {times}" for (kind, result), times in sorted(self.asked.items()))
        lines = [
            f"seed {self.seed}: {self.store}, {self.policy}{', a second issue kills' if self.replaces else ''}; "
            f"a token at hand {self.usable / self.possible:.4%} of the possible time; {self.took:.1f} s",
            f"  without: {without or 'never'}",
            f"  asked: {asked}; more than needed: {self.extra}",
            f"  given {self.given} times, dead before anybody could know: {self.dead_before_evidence}; found out after "
            f"{self.longest_undetected:.0f} s at the latest while the market was open; longest pause after a "
            f"fault {self.longest_pause:.0f} s",
            f"  threads {self.threads}, handles {self.handles}, objects {self.objects}, state {self.state_bytes} B, "
            f"log {self.log_bytes} B, events {self.history_rows}",
            *(f"  WRONG: {one}" for one in self.violations[:10]),
        ]
        return "\n".join(lines)


EXCUSED = frozenset({"fault", "portal", "unwanted", "market closed", "undetected", "by wish", "asking"})
"""Why there was no token at hand though everything was done that could be done."""


class Month:
    """One seed: a computer, Kiwoom, and what happens to them."""

    def __init__(self, seed: int, folder: Path, *, days: float, store: str = "", policy: str = "") -> None:
        self.chance = chance = random.Random(f"thirty days {seed}")  # noqa: S311 - it decides what is tried
        self.figures = Figures(seed)
        self._store = chance.choice(STORES)
        self._policy = chance.choice(POLICIES)
        self._store, self._policy = store or self._store, policy or self._policy
        self.figures.store, self.figures.policy = self._store, self._policy
        self._folder = folder
        self.computer = Computer(START + chance.random() * 7 * DAY, chance)
        self._end = self.computer.true + days * DAY
        self._measure_at = self.computer.true + days * DAY / 3
        self._measured: Size | None = None
        self.kiwoom = Kiwoom(
            now=lambda: self.computer.true,
            pass_time=self.computer.sleep,
            latency=lambda: chance.uniform(0.05, 0.4),
            is_clock_right=lambda: abs(self.computer.skew) <= _CORRECTED_SKEW_SECONDS,
            can_be_stored=lambda: not self.computer.is_disk_full and self.computer.keyring == OK,
            replaces=chance.random() < 0.25,
        )
        self.kiwoom.meanwhile = self._read_meanwhile
        self.figures.replaces = self.kiwoom.replaces
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._asleep_until = 0.0
        self._is_unwanted = False
        self._undetected_since: float | None = None
        self._unexplained_since: float | None = None
        self._paused = 0.0
        self._programs: list[Program] = []
        self._observer: Program | None = None
        self._is_reading = False
        self._faults = 0
        self._fault_moments: list[float] = []

    def run(self) -> Figures:
        began = time.process_time()
        random.seed(f"spread {self.figures.seed}")  # which the program draws from
        with self.computer.running(self._folder, self.kiwoom, self._store):
            self._programs = [self._open(), self._open()]
            self._observer = self._open()
            self._later(self._next_pause(), self._something_happens)
            for number in range(len(self._programs)):
                self._later(self.chance.uniform(60, 1800), partial(self._bot_asks, number))
            for program in list(self._programs):
                self._wake(program)
            while self.computer.true < self._end:
                self._step()
                if self._measured is None and self.computer.true >= self._measure_at:
                    self._measured = self._measure()
            self.figures.asked = self.kiwoom.asked
            self._judge()
        figures = self.figures
        figures.took = time.process_time() - began
        return figures

    # --------------------------------------------------------------------------------------------------- time passes

    def _open(self) -> Program:
        return Program(self.computer, open_settings(self._policy))

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.computer.true + seconds, next(self._numbers), act))

    def _step(self) -> None:
        computer = self.computer
        is_awake = computer.true >= self._asleep_until
        token = self._observe() if is_awake else None
        moment, number = min((one.wakes_at(), at) for at, one in enumerate(self._programs))
        moments = [self._events[0][0], self._end, *([moment] if is_awake else [])]
        moments += [one for one in self._boundaries() if one > computer.true]
        until = max(min(moments), computer.true)
        if is_awake:
            self._account(until - computer.true, token)
        computer.true = until
        if self._events[0][0] <= until:
            heapq.heappop(self._events)[2]()
        elif is_awake and moment <= until:
            computer.true += 0.001
            self._wake(self._programs[number])
        else:
            computer.true += 0.001
        if computer.true >= self._asleep_until:
            for program in self.chance.sample(self._programs, len(self._programs)):
                program.look()

    def _boundaries(self) -> Iterator[float]:
        """Yield when what is at hand may stop working, or what stands in the way end, by the mere passing of time."""
        yield from self.kiwoom.alive.values()
        yield from self.kiwoom.fault_ends()
        yield last_time_of_day(20 * 60, self.computer.true) + DAY  # trading closes
        expires = self._programs[0].supervisor.state.expires
        if expires is not None:
            yield expires - self.computer.skew

    def _wake(self, program: Program, *, resumed: bool = False) -> None:
        if not program.wake(resumed=resumed):
            self._wrong("a program turns in circles")
            self.computer.true += 1.0

    def _wrong(self, what: str) -> None:
        day = (self.computer.true - self._end) / DAY
        self.figures.violations.append(f"{what} ({day:+.3f} days from the end)")

    # -------------------------------------------------------------------------------------------------- what happens

    def _next_pause(self) -> float:
        return self.chance.expovariate(1 / (_HOURS_BETWEEN_EVENTS * 3600.0))

    def _minutes_or_hours(self) -> float:
        """Return a minute to four hours in seconds, rather less than more."""
        return 60.0 * 240.0 ** self.chance.random()

    def _something_happens(self) -> None:
        names = list(_HAPPENINGS)
        (name,) = self.chance.choices(names, [_HAPPENINGS[one][0] for one in names])
        self.figures.happened[name] += 1
        self._faults += 1
        self._fault_moments.append(self.computer.true)
        _HAPPENINGS[name][1](self)
        self._later(self._next_pause(), self._something_happens)

    def sleeps(self) -> None:
        self._asleep_until = self.computer.true + self.chance.choice([300.0, 3600.0, 6 * 3600.0, 14 * 3600.0])
        self._later(self._asleep_until - self.computer.true, self._resume)

    def _resume(self) -> None:
        if self.computer.true < self._asleep_until:
            return
        for program in self.chance.sample(self._programs, len(self._programs)):
            self._wake(program, resumed=True)

    def kiwoom_fails(self) -> None:
        name = self.chance.choice(["http-500", "html", "offline", "timeout", "1700"])
        seconds = self.chance.choice([20.0, 300.0, 1800.0, 7200.0])
        on = self.chance.choice([EVERY_REQUEST, EVERY_REQUEST, frozenset({ISSUE}), frozenset({VERIFY})])
        retry_after = self.chance.choice([None, 1, 30, 600]) if name in {"1700", "http-500"} else None
        self._add(Fault(name, on, self.computer.true + seconds, retry_after=retry_after))

    def answer_is_lost(self) -> None:
        self._add(Fault("lost", frozenset({self.chance.choice([ISSUE, REVOKE])}), times=1))

    def ip_is_unknown(self) -> None:
        self._add(Fault("8050", EVERY_REQUEST, self.computer.true + 3600.0))

    def revoke_is_refused(self) -> None:
        self._add(Fault("8015", frozenset({REVOKE}), self.computer.true + 1800.0))

    def _add(self, fault: Fault) -> None:
        self.kiwoom.faults.append(fault)

    def is_killed(self) -> None:
        for token in [one for one in self.kiwoom.alive if self.kiwoom.works(one)]:
            self.kiwoom.kill(token)

    def is_replaced(self) -> None:
        self.is_killed()
        self.kiwoom.issue()

    def issues_elsewhere(self) -> None:
        self.kiwoom.issue()

    def clock_jumps(self) -> None:
        computer = self.computer
        computer.skew += self.chance.choice([-7200.0, -90.0, -20.0, 20.0, 90.0, 7200.0]) * self.chance.uniform(0.5, 1)
        self._later(self.chance.uniform(60, 4 * 3600.0), self._clock_is_set_right)
        self._later(self.chance.uniform(0, 60), self._resume)

    def _clock_is_set_right(self) -> None:
        self.computer.skew = self.chance.uniform(-2, 2)
        self._later(self.chance.uniform(0, 60), self._resume)

    def disk_fills(self) -> None:
        self.computer.is_disk_full = True
        self._later(self._minutes_or_hours(), self._disk_has_room)

    def _disk_has_room(self) -> None:
        self.computer.is_disk_full = False
        # a token that could not be stored was one program's own, so each supervisor and each bot had to ask
        self._fault_moments += [self.computer.true] * 2 * len(self._programs)

    def keyring_fails(self) -> None:
        self.computer.keyring = self.chance.choice([LOCKED, FROZEN])
        self._later(self._minutes_or_hours(), self._keyring_works)

    def _keyring_works(self) -> None:
        self.computer.keyring = OK
        self._fault_moments.append(self.computer.true)

    def restarts(self) -> None:
        if self.computer.true < self._asleep_until:
            return
        number = self.chance.randrange(len(self._programs))
        self._programs[number] = self._open()
        self._wake(self._programs[number])

    def user_chooses(self) -> None:
        if self.computer.true < self._asleep_until:
            return
        what = self.chance.choice(["refresh", "rotate", "rotate", "clear"])
        self._programs[0].choose(what)
        if what == "clear":
            self._is_unwanted = True

    # ----------------------------------------------------------------------------------------------------- who asks

    def _bot_asks(self, number: int) -> None:
        self._later(self.chance.uniform(300, 3600), partial(self._bot_asks, number))
        if self.computer.true < self._asleep_until:
            return
        program = self._programs[number]
        token = self._ask(program, self.chance.choice(["get", "get", "ensure"]))
        if token is None:
            return
        if self.kiwoom.works(token):
            if self.chance.random() < 0.3 and self.kiwoom.fault_on(VERIFY) is None:
                program.confirm(token)
            return
        if self.kiwoom.fault_on(VERIFY) is not None:
            return
        way = self.chance.choice(["replace", "doubt", "nothing"])
        if way == "nothing":
            return
        if way == "replace":
            self._learn(token)
        new = program.report(token, way)
        if new is not None:
            self._judge_given(new, "replace", self.computer.true)

    def _learn(self, token: str) -> None:
        if not self.kiwoom.works(token):
            self.kiwoom.known_dead.setdefault(token, self.computer.true)

    def _ask(self, program: Program, way: str) -> str | None:
        began = self.computer.true
        token = program.ask(way)
        if token is not None:
            self._judge_given(token, way, began)
        return token

    def _judge_given(self, token: str, way: str, began: float) -> None:
        self.figures.given += 1
        if began > self.kiwoom.known_dead.get(token, float("inf")):
            late = began - self.kiwoom.known_dead[token]
            self._wrong(f"{way} gave {fingerprint(token)}, {late:.1f} s after it was known to be dead")
        elif not self.kiwoom.works(token):
            self.figures.dead_before_evidence += 1

    def _read_meanwhile(self) -> None:
        """Other programs read while one waits for Kiwoom."""
        if self._is_reading or self.chance.random() > 0.1:
            return
        self._is_reading = True
        try:
            for program in self._programs:
                self._ask(program, "get")
        finally:
            self._is_reading = False

    # ------------------------------------------------------------------------------------------------------- judging

    def _observe(self) -> str | None:
        """Return the token at hand. Whoever asks for it may be the one who finds out that it is dead."""
        assert self._observer is not None
        before = len(self.kiwoom.moments)
        token = self._ask(self._observer, "living")
        if len(self.kiwoom.moments) != before:
            for program in self._programs:
                program.look()
        return token

    def _account(self, seconds: float, token: str | None) -> None:
        if seconds <= 0:
            return
        is_usable = token is not None and self.kiwoom.works(token)
        why = "" if is_usable else self._why(token)
        if is_usable:
            self._is_unwanted = False
            self.figures.usable += seconds
        else:
            self.figures.without[why] += seconds
        self._follow_undetected(why, seconds)
        self._follow_unexplained(why, seconds)
        self._follow_pause(why, seconds)

    def _why(self, token: str | None) -> str:
        """Return why no token that works is at hand."""
        computer = self.computer
        if token is not None:
            return "undetected" if is_trading(computer.true) else "market closed"
        if self._is_unwanted:
            return "unwanted"
        if self._policy == "notify":
            return "by wish"
        is_fault = self.kiwoom.refuses(ISSUE) or computer.is_disk_full or computer.keyring != OK
        if is_fault or abs(computer.skew) > _CORRECTED_SKEW_SECONDS:
            return "fault"
        states = [one.supervisor.state for one in self._programs]
        if any(_waits_for_portal(one) for one in states):
            return "portal"
        if any(one.stopped and one.renew_at is None for one in states):
            return "stopped"
        now = computer.clock()
        if all(one.place_problem or (one.renew_at is not None and one.renew_at > now + 3) for one in states):
            return "pause"  # the last failure was a moment ago, of Kiwoom or of the store
        return "asking"

    def _follow_undetected(self, why: str, seconds: float) -> None:
        """While the market is open and Kiwoom can be asked, a dead token is found out in time."""
        computer = self.computer
        is_asked = self.kiwoom.fault_on(VERIFY) is None and is_trading(computer.true)
        is_skewed = abs(computer.skew) > _CORRECTED_SKEW_SECONDS
        if why != "undetected" or not is_asked or is_skewed:
            self._undetected_since = None
            return
        if self._undetected_since is None:
            self._undetected_since = computer.true
        lasted = computer.true + seconds - self._undetected_since
        self.figures.longest_undetected = max(self.figures.longest_undetected, lasted)

    def _follow_unexplained(self, why: str, seconds: float) -> None:
        if why not in {"asking", "stopped"}:
            self._unexplained_since = None
            return
        if self._unexplained_since is None:
            self._unexplained_since = self.computer.true
        before = self.computer.true - self._unexplained_since
        if before <= _ASKING_SECONDS < before + seconds:
            self._wrong(f"no token at hand and nothing speaks against one: {why}")

    def _follow_pause(self, why: str, seconds: float) -> None:
        """A failure is remembered for a moment only: soon after the fault is over there is a token."""
        before = self._paused
        self._paused = before + seconds if why == "pause" else 0.0
        self.figures.longest_pause = max(self.figures.longest_pause, self._paused)
        if before <= _LONGEST_PAUSE_SECONDS < self._paused:
            self._wrong("nothing stands in the way of a token, and all wait")

    def _judge(self) -> None:
        figures, kiwoom = self.figures, self.kiwoom
        fault_moments = sorted([*self._fault_moments, *kiwoom.failed_at])
        for token, times in kiwoom.same_answers.items():
            ended = kiwoom.issued[token]
            faults = sum(ended - LIFE_AND_PAUSE <= one <= ended for one in fault_moments)
            figures.extra += max(0, times - 1)
            if times > 1 + faults:
                self._wrong(f"{fingerprint(token)} was asked for {times} times with {faults} faults in its life")
        for first, second in itertools.pairwise(sorted(kiwoom.replaced_at)):
            if second - first < 60 and not any(first - 60 <= one <= second for one in fault_moments):
                self._wrong("two issues killed each other's token")
        if has_more_in_an_hour(kiwoom.contested_at, 4):
            self._wrong("two programs that could not store their tokens ended each other's again and again")
        if has_more_in_an_hour(kiwoom.moments, _MOST_REQUESTS_IN_AN_HOUR):
            self._wrong("too many requests in an hour")
        if figures.longest_undetected > FOUND_OUT_SECONDS:
            self._wrong(f"a dead token was found out after {figures.longest_undetected:.0f} s only")
        self._judge_bounds()

    def _judge_bounds(self) -> None:
        """Nothing grows beyond its bounds, and what has none does not grow after the first third of the time."""
        figures, before, now = self.figures, self._measured, self._measure()
        figures.threads, figures.handles, figures.objects = now.threads, now.handles, now.objects
        figures.state_bytes = sum(one.stat().st_size for one in (self._folder / "state").rglob("*") if one.is_file())
        figures.log_bytes = sum(one.stat().st_size for one in (self._folder / "log").glob("tray.log*"))
        if before is not None and now.is_beyond(before):
            self._wrong(f"grown from {before} to {now}")
        if figures.state_bytes > _MOST_STATE_BYTES:
            self._wrong(f"{figures.state_bytes} bytes of state")
        if figures.log_bytes > (BACKUPS + 1) * (MAX_BYTES + 10_000):
            self._wrong(f"{figures.log_bytes} bytes of log")
        history = self._folder / "data" / "history.db"
        if history.exists():
            with closing(sqlite3.connect(history)) as database:
                figures.history_rows = database.execute("SELECT count(*) FROM events").fetchone()[0]
        if figures.history_rows > KEPT_EVENTS:
            self._wrong(f"{figures.history_rows} events in the history")

    def _measure(self) -> Size:
        gc.collect()
        return Size(
            threads=threading.active_count(),
            handles=len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0,
            objects=sum(str(type(one).__module__).startswith("tray_app.") for one in gc.get_objects()),
            blocks=sys.getallocatedblocks(),
            files=sum(1 for _ in self._folder.rglob("*")),
            requests=len(self.kiwoom.moments),
        )


@dataclass(frozen=True)
class Size:
    """What the programs take. `objects`: those of the program's own classes; `blocks`: of memory, also those in which
    the simulation notes each of the `requests`."""

    threads: int
    handles: int
    objects: int
    blocks: int
    files: int
    requests: int

    def is_beyond(self, before: Size) -> bool:
        """Return True if it has grown since. A token more or less in memory is no growth."""
        return (
            self.threads > before.threads
            or self.handles > before.handles + _SOME_HANDLES
            or self.objects > before.objects + _SOME_OBJECTS
            or self.files > before.files + _SOME_FILES
            or self.blocks > before.blocks + _SOME_BLOCKS + _BLOCKS_OF_A_REQUEST * (self.requests - before.requests)
        )


def _waits_for_portal(state: TokenState) -> bool:
    """Nothing tells a program that its IP was registered: it asks after growing pauses."""
    last = state.last
    return last is not None and last.error is not None and last.error.remedy == Remedy.OPEN_PORTAL


def has_more_in_an_hour(moments: list[float], most: int) -> bool:
    """Return whether more than `most` of the moments lie within an hour."""
    ordered = sorted(moments)
    return any(later - earlier < 3600.0 for earlier, later in zip(ordered, ordered[most:], strict=False))


LIFE_AND_PAUSE = DAY + 3600.0

_HAPPENINGS: dict[str, tuple[int, Callable[[Month], None]]] = {
    "sleeps": (12, Month.sleeps),
    "Kiwoom fails": (20, Month.kiwoom_fails),
    "an answer is lost": (8, Month.answer_is_lost),
    "IP unknown": (3, Month.ip_is_unknown),
    "revoke refused": (4, Month.revoke_is_refused),
    "killed": (8, Month.is_killed),
    "replaced": (5, Month.is_replaced),
    "issued elsewhere": (6, Month.issues_elsewhere),
    "clock jumps": (5, Month.clock_jumps),
    "disk full": (5, Month.disk_fills),
    "keyring fails": (8, Month.keyring_fails),
    "restart": (6, Month.restarts),
    "user": (5, Month.user_chooses),
}


def run_seed(seed: int, days: float = 30.0, store: str = "", policy: str = "") -> Figures:
    """Run one seed in a folder of its own, in memory where there is such a one."""
    shm = "/dev/shm"  # noqa: S108 - a folder of its own is made there
    with tempfile.TemporaryDirectory(dir=shm if os.access(shm, os.W_OK) else None) as folder:
        return Month(seed, Path(folder), days=days, store=store, policy=policy).run()


def total(all_figures: list[Figures]) -> str:
    """Return the figures of all seeds together."""
    usable = possible = 0.0
    without: defaultdict[str, float] = defaultdict(float)
    asked: Counter[tuple[str, str]] = Counter()
    for one in all_figures:
        if one.policy != "notify":
            usable, possible = usable + one.usable, possible + one.possible
        for why, seconds in one.without.items():
            without[why] += seconds
        asked.update(one.asked)
    wrong = [one for one in all_figures if one.violations]
    lines = [
        f"{len(all_figures)} seeds, {sum(one.took for one in all_figures):.0f} s; a token at hand "
        f"{usable / possible if possible else 1:.5%} of the possible time (policies auto and daily)",
        f"without, in hours: {', '.join(f'{why} {seconds / 3600:.2f}' for why, seconds in sorted(without.items()))}",
        f"asked: {', '.join(f'{kind} {result} {times}' for (kind, result), times in sorted(asked.items()))}",
        f"more than needed: {sum(one.extra for one in all_figures)}; what happened: "
        f"{sum(sum(one.happened.values()) for one in all_figures)}",
        f"given {sum(one.given for one in all_figures)} times; dead before anybody could know: "
        f"{sum(one.dead_before_evidence for one in all_figures)}",
        f"found out at the latest after {max(one.longest_undetected for one in all_figures):.0f} s (market open)",
        f"threads {max(one.threads for one in all_figures)}, handles {max(one.handles for one in all_figures)}, "
        f"log {max(one.log_bytes for one in all_figures)} B, events {max(one.history_rows for one in all_figures)}",
        f"wrong: {len(wrong)} seeds {[one.seed for one in wrong][:40]}",
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Thirty days of a trader's computer, simulated.")
    parser.add_argument("--seeds", type=int, help="how many; ten, or the one named by --seed")
    parser.add_argument("--seed", type=int, help="the first one")
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--store", choices=STORES, default="")
    parser.add_argument("--policy", default="")
    options = parser.parse_args()
    first = int(time.time()) if options.seed is None else options.seed
    seeds = range(first, first + (options.seeds or (10 if options.seed is None else 1)))
    print(f"seeds {seeds.start} to {seeds.stop - 1}", flush=True)
    found = []
    with ProcessPoolExecutor(options.jobs) as pool:
        rest = itertools.repeat
        for one in pool.map(run_seed, seeds, rest(options.days), rest(options.store), rest(options.policy)):
            found.append(one)
            if one.violations or len(seeds) <= 20:
                print(one, flush=True)
            if not len(found) % 25:
                print(f"{len(found)} seeds done", flush=True)
    print(total(found))
    return 1 if any(one.violations for one in found) else 0


if __name__ == "__main__":
    sys.exit(main())
