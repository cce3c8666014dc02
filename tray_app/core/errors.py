"""What can go wrong, as types that a caller can tell apart.

Every error carries a sentence for the user (English; `tray_app.core.language` has the Korean one), the
broker's code where there is one, the exit status of the command line, and whether asking again can help.
No error ever carries a token, a key, a secret or a request body.
"""

from __future__ import annotations

from tray_app.core.language import joined, msg, tr
from tray_app.core.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Self, TypeVar

    _Error = TypeVar("_Error", bound="KiwoomTokenError")

DONE = 0
UNEXPECTED = 1
USAGE = 2
NO_TOKEN = 3
KEYS = 4
KIWOOM_SILENT = 5
KEYRING = 6

DEAD_TOKEN_CODE = "8005"  # noqa: S105 - a code of Kiwoom

UNEXPLAINED_CODES = frozenset({"2", "3"})
"""Kiwoom's general codes: for what was sent, and for the authentication. The answer did not say more."""

_PAUSED = msg("After these failures Kiwoom is not asked for another {seconds} s.")
_PACKAGE_MISSING = msg(
    "The Python package {package} is missing. Install this program again; where it was started with start.py, delete "
    "its folder .venv and start that again."
)
_MAX_CHARACTERS = 2000
_IN_WORDS = ("expected", "mode", "reason")
"""The values of errors that may be sentences of ours; others are the user's own names."""


class Remedy:
    """The one thing a user can do about an error; names what a button would do. `core.remedies` has the words."""

    NONE = ""
    RETRY = "retry"
    WAIT = "wait"
    """Kiwoom is asked again by itself; asking before that makes it worse."""
    ISSUE = "issue"
    CHECK = "check"
    ENTER_KEYS = "enter-keys"
    SWITCH_MODE = "switch-mode"
    """Try the same keys for the other mode, real or mock trading."""
    OPEN_PORTAL = "open-portal"
    UNLOCK_KEYRING = "unlock-keyring"
    ROTATE = "rotate"
    PLAN_ROTATION = "plan-rotation"
    """Revoke and reissue at the next quiet hour."""
    CHOOSE_FOLDER = "choose-folder"
    CHOOSE_STORE = "choose-store"
    """Store the token somewhere else than in a keyring or a Redis that will not do."""
    SHOW_FILE = "show-file"
    """Show where the file is that stands in the way: only its user can correct or remove it."""
    FIX_SETTINGS = "fix-settings"


class KiwoomTokenError(Exception):
    """Base of all errors of this program.

    `message` is an English sentence with `{name}` places filled from `values`; `code` is the broker's
    code or None; `retry` tells whether the same request can succeed later without the user doing
    anything; `retry_after` is how many seconds the broker asked to wait, or None.
    """

    exit_status = UNEXPECTED
    retry = False
    remedy = Remedy.NONE

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        retry_after: float | None = None,
        remedy: str | None = None,
        **values: object,
    ) -> None:
        self.message = message
        self.values = values
        self.code = code
        self.retry_after = retry_after
        if remedy is not None:
            self.remedy = remedy
        super().__init__(str(self))  # for whoever shows the `args` alone, as a repr and the workers of Celery do

    def again(self) -> Self:
        """Return the same error without a traceback, which would keep the frames of everybody it was raised to."""
        return _restored(type(self), self.args, self.__dict__)

    def __reduce__(self) -> tuple[Callable[..., KiwoomTokenError], tuple[Any, ...]]:
        """Pickle the attributes: a subclass may take other arguments than `KiwoomTokenError`."""
        return _restored, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        sentence = self.message.format(**self.values) if self.values else self.message
        return f"{sentence} [{self.code}]" if self.code else sentence


