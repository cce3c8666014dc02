"""The file for bots, and a copy in .token beside the keyring."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import keyring
import pytest

from tests.doubles import KEYS, Clock, FakeBroker, MemoryKeyring
from tray_app import TokenManager
from tray_app.core.errors import KeyringUnavailable, Remedy, SettingsError, StoreError
from tray_app.core.token import encode_seed, token_for
from tray_app.exports.files import BotFile
from tray_app.exports.group import Exports
from tray_app.service.composition import open_service
from tray_app.service.other_stores import FILE as ISSUED
from tray_app.service.outcome import Outcome
from tray_app.service.settings_changes import change_setting, setting_named
from tray_app.service.token_service import TokenService
from tray_app.settings.load import load_settings
from tray_app.stores.keyring import KeyringStore
from tray_app.stores.keyring_client import KeyringClient
from tray_app.stores.memory import MemoryStore

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="POSIX mode bits")


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryKeyring]:
    """A keyring that lasts for one test; each opening has a client of its own, as each process has."""
    ring = MemoryKeyring()
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    before = keyring.get_keyring()
    keyring.set_keyring(ring)
    monkeypatch.setattr("tray_app.stores.keyring_client.shared_keyring_client", KeyringClient)
    yield ring
    keyring.set_keyring(before)


@pytest.fixture
def settings_file(private_places: Path) -> Path:
    path = private_places / "places" / "settings" / "settings.toml"
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def token_file(private_places: Path) -> Path:
    return private_places / "data" / ".token"


@pytest.fixture(autouse=True)
def _no_other_kiwoom(broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tray_app.service.composition.open_broker", lambda *_: broker)


def opened(clock: Clock, broker: FakeBroker, profile: str | None = None) -> TokenService:
    return open_service(load_settings(profile), keys=KEYS, clock=clock)


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


# --- the file for bots ---


@pytest.fixture
def bot_file(private_places: Path, settings_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = private_places / "bots" / "token.json"
    settings_file.write_text(f"share_bot_file = {json.dumps(str(path))}\n")
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    return path


def test_a_bots_file_has_the_token_and_its_end_in_korean_time(bot_file: Path, clock: Clock, broker: FakeBroker) -> None:
    token = opened(clock, broker).ensure().token
    assert read(bot_file) == {"token": token.value.reveal(), "expires_dt": "20260922231320"}
    assert token.expires_at == datetime(2026, 9, 22, 14, 13, 20, tzinfo=timezone.utc)


@posix_only
def test_a_bots_file_is_the_owners_alone(bot_file: Path, clock: Clock, broker: FakeBroker) -> None:
    opened(clock, broker).ensure()
    assert bot_file.stat().st_mode & 0o777 == 0o600


def test_a_clear_removes_our_token_from_a_bots_file(bot_file: Path, clock: Clock, broker: FakeBroker) -> None:
    service = opened(clock, broker)
    service.ensure()
    service.clear()
    assert not bot_file.exists()


@pytest.fixture
def locked(ring: MemoryKeyring, bot_file: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The keyring in which the token is stored can be locked."""
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "auto")

    def lock() -> None:
        ring.broken = KeyringUnavailable("The keyring is locked. Unlock it.", problem=KeyringUnavailable.LOCKED)

    return lock


def test_a_clear_also_goes_to_a_bots_file_while_the_keyring_is_locked(
    locked: Any, ring: MemoryKeyring, bot_file: Path, clock: Clock, broker: FakeBroker
) -> None:
    opened(clock, broker).ensure()
    locked()
    clock.advance(1)
    cleared = opened(clock, broker).clear()
    assert (cleared.was_there, bot_file.exists()) == (True, False)
    ring.broken = None
    assert opened(clock, broker).current() is None


def test_whether_a_locked_keyring_had_a_token_is_not_told(
    locked: Any, bot_file: Path, clock: Clock, broker: FakeBroker
) -> None:
    locked()
    bot_file.parent.mkdir()
    bot_file.write_text('{"note": "no token"}')
    cleared = opened(clock, broker).clear()
    assert (cleared.was_there, str(cleared.unseen)) == (False, "The keyring is locked. Unlock it.")
    assert bot_file.exists()


def test_a_token_in_a_locked_keyring_cannot_be_revoked_and_nothing_is_taken_away(
    locked: Any, ring: MemoryKeyring, bot_file: Path, clock: Clock, broker: FakeBroker
) -> None:
    token = opened(clock, broker).ensure().token
    locked()
    with pytest.raises(KeyringUnavailable, match="locked"):
        opened(clock, broker).clear(revoke=True)
    ring.broken = None
    assert (opened(clock, broker).current(), broker.revokes) == (token, 0)
    assert bot_file.exists()


