"""Sets up `.venv` in this checkout, then starts the tray program or runs the tests. Needs only Python 3.11 or newer.

python3 start.py                 the tray program on the practice server (the same as: start.py --sandbox)
python3 start.py ARGS            the tray program with these arguments
python3 start.py test [ARGS]     ruff, mypy and pytest; the arguments go to pytest

Nothing is installed outside `.venv`, and nothing is asked.
"""

# The syntax stays that of Python 3.6, so that an older Python gets as far as the sentence below.
import os
import sys

OLDEST = (3, 11)
if sys.version_info < OLDEST:
    needs = "Kiwoom Token Tray needs Python 3.11 or newer; this is Python {}.{}.{}.\n"
    sys.stderr.write(needs.format(*sys.version_info))
    sys.exit(2)

library = os.path.dirname(os.__file__)
if __name__ == "__main__" and library in sys.path:
    del sys.path[: sys.path.index(library)]  # this folder and PYTHONPATH, which may mean the working folder

VENV_PACKAGE = "python{}.{}-venv".format(*sys.version_info)  # brings what Debian and Ubuntu leave out of Python

try:
    import configparser
    import hashlib
    import json
    import re
    import ssl
    import subprocess
    import time
    import urllib.parse
    import urllib.request
    from pathlib import Path
    from subprocess import DEVNULL, PIPE, STDOUT, CompletedProcess
    from typing import Any, BinaryIO
except ImportError as error:  # Debian's python3-minimal
    sys.stderr.write(f"This Python has no module `{error.name}`: install the package {VENV_PACKAGE}.\n")
    sys.exit(1)

EXTRAS = {"tray": ["tray"], "test": ["test"]}  # what is installed of pyproject.toml's extras, by what is to be run

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "kiwoom-setup.json"  # what `.venv` was set up for; `{}` while that is under way

