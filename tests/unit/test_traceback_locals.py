"""Error reporters show the local variables of a traceback: none of them may hold a token, a key or a secret."""

from __future__ import annotations

import asyncio
import os
import pprint
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence, Set
from pathlib import Path

import httpx
import pytest

from tests.doubles import Clock, MemoryKeyring
from tests.sandbox import sandbox_with_keys
from tray_app import AsyncTokens, KiwoomAuth, TokenManager
from tray_app.api.token_manager import ModulesManager
from tray_app.core.errors import KeysMissing, KeysRefused, KiwoomTokenError, StoreError
from tray_app.core.token import clean_token, token_for, token_until
from tray_app.exports.files import BotFile
from tray_app.exports.group import Exports
from tray_app.kiwoom.keys import clean_keys, find_keys, keys_of_environment
from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ThreadLock

HIDDEN = "never-to-be-seen"
DAY = 86400


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all that led to it, also what `raise … from None` suppresses."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [other for other in (one.__cause__, one.__context__) if other is not None]


def shown(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield what a reporter shows of the error: each local variable, with its place, and the error's own attributes."""
    for one in chain(error):
        yield type(one).__name__, f"{one} {one!r} {one.args!r} {vars(one)!r}"
        trace = one.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            if code.co_filename != __file__:
                for name, value in trace.tb_frame.f_locals.items():
                    for text in reported(value):
                        yield f"{os.path.basename(code.co_filename)}:{trace.tb_lineno} {name}", text
            trace = trace.tb_next


def reported(value: object, depth: int = 0) -> Iterator[str]:
    """Yield what a reporter shows of a value: its repr, or whatever is in a mapping or a sequence, as Sentry's does."""
    yield repr(value)
    if depth < 5 and isinstance(value, Mapping):
        for one in value.values():
            yield from reported(one, depth + 1)
    elif depth < 5 and isinstance(value, (Sequence, Set)) and not isinstance(value, (str, bytes, bytearray)):
        for one in value:
            yield from reported(one, depth + 1)


def raised_by(act: Callable[[], object]) -> BaseException:
    try:
        act()
    except Exception as error:  # noqa: BLE001 - whatever it is
        return error
    raise AssertionError("nothing was raised")


def assert_hides(error: BaseException, *texts: str) -> None:
    told = [place for place, text in shown(error) for hidden in (HIDDEN, *texts) if hidden in text]
    assert told == []


@pytest.mark.parametrize(
    "act",
    [
        lambda: TokenManager(store="memory").set_token(f"{HIDDEN}\nsecond line", DAY),
        lambda: TokenManager(store="memory").set_token(HIDDEN * 1000, DAY),
        lambda: TokenManager(store="memory").set_token(HIDDEN, -1),
        lambda: clean_token(f"{HIDDEN} x"),
        lambda: token_for(f"{HIDDEN} x", DAY, 0),
        lambda: token_for(HIDDEN, 0, 0),
        lambda: token_until(f"{HIDDEN} x", "20260101000000", 0),
        lambda: token_until(HIDDEN, "2026", 0),
        lambda: token_until(HIDDEN, "20261399000000", 0),
        lambda: token_until(HIDDEN, "20260101000000", 0),
        lambda: clean_keys(f"{HIDDEN} key", "a-secret"),
        lambda: clean_keys("a-key", f"{HIDDEN} secret"),
        lambda: clean_keys(HIDDEN, ""),
        lambda: clean_keys(f"APP_KEY={HIDDEN}", "a-secret"),
        lambda: clean_keys("a-key", f"/home/{HIDDEN}/secret.txt"),
        lambda: clean_keys("a-key", HIDDEN * 100),
        lambda: keys_of_environment("real", {"APP_KEY": HIDDEN}),
        lambda: keys_of_environment("real", {"APP_SECRET": HIDDEN}),
        lambda: keys_of_environment("demo", {"APP_KEY_MOCK": f"{HIDDEN} x", "APP_SECRET_MOCK": HIDDEN}),
    ],
)
def test_what_cannot_be_used_is_not_shown(act: Callable[[], object]) -> None:
    error = raised_by(act)

    assert isinstance(error, KiwoomTokenError)
    assert_hides(error)


@pytest.mark.parametrize("stored", [f"{HIDDEN} with a blank", f"APP_KEY={HIDDEN}"])
def test_what_the_keyring_holds_instead_of_keys_is_not_shown(stored: str) -> None:
    class Ring:
        def get(self, _service: str, username: str) -> str:
            return HIDDEN if username == "appkey" else stored

        def set(self, *_: str) -> None: ...
        def delete(self, *_: str) -> None: ...

    error = raised_by(lambda: find_keys("default", "real", {"OTHER": HIDDEN}, Ring()))

    assert isinstance(error, KeysMissing)
    assert_hides(error)


def calls(manager: TokenManager) -> list[Callable[[], object]]:
    """Every public call that asks Kiwoom."""
    return [
        manager.ensure_token,
        manager.get_valid_token,
        manager.refresh_token,
        lambda: manager.replace_refused(HIDDEN),
        lambda: asyncio.run(manager.ensure_token_async()),
        lambda: asyncio.run(AsyncTokens(manager).get_valid_token()),
        lambda: asyncio.run(AsyncTokens(manager).refresh_token()),
        lambda: httpx.Client(auth=KiwoomAuth(manager)).get("https://api.kiwoom.com/"),
    ]


@pytest.mark.parametrize("call", range(8))
@pytest.mark.parametrize(
    "keys",
    [
        {"APP_KEY": HIDDEN},
        {"APP_SECRET": HIDDEN},
        {"APP_KEY": f"{HIDDEN} blank", "APP_SECRET": HIDDEN},
        {"OTHER_PASSWORD": HIDDEN},
    ],
)
def test_keys_that_cannot_be_used_are_not_shown(
    keys: dict[str, str], call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in keys.items():
        monkeypatch.setenv(name, value)

    error = raised_by(calls(TokenManager(store="file"))[call])

    assert isinstance(error, KeysMissing)
    assert_hides(error)


@pytest.fixture
def kiwoom(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxKiwoom]:
    with sandbox_with_keys(monkeypatch) as sandbox:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        yield sandbox


@pytest.mark.parametrize("call", range(7))
def test_keys_that_kiwoom_refuses_are_not_shown(
    call: int, kiwoom: SandboxKiwoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_SECRET", HIDDEN)
    kiwoom.set_fault("8002", on="issue")

    error = raised_by(calls(TokenManager())[call])

    assert isinstance(error, KeysRefused)
    assert_hides(error, SANDBOX_APP_KEY)


@pytest.mark.parametrize("call", range(3))
def test_a_token_that_was_refused_and_has_no_successor_is_not_shown(call: int, kiwoom: SandboxKiwoom) -> None:
    manager, tokens = TokenManager(), AsyncTokens(TokenManager())
    token = manager.get_valid_token()

    async def refuse() -> str:
        await tokens.get_valid_token()
        kiwoom.set_fault("http-503", on="issue")
        return await tokens.refresh_token()

    def renew() -> str:
        kiwoom.set_fault("http-503", on="issue")
        return [manager.refresh_token, lambda: manager.replace_refused(token)][call]()

    error = raised_by((lambda: asyncio.run(refuse())) if call == 2 else renew)

    assert isinstance(error, KiwoomTokenError)
    assert_hides(error, token, SANDBOX_APP_SECRET)


@pytest.mark.parametrize("is_async", [False, True])
def test_an_answer_that_cannot_be_read_shows_no_token(kiwoom: SandboxKiwoom, *, is_async: bool) -> None:
    """The token is a local variable of the flow, through which the failure goes."""

    class Torn(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            raise httpx.ReadError("torn")

        async def __aiter__(self) -> AsyncIterator[bytes]:
            raise httpx.ReadError("torn")
            yield b""

    manager = TokenManager()
    token = manager.get_valid_token()
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Torn()))

    async def send() -> None:
        async with httpx.AsyncClient(auth=KiwoomAuth(manager), transport=transport) as client:
            await client.get(kiwoom.base_url)

    def send_at_once() -> None:
        with httpx.Client(auth=KiwoomAuth(manager), transport=transport) as client:
            client.get(kiwoom.base_url)

    error = raised_by((lambda: asyncio.run(send())) if is_async else send_at_once)

    assert isinstance(error, httpx.ReadError)
    assert_hides(error, token)


def test_settings_that_cannot_be_used_show_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_SECRET", HIDDEN)
    monkeypatch.setenv("KIWOOM_MODE", "neither")

    assert_hides(raised_by(TokenManager))
    assert_hides(raised_by(lambda: ModulesManager().get_token()))
    assert_hides(raised_by(lambda: TokenManager(profile="..")))
    assert_hides(raised_by(lambda: TokenManager(store="cloud")))


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("variable", ["KIWOOM_TRAY_ENCRYPTION_KEY", "KIWOOM_TRAY_REDIS_URL", "KIWOOM_TRAY_BASE_URL"])
def test_a_secret_in_a_variable_that_cannot_be_used_is_not_shown(
    variable: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, f"{scheme}://user:{HIDDEN}@example.org")

    def use() -> None:
        manager = TokenManager(store="redis" if "REDIS" in variable else "file")
        manager.set_token("a-token", DAY)
        manager.ensure_token()
        print(manager.base_url)

    assert_hides(raised_by(use))


@pytest.mark.parametrize("option", [f"socket_timeout={HIDDEN}", "unheard_of=1", f"max_connections={HIDDEN}"])
@pytest.mark.parametrize("call", range(7))
def test_a_redis_address_that_cannot_be_used_is_not_shown(
    option: str, call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("redis")
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "redis")
    monkeypatch.setenv("KIWOOM_TRAY_REDIS_URL", f"redis://:{HIDDEN}@127.0.0.1:1/0?{option}")
    manager = TokenManager()

    for act in (manager.clear_token, calls(manager)[call]):
        error = raised_by(act)
        assert isinstance(error, KiwoomTokenError)
        assert_hides(error)


def refuse(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_token_that_cannot_be_written_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    token = token_for(HIDDEN, DAY, clock())
    monkeypatch.setattr(os, "replace", refuse)
    store = FileStore(str(tmp_path / ".token"), ThreadLock(), clock)

    error = raised_by(lambda: store.write(token))
    failures = Exports([BotFile(str(tmp_path / "bot"))]).publish(token)

    for one in (error, *failures):
        assert isinstance(one, StoreError)
        assert_hides(one)
    assert len(failures) == 1


@pytest.mark.parametrize("content", ['{"access_token": "' + HIDDEN + '"}', '{"access_token": "' + HIDDEN])
def test_a_damaged_file_that_cannot_be_deleted_is_not_shown(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / ".token").write_text(content)
    monkeypatch.setattr(os, "unlink", refuse)

    assert_hides(raised_by(lambda: TokenManager(store="file").ensure_token()))


def views(value: object) -> Iterator[str]:
    """Yield how debuggers and printers show a value, and what its attributes hold, three levels down."""
    level: list[object] = [value]
    for _ in range(4):
        below: list[object] = []
        for one in level:
            yield repr(one)
            yield pprint.pformat(one)
            if hasattr(one, "__dict__"):
                yield pprint.pformat(vars(one))
                below += vars(one).values()
        level = [one for one in below if type(one).__module__.startswith("tray_app")]


@pytest.mark.parametrize("store", ["file", "memory", "keyring", "auto"])
def test_no_view_of_a_manager_shows_its_token_or_keys(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring

    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    before = keyring.get_keyring()
    keyring.set_keyring(MemoryKeyring())
    monkeypatch.setenv("KIWOOM_TRAY_STORE", store)
    monkeypatch.setenv("APP_KEY", f"{HIDDEN}-key")
    monkeypatch.setenv("APP_SECRET", f"{HIDDEN}-secret")
    unused = ModulesManager()
    managers = [TokenManager(), ModulesManager()]
    for manager in managers:
        manager.set_token(HIDDEN, DAY)
        manager.confirm(HIDDEN)
        assert manager.get_valid_token() == HIDDEN
    tokens = AsyncTokens(managers[0])
    asyncio.run(tokens.get_valid_token())
    auth = KiwoomAuth(managers[0])

    for one in (unused, *managers, tokens, auth, managers[0]._held, managers[0]._service):
        assert [text for text in views(one) if HIDDEN in text] == []
    keyring.set_keyring(before)
