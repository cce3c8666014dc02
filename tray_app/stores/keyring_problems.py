"""Why the OS keyring cannot be used, each with what to do about it."""

from __future__ import annotations

from tray_app.core.errors import KeyringUnavailable
from tray_app.core.language import msg

_INTERACTION_NOT_ALLOWED = -25308
"""`errSecInteractionNotAllowed`: what macOS answers where it cannot ask the user. keyring (25.7) tells it as the cause.
"""


def missing() -> KeyringUnavailable:
    """Return the error for a computer without a keyring."""
    return KeyringUnavailable(msg("There is no keyring on this machine."), problem=KeyringUnavailable.MISSING)


def locked() -> KeyringUnavailable:
    """Return the error for a keyring whose password has not been entered."""
    return KeyringUnavailable(msg("The keyring is locked. Unlock it."), problem=KeyringUnavailable.LOCKED)


def silent() -> KeyringUnavailable:
    """Return the error for a keyring that does not answer in time."""
    return KeyringUnavailable(msg("The keyring does not answer."), problem=KeyringUnavailable.SILENT)


def no_thread() -> KeyringUnavailable:
    """Return the error for a keyring that is not asked, because no thread can be started for that."""
    return KeyringUnavailable(
        msg("The keyring is not asked, because this program can start no more threads."),
        problem=KeyringUnavailable.FAILED,
    )


def asking() -> KeyringUnavailable:
    """Return the error for a keyring that wants its user to answer a question first."""
    return KeyringUnavailable(
        msg(
            "The keyring is asking for permission. Allow it, or switch the question off where it comes from "
            "(KeePassXC: Secret Service Integration, confirm when passwords are retrieved)."
        ),
        problem=KeyringUnavailable.ASKING,
    )


def unreachable() -> KeyringUnavailable:
    """Return the error for a keyring of a desktop session that this program cannot reach."""
    return KeyringUnavailable(
        msg(
            "The keyring cannot be reached from here, outside the desktop session. Turn on share_token_file, run this "
            "as a unit of the user (systemctl --user), or keep the session's services: loginctl enable-linger"
        ),
        problem=KeyringUnavailable.UNREACHABLE,
    )


def locked_out() -> KeyringUnavailable:
    """Return the error for a Keychain that cannot ask its user here, as over ssh."""
    return KeyringUnavailable(
        msg(
            "The Keychain cannot be used from here, outside the desktop session. Turn on share_token_file, or unlock "
            "it: security unlock-keychain"
        ),
        problem=KeyringUnavailable.UNREACHABLE,
    )


def no_such_collection() -> KeyringUnavailable:
    """Return the error for a preferred collection that the keyring does not have."""
    return KeyringUnavailable(
        msg(
            "KEYRING_PROPERTY_PREFERRED_COLLECTION names no collection of the keyring. Correct or remove the variable."
        ),
        problem=KeyringUnavailable.FAILED,
    )


def no_such_backend(where: str) -> KeyringUnavailable:
    """Return the error for a backend of `keyring` that is named in a place, and that is not installed."""
    return KeyringUnavailable(
        msg("{where} names a keyring that is not installed. Correct or remove it."),
        problem=KeyringUnavailable.FAILED,
        where=where,
    )


def too_small(limit: int) -> KeyringUnavailable:
    """Return the error for a value of more than `limit` characters in Windows' vault."""
    return KeyringUnavailable(
        msg("Windows Credential Manager takes at most {limit} characters."),
        problem=KeyringUnavailable.TOO_SMALL,
        limit=limit,
    )


def failed(error: BaseException) -> KeyringUnavailable:
    """Return the error for whatever a keyring raises, naming only its kind, because its text could hold a secret."""
    cause = error.__cause__
    if cause is not None and cause.args[:1] == (_INTERACTION_NOT_ALLOWED,):
        return locked_out()
    return KeyringUnavailable(
        msg("The keyring failed ({reason})."), problem=KeyringUnavailable.FAILED, reason=type(error).__name__
    )
