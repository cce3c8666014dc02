"""What a careless operator and a busy bot do to it, with real programs: no account reaches another, nobody hammers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from tests.processes.conftest import PYTHON_PATH
from tests.processes.file_keyring import FileKeyring
from tray_app.kiwoom.sandbox import SandboxKiwoom

DAY = 86400
ONE = {"APP_KEY": "key-of-one", "APP_SECRET": "secret-of-one"}
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="as POSIX has it")


@pytest.fixture(autouse=True)
def no_keys(sandbox: SandboxKiwoom, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("APP_KEY", "APP_SECRET"):
        monkeypatch.delenv(name)


@pytest.fixture
def started() -> Callable[..., Any]:
    """Runs Python with these words and this environment besides; returns what it printed, or its status."""

    def run(*words: Any, timeout: int = 60, **env: Any) -> Any:
        done = subprocess.run(
            [sys.executable, *words],
            env={**os.environ, **env, "PYTHONPATH": PYTHON_PATH},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return done.stdout.strip() if done.returncode == 0 else done.returncode

    return run


@pytest.fixture
def kiwoom_token(started: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *words, **env: started("-m", "tray_app.cli.main", *words, **env)


@pytest.fixture
def bot(started: Callable[..., Any]) -> Callable[..., Any]:
    """A program of a few lines that has `m`, the token manager."""
    return lambda code, **env: started("-c", "from tray_app import TokenManager, token_manager as m\n" + code, **env)


@pytest.fixture
def settings_toml(private_places: Path) -> Path:
    path = private_places / "places" / "settings" / "settings.toml"
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def setup(store_in: Callable[[str], str]) -> Callable[..., None]:
    """Puts keys where `kiwoomcli setup` puts them."""

    def put(alias: Any, mode: Any, key: Any) -> None:
        service = f"kiwoom-profile-{sha256(alias.encode()).hexdigest()[:16]}" if alias else f"kiwoom-{mode}"
        FileKeyring().set_password(service, "appkey", key)
        FileKeyring().set_password(service, "secretkey", f"secret of {key}".replace(" ", "-"))
        if alias:
            path = Path(platformdirs.user_config_dir("kiwoom")) / "settings.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            fields = json.loads(path.read_text()) if path.exists() else {"profiles": {}, "current_profile": alias}
            fields["profiles"][alias] = {"mode": mode}
            path.write_text(json.dumps(fields))

    store_in("auto")
    return put


@pytest.fixture
def broken(tmp_path: Path) -> Any:
    """Lets every call to the keyring fail from now on."""
    return (tmp_path / "keyring.json.broken").touch


class TestTheAccount:
    def test_that_a_command_is_run_for_is_the_one_that_kiwoomcli_below_it_uses(
        self, setup: Callable[..., None], kiwoom_token: Callable[..., Any]
    ) -> None:
        setup("live", "real", "key-of-live")
        setup("paper", "demo", "key-of-paper")
        ask = "import os; print(os.environ.get('KIWOOM_PROFILE'))"

        said = kiwoom_token("exec", "--profile", "paper", "--format", "kwcli", "--", sys.executable, "-c", ask)

        assert said == "paper"

    def test_of_the_default_profile_too(self, setup: Callable[..., None], kiwoom_token: Callable[..., Any]) -> None:
        setup("live", "real", "key-of-live")
        setup(None, "demo", "key-of-mock")
        kiwoom_token("config", "set", "mode", "demo")
        ask = "import os; print(os.environ.get('KIWOOM_MODE'))"

        said = kiwoom_token("exec", "--format", "kwcli", "--", sys.executable, "-c", ask)

        assert said == "demo"

    def test_of_the_default_profile_is_that_of_the_alias_whose_keys_it_uses(
        self, setup: Callable[..., None], kiwoom_token: Callable[..., Any]
    ) -> None:
        setup("live", "real", "key-of-live")
        ask = "import os; print(os.environ.get('KIWOOM_PROFILE'))"

        said = kiwoom_token("exec", "--", sys.executable, "-c", ask)

        assert said == "live"

    def test_of_the_default_profile_is_known_while_the_keyring_fails(
        self, setup: Callable[..., None], store_in: Callable[[str], str], kiwoom_token: Callable[..., Any], broken: Any
    ) -> None:
        store_in("file")
        setup("live", "real", "key-of-live")
        kiwoom_token("get")
        broken()
        ask = "import os; print(os.environ.get('KIWOOM_PROFILE'))"

        said = kiwoom_token("exec", "--", sys.executable, "-c", ask)

        assert said == "live"

    def test_that_a_command_is_run_for_is_the_one_of_our_own_tools_below_it(
        self, setup: Callable[..., None], kiwoom_token: Callable[..., Any]
    ) -> None:
        setup("live", "real", "key-of-live")
        token = kiwoom_token("get")
        ask = "from tray_app import token_manager; print(token_manager.get_token())"

        assert kiwoom_token("exec", "--", sys.executable, "-c", ask) == token

    def test_that_was_named_for_one_command_goes_before_one_of_the_environment(
        self, setup: Callable[..., None], kiwoom_token: Callable[..., Any]
    ) -> None:
        setup("live", "real", "key-of-live")
        setup(None, "real", "key-of-one")
        ask = "import os; print(os.environ.get('KIWOOM_PROFILE'), os.environ['KIWOOM_MODE'])"

        said = kiwoom_token("exec", "--profile", "default", "--", sys.executable, "-c", ask, KIWOOM_PROFILE="live")

        assert said == "None real"

    def test_does_not_become_a_real_one_because_kiwoomcli_learns_of_one(
        self, setup: Callable[..., None], kiwoom_token: Callable[..., Any]
    ) -> None:
        setup("paper", "demo", "key-of-paper")
        token = kiwoom_token("get")
        setup("live", "real", "key-of-live")

        found = json.loads(kiwoom_token("status", "--json"))

        assert (found["mode"], kiwoom_token("get")) == ("demo", token)

    def test_stays_when_kiwoomcli_learns_of_another(
        self, setup: Callable[..., None], kiwoom_token: Callable[..., Any]
    ) -> None:
        setup("one", "real", "key-of-one")
        kiwoom_token("get")
        setup("two", "real", "key-of-two")

        assert kiwoom_token("refresh") != 4

    def test_is_that_of_the_environment_as_it_is_at_the_first_use(
        self, bot: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        later = {"KIWOOM_MODE": "demo", "APP_KEY_MOCK": "mk", "APP_SECRET_MOCK": "ms", **ONE}

        bot(f"import os; os.environ.update({later}); m.ensure_token()")

        owner = json.loads((Path("data") / ".token.owner").read_text())
        assert owner["issued_for"].startswith("demo:")

    def test_of_a_bot_that_goes_through_several_is_the_present_one(
        self, bot: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")

        said = bot(
            "import os, json; told = []\n"
            "for key in ('one', 'two'):\n"
            "    os.environ.update(APP_KEY=key, APP_SECRET='secret-of-' + key)\n"
            "    told.append({m.get_valid_token() for _ in range(2)})\n"
            "print(told[0].isdisjoint(told[1]))"
        )

        assert said == "True"

    def test_is_known_by_its_keys_in_the_keyring_though_the_token_is_in_redis(
        self, setup: Callable[..., None], store_in: Callable[[str], str], kiwoom_token: Callable[..., Any]
    ) -> None:
        store_in("redis")
        setup(None, "real", "key-of-one")
        token = kiwoom_token("get")
        setup(None, "real", "key-of-two")

        assert kiwoom_token("get") != token

    def test_in_both_modes_at_once_is_a_mistake_that_is_told(
        self,
        bot: Callable[..., Any],
        started: Callable[..., Any],
        monkeypatch: pytest.MonkeyPatch,
        issues: Callable[[], int],
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        both = {**ONE, "APP_KEY_MOCK": "mk", "APP_SECRET_MOCK": "ms"}
        ask = "try:\n    print(m.get_valid_token())\nexcept SettingsError as error:\n    print('told', error)"
        bots = "from tray_app.core.errors import SettingsError\n" + ask

        said = [bot(bots, **both, KIWOOM_MODE=mode) for _ in range(4) for mode in ("real", "demo")]

        assert issues() == 4
        assert [one.startswith("told Another program uses the profile default") for one in said] == [False] * 4 + [
            True,
            False,
            True,
            False,
        ]

    def test_of_one_profile_does_not_get_into_the_file_of_another(
        self, setup: Callable[..., None], kiwoom_token: Callable[..., Any], tmp_path: Path
    ) -> None:
        setup("live", "real", "key-of-live")
        setup("paper", "demo", "key-of-paper")
        file = str(tmp_path / "bot.json")
        kiwoom_token("config", "set", "share_bot_file", file, "--profile", "paper")

        refused = kiwoom_token("config", "set", "share_bot_file", file, "--profile", "live")

        assert refused == 2

    def test_under_the_name_of_its_only_alias_is_one_account(
        self, setup: Callable[..., None], kiwoom_token: Callable[..., Any]
    ) -> None:
        setup("live", "real", "key-of-live")
        token = kiwoom_token("get")
        assert kiwoom_token("get", KIWOOM_PROFILE="live") == token

        kiwoom_token("clear", "--revoke")

        assert kiwoom_token("get", "--no-issue", KIWOOM_PROFILE="live") == 3

    def test_goes_with_a_data_folder_that_is_copied(
        self, kiwoom_token: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        token = kiwoom_token("get", **ONE)
        shutil.copytree("data", tmp_path / "copy")
        monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(tmp_path / "copy"))

        assert kiwoom_token("get", APP_KEY="key-of-two", APP_SECRET="secret-of-two") != token

    @pytest.mark.parametrize("other", [{"KIWOOM_MODE": "demo"}, {"APP_KEY": "key-of-two"}])
    def test_of_a_token_that_is_set_is_that_of_the_program_that_sets_it(
        self,
        bot: Callable[..., Any],
        kiwoom_token: Callable[..., Any],
        monkeypatch: pytest.MonkeyPatch,
        other: dict[str, str],
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        both = {**ONE, "APP_KEY_MOCK": "mk", "APP_SECRET_MOCK": "ms"}
        bot("m.set_token('of-one', 86400)", **both)

        assert kiwoom_token("get", "--no-issue", **{**both, **other}) == 3


class TestAKiwoomThatFails:
    LOOP = "from tray_app.core.errors import KiwoomTokenError\nimport contextlib\nfor _ in range(10):\n    " + (
        "with contextlib.suppress(KiwoomTokenError): m.get_valid_token()"
    )

    @pytest.mark.parametrize("fault", ["1700", "1999", "http-503", "8001"])
    @pytest.mark.parametrize("lifetime", [None, 200], ids=["without a token", "in the last five minutes"])
    def test_is_not_asked_again_at_every_call(
        self,
        bot: Callable[..., Any],
        sandbox: SandboxKiwoom,
        issues: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
        *,
        fault: str,
        lifetime: int | None,
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        if lifetime:
            sandbox.set_lifetime(lifetime)
            bot("m.ensure_token()", **ONE)
        before = issues()
        sandbox.set_fault(fault, times=None)

        bot(self.LOOP, **ONE)

        assert issues() - before <= 2

    def test_to_answer_does_not_hold_up_each_order_while_the_token_is_valid(
        self,
        bot: Callable[..., Any],
        sandbox: SandboxKiwoom,
        issues: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        sandbox.set_lifetime(200)
        bot("m.ensure_token()", **ONE)
        before = issues()
        sandbox.set_fault("hang", times=None)

        bot("for _ in range(4): m.get_valid_token()", **ONE)

        assert issues() - before == 2


class TestHandOuts:
    @pytest.fixture
    def bot_file(self, settings_toml: Path, tmp_path: Path) -> Path:
        file = tmp_path / "bot.json"
        settings_toml.write_text(f"share_kwcli = true\nshare_bot_file = '{file}'\n")
        return file

    @pytest.mark.parametrize("kind", ["auto", "keyring"])
    def test_go_with_a_clear_though_the_keyring_fails(
        self,
        store_in: Callable[[str], str],
        kiwoom_token: Callable[..., Any],
        bot_file: Path,
        broken: Any,
        *,
        kind: str,
    ) -> None:
        store_in(kind)
        kiwoom_token("get", **ONE)
        broken()

        said = kiwoom_token("clear", **ONE)

        removed = "The token was removed from this computer. At Kiwoom it stays valid until it expires."
        assert said == (6 if kind == "keyring" else removed)
        assert not bot_file.exists()
        assert not list(Path(platformdirs.user_cache_dir("kiwoom")).rglob("*-token.json"))

    def test_go_with_a_clear_though_kiwoomcli_knows_more_accounts_by_then(
        self, setup: Callable[..., None], kiwoom_token: Callable[..., Any], bot_file: Path
    ) -> None:
        setup("one", "real", "key-of-one")
        kiwoom_token("get")
        setup("two", "real", "key-of-two")

        kiwoom_token("clear")

        assert not list(Path(platformdirs.user_cache_dir("kiwoom")).rglob("*-token.json"))

    def test_are_not_touched_by_a_token_that_never_leaves_a_programs_memory(
        self, store_in: Callable[[str], str], kiwoom_token: Callable[..., Any], bot: Callable[..., Any], bot_file: Path
    ) -> None:
        store_in("auto")
        token = kiwoom_token("get", **ONE)

        bot("TokenManager(store='memory').set_token('of-a-test', 3600)", **ONE)

        assert json.loads(bot_file.read_text())["token"] == token

    def test_do_not_fail_a_diagnosis(
        self, store_in: Callable[[str], str], kiwoom_token: Callable[..., Any], bot_file: Path, broken: Any
    ) -> None:
        store_in("keyring")
        kiwoom_token("get", **ONE)
        broken()

        assert kiwoom_token("doctor", **ONE) != 6

    def test_do_not_go_over_a_newer_token_of_kiwoomcli(
        self, store_in: Callable[[str], str], kiwoom_token: Callable[..., Any], sandbox: SandboxKiwoom, bot_file: Path
    ) -> None:
        store_in("auto")
        sandbox.set_lifetime(7200)
        kiwoom_token("get", **ONE)
        cache = Path(platformdirs.user_cache_dir("kiwoom")) / "real-token.json"
        now = datetime.now(timezone.utc)
        newer = {"access_token": "newer", "expires_at": (now + timedelta(days=1)).isoformat()}
        cache.write_text(json.dumps({**json.loads(cache.read_text()), **newer, "saved_at": now.isoformat()}))

        kiwoom_token("doctor", **ONE)

        assert json.loads(cache.read_text())["access_token"] == "newer"


def test_a_clear_by_a_program_that_knows_only_the_file_brings_no_older_token_back(
    store_in: Callable[[str], str], bot: Callable[..., Any], token_file: Path
) -> None:
    store_in("auto")

    said = bot(
        "import json, datetime as d, pathlib\n"
        "m.set_token('older', 86400)\n"
        "now = d.datetime.now(); times = {'expires_at': (now + d.timedelta(days=1)).isoformat(), "
        "'created_at': now.isoformat()}\n"
        f"file = pathlib.Path({str(token_file)!r}); file.parent.mkdir(exist_ok=True)\n"
        "file.write_text(json.dumps({'access_token': 'newer', **times}))\n"
        "assert m.get_token() == 'newer'\n"
        "file.unlink(); print(m.get_token())",
        **ONE,
    )

    assert said == "None"


def test_a_token_that_kiwoom_gives_back_is_encrypted_with_the_new_key(
    kiwoom_token: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fernet = pytest.importorskip("cryptography.fernet").Fernet
    old, new = (fernet.generate_key().decode() for _ in range(2))
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    token = kiwoom_token("get", **ONE, KIWOOM_TRAY_ENCRYPTION_KEY=old)

    kiwoom_token("refresh", **ONE, KIWOOM_TRAY_ENCRYPTION_KEY=f"{new},{old}")

    assert kiwoom_token("get", **ONE, KIWOOM_TRAY_ENCRYPTION_KEY=new) == token


@POSIX
def test_a_token_file_means_the_same_in_every_time_zone(
    kiwoom_token: Callable[..., Any], sandbox: SandboxKiwoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    sandbox.set_lifetime(7200)
    kiwoom_token("get", **ONE, TZ="Asia/Seoul")

    found = json.loads(kiwoom_token("status", "--json", **ONE, TZ="UTC"))

    assert found["remaining_seconds"] <= 7200


@POSIX
def test_a_command_that_is_run_ends_at_a_broken_pipe_as_elsewhere(
    kiwoom_token: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    shell = "yes | head -1 >/dev/null; echo ${PIPESTATUS[0]}"

    assert kiwoom_token("exec", "--", "bash", "-c", shell, **ONE) == str(128 + signal.SIGPIPE)


@POSIX
def test_a_signals_handler_may_ask_for_the_token_too(
    store_in: Callable[[str], str], bot: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_in("keyring")
    (tmp_path / "slow_keyring.py").write_text(
        "import time\nfrom tests.processes.file_keyring import FileKeyring\n\n\nclass Slow(FileKeyring):\n"
        "    priority = 1\n\n    def get_password(self, *which):\n        time.sleep(0.5)\n"
        "        return super().get_password(*which)\n"
    )
    monkeypatch.setenv("FILE_KEYRING_CLASS", "slow_keyring.Slow")

    said = bot(
        "import signal\n"
        "m.set_token('one', 86400); other = TokenManager()\n"
        "signal.signal(signal.SIGALRM, lambda *_: print(other.get_token()))\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.2); print(other.get_token())",
        **ONE,
        timeout=30,
    )

    assert said == "one\none"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="being somebody else needs root")
def test_what_a_containers_root_writes_its_user_outside_can_read(
    kiwoom_token: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    folder = tmp_path / "data"
    folder.mkdir()
    os.chown(folder, 65534, 65534)

    kiwoom_token("get", **ONE)

    assert {one.stat().st_uid for one in folder.iterdir()} == {65534}
