"""Find and store the app key and secret of an account, where Kiwoom's own `kiwoomcli` stores them."""

from __future__ import annotations

import sys

from tray_app.core.errors import InvalidInput, KeyringUnavailable, KeysMissing, Remedy
from tray_app.core.language import msg
from tray_app.core.lean import sha256
from tray_app.core.pasted import mistake_in, unquoted, variable
from tray_app.core.profile import DEFAULT, MODE_NAMES, command_line
from tray_app.core.secret import HiddenMapping, Secret
from tray_app.settings.kwcli import alias_digest, aliases
from tray_app.settings.table import KEY_VARIABLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Protocol

    class KeyringClient(Protocol):
        """The OS keyring. Each call may raise `KeyringUnavailable`."""

        def get(self, service: str, username: str) -> str | None: ...
        def set(self, service: str, username: str, value: str) -> None: ...
        def delete(self, service: str, username: str) -> object: ...


_MAX_CHARACTERS = 512
_EMPTY = Secret("")
_WRONG = (
    (msg("The app key is empty."), msg("The app key has blanks or foreign characters inside.")),
    (msg("The app secret is empty."), msg("The app secret has blanks or foreign characters inside.")),
)
_USERNAMES = ("appkey", "secretkey")
_UNREADABLE = {
    KeyringUnavailable.LOCKED: msg("The keyring is locked, so the app key cannot be read. Unlock it."),
    KeyringUnavailable.ASKING: msg("The keyring is asking whether the app key may be read. Allow it."),
    KeyringUnavailable.UNREACHABLE: msg(
        "The app keys may be in the keyring, which cannot be reached from here, outside the desktop session. Run this "
        "as a unit of the user (systemctl --user), or keep the session's services: loginctl enable-linger"
    ),
    KeyringUnavailable.SILENT: msg(
        "The keyring does not answer, so the app key cannot be read now. Try again in a moment."
    ),
}
_SET_VARIABLES = msg(
    "The app keys may be in the keyring, which cannot be reached from here, outside the desktop session. Set {key} and "
    "{secret}, run this as a unit of the user (systemctl --user), or keep the session's services: "
    "loginctl enable-linger"
)
_UNLOCK_KEYCHAIN = msg(
    "The app keys may be in the Keychain, which cannot be used from here, outside the desktop session. Set {key} and "
    "{secret}, or unlock it: security unlock-keychain"
)
_UNLOCK_KEYCHAIN_OF_PROFILE = msg(
    "The app keys may be in the Keychain, which cannot be used from here, outside the desktop session. Unlock it: "
    "security unlock-keychain"
)
_NOWHERE = msg(
    "There are no app keys for {mode}, and there is no keyring on this machine. Set {key} and {secret} in the "
    "environment."
)
_NO_PLACE_FOR_PROFILE = msg(
    "There is no keyring on this machine for the keys of this profile, and the environment has those of the default "
    "one alone. Leave the profile out, and give this account a KIWOOM_TRAY_CONFIG_DIR and a KIWOOM_TRAY_DATA_DIR of "
    "its own, KIWOOM_TRAY_STORE=file, {key} and {secret}."
)


class AppKeys:
    """An app key and its secret. The repr shows neither.

    `alias` is the `kiwoomcli` alias under which they were found, or None.
    """

    __slots__ = ("alias", "app_key", "app_secret")

    def __init__(self, app_key: Secret, app_secret: Secret, alias: str | None = None) -> None:
        self.app_key = app_key
        self.app_secret = app_secret
        self.alias = alias

    def fingerprint(self) -> str:
        """Return the SHA-256 of `appkey:secretkey` in hex, as `kiwoomcli` computes it."""
        return sha256(f"{self.app_key.reveal()}:{self.app_secret.reveal()}".encode()).hexdigest()

    def __repr__(self) -> str:
        return "AppKeys(***)"


def clean_keys(app_key: str | Secret, app_secret: str | Secret) -> AppKeys:
    """Return both texts without the blanks, line ends and quotes around them.

    Raises `InvalidInput` when one is empty, has blanks inside, or is a path or a line `APP_KEY=…` instead of a key.
    """
    given = Secret.of(app_key), Secret.of(app_secret)
    del app_key, app_secret  # a traceback with local variables must not show them
    cleaned = _cleaned(given)
    mistake = _mistake_in(cleaned)
    if mistake is not None:
        raise InvalidInput(mistake[1])
    return AppKeys(*cleaned)


