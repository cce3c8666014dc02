"""The values that the desktop renders: `Overview` goes in, `View` comes out."""

from __future__ import annotations

from dataclasses import dataclass

from tray_app.core.state import Action, TokenState
from tray_app.desktop.icons.state_icon import IconSpec, Phase
from tray_app.desktop.theme.colours import Tone

REAL, MOCK, SANDBOX = "real", "mock", "sandbox"


@dataclass(frozen=True, slots=True)
class Badge:
    """A badge; `kind` is `real`, `mock` or `sandbox`, each with its own colour and outline."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The input of `view_of`: the state of each account, of which `chosen` is shown in window and menu.

    `snoozed_until` and `copied_until` (when a copied token leaves the clipboard) are in epoch seconds. `panel` is the
    setting for the brightness of the panel: `auto`, `dark` or `light`. `settings_problem` is a sentence about what in
    the settings cannot be used, `calendar_problem` one about holidays that are not known.
    """

    states: tuple[TokenState, ...]
    chosen: str
    snoozed_until: float | None = None
    copied_until: float | None = None
    panel: str = "auto"
    settings_problem: str = ""
    calendar_problem: str = ""

    @property
    def state(self) -> TokenState:
        """The state of the chosen account, or of the first one while the chosen one has none."""
        return next((state for state in self.states if state.profile == self.chosen), self.states[0])

    def is_snoozed(self, now: float) -> bool:
        return self.snoozed_until is not None and self.snoozed_until > now


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """An account to choose. `name` is that of the settings, `text` what the user reads, `status` until when it is
    valid or what is wrong."""

    name: str
    text: str
    status: str
    chosen: bool
    icon: IconSpec


@dataclass(frozen=True, slots=True)
class View:
    """All that is shown, as plain text in the current language. There are no mnemonics: a menu must double each `&`.

    What the tray shows changes only at `next_change`; `countdown`, `fraction` and `copy_text` may change every
    second. `fraction` is the filled part of the ring, 0 to 1. `event_at` is when the last event was, in epoch seconds,
    which tells it from the one before. `working` is the running action of the user or the renewal plan, so a mere
    check is none.

    `remedy` is what helps, as a `Remedy`, or empty where nothing is wrong or asking Kiwoom helps, which
    `refresh_is_main` tells. `nothing_to_do` says so, or is empty. `account` is the name of the account that all this is
    about, `profile` what the window shows of it; `can_show_account` tells that the head line of the
    menu opens the window for it. `profiles` is empty when there is only one account. `policy` is
    `notify`, `auto` or `daily`, and `daily_policy` the whole setting behind the daily entry.
    """

    icon: IconSpec
    tooltip: str
    menu_status: str
    can_show_account: bool
    menu_remedy_text: str
    refresh_text: str
    refresh_is_main: bool
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
    account: str
    profile: str
    profiles: tuple[ProfileLine, ...]
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
    event_at: float | None
    confirmed: str
    last_tone: Tone
    coming: str
    skew: str
    settings_problem: str
    busy: str
    working: Action | None
    remedy: str
    remedy_text: str
    can_remedy: bool
    nothing_to_do: str
