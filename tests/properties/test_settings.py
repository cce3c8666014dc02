"""Any `settings.toml`: what was named and not understood never becomes real trading, plain text or another account."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.properties.test_tokens import JSON
from tray_app.core.errors import InvalidInput, SettingsError
from tray_app.settings.document import Document
from tray_app.settings.load import Settings, load_settings
from tray_app.settings.save import save_setting, unset_setting
from tray_app.settings.table import TABLE
from tray_app.settings.toml_cache import cache_toml, load_toml

SECRET = "a-password-that-nobody-may-see"

VALUES = st.sampled_from(
    [
        '"demo"',
        "'demo'",
        "demo",
        '"Demo"',
        '"mock"',
        "“demo”",
        '"demo',
        "",
        "true",
        "1",
        "[]",
        "{}",
        '"""demo"""',
        "# demo",
        '"keyring"',
        "keyring",
        '"keyrign"',
        '"redis"',
        '"C:\\data"',
        f'"{SECRET}"',
        SECRET,
        '"10m"',
        "10",
        '["30m", "5m"',
    ]
)
SPACES = st.sampled_from(["", " ", "  ", "\t"])
KEYS = st.sampled_from(
    ["mode", "store", "account", "policy", "data_dir", '"mode"', "'store'", "warn_before", "language"]
)
LINES = st.builds(lambda before, key, mid, value: f"{before}{key}{mid}={mid}{value}", SPACES, KEYS, SPACES, VALUES)
NOISE = st.sampled_from(
    [
        "",
        "# a comment",
        "[",
        "]",
        "[]",
        "[profiles]",
        "[profiles.swing]",
        "[profiles.default]",
        "[profiles.스윙]",
        "x",
        "= 1",
        "[mode]",
        "[[profiles]]",
        "profiles.swing.mode = 'demo'",
        "'''",
        '"""',
        "\ufeff",
        "\x00",
        "mode",
        "store:",
        "a.b.c = 1",
    ]
) | st.text(max_size=12)
FILES = st.lists(LINES | LINES | NOISE, max_size=7).map("\n".join)
SECTIONS = ("[", "profiles")


