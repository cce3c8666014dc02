from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tests.doubles import KEYS, Clock, FakeBroker, MemoryKeyring
from tray_app import TokenManager
from tray_app.cli.main import main
from tray_app.core.errors import EncryptionKeyUnusable, KeyringUnavailable, SettingsError
from tray_app.core.secret import Secret
from tray_app.core.token import encode_seed, token_for
from tray_app.service.composition import open_store
from tray_app.service.outcome import Outcome
from tray_app.service.token_service import TokenService
from tray_app.settings.load import load_settings
from tray_app.stores.change_marker import ChangeMarker
from tray_app.stores.encryption import Cipher, is_sealed
from tray_app.stores.fallback import FallbackStore
from tray_app.stores.file import FileStore
from tray_app.stores.keyring import KeyringStore
from tray_app.stores.lock import ThreadLock

ONE = "T25lT25lT25lT25lT25lT25lT25lT25lT25lT25lT25="
TWO = "VHdvVHdvVHdvVHdvVHdvVHdvVHdvVHdvVHdvVHdvVHc="
OLD = token_for("old-token-of-a-test", 86400, time.time())
NEW = token_for("new-token-of-a-test", 86400, time.time() + 10)

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / ".token"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "keys"
    file.touch(mode=0o600)
    return file


def store_at(path: Path, *keys: Any, key_file: Any = None) -> FileStore:
    cipher = Cipher(Secret(",".join(keys)) if keys else None, str(key_file) if key_file else None)
    return FileStore(str(path), ThreadLock(), cipher=cipher)


def test_with_a_key_the_file_shows_nothing(path: Path) -> None:
    store_at(path, ONE).write(OLD)
    content = path.read_bytes()
    assert is_sealed(content)
    assert b"old-token" not in content
    assert b"access_token" not in content
    assert store_at(path, ONE).read() == OLD


@posix_only
def test_an_encrypted_file_is_private_as_well(path: Path) -> None:
    store_at(path, ONE).write(OLD)
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_without_a_key_the_file_is_the_seeds(path: Path) -> None:
    store_at(path).write(OLD)
    assert path.read_text() == encode_seed(OLD)


def test_a_plain_file_is_read_with_a_key_and_encrypted_at_the_next_write(path: Path) -> None:
    store_at(path).write(OLD)
    store = store_at(path, ONE)
    assert store.read() == OLD
    assert not is_sealed(path.read_bytes())
    store.write(OLD)
    assert is_sealed(path.read_bytes())


def test_a_new_key_before_the_old_one_reads_and_re_encrypts_at_the_next_write(path: Path) -> None:
    store_at(path, ONE).write(OLD)
    rotated = store_at(path, TWO, ONE)
    assert rotated.read() == OLD
    assert store_at(path, ONE).read() == OLD
    rotated.write(OLD)
    assert store_at(path, TWO).read() == OLD
    with pytest.raises(EncryptionKeyUnusable):
        store_at(path, ONE).read()


@pytest.mark.parametrize(
    ("before", "now", "wants"),
    [((ONE,), (TWO, ONE), True), ((ONE,), (ONE, TWO), False), ((), (ONE,), True), ((), (), False)],
)
def test_a_token_that_is_not_encrypted_with_the_first_key_wants_rewriting(
    path: Path, before: tuple[Any, ...] | tuple[str], now: tuple[Any, ...] | tuple[str, str] | tuple[str], wants: bool
) -> None:
    store_at(path, *before).write(OLD)
    assert store_at(path, *now).wants_rewriting() is wants


def test_an_unchanged_key_file_wants_nothing_rewritten_and_a_changed_one_does(path: Path, key_file: Path) -> None:
    key_file.write_text(ONE)
    store = store_at(path, key_file=key_file)
    store.write(OLD)
    wanted = [store.wants_rewriting(), store.wants_rewriting()]
    key_file.write_text(f"{TWO},{ONE}")
    wanted.append(store.wants_rewriting())
    assert wanted == [False, False, True]


