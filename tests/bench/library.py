"""What a program feels that imports this one: reading, waiting for the lock, writing."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.bench.timing import Figure, in_turn
from tray_app import TokenManager
from tray_app.core.token import token_for
from tray_app.stores.change_marker import ChangeMarker
from tray_app.stores.file import FileStore
from tray_app.stores.keyring import KeyringStore
from tray_app.stores.lock import ProfileLock

MICRO = 1e6
TOKEN = "token-of-the-benchmark-" + "x" * 63


class SeedManager:
    """The original token manager as its documentation describes it: from memory, whatever other processes did."""

    def __init__(self) -> None:
        self._token: str | None = TOKEN
        self._expires_at: datetime | None = datetime.now() + timedelta(hours=20)  # noqa: DTZ005 - as the original does

    def get_token(self) -> str | None:
        if self._token is None or self._expires_at is None:
            return None
        if datetime.now() >= self._expires_at - timedelta(minutes=5):  # noqa: DTZ005
            return None
        return self._token


class KeyringInMemory:
    """In the place of the client of the OS keyring: what is measured is what comes around it."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], str] = {}

    def get(self, service: str, username: str) -> str | None:
        return self._entries.get((service, username))

    def set(self, service: str, username: str, text: str) -> None:
        self._entries[service, username] = text

    def delete(self, service: str, username: str) -> bool:
        return self._entries.pop((service, username), None) is not None

    def check(self) -> None:
        """It is never locked."""


