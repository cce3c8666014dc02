"""The values that the desktop renders: `Overview` goes in, `View` comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tray_app.core.state import Action, TokenState
from tray_app.desktop.icons.state_icon import IconSpec, Phase
from tray_app.desktop.theme.colours import Tone

if TYPE_CHECKING:
    pass

REAL, MOCK, SANDBOX = "real", "mock", "practice"


@dataclass(frozen=True, slots=True)
class Badge:
    """`kind` is `real`, `mock` or `practice`: each has its own colour and edge beside its text."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the desktop has to show: a state for each profile, of which `chosen` is in the window and the menu.

    `snoozed_until` is when warnings are told again, `copied_until` when a copied token leaves the clipboard, both
    in seconds of the epoch. `panel` is the user's word on the panel's brightness: `auto`, `dark` or `light`.
    `settings_problem` says in one sentence what of the settings cannot be used.
    """

    states: tuple[TokenState, ...]
    chosen: str
    snoozed_until: float | None = None
    copied_until: float | None = None
    panel: str = "auto"
    settings_problem: str = ""

    @classmethod
    def of(cls, state: TokenState) -> Overview:
        """The overview of one profile alone."""
        return cls((state,), state.profile)

    @property
    def state(self) -> TokenState:
        """The state of the chosen profile, or of the first one while the chosen one has none."""
        return next((state for state in self.states if state.profile == self.chosen), self.states[0])

    def is_snoozed(self, now: float) -> bool:
        return self.snoozed_until is not None and self.snoozed_until > now


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """A profile as something to choose. `name` is what it is called in the settings, `text` what a user reads."""

    name: str
    text: str
    chosen: bool
    tone: Tone
    icon: IconSpec


@dataclass(frozen=True, slots=True)
class View:
    """All texts are plain, in the current language, and without mnemonics; a menu must double their `&`.

    What the tray shows changes only at `next_change`; `countdown`, `fraction` and `copy_text` may change every
    second. `remedy` is a `Remedy` that the remedy button stands for, or empty. `fraction` is the part of the
    window's ring that is filled, 0 to 1. `working` is what is being done because somebody or the plan wants it,
    so a look is none. `profiles` is empty when there is one only. `elsewhere` says what is more urgent at another
    profile, `elsewhere_profile`, than at the chosen one. `policy` is `notify`, `auto` or `daily`, and `daily_policy`
    the whole setting that the daily entry stands for.
    """

    icon: IconSpec
    tooltip: str
    menu_status: str
    refresh_text: str
    can_refresh: bool
    can_rotate: bool
    can_copy: bool
    can_clear: bool
    copy_text: str
    is_copied: bool
    is_snoozed: bool
    snooze_text: str
    policy: str
    policy_text: str
    daily_policy: str
    panel: str
    title: str
    profile: str
    profiles: tuple[ProfileLine, ...]
    elsewhere: str
    elsewhere_profile: str
    phase: Phase
    badges: tuple[Badge, ...]
    tone: Tone
    fraction: float
    headline: str
    countdown: str
    remaining: str
    end: str
    end_is_alarming: bool
    end_local: str
    place: str
    place_path: str
    place_why: str
    last: str
    last_at: str
    last_tone: Tone
    coming: str
    skew: str
    settings_problem: str
    busy: str
    working: Action | None
    remedy: str
    remedy_text: str
