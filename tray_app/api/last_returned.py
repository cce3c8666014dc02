"""Which token a thread or task has got last: the one that it means when it says that Kiwoom refused it."""

from __future__ import annotations

import weakref
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tray_app.core.secret import Secret

_returned: ContextVar[dict[int, tuple[weakref.ref[object], Secret]]] = ContextVar("last_returned")
"""One variable for all owners, by their `id`: a context never lets go of a variable, and a program may make an owner
for each request."""


def remember_returned(owner: object, token: Secret) -> None:
    """Keep the token that `owner` returned to this thread or task."""
    living = {name: one for name, one in _returned.get({}).items() if one[0]() is not None}
    _returned.set({**living, id(owner): (weakref.ref(owner), token)})


def last_returned(owner: object) -> Secret | None:
    """Return the token that `owner` returned last to this thread or task, or None."""
    found = _returned.get({}).get(id(owner))
    return None if found is None or found[0]() is not owner else found[1]
