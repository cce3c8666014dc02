"""The OS keyring behind a deadline.

A keyring may be missing, locked, asking its user, hung or too small. Every call runs on one daemon thread:
who asks waits two seconds at the most, and while a call hangs, everybody else is told so at once. A daemon
thread, because a pool's thread would hold up the end of the process. A signal's handler may ask while the thread that
it interrupted is asking.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import closing
from queue import SimpleQueue

from tray_app.core.errors import KeyringUnavailable
from tray_app.core.language import msg
from tray_app.system.windows_version import known_system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from keyring.backend import KeyringBackend

DEADLINE_SECONDS = 2.0
LOADING_SECONDS = 20.0
"""A slow import is no slow keyring; one that does not end is."""

UNLOCK_SECONDS = 120.0
"""How long a person may take to type the keyring's password."""

WINDOWS_MAX_CHARACTERS = 1280
"""CredWrite takes 2,560 bytes and keyring writes UTF-16."""

_FAIL, _NULL = "keyring.backends.fail", "keyring.backends.null"
_DEFAULT_COLLECTION = "/org/freedesktop/secrets/aliases/default"


class KeyringClient:
    """`get`, `set` and `delete` on the OS keyring; each raises `KeyringUnavailable` and names why."""

    def __init__(self, deadline: float = DEADLINE_SECONDS) -> None:
        self._deadline = deadline
        self._guard = threading.RLock()
        self._calls: SimpleQueue[_Call] = SimpleQueue()
        self._threads: dict[str, threading.Thread] = {}
        self._hung = False
        self._is_loaded = False

    def get(self, service: str, username: str) -> str | None:
        found: str | None = self._ask(lambda backend: backend.get_password(service, username))
        return found

    def set(self, service: str, username: str, value: str) -> None:
        if sys.platform == "win32" and len(value) > WINDOWS_MAX_CHARACTERS:
            raise KeyringUnavailable(
                msg("The Windows vault takes at most {limit} characters."),
                problem=KeyringUnavailable.TOO_SMALL,
                limit=WINDOWS_MAX_CHARACTERS,
            )
        self._ask(lambda backend: backend.set_password(service, username, value))

    def delete(self, service: str, username: str) -> None:
        """Delete the entry; one that is not there is no error."""

        def delete(backend: KeyringBackend) -> None:
            if backend.get_password(service, username) is not None:
                backend.delete_password(service, username)

        self._ask(delete)

    def check(self) -> None:
        """Raise `KeyringUnavailable` if a call would fail now. Reads and writes nothing."""
        self._ask(lambda _: None)

    def backend_name(self) -> str:
        """Return which of `keyring`'s backends is used; raises like `get`."""
        name: str = self._ask(lambda backend: f"{type(backend).__module__}.{type(backend).__qualname__}")
        return name

    def unlock(self) -> None:
        """Let the keyring ask its user for the password, and wait for the answer two minutes at the most.

        Raises `KeyringUnavailable` when it is still locked after that.
        """
        self._run(_unlock, UNLOCK_SECONDS)
        self.check()

    def _ask(self, act: Callable[[KeyringBackend], Any]) -> Any:
        if not self._is_loaded:
            self._run(_load, LOADING_SECONDS)
            self._is_loaded = True
        return self._run(lambda: act(_usable_backend()), self._deadline)

    def _run(self, act: Callable[[], Any], deadline: float) -> Any:
        with self._guard:
            if self._hung:
                raise _silent()
            if not self._threads:
                thread = threading.Thread(target=self._work, args=(self._calls,), name="keyring", daemon=True)
                # one step, for a signal's handler may be doing the same
                if self._threads.setdefault("keyring", thread) is thread:
                    thread.start()
        call = _Call(act)
        self._calls.put(call)
        if not call.done.wait(deadline):
            with self._guard:
                if not call.done.is_set():
                    call.abandoned = self._hung = True
                    raise _silent()
        if call.error is not None:
            raise call.error
        return call.result

    def _work(self, calls: SimpleQueue[_Call]) -> None:
        while True:
            call = calls.get()
            with self._guard:
                if call.abandoned:
                    self._hung = False
                    continue
            try:
                call.result = call.act()
            except KeyringUnavailable as error:
                call.error = error
            except BaseException as error:  # noqa: BLE001 - whatever a backend raises reaches the one who asked
                call.error = _failed(error)
            with self._guard:
                self._hung = False
                call.done.set()

    def _forget_thread(self) -> None:
        """In a forked child the parent's thread does not exist."""
        self.__init__(self._deadline)  # type: ignore[misc]


