"""KiwoomAuth for httpx and the token provider of kiwoom-client, against a practice Kiwoom over real HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from kiwoom_client.auth import AsyncTokenProvider, TokenProvider
from kiwoom_client.base import AsyncBaseClient, BaseClient, KiwoomAPIError

import tray_app
from tests.doubles import Clock
from tests.sandbox import sandbox_with_keys
from tests.threads import no_more_threads
from tray_app import AsyncTokens, KiwoomAuth, TokenManager
from tray_app.core.errors import KeysMissing, StoreError
from tray_app.core.secret import Secret
from tray_app.kiwoom.broker import Broker
from tray_app.kiwoom.keys import clean_keys
from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom
from tray_app.service.composition import open_service
from tray_app.service.token_service import TokenService
from tray_app.settings.load import load_settings

PATH = "/api/dostk/stkinfo"
KEYS = clean_keys(SANDBOX_APP_KEY, SANDBOX_APP_SECRET)


@pytest.fixture
def kiwoom(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxKiwoom]:
    with sandbox_with_keys(monkeypatch) as sandbox:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        yield sandbox


@pytest.fixture
def manager(kiwoom: SandboxKiwoom) -> TokenManager:
    return TokenManager()


@pytest.fixture
def client(kiwoom: SandboxKiwoom, manager: TokenManager) -> Iterator[httpx.Client]:
    with httpx.Client(auth=KiwoomAuth(manager), base_url=kiwoom.base_url) as client:
        yield client


def revoke_elsewhere(kiwoom: SandboxKiwoom, token: str) -> None:
    """Another tool ends the token at Kiwoom; nobody here is told."""
    Broker(kiwoom.base_url).revoke(KEYS, Secret(token))


class Asked(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Keeps what was sent, and answers the first requests as it is told, the others well."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.tokens: list[str] = []
        self.bodies: list[bytes] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.tokens.append(request.headers["authorization"].removeprefix("Bearer "))
        self.bodies.append(b"".join(request.stream))  # type: ignore[arg-type]
        answer = self.answers.pop(0) if self.answers else {"return_code": 0, "return_msg": "OK"}
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, json=answer)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


class Refusing:
    """Tokens of which each refused one is replaced by `other`."""

    def __init__(self, other: str = "second") -> None:
        self.other = other
        self.refused: list[str] = []

    def get_valid_token(self) -> str:
        return "first"

    def replace_refused(self, refused: str) -> str:
        self.refused.append(refused)
        return self.other


def send(tokens: Refusing, asked: Asked, **request: object) -> httpx.Response:
    with httpx.Client(auth=KiwoomAuth(tokens), transport=asked) as client:
        return client.post("https://api.kiwoom.com" + PATH, **request)  # type: ignore[arg-type]


DEAD = {"return_code": 3, "return_msg": "인증에 실패했습니다[8005:Token이 유효하지 않습니다]"}


def test_the_token_is_attached_and_issued_once(
    client: httpx.Client, kiwoom: SandboxKiwoom, manager: TokenManager
) -> None:
    for _ in range(3):
        assert client.post(PATH, json={"stk_cd": "005930"}).json()["return_code"] == 0
    assert kiwoom.counts() == {"issue": 1, "revoke": 0, "rest": 3}
    assert manager.get_token() is not None


def test_without_a_manager_the_programs_own_is_used(kiwoom: SandboxKiwoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(tray_app, "token_manager", raising=False)
    with httpx.Client(auth=KiwoomAuth(), base_url=kiwoom.base_url) as client:
        assert client.post(PATH, json={}).json()["return_code"] == 0
    assert tray_app.token_manager.get_token() is not None
    monkeypatch.delattr(tray_app, "token_manager")


def test_a_token_that_died_is_renewed_and_the_request_repeated(
    client: httpx.Client, kiwoom: SandboxKiwoom, manager: TokenManager
) -> None:
    first = manager.ensure_token()
    revoke_elsewhere(kiwoom, first)
    assert client.post(PATH, json={"stk_cd": "005930"}).json()["stk_nm"] == "삼성전자"
    assert kiwoom.counts() == {"issue": 2, "revoke": 1, "rest": 2}
    assert manager.get_token() not in {None, first}


class Meanwhile(httpx.HTTPTransport):
    """The network, where something happens just before the first request arrives."""

    def __init__(self, happens: Any) -> None:
        super().__init__()
        self.happens = [happens]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.happens:
            self.happens.pop()()
        return super().handle_request(request)


def test_a_token_that_another_program_has_replaced_already_is_just_read_again(kiwoom: Any, manager: Any) -> None:
    other = TokenManager()

    def replaced_elsewhere() -> None:
        revoke_elsewhere(kiwoom, manager.get_token())
        other.refresh_token()

    with httpx.Client(auth=KiwoomAuth(manager), transport=Meanwhile(replaced_elsewhere)) as client:
        assert client.post(kiwoom.base_url + PATH, json={}).json()["return_code"] == 0
    assert kiwoom.counts() == {"issue": 2, "revoke": 1, "rest": 2}


def test_many_requests_that_meet_the_same_dead_token_make_one_issue(
    client: httpx.Client, kiwoom: SandboxKiwoom, manager: TokenManager
) -> None:
    revoke_elsewhere(kiwoom, manager.ensure_token())
    kiwoom.set_delay(0.1)
    together = threading.Barrier(12)

    def ask(_: int) -> int:
        together.wait()
        return client.post(PATH, json={}).json()["return_code"]

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(ask, range(12))) == [0] * 12
    assert kiwoom.counts()["issue"] == 2


def test_a_token_that_kiwoom_gives_back_though_it_refuses_it_ends_in_the_answer(
    client: httpx.Client, kiwoom: SandboxKiwoom, manager: TokenManager, caplog: pytest.LogCaptureFixture
) -> None:
    manager.ensure_token()
    kiwoom.set_fault("8005", on="rest")
    for _ in range(4):
        answer = client.post(PATH, json={})
        assert answer.status_code == 200
        assert "8005" in answer.json()["return_msg"]
    assert kiwoom.counts() == {"issue": 2, "revoke": 0, "rest": 4}
    assert "gave the same one back" in caplog.text


def test_an_outage_of_the_renewal_leaves_the_answer_as_it_came(
    client: httpx.Client, kiwoom: SandboxKiwoom, manager: TokenManager, caplog: pytest.LogCaptureFixture
) -> None:
    revoke_elsewhere(kiwoom, manager.ensure_token())
    kiwoom.set_fault("http-503", on="issue")
    assert "8005" in client.post(PATH, json={}).json()["return_msg"]
    assert kiwoom.counts() == {"issue": 2, "revoke": 1, "rest": 1}
    assert "there is no other" in caplog.text


def test_without_any_token_the_reason_is_raised(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APP_KEY")
    monkeypatch.delenv("APP_SECRET")
    with pytest.raises(KeysMissing):
        client.post(PATH, json={})


@pytest.mark.parametrize(
    "refusal",
    [
        DEAD,
        {**DEAD, "return_code": "3"},
        {"return_code": 8005, "return_msg": "Token이 유효하지 않습니다"},
        {"return_code": "8005"},
        {"return_code": 3, "return_msg": "Token이 유효하지 않습니다 (CODE=8005)"},
        {"return_msg": "[8005:Token이 유효하지 않습니다]"},
    ],
)
def test_every_form_of_8005_is_understood(refusal: Any) -> None:
    tokens, asked = Refusing(), Asked(refusal)
    assert send(tokens, asked, json={"stk_cd": "005930"}).json()["return_code"] == 0
    assert asked.tokens == ["first", "second"]
    assert asked.bodies[0] == asked.bodies[1] != b""


@pytest.mark.parametrize(
    "answer",
    [
        {"return_code": 0, "return_msg": "a text that mentions [8005: something]"},
        {"return_code": 3, "return_msg": "인증에 실패했습니다[8010:IP]"},
        {"return_code": 3, "return_msg": None},
        {"return_code": None},
        ["8005"],
        8005,
        httpx.Response(200, text="<html>8005</html>"),
        httpx.Response(200, content=b"\xff\xfe[8005]"),
        httpx.Response(503),
        httpx.Response(401, json={"return_code": 3, "return_msg": "인증에 실패했습니다[8010:IP]"}),
    ],
)
def test_any_other_answer_is_left_alone(answer: Any) -> None:
    tokens, asked = Refusing(), Asked(answer)
    send(tokens, asked, json={})
    assert tokens.refused == []
    assert asked.tokens == ["first"]


def test_a_request_is_repeated_once_and_no_more() -> None:
    tokens, asked = Refusing(), Asked(DEAD, DEAD, DEAD)
    assert send(tokens, asked, json={}).json() == DEAD
    assert asked.tokens == ["first", "second"]
    assert tokens.refused == ["first"]


@pytest.mark.parametrize("status", [400, 401, 403])
def test_8005_is_understood_whatever_the_status(status: Any) -> None:
    asked = Asked(httpx.Response(status, json=DEAD))
    assert send(Refusing(), asked, json={}).status_code == 200


def test_a_401_without_a_code_is_kiwooms_refusal_too() -> None:
    tokens, asked = Refusing(), Asked(httpx.Response(401))
    assert send(tokens, asked, json={}).status_code == 200
    assert tokens.refused == ["first"]


def test_a_streamed_body_is_not_sent_twice_but_the_next_request_has_the_new_token() -> None:
    tokens, asked = Refusing(), Asked(DEAD)
    assert send(tokens, asked, content=iter([b"{", b"}"])).json() == DEAD
    assert asked.bodies == [b"{}"]
    assert tokens.refused == ["first"]


def test_an_uploaded_file_is_not_sent_twice(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(b"content")
    asked = Asked(DEAD)
    with path.open("rb") as file:
        assert send(Refusing(), asked, files={"file": file}).json() == DEAD
    assert len(asked.tokens) == 1


def test_a_streamed_answer_can_still_be_read(
    client: httpx.Client, kiwoom: SandboxKiwoom, manager: TokenManager
) -> None:
    revoke_elsewhere(kiwoom, manager.ensure_token())
    with client.stream("POST", PATH, json={}) as answer:
        assert '"return_code": 0' in "".join(answer.iter_text())


OTHER_ADDRESSES = [
    "http://api.kiwoom.com/x",
    "https://api.kiwoom.com:8443/x",
    "https://api.kiwoom.com.example/x",
    "https://api.kiwoom.com@example.org/x",
    "https://xapi.kiwoom.com/x",
    "https://kiwoom.com/x",
    "https://api.kiwoom.com./x",
    "https://openapi.kiwoom.com/x",
    "https://example.org/api.kiwoom.com",
    "https://127.0.0.1.example.org/x",
    "http://10.0.0.1/x",
    "http://[::ffff:10.0.0.1]/x",
]


def sent_to(url: str, tokens: object, transport: httpx.MockTransport) -> None:
    with httpx.Client(auth=KiwoomAuth(tokens), transport=transport) as client:  # type: ignore[arg-type]
        client.get(url)


@pytest.fixture
def headers() -> list[str | None]:
    return []


@pytest.fixture
def transport(headers: list[str | None]) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        headers.append(request.headers.get("authorization"))
        return httpx.Response(200, json=DEAD)

    return httpx.MockTransport(answer)


@pytest.mark.parametrize("url", OTHER_ADDRESSES)
def test_the_token_goes_to_no_other_address(url: Any, headers: Any, transport: Any) -> None:
    tokens = Refusing()
    sent_to(url, tokens, transport)
    assert (headers, tokens.refused) == ([None], []), "and what is answered there says nothing about the token"


@pytest.mark.parametrize("url", OTHER_ADDRESSES)
def test_the_token_goes_to_no_other_address_from_a_coroutine(url: Any, headers: Any, transport: Any) -> None:
    async def send_there() -> None:
        async with httpx.AsyncClient(auth=KiwoomAuth(Refusing()), transport=transport) as client:
            await client.get(url)

    asyncio.run(send_there())
    assert headers == [None]


@pytest.mark.parametrize(("mode", "own", "other"), [("real", "api", "mockapi"), ("demo", "mockapi", "api")])
def test_the_token_of_an_account_goes_to_the_host_of_its_mode_alone(
    mode: Any, own: Any, other: Any, *, headers: Any, transport: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIWOOM_MODE", mode)
    account = TokenManager(store="memory")
    account.set_token("token-of-a-test", 86400)
    with httpx.Client(auth=KiwoomAuth(account), transport=transport) as client:
        client.get(f"https://{other}.kiwoom.com{PATH}")
    assert headers == [None]
    with httpx.Client(auth=KiwoomAuth(account), transport=transport) as client, contextlib.suppress(KeysMissing):
        client.get(f"https://{own}.kiwoom.com{PATH}")
    assert headers[1] == "Bearer token-of-a-test"


def test_another_base_url_of_the_account_takes_the_token_and_kiwoom_does_not(
    headers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_BASE_URL", "https://gateway.example:8443/kiwoom")
    account = TokenManager(store="memory")
    account.set_token("token-of-a-test", 86400)

    def answer(request: httpx.Request) -> httpx.Response:
        headers.append(request.headers.get("authorization"))
        return httpx.Response(200, json={"return_code": 0})

    transport = httpx.MockTransport(answer)
    for url in ("https://gateway.example:8443/kiwoom/x", "https://gateway.example/x", "https://api.kiwoom.com/x"):
        sent_to(url, account, transport)
    assert headers == ["Bearer token-of-a-test", None, None]


def test_a_request_without_the_token_is_logged_once_for_each_host(
    transport: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with httpx.Client(auth=KiwoomAuth(Refusing()), transport=transport) as client:
        for url in ("https://one.example/a", "https://one.example/b", "https://two.example/"):
            client.get(url)
    assert [record.getMessage().split()[3] for record in caplog.records if record.name == "kiwoom"] == [
        "one.example",
        "two.example",
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "[::1]", "localhost"])
def test_on_this_computer_the_token_goes_to_the_port_of_the_base_url_alone(
    host: Any, headers: Any, transport: Any
) -> None:
    account = Refusing()
    sent_to(f"http://{host}:5000/x", account, transport)
    account.base_url = "http://127.0.0.1:5000"  # type: ignore[attr-defined]
    for port in (5000, 5001):
        sent_to(f"http://{host}:{port}/x", account, transport)
    assert [headers[0], headers[1], headers[-1]] == [None, "Bearer first", None]


def test_a_redirect_to_another_host_takes_no_token_along() -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("authorization"))
        if request.url.host == "api.kiwoom.com":
            return httpx.Response(302, headers={"Location": "https://elsewhere.example/"})
        return httpx.Response(200, json={})

    transport = httpx.MockTransport(answer)
    with httpx.Client(auth=KiwoomAuth(Refusing()), transport=transport, follow_redirects=True) as client:
        client.get("https://api.kiwoom.com/")
    assert seen == ["Bearer first", None]


async def ask_together(
    kiwoom: SandboxKiwoom, auth: KiwoomAuth, client: httpx.AsyncClient, gather: Any, times: int
) -> Any:
    answers = await gather([lambda: client.post(PATH, json={"stk_cd": "005930"})] * times)
    return [one.json()["return_code"] for one in answers]


async def with_asyncio(jobs: Any) -> Any:
    return await asyncio.gather(*(job() for job in jobs))


async def with_trio(jobs: Any) -> Any:
    results = []

    async def run(job: Any) -> None:
        results.append(await job())

    async with trio.open_nursery() as nursery:
        for job in jobs:
            nursery.start_soon(run, job)
    return results


LOOPS = {"asyncio": (asyncio.run, with_asyncio), "trio": (lambda main: trio.run(lambda: main), with_trio)}


@pytest.fixture(params=LOOPS.values(), ids=LOOPS.keys())  # type: ignore[call-overload, untyped-decorator]
def loop(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_many_coroutines_that_meet_the_same_dead_token_make_one_issue(
    kiwoom: SandboxKiwoom, manager: TokenManager, loop: Any
) -> None:
    run, gather = loop
    revoke_elsewhere(kiwoom, manager.ensure_token())
    kiwoom.set_delay(0.1)
    auth = KiwoomAuth(manager)

    async def main() -> list[int]:
        async with httpx.AsyncClient(auth=auth, base_url=kiwoom.base_url) as client:
            return await ask_together(kiwoom, auth, client, gather, 12)

    assert run(main()) == [0] * 12
    assert kiwoom.counts()["issue"] == 2


class SlowTokens(Refusing):
    """Tokens that come only after the event loop has shown that it still turns."""

    def __init__(self) -> None:
        super().__init__()
        self.turned = threading.Event()
        self.asked_on: set[int] = set()

    def get_valid_token(self) -> str:
        self.asked_on.add(threading.get_ident())
        assert self.turned.wait(60), "the event loop stood still"
        return "first"

    def replace_refused(self, refused: str) -> str:
        self.asked_on.add(threading.get_ident())
        return super().replace_refused(refused)


def test_the_event_loop_turns_while_a_token_is_waited_for() -> None:
    tokens, asked = SlowTokens(), Asked(DEAD)

    async def main() -> httpx.Response:
        async def turn() -> None:
            while not tokens.asked_on:
                await asyncio.sleep(0)
            tokens.turned.set()

        async with httpx.AsyncClient(auth=KiwoomAuth(tokens), transport=asked) as client:
            answer, _ = await asyncio.gather(client.post("https://api.kiwoom.com" + PATH, json={}), turn())
        return answer

    assert asyncio.run(main()).json()["return_code"] == 0
    assert asked.tokens == ["first", "second"]
    assert threading.get_ident() not in tokens.asked_on


def test_a_coroutine_that_is_cancelled_waits_for_no_token() -> None:
    tokens = SlowTokens()

    async def main() -> None:
        async with httpx.AsyncClient(auth=KiwoomAuth(tokens)) as client:
            async with asyncio.timeout(0.05):
                await client.post("https://api.kiwoom.com" + PATH, json={})

    before = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert time.monotonic() - before < 30
    tokens.turned.set()


def test_a_streamed_body_of_a_coroutine_is_not_sent_twice(kiwoom: SandboxKiwoom, manager: TokenManager) -> None:
    manager.ensure_token()
    kiwoom.set_fault("8005", on="rest", times=1)

    async def body() -> Iterator[Any]:  # type: ignore[misc]
        yield b"{}"

    async def main() -> httpx.Response:
        async with httpx.AsyncClient(auth=KiwoomAuth(manager), base_url=kiwoom.base_url) as client:
            return await client.post(PATH, content=body(), headers={"Content-Length": "2"})

    assert "8005" in asyncio.run(main()).json()["return_msg"]
    assert kiwoom.counts()["rest"] == 1


def test_ensure_token_can_be_awaited(kiwoom: SandboxKiwoom, manager: TokenManager, loop: Any) -> None:
    run, gather = loop

    async def main() -> list[str]:
        return await gather([manager.ensure_token_async] * 5)

    assert set(run(main())) == {manager.get_token()}
    assert kiwoom.counts()["issue"] == 1


def test_a_good_token_can_be_awaited_where_no_thread_can_be_started(manager: TokenManager) -> None:
    token = manager.ensure_token()

    async def awaited() -> str:
        with no_more_threads():
            return await manager.ensure_token_async(10**6)

    assert asyncio.run(awaited()) == token


def test_importing_the_program_loads_neither_httpx_nor_anyio() -> None:
    import subprocess

    code = (
        "import sys, tray_app; tray_app.TokenManager;"
        "print([name for name in ('httpx', 'anyio', 'keyring', 'PySide6') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(tray_app.__file__).parents[1],
    )
    assert done.stdout.strip() == "[]"


# --- kiwoom-client, the real package ---


def kiwoom_client(kiwoom: SandboxKiwoom, manager: TokenManager) -> BaseClient:
    return BaseClient("unused", "unused", base_url=kiwoom.base_url, rate_limit=None, token_provider=manager)


def test_kiwoom_client_takes_the_manager_as_its_token_provider(kiwoom: Any, manager: Any) -> None:
    assert isinstance(manager, TokenProvider)
    assert isinstance(AsyncTokens(manager), AsyncTokenProvider)  # type: ignore[arg-type]
    with kiwoom_client(kiwoom, manager) as client:  # type: ignore[arg-type]
        for _ in range(3):
            assert client.request(PATH, "ka10001", {"stk_cd": "005930"})["stk_nm"] == "삼성전자"
    assert kiwoom.counts() == {"issue": 1, "revoke": 0, "rest": 3}


def test_kiwoom_client_gets_over_a_dead_token(kiwoom: SandboxKiwoom, manager: TokenManager) -> None:
    revoke_elsewhere(kiwoom, manager.ensure_token())
    with kiwoom_client(kiwoom, manager) as client:
        assert client.request(PATH, "ka10001")["return_code"] == 0
    assert kiwoom.counts()["issue"] == 2


def test_threads_of_kiwoom_client_that_meet_the_same_dead_token_make_one_issue(
    kiwoom: SandboxKiwoom, manager: TokenManager
) -> None:
    revoke_elsewhere(kiwoom, manager.ensure_token())
    kiwoom.set_delay(0.1)
    together = threading.Barrier(8)

    def ask(_: int) -> int:
        with kiwoom_client(kiwoom, manager) as client:
            together.wait()
            return client.request(PATH, "ka10001")["return_code"]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [0] * 8
    assert kiwoom.counts()["issue"] == 2


def test_kiwoom_client_does_not_hammer_when_kiwoom_insists(kiwoom: SandboxKiwoom, manager: TokenManager) -> None:
    manager.ensure_token()
    kiwoom.set_fault("8005", on="rest")
    with kiwoom_client(kiwoom, manager) as client:
        for _ in range(3):
            with pytest.raises(KiwoomAPIError):
                client.request(PATH, "ka10001")
    assert kiwoom.counts()["issue"] == 2


def test_refresh_token_by_itself_asks_kiwoom(kiwoom: SandboxKiwoom, manager: TokenManager) -> None:
    first = manager.ensure_token()
    assert manager.refresh_token() == first
    assert kiwoom.counts()["issue"] == 2


def test_tasks_of_kiwoom_client_that_meet_the_same_dead_token_make_one_issue(
    kiwoom: SandboxKiwoom, manager: TokenManager
) -> None:
    revoke_elsewhere(kiwoom, manager.ensure_token())
    kiwoom.set_delay(0.1)

    async def main() -> list[int]:
        async with AsyncBaseClient(
            "unused", "unused", base_url=kiwoom.base_url, rate_limit=None, token_provider=AsyncTokens(manager)
        ) as client:
            answers = await asyncio.gather(*(client.request(PATH, "ka10001") for _ in range(8)))
        return [one["return_code"] for one in answers]

    assert asyncio.run(main()) == [0] * 8
    assert kiwoom.counts()["issue"] == 2


# --- what Kiwoom has served is noted ---


def confirmed_at(manager: TokenManager, token: str) -> float:
    evidence = open_service(load_settings()).evidence()
    return evidence.confirmed_at if evidence.is_about(Secret(token)) else 0.0


def wait_until(happened: Any) -> bool:
    deadline = time.monotonic() + 20
    while not (done := happened()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return done


class Noting:
    """Tokens that keep what they are told."""

    def __init__(self) -> None:
        self.confirmed: list[str] = []
        self.base_url = "https://api.kiwoom.com"

    def get_valid_token(self) -> str:
        return "first"

    def replace_refused(self, refused: str) -> str:
        return "second"

    def confirm(self, token: str) -> None:
        self.confirmed.append(token)


GOOD = {"return_code": 0}


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("url", "answer", "confirmed"),
    [
        ("https://api.kiwoom.com/x", GOOD, ["first"]),
        ("https://api.kiwoom.com/x", {"return_code": "0"}, ["first"]),
        ("https://api.kiwoom.com/x", DEAD, ["second"]),
        ("https://api.kiwoom.com/x", {"return_code": 3}, []),
        ("https://api.kiwoom.com/x", {}, []),
        ("https://api.kiwoom.com/x", ["0"], []),
        ("https://api.kiwoom.com/x", lambda: httpx.Response(500, json=GOOD), []),
        ("https://api.kiwoom.com/x", lambda: httpx.Response(200, text="<html>"), []),
    ],
)
def test_what_kiwoom_has_served_confirms_the_token(url: Any, answer: Any, confirmed: Any, *, is_async: Any) -> None:
    tokens, asked = Noting(), Asked(answer() if callable(answer) else answer)

    async def send_it() -> None:
        async with httpx.AsyncClient(auth=KiwoomAuth(tokens), transport=asked) as client:
            await client.get(url)

    if is_async:
        asyncio.run(send_it())
    else:
        with httpx.Client(auth=KiwoomAuth(tokens), transport=asked) as client:
            client.get(url)

    assert tokens.confirmed == confirmed


def follow_a_redirect(tokens: Noting, status: int, answer_elsewhere: Any) -> None:
    """Send a request that Kiwoom redirects to another host."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "api.kiwoom.com":
            return httpx.Response(status, headers={"Location": "https://elsewhere.example/"})
        return httpx.Response(200, json=answer_elsewhere)

    with httpx.Client(auth=KiwoomAuth(tokens), transport=httpx.MockTransport(answer), follow_redirects=True) as client:
        client.get("https://api.kiwoom.com/")


