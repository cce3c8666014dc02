"""`packaging/download_pip.py`: which pip is taken, from which index, and what is refused. No network."""

from __future__ import annotations

import hashlib
import io
import json
import os
import socket
import ssl
from email.message import Message
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest

from tests.scripts import load_script

WHEEL = b"a wheel"
DIGEST = hashlib.sha256(WHEEL).hexdigest()


download_pip = load_script("packaging/download_pip.py")


def listed(name: str, **changes: object) -> dict[str, object]:
    return {"filename": name, "url": f"../../files/{name}", "hashes": {"sha256": DIGEST}, "yanked": False, **changes}


class Index:
    """A package index that answers with what it is given, and remembers what it was asked for."""

    def __init__(self, page: bytes, wheel: bytes = WHEEL) -> None:
        self.page, self.wheel = page, wheel
        self.asked: list[str] = []

    def open(self, url: str, timeout: float) -> io.BytesIO:
        self.asked.append(url)
        return io.BytesIO(self.wheel if url.endswith(".whl") else self.page)


def use_index(monkeypatch: pytest.MonkeyPatch, *files: dict[str, object], wheel: bytes = WHEEL) -> Index:
    index = Index(json.dumps({"files": files}).encode(), wheel)
    monkeypatch.setattr(download_pip.urllib.request, "build_opener", lambda *_: index)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple/")
    monkeypatch.delenv("PIP_CERT", raising=False)
    return index


def test_newest_released_wheel_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    index = use_index(
        monkeypatch,
        listed("pip-9.0.3-py2.py3-none-any.whl"),
        listed("pip-24.10-py3-none-any.whl", **{"requires-python": ">=3.8"}),
        listed("pip-24.9-py3-none-any.whl", **{"requires-python": None}),
        listed("pip-24.11.tar.gz"),
        listed("pip-25.0b1-py3-none-any.whl"),
        listed("pip-26.0-py3-none-any.whl", yanked="broken"),
        listed("pip-27.0-py3-none-any.whl", **{"requires-python": ">=3.99"}),
    )

    assert download_pip.download_pip() == ("pip-24.10-py3-none-any.whl", WHEEL)
    assert index.asked == [
        "https://index.example/simple/pip/",
        "https://index.example/files/pip-24.10-py3-none-any.whl",
    ]


def told(capsys: pytest.CaptureFixture[str], folder: Path) -> str:
    """What is printed where pip cannot be downloaded: one line; nothing is left behind."""
    assert download_pip.main(str(folder)) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert list(folder.glob("*.whl")) == []
    return str(line)


def test_another_file_than_promised_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_index(monkeypatch, listed("pip-24.0-py3-none-any.whl"), wheel=b"something else")

    assert "sha256" in told(capsys, tmp_path)


def test_an_index_with_a_login_is_not_asked_nor_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = use_index(monkeypatch)
    monkeypatch.setenv("PIP_INDEX_URL", "https://me:word@index.example/simple")

    assert "word" not in told(capsys, tmp_path)
    assert index.asked == []


def test_an_index_without_encryption_is_not_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = use_index(monkeypatch)
    monkeypatch.setenv("PIP_INDEX_URL", "http://index.example/simple")

    assert "https" in told(capsys, tmp_path)
    assert index.asked == []


@pytest.mark.parametrize("page", [b"<html>", b'{"files": []}', b'{"meta": {}}'])
def test_an_index_of_another_kind_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, page: bytes
) -> None:
    use_index(monkeypatch).page = page

    assert told(capsys, tmp_path)


def test_settings_in_pips_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = https://file.example/simple\ncert = /file.pem\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    for name in ("PIP_INDEX_URL", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    assert download_pip.pip_setting("index-url") == "https://file.example/simple"
    assert download_pip.pip_setting("cert") == "/file.pem"
    assert download_pip.pip_setting("proxy") == ""

    file.write_text(file.read_text() + "[install]\nindex-url = https://install.example/simple\n")
    assert download_pip.pip_setting("index-url") == "https://install.example/simple"

    monkeypatch.setenv("PIP_INDEX_URL", "https://environment.example/simple")
    assert download_pip.pip_setting("index-url") == "https://environment.example/simple"


def test_the_users_own_settings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_CONFIG_FILE", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    file = Path.home() / ".config/pip/pip.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[global]\nindex-url = https://own.example/simple\n")
    try:
        assert download_pip.pip_setting("index-url") == "https://own.example/simple"
    finally:
        file.unlink()


def test_a_broken_settings_file_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_index(monkeypatch)
    broken = tmp_path / "pip.conf"
    monkeypatch.setenv("PIP_CONFIG_FILE", str(broken))
    for content in (b"index-url = x\n", b"[global]\nindex-url = \xff\n"):
        broken.write_bytes(content)
        assert told(capsys, tmp_path)


def test_the_wheel_is_put_into_the_folder_and_its_name_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_index(monkeypatch, listed("pip-24.0-py3-none-any.whl"))
    assert download_pip.main(str(tmp_path)) == 0
    wheel = tmp_path / "pip-24.0-py3-none-any.whl"
    assert capsys.readouterr().out.split() == [wheel.name]
    assert wheel.read_bytes() == WHEEL


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (URLError(socket.gaierror(-2, "Name or service not known")), 2),
        (URLError(OSError(101, "Network is unreachable")), 2),
        (TimeoutError("timed out"), 2),
        (URLError(ssl.SSLCertVerificationError("certificate verify failed")), 1),
        (HTTPError("https://index.example", 403, "Forbidden", Message(), None), 1),
    ],
)
def test_an_index_that_does_not_answer_is_told_from_one_that_refuses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, status: int
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(download_pip, "download_pip", fail)
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")

    assert download_pip.main("") == status
    (line,) = capsys.readouterr().out.splitlines()
    assert "<urlopen" not in line
    assert line.startswith("mirror.example: ") is (status == 2)
