"""One access token, when it expires, and the text that it is stored as.

Instants are UTC. The seed's file (`data/.token`) holds naive local time; everything else carries a zone.

Functions that take a token's plain text turn it into a `Secret` before anything can fail, so that no traceback with
local variables shows it.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from tray_app.core.errors import InvalidInput
from tray_app.core.lean import load_json
from tray_app.core.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

UTC = timezone.utc
KST = timezone(timedelta(hours=9), "KST")

BUFFER_SECONDS = 300
"""A token with less than this left is not valid for the seed's API (the seed: "5분 버퍼")."""

CLOCK_TOLERANCE_SECONDS = 90.0

MAX_LIFETIME_SECONDS = 366 * 86400
MAX_TOKEN_CHARACTERS = 4096

_EARLIEST, _LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""Instants outside cannot be shown in every time zone."""


class DamagedRecord(ValueError):
    """A stored text that is not a token record. Never carries the text."""


class Token:
    """An immutable token record: `value`, `expires_at` and `created_at` (aware, UTC).

    `expires` is `expires_at` in seconds of the epoch. `issued_for` is the mode and the keys that the token was issued
    with, `mode:fingerprint`, and empty where that is unknown. Records that differ only in `issued_for` are equal.
    """

    __slots__ = ("created_at", "expires", "expires_at", "issued_for", "value")
    value: Secret
    expires_at: datetime
    created_at: datetime
    expires: float
    issued_for: str

    def __init__(self, value: Secret, expires_at: datetime, created_at: datetime, issued_for: str = "") -> None:
        put = object.__setattr__
        expires_at = expires_at.astimezone(UTC)  # first: the instant of a local time takes longer to work out
        put(self, "value", value)
        put(self, "expires_at", expires_at)
        put(self, "created_at", created_at.astimezone(UTC))
        put(self, "expires", expires_at.timestamp())
        put(self, "issued_for", issued_for)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a token record does not change")

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Token)
            and self.value == other.value
            and self.expires_at == other.expires_at
            and self.created_at == other.created_at
        )

    def __hash__(self) -> int:
        return hash((self.value, self.expires_at))

    def __repr__(self) -> str:
        return f"Token(***, expires_at={self.expires_at.isoformat()})"

    def bound_to(self, issued_for: str) -> Token:
        """Return the same record, issued for that mode and those keys."""
        return Token(self.value, self.expires_at, self.created_at, issued_for)

    def ending_at(self, expires_at: datetime) -> Token:
        """Return the same record with another expiry."""
        return Token(self.value, expires_at, self.created_at, self.issued_for)

    def is_same_as(self, other: Token) -> bool:
        """Return True if both are one token. Two clocks may put its expiry `CLOCK_TOLERANCE_SECONDS` apart."""
        return self.value == other.value and abs(self.expires - other.expires) <= CLOCK_TOLERANCE_SECONDS

    def remaining(self, now: float) -> float:
        """Return the seconds from `now` (epoch seconds) until the token expires; negative once it has expired."""
        return self.expires - now

    def is_unexpired(self, now: float) -> bool:
        """Return True if the expiry is after `now` (epoch seconds). Whether Kiwoom still takes the token says
        `Evidence`."""
        return self.expires > now

    def is_valid(self, now: float) -> bool:
        """Return True if the token is valid at `now` by the seed's rule: at least five minutes are left."""
        return self.expires - now >= BUFFER_SECONDS


def clean_token(text: str | Secret) -> Secret:
    """Return a token's text without the blanks around it.

    Raises `InvalidInput` when it is empty, has blanks or line breaks inside, or is longer than a header may be.
    """
    given = Secret.of(text)
    del text
    cleaned, problem = _cleaned(given)
    if problem is not None:
        raise problem
    return cleaned


def _cleaned(given: Secret) -> tuple[Secret, InvalidInput | None]:
    text = given.reveal()
    stripped = text.strip() if isinstance(text, str) else ""
    problem = None
    if not stripped:
        problem = InvalidInput("The token is empty. Give the token's text.")
    elif not stripped.isascii() or not stripped.isprintable() or " " in stripped:
        problem = InvalidInput("The token has blanks, line breaks or foreign characters inside. Give it as one line.")
    elif len(stripped) > MAX_TOKEN_CHARACTERS:
        problem = InvalidInput("The token is longer than {limit} characters.", limit=MAX_TOKEN_CHARACTERS)
    return Secret(stripped), problem


