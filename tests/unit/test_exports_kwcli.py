"""kiwoomcli's token cache: what is written there, what is taken over from it, and what is left alone."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from tests.doubles import KEYS, Clock, FakeBroker
from tray_app.core.errors import BrokerUnavailable, KeysMissing, StoreError, TokenRefused
from tray_app.core.profile import DEFAULT
from tray_app.core.secret import Secret
from tray_app.core.token import token_for
from tray_app.exports.group import Exports
from tray_app.exports.kwcli import KwcliCache, cache_path
from tray_app.kiwoom.keys import AppKeys
from tray_app.service.outcome import Outcome
from tray_app.service.token_service import TokenService
from tray_app.stores.memory import MemoryStore

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="POSIX owners and mode bits")


def cache_file(mode: str = "real", alias: str | None = None) -> Path:
    """The path as kwcli computes it, written down anew."""
    folder = Path(platformdirs.user_cache_dir("kiwoom"))
    if alias is None:
        return folder / f"{mode}-token.json"
    return folder / "profiles" / f"profile-{sha256(alias.encode()).hexdigest()[:16]}-token.json"


def fingerprint(keys: AppKeys = KEYS) -> str:
    return sha256(f"{keys.app_key.reveal()}:{keys.app_secret.reveal()}".encode()).hexdigest()


def issued_by_kwcli(clock: Clock, lifetime: float = 86400, **changed: object) -> dict[str, object]:
    """A cache as kwcli writes it; a field that is changed to None is left out."""
    now = datetime.fromtimestamp(clock(), timezone.utc)
    fields: dict[str, object] = {
        "access_token": "token-that-kiwoomcli-issued",
        "token_type": "bearer",
        "expires_at": (now + timedelta(seconds=lifetime)).isoformat(),
        "mode": "real",
        "credential_fingerprint": fingerprint(),
        "saved_at": now.isoformat(),
        **changed,
    }
    return {name: value for name, value in fields.items() if value is not None}


def put_cache(content: dict[str, object] | str, path: Path | None = None, mode: int = 0o600) -> Path:
    path = path or cache_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(mode)
    return path


@pytest.fixture
def service(clock: Clock, broker: FakeBroker) -> TokenService:
    return service_over(clock, broker)


def service_over(clock: Clock, broker: FakeBroker, profile: Any = DEFAULT, find_keys: Any = lambda: KEYS) -> Any:
    exports = Exports([KwcliCache(profile, "real", find_keys, clock)])
    return TokenService(profile, MemoryStore(clock), find_keys, lambda: broker, clock, exports=exports)


def read(path: Path) -> dict[str, str]:
    return json.loads(path.read_text())


def test_an_issued_token_stands_in_the_cache_as_kwcli_writes_it(service: TokenService, clock: Clock) -> None:
    token = service.ensure().token
    assert read(cache_file()) == {
        "access_token": token.value.reveal(),
        "token_type": "bearer",
        "expires_at": token.expires_at.isoformat(),
        "mode": "real",
        "credential_fingerprint": fingerprint(),
        "saved_at": token.created_at.isoformat(),
    }
    assert token.expires_at.isoformat().endswith("+00:00")


@posix_only
def test_the_cache_is_the_owners_alone(service: TokenService) -> None:
    service.ensure()
    assert cache_file().stat().st_mode & 0o777 == 0o600


def test_a_named_profile_is_written_for_its_alias(clock: Clock, broker: FakeBroker) -> None:
    token = service_over(clock, broker, profile="모의 계좌").ensure().token
    fields = read(cache_file(alias="모의 계좌"))
    assert (fields["access_token"], fields["profile"]) == (token.value.reveal(), "모의 계좌")


def test_the_default_profile_with_an_aliass_keys_is_written_for_that_alias(clock: Clock, broker: FakeBroker) -> None:
    keys = AppKeys(KEYS.app_key, KEYS.app_secret, alias="실전계좌")
    service_over(clock, broker, find_keys=lambda: keys).ensure()
    assert read(cache_file(alias="실전계좌"))["profile"] == "실전계좌"
    assert not cache_file().exists()


def test_a_token_that_was_set_is_written(service: TokenService, clock: Clock) -> None:
    service.put(token_for("a-token-that-was-set", 3600, clock()))
    assert read(cache_file())["access_token"] == "a-token-that-was-set"


def test_a_refresh_writes_again_what_kiwoomcli_has_deleted(service: TokenService, clock: Clock) -> None:
    token = service.ensure().token
    cache_file().unlink()
    clock.advance(1)
    assert service.refresh().how == Outcome.SAME
    assert read(cache_file())["access_token"] == token.value.reveal()


def test_what_stands_there_already_is_not_written_again(service: TokenService) -> None:
    service.ensure()
    before = cache_file().stat()
    service.refresh()
    assert service.publish() == ()
    after = cache_file().stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_share_that_was_switched_on_later_gets_the_present_token(clock: Clock, broker: FakeBroker) -> None:
    shared = service_over(clock, broker)
    exports, shared.exports = shared.exports, None
    token = shared.ensure().token
    assert not cache_file().exists()
    shared.exports = exports
    assert shared.publish() == ()
    assert read(cache_file())["access_token"] == token.value.reveal()


def test_a_token_of_kiwoomcli_that_ends_later_is_taken_over_instead_of_being_overwritten(
    service: TokenService, broker: FakeBroker, clock: Clock
) -> None:
    broker.living = token_for("token-that-kiwoomcli-issued", 86400, clock())
    service.put(token_for("ours", 7200, clock()))
    put_cache(issued_by_kwcli(clock))
    assert service.publish() == ()
    assert service.store.read().value.reveal() == "token-that-kiwoomcli-issued"
    assert read(cache_file())["access_token"] == "token-that-kiwoomcli-issued"
    assert broker.issues == 0


def test_a_token_of_kiwoomcli_that_ends_sooner_makes_room_for_ours(service: TokenService, clock: Clock) -> None:
    service.put(token_for("ours", 7200, clock()))
    put_cache(issued_by_kwcli(clock, lifetime=3600))
    service.publish()
    assert read(cache_file())["access_token"] == "ours"


def test_who_has_cleared_the_token_does_not_get_another_by_handing_out(service: TokenService, clock: Clock) -> None:
    service.ensure()
    service.clear()
    put_cache(issued_by_kwcli(clock))
    assert service.publish() == ()
    assert service.current() is None


def test_a_clear_removes_our_token_from_the_cache(service: TokenService) -> None:
    service.ensure()
    assert service.clear().unpublished == ()
    assert not cache_file().exists()


def test_a_clear_leaves_another_token_in_the_cache(service: TokenService, clock: Clock) -> None:
    service.ensure()
    put_cache(issued_by_kwcli(clock))
    service.clear()
    assert read(cache_file())["access_token"] == "token-that-kiwoomcli-issued"


@posix_only
def test_a_clear_also_removes_our_token_where_others_may_read_it(service: TokenService) -> None:
    service.ensure()
    cache_file().chmod(0o644)
    service.clear()
    assert not cache_file().exists()


@posix_only
def test_our_token_where_others_may_read_it_is_made_private_again(service: TokenService) -> None:
    service.ensure()
    cache_file().chmod(0o644)
    service.publish()
    assert cache_file().stat().st_mode & 0o777 == 0o600


def test_a_rotation_that_fails_halfway_leaves_no_revoked_token_in_the_cache(
    service: TokenService, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.ensure()
    monkeypatch.setattr(broker, "issue", lambda keys: (_ for _ in ()).throw(BrokerUnavailable("no answer")))
    with pytest.raises(BrokerUnavailable):
        service.refresh(rotate=True)
    assert broker.revokes == 1
    assert not cache_file().exists()


def test_a_token_that_kiwoomcli_issued_is_taken_over_without_issuing_another(
    service: TokenService, broker: FakeBroker, clock: Clock
) -> None:
    broker.living = token_for("token-that-kiwoomcli-issued", 86400, clock())
    put_cache(issued_by_kwcli(clock))
    outcome = service.ensure()
    assert (outcome.how, outcome.token.value.reveal()) == (Outcome.ADOPTED, "token-that-kiwoomcli-issued")
    assert broker.issues == 0
    assert service.store.read() == outcome.token


def test_a_token_that_kiwoomcli_issued_is_taken_over_when_ours_is_about_to_end(
    service: TokenService, broker: FakeBroker, clock: Clock
) -> None:
    broker.living = token_for("token-that-kiwoomcli-issued", 86400, clock())
    service.put(token_for("ours-near-its-end", 200, clock()))
    put_cache(issued_by_kwcli(clock))
    assert service.ensure().token.value.reveal() == "token-that-kiwoomcli-issued"
    assert broker.issues == 0


def test_a_renewal_takes_over_what_kiwoomcli_issued(service: TokenService, broker: FakeBroker, clock: Clock) -> None:
    broker.living = token_for("token-that-kiwoomcli-issued", 86400, clock())
    seen = token_for("ours-near-its-end", 200, clock())
    service.put(seen)
    put_cache(issued_by_kwcli(clock))
    assert service.renew(seen).token.value.reveal() == "token-that-kiwoomcli-issued"
    assert broker.issues == 0


def test_a_shorter_life_is_not_taken_over_for_a_longer_one(
    service: TokenService, broker: FakeBroker, clock: Clock
) -> None:
    service.put(token_for("ours", 200, clock()))
    put_cache(issued_by_kwcli(clock, lifetime=100))
    assert service.ensure().token.value.reveal() == "token-1-of-a-test"


def test_an_unexpired_token_of_kiwoomcli_serves_while_kiwoom_does_not_answer(
    service: TokenService, broker: FakeBroker, clock: Clock
) -> None:
    put_cache(issued_by_kwcli(clock, lifetime=100))
    broker.failure = BrokerUnavailable("no answer")
    assert service.ensure().token.value.reveal() == "token-that-kiwoomcli-issued"
    assert broker.issues == 1


def test_a_refused_token_is_replaced_by_what_kiwoomcli_has_issued(
    service: TokenService, broker: FakeBroker, clock: Clock
) -> None:
    broker.living = token_for("token-that-kiwoomcli-issued", 86400, clock())
    service.put(token_for("ours-which-was-revoked", 86400, clock()))
    put_cache(issued_by_kwcli(clock, lifetime=3600))
    outcome = service.replace_refused(Secret("ours-which-was-revoked"))
    assert outcome.token.value.reveal() == "token-that-kiwoomcli-issued"
    assert broker.issues == 0


def test_the_refused_token_itself_is_not_taken_over(service: TokenService, broker: FakeBroker, clock: Clock) -> None:
    put_cache(issued_by_kwcli(clock))
    outcome = service.replace_refused(Secret("token-that-kiwoomcli-issued"))
    assert outcome.token.value.reveal() == "token-1-of-a-test"


def test_a_refresh_that_the_user_asks_for_goes_to_kiwoom(
    service: TokenService, broker: FakeBroker, clock: Clock
) -> None:
    put_cache(issued_by_kwcli(clock))
    assert service.refresh().token.value.reveal() == "token-1-of-a-test"


UNUSABLE = {
    "of the other mode": {"mode": "demo"},
    "of other keys": {"credential_fingerprint": "0" * 64},
    "without a fingerprint": {"credential_fingerprint": None},
    "of an alias": {"profile": "실전계좌"},
    "without a zone": {"expires_at": "2099-01-01T00:00:00"},
    "saved without a zone": {"saved_at": "2020-01-01T00:00:00"},
    "no time": {"expires_at": "tomorrow"},
    "ended": {"expires_at": "2020-01-01T00:00:00+00:00"},
    "absurdly long": {"expires_at": "2999-01-01T00:00:00+00:00"},
    "of another type": {"token_type": "mac"},
    "without a token": {"access_token": None},
    "with a number for a token": {"access_token": 1234567890},
    "with a switch for a token": {"access_token": True},
    "with a blank inside": {"access_token": "two words"},
}


@pytest.mark.parametrize("changed", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_cache_is_left_alone_and_not_used(
    service: Any, broker: FakeBroker, clock: Clock, changed: Any, caplog: pytest.LogCaptureFixture
) -> None:
    path = put_cache(issued_by_kwcli(clock, **changed))
    before = path.read_bytes()
    export = next(iter(service.exports))
    with caplog.at_level("WARNING", logger="kiwoom"):
        assert export.external_token() is None
    assert path.read_bytes() == before
    assert [record.getMessage() for record in caplog.records if "kiwoomcli's cache is not used" in record.getMessage()]
    assert "token-that-kiwoomcli-issued" not in caplog.text
    assert service.ensure().token.value.reveal() == "token-1-of-a-test"


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"text"', "\x00" * 100, "[" * 60000, "x" * 70000])
def test_a_damaged_cache_is_left_alone_and_not_used(service: Any, content: Any) -> None:
    path = put_cache(content)
    export = next(iter(service.exports))
    assert export.external_token() is None
    assert path.read_text() == content


@posix_only
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_cache_that_others_may_read_is_left_alone_and_not_used(
    service: Any, clock: Clock, mode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    path = put_cache(issued_by_kwcli(clock), mode=mode)
    assert next(iter(service.exports)).external_token() is None
    assert path.stat().st_mode & 0o777 == mode
    assert "others may read it" in caplog.text


@posix_only
def test_a_cache_of_another_user_is_left_alone_and_not_used(
    service: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = put_cache(issued_by_kwcli(clock))
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    assert next(iter(service.exports)).external_token() is None
    assert path.exists()
    assert "another user owns it" in caplog.text


@posix_only
def test_a_link_is_left_alone_not_used_and_never_written_through(
    service: Any, clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    target = put_cache(issued_by_kwcli(clock), tmp_path / "elsewhere.json")
    before = target.read_bytes()
    cache_file().parent.mkdir(parents=True)
    cache_file().symlink_to(target)
    assert next(iter(service.exports)).external_token() is None
    assert "it is a link" in caplog.text
    assert cache_file().is_symlink()
    token = service.ensure().token
    assert target.read_bytes() == before
    assert not cache_file().is_symlink()
    assert read(cache_file())["access_token"] == token.value.reveal()


def test_a_folder_in_the_caches_place_costs_no_token_and_is_told(
    service: TokenService, caplog: pytest.LogCaptureFixture
) -> None:
    cache_file().mkdir(parents=True)
    outcome = service.ensure()
    assert outcome.how == Outcome.ISSUED
    assert outcome.unsaved is None
    assert [str(error) for error in outcome.unpublished] == [str(outcome.unpublished[0])]
    assert str(cache_file()) in str(outcome.unpublished[0])
    assert "Token not shared (share_kwcli)" in caplog.text
    service.clear()
    assert cache_file().is_dir()


@posix_only
def test_a_pipe_in_the_caches_place_holds_nobody_up(service: TokenService) -> None:
    cache_file().parent.mkdir(parents=True)
    os.mkfifo(cache_file(), 0o600)
    assert service.ensure().token.value.reveal() == "token-1-of-a-test"


def test_without_keys_a_token_that_is_set_is_stored_and_the_export_told(clock: Clock, broker: FakeBroker) -> None:
    def no_keys() -> None:
        raise KeysMissing("no keys")

    service = service_over(clock, broker, find_keys=no_keys)
    service.put(token_for("a-token-that-was-set", 3600, clock()))
    assert service.current().value.reveal() == "a-token-that-was-set"
    assert [type(error) for error in service.publish()] == [KeysMissing]
    assert not cache_file().exists()


def test_whatever_an_export_raises_the_token_is_stored(clock: Clock, broker: FakeBroker) -> None:
    class Broken:
        name = "share_broken"

        def path(self) -> Any:
            return "/nowhere"

        def publish(self, token: Any) -> None:
            raise ZeroDivisionError("text with a token-1-of-a-test inside")

        withdraw = publish

        def external_token(self) -> Any:
            return None

    service = TokenService(
        DEFAULT,
        MemoryStore(clock),
        lambda: KEYS,
        lambda: broker,
        clock,
        exports=Exports([Broken()]),  # type: ignore[list-item]
    )
    outcome = service.ensure()
    assert service.store.read() == outcome.token
    assert [str(error) for error in outcome.unpublished] == ["/nowhere failed (ZeroDivisionError)."]
    assert len(service.clear().unpublished) == 1
    assert service.store.read() is None


def test_a_share_that_fails_does_not_stop_the_next(clock: Clock, broker: FakeBroker) -> None:
    cache_file().mkdir(parents=True)
    others = KwcliCache("모의계좌", "real", lambda: KEYS, clock)
    exports = Exports([KwcliCache(DEFAULT, "real", lambda: KEYS, clock), others])
    service = TokenService(DEFAULT, MemoryStore(clock), lambda: KEYS, lambda: broker, clock, exports=exports)
    outcome = service.ensure()
    assert len(outcome.unpublished) == 1
    assert others.holds(outcome.token)


def test_the_path_is_kwclis(clock: Clock) -> None:
    assert Path(cache_path("demo", None)) == cache_file("demo")
    assert Path(cache_path("demo", "가족 계좌")) == cache_file("demo", "가족 계좌")


def test_one_refused_token_makes_one_request_a_minute(service: TokenService, broker: FakeBroker, clock: Clock) -> None:
    first = service.ensure().token.value
    clock.advance(1)
    assert service.replace_refused(first).token.value == first
    for _ in range(5):
        clock.advance(1)
        assert service.replace_refused(first).token.value == first
    assert broker.issues == 2
    clock.advance(60)
    service.replace_refused(first)
    assert broker.issues == 3


def test_a_refused_token_is_asked_about_again_soon_after_a_failure_that_may_pass(
    service: TokenService, broker: FakeBroker, clock: Clock
) -> None:
    first = service.ensure().token.value
    clock.advance(1)
    broker.failure = BrokerUnavailable("no answer")
    for _ in range(3):
        with pytest.raises(BrokerUnavailable):
            service.replace_refused(first)
    assert broker.issues == 2
    broker.failure, broker.living = None, None
    clock.advance(6)
    assert service.replace_refused(first).token.value != first


def test_an_answer_that_was_the_same_before_the_refusal_does_not_stop_the_renewal(
    service: TokenService, broker: FakeBroker, clock: Clock
) -> None:
    first = service.ensure().token.value
    clock.advance(1)
    assert service.refresh().how == Outcome.SAME
    clock.advance(1)
    broker.living = None
    assert service.replace_refused(first).token.value != first


def test_a_refused_token_that_is_not_the_stored_one_makes_no_request(service: TokenService, broker: FakeBroker) -> None:
    present = service.ensure().token
    assert service.replace_refused(Secret("somebody-elses-old-token")).token == present
    assert broker.issues == 1


def test_a_refusal_by_the_broker_itself_reaches_the_caller(
    service: TokenService, broker: FakeBroker, clock: Clock
) -> None:
    first = service.ensure().token.value
    clock.advance(1)
    broker.failure = TokenRefused("refused", code="8010")
    with pytest.raises(TokenRefused):
        service.replace_refused(first)


class TestAliases:
    """kiwoomcli's accounts besides the profile's own."""

    OTHER_KEYS = AppKeys(Secret("another-app-key"), Secret("another-secret"))

    @pytest.fixture
    def known(self) -> Any:
        """What kiwoomcli knows: the aliases' modes, and in `keys` what the keyring has for each."""
        path = Path(platformdirs.user_config_dir("kiwoom")) / "settings.json"
        path.parent.mkdir(parents=True)

        def tell(**modes: Any) -> None:
            path.write_text(json.dumps({"profiles": {alias: {"mode": mode} for alias, mode in modes.items()}}))

        return tell

    @pytest.fixture
    def opened(self, clock: Clock, broker: FakeBroker) -> Callable[..., TokenService]:
        def open_over(keys_of_alias: Any, profile: Any = DEFAULT, find_keys: Any = lambda: KEYS) -> Any:
            export = KwcliCache(profile, "real", find_keys, clock, keys_of_alias=keys_of_alias)
            return TokenService(
                profile, MemoryStore(clock), find_keys, lambda: broker, clock, exports=Exports([export])
            )

        return open_over

    def test_with_the_same_keys_have_the_token_too(self, known: Any, opened: Callable[..., TokenService]) -> None:
        known(같은="real", 다른="real", 모의="demo", 없는="real")
        keys = {"같은": KEYS, "다른": self.OTHER_KEYS, "모의": KEYS}

        token = opened(keys.get).ensure().token

        assert read(cache_file())["access_token"] == token.value.reveal()
        same = read(cache_file(alias="같은"))
        assert (same["access_token"], same["profile"], same["credential_fingerprint"]) == (
            token.value.reveal(),
            "같은",
            fingerprint(),
        )
        assert len(list(cache_file(alias="같은").parent.iterdir())) == 1

    def test_of_a_named_profile_are_its_own_and_the_others_with_its_keys(
        self, known: Any, opened: Callable[..., TokenService]
    ) -> None:
        known(하나="real", 둘="real")

        opened(lambda _: KEYS, profile="하나").ensure()

        assert [read(cache_file(alias=one))["profile"] for one in ("하나", "둘")] == ["하나", "둘"]

    def test_whose_cache_tells_the_keys_are_not_asked_for_in_the_keyring(
        self, known: Any, opened: Callable[..., TokenService], clock: Clock
    ) -> None:
        known(같은="real", 다른="real")
        put_cache(issued_by_kwcli(clock, lifetime=-1, profile="같은"), cache_file(alias="같은"))
        other = issued_by_kwcli(clock, profile="다른", credential_fingerprint=fingerprint(self.OTHER_KEYS))
        put_cache(other, cache_file(alias="다른"))
        asked: list[Any] = []

        token = opened(asked.append).ensure().token

        assert asked == []
        assert read(cache_file(alias="같은"))["access_token"] == token.value.reveal()
        assert read(cache_file(alias="다른")) == other

    def test_are_asked_about_only_when_there_is_something_to_hand_out(
        self, known: Any, opened: Callable[..., TokenService]
    ) -> None:
        known(다른="real")
        asked: list[Any] = []
        service = opened(asked.append)
        service.ensure()
        assert asked == ["다른"]
        asked.clear()

        service.ensure()
        service.current()
        service.clear()

        assert asked == []

    def test_a_keyring_that_fails_costs_nothing_but_that_one(
        self, known: Any, opened: Callable[..., TokenService], caplog: pytest.LogCaptureFixture
    ) -> None:
        known(가="real", 나="real")

        def keys_of_alias(alias: Any) -> Any:
            if alias == "가":
                raise KeysMissing("The keyring does not answer.")
            return KEYS

        outcome = opened(keys_of_alias).ensure()

        assert outcome.unpublished == ()
        assert read(cache_file(alias="나"))["access_token"] == outcome.token.value.reveal()
        assert not cache_file(alias="가").exists()
        assert "not handed to kiwoomcli for 가" in caplog.text

    def test_a_cache_that_cannot_be_written_costs_the_others_nothing_and_is_told(
        self, known: Any, opened: Callable[..., TokenService]
    ) -> None:
        known(가="real", 나="real")
        cache_file(alias="가").mkdir(parents=True)

        outcome = opened(lambda _: KEYS).ensure()

        assert [str(cache_file(alias="가")) in str(error) for error in outcome.unpublished] == [True]
        assert read(cache_file(alias="나"))["access_token"] == outcome.token.value.reveal()

    def test_a_token_that_one_of_them_has_issued_is_taken_over(
        self, known: Any, opened: Callable[..., TokenService], broker: FakeBroker, clock: Clock
    ) -> None:
        broker.living = token_for("later", 86400, clock())
        known(같은="real", 다른="real")
        put_cache(issued_by_kwcli(clock, access_token="earlier", lifetime=3600))
        put_cache(issued_by_kwcli(clock, access_token="later", profile="같은"), cache_file(alias="같은"))
        foreign = issued_by_kwcli(
            clock, 90000, access_token="foreign", profile="다른", credential_fingerprint=fingerprint(self.OTHER_KEYS)
        )
        put_cache(foreign, cache_file(alias="다른"))

        outcome = opened(lambda _: None).ensure()

        assert (outcome.token.value.reveal(), outcome.how, broker.issues) == ("later", Outcome.ADOPTED, 0)
        assert read(cache_file())["access_token"] == "later"

    def test_that_are_of_other_keys_are_no_trouble_worth_telling(
        self, known: Any, opened: Callable[..., TokenService], clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        known(다른="real")
        put_cache(
            issued_by_kwcli(clock, profile="다른", credential_fingerprint=fingerprint(self.OTHER_KEYS)),
            cache_file(alias="다른"),
        )

        opened(lambda _: None).ensure()

        assert "is not used" not in caplog.text

    def test_a_clear_takes_the_token_from_all_that_have_it_known_or_not(
        self, known: Any, opened: Callable[..., TokenService], clock: Clock
    ) -> None:
        known(하나="real")
        keys = AppKeys(KEYS.app_key, KEYS.app_secret, alias="하나")
        service = opened(lambda _: KEYS, find_keys=lambda: keys)
        service.ensure()
        other = put_cache(issued_by_kwcli(clock, profile="넷"), cache_file(alias="넷"))
        known(둘="real", 셋="real")  # the first one is deleted meanwhile

        assert service.clear().unpublished == ()

        assert list(other.parent.iterdir()) == [other]


class TestAClearOfWhatCannotBeSeen:
    """The store fails, so nobody can tell which token it was."""

    class Failing(MemoryStore):
        def read(self) -> None:
            raise StoreError("The keyring does not answer.")

        def clear(self) -> None:  # type: ignore[override]
            raise StoreError("The keyring does not answer.")

    def service(self, clock: Clock, broker: FakeBroker, find_keys: Any = lambda: KEYS, profile: Any = DEFAULT) -> Any:
        exports = Exports([KwcliCache(profile, "real", find_keys, clock)])
        return TokenService(profile, self.Failing(clock), find_keys, lambda: broker, clock, exports=exports)  # type: ignore[arg-type]

    def test_takes_every_token_of_these_keys_away_and_no_other(self, clock: Clock, broker: FakeBroker) -> None:
        own = put_cache(issued_by_kwcli(clock))
        of_alias = put_cache(issued_by_kwcli(clock, profile="하나"), cache_file(alias="하나"))
        of_other_keys = put_cache(
            issued_by_kwcli(clock, profile="둘", credential_fingerprint="0" * 64), cache_file(alias="둘")
        )
        of_other_mode = put_cache(issued_by_kwcli(clock, mode="demo"), cache_file("demo"))

        with pytest.raises(StoreError, match="does not answer"):
            self.service(clock, broker).clear()

        assert [one.exists() for one in (own, of_alias, of_other_keys, of_other_mode)] == [False, False, True, True]

    def test_takes_that_from_its_own_place_where_the_keys_cannot_be_had_either(
        self, clock: Clock, broker: FakeBroker
    ) -> None:
        def no_keys() -> None:
            raise KeysMissing("The keyring with the app keys is locked.")

        own = put_cache(issued_by_kwcli(clock, profile="하나"), cache_file(alias="하나"))
        another = put_cache(issued_by_kwcli(clock, profile="둘"), cache_file(alias="둘"))

        with pytest.raises(StoreError, match="does not answer"):
            self.service(clock, broker, no_keys, "하나").clear()

        assert (own.exists(), another.exists()) == (False, True)

    def test_takes_nothing_away_when_it_was_to_be_revoked(self, clock: Clock, broker: FakeBroker) -> None:
        own = put_cache(issued_by_kwcli(clock))

        with pytest.raises(StoreError, match="does not answer"):
            self.service(clock, broker).clear(revoke=True)

        assert own.exists()
