"""Correct the times of a token file that a program in another time zone has written.

The seed's file holds local times without a zone, and a reader in another zone takes them for its own: in a container in
UTC, a token from Korea seems to expire nine hours later than it does. The file's own time of writing shows the
difference, because the seed's token manager writes the file as soon as it has set `created_at`.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_UTC = timezone.utc

_LIFETIME_SECONDS = 86400.0
"""Kiwoom's tokens are valid for 24 hours."""

_WESTERNMOST_SECONDS, _EASTERNMOST_SECONDS = -12 * 3600.0, 14 * 3600.0
"""UTC-12 and UTC+14."""

_LONGEST_OFFSET_SECONDS = _EASTERNMOST_SECONDS - _WESTERNMOST_SECONDS
"""A larger difference has another cause than zones."""

_SHORTEST_OFFSET_SECONDS = 1800.0
_STEP_SECONDS = 900.0
_TOLERANCE_SECONDS = 120.0
_COPY_TOLERANCE_SECONDS = 10.0
"""A copy was also written later than `created_at`. It must not be mistaken for a file from a zone further west, because
its token would then seem to be valid for hours too long; so here the difference has to be exact, and the writer's zone
that of servers and containers, UTC."""

_SLACK_SECONDS = 300.0


def as_written(expires_at: datetime, created_at: datetime, written_at: float) -> tuple[datetime, datetime]:
    """Return when a token expires and was created, in UTC, as its writer meant it.

    Both times are local times without a zone; `written_at` is when the file was written (epoch seconds). If the
    writer's zone is not the reader's, both are shifted. If they are wrong in a way that no zone explains, the token
    expires no later than 24 hours after the file was written.
    """
    expires, created = expires_at.astimezone(_UTC), created_at.astimezone(_UTC)
    ahead = created.timestamp() - written_at
    if abs(ahead) > _LONGEST_OFFSET_SECONDS + _TOLERANCE_SECONDS:
        return expires, created
    latest_seconds = written_at + _LIFETIME_SECONDS + _SLACK_SECONDS
    offset = _offset_of(ahead, created)
    if offset and expires.timestamp() - offset <= latest_seconds:
        shift = timedelta(seconds=-offset)
        return expires + shift, created + shift
    if ahead < _SHORTEST_OFFSET_SECONDS and expires.timestamp() <= latest_seconds:
        return expires, created
    written = datetime.fromtimestamp(written_at, _UTC)
    return min(expires, written + timedelta(seconds=_LIFETIME_SECONDS)), min(created, written)


def has_impossible_lifetime(expires_at: datetime, created_at: datetime) -> bool:
    """Return True if no token of Kiwoom's is valid for so long: somebody has read its expiry in another zone."""
    return (expires_at - created_at).total_seconds() > _LIFETIME_SECONDS + _SLACK_SECONDS


def _offset_of(ahead: float, created: datetime) -> float:
    """Return by how many seconds the writer's zone is ahead of the reader's; 0 if that cannot be worked out. `created`
    is in UTC, `ahead` by how many seconds it seems to be later than the file."""
    offset = round(ahead / _STEP_SECONDS) * _STEP_SECONDS
    tolerance = _TOLERANCE_SECONDS if ahead > 0 else _COPY_TOLERANCE_SECONDS
    if abs(offset) < _SHORTEST_OFFSET_SECONDS or abs(ahead - offset) > tolerance:
        return 0.0
    of_reader = created.astimezone().utcoffset() or timedelta()
    of_writer = of_reader.total_seconds() + offset
    is_likely = of_writer == 0 if ahead < 0 else _WESTERNMOST_SECONDS <= of_writer <= _EASTERNMOST_SECONDS
    return offset if is_likely else 0.0
