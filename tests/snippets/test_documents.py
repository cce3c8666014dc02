"""What the documents name is there, in both languages: files, commands, settings, variables, codes and tests."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.command_line import Run, run
from tests.processes.file_keyring import use_file_keyring
from tests.snippets.conftest import Project, put_program
from tests.snippets.pages import ROOT, TOOLS, anchors, blocks, code_spans, headings, links, pages, prose
from tray_app.app import main as tray_main
from tray_app.cli.parser import command_parser
from tray_app.core.errors import UnknownFailure
from tray_app.kiwoom.codes import error_for
from tray_app.settings.table import TABLE

__all__ = ["run"]

PAGES = pages()
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
TWINS = {
    ROOT / "README.md": ROOT / "README.en.md",
    ROOT / "SECURITY.ko.md": ROOT / "SECURITY.md",
    **{page.parent.parent / page.name: page for page in PAGES if page.parent == ROOT / "docs" / "en"},
}
"""Each page in Korean, and the same in English."""

IN_BOTH_LANGUAGES = [ROOT / "docs" / "commands.md", ROOT / "docs" / "settings.md", *sorted(TOOLS.glob("*.md"))]
ON_GITHUB = {"../../releases"}
HANGUL = re.compile(r"[가-힣]")
OPERATORS = {"|", ">", ">>", "<", "<<<", "&&", "||", ";"}


def shown(page: Path) -> str:
    return str(page.relative_to(ROOT))


# --- links ---


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = []
    for link in links(page):
        if link.startswith(("https://", "mailto:")) or link in ON_GITHUB:
            continue
        assert not link.startswith("http:"), link
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            lost.append(link)
    assert lost == []


def test_every_page_in_two_languages_is_linked_from_the_readme_of_its_language() -> None:
    """The pages of the tools are another test's."""
    for readme, own in ((ROOT / "README.md", TWINS.keys()), (ROOT / "README.en.md", TWINS.values())):
        linked = {(ROOT / link.partition("#")[0]).resolve() for link in links(readme) if ":" not in link}
        assert {shown(page) for page in own if page not in linked and page != readme} == set()


def test_readme_lists_every_tool() -> None:
    for readme in ("README.md", "README.en.md"):
        listed = {Path(link.partition("#")[0]).name for link in links(ROOT / readme) if "docs/tools/" in link}
        assert listed == {page.name for page in TOOLS.glob("*.md")}


# --- two languages ---


@pytest.mark.parametrize(("korean", "english"), TWINS.items(), ids=[shown(page) for page in TWINS])
def test_both_languages_say_the_same_things(korean: Path, english: Path) -> None:
    assert [level for level, _ in headings(korean)] == [level for level, _ in headings(english)]
    assert [(one.language, one.text) for one in blocks(korean)] == [(one.language, one.text) for one in blocks(english)]
    rows = [
        [line.count("|") for line in prose(page).splitlines() if line.startswith("|")] for page in (korean, english)
    ]
    assert rows[0] == rows[1]
    assert HANGUL.search(prose(korean))
    assert sorted(_of_both(korean)) == sorted(_of_both(english))


def _of_both(page: Path) -> Iterator[str]:
    """Yield the pages and pictures that a page leads to, by a name that is the same in both languages."""
    for link in links(page):
        target = link.partition("#")[0]
        if not target or ":" in link or link in ON_GITHUB:
            continue
        file = (page.parent / target).resolve()
        if file in {*TWINS, *TWINS.values()}:
            file = next(english for korean, english in TWINS.items() if file in {korean, english})
        yield re.sub(r"-(ko|en)\.png$", ".png", shown(file))


@pytest.mark.parametrize("page", IN_BOTH_LANGUAGES, ids=map(shown, IN_BOTH_LANGUAGES))
def test_a_page_in_both_languages_has_each_heading_in_both(page: Path) -> None:
    found = [text for _, text in headings(page)]
    assert [text for text in found if HANGUL.search(text) and not re.search(r" · .*[A-Za-z]", text)] == []
    assert HANGUL.search(prose(page))


# --- commands ---


