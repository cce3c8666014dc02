"""What has to be done to a token when the settings change, as a table, and what of damaged settings is carried over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tray_app.core.errors import RedisUnavailable
from tray_app.core.secret import Secret
from tray_app.service.migration import Migrated, Step, carry_over, migrate, needs_new_service, plan
from tray_app.settings.load import load_settings
from tray_app.stores.base import Place

KWCLI, FILE, BOT = Step.WITHDRAW_FROM_KWCLI, Step.WITHDRAW_TOKEN_FILE, Step.WITHDRAW_BOT_FILE
MOVE, PUBLISH = Step.MOVE, Step.PUBLISH


@pytest.mark.parametrize(
    ("before", "after", "steps"),
    [
        ({}, {}, ()),
        ({}, {"policy": "notify", "warn_before": (60,), "renew_before": 60, "theme": "dark"}, ()),
        ({}, {"store": "file"}, (FILE, MOVE, PUBLISH)),
        ({}, {"data_dir": "/elsewhere"}, (FILE, MOVE, PUBLISH)),
        ({"store": "redis"}, {"store": "redis", "redis_url": Secret("redis://other")}, (MOVE, PUBLISH)),
        ({}, {"encryption_key_file": "/keys"}, (MOVE, PUBLISH)),
        ({}, {"share_kwcli": True}, (KWCLI, PUBLISH)),
        ({"share_kwcli": True}, {}, (KWCLI, PUBLISH)),
        ({"share_token_file": True}, {}, (FILE, PUBLISH)),
        ({"share_bot_file": "/a"}, {"share_bot_file": "/b"}, (BOT, PUBLISH)),
        ({"share_bot_file": "/a"}, {"share_bot_file": "/a", "data_dir": "/x"}, (FILE, MOVE, PUBLISH)),
        ({}, {"mode": "demo"}, (KWCLI, FILE, BOT, PUBLISH)),
        ({}, {"mode": "demo", "store": "file"}, (KWCLI, FILE, BOT, PUBLISH)),
        ({"account": "one"}, {"account": "two"}, (KWCLI, FILE, BOT, PUBLISH)),
        ({"account": "one"}, {}, (KWCLI, FILE, BOT, PUBLISH)),
        ({}, {"account": "one"}, (PUBLISH,)),
        ({}, {"account": "one", "store": "file"}, (FILE, MOVE, PUBLISH)),
    ],
)
def test_a_change_has_its_steps(before: dict[str, object], after: dict[str, object], steps: tuple[Step, ...]) -> None:
    settings = load_settings(mode="real")

    assert plan(settings.replace(**before), settings.replace(**after)) == steps
    assert needs_new_service(settings.replace(**before), settings.replace(**after)) is bool(steps)


def test_another_account_of_a_named_profile_is_another_mode() -> None:
    settings = load_settings("second", mode="real")

    assert plan(settings, settings.replace(account="another")) == (PUBLISH,)
    assert MOVE not in plan(settings, settings.replace(mode="demo"))


@pytest.fixture
def file(private_places: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("KIWOOM_TRAY_DATA_DIR")
    path = private_places / "places" / "settings" / "settings.toml"
    path.parent.mkdir(parents=True)
    return path


WHOLE = 'mode = "demo"\nstore = "file"\ndata_dir = "/tokens"\npolicy = "daily 06:30"\naccount = "one"\ntheme = "dark"\n'


class TestADamagedFile:
    @pytest.mark.parametrize(
        "damaged", ["", "what is this\n", "mode = !\n", WHOLE.replace('"demo"', "demo"), "\udcff", 'theme = "light"\n']
    )
    def test_changes_no_account_and_moves_no_token(self, damaged: str, file: Path) -> None:
        file.write_text(WHOLE)
        before = load_settings()
        file.write_text(damaged, errors="surrogateescape")

        after = carry_over(before, load_settings())

        assert after.is_usable
        assert (after.mode, after.store, after.data_dir, after.account) == ("demo", "file", before.data_dir, "one")
        assert plan(before, after) == ()
        assert after.has_own_data_dir

    def test_that_says_less_of_a_policy_keeps_the_last_one_that_was_understood(self, file: Path) -> None:
        file.write_text(WHOLE)
        before = load_settings()
        file.write_text("policy = !\n")

        assert load_settings().policy == "notify"
        assert carry_over(before, load_settings()).policy == "daily 06:30"

    def test_still_says_what_it_says(self, file: Path) -> None:
        file.write_text(WHOLE)
        before = load_settings()
        file.write_text('theme = "light"\nstore = "auto"\nmode = !\n')

        after = carry_over(before, load_settings())

        assert (after.theme, after.store, after.mode) == ("light", "auto", "demo")

    def test_moves_nothing_where_nobody_knows_what_was_meant(self, file: Path) -> None:
        file.write_text(WHOLE)
        before = load_settings()
        file.write_text("store = !\n")
        unknown = load_settings()

        assert plan(before, unknown) == plan(unknown, before) == ()
        assert migrate(before, unknown).failures == []


def test_what_became_of_a_token_is_told_with_the_place() -> None:
    migrated = Migrated()
    assert migrated.sentences() == []

    migrated.place = Place("file", "/data/.token")
    migrated.left = Place("redis", "redis://host:6379/0", RedisUnavailable("no", problem=RedisUnavailable.FULL))

    assert migrated.sentences() == [
        "The token was moved too: file /data/.token.",
        "The valid token stays where it is: Redis redis://host:6379/0 (Redis is full).",
    ]