class _Call:
    __slots__ = ("abandoned", "act", "done", "error", "result")

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act
        self.done = threading.Event()
        self.result: Any = None
        self.error: Exception | None = None
        self.abandoned = False


_shared = KeyringClient()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_shared._forget_thread)  # noqa: SLF001 - the module's own


def shared_keyring_client() -> KeyringClient:
    """Return the process's one client: a keyring that hangs for one profile hangs for all."""
    return _shared


def _load() -> None:
    with known_system():
        import keyring  # noqa: F401 - for the deadlines to start after it

        if sys.platform == "win32":
            _platform_backend()


def _usable_backend() -> KeyringBackend:
    backend = _backend()
    if _is_secret_service(backend):
        _refuse_if_locked()
    return backend


def _backend() -> KeyringBackend:
    """Return the backend that the user or the host program chose, else the platform's own.

    The platform's class is asked anew each time instead of keyring's remembered choice, so that a keyring
    that starts after this program, as at login, is found; and a frozen program finds it without entry points.
    """
    from keyring import core

    chosen: KeyringBackend | None = core.load_env() or _of_keyrings_settings()
    if chosen is None and type(remembered := getattr(core, "_keyring_backend", None)).__module__ != _FAIL:
        chosen = remembered
    if chosen is None:
        own = _platform_backend()
        chosen = own() if own.viable else core.get_keyring()
    if type(chosen).__module__ in {_FAIL, _NULL}:
        raise KeyringUnavailable(msg("There is no keyring on this machine."), problem=KeyringUnavailable.MISSING)
    return chosen


def _of_keyrings_settings() -> KeyringBackend | None:
    """On Windows, keyring asks for the system's version each time before it looks for its file: see `known_system`."""
    from keyring import core

    if sys.platform == "win32":
        folder = os.environ.get("LOCALAPPDATA") or os.environ.get("PROGRAMDATA", ".")
        if not os.path.exists(os.path.join(folder, "Python Keyring", "keyringrc.cfg")):
            return None
    return core.load_config()


def _platform_backend() -> type[KeyringBackend]:
    if sys.platform == "win32":
        from keyring.backends.Windows import WinVaultKeyring

        return WinVaultKeyring
    if sys.platform == "darwin":
        from keyring.backends.macOS import Keyring as MacKeyring

        return MacKeyring
    from keyring.backends.SecretService import Keyring as SecretServiceKeyring

    return SecretServiceKeyring


def _is_secret_service(backend: KeyringBackend) -> bool:
    first = getattr(backend, "backends", [backend])[0]
    return type(first).__module__ == "keyring.backends.SecretService"


def _refuse_if_locked() -> None:
    """keyring itself would open the password window and, refused, lose its connection to the bus."""
    import secretstorage

    with closing(secretstorage.dbus_init()) as bus:
        try:
            locked = secretstorage.Collection(bus, _DEFAULT_COLLECTION).is_locked()
        except secretstorage.exceptions.ItemNotFoundException:
            locked = True  # there is no collection yet; making one asks for a password, too
    if locked:
        raise _locked()


def _unlock() -> None:
    if not _is_secret_service(_backend()):
        return
    import secretstorage

    with closing(secretstorage.dbus_init()) as bus:
        collection = secretstorage.get_default_collection(bus)
        if collection.is_locked() and collection.unlock():
            raise _locked()


def _locked() -> KeyringUnavailable:
    return KeyringUnavailable(msg("The keyring is locked. Unlock it."), problem=KeyringUnavailable.LOCKED)


def _silent() -> KeyringUnavailable:
    return KeyringUnavailable(msg("The keyring does not answer."), problem=KeyringUnavailable.SILENT)


def _failed(error: BaseException) -> KeyringUnavailable:
    return KeyringUnavailable(
        msg("The keyring failed ({reason})."), problem=KeyringUnavailable.FAILED, reason=type(error).__name__
    )
