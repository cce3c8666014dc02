"""The OS keyring behind a deadline.

A keyring may be missing, locked, asking its user, out of reach, hung or too small. Every call runs on one daemon
thread: the caller waits two seconds at the most, and while a call hangs, all other calls fail at once. It is a daemon
thread because a pool's thread would hold up the exit of the process. A signal handler may make a call while the thread
that it interrupted is in one.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from queue import SimpleQueue

from tray_app.core import logs
from tray_app.core.errors import KeyringUnavailable, StoreError
from tray_app.core.pasted import variable
from tray_app.settings.places import shared_state_dir
from tray_app.stores.keyring_problems import asking, failed, missing, no_such_backend, no_thread, silent, too_small
from tray_app.system.windows_version import known_system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Protocol

    from keyring.backend import KeyringBackend

    from tray_app.stores.kwallet import KWallet
    from tray_app.stores.lock import ProfileLock
    from tray_app.stores.secret_service import Permissions

    class Backend(Protocol):
        """The part of a `keyring` backend that is used here."""

        def get_password(self, service: str, username: str, /) -> str | None: ...
        def set_password(self, service: str, username: str, password: str, /) -> None: ...
        def delete_password(self, service: str, username: str, /) -> None: ...


DEADLINE_SECONDS = 2.0
LOADING_SECONDS = 20.0
"""A slow import does not count as a slow keyring, unless it takes this long."""

_LAST_LOADING_SECONDS = 5.0
"""How long the end of the process waits for such an import."""

UNLOCK_SECONDS = 120.0
"""How long a person may take to answer the keyring's question."""

WINDOWS_MAX_CHARACTERS = 1280
"""CredWrite takes 2,560 bytes and keyring writes UTF-16."""

USED_SUFFIX = ".keyring"
"""The suffix of the file beside a profile's lock which says that the profile's token was stored in the keyring."""

_VAULT_LOCK = ".vault.lock"
"""No profile's lock has this name: a profile's name does not begin with a dot."""

_FAIL, _NULL = "keyring.backends.fail", "keyring.backends.null"
_CHAINER = "keyring.backends.chainer.ChainerBackend"
_SECRET_SERVICE_NAME = "keyring.backends.SecretService.Keyring"  # noqa: S105 - a class
_SECRET_SERVICE = frozenset({_SECRET_SERVICE_NAME, "keyring.backends.libsecret.Keyring"})
_KWALLET = ("keyring.backends.kwallet.DBusKeyring", "keyring.backends.kwallet.DBusKeyringKWallet4")
_SYSTEMS_OWN = _SECRET_SERVICE.union(
    _KWALLET, {"keyring.backends.macOS.Keyring", "keyring.backends.Windows.WinVaultKeyring"}
)
"""The backends that store in a keyring of the operating system. All others, such as those of `keyrings.alt`, write
files that anybody can read, or ask for a password on the terminal."""


