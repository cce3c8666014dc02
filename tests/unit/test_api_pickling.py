"""Managers, and what uses them, as objects of a program: copied, pickled, in child processes."""

from __future__ import annotations

import asyncio
import copy
import json
import multiprocessing
import multiprocessing.util
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import httpx
import pytest

import tray_app
from tests import ROOT
from tests.doubles import START, Clock
from tray_app import AsyncTokens, KiwoomAuth, TokenManager
from tray_app.api.last_returned import last_returned
from tray_app.api.token_manager import ModulesManager
from tray_app.core.errors import SettingsError
from tray_app.stores.memory import MemoryStore

VALUE = "never-to-be-seen-token"
DAY = 86400

loads = pickle.loads

PICKLED = [lambda value, p=protocol: loads(pickle.dumps(value, p)) for protocol in range(6)]
WAYS = [copy.copy, copy.deepcopy, *PICKLED]
WAY_NAMES = ["copy", "deepcopy", *(f"pickle {protocol}" for protocol in range(6))]


@pytest.fixture(params=WAYS, ids=WAY_NAMES)
def way(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def manager() -> TokenManager:
    manager = TokenManager(store="file")
    manager.set_token(VALUE, DAY)
    return manager


class Named(TokenManager):
    """A program's own kind of manager."""

    def __init__(self, name: str) -> None:
        super().__init__(store="file")
        self.name = name


def test_a_deep_copy_has_attributes_of_its_own() -> None:
    one = Named("orders")
    one.calls = ["buy"]  # type: ignore[attr-defined]

    other: Any = copy.deepcopy(one)
    other.calls.append("sell")

    assert (one.calls, other.calls) == (["buy"], ["buy", "sell"])  # type: ignore[attr-defined]


def test_a_copy_is_a_manager_of_the_same_place(manager: TokenManager, way: Any) -> None:
    other = way(manager)

    assert (type(other), other.get_token()) == (TokenManager, VALUE)
    other.clear_token()
    assert manager.get_token() is None


def test_a_copy_goes_on_when_the_first_is_gone(manager: TokenManager, way: Any) -> None:
    other = way(manager)
    del manager
    other.set_token("another-token", DAY)

    assert other.get_valid_token() == "another-token"


def test_a_kind_of_ones_own_keeps_its_attributes(way: Any) -> None:
    other = way(Named("mine"))

    assert (type(other), other.name) == (Named, "mine")


def test_a_pickle_has_the_place_and_no_token_or_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("APP_KEY", "never-to-be-seen-key")
    monkeypatch.setenv("APP_SECRET", "never-to-be-seen-secret")
    monkeypatch.setenv("KIWOOM_TRAY_REDIS_URL", "redis://:never-to-be-seen@localhost/0")
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    manager = TokenManager(data_dir=tmp_path / "elsewhere")
    manager.set_token(VALUE, DAY)
    tokens = AsyncTokens(manager)
    asyncio.run(tokens.get_valid_token())

    for one in (manager, tokens, KiwoomAuth(manager)):
        for protocol in range(6):
            pickled = pickle.dumps(one, protocol)
            assert b"never-to-be-seen" not in pickled
            assert b"elsewhere" in pickled


def test_the_place_is_that_of_the_first_wherever_it_is_loaded(
    manager: TokenManager, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pickled = pickle.dumps(manager)
    monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(tmp_path / "of-another-program"))
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "memory")
    monkeypatch.setenv("KIWOOM_PROFILE", "another")

    assert loads(pickled).get_token() == VALUE


def test_it_never_becomes_one_of_the_other_mode(manager: TokenManager, monkeypatch: pytest.MonkeyPatch) -> None:
    pickled = pickle.dumps(manager)
    monkeypatch.setenv("KIWOOM_MODE", "demo")

    with pytest.raises(SettingsError, match=r"in the mode real, but here .* mode demo"):
        loads(pickled)


def test_a_store_object_is_shared_with_a_copy_and_not_pickled() -> None:
    manager = TokenManager(store=MemoryStore())
    manager.set_token(VALUE, DAY)

    assert copy.copy(manager).get_token() == copy.deepcopy(manager).get_token() == VALUE
    with pytest.raises(pickle.PicklingError, match="The store of this TokenManager cannot be pickled"):
        pickle.dumps(manager)


def test_a_clock_that_cannot_be_pickled_is_told() -> None:
    manager = TokenManager(store="memory", clock=lambda: START)

    assert copy.deepcopy(manager).get_token() is None
    with pytest.raises(pickle.PicklingError, match="The clock of this TokenManager cannot be pickled"):
        pickle.dumps(manager)


