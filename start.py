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

VENV_PACKAGE = "python{}.{}-venv".format(*sys.version_info)  # brings what Debian and Ubuntu leave out of Python
HERE = os.path.dirname(os.path.abspath(__file__))
library = os.path.dirname(os.__file__)
if __name__ == "__main__" and library in sys.path:
    del sys.path[: sys.path.index(library)]  # this folder and PYTHONPATH, which may mean the working folder

try:
    import hashlib
    import json
    import shlex
    import ssl  # noqa: F401 - pip needs it
    import subprocess
    import time
    from pathlib import Path
    from subprocess import DEVNULL, PIPE, STDOUT, CompletedProcess
    from typing import Any, BinaryIO

    sys.path.insert(0, HERE)
    from tray_app.core.language import msg, tr
    from tray_app.system.file_lock import cannot_lock, try_lock

    sys.path.remove(HERE)
except ImportError as error:
    if str(error.name).startswith("tray_app"):  # run inside a ZIP file, or downloaded alone
        sys.stderr.write("start.py needs the folder it comes in: unpack all of it, then start it there.\n")
        sys.exit(1)
    # Debian's python3-minimal
    sys.stderr.write(f"This Python has no module `{error.name}`: install the package {VENV_PACKAGE}.\n")
    sys.exit(1)

EXTRAS = {"tray": ["tray"], "test": ["test"]}  # what is installed of pyproject.toml's extras, by what is to be run

ROOT = Path(HERE)
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
NOTHING_ANSWERS = 2  # the exit status of packaging/download_pip.py where no index can be reached
ALONE = ("-I", "-X", "utf8")  # nothing of the environment, PYTHONUTF8 included
STAMP = VENV / "kiwoom-setup.json"  # what `.venv` was set up for; `{}` while that is under way

