from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import keyring.core
import keyring.util.platform_
import pytest
from keyring.backends import chainer, fail, null

from tests import ROOT
from tests.doubles import MemoryKeyring
from tests.threads import no_more_threads
from tray_app.cli.doctor import doctor
from tray_app.core.errors import KeyringUnavailable, KeysMissing
from tray_app.kiwoom.keys import find_keys
from tray_app.settings.places import shared_state_dir
from tray_app.stores import keyring_client as vault_module
from tray_app.stores.keyring_client import KeyringClient
from tray_app.stores.lock import ProfileLock

SHORT = 0.05
LONG = 30.0
"""So long that a test which waits it out would be noticed."""


class HangingKeyring(MemoryKeyring):
    """Answers only after `release` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()
        self.entered = threading.Event()

    def get_password(self, service: str, username: str) -> Any:
        self.entered.set()
        self.release.wait()
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entered.set()
        self.release.wait()
        super().set_password(service, username, password)


class SystemsKeyring(MemoryKeyring):
    """Goes by the name of an operating system's."""


SystemsKeyring.__module__, SystemsKeyring.__qualname__ = "keyring.backends.macOS", "Keyring"


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Makes a backend the one that the host program chose."""
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)

    def choose(backend: Any) -> Any:
        keyring.set_keyring(backend)
        return backend

    return choose


@pytest.fixture
def config_root() -> Path:
    """Where keyring looks for its own settings."""
    return Path(keyring.util.platform_.config_root())


@pytest.fixture
def hanging(use: Callable[..., Any]) -> Iterator[HangingKeyring]:
    backend = use(HangingKeyring())
    yield backend
    backend.release.set()


def problem_of(act: Any) -> Any:
    with pytest.raises(KeyringUnavailable) as raised:
        act()
    return raised.value.problem


def wait_until(condition: Any) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.001)


def answers_again(keyring_client: KeyringClient) -> Any:
    def asked() -> Any:
        try:
            keyring_client.get("service", "user")
        except KeyringUnavailable:
            return False
        return True

    return asked


class TestOrdinary:
    def test_what_is_set_is_got_back(self, use: Callable[..., Any]) -> None:
        use(MemoryKeyring())
        keyring_client = KeyringClient(LONG)

        keyring_client.set("service", "user", "value")

        assert keyring_client.get("service", "user") == "value"

    @pytest.mark.skipif(sys.platform == "win32", reason="its vault takes no more than 1,280 characters")
    def test_a_long_value_is_stored(self, use: Callable[..., Any]) -> None:
        backend = use(MemoryKeyring())

        KeyringClient(LONG).set("service", "user", "x" * 100_000)

        assert backend.entries == {("service", "user"): "x" * 100_000}

    def test_what_is_deleted_is_gone(self, use: Callable[..., Any]) -> None:
        use(MemoryKeyring())
        keyring_client = KeyringClient(LONG)
        keyring_client.set("service", "user", "value")

        assert keyring_client.delete("service", "user") is True

        assert keyring_client.get("service", "user") is None

    def test_deleting_what_is_not_there_is_no_error(self, use: Callable[..., Any]) -> None:
        use(MemoryKeyring())

        assert KeyringClient(LONG).delete("service", "user") is False

    def test_a_check_asks_for_no_entry(self, use: Callable[..., Any]) -> None:
        backend = use(MemoryKeyring())

        KeyringClient(LONG).check()

        assert backend.calls == 0

    def test_wants_nobodys_permission(self, use: Callable[..., Any]) -> None:
        use(MemoryKeyring())
        keyring_client = KeyringClient(LONG)
        wanted = [keyring_client.wants_permission()]
        keyring_client.get("service", "user")
        wanted.append(keyring_client.wants_permission())

        assert wanted == [False, False]

    def test_calls_from_many_threads_all_get_their_own_answer(self, use: Callable[..., Any]) -> None:
        use(MemoryKeyring())
        keyring_client = KeyringClient(LONG)
        got = []

        def work(name: Any) -> None:
            keyring_client.set("service", name, name * 2)
            got.append(keyring_client.get("service", name) == name * 2)

        threads = [threading.Thread(target=work, args=(str(n),)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert got == [True] * 16


class TestWhichKeyring:
    def test_the_one_that_the_host_program_set(self, use: Callable[..., Any]) -> None:
        backend = use(MemoryKeyring())

        KeyringClient(LONG).set("service", "user", "value")

        assert backend.entries == {("service", "user"): "value"}

    def test_what_the_environment_names_goes_before_it_and_is_none_unless_it_is_a_systems(
        self, use: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        backend = use(MemoryKeyring())
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.doubles.MemoryKeyring")

        assert problem_of(lambda: KeyringClient(LONG).set("service", "user", "value")) == KeyringUnavailable.MISSING
        assert backend.calls == 0

    def test_what_keyrings_own_settings_name_is_none_unless_it_is_a_systems(
        self, use: Callable[..., Any], config_root: Path
    ) -> None:
        backend = use(MemoryKeyring())
        config_root.mkdir(parents=True)
        (config_root / "keyringrc.cfg").write_text("[backend]\ndefault-keyring=tests.doubles.MemoryKeyring\n")

        assert problem_of(lambda: KeyringClient(LONG).set("service", "user", "value")) == KeyringUnavailable.MISSING
        assert backend.calls == 0

    @pytest.mark.parametrize("is_in_chain", [False, True])
    def test_none_where_keyring_has_found_a_backend_that_stores_plain_text(
        self, use: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, is_in_chain: Any
    ) -> None:
        found = MemoryKeyring()
        monkeypatch.setattr(keyring.backend, "get_all_keyring", lambda: [found])
        monkeypatch.setattr(chainer.ChainerBackend, "backends", [found, MemoryKeyring()])
        monkeypatch.setattr(vault_module, "_platform_backend", lambda: fail.Keyring)
        use(chainer.ChainerBackend() if is_in_chain else found)

        assert problem_of(lambda: KeyringClient(LONG).set("service", "user", "value")) == KeyringUnavailable.MISSING
        assert found.entries == {}

    @pytest.mark.parametrize("name", ["keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"])
    def test_none_when_the_environment_names_one_that_keeps_nothing(
        self, name: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", name)

        assert problem_of(lambda: KeyringClient(LONG).get("service", "user")) == KeyringUnavailable.MISSING

    def test_none_when_the_host_program_set_one_that_keeps_nothing(self, use: Callable[..., Any]) -> None:
        use(null.Keyring())

        assert problem_of(lambda: KeyringClient(LONG).set("service", "user", "value")) == KeyringUnavailable.MISSING

    def test_one_that_appears_later_is_found(self, use: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
        use(fail.Keyring())
        monkeypatch.setattr(vault_module, "_platform_backend", lambda: fail.Keyring)
        keyring_client = KeyringClient(LONG)
        assert problem_of(keyring_client.check) == KeyringUnavailable.MISSING

        monkeypatch.setattr(vault_module, "_platform_backend", lambda: MemoryKeyring)

        keyring_client.check()

    @pytest.mark.parametrize("chosen_by", ["keyring", "the environment"])
    def test_the_systems_own_in_a_chain_whatever_else_is_in_it(
        self, chosen_by: str, use: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain, own = MemoryKeyring(), SystemsKeyring()
        monkeypatch.setattr(chainer.ChainerBackend, "backends", [plain, own])
        use(chainer.ChainerBackend() if chosen_by == "keyring" else plain)
        if chosen_by == "the environment":
            monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.chainer.ChainerBackend")

        KeyringClient(LONG).set("service", "user", "value")

        assert (plain.entries, own.entries) == ({}, {("service", "user"): "value"})

    def test_none_where_the_environment_names_a_chain_without_the_systems_own(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(chainer.ChainerBackend, "backends", [MemoryKeyring()])
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.chainer.ChainerBackend")

        assert problem_of(KeyringClient(LONG).check) == KeyringUnavailable.MISSING

    @pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody looks for a wallet")
    def test_none_where_the_environment_names_a_wallet_that_does_not_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.kwallet.DBusKeyring")
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")

        assert problem_of(KeyringClient(LONG).check) == KeyringUnavailable.MISSING

    def test_its_name_is_known_without_a_call(self, use: Callable[..., Any]) -> None:
        backend = use(MemoryKeyring())

        assert KeyringClient(LONG).backend_name() == "tests.doubles.MemoryKeyring"
        assert backend.calls == 0

    def test_settings_of_keyring_that_cannot_be_read_name_none(
        self, use: Callable[..., Any], config_root: Path
    ) -> None:
        use(MemoryKeyring())
        config_root.mkdir(parents=True)
        (config_root / "keyringrc.cfg").write_bytes(b"\xff[backend")

        KeyringClient(LONG).check()

    @pytest.mark.parametrize("name", ["no.such.module.Keyring", "keyring.backends.no_such.Keyring"])
    def test_a_backend_that_cannot_be_loaded_has_failed(
        self, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", name)

        with pytest.raises(KeyringUnavailable, match="PYTHON_KEYRING_BACKEND names a keyring that is not") as refused:
            KeyringClient(LONG).get("service", "user")
        assert refused.value.problem == KeyringUnavailable.FAILED
        doctor(None, as_json=True)
        told = {one["name"]: one["text"] for one in json.loads(capsys.readouterr().out)}
        assert told["keyring"].endswith("Correct or remove it."), "and nothing about another login"

    def test_a_blank_names_no_backend(self, use: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
        use(MemoryKeyring())
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "\r")

        assert KeyringClient(LONG).backend_name() == "tests.doubles.MemoryKeyring"

    def test_a_chain_without_links_does_not_crash(
        self, use: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(chainer.ChainerBackend, "backends", [])
        use(chainer.ChainerBackend())

        assert problem_of(lambda: KeyringClient(LONG).get("service", "user")) in {
            KeyringUnavailable.MISSING,
            KeyringUnavailable.FAILED,
        }


class TestFailure:
    @pytest.mark.parametrize("raised", [RuntimeError("secret text"), OSError(5, "secret text"), SystemExit(1)])
    def test_whatever_a_backend_raises_is_a_failed_keyring(self, raised: Any, use: Callable[..., Any]) -> None:
        use(MemoryKeyring()).broken = raised

        with pytest.raises(KeyringUnavailable) as caught:
            KeyringClient(LONG).get("service", "user")

        assert caught.value.problem == KeyringUnavailable.FAILED
        assert "secret text" not in str(caught.value)

    def test_no_thread_for_the_call_is_one_too_until_there_is_one(self, use: Callable[..., Any]) -> None:
        use(MemoryKeyring())
        keyring_client = KeyringClient(LONG)
        for _ in range(2):
            with no_more_threads():
                assert problem_of(lambda: keyring_client.get("service", "user")) == KeyringUnavailable.FAILED

        assert keyring_client.get("service", "user") is None

    def test_the_next_call_is_made_all_the_same(self, use: Callable[..., Any]) -> None:
        backend = use(MemoryKeyring())
        keyring_client = KeyringClient(LONG)
        backend.broken = RuntimeError()
        problem_of(lambda: keyring_client.get("service", "user"))

        backend.broken = None

        assert keyring_client.get("service", "user") is None

    def test_a_keychain_that_may_not_ask_its_user_is_out_of_reach(
        self, use: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Over ssh: no other file is written beside the token that the Keychain has."""

        class Refusing(MemoryKeyring):
            def get_password(self, service: str, username: str) -> Any:
                status = ValueError(-25308, "Unknown Error")
                raise keyring.errors.KeyringError("Can't get password from keychain") from status

        use(Refusing())
        with pytest.raises(KeyringUnavailable, match="security unlock-keychain") as refused:
            KeyringClient().get("service", "name")
        assert refused.value.problem == KeyringUnavailable.UNREACHABLE

        monkeypatch.setattr(sys, "platform", "darwin")
        for profile in ("default", "swing"):
            with pytest.raises(KeysMissing, match="security unlock-keychain"):
                find_keys(profile, "real", {}, KeyringClient())

    def test_a_failed_set_does_not_carry_the_value(self, use: Callable[..., Any]) -> None:
        use(MemoryKeyring()).broken = RuntimeError("x")

        with pytest.raises(KeyringUnavailable) as caught:
            KeyringClient(LONG).set("service", "user", "value-of-a-test")

        assert "value-of-a-test" not in f"{caught.value!r}{caught.value}{caught.value.values}"

    def test_windows_refuses_before_the_call_what_its_vault_cannot_take(
        self, use: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        backend = use(MemoryKeyring())
        monkeypatch.setattr(vault_module.sys, "platform", "win32")  # type: ignore[attr-defined]

        assert (
            problem_of(lambda: KeyringClient(LONG).set("service", "user", "x" * 1281)) == KeyringUnavailable.TOO_SMALL
        )
        assert backend.calls == 0


class TestUnlock:
    def test_of_a_keyring_that_asks_nobody_is_done_at_once(self, use: Callable[..., Any]) -> None:
        backend = use(MemoryKeyring())

        KeyringClient(LONG).unlock()

        assert backend.calls == 0

    def test_of_a_keyring_that_has_failed_says_so(
        self, use: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        use(null.Keyring())

        assert problem_of(KeyringClient(LONG).unlock) == KeyringUnavailable.MISSING

    def test_a_call_from_before_the_question_is_told_of_it(self, hanging: HangingKeyring) -> None:
        keyring_client = KeyringClient(3.0)
        problems: list[str] = []
        threads = [
            threading.Thread(target=lambda: problems.append(problem_of(lambda: keyring_client.get("service", "user")))),
            threading.Thread(target=keyring_client.unlock),
        ]
        threads[0].start()
        assert hanging.entered.wait(30)
        threads[1].start()
        threads[0].join()

        assert problems == [KeyringUnavailable.ASKING]
        assert problem_of(lambda: keyring_client.get("service", "user")) == KeyringUnavailable.ASKING
        hanging.release.set()
        threads[1].join()
        assert keyring_client.get("service", "user") is None


class TestHang:
    def test_the_first_call_is_told_after_the_deadline(self, hanging: HangingKeyring) -> None:
        assert problem_of(lambda: KeyringClient(SHORT).get("service", "user")) == KeyringUnavailable.SILENT

    def test_everybody_else_is_told_without_a_wait(self, hanging: HangingKeyring) -> None:
        keyring_client = KeyringClient(SHORT)
        problem_of(lambda: keyring_client.get("service", "user"))
        keyring_client._deadline = LONG

        started = time.monotonic()
        for _ in range(20):
            problem_of(lambda: keyring_client.get("service", "user"))

        assert time.monotonic() - started < LONG / 3

    def test_all_goes_on_when_it_is_back(self, hanging: HangingKeyring) -> None:
        keyring_client = KeyringClient(SHORT)
        problem_of(lambda: keyring_client.get("service", "user"))

        hanging.release.set()

        wait_until(answers_again(keyring_client))

    def test_a_call_that_was_given_up_before_it_began_is_never_made(self, hanging: HangingKeyring) -> None:
        keyring_client = KeyringClient(SHORT)
        first = threading.Thread(target=lambda: problem_of(lambda: keyring_client.get("service", "user")))
        first.start()
        hanging.entered.wait(30)
        problem_of(lambda: keyring_client.set("service", "late", "value"))
        first.join()

        hanging.release.set()
        wait_until(answers_again(keyring_client))

        assert ("service", "late") not in hanging.entries

    def test_many_that_wait_at_once_are_all_told(self, hanging: HangingKeyring) -> None:
        keyring_client = KeyringClient(SHORT)
        problems = []
        threads = [
            threading.Thread(target=lambda: problems.append(problem_of(lambda: keyring_client.get("service", "user"))))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert problems == [KeyringUnavailable.SILENT] * 8

    def test_many_that_gave_up_leave_it_usable(self, hanging: HangingKeyring) -> None:
        keyring_client = KeyringClient(SHORT)
        threads = [
            threading.Thread(target=lambda: problem_of(lambda: keyring_client.get("service", "user"))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        hanging.release.set()

        wait_until(answers_again(keyring_client))


LOADS = """
import platform, sys, threading
sys.path.insert(0, {root!r})

def asked(*_, **__):
    sys.stdout.write("asked\\n")
    threading.Event().wait()

for name in ("win32_ver", "_syscmd_ver", "_wmi_query"):
    setattr(platform, name, asked)
from tray_app.stores.keyring_client import KeyringClient
print(KeyringClient().get("kiwoom-token-tray-test", "nobody"), platform._uname_cache)
"""


@pytest.mark.skipif(sys.platform != "win32", reason="elsewhere the question costs nothing")
def test_windows_is_never_asked_for_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may take WMI for ever to answer."""
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")

    done = subprocess.run(
        [sys.executable, "-c", LOADS.format(root=str(ROOT))], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.stdout, done.stderr, done.returncode) == ("None None\n", "", 0)


STORES = """
import sys
sys.path.insert(0, {root!r})
from tray_app.stores.keyring_client import KeyringClient
keyring_client, service, name = KeyringClient(30), "kiwoom-token-tray-test", sys.argv[1]
lost = 0
for number in range(20):
    keyring_client.set(service, name, str(number))
    lost += keyring_client.get(service, name) != str(number)
print(lost)
"""


@pytest.mark.skipif(sys.platform != "win32", reason="elsewhere each entry is by itself")
def test_none_of_many_profiles_that_are_stored_at_once_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    names = [f"profile-{number}" for number in range(4)]
    command = [sys.executable, "-c", STORES.format(root=str(ROOT))]
    programs = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in names]

    lost = [program.communicate()[0].strip() for program in programs]

    keyring_client = KeyringClient(LONG)
    assert lost == ["0"] * 4
    assert [keyring_client.get("kiwoom-token-tray-test", name) for name in names] == ["19"] * 4
    for name in names:
        keyring_client.delete("kiwoom-token-tray-test", name)


@pytest.mark.skipif(sys.platform != "win32", reason="elsewhere each entry is by itself")
@pytest.mark.parametrize("profile", ["default", "vault"])
def test_the_lock_of_the_vault_is_no_profiles(
    profile: str, use: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    use(MemoryKeyring())
    with ProfileLock(os.path.join(shared_state_dir(), f"{profile}.lock")):
        KeyringClient(1.0).set("service", "user", "text")
    assert not caplog.records


def test_an_import_that_never_ends_is_a_keyring_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    forever = threading.Event()
    monkeypatch.setattr(vault_module, "_load", forever.wait)
    monkeypatch.setattr(vault_module, "LOADING_SECONDS", SHORT)

    assert problem_of(lambda: KeyringClient(LONG).get("service", "user")) == KeyringUnavailable.SILENT

    forever.set()


HANG = """
import sys, threading
sys.path.insert(0, {root!r})
import keyring
from tests.doubles import MemoryKeyring
from tray_app.cli.doctor import doctor
from tray_app.core.errors import KeyringUnavailable, KeysMissing
from tray_app.kiwoom.keys import find_keys
from tray_app.stores.keyring_client import KeyringClient, shared_keyring_client

class Hangs(MemoryKeyring):
    def get_password(self, service, username):
        threading.Event().wait()

keyring.set_keyring(Hangs())
"""


def run(code: str, *, timeout: float = 60) -> subprocess.CompletedProcess:  # type: ignore[type-arg]
    return subprocess.run(
        [sys.executable, "-c", HANG.format(root=str(ROOT)) + code],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_a_call_that_hangs_does_not_hold_up_the_end_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    done = run(
        """
try:
    KeyringClient(0.05).get("service", "user")
except KeyringUnavailable as error:
    print(error.problem)
"""
    )

    assert (done.stdout, done.stderr, done.returncode) == ("silent\n", "", 0)


SLOW_IMPORT = """
import time
began = threading.Event()

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name in {"keyring.backends.SecretService", "keyring.backends.Windows", "keyring.backends.macOS"}:
            began.set()
            time.sleep(4)
            print("imported", flush=True)

sys.meta_path.insert(0, Slow())
"""


def test_a_slow_import_is_no_part_of_a_calls_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    done = run(
        SLOW_IMPORT
        + """
class Own(MemoryKeyring):
    pass

Own.__module__, Own.__qualname__ = "keyring.backends.macOS", "Keyring"
keyring.set_keyring(Own())
print(KeyringClient(3).get("service", "user"))
"""
    )

    assert (done.stdout, done.stderr) == ("imported\nNone\n", "")


def test_the_process_ends_after_an_import_that_is_under_way() -> None:
    done = run(
        SLOW_IMPORT
        + """
threading.Thread(target=shared_keyring_client().load, daemon=True).start()
began.wait(30)
"""
    )

    assert (done.stdout, done.stderr, done.returncode) == ("imported\n", "", 0)


@pytest.mark.posix
def test_a_signals_handler_may_ask_while_its_thread_waits_for_an_answer(hanging: HangingKeyring) -> None:
    keyring_client = KeyringClient(LONG)
    hanging.entries["service", "user"] = "value"
    answers = []

    def handler(*_: Any) -> None:
        hanging.release.set()
        answers.append(keyring_client.get("service", "user"))

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        answers.append(keyring_client.get("service", "user"))
    finally:
        signal.signal(signal.SIGALRM, before)

    assert answers == ["value", "value"]


@pytest.mark.posix
def test_a_forked_child_asks_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    done = run(
        """
import os
client = shared_keyring_client()
client._deadline = 0.05
try:
    client.get("service", "user")
except KeyringUnavailable as error:
    print(error.problem, flush=True)
child = os.fork()
if child == 0:
    keyring.set_keyring(MemoryKeyring())
    client._deadline = 30
    client.set("service", "user", "value")
    print(client.get("service", "user"), flush=True)
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""
    )

    assert (done.stdout, done.returncode) == ("silent\nvalue\n0\n", 0)


def test_nothing_of_a_keyring_is_loaded_before_the_first_call() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import tray_app.stores.keyring_client; "
        "print([name for name in sys.modules if name.partition('.')[0] in {'keyring', 'secretstorage'}])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
