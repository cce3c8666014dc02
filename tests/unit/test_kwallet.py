"""KDE's wallet, where no Secret Service is: its question is waited for, and nothing is written in plain text."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import keyring.core
import pytest

from tray_app.core.errors import KeyringUnavailable
from tray_app.core.token import token_for
from tray_app.service.composition import open_store
from tray_app.settings.load import load_settings
from tray_app.stores.keyring_client import KeyringClient

if TYPE_CHECKING:
    from tests.kwallet import KWalletDaemon

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no wallet")

ENTRY = ("kiwoom-token-tray", "default")


@pytest.fixture
def address(short_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A session bus on which nothing is."""
    address = f"unix:path={short_tmp}/bus"
    config = short_tmp / "bus.conf"
    config.write_text(
        f"<busconfig><type>session</type><listen>{address}</listen><auth>EXTERNAL</auth><policy context='default'>"
        "<allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/><allow own='*'/></policy></busconfig>"
    )
    program = shutil.which("dbus-daemon")
    if program is None:
        pytest.skip("no dbus-daemon here")
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    command = [program, "--nofork", f"--config-file={config}", "--print-address=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as daemon:
        assert daemon.stdout
        assert daemon.stdout.readline()
        yield address
        daemon.kill()


@pytest.fixture(params=["kwalletd", "kwalletd5", "kwalletd6"])
def wallet(address: str, request: pytest.FixtureRequest) -> Iterator[KWalletDaemon]:
    from tests.kwallet import KWalletDaemon

    with KWalletDaemon(address, request.param) as daemon:
        yield daemon


@pytest.fixture
def client(wallet: KWalletDaemon, monkeypatch: pytest.MonkeyPatch) -> KeyringClient:
    client = KeyringClient()
    monkeypatch.setattr("tray_app.stores.keyring_client.shared_keyring_client", lambda: client)
    return client


def problem_of(call: Callable[[], object]) -> str:
    with pytest.raises(KeyringUnavailable) as raised:
        call()
    return raised.value.problem


def test_an_open_one_stores_tokens(wallet: KWalletDaemon, client: KeyringClient, tmp_path: Path) -> None:
    wallet.is_open = True
    store = open_store(load_settings())

    token = token_for("a-token-of-a-test", 3600, time.time())
    store.write(token)

    assert store.read() == token
    assert "a-token-of-a-test" in wallet.entries[ENTRY]
    assert client.backend_name() == "keyring.backends.kwallet.DBusKeyring"
    assert not list(tmp_path.rglob(".token"))
    assert store.clear()
    assert wallet.entries == {}


def test_its_question_is_asked_once_and_leads_to_no_plain_text(
    wallet: KWalletDaemon, client: KeyringClient, tmp_path: Path
) -> None:
    store = open_store(load_settings())
    token = token_for("a-token-of-a-test", 3600, time.time())

    for _ in range(3):
        assert problem_of(lambda: store.write(token)) == KeyringUnavailable.ASKING
    assert (wallet.asked, client.wants_permission()) == (1, True)
    assert not list(tmp_path.rglob(".token"))

    wallet.answer(allow=True)
    store.write(token)
    assert (store.read(), wallet.asked) == (token, 1)
    assert not list(tmp_path.rglob(".token"))


def test_refused_it_counts_as_locked_and_is_opened_by_the_user(wallet: KWalletDaemon, client: KeyringClient) -> None:
    assert problem_of(lambda: client.get(*ENTRY)) == KeyringUnavailable.ASKING
    wallet.answer(allow=False)
    assert problem_of(client.check) == KeyringUnavailable.LOCKED
    assert problem_of(client.check) == KeyringUnavailable.LOCKED
    assert (wallet.asked, client.wants_permission()) == (1, False)

    wallet.is_open = True
    client.unlock()
    assert client.get(*ENTRY) is None


def test_looking_asks_nothing(wallet: KWalletDaemon, client: KeyringClient) -> None:
    assert problem_of(client.backend_name) == KeyringUnavailable.LOCKED
    assert wallet.asked == 0


def test_without_one_there_is_no_keyring(address: str) -> None:
    assert problem_of(KeyringClient().check) == KeyringUnavailable.MISSING


def test_the_one_that_keyrings_settings_name_is_used(
    wallet: KWalletDaemon, client: KeyringClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.kwallet.DBusKeyring")
    wallet.is_open = True

    client.set(*ENTRY, "a-value")

    assert wallet.entries[ENTRY] == "a-value"


def test_no_connection_stays_open_when_the_bus_ends_before_it_says_if_there_is_one(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tray_app.stores.kwallet import KWallet
    from tray_app.stores.secret_service import BoundedConnection

    opened: list[BoundedConnection] = []

    def open_broken(address: str, seconds: float) -> BoundedConnection:
        opened.append(BoundedConnection(address, seconds))
        opened[-1].sock.shutdown(2)
        return opened[-1]

    monkeypatch.setattr("tray_app.stores.kwallet.BoundedConnection", open_broken)

    with pytest.raises(ConnectionError):
        KWallet.find()

    assert [one.sock.fileno() for one in opened] == [-1]


@pytest.mark.parametrize(
    ("is_locked", "problem"), [(True, KeyringUnavailable.LOCKED), (False, KeyringUnavailable.ASKING)]
)
def test_it_takes_no_place_of_a_secret_service_that_asks_its_user(is_locked: bool, problem: str, address: str) -> None:
    from tests.keepassxc import KeePassXC
    from tests.kwallet import KWalletDaemon

    with KeePassXC(address) as keepassxc, KWalletDaemon(address, "kwalletd6") as wallet:
        wallet.is_open = True
        keepassxc.store(*ENTRY, "value")
        keepassxc.is_locked = is_locked

        assert problem_of(lambda: KeyringClient(30).set(*ENTRY, "another")) == problem

    assert (keepassxc.value(*ENTRY), wallet.entries) == ("value", {})


def test_one_that_was_started_again_is_found(address: str) -> None:
    from tests.kwallet import KWalletDaemon

    client = KeyringClient(30)
    for _ in range(2):
        with KWalletDaemon(address, "kwalletd6") as daemon:
            daemon.is_open = True
            client.set(*ENTRY, "value")
            assert client.get(*ENTRY) == "value"
        assert problem_of(lambda: client.get(*ENTRY)) == KeyringUnavailable.FAILED
    assert problem_of(lambda: client.get(*ENTRY)) == KeyringUnavailable.MISSING