LEADS_OUT_OF_VENV = {"PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON"}
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in LEADS_OUT_OF_VENV}
ENVIRONMENT.update(PIP_USER="0", PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1")

PIP_FAILED = msg("pip could not install the packages. Its last lines:")
OFFLINE = msg("There is no internet connection, which is needed once to download the packages. pip's last lines:")
NO_ANSWER = ("NameResolutionError", "NewConnectionError", "ConnectTimeoutError", "ReadTimeoutError")
ANOTHERS = msg(
    "{folder} belongs to another user. Put this program into a folder of your own (git clone, or unpack it there), and "
    "start it there."
)
ANOTHERS_VENV = msg(
    "Something in {folder} belongs to another user, as after sudo python3 start.py. Remove that folder, then start "
    "this again without sudo. To remove it: {command}"
)


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
            return run_in_place("tests/checks.py", *arguments[1:])
        set_up("tray")
        return run_in_place("-m", "tray_app", *(arguments or ["--sandbox"]))
    except (SetupError, OSError) as error:
        print(tr("Setting up failed: {reason}", reason=whose_is_in_the_way(error) or error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def whose_is_in_the_way(error: Exception) -> str:
    """Return what to do about a permission that is missing because something here is another user's; else nothing."""
    is_denied = isinstance(error, PermissionError) or "Permission denied" in str(error)
    if os.name == "nt" or not is_denied:
        return ""
    if is_anothers(ROOT):
        return tr(ANOTHERS, folder=ROOT)
    in_venv = [VENV, *VENV.rglob("*")] if VENV.is_dir() else []
    if any(is_anothers(one) for one in in_venv):
        command = f"sudo rm -rf {shlex.quote(str(VENV))}"
        return tr(ANOTHERS_VENV, folder=VENV, command=command)
    return ""


def is_anothers(path: Path) -> bool:
    try:
        return path.lstat().st_uid != os.geteuid()
    except OSError:
        return False


def run_in_place(*arguments: str) -> int:
    """Run the Python of `.venv` in the place of this one, where the system can replace a program."""
    command = [str(PYTHON), "-P", *arguments]
    if os.name != "nt":
        os.chdir(ROOT)
        os.execve(command[0], command, ENVIRONMENT)  # noqa: S606 - it takes this one's place, signals and all
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
        if failure == PIP_FAILED and any(one in result.stdout for one in NO_ANSWER):
            failure = OFFLINE
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
            "root": os.fsencode(os.path.normcase(ROOT)).decode("utf-8", "backslashreplace"),  # the same in any locale
            "python": venv_version(),
            "pyproject": hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest(),
            "extras": extras_for(task, stamp.get("extras", [])),
        }
        if stamp == goal:
            return
        is_in_place = all(stamp.get(key) == goal[key] for key in ("root", "python"))
        is_usable = goal["python"] and (is_in_place or not STAMP.exists())  # without a stamp: made by hand
        print(tr("Bringing .venv up to date…") if is_usable else tr("Setting up in .venv… (once, about a minute)"))
        if not is_usable:
            make_venv()
            goal["python"] = venv_version()
        STAMP.write_text("{}", "utf-8")  # what an interruption leaves, so that the next start makes `.venv` anew
        try:
            install_pip()
            package = f".[{','.join(goal['extras'])}]" if goal["extras"] else "."
            run(PYTHON, *ALONE, "-m", "pip", "install", "--quiet", "--editable", package, failure=PIP_FAILED)
            spell_paths_in_ascii()
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
    try:
        while not try_lock(file.fileno()):
            waited += 1
            if waited == 2:
                print(tr("Another start.py is setting up .venv; waiting for it…"))
            time.sleep(0.3)
    except OSError as error:
        if not cannot_lock(error):
            raise


def venv_version() -> str:
    """Return the version of `.venv`'s Python, such as "3.12", or an empty text when it is too old or missing."""
    show = f"""import os, sys
if sys.version_info >= {OLDEST} and os.path.samefile(sys.prefix, sys.argv[1]):
    print("%d.%d" % sys.version_info[:2])"""  # no path is printed: its letters may be none of the locale's
    done = run(PYTHON, *ALONE, "-c", show, VENV) if PYTHON.exists() else None
    return done.stdout.strip() if done and done.returncode == 0 else ""


def make_venv() -> None:
    """Make `.venv` anew, whatever was there, without pip."""
    (VENV / "pyvenv.cfg").unlink(missing_ok=True)  # first, so that an interruption does not leave a usable half
    python = getattr(sys, "_base_executable", sys.executable)  # this one may be the Python of `.venv` itself
    failure = msg("Python could not make .venv. Its last lines:")
    run(python, *ALONE, "-m", "venv", "--clear", "--without-pip", VENV, failure=failure)


def install_pip() -> None:
    """Put pip into `.venv` where it is missing: by ensurepip, or from the index, since a bare Debian has neither."""
    for module in (["pip", "--version"], ["ensurepip"]):
        if run(PYTHON, *ALONE, "-m", *module).returncode == 0:
            return
    download = run(sys.executable, *ALONE, ROOT / "packaging/download_pip.py", VENV)
    (*_, told) = download.stdout.splitlines() or [""]
    if download.returncode == NOTHING_ANSWERS:
        message = msg("There is no internet connection, which is needed once to download the packages ({reason}).")
        raise SetupError(tr(message, reason=told))
    if download.returncode:
        message = msg("pip could not be downloaded ({reason}); install {package} instead")
        raise SetupError(tr(message, reason=told, package=VENV_PACKAGE))
    wheel = VENV / told
    run(PYTHON, *ALONE, wheel / "pip", "install", "--quiet", "--no-index", wheel, failure=PIP_FAILED)
    wheel.unlink()


def spell_paths_in_ascii() -> None:
    """Rewrite the `.pth` file that points to this checkout if its path has other letters than ASCII.

    It is in UTF-8, but a Python before 3.13 reads it in the encoding of the locale, cp949 on a Korean Windows, and then
    does not even start.
    """
    for file in VENV.glob("[Ll]ib/**/site-packages/*kiwoom_token_tray.pth"):
        text = file.read_text("utf-8")
        if not text.isascii():
            code = "import os, sys; sys.path.append(os.fsdecode({!r}))"
            lines = [line if line.isascii() else code.format(line.encode()) for line in text.splitlines()]
            file.write_text("\n".join(lines), "ascii")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
