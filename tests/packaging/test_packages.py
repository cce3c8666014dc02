"""What packages are made from: the lock, the installers' scripts, the manifests, the self-test."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import time
import tomllib
from contextlib import closing, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.conftest import ROOT
from tests.scripts import load_script
from tray_app import TokenManager
from tray_app.cli.self_test import import_modules, run_checks
from tray_app.history.database import flush_history

PACKAGING = ROOT / "packaging"


# ------------------------------------------------------------------------------------------------------------ the lock


def locked() -> dict[str, list[Requirement]]:
    text = (PACKAGING / "requirements-lock.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.partition(" --hash")[0] for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    found: dict[str, list[Requirement]] = {}
    for one in map(Requirement, lines):
        found.setdefault(canonicalize_name(one.name), []).append(one)
    return found


def test_lock_has_all_that_the_program_asks_for_in_a_version_that_it_takes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = [
        *project["dependencies"],
        *(one for extra in ("tray", "redis", "encryption", "socks") for one in extras[extra]),
    ]
    asked += [line for line in (PACKAGING / "requirements.in").read_text().splitlines() if not line.startswith("#")]
    there = locked()
    for place in (
        {"sys_platform": system, "python_version": "3.13", "python_full_version": "3.13.0"}
        for system in ("linux", "win32", "darwin")
    ):
        for one in map(Requirement, asked):
            if one.marker is None or one.marker.evaluate(place):
                (found,) = [
                    each
                    for each in there[canonicalize_name(one.name)]
                    if each.marker is None or each.marker.evaluate(place)
                ]
                (exact,) = found.specifier
                assert exact.operator == "=="
                assert one.specifier.contains(exact.version), f"{one} is not {found}"


def test_everything_in_the_lock_has_hashes() -> None:
    text = (PACKAGING / "requirements-lock.txt").read_text(encoding="utf-8")
    blocks = [block for block in text.replace("\\\n", " ").splitlines() if block and not block.startswith((" ", "#"))]
    assert [block[:60] for block in blocks if "--hash=sha256:" not in block] == []


# ------------------------------------------------------------------------------------------------------- the self-test


def test_self_test_of_the_command_line_succeeds_here() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", "from tray_app.cli.main import run; run()", "--self-test"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert {line.split(":")[0] for line in done.stdout.splitlines()} >= {"ok TLS", "ok keyring", "ok translation"}


@pytest.mark.qt
def test_self_test_of_the_tray_succeeds_here() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tray_app"), "--self-test", "all"],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok windows (offscreen): drawn" in done.stdout.splitlines()


def test_one_failed_check_fails_the_self_test_and_the_others_are_run(capsys: pytest.CaptureFixture[str]) -> None:
    def missing() -> str:
        raise ModuleNotFoundError("No module named 'x'")

    assert run_checks({"first": missing, "second": lambda: "fine"}) == 1
    assert capsys.readouterr().out.splitlines() == [
        "FAILED first: ModuleNotFoundError: No module named 'x'",
        "ok second: fine",
    ]


@pytest.mark.parametrize("system", ["win32", "darwin", "linux"])
@pytest.mark.parametrize(("library", "user"), [("jeepney", "kwallet"), ("secretstorage", "secret_service")])
def test_self_test_misses_the_libraries_of_linux_there_alone(
    monkeypatch: pytest.MonkeyPatch, library: str, user: str, system: str
) -> None:
    wanted = {f"tray_app.stores.{user}", "tray_app.stores.redis_record"}
    monkeypatch.delitem(sys.modules, f"tray_app.stores.{user}", raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setattr("tray_app.cli.self_test.sys", SimpleNamespace(platform=system))

    with pytest.raises(ModuleNotFoundError) if system == "linux" else nullcontext():
        assert import_modules(wanted.__contains__) == "1 imported"


# ---------------------------------------------------------------------------------------------------- PATH on Windows


FOLDER = r"C:\Users\kim\AppData\Local\Programs\Kiwoom Token Tray"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", FOLDER),
        (r"C:\a", rf"C:\a;{FOLDER}"),
        (r"C:\a;", rf"C:\a;{FOLDER}"),
        (r"%USERPROFILE%\bin;;C:\a", rf"%USERPROFILE%\bin;;C:\a;{FOLDER}"),
        (rf"C:\a;{FOLDER.upper()}\;C:\b", rf"C:\a;{FOLDER.upper()}\;C:\b"),
        (rf'"{FOLDER}"', rf'"{FOLDER}"'),
        ("C:\\a;" * 2000, "C:\\a;" * 2000 + FOLDER),
    ],
)
def test_path_gets_the_folder_at_its_end_once(before: str, after: str) -> None:
    path = load_script("packaging/windows/installer_path.py")

    assert path.with_folder(before, FOLDER) == after
    assert path.with_folder(after, FOLDER) == after
    if before != after and not before.endswith(";"):
        assert path.without_folder(after, FOLDER) == before


def test_removing_leaves_every_other_entry_as_it_was_written() -> None:
    path = load_script("packaging/windows/installer_path.py")
    assert path.without_folder(rf"%X%\bin;{FOLDER}\;;C:\a;", FOLDER) == r"%X%\bin;;C:\a;"
    assert path.without_folder(r"C:\a;;", FOLDER) == r"C:\a;;"


class Registry:
    """A stand-in for `winreg` with one key."""

    HKEY_CURRENT_USER, KEY_READ, KEY_SET_VALUE, REG_SZ, REG_EXPAND_SZ, REG_BINARY = 1, 2, 4, 1, 2, 3

    def __init__(self, values: dict[str, tuple[object, int]]) -> None:
        self.values = values

    def CreateKeyEx(self, *_: object) -> Any:
        return self

    def __enter__(self) -> Registry:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def QueryValueEx(self, _key: object, name: str) -> tuple[object, int]:
        if name not in self.values:
            raise FileNotFoundError
        return self.values[name]

    def SetValueEx(self, _key: object, name: str, _reserved: int, kind: int, value: object) -> None:
        self.values[name] = (value, kind)

    def DeleteValue(self, _key: object, name: str) -> None:
        del self.values[name]


@pytest.mark.parametrize(
    ("values", "added", "removed"),
    [
        ({}, {"Path": (FOLDER, 2)}, {}),
        ({"Path": (r"C:\a", 1)}, {"Path": (rf"C:\a;{FOLDER}", 1)}, {"Path": (r"C:\a", 1)}),
        ({"Path": (r"%X%", 2)}, {"Path": (rf"%X%;{FOLDER}", 2)}, {"Path": ("%X%", 2)}),
    ],
)
def test_path_keeps_its_type_and_goes_when_it_was_not_there(
    monkeypatch: pytest.MonkeyPatch,
    values: dict[str, tuple[object, int]],
    added: dict[str, tuple[object, int]],
    removed: dict[str, tuple[object, int]],
) -> None:
    path = load_script("packaging/windows/installer_path.py")
    registry = Registry(dict(values))
    monkeypatch.setitem(sys.modules, "winreg", registry)
    monkeypatch.setattr(path, "_tell_everybody", lambda: None)

    assert path.run("add", FOLDER) == 0
    assert registry.values == added
    assert path.run("remove", FOLDER) == 0
    assert registry.values == removed


@pytest.mark.parametrize("value", [(b"\1", 3), ("C:\\a;" * 8000, 2)])
def test_a_path_that_cannot_be_changed_stays(monkeypatch: pytest.MonkeyPatch, value: tuple[object, int]) -> None:
    path = load_script("packaging/windows/installer_path.py")
    registry = Registry({"Path": value})
    monkeypatch.setitem(sys.modules, "winreg", registry)

    assert path.run("add", FOLDER) == 1
    assert registry.values == {"Path": value}


# --------------------------------------------------------------------------------------------------------------- Linux


def icu_block(items: dict[str, bytes]) -> bytes:
    """A block of data as ICU writes it."""
    header = struct.pack("<H", 32).ljust(32, b"\0")
    names, data, table = b"", b"", []
    names_at = 4 + 8 * len(items)
    data_at = names_at + sum(len(name) + 1 for name in items)
    data_at += -data_at % 16
    for name, item in items.items():
        table.append(struct.pack("<II", names_at + len(names), data_at + len(data)))
        names += name.encode() + b"\0"
        data += item.ljust(-(-len(item) // 16) * 16, b"\0")
    head = struct.pack("<I", len(items)) + b"".join(table) + names
    return header + head.ljust(data_at, b"\0") + data


def test_icu_keeps_korean_and_english_in_the_form_that_it_reads() -> None:
    kept = {"icudt73l/cnvalias.icu": b"aliases", "icudt73l/coll/ko.res": b"k" * 40, "icudt73l/root.res": b"r"}
    others = {"icudt73l/coll/zh.res": b"z" * 99, "icudt73l/ja.res": b"j", "icudt73l/zone/ko.res": b"t"}

    everything = icu_block(dict(sorted({**kept, **others}.items())))

    assert load_script("packaging/linux/icu.py").kept_items(everything) == icu_block(dict(sorted(kept.items())))


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """The folder of the Linux archive, with scripts in the place of the programs."""
    folder = tmp_path / "download" / "kiwoom-token-tray"
    for path in (
        "share/applications/kiwoom-token-tray.desktop",
        "share/icons/hicolor/256x256/apps/kiwoom-token-tray.png",
    ):
        (folder / path).parent.mkdir(parents=True)
    shutil.copy(ROOT / "resources" / "kiwoom-token-tray.desktop", folder / "share/applications")
    for path in ("256x256/apps/kiwoom-token-tray.png", "scalable/apps/kiwoom-token-tray.svg"):
        target = folder / "share/icons/hicolor" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    for name, place in (("kiwoom-token-tray.metainfo.xml", "metainfo"), ("kiwoom-token-watch.service", "systemd/user")):
        (folder / "share" / place).mkdir(parents=True)
        shutil.copy(PACKAGING / "linux" / name, folder / "share" / place)
    shutil.copy(PACKAGING / "linux" / "install.sh", folder)
    for name in ("kiwoom-token", "kiwoom-token-tray"):
        (folder / name).write_text("#!/bin/sh\nexit 0\n")
        (folder / name).chmod(0o755)
    return folder


def install(unpacked: Path, *arguments: str) -> None:
    subprocess.run([str(unpacked / "install.sh"), *arguments], capture_output=True, check=True)


@pytest.mark.posix
def test_linux_archive_installs_for_the_user_and_leaves_nothing_but_settings(
    unpacked: Path, private_places: Path
) -> None:
    home = Path(os.environ["HOME"])
    settings = Path(os.environ["XDG_CONFIG_HOME"]) / "kiwoom-token-tray" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("")

    install(unpacked)

    program = home / ".local/lib/kiwoom-token-tray/kiwoom-token-tray"
    assert (home / ".local/bin/kiwoom-token-tray").resolve() == program
    entry = (home / ".local/share/applications/kiwoom-token-tray.desktop").read_text(encoding="utf-8")
    assert f'\nExec="{program}"\n' in entry
    unit = Path(os.environ["XDG_CONFIG_HOME"]) / "systemd/user/kiwoom-token-watch.service"
    assert f'\nExecStart="{home}/.local/bin/kiwoom-token" watch\n' in unit.read_text(encoding="utf-8")
    (unpacked / "of-the-new-version").touch()
    (program.parent / "of-the-old-version").touch()
    install(unpacked)
    assert (program.parent / "of-the-new-version").exists()
    assert not (program.parent / "of-the-old-version").exists()

    install(unpacked, "--remove")

    left = [one for one in home.rglob("*") if one.is_file() and one.name != "mimeinfo.cache"]
    assert left == []
    assert settings.exists()


SYSTEMCTL = """#!/bin/sh
echo "$@" >>"$HOME/asked"
[ "$2" != show ] || printf 'MainPID=1\nId=other.service\n\nMainPID=%s\nId=watch-scalp.service\n' "$(cat "$HOME/unit")"
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the archive is for Linux")
@pytest.mark.parametrize(("arguments", "change"), [((), "try-restart"), (("--remove",), "stop")])
def test_units_of_any_name_are_restarted_or_stopped_and_a_watch_that_was_started_by_hand_is_named(
    unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], change: str
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "systemctl").write_text(SYSTEMCTL)
    (programs / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(programs), os.environ["PATH"]]))
    (unpacked / "kiwoom-token").unlink()
    shutil.copy(shutil.which("cat") or "", unpacked / "kiwoom-token")  # which waits for its input
    home = Path(os.environ["HOME"])
    (home / "unit").parent.mkdir(parents=True, exist_ok=True)
    install(unpacked)
    watch = [str(home / ".local/lib/kiwoom-token-tray/kiwoom-token"), "-", "watch", "-"]

    with (
        subprocess.Popen(watch, stdin=subprocess.PIPE) as by_hand,
        subprocess.Popen(watch, stdin=subprocess.PIPE) as of_a_unit,
    ):
        (home / "unit").write_text(str(of_a_unit.pid))
        command = [str(unpacked / "install.sh"), *arguments]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
        by_hand.terminate()
        of_a_unit.terminate()

    assert f"kiwoom-token watch (process {by_hand.pid}) still runs" in done.stderr
    asked = (home / "asked").read_text().splitlines()
    assert [one for one in asked if one.startswith(f"--user {change}")] == [f"--user {change} watch-scalp.service"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the archive is for Linux")
def test_updating_starts_the_tray_again_as_it_was_started(
    unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over ssh there is no desktop, and in a terminal other keys may be exported than those of the tray."""
    (unpacked / "kiwoom-token-tray").unlink()
    shutil.copy(shutil.which("cat") or "", unpacked / "kiwoom-token-tray")  # which waits for its input
    install(unpacked)
    program = Path(os.environ["HOME"]) / ".local/lib/kiwoom-token-tray/kiwoom-token-tray"
    programs, arguments, started = tmp_path / "programs", tmp_path / "arguments", tmp_path / "started"
    programs.mkdir()
    (programs / "env").write_text(
        f"""#!/bin/sh
        printf '%s\\n' "$@" >>"{arguments}"
        case "$*" in *--quit) kill "$(cat "{tmp_path}/pid")"; sleep 0.5 ;; esac
        exec /usr/bin/env "$@"
        """
    )
    (programs / "env").chmod(0o755)
    of_the_new_version = unpacked / "kiwoom-token-tray"
    of_the_new_version.unlink()
    of_the_new_version.write_text(
        f"""#!/bin/sh
        {{ /usr/bin/env -0; printf '%s\\0' "$@"; }} >"{started}.new"
        mv "{started}.new" "{started}"
        """
    )
    of_the_new_version.chmod(0o755)
    kept = {"DISPLAY": ":5", "APP_SECRET": 'the tray\'s own $HOME "one" \\', "NAME": "두 줄\n"}
    no_text = f"\udcff; touch {tmp_path}/executed #"
    of_the_tray = {**kept, "NO_TEXT": no_text, "LD_LIBRARY_PATH": str(program.parent), "_PYI_X": "1", "UID": "0"}
    with subprocess.Popen([program, "-", "it's"], stdin=subprocess.PIPE, env=of_the_tray) as tray:
        (tmp_path / "pid").write_text(str(tray.pid))
        monkeypatch.setenv("PATH", os.pathsep.join([str(programs), os.environ["PATH"]]))
        monkeypatch.setenv("APP_KEY", "of-another-account")
        monkeypatch.setenv("LC_ALL", "C.UTF-8")
        install(unpacked)
    end = time.monotonic() + 10
    while not started.exists() and time.monotonic() < end:
        time.sleep(0.05)  # it is started in the background

    parts = started.read_text("utf-8", "surrogateescape").split("\0")[:-1]
    environment = dict(one.split("=", 1) for one in parts if "=" in one)
    assert {name: environment.get(name) for name in kept} == kept
    assert environment["NO_TEXT"] == no_text
    assert not (tmp_path / "executed").exists()
    assert not environment.keys() & {"LD_LIBRARY_PATH", "_PYI_X", "APP_KEY"}
    assert parts[-3:] == ["-", "it's", "--background"]
    assert "own" not in arguments.read_text()  # which everybody can read


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the archive is for Linux")
def test_a_tray_that_does_not_quit_is_named_and_nothing_is_replaced(unpacked: Path) -> None:
    (unpacked / "kiwoom-token-tray").unlink()
    shutil.copy(shutil.which("cat") or "", unpacked / "kiwoom-token-tray")
    install(unpacked)
    program = Path(os.environ["HOME"]) / ".local/lib/kiwoom-token-tray/kiwoom-token-tray"
    (unpacked / "of-the-new-version").touch()

    with subprocess.Popen([program, "-"], stdin=subprocess.PIPE) as tray:
        done = subprocess.run([unpacked / "install.sh"], capture_output=True, encoding="utf-8", check=False)
        tray.terminate()

    assert done.returncode == 1
    assert done.stderr.endswith(
        f"Kiwoom Token Tray (process {tray.pid}) does not quit. End it (kill {tray.pid}) and try again.\n"
    )
    assert not (program.parent / "of-the-new-version").exists()


def put_command_line(unpacked: Path) -> None:
    """Put a `kiwoom-token` into the archive that runs this checkout's."""
    words = f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -P -m tray_app.cli.main "$@"'
    (unpacked / "kiwoom-token").write_text(f"#!/bin/sh\n{words}\n")


@pytest.fixture
def stored(private_places: Path) -> list[Path]:
    """The files with the tokens of two profiles, and that of a bot."""
    data, bot = Path(os.environ["KIWOOM_TRAY_DATA_DIR"]), private_places / "bot.json"
    settings = Path(os.environ["KIWOOM_TRAY_CONFIG_DIR"]) / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f'[profiles.scalp]\nshare_bot_file = "{bot}"\n')
    for profile in ("default", "scalp"):
        TokenManager(profile).set_token("a-token-that-lives-on", 3600)
    return [data / ".token", data / "scalp.token", bot]


