"""How a token manager is copied and pickled: with its place, without its token and its keys."""

from __future__ import annotations

from tray_app.core.errors import SettingsError
from tray_app.core.language import msg
from tray_app.service.composition import load_chosen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self

    from tray_app.settings.load import Settings
    from tray_app.stores.base import Store

_ATTRIBUTES = frozenset(
    {
        "_app_key",
        "_clock",
        "_confirmed",
        "_doubted",
        "_environment",
        "_found",
        "_guard",
        "_held",
        "_last_warning",
        "_own_store",
        "_service",
        "_settings",
        "_settling",
        "_version",
    }
)
"""The attributes that a manager sets itself. All others were added by a subclass, and are pickled."""

_OTHER_MODE = msg(
    "This token manager was pickled in the mode {before}, but here the profile {profile} is in the mode {now}."
)


class Pickled:
    """Mixin that lets a manager be copied, and pickled for another process."""

    _clock: Callable[[], float]
    _settings: Settings
    _own_store: Store | None

    def __copy__(self) -> Self:
        """Return a manager for the same place, which shares this one's store and clock."""
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        made._prepare(self._clock)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return the same, with copies of what a subclass has added."""
        from copy import deepcopy

        made = memo[id(self)] = self.__copy__()
        made.__dict__.update(deepcopy(self._added(), memo))
        return made

    def __getstate__(self) -> dict[str, Any]:
        """Return where the token is stored, for another process; no token and no key.

        Raises `PicklingError` for a store object or a clock that cannot be pickled.
        """
        settings, store = self._settings, self._own_store
        if store is not None:
            _check(store, "store", "Name its kind instead, such as store='file'.")
        _check(self._clock, "clock", "Use a function of a module instead.")
        return {
            "profile": settings.profile,
            "mode": settings.mode,
            "data_dir": settings.data_dir,
            "store": store or settings.store,
            "clock": self._clock,
            "added": self._added(),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open the place that was pickled. Raises like the constructor, and `SettingsError` in another mode."""
        self.__dict__.update(state["added"])
        self._prepare(state["clock"])
        store = state["store"]
        settings = load_chosen(state["profile"], state["data_dir"], store)
        if settings.mode != state["mode"]:
            raise SettingsError(_OTHER_MODE, profile=settings.profile, before=state["mode"], now=settings.mode)
        self._begin(settings, None if isinstance(store, str) else store)

    def _added(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _ATTRIBUTES}

    def _prepare(self, clock: Callable[[], float]) -> None:
        raise NotImplementedError

    def _begin(self, settings: Settings, store: Store | None = None) -> None:
        raise NotImplementedError


def _check(value: object, name: str, remedy: str) -> None:
    import pickle

    try:
        pickle.dumps(value)
    except Exception as error:  # noqa: BLE001 - whatever an object of the program's own raises
        reason = type(error).__name__
    else:
        return
    raise pickle.PicklingError(f"The {name} of this TokenManager cannot be pickled ({reason}). {remedy}")
