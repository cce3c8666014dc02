"""The Secret Service on a bus of one test's own: a real gnome-keyring, and KeePassXC's questions."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import keyring.core
import pytest

from tests.doubles import Clock
from tray_app.core.errors import KeyringUnavailable, Remedy
from tray_app.core.token import Token, token_for
from tray_app.service.composition import open_store
from tray_app.settings.load import Settings, load_settings
from tray_app.stores.keyring_client import KeyringClient
from tray_app.system import session_bus, user_folders

if TYPE_CHECKING:
    from tests.keepassxc import KeePassXC

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no Secret Service")

LONG = 30.0
PASSWORD = b"open sesame"
SESSION_COLLECTION = "/org/freedesktop/secrets/collection/session"
LOGIN_COLLECTION = "/org/freedesktop/secrets/collection/login"
NAMES = ("kiwoom-token-tray", "default")


@pytest.fixture
def bus(short_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A session bus at its usual place, which the environment does not name, as under cron and ssh."""
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_tmp))
    monkeypatch.setenv("XDG_DATA_DIRS", str(short_tmp / "share"))
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    address = f"unix:path={short_tmp}/bus"
    config = short_tmp / "bus.conf"
    config.write_text(  # one that starts no other keyring by itself
        f"<busconfig><type>session</type><listen>{address}</listen><auth>EXTERNAL</auth><policy context='default'>"
        "<allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/><allow own='*'/></policy></busconfig>"
    )
    if shutil.which("dbus-daemon") is None:
        pytest.skip("no dbus-daemon here")
    with running_bus(address):
        yield address