@pytest.mark.posix
def test_purging_takes_the_tokens_of_every_profile(unpacked: Path, stored: list[Path]) -> None:
    put_command_line(unpacked)
    install(unpacked)
    assert all(one.exists() for one in stored)

    install(unpacked, "--purge")

    assert [one for one in stored if one.exists()] == []
    assert not (Path(os.environ["KIWOOM_TRAY_CONFIG_DIR"]) / "settings.toml").exists()
    assert not (Path(os.environ["HOME"]) / ".local/lib/kiwoom-token-tray").exists()


@pytest.mark.posix
@pytest.mark.parametrize("whose", ["ours", "a bot's", "both"])
def test_purging_takes_our_history_alone(unpacked: Path, stored: list[Path], whose: str) -> None:
    put_command_line(unpacked)
    install(unpacked)
    flush_history()
    history = stored[0].with_name("history.db")
    assert history.exists()
    if whose == "a bot's":
        history.unlink()
    if whose != "ours":
        with closing(sqlite3.connect(history)) as bot:
            bot.execute("CREATE TABLE candles (close INTEGER)")

    install(unpacked, "--purge")

    assert history.exists() is (whose != "ours")


@pytest.mark.posix
def test_purging_tells_of_the_keys_in_a_file(unpacked: Path, stored: list[Path]) -> None:
    put_command_line(unpacked)
    install(unpacked)
    keys = Path(os.environ["KIWOOM_TRAY_CONFIG_DIR"]) / "keys.env"
    keys.write_text("APP_KEY=k\n")

    done = subprocess.run([unpacked / "install.sh", "--purge"], capture_output=True, encoding="utf-8", check=True)

    assert done.stderr == f"The app key and secret stay in {keys}.\n"