def test_nothing_wants_rewriting_where_there_is_nothing(path: Path) -> None:
    assert store_at(path, ONE).wants_rewriting() is False


def test_a_refresh_that_brings_the_same_token_encrypts_it_with_the_new_key(path: Path) -> None:
    clock = Clock()
    broker = FakeBroker(clock)

    def refresh(*keys: Any) -> Any:
        return TokenService("default", store_at(path, *keys), lambda: KEYS, lambda: broker, clock).refresh()

    first = refresh(ONE)
    version = path.stat().st_mtime_ns
    assert refresh(ONE).how == Outcome.SAME
    assert path.stat().st_mtime_ns == version
    assert refresh(TWO, ONE).how == Outcome.SAME
    assert store_at(path, TWO).read() == first.token


@pytest.mark.parametrize("keys", [(), (TWO,)], ids=["no key", "wrong key"])
def test_a_file_that_no_key_opens_is_an_error_and_stays(path: Path, keys: tuple[Any, ...] | tuple[str]) -> None:
    store_at(path, ONE).write(OLD)
    before = path.read_bytes()
    store = store_at(path, *keys)
    with pytest.raises(EncryptionKeyUnusable) as caught:
        store.read()
    assert caught.value.exit_status == 6
    assert not caught.value.retry
    with pytest.raises(EncryptionKeyUnusable):
        store.write(NEW)
    assert path.read_bytes() == before
    assert ONE not in str(caught.value)
    assert TWO not in str(caught.value)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-20],
        lambda text: text[:-9] + (b"y" if text[-9:-8] == b"x" else b"x") + text[-8:],
        lambda text: b"gAAAAA",
    ],
)
def test_a_damaged_encrypted_file_is_never_deleted(path: Path, damage: Callable[..., Any]) -> None:
    store_at(path, ONE).write(OLD)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(EncryptionKeyUnusable):
        store_at(path, ONE).read()
    assert path.exists()


