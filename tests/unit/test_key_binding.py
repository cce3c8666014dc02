"""A token is bound to the mode and the keys it was issued for: nothing of one account reaches another."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doubles import Clock, FakeBroker
from tests.file_service import open_file_service
from tray_app import TokenManager
from tray_app.core.errors import KeysMissing, KiwoomTokenError
from tray_app.core.secret import Secret
from tray_app.core.token import Token, token_for
from tray_app.kiwoom.keys import AppKeys
from tray_app.service.composition import find_keys
from tray_app.service.key_binding import KeyBinding
from tray_app.service.outcome import Outcome
from tray_app.service.token_service import TokenService
from tray_app.settings.load import load_settings
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ProfileLock

ONE = {"APP_KEY": "key-of-one", "APP_SECRET": "secret-of-one"}
TWO = {"APP_KEY": "key-of-two", "APP_SECRET": "secret-of-two"}
MOCK = {"APP_KEY_MOCK": "key-of-mock", "APP_SECRET_MOCK": "secret-of-mock", "KIWOOM_MODE": "demo"}

Opener = Callable[[dict[str, str]], TokenService]


@pytest.fixture
def opened(tmp_path: Path, clock: Clock, broker: FakeBroker) -> Opener:
    """A service over the same file, in a program with that environment."""

    def open_with(environ: dict[str, str]) -> TokenService:
        environ = {**environ, "KIWOOM_TRAY_CONFIG_DIR": str(tmp_path)}
        settings = load_settings(environ=environ)
        return open_file_service(
            tmp_path / "data" / ".token",
            clock,
            broker,
            find_keys=lambda: find_keys(settings, environ),
            key_binding=KeyBinding(settings, environ),
        )

    return open_with


def test_the_same_account_finds_its_token(opened: Opener, broker: FakeBroker) -> None:
    token = opened(ONE).ensure().token
    assert opened(ONE).ensure().token == token
    assert broker.issues == 1


@pytest.mark.parametrize("other", [TWO, MOCK])
def test_other_keys_or_another_mode_make_it_a_miss(opened: Opener, other: dict[str, str]) -> None:
    opened(ONE).ensure()
    assert opened(other).current() is None


def test_a_miss_is_not_revoked_with_the_wrong_keys(opened: Opener, broker: FakeBroker) -> None:
    opened(ONE).ensure()
    opened(MOCK).clear(revoke=True)
    assert broker.revokes == 0


@pytest.mark.parametrize("other", [TWO, MOCK])
@pytest.mark.parametrize("retired", [False, True])
def test_a_clear_leaves_a_token_of_another_account(
    opened: Opener, other: dict[str, str], clock: Clock, *, retired: bool
) -> None:
    token = opened(ONE).ensure().token
    if retired:
        clock.now = token.expires - 200
        owner = opened(ONE)
        owner.tokens.stored()
        owner.expire_soft(token)
    cleared = opened(other).clear()
    assert (cleared.was_there, cleared.of_other_keys) == (False, True)
    assert opened(ONE).current() == token


def test_keys_that_lie_in_the_keyring_do_not_hide_a_token(opened: Opener) -> None:
    token = opened(ONE).ensure().token
    assert opened({}).current() == token


def test_a_token_that_nobody_knows_the_account_of_serves_all(opened: Opener, clock: Clock) -> None:
    opened(ONE).store.write(token_for("a-token-of-a-test", 86400, clock()))
    assert opened(MOCK).current() is not None


@pytest.mark.parametrize("other", [TWO, MOCK])
def test_a_token_that_is_set_is_of_the_account_of_who_sets_it(
    opened: Opener, clock: Clock, other: dict[str, str]
) -> None:
    opened(ONE).put(token_for("a-token-of-a-test", 86400, clock()))
    assert opened(other).current() is None
    assert opened(ONE).current() is not None


def test_where_the_environment_has_no_keys_a_token_that_is_set_is_of_that_mode(opened: Opener, clock: Clock) -> None:
    opened({}).put(token_for("a-token-of-a-test", 86400, clock()))
    assert opened(MOCK).current() is None
    assert opened(ONE).current() is not None
    opened(TWO).forget_other_account(find_keys(load_settings(), TWO))
    assert opened(TWO).current() is not None


class TestKeysInTheKeyring:
    """Compared with a token in Redis once, and again with another token."""

    @pytest.fixture
    def keys(self) -> list[AppKeys | KiwoomTokenError]:
        return [AppKeys(Secret("key-of-one"), Secret("secret-of-one"))]

    @pytest.fixture
    def asked(self) -> list[int]:
        return []

    @pytest.fixture
    def account(self, keys: list[AppKeys | KiwoomTokenError], asked: list[int]) -> KeyBinding:
        def find() -> AppKeys:
            asked.append(1)
            if isinstance(keys[0], KiwoomTokenError):
                raise keys[0]
            return keys[0]

        return KeyBinding(load_settings(environ={}), {}, find)

    @staticmethod
    def token(text: str, issued_for: str) -> Token:
        return token_for(text, 86400, 1_800_000_000.0).bound_to(issued_for)

    def test_tell_whose_it_is(self, account: KeyBinding, keys: list[AppKeys]) -> None:
        assert account.owns(self.token("own", account.issued_for(keys[0])), "redis")
        assert not account.owns(self.token("of-another", "real:0123456789abcdef"), "redis")

    def test_are_asked_for_once_for_each_token(self, account: KeyBinding, asked: list[int]) -> None:
        for text in ("one", "one", "two", "two"):
            account.owns(self.token(text, "real:0123456789abcdef"), "redis")
        assert len(asked) == 2

    def test_hide_nothing_while_the_keyring_fails(
        self, account: KeyBinding, keys: list[AppKeys | KiwoomTokenError], asked: list[int]
    ) -> None:
        keys[0] = KeysMissing("The keyring with the app keys is locked. Unlock it.")
        assert all(account.owns(self.token("one", "real:0123456789abcdef"), "redis") for _ in range(3))
        assert len(asked) == 1

    @pytest.mark.parametrize("issued_for", ["", "real:", "demo:0123456789abcdef"])
    def test_are_not_asked_for_where_the_token_itself_tells(
        self, account: KeyBinding, asked: list[int], issued_for: str
    ) -> None:
        account.owns(self.token("one", issued_for), "redis")
        account.owns(self.token("one", "real:0123456789abcdef"))
        assert asked == []


def test_a_token_that_another_program_wrote_is_not_bound_by_the_one_before(
    opened: Opener, tmp_path: Path, clock: Clock
) -> None:
    opened(ONE).ensure()
    path = tmp_path / "data" / ".token"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "access_token": "written-by-another-program"}))
    found = opened(MOCK).current()
    assert found is not None
    assert found.value.reveal() == "written-by-another-program"


def test_the_file_keeps_the_seeds_three_keys_and_no_key_of_the_account_lies_beside_it(
    opened: Opener, tmp_path: Path
) -> None:
    opened(ONE).ensure()
    folder = tmp_path / "data"
    assert set(json.loads((folder / ".token").read_text())) == {"access_token", "expires_at", "created_at"}
    for name in (".token.owner", ".token.lock"):
        assert "of-one" not in (folder / name).read_text()


def test_clearing_leaves_nothing_about_the_account(opened: Opener, tmp_path: Path) -> None:
    service = opened(ONE)
    service.ensure()
    service.clear()
    assert not (tmp_path / "data" / ".token.owner").exists()


def test_new_keys_forget_the_token_of_the_old_ones(opened: Opener) -> None:
    service = opened(ONE)
    service.ensure()
    other = opened(TWO)
    other.forget_other_account(find_keys(load_settings(), TWO))
    assert opened(ONE).current() is None


def test_a_program_that_starts_does_not_load_the_token_of_another_mode(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    real = TokenManager()
    path = tmp_path / "data" / ".token"
    store = FileStore(str(path), ProfileLock(f"{path}.lock"))
    store.write(token_for("a-token-of-a-test", 86400, time.time()).bound_to("real:0123456789abcdef"))
    assert real.get_token() == "a-token-of-a-test"
    monkeypatch.setenv("KIWOOM_MODE", "demo")
    assert TokenManager().get_token() is None


def test_the_token_that_kiwoom_gives_back_is_of_the_keys_that_asked_for_it(
    opened: Opener, broker: FakeBroker, clock: Clock
) -> None:
    service = opened(ONE)
    issued = service.ensure().token
    service.store.write(issued.bound_to("real:"))
    clock.now += 60
    assert service.refresh().how == Outcome.SAME
    assert opened(TWO).current() is None
    assert opened(ONE).current() == issued