def keyring_service(profile: str, mode: str) -> str:
    """Return the keyring service under which an account's keys are stored, the same as `kiwoomcli`'s."""
    if profile == DEFAULT:
        return f"kiwoom-{mode}"
    return _alias_service(profile)


def find_keys(
    profile: str, mode: str, environ: Mapping[str, str], keyring_client: KeyringClient, account: str = ""
) -> AppKeys:
    """Return the keys of a profile. For the default one the environment goes before the keyring.

    `kiwoomcli setup` always stores under an alias. So the default profile uses the keys of the `account` that was
    chosen for it, if that is of this mode, else its own, else those of the only alias of this mode. It chooses none of
    several, and does not follow `kiwoomcli`'s current one: a switch there must not move a running program to another
    account.

    Raises `KeysMissing` when there are none, the keyring cannot be read, or what is stored cannot be keys.
    """
    environ = HiddenMapping(environ)
    if profile != DEFAULT:
        found = keys_of_alias(profile, keyring_client)
    else:
        found = keys_of_environment(mode, environ) or _of_default(mode, keyring_client, account)
    if found is None:
        raise _none_found(profile, mode, keyring_client)
    return found


def no_place_for_keys(profile: str, mode: str) -> KeysMissing | None:
    """Return how a named profile gets its keys where there is no keyring; None for the default one, which gets them
    from the environment."""
    if profile == DEFAULT:
        return None
    key, secret = KEY_VARIABLES[mode]
    return KeysMissing(_NO_PLACE_FOR_PROFILE, key=key, secret=secret)


def _none_found(profile: str, mode: str, keyring_client: KeyringClient) -> KeysMissing:
    key, secret = KEY_VARIABLES[mode]
    try:
        has_keys(profile, mode, keyring_client)
    except KeyringUnavailable as error:
        if error.problem == KeyringUnavailable.MISSING:  # where `login` could store none
            nowhere = KeysMissing(_NOWHERE, mode=MODE_NAMES[mode], key=key, secret=secret)
            return no_place_for_keys(profile, mode) or nowhere
    return KeysMissing(
        msg("There are no app keys for {mode}. Enter them with: {command}"),
        mode=MODE_NAMES[mode],
        command=command_line("login", profile),
    )


def keys_of_alias(alias: str, keyring_client: KeyringClient) -> AppKeys | None:
    """Return the keys that `kiwoomcli` stores under an alias, or None.

    Raises `KeysMissing` when the keyring cannot be read, or what is stored cannot be keys.
    """
    return _in_keyring(_alias_service(alias), keyring_client, alias)


def store_keys(profile: str, mode: str, keys: AppKeys, keyring_client: KeyringClient) -> None:
    """Store the keys where `kiwoomcli` finds them too. Raises `KeyringUnavailable`."""
    service = keyring_service(profile, mode)
    for username, value in zip(_USERNAMES, (keys.app_key, keys.app_secret), strict=True):
        keyring_client.set(service, username, value.reveal())


def has_keys(profile: str, mode: str, keyring_client: KeyringClient) -> bool:
    """Return True if the keyring has keys of exactly this profile. Raises `KeyringUnavailable`."""
    return keyring_client.get(keyring_service(profile, mode), _USERNAMES[0]) is not None


def forget_keys(profile: str, mode: str, keyring_client: KeyringClient) -> bool:
    """Delete the keys from the keyring; return True if there were any. Raises `KeyringUnavailable`."""
    had = has_keys(profile, mode, keyring_client)
    service = keyring_service(profile, mode)
    for username in _USERNAMES:
        keyring_client.delete(service, username)
    return had


def keys_of_environment(mode: str, environ: Mapping[str, str]) -> AppKeys | None:
    """Return the keys that the environment holds for a mode, or None. Raises `KeysMissing` for half a pair, and for
    what cannot be keys."""
    environ = HiddenMapping(environ)
    names = KEY_VARIABLES[mode]
    values = [Secret(variable(environ, name)) for name in names]
    if values == [_EMPTY, _EMPTY]:
        return None
    if _EMPTY in values:
        missing = names[values.index(_EMPTY)]
        raise KeysMissing(msg("{variable} is not set, though its partner is. Set both."), variable=missing)
    cleaned = _cleaned(values)
    mistake = _mistake_in(cleaned)
    if mistake is not None:
        place, reason = mistake
        raise KeysMissing(
            msg("{variable} cannot be used. {reason} Correct it where it is set."), variable=names[place], reason=reason
        )
    return AppKeys(*cleaned)