@pytest.mark.posix
def test_what_knows_where_a_token_is_stays_while_it_cannot_be_removed(unpacked: Path, stored: list[Path]) -> None:
    put_command_line(unpacked)
    install(unpacked)
    stored[1].unlink()
    stored[1].mkdir()

    done = subprocess.run([str(unpacked / "install.sh"), "--purge"], capture_output=True, encoding="utf-8", check=False)

    assert done.returncode == 1
    assert str(stored[1]) in done.stderr
    assert (Path(os.environ["KIWOOM_TRAY_CONFIG_DIR"]) / "settings.toml").exists()
    assert (Path(os.environ["HOME"]) / ".local/lib/kiwoom-token-tray/kiwoom-token").exists()
    assert not stored[0].exists()


def test_the_uninstaller_of_windows_takes_the_tokens_of_every_profile_before_the_settings() -> None:
    script = (PACKAGING / "windows" / "installer.nsi").read_text(encoding="utf-8")
    _, found, function = script.partition("\nFunction un.ClearTokens\n")
    assert found
    assert '"$INSTDIR\\kiwoom-token.exe" clear --all' in function.partition("FunctionEnd")[0]
    assert script.index("Call un.ClearTokens") < script.index('RMDir /r "$APPDATA\\kiwoom-token-tray"')


