"""The code on the pages of `docs/tools` works as it stands there: it is taken from the page and run."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.snippets.conftest import PATIENCE_SECONDS, Project, needs, needs_package, put_program
from tests.snippets.pages import ROOT, TOOLS, blocks, code
from tray_app import TokenManager

STOCK = "삼성전자"
KWCLI_PYTHON = os.environ.get("KIWOOM_TRAY_KWCLI_PYTHON")  # read before a test takes it away


def stored_token() -> str:
    token = TokenManager().get_token()
    assert token
    return token


def find(pattern: str, text: str) -> re.Match[str]:
    match = re.search(pattern, text)
    assert match, f"there is no {pattern}"
    return match


# --- programs in Python, which notice a new token by themselves ---


def test_fastapi_serves_over_a_renewal_and_a_refusal(project: Project, free_port: int) -> None:
    needs_package("fastapi")
    needs_package("uvicorn")
    project.put("api-server.md", "server.py")
    command = code("api-server.md", "run-server.sh").split()
    assert command[:2] == ["uvicorn", "server:app"]
    server = project.start(sys.executable, "-m", *command[:2], "--port", str(free_port))
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{free_port}", trust_env=False) as client:
            _wait_for(client)
            assert client.get("/stocks/005930").json()["stk_nm"] == STOCK
            before = client.get("/token").json()["token_preview"]
            project.run("kiwoom-token", "refresh", "--rotate")
            assert client.get("/token").json()["token_preview"] != before
            project.refuse_present_token()
            assert client.get("/stocks/005930").json()["stk_nm"] == STOCK
            project.kiwoom.set_fault("8050", on="issue")
            TokenManager().clear_token()
            refused = client.get("/stocks/005930")
        assert (refused.status_code, "[8050]" in refused.text) == (503, True)
        assert project.kiwoom.counts()["issue"] >= 3
    finally:
        server.terminate()
        server.communicate(timeout=PATIENCE_SECONDS)


def _wait_for(client: httpx.Client) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            client.get("/token")
        except httpx.TransportError:
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.05)
        else:
            return


def test_a_job_of_apscheduler_gets_over_a_refusal(project: Project) -> None:
    needs_package("apscheduler")
    project.refuse_present_token()
    each_second = {'"cron", day_of_week="mon-fri", hour=8, minute=50': '"cron", second="*"'}
    program = project.start(sys.executable, project.put("scheduler.md", "jobs.py", each_second))
    try:
        assert [program.stdout.readline().strip() for _ in range(2)] == [STOCK, STOCK]
    finally:
        program.kill()
        program.communicate()
    assert project.kiwoom.counts()["issue"] == 2


def test_a_plain_loop_gets_over_a_refusal(project: Project) -> None:
    project.refuse_present_token()
    program = project.start(sys.executable, project.put("scheduler.md", "loop.py", {"sleep(60)": "sleep(0.05)"}))
    try:
        assert [program.stdout.readline().strip() for _ in range(3)] == [STOCK] * 3
    finally:
        program.kill()
        program.communicate()
    assert project.kiwoom.counts()["issue"] == 2


def test_cells_of_a_notebook_run_and_notice_another_token(project: Project) -> None:
    needs_package("IPython")
    cells = [project.put("notebook.md", name) for name in ("cell-1.py", "cell-2.py")]
    shell = project.folder / "shell.py"
    shell.write_text(
        "import subprocess, sys\n"
        "from pathlib import Path\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "one, two = (Path(path).read_text(encoding='utf-8') for path in sys.argv[1:])\n"
        "for cell in (one, two, None, two):\n"
        "    if cell is None:\n"
        "        subprocess.run(['kiwoom-token', 'refresh', '--rotate'], check=True, stdout=subprocess.DEVNULL)\n"
        "    else:\n"
        "        shell.run_cell(cell).raise_error()\n"
    )
    said = project.run(sys.executable, shell, *cells, IPYTHONDIR=str(project.folder / "ipython"))
    assert said.count(STOCK) == 2
    assert project.asked == (2, 2)


def test_kiwoom_client_takes_the_manager(project: Project) -> None:
    needs_package("kiwoom_client")
    project.refuse_present_token()
    assert project.run(sys.executable, project.put("kiwoom-client.md", "prices.py")).strip() == STOCK
    assert project.run(sys.executable, project.put("kiwoom-client.md", "prices_async.py")).strip() == STOCK
    assert project.kiwoom.counts()["issue"] == 2


# --- programs that hold a snapshot ---


@pytest.mark.posix
def test_a_refused_token_is_handed_over_on_standard_input(project: Project) -> None:
    dead = project.refuse_present_token()
    said = project.run(needs("bash"), project.put("README.md", "refused.sh"), KIWOOM_TOKEN=dead)
    assert said.strip() == stored_token() != dead


@pytest.mark.posix
def test_bash(project: Project) -> None:
    needs("curl")
    script = project.put("bash.md", "kiwoom.sh")
    assert json.loads(project.run(needs("bash"), script))["stk_nm"] == STOCK
    project.refuse_present_token()
    assert json.loads(project.run(needs("bash"), script))["stk_nm"] == STOCK
    assert project.kiwoom.counts()["issue"] == 2


def test_node(project: Project) -> None:
    script = project.put("node.md", "kiwoom.mjs")
    node = needs("node")
    major = int(project.run(node, "--version").strip().lstrip("v").split(".")[0])
    if major < 18:
        pytest.skip(f"node {major} has no fetch")
    assert project.run(node, script).strip() == STOCK
    project.refuse_present_token()
    assert project.run(node, script).strip() == STOCK
    assert project.kiwoom.counts()["issue"] == 2


def test_csharp(project: Project) -> None:
    project.put("csharp.md", "Program.cs")
    if shutil.which("mcs") and shutil.which("mono"):
        project.run("mcs", "-r:System.Net.Http", "-out:program.exe", "Program.cs")
        command: tuple[str, ...] = ("mono", "program.exe")
    elif shutil.which("dotnet") and os.environ.get("KIWOOM_TRAY_DOTNET"):  # restores packages from the internet
        target = project.run("dotnet", "--version").split(".")[0]
        (project.folder / "program.csproj").write_text(
            '<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType>'
            f"<TargetFramework>net{target}.0</TargetFramework></PropertyGroup></Project>"
        )
        command = ("dotnet", "run")
    else:
        pytest.skip("there is neither mcs with mono here, nor dotnet with KIWOOM_TRAY_DOTNET set")
    assert STOCK in project.run(*command)
    project.refuse_present_token()
    assert STOCK in project.run(*command)
    assert project.kiwoom.counts()["issue"] == 2


def test_powershell(project: Project) -> None:
    shell = needs("pwsh", *(["powershell"] if sys.platform == "win32" else []), in_ci=sys.platform == "win32")
    script = project.put("powershell.md", "kiwoom.ps1")
    if project.run(shell, "-NoProfile", "-NonInteractive", "-Command", "1 + 1").strip() != "2":
        pytest.skip("this powershell is Wine's, which runs nothing")
    command = (shell, "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", str(script))
    assert json.loads(project.run(*command))["stk_cd"] == "005930"
    project.refuse_present_token()
    assert json.loads(project.run(*command))["stk_cd"] == "005930"
    assert project.kiwoom.counts()["issue"] == 2


@pytest.mark.skipif(sys.platform != "win32", reason="cmd is Windows' own")
def test_cmd(project: Project) -> None:
    ask = project.folder / "ask.py"
    ask.write_text(
        "import os, sys, urllib.request\n"
        "request = urllib.request.Request(sys.argv[1] if sys.argv[1:] else os.environ['KIWOOM_TRAY_BASE_URL'] +\n"
        "    '/api/dostk/stkinfo', b'{}', {'authorization': 'Bearer ' + os.environ['KIWOOM_TOKEN'],\n"
        "    'api-id': 'ka10001', 'Content-Type': 'application/json'})\n"
        "answer = urllib.request.urlopen(request).read().decode()\n"
        "print('8005' if '[8005:' in answer else 'answered', flush=True)\n"
        "sys.exit(8005 if '[8005:' in answer else 0)\n"
    )
    (project.folder / "bot.py").write_text("import os\nprint(len(os.environ['KIWOOM_TOKEN']))\n")
    shell = os.environ.get("COMSPEC", "cmd.exe")
    assert project.run(shell, "/c", project.put("cmd.md", "run.cmd")).split() == ["86"]
    script = project.put("cmd.md", "kiwoom.cmd")
    assert project.run(shell, "/c", script).split() == ["answered"]
    project.refuse_present_token()
    assert project.run(shell, "/c", script).split() == ["8005", "answered"]
    assert project.kiwoom.counts()["issue"] == 2


MCP_SERVER = """
import json, os, sys
for line in sys.stdin:
    asked = json.loads(line)
    result = {"protocolVersion": asked["params"]["protocolVersion"], "capabilities": {},
              "serverInfo": {"name": "stand-in", "version": str(len(os.environ["KIWOOM_TOKEN"]))}}
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
"""


@pytest.mark.posix
def test_an_mcp_client_starts_the_server_with_the_token(project: Project, tmp_path: Path) -> None:
    """With the real kiwoom-mcp where there is one."""
    if shutil.which("kiwoom-mcp") is None:
        (tmp_path / "server.py").write_text(MCP_SERVER)
        put_program(tmp_path / "programs" / "kiwoom-mcp", sys.executable, str(tmp_path / "server.py"))
    server = json.loads(code("mcp.md", "mcp.json"))["mcpServers"]["kiwoom"]
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    program = project.start(server["command"], *server["args"])
    try:
        program.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}) + "\n")
        program.stdin.flush()
        lines = iter(program.stdout.readline, "")
        told = json.loads(next(line for line in lines if line.startswith("{")))["result"]["serverInfo"]
    finally:
        program.kill()
        program.communicate()
    assert told["name"] != "stand-in" or told["version"] == str(len(stored_token()))
    assert project.kiwoom.counts()["issue"] == 1


@pytest.mark.posix
def test_kiwoomcli_uses_the_token(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pythons = [KWCLI_PYTHON, *map(shutil.which, ("python3.13", "python3.14"))]
    has_kwcli = next(filter(_has_kwcli, filter(None, pythons)), None)
    if has_kwcli is None:
        pytest.skip("kwcli is not installed here; name a Python that has it in KIWOOM_TRAY_KWCLI_PYTHON")
    put_program(tmp_path / "programs" / "kiwoomcli", has_kwcli, "-P", "-m", "kiwoom_cli")
    monkeypatch.delenv("PYTHONPATH")
    put_program(
        tmp_path / "programs" / "kiwoom-token",
        *("/usr/bin/env", f"PYTHONPATH={ROOT}"),
        *(sys.executable, "-P", "-m", "tray_app.cli.main"),
    )
    for name in ("APP_KEY", "APP_SECRET"):
        monkeypatch.setenv(f"{name}_MOCK", os.environ[name])
    monkeypatch.setenv("KIWOOM_MODE", "demo")
    monkeypatch.setenv("MOCK", project.kiwoom.base_url)
    monkeypatch.setenv("PRD", "http://127.0.0.1:9")
    for name in ("once.sh", "share.sh"):
        assert STOCK in project.run(needs("bash"), "-e", project.put("kiwoomcli.md", name))
    assert project.asked == (1, 2)


def _has_kwcli(python: str) -> bool:
    check = [python, "-P", "-c", "import kiwoom, kiwoom_cli"]
    return subprocess.run(check, check=False, capture_output=True, env={}).returncode == 0


# --- what starts programs ---


def put_tools_at_home(project: Project, *, has_keys: bool = True) -> Path:
    """Put `kiwoom-token` and a bot where the pages have them; return the home. Its programs need no environment, but
    for the keys without `has_keys`."""
    home = Path(os.environ["HOME"])
    for folder in (home / ".local" / "bin", home / "bots"):
        folder.mkdir(parents=True)
    names = ("KIWOOM_", "PYTHON", "HOME", "XDG_", "LC_ALL", "DBUS_", *(["APP_"] if has_keys else []))
    kept = [f"{name}={value}" for name, value in os.environ.items() if name.startswith(names)]
    put_program(
        home / ".local" / "bin" / "kiwoom-token", "/usr/bin/env", *kept, sys.executable, "-P", "-m", "tray_app.cli.main"
    )
    morning = home / "bots" / "morning.sh"
    morning.write_text('#!/bin/sh\nprintf %s "$KIWOOM_TOKEN" | wc -c\n')
    morning.chmod(0o755)
    return home


@pytest.mark.posix
def test_cron_runs_the_job_with_the_token(project: Project) -> None:
    home = put_tools_at_home(project)
    done = run_by_cron(code("cron.md", "crontab"), home)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, str(len(stored_token())), "")


def run_by_cron(line: str, home: Path) -> subprocess.CompletedProcess[str]:
    *times, command = line.strip().split(maxsplit=5)
    assert all(re.fullmatch(r"[\d*,/-]+", one) for one in times)
    assert "%" not in command  # which cron takes for a line end
    bare = {"HOME": str(home), "LOGNAME": "me", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    return subprocess.run(["/bin/sh", "-c", command], env=bare, capture_output=True, encoding="utf-8", check=False)


@pytest.mark.posix
def test_keys_without_a_keyring_are_in_a_file_for_their_owner_alone(project: Project, tmp_path: Path) -> None:
    home = put_tools_at_home(project, has_keys=False)
    cron = code("cron.md", "keys.crontab")
    assert run_by_cron(cron, home).returncode != 0
    put_program(tmp_path / "programs" / "systemctl", "true")
    put_program(tmp_path / "programs" / "nano", "cp", str(project.put("systemd.md", "keys.env")))
    keys = (project.folder / "keys.env").read_text(encoding="utf-8").splitlines()
    names = [line.partition("=")[0] for line in keys]
    (project.folder / "keys.env").write_text("".join(f"{name}={os.environ[name]}\n" for name in names))

    project.run(needs("bash"), "-e", project.put("systemd.md", "keys.sh"))

    file = home / ".config/kiwoom-token-tray/keys.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    units = [code("systemd.md", f"kiwoom-{name}.service") for name in ("token-watch", "bot")]
    assert [find(r"EnvironmentFile=-%h/(.+)", one)[1] for one in units] == [str(file.relative_to(home))] * 2
    done = run_by_cron(cron, home)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, str(len(stored_token())), "")


@pytest.mark.posix
def test_systemd_accepts_the_units_and_their_programs_run(project: Project) -> None:
    home = put_tools_at_home(project)
    names = ("token-watch.service", "bot.service", "bot.timer")
    units = [project.put("systemd.md", f"kiwoom-{name}") for name in names]
    installed = ROOT / "packaging" / "linux" / "kiwoom-token-watch.service"
    assert code("systemd.md", installed.name) == installed.read_text(encoding="utf-8")
    starts = {}
    for unit in units:
        text = unit.read_text(encoding="utf-8").replace("%h", str(home))
        unit.write_text(text, encoding="utf-8")
        starts[unit.name] = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
    assert project.run(*starts["kiwoom-bot.service"][0].split()).strip() == str(len(stored_token()))
    watch = project.start(*starts["kiwoom-token-watch.service"][0].split())
    assert "KST" in watch.stdout.readline()
    watch.terminate()
    watch.communicate(timeout=PATIENCE_SECONDS)
    assert watch.returncode in {0, -15, 143}, "Restart=on-failure takes a stop for a failure"
    analyze = needs("systemd-analyze", in_ci=False)
    said = project.run(analyze, "--user", "--man=no", "verify", *units, XDG_RUNTIME_DIR=str(project.folder))
    assert [line for line in said.splitlines() if "kiwoom" in line] == []
    times = find(r"OnCalendar=(.+)", code("systemd.md", "kiwoom-bot.timer"))[1]
    assert "Asia/Seoul" in project.run(analyze, "calendar", times)


def test_the_task_is_well_formed_and_in_the_order_of_its_schema() -> None:
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    task = ET.fromstring(code("task-scheduler.md", "bot.xml"))  # noqa: S314 - our own
    assert task.tag == f"{space}Task"
    parts = [one.tag.removeprefix(space) for one in task]
    assert parts == ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"]
    trigger = task.find(f"{space}Triggers/{space}CalendarTrigger")
    assert time.strptime(trigger.findtext(f"{space}StartBoundary", ""), "%Y-%m-%dT%H:%M:%S").tm_wday == 0
    run = task.find(f"{space}Actions/{space}Exec")
    assert [one.tag.removeprefix(space) for one in run] == ["Command", "Arguments", "WorkingDirectory"]
    assert run.findtext(f"{space}Command").endswith("kiwoom-token.exe")
    assert run.findtext(f"{space}Arguments").split()[:2] == ["exec", "--"]
    assert task.find(f"{space}Actions").get("Context") == task.find(f"{space}Principals/{space}Principal").get("id")


@pytest.mark.posix
def test_a_container_reads_the_token_that_the_host_writes(project: Project, tmp_path: Path) -> None:
    needs_package("yaml")
    import yaml

    service = yaml.safe_load(code("docker.md", "compose.yaml"))["services"]["bot"]
    [volume] = service["volumes"]
    environment = service["environment"]
    assert (volume["type"], volume["read_only"]) == ("bind", True)
    assert environment["KIWOOM_TRAY_DATA_DIR"] == volume["target"]

    project.run(needs("bash"), "-e", project.put("docker.md", "host.sh"))
    data = tmp_path / "data"
    project.run("kiwoom-token", "get")
    bare = dict.fromkeys(("APP_KEY", "APP_SECRET", "KIWOOM_TRAY_BASE_URL"), "")
    inside = environment | bare | {"KIWOOM_TRAY_DATA_DIR": str(data), "TZ": "UTC", "HOME": "/nonexistent"}
    inside |= {"KIWOOM_TRAY_STATE_DIR": str(tmp_path / "inside"), "KIWOOM_TRAY_CONFIG_DIR": str(tmp_path / "none")}
    data.chmod(stat.S_IRUSR | stat.S_IXUSR)
    bot = project.start(sys.executable, project.put("docker.md", "bot.py", {"sleep(60)": "sleep(0.05)"}), **inside)
    try:
        assert bot.stdout.readline().strip() == "token"
        data.chmod(stat.S_IRWXU)
        project.run("kiwoom-token", "clear")
        end = time.monotonic() + PATIENCE_SECONDS
        while bot.stdout.readline().strip() != "no token":
            assert time.monotonic() < end
    finally:
        data.chmod(stat.S_IRWXU)
        bot.kill()
        bot.communicate()

    lines = [line.split() for line in code("docker.md", "Dockerfile").splitlines()]
    assert [line[0] for line in lines] == ["FROM", "COPY", "RUN", "COPY", "CMD"]
    assert json.loads(" ".join(lines[-1][1:]))[-1] == lines[3][-1]
    (project.folder / "compose.yaml").write_text(code("docker.md", "compose.yaml"))
    for compose in (["docker", "compose"], ["docker-compose"]):
        if (
            shutil.which(compose[0])
            and subprocess.run([*compose, "version"], capture_output=True, check=False).returncode == 0
        ):
            project.run(*compose, "--file", project.folder / "compose.yaml", "config", "--quiet")


# --- Excel, of which only the form can be looked at here ---


def test_power_query_reads_what_the_bot_file_holds(project: Project, tmp_path: Path) -> None:
    query = code("excel.md", "stock.pq")
    field = find(r"Json\.Document\(File\.Contents\(\"(?P<path>[^\"]+)\"\)\)\[(?P<field>\w+)\]", query)
    share = code("excel.md", "share.cmd").split()
    assert share[-1] == field["path"]
    file = tmp_path / "token.json"
    project.run(*share[:-1], str(file))
    project.run("kiwoom-token", "get")
    assert json.loads(file.read_text())[field["field"]] == stored_token()


def test_power_query_is_understood_by_microsofts_parser(project: Project) -> None:
    node = needs("node")
    find = "require.resolve('@microsoft/powerquery-parser')"
    if subprocess.run([node, "-e", find], cwd=project.folder, capture_output=True, check=False).returncode:
        pytest.skip("the npm package @microsoft/powerquery-parser is not installed here (NODE_PATH)")
    query = project.put("excel.md", "stock.pq")
    check = (
        "const parser = require('@microsoft/powerquery-parser'); const text = require('fs').readFileSync(0, 'utf8');"
        "parser.TaskUtils.tryLexParse(parser.DefaultSettings, text)"
        ".then(done => console.log(parser.TaskUtils.isParseStageOk(done)));"
    )
    assert project.run(node, "-e", check, stdin=query.read_text(encoding="utf-8")).strip() == "true"


def test_vba_names_what_there_is() -> None:
    macro = code("excel.md", "Kiwoom.bas")
    assert re.findall(r"KiwoomToken\(\"([^\"]*)\"", macro) == ["get", "get --refused"]
    opened = re.findall(r"^(?:Private |Public )?(Function|With|Sub)\b", macro.replace("    With", "With"), re.MULTILINE)
    assert len(opened) == len(re.findall(r"^\s*End (?:Function|With|Sub)$", macro, re.MULTILINE))


# --- every piece of code is used here ---


def test_every_code_block_of_the_pages_is_looked_at_by_a_test() -> None:
    calls = (
        one for one in ast.walk(ast.parse(Path(__file__).read_text(encoding="utf-8"))) if isinstance(one, ast.Call)
    )
    used = {tuple(one.value for one in call.args if isinstance(one, ast.Constant))[:2] for call in calls}
    loops = {
        *(("notebook.md", name) for name in ("cell-1.py", "cell-2.py")),
        *(("kiwoomcli.md", name) for name in ("once.sh", "share.sh")),
        *(("systemd.md", f"kiwoom-{name}") for name in ("token-watch.service", "bot.service", "bot.timer")),
    }
    only_shown = {
        ("systemd.md", "enable.sh"): "changes the machine's units",
        ("systemd.md", "watch.sh"): "changes the machine's units",
        ("task-scheduler.md", "register.cmd"): "changes Windows' tasks",
    }
    there = {(page.name, one.name) for page in sorted(TOOLS.glob("*.md")) for one in blocks(page)}
    assert there - used - loops - only_shown.keys() == set()