def test_where_there_is_no_keyring_there_was_no_token(
    bot_file: Path, clock: Clock, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "auto")
    cleared = opened(clock, broker).clear()
    assert (cleared.was_there, cleared.unseen) == (False, None)


def test_a_clear_leaves_the_token_that_a_bot_has_got_by_itself(
    bot_file: Path, clock: Clock, broker: FakeBroker
) -> None:
    service = opened(clock, broker)
    service.ensure()
    bot_file.write_text('{"token": "of-the-bot", "expires_dt": "20260922221320"}')
    service.clear()
    assert read(bot_file)["token"] == "of-the-bot"


@pytest.mark.parametrize(
    "present", ["", "\n", '{"expires_dt": "", "token": null}', '{"token": "old", "expires_dt": "20200101000000"}']
)
def test_an_empty_file_and_an_old_token_are_replaced(
    bot_file: Path, clock: Clock, broker: FakeBroker, present: Any
) -> None:
    bot_file.parent.mkdir()
    bot_file.write_text(present)
    outcome = opened(clock, broker).ensure()
    assert outcome.unpublished == ()
    assert read(bot_file)["token"] == outcome.token.value.reveal()


def test_a_file_that_holds_no_token_is_never_overwritten(bot_file: Path, clock: Clock, broker: FakeBroker) -> None:
    bot_file.parent.mkdir()
    bot_file.write_text("my diary")
    service = opened(clock, broker)
    outcome = service.ensure()
    assert outcome.how == Outcome.ISSUED
    assert "is not a token" in str(outcome.unpublished[0])
    service.clear()
    assert bot_file.read_text() == "my diary"


OF_OTHER_PROGRAMS = [
    '{"token": "of-a-chat-bot"}',
    '{"token": "TOKEN", "expires_dt": "20260922231320", "strategy": "mine"}',
    '{"strategy": {"token": "TOKEN", "expires_dt": "20260922231320"}}',
    '[{"token": "TOKEN", "expires_dt": "20260922231320"}]',
    '{"token": {"of": "TOKEN"}, "expires_dt": "20260922231320"}',
    '{"token": "TOKEN", "expires_dt": ["20260922231320"]}',
    '{"token": "cut sho',
    '# "token" of the bot\nlevel = 3\n',
    '"token"',
]


@pytest.mark.parametrize("present", OF_OTHER_PROGRAMS)
def test_a_file_of_another_program_is_never_touched(
    bot_file: Path, present: Any, clock: Clock, broker: FakeBroker
) -> None:
    """Neither by a write, nor by a clear, though the very token may be in it."""
    service = opened(clock, broker)
    token = service.ensure().token.value.reveal()
    present = present.replace("TOKEN", token)
    bot_file.write_text(present)

    assert [type(error) for error in service.publish()] == [StoreError]
    service.clear()

    assert bot_file.read_text() == present
    assert broker.issues == 1


@pytest.mark.parametrize("present", OF_OTHER_PROGRAMS)
def test_a_file_of_another_program_is_refused_when_it_is_chosen(private_places: Path, present: Any) -> None:
    file = private_places / "config.json"
    file.write_text(present)

    with pytest.raises(SettingsError, match=r"config\.json .* so it is left as it is\. Choose another file\."):
        change_setting(setting_named("share_bot_file"), str(file), "default", os.environ)

    assert load_settings().share_bot_file == ""


@posix_only
@pytest.mark.parametrize("kind", ["link", "dangling link", "hard link", "pipe", "folder"])
def test_what_is_no_file_of_its_own_is_refused(bot_file: Path, kind: Any, clock: Clock, broker: FakeBroker) -> None:
    bot_file.parent.mkdir()
    other = bot_file.parent / "other"
    if kind in {"link", "hard link"}:
        other.write_text('{"token": "old", "expires_dt": "20200101000000"}')
    if kind == "pipe":
        os.mkfifo(bot_file)
    elif kind == "folder":
        bot_file.mkdir()
    elif kind == "hard link":
        bot_file.hardlink_to(other)
    else:
        bot_file.symlink_to(other)

    service = opened(clock, broker)
    outcome = service.ensure()
    (error,) = outcome.unpublished
    service.clear()

    assert str(bot_file) in str(error)
    assert os.path.lexists(bot_file)
    assert other.exists() is (kind in {"link", "hard link"})
    with pytest.raises(SettingsError):
        change_setting(setting_named("share_bot_file"), str(bot_file), "default", os.environ)