class KeyringClient:
    """`get`, `set` and `delete` on the OS keyring; each raises `KeyringUnavailable` and names why."""

    def __init__(self, deadline: float = DEADLINE_SECONDS) -> None:
        self._deadline = deadline
        self._guard = threading.RLock()
        self._calls: SimpleQueue[_Call] = SimpleQueue()
        self._threads: dict[str, threading.Thread] = {}
        self._hung = False
        self._is_loaded = False
        self._question: _Call | None = None
        self._permissions: Permissions | None = None
        self._wallet: KWallet | None = None
        self._vault_lock: ProfileLock | None = None

    def get(self, service: str, username: str) -> str | None:
        """Return the secret of the entry, or None without one."""

        def read(backend: Backend) -> str | None:
            with self._locked_vault():
                return backend.get_password(service, username)

        found: str | None = self._ask(read)
        return found

    def set(self, service: str, username: str, value: str) -> None:
        """Store the entry in place of the present one."""
        if sys.platform == "win32" and len(value) > WINDOWS_MAX_CHARACTERS:
            raise too_small(WINDOWS_MAX_CHARACTERS)

        def store(backend: Backend) -> None:
            with self._locked_vault():
                backend.set_password(service, username, value)

        self._ask(store)

    def delete(self, service: str, username: str) -> bool:
        """Delete the entry; return True if there was one."""

        def delete(backend: Backend) -> bool:
            with self._locked_vault():
                is_there = backend.get_password(service, username) is not None
                if is_there:
                    backend.delete_password(service, username)
                return is_there

        was_there: bool = self._ask(delete)
        return was_there

    def check(self) -> None:
        """Raise `KeyringUnavailable` if a call would fail now. Reads and writes nothing, and asks the user nothing."""
        self._ask(_name_of_usable)

    def backend_name(self) -> str:
        """Return the name of the `keyring` backend in use; raises like `get`."""
        name: str = self._ask(_name_of_usable)
        return name

    def wants_permission(self) -> bool:
        """Return whether the keyring wants to ask its user before this process gets an entry that it tried to read."""
        is_wallet_asking = self._wallet is not None and self._wallet.is_asking
        return is_wallet_asking or (self._permissions is not None and bool(self._permissions.refused))

    def unlock(self) -> None:
        """Let the keyring ask its user for the password or for permission; wait for the answer two minutes at the most.

        There is one question at a time: whoever calls while it is on the screen waits for the same answer. Raises
        `KeyringUnavailable` when the keyring still cannot be used after that.
        """
        self.load()
        with self._guard:
            call = self._question
            if call is None:
                call = _Call(self._unlock)
                self._put(call)
                self._question = call
        self._wait(call, UNLOCK_SECONDS)
        self.check()

    def _ask(self, act: Callable[[Backend], Any]) -> Any:
        self.load()
        return self._run(lambda: self._use_backend(act), self._deadline)

    def load(self) -> None:
        """Load what the calls need, once; that is no part of their deadline. Raises `KeyringUnavailable`."""
        if not self._is_loaded:
            self._run(_load, LOADING_SECONDS)
            self._is_loaded = True

    def _usable_backend(self) -> Backend:
        backend = _backend()
        if _name(backend) in _KWALLET:
            wallet = self._running_wallet()
            if wallet is None:
                raise missing()
            return wallet
        if _name(backend) not in _SECRET_SERVICE:
            return backend
        from tray_app.stores.secret_service import Permissions, SecretService

        properties: Any = backend if _name(backend) == _SECRET_SERVICE_NAME else _named_backend(_SECRET_SERVICE_NAME)
        if self._permissions is None:
            self._permissions = Permissions()
        return SecretService(properties, self._permissions, _was_used)

    def _use_backend(self, act: Callable[[Backend], Any]) -> Any:
        """Return what `act` returns with the keyring in use, or with KDE's wallet where there is no Secret Service."""
        backend = self._usable_backend()
        try:
            return self._try(act, backend)
        except KeyringUnavailable as error:
            is_gone = error.problem == KeyringUnavailable.MISSING and backend is not self._wallet
            wallet = self._running_wallet() if is_gone and hasattr(backend, "unlock_for") else None
            if wallet is None:
                raise
        return self._try(act, wallet)

    def _try(self, act: Callable[[Backend], Any], backend: Backend) -> Any:
        """Return what `act` returns. After an error that is not the keyring's own answer, look for KDE's wallet anew
        the next time: it may have been started again."""
        try:
            return act(backend)
        except KeyringUnavailable:
            raise
        except Exception:
            if backend is self._wallet and self._wallet is not None:
                self._wallet.close()
                self._wallet = None
            raise

    def _running_wallet(self) -> KWallet | None:
        if self._wallet is None and sys.platform == "linux":
            from tray_app.stores.kwallet import KWallet

            self._wallet = KWallet.find()
        return self._wallet

    def _unlock(self) -> None:
        def unlock(backend: Backend) -> None:
            if hasattr(backend, "unlock_for"):
                backend.unlock_for(UNLOCK_SECONDS)

        self._use_backend(unlock)

    if sys.platform == "win32":

        @contextlib.contextmanager
        def _locked_vault(self) -> Iterator[None]:
            """Let one program at a time use Windows' vault, whatever the entry.

            WORKAROUND: keyring's WinVaultKeyring (25.7) moves the entry of another user name of the same service before
            it writes its own, so that of two writes at once one is lost. Delete this when it writes each under its own
            name.
            """
            lock = self._take_vault_lock()
            try:
                yield
            finally:
                if lock is not None:
                    lock.release()

        def _take_vault_lock(self) -> ProfileLock | None:
            """Return the lock, held, or None if it cannot be taken: the write itself matters more."""
            from tray_app.stores.lock import ProfileLock

            try:
                if self._vault_lock is None:
                    self._vault_lock = ProfileLock(os.path.join(shared_state_dir(), _VAULT_LOCK))
                self._vault_lock.acquire(self._deadline)
            except StoreError as error:
                logs.warning("Windows' vault is used without our lock: %s", error)
                return None
            return self._vault_lock

    else:

        def _locked_vault(self) -> contextlib.AbstractContextManager[None]:
            """Elsewhere each entry is by itself."""
            return contextlib.nullcontext()

    def _run(self, act: Callable[[], Any], deadline: float) -> Any:
        if self._question is not None:
            raise asking()
        call = _Call(act)
        self._put(call)
        return self._wait(call, deadline)

    def _put(self, call: _Call) -> None:
        with self._guard:
            if self._hung:
                raise silent()
            if not self._threads:
                thread = threading.Thread(target=self._work, args=(self._calls,), name="keyring", daemon=True)
                # one step, because a signal handler may be doing the same
                if self._threads.setdefault("keyring", thread) is thread:
                    self._start(thread)
        self._calls.put(call)

    def _start(self, thread: threading.Thread) -> None:
        try:
            thread.start()
        except RuntimeError:  # the limit is reached, or the program is ending
            self._threads.clear()
            raise no_thread() from None

    def _wait(self, call: _Call, deadline: float) -> Any:
        if not call.done.wait(deadline):
            with self._guard:
                if not call.done.is_set():
                    call.abandoned = True
                    if self._question is not None and self._question is not call:
                        raise asking()
                    self._hung = True
                    raise silent()
        if call.error is not None:
            raise call.error
        return call.result

    def _work(self, calls: SimpleQueue[_Call]) -> None:
        while True:
            call = calls.get()
            with self._guard:
                if call.abandoned:
                    self._hung = False
                    self._forget_question(call)
                    continue
            try:
                call.result = call.act()
            except KeyringUnavailable as error:
                call.error = error
            except BaseException as error:  # noqa: BLE001 - whatever a backend raises reaches the caller
                call.error = failed(error)
            with self._guard:
                self._hung = False
                self._forget_question(call)
                call.done.set()

    def _forget_question(self, call: _Call) -> None:
        if self._question is call:
            self._question = None

    def _forget_thread(self) -> None:
        """Start anew in a forked child, where the parent's thread does not exist."""
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
_loading = threading.Lock()