def figures() -> Iterator[Figure]:
    """Yield the figures of one process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield from _reading(folder)
        yield from _reloading(folder)
        yield from _locking(folder)
        yield from _writing(folder)


def _reading(folder: Path) -> Iterator[Figure]:
    in_file = TokenManager("file", data_dir=str(folder / "file"), store="file")
    marker = ChangeMarker(str(folder / "keyring.changed"))
    lock = ProfileLock(str(folder / "keyring.lock"))
    client: Any = KeyringInMemory()
    in_keyring = TokenManager("keyring", data_dir=str(folder), store=KeyringStore("keyring", client, marker, lock))
    for one in (in_file, in_keyring):
        one.set_token(TOKEN, 80000)
    seed = SeedManager()
    cases: dict[str, Callable[[], object]] = {
        "seed": seed.get_token,
        "file": in_file.get_token,
        "keyring": in_keyring.get_token,
        **_credentials_in_memory(),
    }
    taken = in_turn(cases, calls=5000)
    what = "`get_token()` from memory, coherent with other processes, {} mode"
    for mode, goal in (("file", "≤ 6"), ("keyring", "≤ 3")):
        yield _figure(what.format(mode), taken[mode], "the seed's, incoherent", taken["seed"], goal)
        for peer in ("botocore", "google-auth", "msal-extensions"):
            yield _figure(what.format(mode), taken[mode], f"{peer}, its credentials in memory", taken.get(peer))


def _credentials_in_memory() -> dict[str, Callable[[], object]]:
    cases: dict[str, Callable[[], object]] = {}
    later = datetime.now().astimezone() + timedelta(hours=20)
    with contextlib.suppress(ImportError):
        credentials = importlib.import_module("botocore.credentials").RefreshableCredentials(
            "key", "secret", TOKEN, later, refresh_using=dict, method="benchmark"
        )
        cases["botocore"] = credentials.get_frozen_credentials
    with contextlib.suppress(ImportError):
        google = importlib.import_module("google.oauth2.credentials").Credentials(
            TOKEN, expiry=later.replace(tzinfo=None) + timedelta(hours=24)
        )
        cases["google-auth"] = lambda: google.valid and google.token
    with contextlib.suppress(ImportError):
        extensions = importlib.import_module("msal_extensions")
        cache = extensions.PersistedTokenCache(extensions.FilePersistence(tempfile.mktemp()))  # noqa: S306
        cache.add(_msal_event(TOKEN))
        cases["msal-extensions"] = lambda: cache.find("AccessToken", target=["s"])
    return cases


def _reloading(folder: Path) -> Iterator[Figure]:
    """Another program replaces the token; the reader takes it at its next call."""
    cases = {"ours": _reload_of_ours(folder), **_reloads_of_peers(folder)}
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(400):
        text = f"{TOKEN}-{number}"
        for name, (replace, read) in cases.items():
            replace(text)
            began = time.perf_counter()
            found = read()
            taken[name].append(time.perf_counter() - began)
            if found != text:
                raise AssertionError(f"the change was not seen: {name}")
    medians = {name: statistics.median(one) for name, one in taken.items()}
    for peer in ("a file read and decoded, nothing else", "botocore", "msal-extensions"):
        what = "a change made by another process, seen and reloaded (file)"
        yield _figure(what, medians["ours"], peer, medians.get(peer), "≤ 40 µs")


_Reload = tuple[Callable[[str], object], Callable[[], object]]
"""How another program replaces the token, and how it is read after that."""


def _reload_of_ours(folder: Path) -> _Reload:
    manager = TokenManager("reload", data_dir=str(folder), store="file")
    manager.set_token(TOKEN, 80000)
    path = folder / "reload.token"
    content = json.loads(path.read_text())
    return (lambda text: _replace(path, {**content, "access_token": text})), manager.get_token


def _reloads_of_peers(folder: Path) -> dict[str, _Reload]:
    path = folder / "nothing-else.json"
    ends = (datetime.now().astimezone() + timedelta(hours=20)).replace(tzinfo=None).isoformat()

    def read() -> object:
        fields = json.loads(path.read_bytes())
        datetime.fromisoformat(fields["expires_at"]).timestamp()
        return fields["access_token"]

    cases: dict[str, _Reload] = {
        "a file read and decoded, nothing else": (
            lambda text: _replace(path, {"access_token": text, "expires_at": ends}),
            read,
        )
    }
    with contextlib.suppress(ImportError):
        cache = importlib.import_module("botocore.utils").JSONFileCache(str(folder / "botocore-reload"))
        cases["botocore"] = (
            lambda text: cache.__setitem__("key", {"accessToken": text, "expiresAt": ends}),
            lambda: cache["key"]["accessToken"],
        )
    with contextlib.suppress(ImportError):
        extensions = importlib.import_module("msal_extensions")
        file = str(folder / "msal-reload.json")
        writer, reader = (extensions.PersistedTokenCache(extensions.FilePersistence(file)) for _ in range(2))
        cases["msal-extensions"] = (
            lambda text: writer.add(_msal_event(text)),
            lambda: next(iter(reader.find("AccessToken", target=["s"])))["secret"],
        )
    return cases


def _replace(path: Path, fields: dict[str, str]) -> None:
    other = path.with_suffix(".other")
    other.write_text(json.dumps(fields))
    other.chmod(0o600)
    other.replace(path)


def _msal_event(text: str) -> dict[str, object]:
    return {
        "client_id": "client",
        "scope": ["s"],
        "token_endpoint": "https://login.microsoftonline.com/contoso/oauth2/token",
        "response": {"access_token": text, "expires_in": 80000},
    }


def _locking(folder: Path) -> Iterator[Figure]:
    lock = ProfileLock(str(folder / "profile.lock"))

    def ours() -> None:
        lock.acquire()
        lock.release()

    taken = in_turn({"ours": ours, **_peer_locks(folder)}, calls=300)
    for peer in ("raw flock on a kept descriptor", "portalocker", "filelock", "msal-extensions"):
        yield _figure("lock taken and released, free", taken["ours"], peer, taken.get(peer), "≤ 10 µs")


def _peer_locks(folder: Path) -> dict[str, Callable[[], object]]:
    cases: dict[str, Callable[[], object]] = {}
    if os.name == "posix":
        import fcntl

        kept = os.open(folder / "raw.lock", os.O_RDWR | os.O_CREAT, 0o600)

        def raw() -> None:
            fcntl.flock(kept, fcntl.LOCK_EX)
            fcntl.flock(kept, fcntl.LOCK_UN)

        cases["raw flock on a kept descriptor"] = raw
    for name, make in (
        ("portalocker", lambda module: module.Lock(str(folder / "portalocker.lock"))),
        ("filelock", lambda module: module.FileLock(str(folder / "filelock.lock"))),
        ("msal_extensions", lambda module: module.CrossPlatLock(str(folder / "msal.lock"))),
    ):
        with contextlib.suppress(ImportError):
            module = importlib.import_module(name)

            def peer(make: Callable[[Any], Any] = make, module: Any = module) -> None:
                with make(module):
                    pass

            cases[name.replace("_", "-")] = peer
    return cases


def _writing(folder: Path) -> Iterator[Figure]:
    store = FileStore(str(folder / ".token"), ProfileLock(str(folder / "write.lock")))
    token = token_for(TOKEN, 80000, 1_800_000_000.0)
    cases: dict[str, Callable[[], object]] = {"ours": lambda: store.write(token)}
    with contextlib.suppress(ImportError):
        cache = importlib.import_module("botocore.utils").JSONFileCache(str(folder / "botocore"))
        cases["botocore"] = lambda: cache.__setitem__(
            "key", {"accessToken": TOKEN, "expiresAt": "2030-01-01T00:00:00Z"}
        )
    with contextlib.suppress(ImportError):
        persistence = importlib.import_module("msal_extensions").FilePersistence(str(folder / "msal.json"))
        text = json.dumps({"access_token": TOKEN})
        cases["msal-extensions"] = lambda: persistence.save(text)
    taken = in_turn(cases, calls=50)
    for peer, note in (
        ("botocore", "botocore, synced as well"),
        ("msal-extensions", "msal-extensions, in place and not synced"),
    ):
        yield _figure("a token stored in a file, synced to the disk", taken["ours"], note, taken.get(peer), "≤ 1.5")


def _figure(what: str, ours: float, peer_name: str, peer: float | None, goal: str = "") -> Figure:
    return Figure(what, ours * MICRO, peer_name, None if peer is None else peer * MICRO, "µs", goal)
