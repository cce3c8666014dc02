"""Texts of the setup wizard that depend on the state."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tray_app.core.errors import KeyringUnavailable, say
from tray_app.core.language import tr
from tray_app.core.wording import keyring_name, keyring_subject, korean_time, mode_text
from tray_app.desktop.setup.flow import Activity, SetupState, Step
from tray_app.settings.table import KEY_VARIABLES

if TYPE_CHECKING:
    from tray_app.desktop.setup.actions import FoundKeys


def keyring_problem(state: SetupState) -> str:
    return state.search.problem if state.search else ""


def keys_note_text(state: SetupState, *, has_choices: bool) -> str:
    """Return what stands above the form for the keys."""
    problem = keyring_problem(state)
    if problem == KeyringUnavailable.MISSING:
        return tr(
            "This computer has no keyring, and app keys are stored nowhere else. "
            "Set them in the environment instead: APP_KEY and APP_SECRET, "
            "for mock trading APP_KEY_MOCK and APP_SECRET_MOCK. Only the default profile takes them from there."
        )
    if problem == KeyringUnavailable.LOCKED:
        return tr(
            "{keyring} is locked. Unlock it to use the app keys in it or to store new ones.",
            keyring=keyring_subject(),
        )
    if problem == KeyringUnavailable.ASKING:
        return tr("{keyring} is asking for permission.", keyring=keyring_subject())
    if problem == KeyringUnavailable.UNREACHABLE:
        return tr("{keyring} cannot be reached from here.", keyring=keyring_subject())
    if problem:
        return tr("{keyring} does not answer, so no app key can be stored at the moment.", keyring=keyring_subject())
    if has_choices:
        return tr("App keys found on this computer:")
    return ""


def found_text(found: FoundKeys) -> str:
    """Return the label of a choice of keys that were found."""
    mode = mode_text(found.mode)
    if found.in_environment:
        name = KEY_VARIABLES[found.mode][0]
        return tr("Use {variable} from the environment, for {mode}", variable=name, mode=mode)
    if found.alias:
        return tr("Use kiwoomcli's keys for {mode} ({alias})", mode=mode, alias=found.alias)
    return tr("Use the keys for {mode} in {keyring}", mode=mode, keyring=keyring_name())


def activity_text(state: SetupState) -> str:
    """Return what is running at the moment; empty for nothing."""
    if state.activity is Activity.CHECKING:
        return tr("Checking these keys with Kiwoom…")
    if state.activity is Activity.UNLOCKING:
        return tr("Waiting for {keyring} to be unlocked…", keyring=keyring_name())
    if state.activity is Activity.SAVING:
        return tr("Saving…")
    if state.step is Step.KEYS and state.search is None:
        return tr("Looking for app keys on this computer…")
    return ""


def storage_text(state: SetupState, platform: str = sys.platform) -> str:
    place = state.storage
    if place is None:
        return tr("Checking {keyring}…", keyring=keyring_name())
    if place.kind == "keyring":
        return tr("In {keyring}", keyring=keyring_name(platform))
    if place.kind == "file":
        return tr("In a file that only you can read")
    return tr("In memory") if place.kind == "memory" else tr("In Redis")


def storage_reason_text(state: SetupState) -> str:
    place = state.storage
    if place is None:
        return ""
    if place.is_fixed or place.store not in {"auto", "keyring"}:
        return f"{place.path}\n".lstrip() + (
            tr("Set by the environment variable KIWOOM_TRAY_STORE.") if place.is_fixed else tr("Set in the settings.")
        )
    if not place.problem:
        return tr("Encrypted by the system and unlocked when you log in, like the app key.")
    why = {
        KeyringUnavailable.MISSING: tr("This computer has no keyring."),
        KeyringUnavailable.LOCKED: tr(
            "{keyring} is locked. Once it is unlocked, the token is moved there.", keyring=keyring_subject()
        ),
        KeyringUnavailable.ASKING: tr("{keyring} is asking for permission.", keyring=keyring_subject()),
        KeyringUnavailable.UNREACHABLE: tr("{keyring} cannot be reached from here.", keyring=keyring_subject()),
    }.get(
        place.problem,
        tr("{keyring} does not answer. Once it does, the token is moved there.", keyring=keyring_subject()),
    )
    return f"{why}\n{place.path}" if place.path else why


def policy_text(policy: str) -> str:
    if policy == "auto":
        return tr("Renew automatically (recommended)")
    if policy == "notify":
        return tr("Only warn me")
    return tr("Revoke and reissue daily at {time}", time=policy.partition(" ")[2])


def policy_description(policy: str) -> str:
    if policy == "auto":
        return tr("A new token is issued right after the current one expires. You are warned if that fails.")
    if policy == "notify":
        return tr("You issue the new token yourself, from the icon's menu.")
    return tr(
        "In Korean time, so that it never expires during trading hours. The old token is revoked at "
        "once, so every program that uses it is cut off once."
    )


def first_token_text(state: SetupState, now: float) -> tuple[str, str]:
    if state.accepted is None:
        return (
            tr("No app key was added"),
            tr("You can enter it at any time: click the icon."),
        )
    head = tr("The first token is valid until {time} (KST)", time=korean_time(state.accepted.expires, now))
    if state.accepted.unsaved is not None:
        return head, say(state.accepted.unsaved)
    return head, policy_description(state.options.policy if state.options else "auto")


def icon_text(platform: str, *, has_panel: bool) -> tuple[str, str]:
    if not has_panel:
        return (
            tr("This desktop shows no icons"),
            tr("A small window is shown instead. On GNOME, the AppIndicator extension adds the icon."),
        )
    if platform == "darwin":
        return (
            tr("Look for the icon in the menu bar"),
            tr("It shows how long the token is still valid. Click it for everything else."),
        )
    head = tr("Look for the icon next to the clock")
    if platform == "win32":
        return head, tr("Windows 11 hides new icons under ^: open that and drag the icon down onto the taskbar.")
    return head, tr("It shows how long the token is still valid. Click it for everything else.")
