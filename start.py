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
    sys.stderr.write(
        "Kiwoom Token Tray needs Python 3.11 or newer; this is Python {}.{}.{}.\n".format(*sys.version_info[:3])
    )
    sys.exit(2)

try:
    import base64
    import configparser
    import contextlib
    import hashlib
    import html.parser
    import io
    import json
    import re
    import shutil
    import ssl
    import subprocess
    import tempfile
    import time
    import urllib.parse
    import urllib.request
    import venv as _venv  # noqa: F401 - used as `python -m venv`; Debian's python3-minimal has none
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path
except ImportError as incomplete:
    sys.stderr.write(
        f"This Python is not complete (no module `{incomplete.name}`): install the package python3-venv.\n"
    )
    sys.exit(1)

SETUP_VERSION = 1  # raise it when what this script installs, or how, has changed
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = "kiwoom-start.json"
WINDOWS = os.name == "nt"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
DEFAULT_INDEX = "https://pypi.org/simple"
DEBIAN_WHEELS = "/usr/share/python-wheels"
ASTRAY = {"PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_REQUIRE_VIRTUALENV"}
LAST_LINES = 12

KOREAN = {
    "Setting up in .venv … (once, about a minute)": ".venv에 설치하는 중입니다 … (처음 한 번, 1분쯤 걸립니다)",
    "Bringing .venv up to date …": ".venv를 새로 맞추는 중입니다 …",
    "Another start.py is setting up .venv; waiting for it …": "다른 start.py가 .venv를 설치하고 있어 기다립니다 …",
    "Setting up failed: {why}": "설치하지 못했습니다: {why}",
    "pip could not install the packages (is there a network?). Its last lines:": (
        "pip가 패키지를 설치하지 못했습니다(네트워크가 되나요?). pip의 마지막 줄:"
    ),
    "Python could not make .venv. Its last lines:": "파이썬이 .venv를 만들지 못했습니다. 마지막 줄:",
    "no pip could be had ({why}); installing the package {package} helps": (
        "pip를 구하지 못했습니다({why}). {package} 패키지를 설치하면 됩니다"
    ),
    "{index} does not answer: {why}": "{index} 서버가 응답하지 않습니다: {why}",
    "pip's settings forbid the index (no-index)": "pip 설정이 패키지 서버 사용을 막고 있습니다(no-index)",
    "{index} lists no usable pip": "{index}에 쓸 수 있는 pip가 없습니다",
    "{file} is not the file that {index} promised (sha256)": "{file}이(가) {index}가 알린 파일과 다릅니다(sha256)",
    "{file} does not run here": "{file}이(가) 여기서 실행되지 않습니다",
    "Failed so far: {names}": "여기까지 실패: {names}",
    "failed": "실패",
}


class SetupError(Exception):
    """Setting up cannot go on; the text is one line for the user, `output` what the failed program said."""

    def __init__(self, why: str, output: str = "") -> None:
        super().__init__(why)
        self.output = output


# ---------------------------------------------------------------------------------------------------- what people read