def _after_fork() -> None:
    global _loading  # noqa: PLW0603 - whoever had it is a thread of the parent
    _loading = threading.Lock()
    _shared._forget_thread()  # noqa: SLF001 - the module's own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def shared_keyring_client() -> KeyringClient:
    """Return the one client of the process: a keyring that hangs for one profile hangs for all."""
    return _shared


def _load() -> None:
    """Import what the calls need, so that their deadlines start after it."""
    with _loading, known_system(), contextlib.suppress(ImportError):  # the call that needs it tells
        _platform_backend()
        if sys.platform == "linux":
            from tray_app.stores import secret_service  # noqa: F401


def _wait_for_loading() -> None:
    """Let an import end that is under way when the process ends.

    WORKAROUND: up to Python 3.13 a thread that wants the interpreter after its end is ended by `pthread_exit`, and in
    an import of cryptography (50), which is written in Rust, that aborts the process. Delete once 3.14 is the oldest.
    """
    with contextlib.suppress(KeyboardInterrupt):
        if _loading.acquire(timeout=_LAST_LOADING_SECONDS):
            _loading.release()


atexit.register(_wait_for_loading)


def _backend() -> KeyringBackend:
    """Return the keyring of the operating system, or the one that the host program has set with `keyring.set_keyring`.

    A backend that the environment or keyring's own settings name, or that keyring has found by itself, is used only if
    it belongs to the operating system: nobody has chosen plain text by installing a package. The platform's class is
    looked up each time, so that a keyring that starts after this program, as at login, is found; and a frozen program
    finds it without entry points. Raises `KeyringUnavailable`.
    """
    from keyring import core

    where, name = "PYTHON_KEYRING_BACKEND", variable(os.environ, "PYTHON_KEYRING_BACKEND")
    if not name:
        where, name = "keyringrc.cfg", _name_in_keyrings_settings()
    if name:
        try:
            return _named_backend(name)
        except ImportError:
            raise no_such_backend(where) from None
    remembered: KeyringBackend | None = getattr(core, "_keyring_backend", None)
    if remembered is not None and type(remembered).__module__ != _FAIL:
        own = _systems_own(remembered)
        if own is not None:
            return own
        if not _was_found(remembered):
            if type(remembered).__module__ == _NULL or _name(remembered) == _CHAINER:
                raise missing()
            return remembered
    cls = _platform_backend()
    if platform_backend_name() in _SECRET_SERVICE or cls.viable:
        backend = cls()
        if type(backend).__module__ not in {_FAIL, _NULL}:
            return backend
    raise missing()


