"""The desktop itself: that it shows, hears and does what the other tests take for granted."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from . import reaper
from .bus import BusError
from .session import HEIGHT, KEPT, ROOT, WIDTH, Desktop, DesktopError, Program

TINY = Path(__file__).with_name("tiny_tray.py")
MakeDesktop = Callable[..., Desktop]


def start_tiny(desktop: Desktop) -> Program:
    return desktop.start_python(TINY)


def says(desktop: Desktop, program: Program, words: str) -> None:
    desktop.wait_for(lambda: words in program.output(), words)


def png_size(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def test_icon_is_seen_and_clicked(desktop: Desktop, tmp_path: Path) -> None:
    program = start_tiny(desktop)
    icon = desktop.item()
    assert (icon.id, icon.title, icon.status) == ("tiny-tray", "tiny-tray", "Active")
    assert icon.tooltip == "Tiny tray\nsecond line"
    assert (32, 32) in {(width, height) for width, height, _pixels in icon.pixmaps}
    assert png_size(desktop.save_icon(tmp_path / "icon.png")) == (32, 32)
    desktop.activate()
    says(desktop, program, "activated Trigger")
    desktop.activate_secondary()
    says(desktop, program, "activated MiddleClick")
    desktop.ask_context_menu()
    says(desktop, program, "activated Context")


def test_mouse_on_the_panel_reaches_the_icon(desktop: Desktop) -> None:
    program = start_tiny(desktop)
    desktop.item()
    desktop.hover_icon()
    desktop.click_icon()
    says(desktop, program, "activated Trigger")
    picture = desktop.screenshot("harness panel")
    assert png_size(picture) == (WIDTH, HEIGHT)


def test_menu_is_read_and_chosen_from(desktop: Desktop) -> None:
    program = start_tiny(desktop)
    entries = {entry.label: entry for entry in desktop.menu() if not entry.separator}
    assert list(entries) == ["10 minutes left", "Say hello", "Say it loud", "Quiet", "Never", "More", "Quit"]
    assert entries["Quiet"].checked is False
    assert not entries["Never"].enabled
    assert [child.label for child in entries["More"].children] == ["Open window", "Ask keyring"]

    desktop.choose("Quiet")
    says(desktop, program, "quiet True")
    assert next(entry for entry in desktop.menu() if entry.label == "Quiet").checked is True
    desktop.choose(entries["10 minutes left"].id)
    desktop.wait_for(lambda: desktop.menu()[0].label == "9 minutes left", "a changed entry")
    assert desktop.item().tooltip == "9 minutes left"
    assert {"ItemsPropertiesUpdated", "NewToolTip"} <= {seen.name for seen in desktop.signals()}
    with pytest.raises(DesktopError, match="greyed out"):
        desktop.choose("Never")
    with pytest.raises(LookupError, match="there are"):
        desktop.choose("Nothing of the kind")


def test_window_is_typed_into(desktop: Desktop, tmp_path: Path) -> None:
    program = start_tiny(desktop)
    desktop.choose("More", "Open window")
    window = desktop.window("작은 창")
    desktop.click(window, 100, 30)
    desktop.type(window, "App-Key_1 {x}")
    desktop.press(window, "exclam")
    says(desktop, program, "typed App-Key_1 {x}!")
    assert png_size(desktop.screenshot(tmp_path / "window.png", window)) == (window.width, window.height)


def test_notices_are_seen_and_clicked(desktop: Desktop) -> None:
    program = start_tiny(desktop)
    desktop.choose("Say hello")
    quiet = desktop.notice("안녕하세요")
    assert (quiet.app, quiet.body, quiet.replaces_id, quiet.actions) == ("tiny-tray", "a message", 0, {})
    desktop.choose("Say it loud")
    loud = desktop.notice("urgent")
    assert (loud.urgency, list(loud.actions)) == (2, ["default"])
    assert loud.id != quiet.id

    desktop.click_notice(loud, "default")
    says(desktop, program, "message clicked")
    assert loud.invoked == ["default"]
    desktop.click_notice(quiet)
    desktop.wait_for(lambda: quiet.closed == 2, "a bubble that the user closed")


def test_keyring_is_locked_and_unlocked(desktop: Desktop) -> None:
    desktop.secret_store("tiny-tray", "test", "s3cret")
    program = start_tiny(desktop)
    desktop.choose("More", "Ask keyring")
    says(desktop, program, "keyring s3cret")
    assert desktop.secret_lookup("tiny-tray", "test") == "s3cret"
    assert desktop.secret_lookup("tiny-tray", "nobody") is None

    desktop.keyring_lock()
    with pytest.raises(BusError, match="locked"):
        desktop.secret_lookup("tiny-tray", "test")
    desktop.choose("More", "Ask keyring")
    desktop.keyring_refuse()
    says(desktop, program, "keyring KeyringLocked")
    desktop.choose("More", "Ask keyring")
    desktop.keyring_unlock()
    desktop.wait_for(lambda: program.output().count("keyring s3cret") == 2, "the secret again")


def test_keyring_hangs_and_dies(desktop: Desktop) -> None:
    desktop.secret_store("tiny-tray", "test", "s3cret")
    desktop.keyring_freeze()
    with pytest.raises(BusError, match="did not answer"):
        desktop.bus.call("org.freedesktop.secrets", "/", "org.freedesktop.DBus.Peer", "Ping", timeout=0.3)
    desktop.keyring_thaw()
    assert desktop.secret_lookup("tiny-tray", "test") == "s3cret"
    desktop.keyring_kill()
    program = start_tiny(desktop)
    desktop.choose("More", "Ask keyring")
    says(desktop, program, "keyring NoKeyringError")
    desktop.keyring_start()
    assert desktop.secret_lookup("tiny-tray", "test") == "s3cret"


def test_panel_comes_late_and_goes_and_comes_back(make_desktop: MakeDesktop) -> None:
    desktop = make_desktop(panel=False, notifications=False, keyring=False)
    program = start_tiny(desktop)
    says(desktop, program, "icon shown")
    assert desktop.items() == []
    desktop.panel_start()
    assert desktop.item().id == "tiny-tray"
    desktop.panel_stop()
    assert desktop.items() == []
    desktop.panel_start()
    assert desktop.item().id == "tiny-tray"


def test_left_out_parts_stay_out(make_desktop: MakeDesktop) -> None:
    desktop = make_desktop(notifications=False, keyring=False, language="ko_KR.UTF-8")
    assert desktop.env()["LANG"] == "ko_KR.UTF-8"
    program = start_tiny(desktop)
    desktop.choose("Say hello")
    refused = desktop.wait_for(lambda: next((n for n in desktop.notices() if n.error), None), "a refused notice")
    assert refused.error == "org.freedesktop.DBus.Error.ServiceUnknown"
    assert refused.id is None
    desktop.choose("More", "Ask keyring")
    says(desktop, program, "keyring NoKeyringError")


def test_environment_is_private(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "KIWOOM_PROFILE", "APP_KEY", "APP_SECRET_MOCK", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "from outside")
    environment = desktop.env(ADDED="yes")
    assert "from outside" not in environment.values()
    assert environment["ADDED"] == "yes"
    outside = {name for name in KEPT if name in environment} | {"PYTHONPATH"}
    assert all(str(Path.home()) != value for name, value in environment.items() if name not in outside)


def test_reset_leaves_nothing_behind(desktop: Desktop) -> None:
    desktop.secret_store("tiny-tray", "test", "s3cret")
    program = start_tiny(desktop)
    desktop.choose("Say hello")
    desktop.bubble(desktop.notice("안녕하세요"))
    home = desktop.home
    desktop.keyring_lock()
    desktop.keyring_ask()
    desktop.keyring_prompt()
    desktop.panel_stop()
    desktop.reset()
    assert program.poll() is not None
    assert desktop.notices() == []
    assert desktop.secrets() == []
    assert desktop.home != home
    desktop.wait_for(lambda: not desktop.bubbles() and not desktop.keyring_prompts(), "an empty screen")


def test_nothing_outlives_a_killed_test_run(tmp_path: Path) -> None:
    script = (
        "import time\n"
        "from tests.desktop.session import Desktop\n"
        "with Desktop() as desktop:\n"
        "    desktop.start(['setsid', 'sleep', '600'])\n"
        "    desktop.keyring_freeze()\n"
        "    print(desktop.folder, flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        folder = Path(run.stdout.readline().strip())
        mark = f"{reaper.MARK}={folder}".encode()
        assert len(reaper.members(set(), mark)) >= 6
        os.kill(run.pid, signal.SIGKILL)
    deadline = time.monotonic() + 15
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder.exists()
    assert reaper.members(set(), mark) == []
