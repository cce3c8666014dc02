"""Clicks on notices in Windows' notification centre: the COM class that Windows calls for them."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
import time
from typing import Any
from uuid import UUID

import pytest

from tests import ROOT
from tray_app.desktop import APP_ID, TOAST_ACTIVATOR
from tray_app.desktop.notices.toast_activator import (
    IID_ACTIVATION_CALLBACK,
    IID_CLASS_FACTORY,
    IID_UNKNOWN,
    Buttons,
    ToastActivator,
)

IID_PERSIST = UUID("{0000010C-0000-0000-C000-000000000046}")
OK, NO_INTERFACE, NO_AGGREGATION = 0, 0x80004002, 0x80040110
BUTTON = "action=button&amp;id="
"""Before the name of a button, as desktop-notifier 6.2 writes it."""
QUERY_INTERFACE, ADD_REF, RELEASE, CREATE_INSTANCE, LOCK_SERVER, ACTIVATE = 0, 1, 2, 3, 4, 3


def call(address: int | None, method: int, *arguments: Any) -> int:
    """Call a method of a COM object by its place in the table, as Windows does."""
    assert address
    table = ctypes.c_void_p.from_address(address).value
    assert table
    function = ctypes.c_void_p.from_address(table + method * ctypes.sizeof(ctypes.c_void_p)).value
    assert function
    values = [one if isinstance(one, ctypes.Array) else ctypes.c_void_p(one) for one in arguments]
    return ctypes.CFUNCTYPE(ctypes.c_uint32)(function)(ctypes.c_void_p(address), *values)


def ask(
    address: int | None, interface: UUID, *, method: int = QUERY_INTERFACE, outer: int = 0
) -> tuple[int, int | None]:
    """Ask for an interface, of the object or of a new instance; return the status and the address."""
    found = ctypes.c_void_p(1)
    asked = ctypes.create_string_buffer(interface.bytes_le, 16)
    before = () if method == QUERY_INTERFACE else (outer,)
    return call(address, method, *before, asked, ctypes.addressof(found)), found.value


def click(callback: int | None, arguments: str | None) -> int:
    text = None if arguments is None else ctypes.create_unicode_buffer(arguments)
    return call(callback, ACTIVATE, ctypes.create_unicode_buffer(APP_ID), text, None, 0)


@pytest.fixture
def answers() -> list[str]:
    """What came of the clicks."""
    return []


@pytest.fixture
def buttons() -> Buttons:
    return Buttons()


@pytest.fixture
def activator(answers: list[str], buttons: Buttons) -> ToastActivator:
    return ToastActivator(lambda: answers.append("window"), buttons)


def instance(activator: ToastActivator) -> int | None:
    status, callback = ask(activator.address, IID_ACTIVATION_CALLBACK, method=CREATE_INSTANCE)
    assert status == OK
    return callback


@pytest.mark.parametrize("arguments", ["default", "", None, f"{BUTTON}refresh@0123456789abcdef-0"])
def test_a_click_on_a_notice_or_on_the_button_of_an_earlier_run_shows_the_window(
    arguments: str | None, activator: ToastActivator, answers: list[str]
) -> None:
    assert click(instance(activator), arguments) == OK
    assert answers == ["window"]


def test_a_button_does_once_what_it_says(activator: ToastActivator, buttons: Buttons, answers: list[str]) -> None:
    mark = buttons.mark("main", answers.append)
    for key in ("snooze-1800", "refresh"):
        assert click(instance(activator), f"{BUTTON}{key}{mark}") == OK
    assert answers == ["snooze-1800"]


def test_a_button_of_a_notice_that_was_replaced_does_nothing(
    activator: ToastActivator, buttons: Buttons, answers: list[str]
) -> None:
    old, new = [buttons.mark("main", answers.append) for _ in range(2)]
    other = buttons.mark("second", answers.append)
    for key, mark in (("old", old), ("new", new), ("other", other)):
        assert click(instance(activator), f"{BUTTON}{key}{mark}") == OK
    assert answers == ["new", "other"]


def test_a_click_succeeds_although_the_program_is_ending() -> None:
    """Only then does Windows call the notice's own handler, and remove the notice."""

    def show() -> None:
        raise RuntimeError("Internal C++ object already deleted.")

    activator = ToastActivator(show, Buttons())
    assert click(instance(activator), "default") == OK


