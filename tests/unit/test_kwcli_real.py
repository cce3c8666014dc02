"""Kiwoom's own `kiwoomcli` beside this program, both against one practice Kiwoom over real HTTP.

Runs the published kwcli under Python 3.13: that of KIWOOM_TRAY_KWCLI_PYTHON, else one that is found and has it,
else (in CI) one into which it is installed.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring.core
import pytest

from tests import ROOT
from tray_app import TokenManager
from tray_app.core.secret import Secret
from tray_app.exports.kwcli import cache_path
from tray_app.kiwoom.broker import Broker
from tray_app.kiwoom.keys import clean_keys, find_keys, store_keys
from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom
from tray_app.service.composition import open_service
from tray_app.service.login import keep_keys
from tray_app.service.outcome import Outcome
from tray_app.settings import kwcli as kwcli_settings
from tray_app.settings.load import load_settings
from tray_app.stores.keyring_client import shared_keyring_client

KWCLI = "kwcli==1.0.3"
KEYS = clean_keys(SANDBOX_APP_KEY, SANDBOX_APP_SECRET)
INFO = ("domestic", "stocks", "info", "--code", "005930", "--format", "json")
DEADLINE_SECONDS = 60

FILE_KEYRING = '''
import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

PATH = Path(os.environ["FILE_KEYRING"])


class Keyring(KeyringBackend):
    """A keyring that two programs of one test share."""

    priority = 1

    def _entries(self):
        return json.loads(PATH.read_text()) if PATH.exists() else {}

    def get_password(self, service, username):
        return self._entries().get(service + "/" + username)

    def set_password(self, service, username, password):
        PATH.write_text(json.dumps({**self._entries(), service + "/" + username: password}))

    def delete_password(self, service, username):
        entries = self._entries()
        if entries.pop(service + "/" + username, None) is None:
            raise PasswordDeleteError(username)
        PATH.write_text(json.dumps(entries))
'''


def is_new_enough(python: str) -> bool:
    check = "import sys; sys.exit(sys.version_info < (3, 13))"
    return subprocess.run([python, "-c", check], check=False, capture_output=True).returncode == 0


def has_kwcli(python: str) -> bool:
    return subprocess.run([python, "-c", "import kiwoom_cli"], check=False, capture_output=True).returncode == 0


def candidates() -> list[str]:
    named = [shutil.which(f"python3.{minor}") for minor in (13, 14, 15)]
    pyenv = sorted(Path.home().glob(".pyenv/versions/3.1[3-9]*/bin/python"))
    return [sys.executable, *filter(None, [*named, shutil.which("python3")]), *map(str, pyenv)]


@pytest.fixture(scope="session")
def kwcli_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    chosen = os.environ.get("KIWOOM_TRAY_KWCLI_PYTHON")
    if chosen:
        assert has_kwcli(chosen), "KIWOOM_TRAY_KWCLI_PYTHON cannot import kiwoom_cli"
        return chosen
    usable = [python for python in candidates() if is_new_enough(python)]
    if not usable:
        pytest.skip("kwcli needs Python 3.13, and there is none")
    with_kwcli = next(filter(has_kwcli, usable), None)
    if with_kwcli is not None:
        return with_kwcli
    if not os.environ.get("CI"):
        pytest.skip(f"kwcli is not installed for {usable[0]}; name a Python that has it in KIWOOM_TRAY_KWCLI_PYTHON")
    folder = tmp_path_factory.mktemp("kwcli")
    python = str(folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
    subprocess.run([usable[0], "-m", "venv", str(folder)], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", KWCLI], check=True)
    return python


@pytest.fixture
def kiwoom(monkeypatch: pytest.MonkeyPatch, private_places: Path) -> Iterator[SandboxKiwoom]:
    """A practice Kiwoom that both programs take for the mock one; the token is shared with kiwoomcli."""
    settings = private_places / "places" / "settings" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('share_kwcli = true\n[profiles."가족 계좌"]\nshare_kwcli = true\n', encoding="utf-8")
    with SandboxKiwoom() as sandbox:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        monkeypatch.setenv("KIWOOM_TRAY_BASE_URL", sandbox.base_url)
        monkeypatch.setenv("MOCK", sandbox.base_url)
        monkeypatch.setenv("PRD", "http://127.0.0.1:9")
        yield sandbox


@pytest.fixture
def keys_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_KEY_MOCK", SANDBOX_APP_KEY)
    monkeypatch.setenv("APP_SECRET_MOCK", SANDBOX_APP_SECRET)
    monkeypatch.setenv("KIWOOM_MODE", "demo")


@pytest.fixture
def shared_keyring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    (tmp_path / "file_keyring.py").write_text(FILE_KEYRING)
    monkeypatch.setenv("FILE_KEYRING", str(tmp_path / "keyring.json"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(keyring.core, "_keyring_backend", importlib.import_module("file_keyring").Keyring())
    yield
    sys.modules.pop("file_keyring", None)


@pytest.fixture
def kiwoomcli(kwcli_python: str) -> Callable[..., str]:
    """Runs kiwoomcli; returns what it prints and fails with what it complains about."""

    def run(*words: str, **environment: str) -> str:
        if "FILE_KEYRING" in os.environ:
            environment["PYTHON_KEYRING_BACKEND"] = "file_keyring.Keyring"
        done = subprocess.run(
            [kwcli_python, "-m", "kiwoom_cli", *words],
            check=False,
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
            encoding="utf-8",
            timeout=DEADLINE_SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.usefixtures("keys_in_environment")
class TestWithOneToken:
    def test_kiwoomcli_uses_our_token_and_never_issues(
        self, kiwoom: SandboxKiwoom, kiwoomcli: Callable[..., str]
    ) -> None:
        TokenManager().ensure_token()
        for _ in range(2):
            assert json.loads(kiwoomcli(*INFO))["stk_nm"] == "삼성전자"
        assert kiwoom.counts() == {"issue": 1, "revoke": 0, "rest": 2}

    def test_kiwoomcli_uses_the_token_that_took_the_place_of_another(
        self, kiwoom: SandboxKiwoom, kiwoomcli: Callable[..., str]
    ) -> None:
        service = open_service(load_settings())
        first = service.ensure().token
        assert service.refresh(rotate=True).token.value != first.value
        kiwoomcli(*INFO)
        assert [one["outcome"] for one in kiwoom.outcomes()] == ["new", "revoked", "new", "answered"]

    def test_kiwoomcli_uses_a_token_that_was_set(self, kiwoom: SandboxKiwoom, kiwoomcli: Callable[..., str]) -> None:
        token = Broker(kiwoom.base_url).issue(KEYS).token
        TokenManager().set_token(token.value.reveal(), 86400)
        kiwoomcli(*INFO)
        assert kiwoom.counts() == {"issue": 1, "revoke": 0, "rest": 1}

    def test_a_token_that_kiwoomcli_issued_is_taken_over_once_kiwoom_has_confirmed_it(
        self, kiwoom: SandboxKiwoom, kiwoomcli: Callable[..., str]
    ) -> None:
        kiwoomcli("auth", "refresh")
        text = TokenManager().ensure_token()
        assert json.loads(Path(cache_path("demo", None)).read_text())["access_token"] == text
        assert kiwoom.counts()["issue"] == 1
        kiwoomcli(*INFO)
        assert kiwoom.counts() == {"issue": 1, "revoke": 0, "rest": 2}

    def test_a_token_that_kiwoomcli_replaced_is_taken_over_after_ours_was_refused(
        self, kiwoom: SandboxKiwoom, kiwoomcli: Callable[..., str]
    ) -> None:
        manager = TokenManager()
        first = manager.ensure_token()
        Broker(kiwoom.base_url).revoke(KEYS, Secret(first))
        kiwoomcli(*INFO)
        assert kiwoom.counts()["issue"] == 2
        assert manager.replace_refused(first) not in {None, first}
        assert kiwoom.counts()["issue"] == 2

    def test_a_newer_token_of_kiwoomcli_is_taken_over_once_kiwoom_has_confirmed_it(
        self, kiwoom: SandboxKiwoom, kiwoomcli: Callable[..., str]
    ) -> None:
        """Its issue ended ours, which nobody here was told."""
        service = open_service(load_settings())
        ours = service.ensure().token
        kiwoom.behaviour.reissue = "replace"
        kiwoomcli("auth", "refresh")
        kiwoom.behaviour.reissue = "same"
        issued, asked = kiwoom.counts()["issue"], kiwoom.counts()["rest"]
        outcome = service.ensure()
        theirs = json.loads(Path(cache_path("demo", None)).read_text())["access_token"]
        assert outcome.token.value.reveal() == theirs != ours.value.reveal()
        assert (kiwoom.counts()["issue"], kiwoom.counts()["rest"]) == (issued, asked + 1)
        assert service.evidence().confirmed_at > 0
        kiwoomcli(*INFO)
        assert kiwoom.counts()["issue"] == issued

    def test_one_that_is_dead_as_well_is_not(self, kiwoom: SandboxKiwoom, kiwoomcli: Callable[..., str]) -> None:
        service = open_service(load_settings())
        ours = service.ensure().token.value.reveal()
        kiwoom.behaviour.reissue = "replace"
        kiwoomcli("auth", "refresh")
        theirs = json.loads(Path(cache_path("demo", None)).read_text())["access_token"]
        kiwoom.end_tokens()
        fresh = service.ensure().token.value.reveal()
        assert fresh not in {ours, theirs}
        kiwoomcli(*INFO)
        assert kiwoom.outcomes()[-1]["outcome"] == "answered"

    def test_after_a_clear_kiwoomcli_stands_on_its_own(
        self, kiwoom: SandboxKiwoom, kiwoomcli: Callable[..., str]
    ) -> None:
        manager = TokenManager()
        manager.ensure_token()
        manager.clear_token()
        assert not Path(cache_path("demo", None)).exists()
        kiwoomcli(*INFO)
        assert kiwoom.counts()["issue"] == 2

    def test_in_the_last_ten_minutes_kiwoomcli_issues_and_gets_the_same_token(
        self, kiwoom: SandboxKiwoom, kiwoomcli: Callable[..., str]
    ) -> None:
        kiwoom.set_lifetime(500)
        text = TokenManager().ensure_token()
        kiwoomcli(*INFO)
        assert [one["outcome"] for one in kiwoom.outcomes()] == ["new", "same", "answered"]
        assert json.loads(Path(cache_path("demo", None)).read_text())["access_token"] == text
        TokenManager().clear_token()
        assert not Path(cache_path("demo", None)).exists()

    def test_a_command_that_is_run_with_the_token_never_issues(self, kiwoom: SandboxKiwoom, kwcli_python: str) -> None:
        our_command = (sys.executable, "-m", "tray_app.cli.main", "exec", "--format", "kwcli", "--")
        done = subprocess.run(
            [*our_command, kwcli_python, "-m", "kiwoom_cli", *INFO],
            check=False,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
            encoding="utf-8",
            timeout=DEADLINE_SECONDS,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["stk_nm"] == "삼성전자"
        assert kiwoom.counts() == {"issue": 1, "revoke": 0, "rest": 1}


@pytest.mark.usefixtures("shared_keyring")
class TestWithOneSetOfKeys:
    def test_keys_given_here_are_kiwoomclis(self, kiwoom: SandboxKiwoom, kiwoomcli: Callable[..., str]) -> None:
        settings = load_settings("가족 계좌", mode="demo")
        keep_keys(settings, KEYS)
        listed = kiwoomcli("auth", "list")
        assert "가족 계좌" in listed
        kiwoomcli(*INFO, "--profile", "가족 계좌")
        kiwoomcli(*INFO, KIWOOM_PROFILE="가족 계좌")
        kiwoomcli(*INFO)
        assert kiwoom.counts() == {"issue": 1, "revoke": 0, "rest": 3}

    def test_keys_of_the_default_profile_are_kiwoomclis_without_an_alias(
        self, kiwoom: SandboxKiwoom, kiwoomcli: Callable[..., str]
    ) -> None:
        keep_keys(load_settings(mode="demo"), KEYS)
        kiwoomcli(*INFO, "--mode", "demo")
        assert kiwoom.counts() == {"issue": 1, "revoke": 0, "rest": 1}

    def test_keys_that_an_account_of_kiwoomcli_has_too_are_one_token(
        self, kiwoom: SandboxKiwoom, kiwoomcli: Callable[..., str]
    ) -> None:
        keep_keys(load_settings(mode="demo"), KEYS)
        store_keys("가족 계좌", "demo", KEYS, shared_keyring_client())
        kwcli_settings.keep_alias("가족 계좌", "demo")
        open_service(load_settings()).refresh(rotate=True)
        kiwoomcli(*INFO, "--profile", "가족 계좌")
        assert kiwoom.counts() == {"issue": 2, "revoke": 1, "rest": 1}

    def test_a_token_that_kiwoomcli_issued_for_such_an_account_is_taken_over(
        self, kiwoom: SandboxKiwoom, kiwoomcli: Callable[..., str]
    ) -> None:
        keep_keys(load_settings(mode="demo"), KEYS, check=False)
        store_keys("가족 계좌", "demo", KEYS, shared_keyring_client())
        kwcli_settings.keep_alias("가족 계좌", "demo")
        kiwoomcli("auth", "refresh", "--profile", "가족 계좌")
        assert open_service(load_settings()).ensure().how == Outcome.ADOPTED
        assert kiwoom.counts()["issue"] == 1

    @pytest.mark.skipif(sys.platform == "win32", reason="its set-up asks on a terminal, which only POSIX can feign")
    def test_who_has_run_kiwoomcli_setup_is_set_up_here(self, kiwoom: SandboxKiwoom, kwcli_python: str) -> None:
        set_up(kwcli_python)
        assert kwcli_settings.aliases() == {"모의계좌": "demo"}
        settings = load_settings()
        assert settings.mode == "demo"
        outcome = open_service(settings).ensure()
        assert outcome.how == Outcome.ADOPTED
        assert kiwoom.counts()["issue"] == 1
        assert find_keys("모의계좌", "demo", {}, shared_keyring_client()).fingerprint() == KEYS.fingerprint()

    @pytest.mark.skipif(sys.platform == "win32", reason="its set-up asks on a terminal, which only POSIX can feign")
    def test_a_token_renewed_here_is_used_by_kiwoomcli_after_its_setup(
        self, kiwoom: SandboxKiwoom, kwcli_python: str, kiwoomcli: Callable[..., str]
    ) -> None:
        set_up(kwcli_python)
        open_service(load_settings()).refresh(rotate=True)
        issued = kiwoom.counts()["issue"]
        kiwoomcli(*INFO)
        assert kiwoom.counts()["issue"] == issued
        assert kiwoom.outcomes()[-1]["outcome"] == "answered"

    def test_kiwoomcli_finds_its_own_settings_unharmed(
        self, kiwoom: SandboxKiwoom, kiwoomcli: Callable[..., str]
    ) -> None:
        kwcli_settings.keep_alias("모의계좌", "demo")
        kwcli_settings.keep_alias("실전계좌", "real")
        listed = kiwoomcli("auth", "list")
        assert "모의계좌" in listed
        assert "실전계좌" in listed
        kiwoomcli("auth", "switch", "실전계좌")
        kwcli_settings.keep_alias("셋째", "demo")
        fields = json.loads(Path(kwcli_settings.settings_path()).read_text())
        assert fields["current_profile"] == "실전계좌"


def set_up(python: str) -> None:
    """`kiwoomcli setup --mode demo` on a terminal, with Enter for the alias."""
    environment = dict(os.environ)
    if "FILE_KEYRING" in os.environ:
        environment["PYTHON_KEYRING_BACKEND"] = "file_keyring.Keyring"
    master, slave = os.openpty()
    process = subprocess.Popen(
        [python, "-m", "kiwoom_cli", "setup", "--mode", "demo"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
    )
    os.close(slave)
    try:
        shown = ""
        for prompt, answer in ((" > ", ""), ("App Key:", SANDBOX_APP_KEY), ("Secret Key:", SANDBOX_APP_SECRET)):
            shown = read_until(master, prompt, shown)
            os.write(master, f"{answer}\n".encode())
        read_until(master, "auth status", shown)
        assert process.wait(DEADLINE_SECONDS) == 0
    finally:
        process.kill()
        process.wait()
        os.close(master)


def read_until(terminal: int, prompt: str, shown: str) -> str:
    """Reads on until `prompt`; returns what came after it."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    content = shown.encode()
    while prompt.encode() not in content:
        ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, content.decode(errors="replace")
        content += os.read(terminal, 4096)
    return content.partition(prompt.encode())[2].decode(errors="replace")