def written_commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of each command of ours that a page names, in code within a line or by itself."""
    lines = [
        line.strip()
        for one in blocks(page)
        if one.language not in {"python", "vba", "mermaid"}
        for line in one.text.splitlines()
    ]
    for line in [*lines, *code_spans(page)]:
        for match in re.finditer(r"(?<![\w./\\-])kiwoom-token(?:-tray)?(?= |$)(?P<rest>[^`]*)", line):
            try:
                words = shlex.split(match[0].replace("\\", "/").rstrip(" ;)&"), comments=True)
            except ValueError:  # half of a line, whose quotes are closed elsewhere
                continue
            end = next((at for at, word in enumerate(words) if word in OPERATORS or word.startswith((">", "2>"))), None)
            yield [word.rstrip("');,") for word in words[:end]]


def understands(words: list[str]) -> bool:
    try:
        command_parser().parse_args(words if len(words) > 1 else [*words, "--help"])
    except SystemExit as ended:
        return not ended.code
    return True


@cache
def options_of_tray() -> frozenset[str]:
    import contextlib
    import io

    told = io.StringIO()
    with contextlib.redirect_stdout(told), pytest.raises(SystemExit):
        tray_main(["--help"])
    return frozenset(re.findall(r"--[a-z-]+", told.getvalue()))


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_is_understood(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = []
    for program, *words in written_commands(page):
        if program == "kiwoom-token-tray":
            is_right = {word for word in words if word.startswith("--")} <= options_of_tray()
        else:
            any_command = ["get" if word in {"COMMAND", "명령"} else word for word in words]
            is_right = not words or words[0] == "…" or understands(any_command)
        if not is_right:
            wrong.append([program, *words])
        if words[:1] == ["config"] and len(words) > 2 and words[1] in {"get", "set", "unset"}:
            assert words[2] in TABLE or words[2] in {"NAME", "이름"}, words
    assert wrong == []


def test_every_command_and_option_is_on_the_page_of_commands(run: Callable[..., Run]) -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    everywhere = {"--help", "--profile", "--verbose", "--version"}
    commands = re.findall(r"^    (\w+) ", run("--help").out, re.MULTILINE)
    assert len(commands) > 10
    for command in commands:
        assert f"`kiwoom-token {command}" in page
        options = set(re.findall(r"--[a-z][a-z-]+", run(command, "--help").out.partition("\n\n")[0])) - everywhere
        row = "".join(line for line in page.splitlines() if f"kiwoom-token {command}" in line)
        assert {one for one in options if one not in row} == set(), command
    assert {one for one in options_of_tray() - everywhere if one not in page} == set()


def test_no_page_installs_by_the_bare_name() -> None:
    """It is not published on the index: what is there under that name is somebody else's."""
    bare = re.compile(r"\binstall\b[^\n|]*?[ '\"]kiwoom-token-tray\b(?![-/\\])")
    to_copy = {page: "".join(one.text for one in blocks(page)) for page in PAGES}
    assert {shown(page) for page, text in to_copy.items() if bare.search(text)} == set()


# --- settings and variables ---


