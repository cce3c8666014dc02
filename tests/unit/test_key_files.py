"""App keys taken from the files of Kiwoom's portal and from `.env` files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.test_traceback_locals import HIDDEN, assert_hides, raised_by
from tray_app.core.errors import InvalidInput, say
from tray_app.kiwoom.key_files import find_portal_files, masked_path, read_key_files

KEY, SECRET = "the-app-key_1", "the-app-secret_2"
MOCK_KEY, MOCK_SECRET = "the-mock-key", "the-mock-secret"


def portal(folder: Path, account: str = "12345678", *, end: str = "", encoding: str = "utf-8") -> tuple[Path, Path]:
    files = folder / f"{account}_appkey.txt", folder / f"{account}_secretkey.txt"
    for file, text in zip(files, (KEY, SECRET), strict=True):
        file.write_bytes((text + end).encode(encoding))
    return files


def env(folder: Path, text: str, encoding: str = "utf-8") -> str:
    file = folder / ".env"
    file.write_bytes(text.encode(encoding))
    return str(file)


def found(*paths: str | Path, mode: str | None = None) -> tuple[str, str, str | None]:
    taken = read_key_files([str(path) for path in paths], mode)
    return taken.keys.app_key.reveal(), taken.keys.app_secret.reveal(), taken.mode


def refusal(*paths: str | Path, mode: str | None = None) -> str:
    with pytest.raises(InvalidInput) as raised:
        read_key_files([str(path) for path in paths], mode)
    return say(raised.value)


@pytest.mark.parametrize("given", [(0,), (1,), (0, 1), (1, 0)])
@pytest.mark.parametrize("end", ["", "\n", "\r\n\r\n"])
def test_either_file_of_the_portal_finds_the_other(tmp_path: Path, given: tuple[int, ...], end: str) -> None:
    files = portal(tmp_path, end=end)
    assert found(*(files[one] for one in given)) == (KEY, SECRET, None)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp949"])
def test_every_encoding_of_windows_is_read(tmp_path: Path, encoding: str) -> None:
    key, _ = portal(tmp_path, end="\r\n", encoding=encoding)
    assert found(key) == (KEY, SECRET, None)
    file = env(tmp_path, f"# 실전\r\nexport APP_KEY='{KEY}'\r\nAPP_SECRET={SECRET}\r\n", encoding)
    assert found(file) == (KEY, SECRET, "real")


def test_account_is_told_by_its_last_digits_alone(tmp_path: Path) -> None:
    key, _ = portal(tmp_path)
    taken = read_key_files([str(key)])
    assert taken.account == "****5678"
    assert masked_path(str(key)) == "****5678_appkey.txt"
    assert "12345678" not in repr(taken)
    assert KEY not in repr(taken)


@pytest.mark.parametrize(
    "names", ["APP_KEY APP_SECRET", "KIWOOM_APP_KEY KIWOOM_APP_SECRET", "KIWOOM_APPKEY KIWOOM_SECRETKEY"]
)
def test_each_spelling_of_the_names_is_known(tmp_path: Path, names: str) -> None:
    name, partner = names.split()
    file = env(tmp_path, f'OTHER=1\n {name} = "{KEY}" # mine\nexport {partner}={SECRET}\n')
    assert found(file) == (KEY, SECRET, "real")
    file = env(tmp_path, f"{name}_MOCK={KEY}\n{partner}_MOCK={SECRET}\n")
    assert found(file) == (KEY, SECRET, "demo")


def test_file_for_both_modes_is_read_only_for_the_one_that_is_named(tmp_path: Path) -> None:
    file = env(
        tmp_path, f"APP_KEY={KEY}\nAPP_SECRET={SECRET}\nAPP_KEY_MOCK={MOCK_KEY}\nAPP_SECRET_MOCK={MOCK_SECRET}\n"
    )
    assert refusal(file).endswith("Say which: --mode real or --mode demo")
    assert found(file, mode="real") == (KEY, SECRET, "real")
    assert found(file, mode="demo") == (MOCK_KEY, MOCK_SECRET, "demo")


def test_keys_of_the_other_mode_are_not_taken_for_the_one_that_was_named(tmp_path: Path) -> None:
    file = env(tmp_path, f"APP_KEY_MOCK={MOCK_KEY}\nAPP_SECRET_MOCK={MOCK_SECRET}\n")
    assert refusal(file, mode="real") == ".env has keys for mock trading only."


@pytest.mark.parametrize("names", ["KIWOOM_APP_KEY KIWOOM_APP_SECRET", "KIWOOM_APPKEY KIWOOM_SECRETKEY"])
def test_keys_under_a_bots_names_are_of_the_mode_that_was_named(tmp_path: Path, names: str) -> None:
    name, partner = names.split()
    file = env(tmp_path, f"{name}={MOCK_KEY}\n{partner}={SECRET}\n")
    assert found(file, mode="demo") == (MOCK_KEY, SECRET, "demo")
    file = env(tmp_path, f"APP_KEY={KEY}\nAPP_SECRET={SECRET}\n")
    assert refusal(file, mode="demo") == ".env has keys for real trading only."


def test_same_pair_in_two_spellings_is_one_pair_and_two_pairs_are_none(tmp_path: Path) -> None:
    both = f"APP_KEY={KEY}\nAPP_SECRET={SECRET}\nKIWOOM_APP_KEY={KEY}\nKIWOOM_APP_SECRET={SECRET}\n"
    assert found(env(tmp_path, both)) == (KEY, SECRET, "real")
    assert "several app keys" in refusal(env(tmp_path, both.replace(f"KIWOOM_APP_KEY={KEY}", "KIWOOM_APP_KEY=other")))
    assert "several app keys" in refusal(env(tmp_path, f"APP_KEY=a\nAPP_KEY=b\nAPP_SECRET={SECRET}\n"))


@pytest.mark.parametrize(
    "names",
    [
        ("12345678_appkey.txt", "12345678_secretkey (1).txt"),
        ("12345678_secretkey(2).txt", "12345678_appkey.txt"),
        ("one/12345678_appkey.txt", "two/12345678_secretkey.txt"),
    ],
)
def test_two_halves_that_are_both_named_belong_together(names: tuple[str, str], tmp_path: Path) -> None:
    for name in names:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("app-key-of-a-test" if "appkey" in name else "app-secret-of-a-test")

    found = read_key_files([str(tmp_path / name) for name in names])

    assert found.keys.app_key.reveal() == "app-key-of-a-test"
    assert found.keys.app_secret.reveal() == "app-secret-of-a-test"


def test_half_a_pair_names_what_is_missing(tmp_path: Path) -> None:
    key, secret = portal(tmp_path)
    secret.unlink()
    assert "****5678_secretkey.txt" in refusal(key)
    assert "12345678" not in refusal(key)
    assert "APP_SECRET is missing" in refusal(env(tmp_path, f"APP_KEY={KEY}\nAPP_SECRET=\n"))


def test_files_of_two_accounts_are_refused(tmp_path: Path) -> None:
    first, second = portal(tmp_path), portal(tmp_path, "87654321")
    assert "several accounts" in refusal(first[0], second[1])
    assert "several accounts" in refusal(first[0], env(tmp_path, f"APP_KEY={KEY}\nAPP_SECRET={SECRET}\n"))


def test_what_has_no_keys_says_so_in_a_line_without_its_content(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\0\0" + HIDDEN.encode())
    key, _ = portal(tmp_path)
    key.write_text(f"{HIDDEN}\n{HIDDEN}\n")
    long = env(tmp_path, f"APP_KEY={HIDDEN}\n" * 9000)
    half = tmp_path / "half.env"
    half.write_text(f"APP_KEY={HIDDEN}\n")
    blank = tmp_path / "blank.env"
    blank.write_text(f"APP_KEY={HIDDEN} x\nAPP_SECRET={HIDDEN}\n")
    for path in (tmp_path / "picture.png", key, tmp_path, tmp_path / "gone.env", Path(long), half, blank):
        error = raised_by(lambda path=path: read_key_files([str(path)]))  # type: ignore[misc]
        assert isinstance(error, InvalidInput)
        assert_hides(error)
        assert "\n" not in say(error)


def test_pairs_in_a_folder_are_found_by_name_the_newest_first(tmp_path: Path) -> None:
    for number, account in enumerate(("11112222", "33334444")):
        for file in portal(tmp_path, account):
            os.utime(file, (number, number))
    portal(tmp_path, "55556666")[1].unlink()
    (tmp_path / "notes.txt").write_text("")
    pairs = find_portal_files(str(tmp_path))
    assert [one.account for one in pairs] == ["****4444", "****2222"]
    assert found(*pairs[0].paths) == (KEY, SECRET, None)
    assert find_portal_files(str(tmp_path / "nowhere")) == []


def test_second_download_of_a_browser_is_a_pair_of_its_own(tmp_path: Path) -> None:
    portal(tmp_path)
    for part, text in (("appkey", MOCK_KEY), ("secretkey", MOCK_SECRET)):
        (tmp_path / f"12345678_{part} (1).txt").write_text(text)
    assert found(tmp_path / "12345678_secretkey (1).txt") == (MOCK_KEY, MOCK_SECRET, None)