def test_what_another_host_answers_after_a_redirect_confirms_nothing() -> None:
    tokens = Noting()
    follow_a_redirect(tokens, 302, GOOD)

    assert tokens.confirmed == []


def test_a_request_makes_an_unknown_token_a_confirmed_one(
    client: httpx.Client, kiwoom: SandboxKiwoom, manager: TokenManager
) -> None:
    token = Broker(kiwoom.base_url).issue(KEYS).token.value.reveal()
    manager.set_token(token, 86400)
    assert confirmed_at(manager, token) == 0

    client.post(PATH, json={})

    assert wait_until(lambda: confirmed_at(manager, token) > 0)


def test_a_request_settles_a_doubt(client: httpx.Client, manager: TokenManager) -> None:
    token = manager.ensure_token()
    open_service(load_settings()).doubt(Secret(token))

    client.post(PATH, json={})

    assert wait_until(lambda: not open_service(load_settings()).evidence().says_doubtful(Secret(token)))


@pytest.fixture
def confirmations(kiwoom: SandboxKiwoom, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """What reaches the service of a manager, once its threads are done."""
    told: list[tuple[str, float]] = []
    monkeypatch.setattr(TokenService, "confirm", lambda _, value, at: told.append((value.reveal(), at)))
    monkeypatch.setattr("tray_app.api.background.start_in_background", lambda act: act())
    return told


def test_a_token_is_confirmed_once_in_ten_minutes(confirmations: list[tuple[str, float]]) -> None:
    clock = Clock()
    manager = TokenManager(clock=clock)
    for at in (1000.0, 1001.0, 1599.0, 1600.0, 1601.0):
        clock.now = at
        manager.confirm("one")
    manager.confirm("another")

    assert confirmations == [("one", 1000.0), ("one", 1600.0), ("another", 1601.0)]


@pytest.mark.parametrize("failure", [OSError("x"), StoreError("x"), RuntimeError("x")])
def test_a_confirmation_that_fails_is_nobodys_problem(
    client: httpx.Client, manager: TokenManager, failure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = threading.Event()

    def fail(*_: object) -> None:
        tried.set()
        raise failure

    monkeypatch.setattr(TokenService, "confirm", fail)

    assert client.post(PATH, json={}).json()["return_code"] == 0
    assert tried.wait(20)


def test_a_confirmation_that_hangs_holds_up_no_request_and_no_lock(
    client: httpx.Client, manager: TokenManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(manager._service.store, "version", lambda: go_on.wait(60))
    monkeypatch.setattr(manager, "_version", object)

    before = time.monotonic()
    assert client.post(PATH, json={}).json()["return_code"] == 0
    assert time.monotonic() - before < 30
    go_on.set()


class TestConfirming:
    """The service's part."""

    @pytest.fixture
    def service(self, manager: TokenManager) -> TokenService:
        return open_service(load_settings())

    @pytest.fixture
    def token(self, manager: TokenManager) -> Secret:
        return Secret(manager.ensure_token())

    @pytest.fixture
    def issued_at(self, service: TokenService, token: Secret) -> float:
        return service.evidence().confirmed_at

    def test_of_another_token_is_nothing(self, service: TokenService, token: Secret, issued_at: float) -> None:
        service.confirm(Secret("another"), time.time() + 3600)

        assert service.evidence().confirmed_at == issued_at

    def test_of_a_token_that_was_just_confirmed_writes_nothing(
        self, service: TokenService, token: Secret, issued_at: float
    ) -> None:
        service.confirm(token, issued_at + 599)

        assert service.evidence().confirmed_at == issued_at

    def test_later_is_written(self, token: Secret, issued_at: float) -> None:
        later = open_service(load_settings(), clock=lambda: issued_at + 700)

        later.confirm(token, issued_at + 601)

        assert later.evidence().confirmed_at == issued_at + 601

    def test_does_not_wait_for_the_lock(self, service: TokenService, token: Secret, issued_at: float) -> None:
        service.store.lock.acquire()
        try:
            service.confirm(token, issued_at + 601)
        finally:
            service.store.lock.release()

        assert service.evidence().confirmed_at == issued_at

    def test_of_a_request_before_a_doubt_settles_nothing(self, service: TokenService, token: Secret) -> None:
        before = time.time()
        service.doubt(token)

        service.confirm(token, before - 1)

        assert service.evidence().says_doubtful(token)

    def test_keeps_what_the_last_attempt_was(self, service: TokenService, token: Secret, issued_at: float) -> None:
        before = service.tokens.read_record().last.to_record()

        service.confirm(token, issued_at + 601)

        assert service.tokens.read_record().last.to_record() == before


def test_a_program_that_ends_finishes_what_it_writes() -> None:
    code = """
import time
from tray_app.api.background import start_in_background
start_in_background(lambda: (time.sleep(0.3), print("written", flush=True)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)

    assert (done.stdout, done.stderr) == ("written\n", "")


class Doubting(Noting):
    """Notes which tokens are reported as refused without another being asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.doubted: list[str] = []
        self.replaced: list[str] = []

    def replace_refused(self, refused: str) -> str:
        self.replaced.append(refused)
        return "second"

    def doubt(self, token: str) -> None:
        self.doubted.append(token)


def send_with_hook(tokens: Doubting, asked: Asked, hook: Any, *, is_async: bool) -> None:
    """Send one request whose answer an event hook may turn into an exception, which is dropped."""

    async def async_hook(response: httpx.Response) -> None:
        await response.aread()
        hook(response)

    async def send_it() -> None:
        async with httpx.AsyncClient(
            auth=KiwoomAuth(tokens), transport=asked, event_hooks={"response": [async_hook]}
        ) as client:
            await client.get("https://api.kiwoom.com/x")

    with contextlib.suppress(Exception):
        if is_async:
            asyncio.run(send_it())
        else:
            with httpx.Client(auth=KiwoomAuth(tokens), transport=asked, event_hooks={"response": [hook]}) as client:
                client.get("https://api.kiwoom.com/x")


def repeat_what_kiwoom_says(response: httpx.Response) -> None:
    response.read()
    if response.json()["return_code"] != 0:
        raise RuntimeError(response.json()["return_msg"])


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("hook", "answer", "doubted"),
    [
        (httpx.Response.raise_for_status, lambda: httpx.Response(401), ["first"]),
        (httpx.Response.raise_for_status, lambda: httpx.Response(401, json=DEAD), ["first"]),
        (httpx.Response.raise_for_status, lambda: httpx.Response(500, json=DEAD), ["first"]),
        (httpx.Response.raise_for_status, lambda: httpx.Response(503), []),
        (repeat_what_kiwoom_says, DEAD, ["first"]),
        (repeat_what_kiwoom_says, {"return_code": 5, "return_msg": "[1700:too many]"}, []),
    ],
)
def test_a_refusal_that_an_event_hook_turns_into_an_exception_is_evidence(
    hook: Any, answer: Any, doubted: list[str], *, is_async: bool
) -> None:
    tokens = Doubting()
    send_with_hook(tokens, Asked(answer() if callable(answer) else answer), hook, is_async=is_async)

    deadline = time.monotonic() + 20
    while is_async and tokens.doubted != doubted and time.monotonic() < deadline:
        time.sleep(0.01)
    assert tokens.doubted == doubted


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("is_answered", [False, True])
def test_a_refusal_that_the_caller_is_just_handling_is_no_evidence(*, is_answered: bool, is_async: bool) -> None:
    def lose(_: httpx.Response) -> None:
        if not is_answered:
            raise httpx.ReadError("gone")

    def refuse() -> None:
        raise RuntimeError(DEAD["return_msg"])

    tokens = Doubting()

    def send_it() -> None:
        with httpx.Client(auth=KiwoomAuth(tokens), transport=asked, event_hooks={"response": [lose]}) as client:
            client.get("https://api.kiwoom.com/x")

    async def async_lose(response: httpx.Response) -> None:
        lose(response)

    async def async_send_it() -> None:
        async with httpx.AsyncClient(
            auth=KiwoomAuth(tokens), transport=asked, event_hooks={"response": [async_lose]}
        ) as client:
            try:
                refuse()
            except RuntimeError:
                with contextlib.suppress(httpx.ReadError):
                    await client.get("https://api.kiwoom.com/x")

    asked = Asked({"return_code": 0})
    if is_async:
        asyncio.run(async_send_it())
        time.sleep(0.2)
    else:
        try:
            refuse()
        except RuntimeError:
            with contextlib.suppress(httpx.ReadError):
                send_it()

    assert (asked.tokens, tokens.doubted) == (["first"], [])


@pytest.mark.parametrize("is_async", [False, True])
def test_the_next_request_after_a_hook_hid_the_refusal_has_a_token_that_works(
    kiwoom: SandboxKiwoom, manager: TokenManager, *, is_async: bool
) -> None:
    dead = manager.ensure_token()
    revoke_elsewhere(kiwoom, dead)
    reported = threading.Event()
    doubt = manager.doubt

    def and_tell(token: str) -> None:
        doubt(token)
        reported.set()

    manager.doubt = and_tell

    def fail(response: httpx.Response) -> None:
        response.read()
        if response.json()["return_code"] != 0:
            raise RuntimeError(response.json()["return_msg"])

    async def async_fail(response: httpx.Response) -> None:
        await response.aread()
        fail(response)

    async def send_it() -> None:
        async with httpx.AsyncClient(
            auth=KiwoomAuth(manager), base_url=kiwoom.base_url, event_hooks={"response": [async_fail]}
        ) as client:
            await client.post(PATH, json={})

    def send_one() -> None:
        if is_async:
            asyncio.run(send_it())
            return
        with httpx.Client(
            auth=KiwoomAuth(manager), base_url=kiwoom.base_url, event_hooks={"response": [fail]}
        ) as client:
            client.post(PATH, json={})

    with pytest.raises(RuntimeError, match="8005"):
        send_one()
    assert reported.wait(20)
    send_one()
    assert manager.get_token() not in {None, dead}


def test_the_repeated_request_s_refusal_is_evidence_too() -> None:
    tokens, asked = Doubting(), Asked(DEAD, DEAD)
    with httpx.Client(auth=KiwoomAuth(tokens), transport=asked) as client:
        assert client.get("https://api.kiwoom.com/x").json() == DEAD

    assert (asked.tokens, tokens.doubted) == (["first", "second"], ["second"])


def test_a_refusal_of_another_host_after_a_redirect_is_no_evidence() -> None:
    tokens = Doubting()
    follow_a_redirect(tokens, 307, DEAD)

    assert (tokens.replaced, tokens.doubted) == ([], [])


def test_a_request_that_is_sent_again_to_another_host_leaves_the_token_behind() -> None:
    headers: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        headers.append(request.headers.get("authorization"))
        return httpx.Response(200, json=GOOD)

    with httpx.Client(auth=KiwoomAuth(Doubting()), transport=httpx.MockTransport(answer)) as client:
        request = client.build_request("GET", "https://api.kiwoom.com/x")
        client.send(request)
        request.url = httpx.URL("https://elsewhere.example/x")
        client.send(request)
        own = client.build_request("GET", "https://elsewhere.example/x", headers={"authorization": "Basic own"})
        client.send(own)

    assert headers == ["Bearer first", None, "Basic own"], "a program's own header stays"


def test_one_manager_is_made_for_all_threads_that_meet_at_its_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "memory")
    monkeypatch.delitem(vars(tray_app), "token_manager", raising=False)
    everybody = threading.Barrier(8)

    def first_use() -> TokenManager:
        everybody.wait(30)
        return tray_app.token_manager

    with ThreadPoolExecutor(8) as pool:
        found = [one.result() for one in [pool.submit(first_use) for _ in range(8)]]

    assert {id(one) for one in found} == {id(tray_app.token_manager)}