LEADS_OUT_OF_VENV = {"PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON"}
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in LEADS_OUT_OF_VENV}
ENVIRONMENT.update(PIP_USER="0", PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1")

DESKTOP_TESTS = ["pytest", "tests/desktop"]
NO_TESTS = 5  # pytest's exit status where there are none, as on Windows

PIP_FAILED = "pip could not install the packages. Its last lines:"
KOREAN = {
    "Setting up in .venv … (once, about a minute)": ".venv에 설치하는 중입니다 … (처음 한 번, 1분쯤 걸립니다)",
    "Bringing .venv up to date …": ".venv를 최신 상태로 맞추는 중입니다 …",
    "Another start.py is setting up .venv; waiting for it …": "다른 start.py가 .venv를 설치하고 있어 기다립니다 …",
    "Setting up failed: {}": "설치하지 못했습니다: {}",
    "Python could not make .venv. Its last lines:": "Python이 .venv를 만들지 못했습니다. 마지막 출력:",
    PIP_FAILED: "pip가 패키지를 설치하지 못했습니다. 마지막 출력:",
    "pip could not be downloaded ({}); install {} instead": "pip를 내려받지 못했습니다({}). {} 패키지를 설치하세요",
    "Failed so far: {}": "지금까지 실패: {}",
}


class SetupError(Exception):
    """Setting up cannot go on. The text is for the user: one line, and below it what the failed program printed."""


def main(arguments: list[str]) -> int:
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(errors="replace", line_buffering=True)
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    try:
        if arguments[:1] == ["test"]:
            set_up("test")
            return run_tests(arguments[1:])
        set_up("tray")
        return run_tray(arguments or ["--sandbox"])
    except (SetupError, OSError) as error:
        print(tr("Setting up failed: {}", error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def tr(message: str, *values: object) -> str:
    return (KOREAN[message] if is_korean() else message).format(*values)


def is_korean() -> bool:
    """Return whether the locale is Korean: by the POSIX variables where one is set, else by Windows' own language."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    if sys.platform == "win32" and not locale:
        import ctypes

        return bool(ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF == 0x12)
    return locale.lower().startswith("ko")


def run_tray(arguments: list[str]) -> int:
    command = [str(PYTHON), "-P", "-m", "tray_app", *arguments]
    if os.name != "nt":
        os.chdir(ROOT)
        os.execve(command[0], command, ENVIRONMENT)  # noqa: S606 - it takes this one's place, signals and all
    return run_in_foreground(command)


def run_tests(arguments: list[str]) -> int:
    """Run every check and return the status of the first that failed. pytest's closing line is the last one."""
    failed: dict[str, int] = {}
    for check in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"], *pytest_commands(arguments)):
        if failed and check[0] == "pytest":
            print("==", tr("Failed so far: {}", ", ".join(failed)))
        name = subprocess.list2cmdline(check)
        print("==", name)
        status = run_in_foreground([str(PYTHON), "-P", "-m", *check])
        if status and (status, check) != (NO_TESTS, DESKTOP_TESTS):
            failed[name] = status
    return next(iter(failed.values()), 0)


def pytest_commands(arguments: "list[str]") -> "list[list[str]]":
    """Return how pytest is run: on the desktop one test after another, the others on several processors."""
    if arguments:
        return [["pytest", *arguments]]
    return [DESKTOP_TESTS, ["pytest", "--ignore=tests/desktop", "-n", "auto", "--maxprocesses=4"]]


def run_in_foreground(command: list[str]) -> int:
    with subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT) as program:
        try:
            return program.wait()
        except KeyboardInterrupt:  # which has reached the program too
            program.wait()
            raise


def run(*command: object, failure: str = "") -> CompletedProcess[str]:
    """Run a program without input. When it fails and `failure` is given, raise that with the last lines printed."""
    pipes: Any = {"stdin": DEVNULL, "stdout": PIPE, "stderr": STDOUT, "encoding": "utf-8", "errors": "replace"}
    environment = {**ENVIRONMENT, "PYTHONUTF8": "1"}
    result = subprocess.run([*map(str, command)], cwd=ROOT, env=environment, check=False, **pipes)
    if failure and result.returncode:
        raise SetupError("\n  ".join([tr(failure), *result.stdout.rstrip().splitlines()[-12:]]))
    return result


def set_up(task: str) -> None:
    """Make `.venv` what this checkout needs for the task; do and print nothing where it already is."""
    with open(ROOT / "start.py", "rb") as file:
        wait_for_lock(file)
        try:
            stamp = dict(json.loads(STAMP.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            stamp = {}
        goal = {
            "root": os.path.normcase(ROOT),
            "python": venv_version(),
            "pyproject": hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest(),
            "extras": extras_for(task, stamp.get("extras", [])),
        }
        if stamp == goal:
            return
        is_in_place = all(stamp.get(key) == goal[key] for key in ("root", "python"))
        is_usable = goal["python"] and (is_in_place or not STAMP.exists())  # without a stamp: made by hand
        print(tr("Bringing .venv up to date …" if is_usable else "Setting up in .venv … (once, about a minute)"))
        if not is_usable:
            make_venv()
            goal["python"] = venv_version()
        STAMP.write_text("{}", "utf-8")  # what an interruption leaves, so that the next start makes `.venv` anew
        try:
            install_pip()
            package = f".[{','.join(goal['extras'])}]" if goal["extras"] else "."
            run(PYTHON, "-I", "-m", "pip", "install", "--quiet", "--editable", package, failure=PIP_FAILED)
        except SetupError:
            STAMP.unlink()  # nothing is half done: the next start goes on from here
            raise
        STAMP.write_text(json.dumps(goal), "utf-8")


def extras_for(task: str, installed: "list[str]") -> "list[str]":
    """Return the extras to install for a task. What is installed stays, and `test` brings `tray` with it."""
    extras = {*EXTRAS[task], *installed}
    return sorted(extras - {"tray"} if "test" in extras else extras)


def wait_for_lock(file: BinaryIO) -> None:
    """Lock a file against every other start.py. The kernel unlocks it when it is closed or the process ends."""
    waited = 0
    while True:
        try:
            if sys.platform == "win32":
                import msvcrt

                file.seek(1 << 30)  # behind the end: the file can still be read
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except (BlockingIOError, PermissionError):
            waited += 1
            if waited == 2:
                print(tr("Another start.py is setting up .venv; waiting for it …"))
            time.sleep(0.3)
        except OSError:  # a file system without locks
            return


def venv_version() -> str:
    """Return the version of `.venv`'s Python, such as "3.12", or an empty text when it is too old or missing."""
    show = f"import sys; sys.version_info >= {OLDEST} and print('%d.%d' % sys.version_info[:2], sys.prefix)"
    printed = run(PYTHON, "-I", "-c", show).stdout.strip() if PYTHON.exists() else ""
    version, _, prefix = printed.partition(" ")
    return version if os.path.realpath(prefix) == os.path.realpath(VENV) else ""


def make_venv() -> None:
    """Make `.venv` anew, whatever was there, without pip."""
    (VENV / "pyvenv.cfg").unlink(missing_ok=True)  # first, so that an interruption does not leave a usable half
    python = getattr(sys, "_base_executable", sys.executable)  # this one may be the Python of `.venv` itself
    failure = "Python could not make .venv. Its last lines:"
    run(python, "-I", "-m", "venv", "--clear", "--without-pip", VENV, failure=failure)


def install_pip() -> None:
    """Put pip into `.venv` where it is missing: by ensurepip, or from the index, since a bare Debian has neither."""
    for module in (["pip", "--version"], ["ensurepip"]):
        if run(PYTHON, "-I", "-m", *module).returncode == 0:
            return
    try:
        name, content = download_pip()
    except (OSError, ValueError, LookupError, configparser.Error) as error:
        why = " ".join(str(error).split())
        raise SetupError(tr("pip could not be downloaded ({}); install {} instead", why, VENV_PACKAGE)) from error
    wheel = VENV / name
    wheel.write_bytes(content)
    run(PYTHON, "-I", wheel / "pip", "install", "--quiet", "--no-index", wheel, failure=PIP_FAILED)
    wheel.unlink()


def download_pip() -> tuple[str, bytes]:
    """Return the name and the content of the newest pip wheel for this Python on the index (PEP 691)."""
    index = pip_setting("index-url") or "https://pypi.org/simple"
    if not index.startswith("https://") or "@" in index:
        raise ValueError("pip's index-url has a login, or is not https")
    context = ssl.create_default_context(cafile=pip_setting("cert") or None)
    web = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
    web.addheaders = [("Accept", "application/vnd.pypi.simple.v1+json, */*;q=0.1")]
    page = index.rstrip("/") + "/pip/"
    wheels = []
    for file in json.load(web.open(page, timeout=60))["files"]:
        release = re.fullmatch(r"pip-(\d+(?:\.\d+)*)-py3-none-any\.whl", file["filename"])
        oldest = re.fullmatch(r">=\s*3\.(\d+)", file.get("requires-python") or ">=3.0")
        if release and oldest and int(oldest[1]) <= sys.version_info[1] and not file.get("yanked"):
            wheels.append(([*map(int, release[1].split("."))], release[0], file["url"], file["hashes"]["sha256"]))
    _, name, url, sha256 = max(wheels)
    content: bytes = web.open(urllib.parse.urljoin(page, url), timeout=60).read()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{name} does not have the sha256 that the index gives")
    return name, content


def pip_setting(name: str) -> str:
    """Return one of pip's settings, such as "index-url": from the environment, else from pip's files on Linux."""
    own = [os.path.expanduser("~/.pip/pip.conf"), os.path.expanduser("~/.config/pip/pip.conf")]
    chosen = os.environ.get("PIP_CONFIG_FILE")
    files = configparser.RawConfigParser()
    files.read([chosen] if chosen else ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", *own], "utf-8")
    found = [files.get(section, name, fallback="") for section in ("install", "global")]
    return os.environ.get("PIP_" + name.upper().replace("-", "_")) or found[0] or found[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