def test_every_setting_is_on_the_page_of_settings_and_no_other() -> None:
    rows = re.findall(
        r"^\| (`\w+`(?:, `\w+`)*) \|", (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    of_settings = [name for name in named if name.islower()]
    assert sorted(set(of_settings)) == sorted(TABLE)


@cache
def names_in_sources(*folders: str) -> frozenset[str]:
    """Return every text in the sources that could be the name of a variable."""
    found: set[str] = set()
    for folder in folders:
        for file in (ROOT / folder).rglob("*.py"):
            found |= set(re.findall(r"[\"'](_?[A-Z][A-Z_]+)[\"']", file.read_text(encoding="utf-8")))
    return frozenset(found)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_variable_is_one(page: Path) -> None:
    ours = re.compile(r"\b(?:KIWOOM_[A-Z_]+[A-Z]|APP_(?:KEY|SECRET)\w*)\b")
    named = {name for text in [*code_spans(page), *(one.text for one in blocks(page))] for name in ours.findall(text)}
    others = {"KIWOOM_APP_KEY", "KIWOOM_APP_SECRET"}  # of other programs
    assert named - others - names_in_sources("tray_app", "tests") == set()


def test_every_variable_of_ours_is_on_the_page_of_settings() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    ours = {name for name in names_in_sources("tray_app") if name.startswith("KIWOOM_TRAY_")}
    ours |= {setting.environment for setting in TABLE.values() if setting.environment}
    assert {name for name in ours if name not in page} == set()


# --- codes, tests, addresses ---


def known_codes() -> set[str]:
    return {str(code) for code in range(1000, 10000) if not isinstance(error_for(9, f"[{code}:]"), UnknownFailure)}


@pytest.mark.parametrize("readme", ["README.md", "README.en.md"])
def test_every_code_of_the_readme_is_known(readme: str) -> None:
    rows = re.findall(r"^\| ([\dA-Za-z][^|]*?) \|", prose(ROOT / readme), re.MULTILINE)
    told = re.findall(r"\b\d{4}\b", " ".join(rows))
    assert sorted(told) == sorted(known_codes())


def test_every_test_that_a_page_names_is_there() -> None:
    sources = {file: file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("*.py")}
    functions = {name for text in sources.values() for name in re.findall(r"def (test_\w+)", text)}
    files = {file.name for file in sources}
    lost = []
    for page in PAGES:
        for name in re.findall(r"\btest_\w+(?:\.py|\*)?", page.read_text(encoding="utf-8")):
            known = files if name.endswith(".py") else functions | {file.removesuffix(".py") for file in files}
            if not any(one.startswith(name[:-1]) for one in known) if name.endswith("*") else name not in known:
                lost.append((shown(page), name))
    assert lost == []


def test_no_address_is_in_the_program_but_kiwooms() -> None:
    known = {"api.kiwoom.com", "mockapi.kiwoom.com", "openapi.kiwoom.com", "127.0.0.1", "localhost"}
    forms = {"www.apple.com", "www.w3.org", "user"}  # names of document types and the form of an address
    found = set()
    for file in (ROOT / "tray_app").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {(host, shown(file)) for host in re.findall(r"https?://([\w.-]+\w)", node.value)}
    assert {(host, file) for host, file in found if host not in known | forms} == set()


# --- removing everything ---


@pytest.mark.qt
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the folders are those of Linux")
def test_what_the_readme_says_to_delete_is_all_there_is(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "a home"
    home.mkdir()
    for name in [one for one in os.environ if one.startswith(("XDG_", "KIWOOM_TRAY_CONFIG"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(home / ".local" / "share" / "kiwoom-token-tray"))
    monkeypatch.setenv("KIWOOM_TRAY_STATE_DIR", str(home / ".local" / "state" / "kiwoom-token-tray"))
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "auto")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests" / "processes" / "host")]))
    use_file_keyring(monkeypatch, tmp_path)
    put_program(tmp_path / "programs" / "kiwoom-token-tray", sys.executable, "-P", "-m", "tray_app")
    settings = home / ".config" / "kiwoom-token-tray" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("share_kwcli = true\nshare_token_file = true\n")
    project.run("kiwoom-token", "config", "set", "autostart", "true")
    project.run(
        "kiwoom-token",
        "login",
        "--mode",
        "real",
        "--stdin",
        stdin=f"{os.environ['APP_KEY']}\n{os.environ['APP_SECRET']}\n",
    )
    for words in (["get"], ["--verbose", "verify"], ["history"]):
        project.run("kiwoom-token", *words)
    keyring = tmp_path / "keyring.json"
    assert len(json.loads(keyring.read_text())) == 3
    assert list(home.rglob(".token"))
    assert list(home.rglob("*-token.json"))
    assert list(home.rglob("*.desktop"))

    readme = ROOT / "README.md"
    [removal] = [one.text for one in blocks(readme) if "kiwoom-token logout" in one.text]
    for command in removal.splitlines():
        project.run(*command.split())

    row = re.compile(r"^\|[^|]+\|[^|]+\|[^|]+\| `~/([^`]+)` \|$", re.MULTILINE)
    folders = [home / one for one in row.findall(readme.read_text(encoding="utf-8"))]
    assert len(folders) == 3
    left = [file for file in home.rglob("*") if file.is_file() and not any(map(file.is_relative_to, folders))]
    assert left == []
    assert json.loads(keyring.read_text()) == {}
    assert project.kiwoom.counts()["revoke"] == 1