def test_a_folder_in_its_place_costs_no_token(bot_file: Path, clock: Clock, broker: FakeBroker) -> None:
    bot_file.mkdir(parents=True)
    service = opened(clock, broker)
    outcome = service.ensure()
    assert service.store.read() == outcome.token
    assert len(outcome.unpublished) == 1
    assert service.clear().was_there
    assert bot_file.is_dir()


def test_a_token_that_a_bot_has_got_by_itself_is_a_rival_until_it_expires(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "token.json"
    own, of_the_bot = (token_for(name, 7200, clock.now) for name in ("ours", "of-the-bot"))
    export = BotFile(str(path), clock)
    export.publish(of_the_bot)
    os.utime(path, (clock.now + 1, clock.now + 1))

    assert export.rivals_of(own) == (of_the_bot.value.fingerprint(),)

    clock.advance(7200)
    assert export.rivals_of(own) == ()


def test_the_seeds_set_and_clear_reach_a_bot(bot_file: Path) -> None:
    manager = TokenManager()
    manager.set_token("a-token-set-by-a-program", 3600)
    assert read(bot_file)["token"] == "a-token-set-by-a-program"
    manager.clear_token()
    assert not bot_file.exists()


@pytest.mark.parametrize("chosen", [{"store": "memory"}, {"data_dir": "elsewhere"}, {"store": MemoryStore()}])
def test_a_token_in_a_place_of_a_programs_own_choice_is_not_shared(bot_file: Path, chosen: Any) -> None:
    TokenManager().set_token("a-token-of-everybody", 3600)
    manager = TokenManager(**chosen)
    manager.set_token("a-token-of-one-program", 3600)
    assert read(bot_file)["token"] == "a-token-of-everybody"
    manager.clear_token()
    assert read(bot_file)["token"] == "a-token-of-everybody"


def test_a_place_that_is_chosen_anew_is_still_that_of_the_settings(bot_file: Path, private_places: Path) -> None:
    for chosen in ({"store": "file"}, {"data_dir": "data"}, {"data_dir": private_places / "data" / ".." / "data"}):
        manager = TokenManager(**chosen)
        manager.set_token("a-token-of-everybody", 3600)
        assert read(bot_file)["token"] == "a-token-of-everybody"
        manager.clear_token()
        assert not bot_file.exists()


def test_the_default_profiles_file_is_not_another_profiles_as_well(
    bot_file: Path, clock: Clock, broker: FakeBroker
) -> None:
    assert load_settings().share_bot_file == str(bot_file)
    assert load_settings("모의").share_bot_file == ""
    opened(clock, broker, "모의").ensure()
    assert not bot_file.exists()


def test_a_profile_has_a_file_of_its_own(
    bot_file: Path, settings_file: Path, private_places: Path, clock: Clock, broker: FakeBroker
) -> None:
    own = private_places / "own.json"
    settings_file.write_text(
        settings_file.read_text() + f'[profiles."모의"]\nshare_bot_file = {json.dumps(str(own))}\n', encoding="utf-8"
    )
    opened(clock, broker, "모의").ensure()
    assert own.exists()
    assert not bot_file.exists()


@pytest.mark.parametrize("value", ['"token.json"', '"./token.json"', "true", "1", '"a\\u0000b"', '"/"'])
def test_a_path_that_depends_on_the_folder_or_is_none_is_refused(settings_file: Path, value: Any) -> None:
    settings_file.write_text(f"share_bot_file = {value}\n")
    settings = load_settings()
    assert settings.share_bot_file == ""
    assert len(settings.problems) == 1


@pytest.mark.parametrize("name", ["share_kwcli", "share_token_file"])
@pytest.mark.parametrize("value", ['"true"', "1", '"no"'])
def test_a_switch_is_true_or_false(settings_file: Path, name: Any, value: Any) -> None:
    settings_file.write_text(f"{name} = {value}\n")
    settings = load_settings()
    assert getattr(settings, name) is False
    assert "true, false" in str(settings.problems[0])


def test_without_any_share_only_other_stores_of_this_user_are_told(settings_file: Path, clock: Clock) -> None:
    exports = open_service(load_settings(), clock=clock).exports

    assert isinstance(exports, Exports)
    assert list(exports) == []
    assert [os.path.basename(path) for path in exports.watch_paths()] == [ISSUED]


# --- a copy in .token beside the keyring ---


@pytest.fixture
def copies(settings_file: Path, ring: MemoryKeyring) -> None:
    settings_file.write_text("share_token_file = true\n")


def in_ring(ring: MemoryKeyring) -> Any:
    return json.loads(ring.entries["kiwoom-token-tray", "default"])["access_token"]


def test_the_copy_is_written_beside_the_keyring(
    copies: Any, ring: MemoryKeyring, token_file: Path, clock: Clock, broker: FakeBroker
) -> None:
    service = opened(clock, broker)
    token = service.ensure().token
    assert read(token_file) == json.loads(encode_seed(token))
    assert in_ring(ring) == token.value.reveal()
    assert service.store.place().kind == "keyring"
    again = opened(clock, broker)
    assert again.current() == token
    assert again.store.place().kind == "keyring"


@posix_only
def test_the_copy_is_the_owners_alone(copies: Any, token_file: Path, clock: Clock, broker: FakeBroker) -> None:
    opened(clock, broker).ensure()
    assert token_file.stat().st_mode & 0o777 == 0o600


def test_the_copy_is_never_missing_while_a_token_is_replaced(
    copies: Any, token_file: Path, clock: Clock, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = opened(clock, broker)
    service.ensure()
    there = []
    write = KeyringStore.write

    def watched_write(store: Any, token: Any) -> Any:
        version = write(store, token)
        there.append(token_file.exists())
        return version

    monkeypatch.setattr(KeyringStore, "write", watched_write)
    clock.advance(1)
    broker.living = None
    service.refresh()
    assert there == [True]
    assert read(token_file)["access_token"] == "token-2-of-a-test"


def test_what_a_program_that_knows_only_the_file_writes_is_the_token(
    copies: Any, ring: MemoryKeyring, token_file: Path, clock: Clock, broker: FakeBroker
) -> None:
    service = opened(clock, broker)
    service.ensure()
    version = service.store.version()
    clock.advance(10)
    token_file.write_text(encode_seed(token_for("written-by-a-seed-program", 86400, clock())))
    assert service.store.version() != version
    assert service.current().value.reveal() == "written-by-a-seed-program"
    assert opened(clock, broker).current().value.reveal() == "written-by-a-seed-program"
    service.put(service.living())
    assert in_ring(ring) == "written-by-a-seed-program"
    assert token_file.exists()


def test_a_copy_that_a_seed_program_deletes_is_no_clear_and_comes_back(
    copies: Any, ring: MemoryKeyring, token_file: Path, clock: Clock, broker: FakeBroker
) -> None:
    service = opened(clock, broker)
    token = service.ensure().token
    version = service.store.version()
    token_file.unlink()
    assert service.store.version() != version
    assert service.current() == token
    assert service.publish() == ()
    assert read(token_file) == json.loads(encode_seed(token))
    assert broker.issues == 1


def test_a_damaged_copy_does_not_hide_the_token(
    copies: Any, token_file: Path, clock: Clock, broker: FakeBroker
) -> None:
    service = opened(clock, broker)
    token = service.ensure().token
    token_file.write_text("{")
    assert service.current() == token


@pytest.mark.usefixtures("copies")
def test_a_stale_copy_does_not_come_before_the_keyring(token_file: Path, clock: Clock, broker: FakeBroker) -> None:
    service = opened(clock, broker)
    service.ensure()
    stale = token_file.read_bytes()
    clock.advance(1)
    broker.living = None
    fresh = service.refresh().token
    token_file.write_bytes(stale)
    assert service.current() == fresh
    assert opened(clock, broker).current() == fresh


def test_a_clear_removes_both(
    copies: Any, ring: MemoryKeyring, token_file: Path, clock: Clock, broker: FakeBroker
) -> None:
    service = opened(clock, broker)
    service.ensure()
    assert service.clear().unpublished == ()
    assert not token_file.exists()
    assert ring.entries == {}
    assert service.current() is None


def test_without_a_keyring_the_file_is_the_place_and_is_told(
    copies: Any, ring: MemoryKeyring, token_file: Path, clock: Clock, broker: FakeBroker
) -> None:
    ring.broken = RuntimeError("no keyring")
    service = opened(clock, broker)
    token = service.ensure().token
    assert read(token_file) == json.loads(encode_seed(token))
    assert service.store.place().kind == "file"
    assert service.store.place().problem is not None
    ring.broken = None
    service.put(token)
    assert service.store.place().kind == "keyring"
    assert token_file.exists()


def test_the_seeds_five_minutes_take_the_copy_away_and_no_unexpired_token(
    copies: Any, token_file: Path, clock: Clock, broker: FakeBroker
) -> None:
    manager = TokenManager(clock=clock)
    manager.set_token("a-token-near-its-end", 301)
    assert manager.get_token() == "a-token-near-its-end"
    clock.advance(2)
    assert manager.get_token() is None
    assert not token_file.exists()
    assert opened(clock, broker).living().value.reveal() == "a-token-near-its-end"


def test_a_copy_that_cannot_be_written_costs_no_token(
    copies: Any,
    ring: MemoryKeyring,
    token_file: Path,
    *,
    clock: Clock,
    broker: FakeBroker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "replace", refuse)
    service = opened(clock, broker)
    outcome = service.ensure()
    assert [error.values["path"] for error in outcome.unpublished] == [str(token_file)]
    assert in_ring(ring) == outcome.token.value.reveal()


@pytest.mark.usefixtures("copies")
def test_the_store_that_keeps_no_plaintext_gets_no_copy(
    token_file: Path,
    clock: Clock,
    broker: FakeBroker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "keyring")
    opened(clock, broker).ensure()
    assert not token_file.exists()
    assert "share_token_file does nothing" in caplog.text


def test_switched_off_again_the_next_write_removes_the_copy(
    copies: Any, settings_file: Path, token_file: Path, clock: Clock, broker: FakeBroker
) -> None:
    opened(clock, broker).ensure()
    settings_file.write_text("")
    service = opened(clock, broker)
    service.put(token_for("the-next-token", 3600, clock() + 1))
    assert not token_file.exists()


# --- a copy in .token beside an encrypted store ---


@pytest.fixture
def encrypts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_ENCRYPTION_KEY", "T25lT25lT25lT25lT25lT25lT25lT25lT25lT25lT25=")


def test_with_an_encryption_key_no_plain_copy_is_written_and_why_is_told(
    copies: Any, encrypts: Any, token_file: Path, *, clock: Clock, broker: FakeBroker, caplog: pytest.LogCaptureFixture
) -> None:
    outcome = opened(clock, broker).ensure()
    assert [type(error) for error in outcome.unpublished] == [SettingsError]
    assert "is not copied to" in str(outcome.unpublished[0])
    assert "is not copied to" in caplog.text
    assert not token_file.exists()


def test_a_copy_from_before_there_was_a_key_goes_with_the_next_write(
    copies: Any, request: pytest.FixtureRequest, token_file: Path, clock: Clock, broker: FakeBroker
) -> None:
    opened(clock, broker).ensure()
    assert token_file.exists()
    request.getfixturevalue("encrypts")
    opened(clock, broker).put(token_for("the-next-token", 3600, clock() + 1))
    assert not token_file.exists()


def test_a_plain_token_that_is_stored_in_the_file_is_not_lost_to_a_new_key(
    copies: Any,
    ring: MemoryKeyring,
    request: pytest.FixtureRequest,
    *,
    token_file: Path,
    clock: Clock,
    broker: FakeBroker,
) -> None:
    ring.broken = RuntimeError("no keyring")
    token = opened(clock, broker).ensure().token
    request.getfixturevalue("encrypts")
    service = opened(clock, broker)
    assert [type(error) for error in service.publish()] == [SettingsError]
    assert service.current() == token


def test_an_encrypted_token_that_is_stored_in_the_file_stays_encrypted(
    copies: Any, encrypts: Any, ring: MemoryKeyring, *, token_file: Path, clock: Clock, broker: FakeBroker
) -> None:
    ring.broken = RuntimeError("no keyring")
    service = opened(clock, broker)
    token = service.ensure().token
    assert token.value.reveal() not in token_file.read_text(encoding="utf-8")
    assert service.current() == token
    service.clear()
    assert not token_file.exists()


def test_a_plain_copy_beside_an_encrypted_store_elsewhere_is_removed(
    copies: Any,
    request: pytest.FixtureRequest,
    token_file: Path,
    *,
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
    broker: FakeBroker,
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "memory")
    token = opened(clock, broker).ensure().token
    assert token_file.exists()
    request.getfixturevalue("encrypts")
    service = opened(clock, broker)
    service.store.write(token)
    service.publish()
    assert not token_file.exists()


@pytest.mark.posix
def test_where_a_file_for_bots_cannot_be_written_no_other_folder_for_the_token_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("tray_app.system.atomic_replace.replace_file", fail)

    with pytest.raises(StoreError) as raised:
        BotFile(str(tmp_path / "bot.json")).publish(token_for("a-token-of-a-test", 80_000, time.time()))

    assert "KIWOOM_TRAY_DATA_DIR" not in str(raised.value)
    assert raised.value.remedy == Remedy.SHOW_FILE