def _named_backend(name: str) -> KeyringBackend:
    """Return the operating system's keyring that a setting names. Other backends are not loaded."""
    from keyring import core

    if name in _SECRET_SERVICE:  # if it exists is found out later, and not from the environment alone
        from keyring.backends.SecretService import Keyring

        return Keyring()  # type: ignore[no-untyped-call]
    if name in _KWALLET:  # which is reached without what that class needs
        from keyring.backends.kwallet import DBusKeyring

        return DBusKeyring()  # type: ignore[no-untyped-call]
    if name in _SYSTEMS_OWN or name == _CHAINER:
        own = _systems_own(core.load_keyring(name))
        if own is not None:
            return own
    else:
        _check_is_there(name)
    raise missing()


def _check_is_there(name: str) -> None:
    """Raise an error for a name that leads to no module, which is a typing error rather than a choice."""
    from importlib.util import find_spec

    if find_spec(name.rpartition(".")[0]) is None:
        raise ImportError(name)


def _name_in_keyrings_settings() -> str:
    """Return the backend that keyring's own settings name, or an empty text. On Windows, keyring asks for the system's
    version before it looks for that file: see `known_system`."""
    from configparser import Error, RawConfigParser

    if sys.platform == "win32":
        folder = os.path.join(os.environ.get("LOCALAPPDATA") or os.environ.get("PROGRAMDATA", "."), "Python Keyring")
    else:
        from keyring.util import platform_

        folder = str(platform_.config_root())
    settings = RawConfigParser()
    try:
        settings.read(os.path.join(folder, "keyringrc.cfg"), encoding="utf-8")
    except (Error, UnicodeDecodeError):
        return ""
    return settings.get("backend", "default-keyring", fallback="").strip()


def _systems_own(backend: KeyringBackend) -> KeyringBackend | None:
    """Return the backend if it is an operating system's keyring, or the first one in a chain that is."""
    chain = getattr(backend, "backends", []) if _name(backend) == _CHAINER else [backend]
    return next((one for one in chain if _name(one) in _SYSTEMS_OWN), None)


def _was_found(backend: KeyringBackend) -> bool:
    """Return True if keyring has chosen the backend by itself, when another part of the program used it."""
    from keyring.backend import get_all_keyring

    return any(one is backend for one in get_all_keyring())


def _name_of_usable(backend: Backend) -> str:
    """Return the backend's name. Raises `KeyringUnavailable` if a call would fail now."""
    check = getattr(backend, "check", None)
    if check is not None:
        check()
        return _KWALLET[0] if type(backend).__name__ == "KWallet" else _SECRET_SERVICE_NAME
    return _name(backend)


def platform_backend_name() -> str:
    """Return the class of this system's own keyring, imported, whether or not there is such a keyring now."""
    cls = _platform_backend()
    return f"{cls.__module__}.{cls.__qualname__}"


def _platform_backend() -> type[KeyringBackend]:
    if sys.platform == "win32":
        from keyring.backends.Windows import WinVaultKeyring

        return WinVaultKeyring
    if sys.platform == "darwin":
        from keyring.backends.macOS import Keyring as MacKeyring

        return MacKeyring
    from keyring.backends.SecretService import Keyring as SecretServiceKeyring

    return SecretServiceKeyring


def _name(backend: object) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


def _was_used() -> bool:
    """Return True if a token was ever stored in this user's keyring."""
    try:
        return any(one.endswith(USED_SUFFIX) for one in os.listdir(shared_state_dir()))
    except (OSError, StoreError):
        return False