def korean(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the locale is Korean: the POSIX variables where one is set, else what Windows or macOS shows."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(name)
        if value:
            return value.lower().startswith("ko")
    if sys.platform == "win32":
        import ctypes

        return bool(ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF == 0x12)
    if sys.platform == "darwin":
        import locale

        return (locale.getlocale()[0] or "").lower().startswith("ko")
    return False


def tr(message: str, **values: str) -> str:
    sentence = KOREAN[message] if korean() else message
    return sentence.format(**values) if values else sentence


def say(line: str) -> None:
    print(line, flush=True)


# ------------------------------------------------------------------------------------------------- what is to be done


def route(arguments: list[str]) -> tuple[str, list[str]]:
    """What the command line asks for: `help`, `test` with pytest's arguments, or `tray` with the program's."""
    if arguments[:1] in (["-h"], ["--help"]):
        return "help", []
    if arguments[:1] == ["test"]:
        return "test", arguments[1:]
    return "tray", arguments or ["--sandbox"]


def wanted(extras: str, earlier: Mapping[str, object]) -> dict[str, object]:
    """The stamp of a finished set-up. Extras that are there stay: they are kept up to date with the rest."""
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    together = {*str(earlier.get("extras", "")).split(","), *extras.split(",")} - {""}
    return {
        "state": "done",
        "setup": SETUP_VERSION,
        "root": os.path.normcase(ROOT),
        "pyproject": digest,
        "extras": ",".join(sorted(together)),
    }


def plan(stamp: Mapping[str, object], goal: Mapping[str, object], interpreter: str) -> str:
    """`ready`, `install` (the packages, into the environment that is there) or `build` (everything anew).

    `interpreter` is the version of the environment's Python, empty where it does not run. An environment without a
    stamp was made by somebody else and is used as it is; one that was left in the middle of the work is not.
    """
    if not interpreter:
        return "build"
    if not stamp:
        return "install"
    moved = stamp.get("root") != goal["root"] or stamp.get("python") != interpreter
    if moved or stamp.get("state") == "working":
        return "build"
    return "ready" if all(stamp.get(key) == value for key, value in goal.items()) else "install"


def read_stamp(folder: Path) -> dict[str, object]:
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return {"state": "working"}
    return stamp if isinstance(stamp, dict) else {"state": "working"}


def write_stamp(folder: Path, stamp: Mapping[str, object]) -> None:
    """Whole or not at all: a reader never sees half a stamp."""
    unfinished = folder / (STAMP + ".new")
    unfinished.write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(folder / STAMP)


def interpreter_version(python: Path) -> str:
    """`3.12` when the environment's Python runs, belongs to that environment and is new enough; else nothing."""
    show = "import sys; print('%d.%d' % sys.version_info[:2], sys.prefix)"
    try:
        result = run([str(python), "-I", "-c", show])
    except OSError:
        return ""
    version, _, prefix = result.stdout.strip().partition(" ")
    if result.returncode or os.path.realpath(prefix) != os.path.realpath(python.parent.parent):
        return ""
    return version if tuple(int(part) for part in version.split(".")) >= OLDEST else ""


# ------------------------------------------------------------------------------------------------------ other programs


def environment() -> dict[str, str]:
    """The user's environment without what would lead Python or pip out of `.venv`, or make pip ask."""
    clean = {name: value for name, value in os.environ.items() if name not in ASTRAY}
    clean.update(PIP_USER="0", PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
    return clean


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end without input, and keeps what it says."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**environment(), "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def succeeds(command: list[str]) -> bool:
    try:
        return run(command).returncode == 0
    except OSError:
        return False


# ------------------------------------------------------------------------------------- pip, where Python came without


def pip_config_files(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """The files pip reads its settings from; a later one outweighs an earlier one."""
    chosen = environ.get("PIP_CONFIG_FILE", "")
    if chosen == os.devnull:
        return []
    home = Path(os.path.expanduser("~"))
    if WINDOWS:
        files = [Path(environ.get("PROGRAMDATA", "C:\\ProgramData"), "pip", "pip.ini")]
        own = [home / "pip" / "pip.ini", Path(environ.get("APPDATA", home), "pip", "pip.ini")]
    else:
        shared = [Path(folder, "pip", "pip.conf") for folder in environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")]
        files = [*shared, Path("/etc/pip.conf")]
        own = [home / ".pip" / "pip.conf", Path(environ.get("XDG_CONFIG_HOME") or home / ".config", "pip", "pip.conf")]
        if sys.platform == "darwin":
            files.insert(0, Path("/Library/Application Support/pip/pip.conf"))
            own.append(home / "Library" / "Application Support" / "pip" / "pip.conf")
    return [*files, Path(chosen)] if chosen and os.path.exists(chosen) else [*files, *own]


def pip_setting(name: str, environ: Mapping[str, str], files: Iterable[Path]) -> str:
    """One of pip's settings as `pip install` would find it: the environment first, else the files."""
    value = environ.get("PIP_" + name.upper().replace("-", "_"))
    if value:
        return value
    found = {"global": "", "install": ""}
    for file in files:
        settings = configparser.RawConfigParser()
        with contextlib.suppress(OSError, UnicodeError, configparser.Error):
            settings.read_string(file.read_text(encoding="utf-8"))
        for section, earlier in found.items():
            plain = settings.get(section, name, fallback=earlier)
            found[section] = settings.get(section, name.replace("-", "_"), fallback=plain)
    return found["install"] or found["global"]


def without_login(url: str) -> str:
    """The address as it may be shown: without a user's name and password."""
    parts = urllib.parse.urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class IndexPage(html.parser.HTMLParser):
    """Collects the links of a package index page: (address, attributes)."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.links: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "base" and attributes.get("href"):
            self.address = urllib.parse.urljoin(self.address, attributes["href"])
        if tag == "a" and attributes.get("href"):
            self.links.append((urllib.parse.urljoin(self.address, attributes["href"]), attributes))


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def allows(requires_python: str, version: tuple[int, ...]) -> bool:
    """Whether `>=3.9,!=3.10.*` allows this Python. What cannot be read does not allow it."""
    for part in filter(None, (piece.strip() for piece in requires_python.split(","))):
        match = re.fullmatch(r"(>=|<=|==|!=|>|<)\s*(\d+(?:\.\d+)*)(\.\*)?", part)
        if not match:
            return False
        sign, number, any_below = match[1], numbers(match[2]), match[3]
        mine = version[: len(number)] if any_below else version
        number = number if any_below else number + (0,) * (len(version) - len(number))
        fits = {
            ">=": mine >= number,
            "<=": mine <= number,
            ">": mine > number,
            "<": mine < number,
            "==": mine == number,
            "!=": mine != number,
        }
        if not fits[sign]:
            return False
    return True


def newest_pip(page: str, address: str, python: tuple[int, ...]) -> tuple[str, str, str] | None:
    """(address, file name, sha256) of the newest released pip wheel on an index page that this Python can run.

    A link without a sha256 does not count, nor does one that was withdrawn.
    """
    index = IndexPage(address)
    index.feed(page)
    best: tuple[tuple[int, ...], tuple[str, str, str]] | None = None
    for link, attributes in index.links:
        url, _, fragment = link.partition("#")
        name = urllib.parse.unquote(url.rpartition("/")[2])
        release = re.fullmatch(r"pip-(\d+(?:\.\d+)*)-py3-none-any\.whl", name)
        digest = re.search(r"(?:^|&)sha256=([0-9a-fA-F]{64})(?:&|$)", fragment)
        if not release or not digest or "data-yanked" in attributes:
            continue
        if not allows(attributes.get("data-requires-python", ""), python):
            continue
        if best is None or numbers(release[1]) > best[0]:
            best = numbers(release[1]), (url, name, digest[1].lower())
    return best[1] if best else None


def opener(environ: Mapping[str, str], files: list[Path]) -> Callable[[str], bytes]:
    """A way to fetch an address by the rules pip is under here: certificates, proxy, the index's login."""
    context = ssl.create_default_context()  # heeds SSL_CERT_FILE and SSL_CERT_DIR
    own = [environ.get("REQUESTS_CA_BUNDLE", ""), environ.get("CURL_CA_BUNDLE", "")]
    for authority in (pip_setting("cert", environ, files), *own):
        if os.path.isdir(authority):
            context.load_verify_locations(capath=authority)
        elif os.path.exists(authority):
            context.load_verify_locations(cafile=authority)
    handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=context)]
    proxy = pip_setting("proxy", environ, files)
    if proxy:
        handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
    director = urllib.request.build_opener(*handlers)

    def fetch(url: str) -> bytes:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in {"https", "http", "file"}:
            raise OSError(parts.scheme + "?")
        request = urllib.request.Request(without_login(url), headers={"Accept": "text/html, */*;q=0.1"})  # noqa: S310
        if parts.username:
            login = urllib.parse.unquote(parts.username) + ":" + urllib.parse.unquote(parts.password or "")
            # unredirected: a login is for this server, not for the one it may point to
            request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
        with director.open(request, timeout=60) as answer:
            return bytes(answer.read())

    return fetch


def download_pip(
    folder: Path, index: str, fetch: Callable[[str], bytes], python: tuple[int, ...] = sys.version_info[:3]
) -> Path:
    """Fetches the newest pip wheel from the index into the folder; only the file the index names comes through."""
    page = index.rstrip("/") + "/pip/"
    shown = without_login(index)
    login = urllib.parse.urlsplit(index).netloc
    try:
        text = fetch(page + "index.html" if page.startswith("file:") else page).decode("utf-8", "replace")
        found = newest_pip(text, page, python)
        if not found:
            raise SetupError(tr("{index} lists no usable pip", index=shown))
        url, name, digest = found
        parts = urllib.parse.urlsplit(url)
        if parts.netloc == login.rpartition("@")[2]:
            url = parts._replace(netloc=login).geturl()
        content = fetch(url)
    except (OSError, ValueError) as error:
        raise SetupError(tr("{index} does not answer: {why}", index=shown, why=str(error))) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise SetupError(tr("{file} is not the file that {index} promised (sha256)", file=name, index=shown))
    wheel = folder / name
    wheel.write_bytes(content)
    return wheel


def pips_at_hand() -> Iterator[list[str]]:
    """The pips of this system that can work for another Python (`pip --python`, 22.3)."""
    seen = [[sys.executable, "-m", "pip"], *([path] for path in map(shutil.which, ("pip3", "pip")) if path)]
    for command in seen:
        try:
            shown = run([*command, "--version"])
        except OSError:
            continue
        version = re.match(r"pip (\d+)\.(\d+)", shown.stdout)
        if shown.returncode == 0 and version and (int(version[1]), int(version[2])) >= (22, 3):
            yield command


def install_wheel(wheel: Path) -> bool:
    """Lets a pip wheel install itself into `.venv`; it needs nothing else for that."""
    itself = ["install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    return succeeds([str(PYTHON), str(wheel / "pip"), *itself])


def get_pip() -> None:
    """Puts pip into `.venv`: by ensurepip, else by a pip of this system, Debian's own wheel, or the index."""
    python = str(PYTHON)
    if succeeds([python, "-m", "pip", "--version"]) or succeeds([python, "-I", "-m", "ensurepip", "--default-pip"]):
        return
    files = pip_config_files()
    nearby = [DEBIAN_WHEELS, *pip_setting("find-links", os.environ, files).split()]
    wheels = [wheel for folder in nearby for wheel in sorted(Path(folder).glob("pip-*-py3-none-any.whl"), reverse=True)]
    if any(install_wheel(wheel) for wheel in wheels):
        return
    if any(succeeds([*pip, "--python", python, "install", "--quiet", "pip"]) for pip in pips_at_hand()):
        return
    try:
        pip_from_index(files)
    except SetupError as error:
        sentence = "no pip could be had ({why}); installing the package {package} helps"
        raise SetupError(tr(sentence, why=str(error), package="python3-venv")) from error


def pip_from_index(files: list[Path]) -> None:
    if pip_setting("no-index", os.environ, files).lower() in {"1", "true", "yes", "on"}:
        raise SetupError(tr("pip's settings forbid the index (no-index)"))
    index = pip_setting("index-url", os.environ, files) or DEFAULT_INDEX
    with tempfile.TemporaryDirectory(prefix="kiwoom-start-") as folder:
        wheel = download_pip(Path(folder), index, opener(os.environ, files))
        if not install_wheel(wheel):
            raise SetupError(tr("{file} does not run here", file=wheel.name))


# ---------------------------------------------------------------------------------------------------------- setting up


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One set-up at a time in this checkout.

    The kernel holds the lock and lets go when its holder dies; no file is left behind. Where the file system knows no
    locks the work goes on without.
    """
    if sys.platform == "win32":
        import msvcrt

        descriptor = os.open(ROOT / "start.py", os.O_RDONLY)
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # a place behind the end: reading the file stays free
    else:
        import fcntl

        descriptor = os.open(ROOT, os.O_RDONLY)
    waiting = False
    try:
        while True:
            try:
                if sys.platform == "win32":
                    msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
                else:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except (BlockingIOError, PermissionError):
                if not waiting:
                    say(tr("Another start.py is setting up .venv; waiting for it …"))
                waiting = True
                time.sleep(0.3)
            except OSError:
                break
        yield
    finally:
        os.close(descriptor)


def set_up(extras: str = "") -> None:
    """Makes `.venv` what this checkout needs. Does nothing, and says nothing, when it already is."""

    def look() -> tuple[str, dict[str, object], str]:
        stamp = read_stamp(VENV)
        goal = wanted(extras, stamp)
        version = interpreter_version(PYTHON)
        return plan(stamp, goal, version), goal, version

    if look()[0] == "ready":
        return
    with alone():
        todo, goal, version = look()
        if todo == "ready":
            return
        first = todo == "build" or read_stamp(VENV).get("state") != "done"
        say(tr("Setting up in .venv … (once, about a minute)" if first else "Bringing .venv up to date …"))
        if todo == "build":
            version = build()
        goal["python"] = version
        write_stamp(VENV, {**goal, "state": "working"})
        try:
            get_pip()
            install(str(goal["extras"]))
        except SetupError:
            write_stamp(VENV, {**goal, "state": "failed"})  # whole, but not done: the next start goes on from here
            raise
        write_stamp(VENV, goal)


def build() -> str:
    """Makes `.venv` anew, whatever lay there; the version of its Python."""
    with contextlib.suppress(OSError):
        (VENV / "pyvenv.cfg").unlink()  # first of all: what is left if this ends halfway is then no environment
    base = getattr(sys, "_base_executable", "") or sys.executable
    result = run([base, "-I", "-m", "venv", "--clear", "--without-pip", str(VENV)])
    version = "" if result.returncode else interpreter_version(PYTHON)
    if not version:
        raise SetupError(tr("Python could not make .venv. Its last lines:"), result.stdout)
    return version


def install(extras: str) -> None:
    target = f".[{extras}]" if extras else "."
    result = run([str(PYTHON), "-m", "pip", "install", "--quiet", "--editable", target])
    if result.returncode:
        why = tr("pip could not install the packages (is there a network?). Its last lines:")
        raise SetupError(why, result.stdout)


# ------------------------------------------------------------------------------------------------------------- the two


def follow(command: list[str]) -> int:
    """Runs a program in the foreground; Ctrl-C reaches it too, and its own end is waited for."""
    with subprocess.Popen(command, cwd=ROOT, env=environment()) as program:
        try:
            return program.wait()
        except KeyboardInterrupt:
            program.wait()
            raise


def run_tray(arguments: list[str]) -> int:
    command = [str(PYTHON), "-m", "tray_app", *arguments]
    if not WINDOWS:
        sys.stdout.flush()
        os.chdir(ROOT)
        os.execve(command[0], command, environment())  # noqa: S606 - it takes this one's place, signals and all
    return follow(command)


def run_tests(arguments: list[str]) -> int:
    """Every check, whatever the others say; pytest's last line is the last line."""
    checks = [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"], ["pytest", *arguments]]
    failed: list[str] = []
    status = 0
    for check in checks:
        if check[0] == "pytest" and failed:
            say("== " + tr("Failed so far: {names}", names=", ".join(failed)))
        say("== " + subprocess.list2cmdline(check))
        code = follow([str(PYTHON), "-m", *check])
        if code:
            status = status or code
            name = " ".join(check[:2]) if check[0] == "ruff" else check[0]
            failed.append(name)
            if check[0] != "pytest":
                say("== {}: {} ({})".format(name, tr("failed"), code))
    return status


def main(arguments: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    task, rest = route(arguments)
    if task == "help":
        say((__doc__ or "").strip())
        return 0
    try:
        set_up("test" if task == "test" else "")
        return run_tests(rest) if task == "test" else run_tray(rest)
    except SetupError as error:
        print(tr("Setting up failed: {why}", why=str(error)), file=sys.stderr)
        for line in error.output.rstrip().splitlines()[-LAST_LINES:]:
            print("  " + line, file=sys.stderr)
    except OSError as error:
        print(tr("Setting up failed: {why}", why=str(error)), file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