def _in_keyring(
    service: str, keyring_client: KeyringClient, alias: str | None = None, variables: tuple[str, str] | None = None
) -> AppKeys | None:
    """Return the keys in the keyring, or None. `variables` is where they could be set instead."""
    try:
        values = [Secret(keyring_client.get(service, username) or "") for username in _USERNAMES]
    except KeyringUnavailable as error:
        if error.problem == KeyringUnavailable.MISSING:
            return None
        raise _unreadable(error.problem, variables) from None
    if _EMPTY in values:
        return None
    cleaned = _cleaned(values)
    mistake = _mistake_in(cleaned)
    if mistake is not None:
        raise KeysMissing(
            msg("The app keys in the keyring cannot be used. {reason} Enter them again with: {command}"),
            reason=mistake[1],
            command=command_line("login", alias or DEFAULT),
        )
    return AppKeys(*cleaned, alias)


def _unreadable(problem: str, variables: tuple[str, str] | None) -> KeysMissing:
    """Return the error for keys that may be in a keyring which cannot be read now."""
    is_mac = sys.platform == "darwin"
    if problem == KeyringUnavailable.UNREACHABLE and variables is not None:
        key, secret = variables
        error = KeysMissing(_UNLOCK_KEYCHAIN if is_mac else _SET_VARIABLES, key=key, secret=secret)
    elif problem == KeyringUnavailable.UNREACHABLE and is_mac:
        error = KeysMissing(_UNLOCK_KEYCHAIN_OF_PROFILE)
    else:
        error = KeysMissing(_UNREADABLE.get(problem, _UNREADABLE[KeyringUnavailable.SILENT]))
    waits_for_user = problem in KeyringUnavailable.UNLOCKABLE
    error.remedy = Remedy.UNLOCK_KEYRING if waits_for_user else Remedy.RETRY
    error.retry = not waits_for_user
    return error


def _of_default(mode: str, keyring_client: KeyringClient, account: str) -> AppKeys | None:
    known = aliases()
    if account and account not in known:
        raise KeysMissing(
            msg(
                "kiwoomcli does not know the account {name} any more. Choose one: kiwoom-token config set account NAME"
            ),
            name=account,
        )
    if known.get(account) == mode:
        return keys_of_alias(account, keyring_client)
    keys = _in_keyring(keyring_service(DEFAULT, mode), keyring_client, variables=KEY_VARIABLES[mode])
    return keys or _of_only_alias([alias for alias, its_mode in known.items() if its_mode == mode], keyring_client)


def _of_only_alias(of_this_mode: list[str], keyring_client: KeyringClient) -> AppKeys | None:
    if len(of_this_mode) > 1:
        raise KeysMissing(
            msg(
                "kiwoomcli knows several accounts ({names}). Choose one with --profile, or for good with: "
                "kiwoom-token config set account NAME"
            ),
            names=", ".join(of_this_mode),
        )
    return keys_of_alias(of_this_mode[0], keyring_client) if of_this_mode else None


def _alias_service(alias: str) -> str:
    return f"kiwoom-profile-{alias_digest(alias)}"


def _cleaned(given: Iterable[Secret]) -> tuple[Secret, Secret]:
    key, secret = (Secret(unquoted(one.reveal())) for one in given)
    return key, secret


def _mistake_in(cleaned: tuple[Secret, Secret]) -> tuple[int, str] | None:
    """Return which one cannot be used, 0 for the key and 1 for the secret, and why; None if both can.

    The caller raises the error, because no traceback may have the text among its variables.
    """
    for place, (one, (when_empty, when_wrong)) in enumerate(zip(cleaned, _WRONG, strict=True)):
        text = one.reveal()
        if not text:
            return place, when_empty
        if mistake := mistake_in(text):
            return place, mistake
        if not text.isascii() or not text.isprintable() or " " in text or len(text) > _MAX_CHARACTERS:
            return place, when_wrong
    return None