@pytest.fixture(scope="module")
def places() -> Iterator[tuple[Path, dict[str, str]]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environ = {"KIWOOM_TRAY_CONFIG_DIR": name, "XDG_CONFIG_HOME": name, "HOME": name, "KIWOOM_TRAY_DATA_DIR": name}
        yield folder / "settings.toml", environ


def load(path: Path, environ: dict[str, str], text: str, profile: str | None = None) -> Settings | None:
    """Return the settings; None where they are refused as a whole."""
    path.write_text(text, "utf-8")
    try:
        found = load_settings(profile, environ)
    except InvalidInput as error:
        assert SECRET not in str(error)
        return None
    for problem in found.problems:
        assert isinstance(problem, SettingsError)
        assert SECRET not in str(problem)
    return found


@given(st.text(max_size=200) | FILES)
@example('mode = "demo"\nmode = "real"')
@example("[profiles.default]\nmode = 'demo'\n[profiles.default]")
@example("a = " + "[" * 3000)
@example("mode = " + "1" * 5000)
@example("\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
def test_any_file_is_settings_with_problems_in_words(places: tuple[Path, dict[str, str]], text: str) -> None:
    path, environ = places
    for profile in (None, "swing"):
        found = load(path, environ, text, profile)
        if found is None or not found.is_usable:
            continue
        found.require()
        assert found.resolved().mode in {"real", "demo"}
        assert found.store in {"auto", "keyring", "file", "redis", "memory"}


@given(st.lists(LINES, max_size=5), st.integers(0, 4), LINES)
@example(["store = 'file'"], 0, 'mode = "demo')
@example([], 0, "mode = # demo")
@example(['policy = """'], 0, "mode = 'demo'")
@example(["policy = '''"], 0, "store = 'keyring'")
@example(["warn_before = ["], 0, "mode = 'demo'")
def test_a_setting_that_was_named_is_known_or_unknown_but_never_the_default(
    places: tuple[Path, dict[str, str]], lines: list[str], at: int, named: str
) -> None:
    path, environ = places
    key = named.partition("=")[0].strip().strip("\"'")
    assume(key in TABLE)
    assume(TABLE[key].required)
    text = "\n".join([*lines[:at], named, *lines[at:]])
    found = load(path, environ, text)
    if found is None or key in found.unknown or found.source_of(key) == "environment":
        return
    fields = tomllib.loads(text) if is_toml(text) else None
    said = None if fields is None else fields.get(key)
    assert found.source_of(key) == "file", f"{key} was named, and the default took its place"
    if isinstance(said, str) and key in {"mode", "store"}:
        assert getattr(found, key) == said.strip().lower()


def is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except ValueError:
        return False
    return True


NAMES = st.sampled_from(["policy", "language", "theme", "verify", "mode", "store"])
GOOD = {
    "policy": ["auto", "notify", "daily 06:30"],
    "language": ["auto", "ko", "en"],
    "theme": ["auto", "light", "dark"],
    "verify": ["auto", "off"],
    "mode": ["real", "demo"],
    "store": ["auto", "keyring", "file"],
}
COMMENTS = st.sampled_from(["# a comment", "# 한국어 주석", "", "   # with blanks before it", "#"])
OTHERS = st.dictionaries(st.sampled_from(["other", "한글", "x.y", "other name"]), JSON.filter(bool), max_size=3)


@given(
    st.dictionaries(NAMES, st.integers(0, 2), max_size=4),
    st.dictionaries(NAMES, st.integers(0, 2), max_size=2),
    st.lists(COMMENTS, min_size=8, max_size=8),
    NAMES,
    st.integers(0, 2),
    st.sampled_from(["default", "swing", "스윙"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_an_edit_changes_one_value_and_keeps_every_other_line(
    places: tuple[Path, dict[str, str]],
    shared: dict[str, int],
    own: dict[str, int],
    comments: list[str],
    name: str,
    number: int,
    profile: str,
    line_end: str,
) -> None:
    path, environ = places
    lines = []
    for at, (key, which) in enumerate(shared.items()):
        lines += [comments[at], f'{key}   =   "{GOOD[key][which % len(GOOD[key])]}"  {comments[at + 1]}']
    lines += ["[profiles.swing]", comments[6]] if own else []
    lines += [f'{key} = "{GOOD[key][which % len(GOOD[key])]}" # own' for key, which in own.items()]
    before = line_end.join(lines) + line_end
    path.write_bytes(before.encode())
    value = GOOD[name][number % len(GOOD[name])]
    save_setting(name, value, profile, environ)

    fields, expected = tomllib.loads(path.read_bytes().decode()), tomllib.loads(before)
    place: dict[str, Any] = expected
    if profile != "default":
        place = expected.setdefault("profiles", {}).setdefault(profile, {})
    place[name] = value
    assert fields == expected
    after = path.read_bytes().decode().splitlines()
    kept = [line for line in before.splitlines() if line.strip() and not line.strip().startswith(name)]
    assert [line for line in after if line in kept] == kept

    assert unset_setting(name, profile, environ)
    del place[name]
    fields = tomllib.loads(path.read_bytes().decode())
    assert {**fields, "profiles": 0} == {**expected, "profiles": 0}
    assert fields.get("profiles", {}).get(profile) == expected.get("profiles", {}).get(profile)


@given(FILES | st.text(max_size=100), NAMES)
def test_a_file_that_cannot_be_read_is_not_changed(places: tuple[Path, dict[str, str]], text: str, name: str) -> None:
    path, environ = places
    path.write_text(text, "utf-8")
    before = path.read_bytes()
    try:
        save_setting(name, GOOD[name][0], "default", environ)
    except SettingsError as error:
        assert SECRET not in str(error)
        assert path.read_bytes() == before
    else:
        assert tomllib.loads(path.read_bytes().decode("utf-8-sig"))[name] == GOOD[name][0]


@given(st.text(max_size=300))
def test_any_text_is_a_document(text: str) -> None:
    document = Document("settings.toml")
    document.read(text)
    assert isinstance(document.fields, dict)
    assert all(int(str(one.problem.values["line"])) >= 1 for one in document.unknown)


@given(FILES | st.text(max_size=100))
def test_a_kept_text_says_what_toml_says(text: str) -> None:
    try:
        fields = tomllib.loads(text)
    except ValueError:
        fields = None
    cache_toml(text)
    try:
        assert load_toml(text) == fields
    except ValueError:
        assert fields is None