@contextlib.contextmanager
def running_bus(address: str) -> Iterator[None]:
    config = address.removeprefix("unix:path=") + ".conf"
    command = ["dbus-daemon", "--nofork", f"--config-file={config}", "--print-address=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as daemon:
        assert daemon.stdout
        assert daemon.stdout.readline()
        try:
            yield
        finally:
            daemon.kill()


@pytest.fixture
def gnome_keyring(bus: str, short_tmp: Path) -> Iterator[str]:
    program = shutil.which("gnome-keyring-daemon")
    if program is None:
        pytest.skip("no gnome-keyring here")
    with subprocess.Popen(
        [program, "--foreground", "--unlock", "--components=secrets"],
        env={**os.environ, "DBUS_SESSION_BUS_ADDRESS": bus},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as daemon:
        assert daemon.stdin
        daemon.stdin.write(PASSWORD)
        daemon.stdin.close()
        until(lambda: problem_of(KeyringClient(LONG).check) == "")
        yield bus
        daemon.kill()


@pytest.fixture
def keepassxc(bus: str) -> Iterator[KeePassXC]:
    from tests.keepassxc import KeePassXC

    with KeePassXC(bus) as one:
        yield one


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def problem_of(act: Callable[[], object]) -> str:
    try:
        act()
    except KeyringUnavailable as error:
        return error.problem
    return ""


def cancel_the_password(*_: object) -> None:
    """Do as a user who closes the window that asks for the password of a new keyring."""
    import secretstorage

    raise secretstorage.PromptDismissedException


def lock(address: str) -> None:
    call(address, "Lock", LOGIN_COLLECTION)


def call(address: str, method: str, path: str) -> None:
    from tests.desktop.bus import Bus

    bus = Bus(address)
    bus.call(
        "org.freedesktop.secrets", "/org/freedesktop/secrets", "org.freedesktop.Secret.Service", method, "ao", [path]
    )
    bus.close()


@pytest.mark.parametrize("step", ["is_locked", "get_secret", "delete"])
def test_an_entry_that_another_program_deletes_meanwhile_is_a_missing_one(
    gnome_keyring: str, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Else the keyring would count as broken, and a cleared token as one that it hides."""
    import secretstorage

    client = KeyringClient(LONG)
    client.set(*NAMES, "a token")
    untouched = getattr(secretstorage.Item, step)

    def deleted_first(item: secretstorage.Item) -> object:
        monkeypatch.setattr(secretstorage.Item, step, untouched)
        with contextlib.closing(secretstorage.dbus_init()) as connection:
            for same in secretstorage.get_default_collection(connection).search_items(item.get_attributes()):
                same.delete()
        return untouched(item)

    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", gnome_keyring)
    monkeypatch.setattr(secretstorage.Item, step, deleted_first)
    if step == "delete":
        assert client.delete(*NAMES)
    else:
        assert client.get(*NAMES) is None
    assert client.get(*NAMES) is None


def unlock_as_the_login_does(address: str) -> None:
    from tests.desktop import secret_service
    from tests.desktop.bus import Bus

    bus = Bus(address)
    secret_service.unlock_silently(bus, PASSWORD.decode())
    bus.close()


def settings(store: str) -> Settings:
    return load_settings("default", store=store)


def a_token(value: str = "a-token-of-a-test", seconds: float = 86400) -> Token:
    return token_for(value, seconds, time.time())


class TestWithoutTheSessionsEnvironment:
    def test_the_bus_at_its_usual_place_is_used_and_the_environment_left_alone(self, gnome_keyring: str) -> None:
        before = dict(os.environ)
        keyring_client = KeyringClient(LONG)

        keyring_client.set(*NAMES, "value")

        assert KeyringClient(LONG).get(*NAMES) == "value"
        keyring_client.delete(*NAMES)
        keyring_client.delete(*NAMES)
        assert keyring_client.get(*NAMES) is None
        assert keyring_client.backend_name() == "keyring.backends.SecretService.Keyring"
        assert dict(os.environ) == before

    def test_so_it_is_without_a_runtime_folder_named(
        self, gnome_keyring: str, short_tmp: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("XDG_RUNTIME_DIR")
        monkeypatch.setattr(user_folders, "RUNTIME_FOLDERS", str(short_tmp / "user"))
        (short_tmp / "user").mkdir()
        (short_tmp / "user" / str(os.geteuid())).symlink_to(short_tmp)

        KeyringClient(LONG).check()

    def test_what_is_no_socket_is_no_bus(self, short_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_tmp))
        (short_tmp / "bus").touch()

        assert session_bus.session_bus_address({"XDG_RUNTIME_DIR": str(short_tmp)}) == ""

    def test_entries_are_those_that_keyring_itself_has(
        self, gnome_keyring: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from keyring.backends.SecretService import Keyring

        KeyringClient(LONG).set(*NAMES, "of ours")
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", gnome_keyring)
        assert Keyring().get_password(*NAMES) == "of ours"
        Keyring().set_password(*NAMES, "of keyring")

        assert KeyringClient(LONG).get(*NAMES) == "of keyring"


class TestNamed:
    def test_by_the_environment_it_is_used(self, gnome_keyring: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.SecretService.Keyring")

        KeyringClient(LONG).set(*NAMES, "value")

        assert KeyringClient(LONG).get(*NAMES) == "value"

    def test_in_the_chain_of_the_host_program_it_is_used(
        self, gnome_keyring: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from keyring.backends import SecretService, chainer

        monkeypatch.setattr(chainer.ChainerBackend, "backends", [SecretService.Keyring()])
        keyring.set_keyring(chainer.ChainerBackend())

        assert KeyringClient(LONG).backend_name() == "keyring.backends.SecretService.Keyring"


@pytest.mark.parametrize("named", ["unix:path=/nowhere", "unix:abstract=nowhere", "unix:runtime=yes", " ", '"{}"\r'])
def test_an_address_at_which_nobody_is_leads_to_the_bus_at_its_usual_place(
    named: str, gnome_keyring: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", named.format(gnome_keyring))
    token = a_token()

    open_store(settings("auto")).write(token)

    read = open_store(settings("keyring")).read()
    assert read is not None
    assert read.value == token.value
    assert not (tmp_path / "data" / ".token").exists()


@pytest.mark.parametrize("named", ["", "unix:path=/nowhere"])
def test_outside_the_session_a_keyring_that_was_used_and_is_not_started_is_out_of_reach(
    named: str, bus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keyring.backends.SecretService import Keyring

    from tray_app.stores.secret_service import Permissions, SecretService

    def problem(*, was_used: bool) -> str:
        return problem_of(SecretService(Keyring(), Permissions(), lambda: was_used).check)

    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", named)
    assert problem(was_used=True) == KeyringUnavailable.UNREACHABLE
    assert problem(was_used=False) == KeyringUnavailable.MISSING

    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
    assert problem(was_used=True) == KeyringUnavailable.MISSING


@pytest.mark.parametrize("nothing", ["/dev/null", "unix:path=/dev/null", "disabled:"])
def test_who_wants_no_bus_has_no_keyring(nothing: str, gnome_keyring: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", nothing)

    assert problem_of(KeyringClient(LONG).check) == KeyringUnavailable.MISSING


def test_each_address_of_a_list_is_tried(gnome_keyring: str, monkeypatch: pytest.MonkeyPatch, short_tmp: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_tmp / "nothing"))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path=/nowhere;{gnome_keyring}")

    assert problem_of(KeyringClient(LONG).check) == ""


class TestOutOfReach:
    @pytest.fixture
    def hide(self, gnome_keyring: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
        """Takes the way to the bus away, and what shows that this computer has a keyring."""

        def hidden() -> None:
            monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "nothing"))
            monkeypatch.setattr("tray_app.stores.secret_service.DATA_FOLDERS", str(tmp_path / "share"))

        return hidden

    def test_that_is_said_and_not_that_there_is_none(self, hide: Callable[[], None], tmp_path: Path) -> None:
        hide()
        assert problem_of(KeyringClient(LONG).check) == KeyringUnavailable.MISSING
        service = tmp_path / "share/dbus-1/services/org.freedesktop.secrets.service"
        service.parent.mkdir(parents=True)
        service.touch()

        with pytest.raises(KeyringUnavailable, match=r"cannot be reached from here.*share_token_file.*enable-linger"):
            KeyringClient(LONG).get(*NAMES)

    def test_no_plain_text_is_written_beside_a_valid_token_in_it(
        self, hide: Callable[[], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        open_store(settings("auto")).write(a_token())
        hide()
        store = open_store(settings("auto"))

        assert problem_of(store.read) == KeyringUnavailable.UNREACHABLE
        assert problem_of(lambda: store.write(a_token("another"))) == KeyringUnavailable.UNREACHABLE
        assert not (tmp_path / "data" / ".token").exists()

    def test_the_copy_in_the_file_is_read(self, hide: Callable[[], None], tmp_path: Path) -> None:
        from tray_app.stores.file import FileStore
        from tray_app.stores.lock import ThreadLock

        token = a_token()
        open_store(settings("auto")).write(token)
        FileStore(str(tmp_path / "data" / ".token"), ThreadLock()).write(token)
        hide()

        read = open_store(settings("auto").replace(share_token_file=True)).read()

        assert read is not None
        assert read.value == token.value

    def test_once_that_token_has_expired_or_was_cleared_the_file_serves(
        self, hide: Callable[[], None], tmp_path: Path
    ) -> None:
        clock = Clock(time.time())
        open_store(settings("auto"), clock).write(a_token(seconds=600))
        hide()
        clock.advance(700)

        open_store(settings("auto"), clock).write(token_for("another", 600, clock()))

        assert (tmp_path / "data" / ".token").exists()

    def test_keys_are_not_called_missing(self, hide: Callable[[], None]) -> None:
        from tray_app.core.errors import KeysMissing
        from tray_app.kiwoom.keys import find_keys

        KeyringClient(LONG).set("kiwoom-real", "appkey", "an-app-key")
        open_store(settings("auto")).write(a_token())
        hide()

        with pytest.raises(KeysMissing, match="cannot be reached from here"):
            find_keys("default", "real", {}, KeyringClient(LONG))


class TestLocked:
    def test_another_collection_that_the_environment_prefers_is_used(
        self, gnome_keyring: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lock(gnome_keyring)
        assert problem_of(KeyringClient(LONG).check) == KeyringUnavailable.LOCKED
        monkeypatch.setenv("KEYRING_PROPERTY_PREFERRED_COLLECTION", SESSION_COLLECTION)

        KeyringClient(LONG).set(*NAMES, "value")

        assert KeyringClient(LONG).get(*NAMES) == "value"
        monkeypatch.delenv("KEYRING_PROPERTY_PREFERRED_COLLECTION")
        assert problem_of(KeyringClient(LONG).check) == KeyringUnavailable.LOCKED

    @pytest.mark.parametrize("preferred", ["", " ", '""', f'"{LOGIN_COLLECTION}"\r'])
    def test_a_blank_prefers_none_and_quotes_are_dropped(
        self, gnome_keyring: str, monkeypatch: pytest.MonkeyPatch, preferred: str
    ) -> None:
        monkeypatch.setenv("KEYRING_PROPERTY_PREFERRED_COLLECTION", preferred)

        KeyringClient(LONG).check()

    @pytest.mark.parametrize("preferred", ["/org/freedesktop/secrets/collection/no_such", "no path"])
    def test_a_preferred_collection_that_is_not_there_is_named_as_the_cause(
        self, gnome_keyring: str, monkeypatch: pytest.MonkeyPatch, preferred: str
    ) -> None:
        monkeypatch.setenv("KEYRING_PROPERTY_PREFERRED_COLLECTION", preferred)

        with pytest.raises(KeyringUnavailable, match="KEYRING_PROPERTY_PREFERRED_COLLECTION"):
            KeyringClient(LONG).check()
        with pytest.raises(KeyringUnavailable, match="KEYRING_PROPERTY_PREFERRED_COLLECTION"):
            KeyringClient(LONG).set(*NAMES, "value")

    def test_asking_it_again_and_again_costs_no_file_descriptors(self, gnome_keyring: str) -> None:
        keyring_client = KeyringClient(LONG)
        lock(gnome_keyring)
        problem_of(keyring_client.check)
        before = len(os.listdir("/proc/self/fd"))

        problems = {problem_of(lambda: keyring_client.get(*NAMES)) for _ in range(15)}
        problems |= {problem_of(lambda: keyring_client.set(*NAMES, "value")) for _ in range(15)}

        assert problems == {KeyringUnavailable.LOCKED}
        assert len(os.listdir("/proc/self/fd")) <= before, "others may have closed some of theirs"

    def test_unlocked_by_somebody_else_it_works(self, gnome_keyring: str) -> None:
        keyring_client = KeyringClient(LONG)
        keyring_client.set(*NAMES, "value")
        lock(gnome_keyring)
        assert problem_of(lambda: keyring_client.get(*NAMES)) == KeyringUnavailable.LOCKED

        unlock_as_the_login_does(gnome_keyring)

        assert keyring_client.get(*NAMES) == "value"


class TestFailure:
    def test_a_bus_that_does_not_answer_is_a_silent_keyring(
        self, short_tmp: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tray_app.stores.secret_service.CALL_SECONDS", 0.2)
        monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
        monkeypatch.setattr(keyring.core, "_keyring_backend", None)
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={short_tmp}/silent")
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(f"{short_tmp}/silent")
            silent.listen()

            assert problem_of(lambda: KeyringClient(LONG).get(*NAMES)) == KeyringUnavailable.SILENT

    @pytest.mark.parametrize(
        ("error", "problem"),
        [
            ("org.freedesktop.Secret.Error.IsLocked", KeyringUnavailable.LOCKED),
            ("org.freedesktop.DBus.Error.NoReply", KeyringUnavailable.SILENT),
            ("org.freedesktop.DBus.Error.NoMemory", KeyringUnavailable.FAILED),
        ],
    )
    def test_a_refusal_is_told_by_its_name(self, error: str, problem: str, keepassxc: KeePassXC) -> None:
        keepassxc.store(*NAMES, "value")
        keepassxc.never_asks = True
        keepassxc.error = error
        keyring_client = KeyringClient(LONG)

        assert problem_of(lambda: keyring_client.get(*NAMES)) == problem

        keepassxc.error = ""
        assert keyring_client.get(*NAMES) == "value"

    def test_a_permission_ends_with_the_bus_and_can_be_had_again(self, bus: str) -> None:
        from tests.keepassxc import KeePassXC

        address = f"{bus}2"
        Path(address.removeprefix("unix:path=") + ".conf").write_text(
            Path(bus.removeprefix("unix:path=") + ".conf").read_text().replace(bus, address)
        )
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = address
        keyring_client = KeyringClient(LONG)
        for _ in range(2):
            with running_bus(address), KeePassXC(address) as keepassxc:
                keepassxc.store(*NAMES, "value")
                assert problem_of(lambda: keyring_client.get(*NAMES)) == KeyringUnavailable.ASKING
                asked = threading.Thread(target=keyring_client.unlock)
                asked.start()
                until(lambda: keepassxc.open)
                keepassxc.allow()
                asked.join(LONG)
                assert keyring_client.get(*NAMES) == "value"
        assert problem_of(lambda: keyring_client.get(*NAMES)) == KeyringUnavailable.MISSING


class TestDatabaseThatIsClosed:
    @pytest.fixture
    def closed(self, keepassxc: KeePassXC) -> KeePassXC:
        keepassxc.store(*NAMES, "value")
        keepassxc.never_asks = keepassxc.is_locked = True
        return keepassxc

    def test_is_not_opened_by_a_read_or_write(self, closed: KeePassXC) -> None:
        keyring_client = KeyringClient(LONG)

        assert problem_of(keyring_client.check) == KeyringUnavailable.LOCKED
        assert problem_of(lambda: keyring_client.get(*NAMES)) == KeyringUnavailable.LOCKED
        assert problem_of(lambda: keyring_client.set(*NAMES, "another")) == KeyringUnavailable.LOCKED
        assert (closed.asked, closed.value(*NAMES)) == (0, "value")

    @pytest.mark.parametrize("is_opened", [True, False])
    def test_is_opened_by_its_user_or_not(self, closed: KeePassXC, *, is_opened: bool) -> None:
        keyring_client = KeyringClient(LONG)
        problems: list[str] = []
        asked = threading.Thread(target=lambda: problems.append(problem_of(keyring_client.unlock)))
        asked.start()
        until(lambda: closed.open)

        closed.allow() if is_opened else closed.deny()
        asked.join(LONG)

        assert problems == ["" if is_opened else KeyringUnavailable.LOCKED]
        assert problem_of(lambda: keyring_client.get(*NAMES)) == problems[0]

    def test_that_nobody_opens_is_asked_about_no_longer(
        self, closed: KeePassXC, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tray_app.stores.keyring_client.UNLOCK_SECONDS", 0.3)
        keyring_client = KeyringClient(LONG)

        assert problem_of(keyring_client.unlock) != ""

        until(lambda: closed.asked and not closed.open)


def test_a_keyring_that_was_never_used_is_locked_and_nothing_is_made_in_it(
    bus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = shutil.which("gnome-keyring-daemon")
    if program is None:
        pytest.skip("no gnome-keyring here")
    with subprocess.Popen(
        [program, "--foreground", "--components=secrets"],
        env={**os.environ, "DBUS_SESSION_BUS_ADDRESS": bus},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as daemon:
        try:
            until(lambda: problem_of(KeyringClient(LONG).check) == KeyringUnavailable.LOCKED)

            assert problem_of(lambda: KeyringClient(LONG).set(*NAMES, "value")) == KeyringUnavailable.LOCKED
            assert problem_of(KeyringClient(LONG).check) == KeyringUnavailable.LOCKED

            monkeypatch.setattr("secretstorage.get_default_collection", cancel_the_password)
            assert problem_of(KeyringClient(LONG).unlock) == KeyringUnavailable.LOCKED
        finally:
            daemon.kill()


class TestPermission:
    def test_is_never_asked_for_by_a_read_or_write_and_is_said_to_be_needed(self, keepassxc: KeePassXC) -> None:
        keepassxc.store(*NAMES, "value")
        keyring_client = KeyringClient(LONG)
        assert problem_of(keyring_client.check) == ""
        assert not keyring_client.wants_permission()

        for _ in range(5):
            with pytest.raises(KeyringUnavailable, match="asking for permission") as raised:
                keyring_client.get(*NAMES)
            assert raised.value.remedy == Remedy.UNLOCK_KEYRING
            assert problem_of(lambda: keyring_client.set(*NAMES, "another")) == KeyringUnavailable.ASKING

        assert keyring_client.wants_permission()
        assert keepassxc.asked == 0
        assert keepassxc.value(*NAMES) == "value"

    def test_is_asked_for_once_however_many_want_it_and_lasts(self, keepassxc: KeePassXC) -> None:
        keepassxc.store(*NAMES, "value")
        keyring_client = KeyringClient(LONG)
        problem_of(lambda: keyring_client.get(*NAMES))
        threads = [threading.Thread(target=keyring_client.unlock) for _ in range(3)]
        for thread in threads:
            thread.start()
        until(lambda: keepassxc.open)
        assert problem_of(lambda: keyring_client.get(*NAMES)) == KeyringUnavailable.ASKING

        keepassxc.allow()
        for thread in threads:
            thread.join(LONG)

        assert [keyring_client.get(*NAMES) for _ in range(3)] == ["value"] * 3
        keyring_client.set(*NAMES, "another")
        assert keyring_client.get(*NAMES) == "another"
        assert keepassxc.asked == 1
        assert keepassxc.most_open == 1

    def test_that_was_denied_is_said_and_may_be_asked_for_again(self, keepassxc: KeePassXC) -> None:
        keepassxc.store(*NAMES, "value")
        keyring_client = KeyringClient(LONG)
        problem_of(lambda: keyring_client.get(*NAMES))
        problems: list[str] = []
        asked = threading.Thread(target=lambda: problems.append(problem_of(keyring_client.unlock)))
        asked.start()
        until(lambda: keepassxc.open)
        keepassxc.deny()
        asked.join(LONG)
        assert problems == [KeyringUnavailable.ASKING]

        again = threading.Thread(target=keyring_client.unlock)
        again.start()
        until(lambda: keepassxc.open)
        keepassxc.allow()
        again.join(LONG)

        assert keyring_client.get(*NAMES) == "value"

    def test_a_deletion_that_is_asked_about_leaves_no_question_on_the_screen(self, keepassxc: KeePassXC) -> None:
        keepassxc.store(*NAMES, "value")
        keepassxc.never_asks = True

        assert problem_of(lambda: KeyringClient(LONG).delete(*NAMES)) == KeyringUnavailable.ASKING

        until(lambda: not keepassxc.open)
        assert keepassxc.value(*NAMES) == "value"

    @pytest.mark.parametrize("store", ["auto", "keyring"])
    def test_is_not_got_round_by_plain_text(self, store: str, keepassxc: KeePassXC, tmp_path: Path) -> None:
        keepassxc.store(*NAMES, "value")
        opened = open_store(settings(store))

        assert problem_of(opened.read) == KeyringUnavailable.ASKING
        assert problem_of(lambda: opened.write(a_token())) == KeyringUnavailable.ASKING

        assert not (tmp_path / "data" / ".token").exists()

    def test_a_new_entry_needs_none(self, keepassxc: KeePassXC) -> None:
        KeyringClient(LONG).set(*NAMES, "value")

        assert keepassxc.value(*NAMES) == "value"