def test_a_damaged_plain_file_is_still_deleted_as_the_seed_says(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{"access_token": ')
    assert store_at(path, ONE).read() is None
    assert not path.exists()


def test_what_is_encrypted_but_no_token_is_a_damaged_file(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(Fernet(ONE).encrypt(b"no token"))
    assert store_at(path, ONE).read() is None


def test_a_newline_after_the_text_does_no_harm(path: Path) -> None:
    store_at(path, ONE).write(OLD)
    path.write_bytes(path.read_bytes() + b"\r\n")
    assert store_at(path, ONE).read() == OLD


def test_the_file_of_a_token_at_its_end_is_encrypted_too(path: Path) -> None:
    at_its_end = token_for("ending-token-of-a-test", 200, time.time())
    store = store_at(path, ONE)
    store.write(at_its_end)
    store.read()
    assert store.expire_soft(at_its_end)
    ending = path.with_name(".token.ending")
    assert is_sealed(ending.read_bytes())
    assert store.read_expiring() == at_its_end
    for other in (store_at(path), store_at(path, TWO)):
        with pytest.raises(EncryptionKeyUnusable):
            other.read_expiring()
        with pytest.raises(EncryptionKeyUnusable):
            other.write(NEW)
    assert ending.exists()
    store.write(NEW)
    assert not ending.exists()


def test_an_unreadable_token_can_be_forgotten_on_demand(path: Path) -> None:
    store_at(path, ONE).write(OLD)
    service = TokenService("default", store_at(path), lambda: None, lambda: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(EncryptionKeyUnusable):
        service.clear(revoke=True)
    assert path.exists()
    assert service.clear().was_there
    assert not path.exists()


def test_the_manager_keeps_working_in_memory_beside_a_file_it_cannot_open(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_at(path, ONE).write(OLD)
    manager = TokenManager(data_dir=path.parent, store="file")
    assert manager.get_token() is None
    manager.set_token("new-token-of-a-test", 86400)
    assert manager.get_token() == "new-token-of-a-test"
    assert store_at(path, ONE).read() == OLD


def test_the_file_beside_a_broken_keyring_is_encrypted(tmp_path: Path, path: Path) -> None:
    class Broken:
        def get(self, *_: Any) -> None:
            raise KeyringUnavailable("It is locked.", problem=KeyringUnavailable.LOCKED)

        set = delete = get

    keyring = KeyringStore("default", Broken(), ChangeMarker(str(tmp_path / "signal")), ThreadLock())  # type: ignore[arg-type]
    store = FallbackStore(keyring, store_at(path, ONE))
    store.write(OLD)
    assert is_sealed(path.read_bytes())
    assert store.read() == OLD


def test_keys_come_from_the_environment_separated_by_commas_or_blanks(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_ENCRYPTION_KEY", f" {TWO},\n {ONE} ")
    monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(path.parent))
    store_at(path, ONE).write(OLD)
    store = open_store(load_settings(store="file"))
    assert store.read() == OLD
    store.write(NEW)
    assert store_at(path, TWO).read() == NEW


@pytest.mark.parametrize("value", ["short", ONE[:-1], f"{ONE} nonsense", "Ä" * 44, "-" * 44])
def test_what_is_no_key_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_ENCRYPTION_KEY", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert value not in str(caught.value)
    assert caught.value.exit_status == 2


def test_an_empty_variable_means_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_ENCRYPTION_KEY", " ")
    assert load_settings().encryption_keys is None


def test_settings_do_not_show_the_keys_or_the_redis_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_ENCRYPTION_KEY", ONE)
    monkeypatch.setenv("KIWOOM_TRAY_REDIS_URL", "redis://user:pass-of-a-test@host/0")
    settings = load_settings()
    shown = f"{settings.encryption_keys!r} {settings.encryption_keys} {settings.redis_url!r} {settings.redis_url}"
    assert ONE not in shown
    assert "pass-of-a-test" not in shown


def test_a_redis_address_with_a_password_in_the_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_CONFIG_DIR", str(tmp_path))
    (tmp_path / "settings.toml").write_text('redis_url = "redis://user:pass-of-a-test@host/0"\n')
    settings = load_settings()
    with pytest.raises(SettingsError, match="KIWOOM_TRAY_REDIS_URL"):
        _ = settings.redis_url
    assert "KIWOOM_TRAY_REDIS_URL" in str(settings.problems[0])
    assert "pass-of-a-test" not in str(settings.problems[0])


def test_one_without_a_password_may_stand_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_CONFIG_DIR", str(tmp_path))
    (tmp_path / "settings.toml").write_text('redis_url = "rediss://host:6380/2"\n')
    assert load_settings().redis_url == Secret("rediss://host:6380/2")


@pytest.mark.parametrize(
    "url",
    [
        "host:6379",
        "http://host/0",
        "redis://",
        "redis://host:0/0",
        "redis://host:70000",
        "redis://host/x",
        "unix://",
        "redis://a b",
        "redis://host/0?password=x",
    ],
)
def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_REDIS_URL", url)
    with pytest.raises(SettingsError, match="KIWOOM_TRAY_REDIS_URL"):
        load_settings()


def test_the_store_redis_wants_an_address() -> None:
    with pytest.raises(SettingsError, match="KIWOOM_TRAY_REDIS_URL"):
        open_store(load_settings(store="redis"))


def test_a_key_file_does_as_well(path: Path, key_file: Path) -> None:
    key_file.write_text(f"{ONE}\n")
    store_at(path, key_file=key_file).write(OLD)
    assert is_sealed(path.read_bytes())
    assert store_at(path, ONE).read() == OLD


def test_a_running_program_learns_of_a_new_key_in_the_file(path: Path, key_file: Path) -> None:
    key_file.write_text(ONE)
    store = store_at(path, key_file=key_file)
    store.write(OLD)
    store_at(path, TWO, ONE).write(NEW)
    key_file.write_text(f"{TWO}\n{ONE}\n")
    assert store.read() == NEW


def test_a_running_program_learns_of_a_new_first_key_in_the_file(path: Path, key_file: Path) -> None:
    key_file.write_text(ONE)
    store = store_at(path, key_file=key_file)
    store.write(OLD)
    key_file.write_text(f"{TWO}\n{ONE}\n")
    assert store.wants_rewriting()
    store.write(OLD)
    assert store_at(path, TWO).read() == OLD


def test_the_variable_goes_before_the_file(path: Path, tmp_path: Path) -> None:
    store_at(path, ONE, key_file=tmp_path / "missing").write(OLD)
    assert store_at(path, ONE).read() == OLD


@posix_only
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_file_that_others_can_read_is_refused(path: Path, key_file: Path, mode: int) -> None:
    key_file.write_text(ONE)
    key_file.chmod(mode)
    with pytest.raises(EncryptionKeyUnusable, match="chmod 600"):
        store_at(path, key_file=key_file).write(OLD)
    assert not path.exists()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_file_of_another_user_is_refused(path: Path, key_file: Path) -> None:
    key_file.write_text(ONE)
    os.chown(key_file, 12345, -1)
    with pytest.raises(EncryptionKeyUnusable, match="other users"):
        store_at(path, key_file=key_file).write(OLD)


@pytest.mark.parametrize("content", ["", "nonsense", "\0\0"])
def test_a_key_file_without_a_key_is_refused(path: Path, key_file: Path, content: str) -> None:
    key_file.write_text(content)
    with pytest.raises(EncryptionKeyUnusable, match="not a Fernet key"):
        store_at(path, key_file=key_file).write(OLD)
    assert not path.exists()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_key_file_may_have_the_encoding_of_powershell(path: Path, key_file: Path, encoding: str) -> None:
    key_file.write_bytes(f"{ONE}\r\n".encode(encoding))

    store_at(path, key_file=key_file).write(OLD)

    assert store_at(path, ONE).read() == OLD


def test_a_missing_key_file_never_means_plain_text(path: Path, tmp_path: Path) -> None:
    for file in (tmp_path / "missing", tmp_path):
        with pytest.raises(EncryptionKeyUnusable):
            store_at(path, key_file=file).write(OLD)
    assert not path.exists()


def test_the_key_file_can_be_named_in_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: Path, key_file: Path
) -> None:
    key_file.write_text(ONE)
    monkeypatch.setenv("KIWOOM_TRAY_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(path.parent))
    (tmp_path / "settings.toml").write_text(f"encryption_key_file = {json.dumps(str(key_file))}\n")
    open_store(load_settings(store="file")).write(OLD)
    assert store_at(path, ONE).read() == OLD


def test_a_missing_package_is_one_clear_sentence(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)
    with pytest.raises(EncryptionKeyUnusable, match=r" -m pip install .cryptography"):
        store_at(path, ONE).write(OLD)


def test_the_command_line_says_what_is_wrong_in_one_line(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store_at(path, ONE).write(OLD)
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(path.parent))
    assert main(["get", "--no-issue"]) == 6
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "is encrypted and there is no key" in shown.err
    monkeypatch.setenv("KIWOOM_TRAY_ENCRYPTION_KEY", ONE)
    assert main(["get", "--no-issue"]) == 0
    assert capsys.readouterr().out == "old-token-of-a-test\n"
    monkeypatch.delenv("KIWOOM_TRAY_ENCRYPTION_KEY")
    assert main(["clear"]) == 0
    assert not path.exists()


def test_the_keyring_is_not_encrypted_a_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring_of_test = MemoryKeyring()
    monkeypatch.setattr("keyring.core._keyring_backend", keyring_of_test)
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    monkeypatch.setenv("KIWOOM_TRAY_ENCRYPTION_KEY", ONE)
    open_store(load_settings(store="keyring")).write(OLD)
    (value,) = keyring_of_test.entries.values()
    assert json.loads(value)["access_token"] == "old-token-of-a-test"