def _restored(kind: type[_Error], args: tuple[object, ...], attributes: dict[str, Any]) -> _Error:
    """Return an error with these attributes, whatever its class takes to make one."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


def known_error(error: Exception) -> KiwoomTokenError:
    """Return `error` itself if it is one of these. Of any other return the kind alone: its text could hold a secret. It
    may pass, as a lack of memory or threads does."""
    if isinstance(error, KiwoomTokenError):
        return error
    unexpected = KiwoomTokenError("Something unexpected happened ({kind}).", kind=type(error).__name__)
    if isinstance(error, ModuleNotFoundError) and error.name:
        unexpected = KiwoomTokenError(_PACKAGE_MISSING, package=error.name.partition(".")[0])
    unexpected.retry = True
    return unexpected


def sentence_of(message: str, values: Mapping[str, object]) -> str:
    """Return an error's message in the current language, with its values; those that are words of ours are
    translated."""
    in_words = {name: tr(str(values[name])) for name in _IN_WORDS if values.get(name)}
    return tr(message, **{**values, **in_words})


def say(error: KiwoomTokenError) -> str:
    """Return an error as one printable line: the sentence, then the broker's code in brackets, and whether that is what
    an earlier request met. Its values may come from a file or from Kiwoom, so nothing in them takes effect on a
    terminal."""
    sentence = sentence_of(error.message, error.values)
    code = f" [{error.code}]" if error.code else ""
    pause = error.pause_seconds if isinstance(error, BrokerError) else 0
    paused = tr(_PAUSED, seconds=pause) if pause else ""
    return printable(joined(f"{sentence}{code}", paused), _MAX_CHARACTERS)


class InvalidInput(KiwoomTokenError, ValueError):
    """A value from a user or a caller cannot be used."""

    exit_status = USAGE


class SettingsError(InvalidInput):
    """`settings.toml` or an environment variable holds something that cannot be used."""

    remedy = Remedy.FIX_SETTINGS


class NoToken(KiwoomTokenError):
    """There is no unexpired token, and none may or can be issued."""

    exit_status = NO_TOKEN


class KeysMissing(KiwoomTokenError):
    """No app key and secret are stored for this profile and mode, what is stored cannot be keys, or the keyring that
    may have them cannot be read."""

    exit_status = KEYS
    remedy = Remedy.ENTER_KEYS

    @property
    def variable(self) -> str:
        """The environment variable that has to be set or corrected, as it takes precedence; empty for none."""
        return str(self.values.get("variable", ""))


class BrokerError(KiwoomTokenError):
    """Kiwoom answered with a failure, or did not answer.

    `pause_seconds` is how long Kiwoom is left alone because the last requests failed like this; 0 if it has just been
    asked.
    """

    pause_seconds = 0

    def __str__(self) -> str:
        pause = _PAUSED.format(seconds=self.pause_seconds) if self.pause_seconds else ""
        return joined(super().__str__(), pause)


class KeysRefused(BrokerError):
    """Kiwoom refuses these keys here: wrong, of the other mode, or from an unregistered IP."""

    exit_status = KEYS
    remedy = Remedy.ENTER_KEYS


class RateLimited(BrokerError):
    """Kiwoom counts too many requests."""

    exit_status = KIWOOM_SILENT
    retry = True
    remedy = Remedy.RETRY


class BrokerUnavailable(BrokerError):
    """No answer, a server error, or an answer that is not Kiwoom's. `was_sent` is False where the request never left
    this computer, so that Kiwoom has carried nothing out, and `was_begun` where this program could not even try, which
    says nothing to others."""

    was_sent = True
    was_begun = True
    exit_status = KIWOOM_SILENT
    retry = True
    remedy = Remedy.RETRY


class UnknownFailure(BrokerError):
    """A failure with a code that is in no table. It may pass, so asking again later is allowed."""

    retry = True
    remedy = Remedy.RETRY


class RequestRefused(BrokerError):
    """Kiwoom refuses for a reason that asking again does not mend."""

    exit_status = NO_TOKEN


class TokenRefused(BrokerError):
    """Kiwoom does not accept this token (dead, of another IP, of the other mode)."""

    exit_status = NO_TOKEN


class RevokeFailed(BrokerError):
    """Kiwoom did not confirm the revoke. The token may still be valid, or have stopped working before."""


class StoreError(KiwoomTokenError):
    """The store cannot be read or written. Disks and keyrings come back by themselves."""

    retry = True
    remedy = Remedy.RETRY


class KeyringUnavailable(StoreError):
    """The OS keyring cannot be used. `problem` names why.

    It is missing, locked, waiting for its user's permission, out of reach from outside the desktop session, silent, or
    too small.
    """

    exit_status = KEYRING
    MISSING = "missing"
    LOCKED = "locked"
    ASKING = "asking"
    UNREACHABLE = "unreachable"
    SILENT = "silent"
    TOO_SMALL = "too-small"
    FAILED = "failed"
    UNLOCKABLE = frozenset({LOCKED, ASKING})
    """The problems that end once the user has answered the keyring's own question."""

    HIDE_TOKEN = frozenset({LOCKED, ASKING, UNREACHABLE, SILENT, FAILED})
    """The problems that leave it unknown whether there is a token in the keyring."""

    def __init__(self, message: str, *, problem: str, **values: Any) -> None:
        super().__init__(message, **values)
        self.problem = problem
        if problem in self.UNLOCKABLE:
            self.remedy = Remedy.UNLOCK_KEYRING
        elif problem in {self.MISSING, self.UNREACHABLE, self.TOO_SMALL}:
            self.remedy = Remedy.CHOOSE_STORE


class RedisUnavailable(StoreError):
    """The Redis server that the settings ask for cannot be used. `problem` names why.

    Its exit status is the keyring's: the chosen store cannot be used. Kiwoom has no part in it.
    """

    exit_status = KEYRING
    NO_PACKAGE = "redis-package"
    SILENT = "redis-silent"
    REFUSED = "redis-refused"
    READ_ONLY = "redis-read-only"
    FULL = "redis-full"
    FOREIGN = "redis-foreign"
    FAILED = "redis-failed"

    def __init__(self, message: str, *, problem: str, **values: Any) -> None:
        super().__init__(message, **values)
        self.problem = problem
        self.retry = problem != self.NO_PACKAGE
        if problem not in {self.SILENT, self.READ_ONLY, self.FULL}:
            self.remedy = Remedy.CHOOSE_STORE


class EncryptionKeyUnusable(StoreError):
    """The stored token is encrypted and no key here opens it, or the key itself cannot be used. Nothing is deleted.

    Its exit status is that of a locked keyring, which it resembles.
    """

    exit_status = KEYRING
    retry = False
    remedy = Remedy.CHOOSE_STORE


class LockTimeout(StoreError):
    """Another process holds this profile's lock for longer than a renewal can take."""

    exit_status = KIWOOM_SILENT
    retry = True
    remedy = Remedy.RETRY


class LockLost(LockTimeout):
    """This process was stopped while it had the profile's lock, and another one has gone on in its place."""


class AutostartFailed(KiwoomTokenError):
    """Starting at login cannot be switched on or off, or its state cannot be read."""