def token_for(text: str | Secret, expires_in: float, now: float) -> Token:
    """Return a record of a token that expires `expires_in` seconds after `now` (epoch seconds).

    Raises `InvalidInput` for a lifetime that is not a positive number of at most 366 days.
    """
    given = Secret.of(text)
    del text
    value = clean_token(given)
    if isinstance(expires_in, bool) or not isinstance(expires_in, (int, float)):
        raise InvalidInput("The lifetime must be a number of seconds.")
    if not 0 < expires_in <= MAX_LIFETIME_SECONDS:
        raise InvalidInput("The lifetime must be more than 0 seconds and at most 366 days.")
    created = datetime.fromtimestamp(now, UTC)
    return Token(value, created + timedelta(seconds=expires_in), created)


def token_until(text: str | Secret, expires_dt: str, now: float, skew: float = 0.0) -> Token:
    """Return a record of a token that expires at Kiwoom's `expires_dt` (`YYYYMMDDHHMMSS`, Korean time), when the clock
    that shows `now` is `skew` seconds behind Kiwoom's.

    Raises `InvalidInput` when that is not a time, is past, or is more than 366 days ahead.
    """
    given = Secret.of(text)
    del text
    value = clean_token(given)
    created = datetime.fromtimestamp(now, UTC)
    ends = parse_expires_dt(expires_dt) - timedelta(seconds=skew)
    if not 0 < ends.timestamp() - now <= MAX_LIFETIME_SECONDS:
        raise InvalidInput("The expiry {when} KST is not within the next 366 days.", when=expires_dt.strip())
    return Token(value, ends, created)


def parse_expires_dt(text: str) -> datetime:
    """Return Kiwoom's `YYYYMMDDHHMMSS`, which is Korean time without a zone, as UTC. Raises `InvalidInput`."""
    digits = text.strip()
    if len(digits) != 14 or not (digits.isascii() and digits.isdigit()):
        raise InvalidInput("The expiry must be 14 digits, YYYYMMDDHHMMSS in Korean time.")
    try:
        parts = [int(digits[:4]), *(int(digits[at : at + 2]) for at in range(4, 14, 2))]
        return datetime(*parts, tzinfo=KST).astimezone(UTC)  # type: ignore[misc, arg-type]
    except (ValueError, OverflowError):
        raise InvalidInput("The expiry {when} is not a time.", when=digits) from None


def format_expires_dt(instant: datetime) -> str:
    """Return an instant as Kiwoom's `YYYYMMDDHHMMSS`, in Korean time."""
    return instant.astimezone(KST).strftime("%Y%m%d%H%M%S")


def encode_seed(token: Token) -> str:
    """Return the text of the seed's file: three keys, naive local time, indented by two blanks."""
    from json import dumps

    def write(instant: datetime) -> str:
        return instant.astimezone().replace(tzinfo=None).isoformat()

    # As `dumps` itself indents, which takes four times as long.
    lines = ",\n".join([f"  {dumps(name)}: {dumps(value)}" for name, value in _fields(token, write).items()])
    return "{\n" + lines + "\n}"


def encode_zoned(token: Token) -> str:
    """Return the keyring's text: the same keys on one line, times with their zone, and `issued_for` where known."""
    from json import dumps

    more = {"issued_for": token.issued_for} if token.issued_for else {}
    return dumps({**_fields(token, datetime.isoformat), **more})


def _fields(token: Token, write: Callable[[datetime], str]) -> dict[str, str]:
    return {
        "access_token": token.value.reveal(),
        "expires_at": write(token.expires_at),
        "created_at": write(token.created_at),
    }


def decode(text: str, known: dict[str, str] | None = None, written_at: float | None = None) -> Token:
    """Return the record in either text; a time without a zone is local time. The fields in `known` replace those of
    the text. Raises `DamagedRecord`.

    `written_at` is when the text was written (epoch seconds), where its writer's local time may be another: see
    `tray_app.core.writer_zone`.
    """
    try:
        fields = load_json(text)
    except (ValueError, RecursionError):
        raise DamagedRecord("invalid JSON") from None
    try:
        if known:
            fields.update(known)
        # In the hour that a clock repeats, a local time is two instants. The token then expires at the first and was
        # created at the second, so that it is not used for too long and does not look older than it is.
        expires_at = datetime.fromisoformat(fields["expires_at"])
        created_at = datetime.fromisoformat(fields["created_at"]).replace(fold=1)
        if written_at is not None and expires_at.tzinfo is None and created_at.tzinfo is None:
            from tray_app.core.writer_zone import as_written

            expires_at, created_at = as_written(expires_at, created_at, written_at)
        token = Token(clean_token(fields["access_token"]), expires_at, created_at, str(fields.get("issued_for", "")))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
        raise DamagedRecord("not a token record") from None
    if not (_EARLIEST <= token.expires_at <= _LATEST and _EARLIEST <= token.created_at <= _LATEST):
        raise DamagedRecord("not a token record")
    return token
