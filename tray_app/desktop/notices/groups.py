"""Which accounts share a notification: those that have the same to tell at about the same time."""

from __future__ import annotations

from dataclasses import dataclass

_TOGETHER_SECONDS = 60.0
"""Accounts that fail for one cause, such as a locked keyring, find that out one after the other."""


@dataclass(slots=True)
class _Group:
    cause: object
    at: float
    names: dict[str, str]


class NoticeGroups:
    """Keep the accounts whose notices have one cause together: the first of them owns the notification of all."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}

    def join(self, profile: str, name: str, cause: object, now: float) -> tuple[str, list[str]]:
        """Return the owner of the notification about `cause`, and the names of the accounts that it is about.

        `now` is in epoch seconds.
        """
        for owner, group in self._groups.items():
            if group.cause == cause and 0 <= now - group.at < _TOGETHER_SECONDS:
                group.names[profile] = name
                group.at = now
                return owner, [*group.names.values()]
        self._groups[profile] = _Group(cause, now, {profile: name})
        return profile, [name]

    def leave(self, profile: str) -> str | None:
        """Take out an account that has something else to tell; an owner ends its group with that.

        Return the owner of a notification that nobody shares any more, unless it is the account itself, whose next
        notice takes its place.
        """
        self._groups.pop(profile, None)
        owner = self.end(profile)
        return None if owner == profile else owner

    def end(self, profile: str) -> str | None:
        """Take out an account whose notice no longer holds. Return the owner of the notification if that was the last
        one, and None while others share it."""
        owner = self.owner(profile)
        group = self._groups.get(owner)
        if group is not None:
            group.names.pop(profile, None)
            if group.names:
                return None
            del self._groups[owner]
        return owner

    def owner(self, profile: str) -> str:
        """Return the owner of the notification that is about this account."""
        return next((owner for owner, group in self._groups.items() if profile in group.names), profile)
