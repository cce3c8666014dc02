"""How programs are found on Windows, and how their arguments reach them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tray_app.core.errors import InvalidInput
from tray_app.system.windows_programs import command_for, find_program


def test_a_program_of_the_working_folder_is_not_found_by_its_bare_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bot.exe").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tool.exe").touch()
    environ = {"PATH": os.pathsep.join(["", ".", str(tmp_path / "bin")]), "PATHEXT": ".com;.exe"}

    assert find_program("bot", environ) == ""
    assert find_program("bot.exe", environ) == ""
    assert find_program("tool", environ) == str(tmp_path / "bin" / "tool.exe")
    assert find_program("tool.exe", environ) == str(tmp_path / "bin" / "tool.exe")


def test_a_program_is_found_in_the_folder_that_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bot.exe").touch()
    environ = {"PATH": "", "PATHEXT": ".com;.exe"}
    here = os.path.join(".", "bot")

    assert find_program(here, environ) == here + ".exe"
    assert find_program(here + ".exe", environ) == here + ".exe"
    assert find_program(here + ".py", environ) == here + ".py", "Windows says that it is not there"


@pytest.mark.parametrize("program", [r"C:\bin\bot.exe", r"C:\bin\bot", r"C:\bin\cmd.com"])
def test_a_program_is_given_its_arguments_as_they_are(program: str) -> None:
    assert command_for(program, ["S&P500", '"%"', ""]) == [program, "S&P500", '"%"', ""]


@pytest.mark.parametrize("program", [r"C:\my bots\bot.cmd", r"C:\bin\BOT.BAT", r"C:\bin\bot.cmd. ."])
def test_cmd_does_not_read_a_batch_file_s_arguments_as_commands(program: str) -> None:
    given = ["start", "S&P500", "a|b", "c^d", "e>f", "삼성 전자", "삼성전자", "x=1,2", "", "C:\\dir\\"]
    told = 'start "S&P500" "a|b" "c^d" "e>f" "삼성 전자" 삼성전자 "x=1,2" "" C:\\dir\\'
    assert command_for(program, given) == f'"{program}" {told}'


@pytest.mark.parametrize("argument", ['a"b', "%PATH%", "5%", "a\nb", "a\rb"])
def test_what_cmd_would_change_is_not_given_to_a_batch_file(argument: str) -> None:
    with pytest.raises(InvalidInput, match="A batch file cannot be given"):
        command_for("bot.bat", ["start", argument])


@pytest.mark.skipif(sys.platform != "win32", reason="cmd is Windows' own")
def test_a_batch_file_gets_its_arguments(tmp_path: Path) -> None:
    batch = tmp_path / "my bot.cmd"
    batch.write_text("@echo off\necho %~1\necho %~2\n", encoding="ascii")
    command = command_for(str(batch), ["S and P", "a-b"])
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines() == ["S and P", "a-b"]