def test_a_clock_that_can_be_pickled_goes_along() -> None:
    manager = TokenManager(store="file", clock=Clock(START))
    manager.set_token(VALUE, DAY)

    assert loads(pickle.dumps(manager)).get_token_info()["remaining_seconds"] == DAY


class TestTheModulesManager:
    @pytest.fixture
    def manager(self, monkeypatch: pytest.MonkeyPatch) -> TokenManager:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        manager = ModulesManager()
        monkeypatch.setattr(tray_app, "token_manager", manager)
        return manager

    def test_is_copied_before_its_first_use(
        self, manager: TokenManager, way: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        other = way(manager)
        monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(tmp_path / "later"))

        TokenManager().set_token(VALUE, DAY)

        assert other.get_token() == manager.get_token() == VALUE

    def test_is_copied_after_its_first_use(self, manager: TokenManager, way: Any) -> None:
        manager.set_token(VALUE, DAY)

        assert way(manager).get_token() == VALUE

    def test_is_pickled_with_settings_that_cannot_be_used(self, monkeypatch: pytest.MonkeyPatch, way: Any) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "cloud")
        manager = ModulesManager()
        monkeypatch.setattr(tray_app, "token_manager", manager)

        other = way(manager)

        with pytest.raises(SettingsError):
            other.get_token()

    def test_of_another_process_is_the_one_that_it_has(self, manager: TokenManager) -> None:
        pickled = pickle.dumps(manager)
        code = "import pickle, sys, tray_app; print(pickle.load(sys.stdin.buffer) is tray_app.token_manager)"
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=pickled,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            timeout=60,
            check=False,
        )

        assert (done.stdout.strip(), done.stderr) == (b"True", b"")


def test_auth_is_copied(manager: TokenManager, way: Any) -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(200, json={"return_code": 0})

    auth = way(KiwoomAuth(manager))
    with httpx.Client(auth=auth, transport=httpx.MockTransport(answer)) as client:
        client.get("https://api.kiwoom.com/")

    assert seen == [f"Bearer {VALUE}"]


def test_async_tokens_are_copied(manager: TokenManager, way: Any) -> None:
    tokens = AsyncTokens(manager)
    asyncio.run(tokens.get_valid_token())

    assert asyncio.run(way(tokens).get_valid_token()) == VALUE


def test_a_copy_knows_nothing_of_the_token_that_the_first_returned(manager: TokenManager, way: Any) -> None:
    """Else its `refresh_token` would take that one for refused."""
    manager.get_valid_token()

    other = way(manager)

    assert last_returned(other) is None


def get(manager: TokenManager) -> str | None:
    return manager.get_token()


@pytest.fixture(scope="module")
def _folder_of_the_workers() -> None:
    """multiprocessing keeps one folder until the process ends: it is not to be in one that the tests remove before."""
    multiprocessing.util.get_temp_dir()


@pytest.mark.parametrize(
    "method", [name for name in ("spawn", "forkserver") if name in multiprocessing.get_all_start_methods()]
)
@pytest.mark.usefixtures("_folder_of_the_workers")
def test_a_child_process_gets_the_token(manager: TokenManager, method: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply_async(get, (manager,)).get(60) == VALUE


def test_workers_of_xdist_use_the_managers_of_a_module(tmp_path: Path, manager: TokenManager) -> None:
    (tmp_path / "test_bot.py").write_text(
        textwrap.dedent(f"""
            import copy, pickle
            import pytest
            from tray_app import AsyncTokens, KiwoomAuth, TokenManager, token_manager

            MANAGERS = [token_manager, TokenManager(), copy.deepcopy(token_manager)]

            @pytest.mark.parametrize("manager", MANAGERS)
            @pytest.mark.parametrize("number", range(4))
            def test_bot(manager, number):
                assert pickle.loads(pickle.dumps(manager)).get_token() == {VALUE!r}
        """)
    )
    options = ["-p", "no:cacheprovider", "-p", "no:pytest-qt"]  # Qt may not load here
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", *options, str(tmp_path / "test_bot.py")],
        env={**os.environ, "PYTHONPATH": str(ROOT), "KIWOOM_TRAY_STORE": "file"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert "12 passed" in done.stdout, done.stdout + done.stderr


def test_the_original_files_form_is_untouched_by_a_copy(manager: TokenManager, way: Any, private_places: Path) -> None:
    before = json.loads((private_places / "data" / ".token").read_text())

    way(manager).get_token()

    assert json.loads((private_places / "data" / ".token").read_text()) == before