@pytest.mark.parametrize("interface", [IID_UNKNOWN, IID_CLASS_FACTORY, IID_ACTIVATION_CALLBACK, IID_PERSIST])
def test_objects_have_their_own_interface_alone(interface: UUID, activator: ToastActivator) -> None:
    callback = instance(activator)
    own = {activator.address: IID_CLASS_FACTORY, callback: IID_ACTIVATION_CALLBACK}
    for address, its in own.items():
        expected = (OK, address) if interface in {IID_UNKNOWN, its} else (NO_INTERFACE, None)
        assert ask(address, interface) == expected


def test_instances_are_no_part_of_another_object(activator: ToastActivator) -> None:
    refused = ask(activator.address, IID_UNKNOWN, method=CREATE_INSTANCE, outer=activator.address)
    assert refused == (NO_AGGREGATION, None)


def test_objects_outlive_every_release(activator: ToastActivator, answers: list[str]) -> None:
    callback = instance(activator)
    for address in (activator.address, callback):
        assert call(address, ADD_REF) > call(address, RELEASE) > 0
        assert call(address, RELEASE) > 0
    assert call(activator.address, LOCK_SERVER, 1) == call(activator.address, LOCK_SERVER, 0) == OK
    assert click(instance(activator), "default") == OK
    assert answers == ["window"]


@pytest.mark.parametrize("file", ["installer.nsi", "check_installer.py"])
def test_the_installer_registers_the_class_that_the_program_serves(file: str) -> None:
    script = (ROOT / "packaging" / "windows" / file).read_text(encoding="utf-8")
    assert re.findall(r'^(?:!define )?TOAST_ACTIVATOR (?:= )?"(.+)"$', script, re.MULTILINE) == [TOAST_ACTIVATOR]


_CLIENT = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.unit.test_toast_activator import find_and_click
find_and_click()
"""
_SERVER = f"""
import subprocess, sys
sys.path.insert(0, sys.argv[1])
from tray_app.desktop.notices.toast_activator import serve_toast_activator
serve_toast_activator(lambda: print("window", flush=True))
client = {_CLIENT!r}
exec(client)
sys.exit(subprocess.run([sys.executable, "-c", client, sys.argv[1]]).returncode)
"""


def find_and_click() -> None:
    """Find the class as Windows does, and click where the interface reaches: Wine has no proxy for it."""
    if sys.platform != "win32":
        raise AssertionError("Windows alone has COM")
    ole32 = ctypes.WinDLL("ole32")
    ole32.CoInitializeEx(None, 0)
    factory = ctypes.c_void_p()
    local_server = 4
    wanted = UUID(TOAST_ACTIVATOR).bytes_le, local_server, None, IID_CLASS_FACTORY.bytes_le, ctypes.byref(factory)
    for _ in range(100):
        if ole32.CoGetClassObject(*wanted) == OK:
            break
        time.sleep(0.1)
    status, unknown = ask(factory.value, IID_UNKNOWN, method=CREATE_INSTANCE)
    assert status == OK
    print("found", flush=True)
    status, callback = ask(unknown, IID_ACTIVATION_CALLBACK)
    if status == OK:
        assert click(callback, "default") == OK
        call(callback, RELEASE)
    else:
        print("no proxy", flush=True)
    call(unknown, RELEASE)
    call(factory.value, RELEASE)


@pytest.mark.skipif(sys.platform != "win32", reason="Windows alone has COM")
def test_this_process_and_others_find_the_class() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _SERVER, str(ROOT)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told = ran.stdout.splitlines()
    assert told in (["found", "window", "found", "window"], ["found", "window", "found", "no proxy"])