@pytest.mark.posix
def test_removing_leaves_a_program_of_the_same_name_that_another_installer_has_put_there(unpacked: Path) -> None:
    install(unpacked)
    other = Path(os.environ["HOME"]) / ".local/bin/kiwoom-token"
    other.unlink()
    other.write_text("of pipx")

    install(unpacked, "--remove")

    assert other.read_text() == "of pipx"


@pytest.mark.posix
@pytest.mark.parametrize("is_ours", [True, False])
def test_removing_takes_the_start_at_login_of_this_copy_alone(unpacked: Path, is_ours: bool) -> None:
    install(unpacked)
    program = Path(os.environ["HOME"]) / ".local/lib/kiwoom-token-tray/kiwoom-token-tray"
    entry = Path(os.environ["XDG_CONFIG_HOME"]) / "autostart" / "kiwoom-token-tray.desktop"
    entry.parent.mkdir(parents=True)
    entry.write_text(f"[Desktop Entry]\nExec={program if is_ours else '/opt/other/kiwoom-token-tray'} --background\n")

    install(unpacked, "--remove")

    assert entry.exists() is not is_ours


@pytest.mark.skipif(shutil.which("appstreamcli") is None, reason="no appstreamcli")
def test_metainfo_is_valid() -> None:
    metainfo = PACKAGING / "linux" / "kiwoom-token-tray.metainfo.xml"
    checked = subprocess.run(
        ["appstreamcli", "validate", "--no-net", str(metainfo)], capture_output=True, encoding="utf-8", check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_metainfo_names_the_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    metainfo = (PACKAGING / "linux" / "kiwoom-token-tray.metainfo.xml").read_text(encoding="utf-8")
    assert f'<release version="{version}"' in metainfo


# ------------------------------------------------------------------------------------------------------- the workflows


@pytest.mark.parametrize("workflow", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda one: one.name)
def test_workflows_run_only_actions_whose_content_is_fixed(workflow: Path) -> None:
    yaml = pytest.importorskip("yaml")
    jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values()
    used = [one["uses"] for job in jobs for one in (job, *job.get("steps", ())) if "uses" in one]

    assert used
    assert [one for one in used if not one.startswith("./") and not re.search("@[0-9a-f]{40}$", one)] == []


# --------------------------------------------------------------------------------------------------------------- winget


def test_winget_manifests_name_the_installer_and_its_hash(tmp_path: Path) -> None:
    installer = tmp_path / "kiwoom-token-tray-1.2.3-windows-x86_64-setup.exe"
    installer.write_bytes(b"installer")

    made = load_script("packaging/windows/winget.py").manifests(
        installer, "https://host/v1.2.3", "https://host/repository"
    )

    identifier = "KiwoomTokenTray.KiwoomTokenTray"
    assert set(made) == {f"{identifier}.yaml", f"{identifier}.installer.yaml", f"{identifier}.locale.ko-KR.yaml"}
    assert f"InstallerUrl: https://host/v1.2.3/{installer.name}\n" in made[f"{identifier}.installer.yaml"]
    assert (
        "InstallerSha256: 9C0D294C05FC1D88D698034609BB81C0C69196327594E4C69D2915C80FD9850C\n"
        in made[f"{identifier}.installer.yaml"]
    )
    for text in made.values():
        assert "PackageVersion: 1.2.3\n" in text
        assert "$" not in text.replace("$schema", "")
